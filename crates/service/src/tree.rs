//! Paths to rows: walking an account's tree inside of a transaction.

use catalogue::{Tx, entries};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, ROOT},
    id::{AccountId, EntryId},
};
use store::Draft;

use crate::{
    error::{Error, Result},
    paths::{BadPath, DEPTH_MAX, Path},
    places::Top,
};

/// What the rows of one change are stamped with, drawn before its transaction.
pub(crate) struct Stamp {
    pub store: store::Store,
    pub wall_us: i64,
    pub at: model::units::ServiceTime,
}

impl Stamp {
    /// The clocks of `store` now.
    pub fn of(store: &store::Store) -> Self {
        Self { store: store.clone(), wall_us: store.now().wall_us, at: store.service_time() }
    }

    /// This moment as the trash keeps it.
    pub fn trashed(&self) -> model::entry::Trashed {
        model::entry::Trashed { at: self.at, wall_us: self.wall_us }
    }
}

/// Where a place begins, with the row that a shared one has; or a row in it.
pub(crate) enum Found {
    Top(Option<EntryRow>),
    Row(EntryRow),
}

impl Found {
    /// The row, for whoever wants to change it.
    ///
    /// # Errors
    /// [`BadPath::Top`]: the top has no row, or one that is its owner's alone to change.
    pub fn row(self) -> Result<EntryRow> {
        match self {
            Self::Row(row) => Ok(row),
            Self::Top(_) => Err(BadPath::Top.into()),
        }
    }

    /// The row, for whoever looks at it; `None`: the top of an account's own tree.
    pub fn seen(self) -> Option<EntryRow> {
        match self {
            Self::Row(row) => Some(row),
            Self::Top(row) => row,
        }
    }
}

/// How far the names of a path lead.
struct Walk {
    /// The last folder reached.
    folder: EntryId,
    /// How many names led there.
    depth: usize,
}

/// Walks as many of `names` as there are folders.
fn walk(tx: &Tx<'_>, top: &Top, names: &[String], avoid: Option<EntryId>) -> Result<Walk> {
    if top.row.as_ref().is_some_and(|row| row.kind == Kind::File) {
        return Err(Error::NotAFolder { path: "/".to_owned() });
    }
    let mut reached = Walk { folder: top.id, depth: 0 };
    for name in names {
        match entries::child(tx, top.account, reached.folder, name)? {
            None => break,
            Some(row) if avoid == Some(row.id) => {
                let from = shown(&names[..=reached.depth]);
                return Err(Error::IntoItself { from, to: shown(names) });
            }
            Some(row) if row.kind == Kind::File => {
                return Err(Error::NotAFolder { path: shown(&names[..=reached.depth]) });
            }
            Some(row) => reached = Walk { folder: row.id, depth: reached.depth + 1 },
        }
    }
    Ok(reached)
}

/// What is at `path`.
///
/// # Errors
/// Missing, or Conflict where the path leads through a file.
pub(crate) fn at(tx: &Tx<'_>, top: &Top, path: &Path) -> Result<Found> {
    let Ok((names, name)) = path.split() else { return Ok(Found::Top(top.row.clone())) };
    let parent = folder(tx, top, names)?;
    let row = entries::child(tx, top.account, parent, name)?;
    row.map(Found::Row).ok_or_else(|| Error::Missing { path: path.to_string() })
}

/// The folder that all of `names` lead to.
///
/// # Errors
/// Missing, or Conflict where one of them is a file.
pub(crate) fn folder(tx: &Tx<'_>, top: &Top, names: &[String]) -> Result<EntryId> {
    let reached = walk(tx, top, names, None)?;
    if reached.depth == names.len() {
        Ok(reached.folder)
    } else {
        Err(Error::Missing { path: shown(&names[..=reached.depth]) })
    }
}

/// The folder that `names` lead to, and what of it is missing made in the same commit. `avoid` may not be on the way:
/// a folder cannot come to lie in itself.
pub(crate) fn make_folders(
    tx: &Tx<'_>,
    draft: &mut Draft,
    top: &Top,
    names: &[String],
    avoid: Option<EntryId>,
    stamp: &Stamp,
) -> Result<EntryId> {
    // A path that is short enough for whoever was let in may be too deep for the owner.
    let depth = top.depth + names.len() + 1;
    if depth > DEPTH_MAX {
        return Err(BadPath::Deep { got: depth }.into());
    }
    let reached = walk(tx, top, names, avoid)?;
    let mut folder = reached.folder;
    for name in &names[reached.depth..] {
        folder = add_folder(draft, top.account, folder, name, stamp);
    }
    Ok(folder)
}

/// Adds a new folder's row.
pub(crate) fn add_folder(draft: &mut Draft, account: AccountId, parent: EntryId, name: &str, stamp: &Stamp) -> EntryId {
    let id = EntryId::random(stamp.store.entropy());
    let row = EntryRow {
        id,
        parent,
        name: name.to_owned(),
        kind: Kind::Folder,
        modified_us: stamp.wall_us,
        trashed: None,
        current: None,
    };
    draft.change(Scope::Account(account), Change::Entry(row));
    id
}

/// Makes the place at `path` free for `mover` (if it is there already) and answers the folder to put it in. What is
/// there goes to the trash if `replace`.
///
/// # Errors
/// Conflict if something is there and stays, if the path leads through a file or through `mover`.
pub(crate) fn make_room(
    tx: &Tx<'_>,
    draft: &mut Draft,
    top: &Top,
    path: &Path,
    mover: Option<EntryId>,
    replace: bool,
    stamp: &Stamp,
) -> Result<EntryId> {
    let (names, name) = path.split()?;
    let parent = make_folders(tx, draft, top, names, mover, stamp)?;
    match entries::child(tx, top.account, parent, name)? {
        None => Ok(parent),
        Some(there) if replace && mover != Some(there.id) => {
            draft.audit(top.actor, "trash", there.id.to_string());
            let row = EntryRow { trashed: Some(stamp.trashed()), ..there };
            draft.change(Scope::Account(top.account), Change::Entry(row));
            Ok(parent)
        }
        Some(_) => Err(Error::Exists { path: path.to_string() }),
    }
}

/// The names that lead to an entry from the top of its owner's tree, unless it or a folder above it lies in the trash, has
/// no place, or is gone.
pub(crate) fn names_to(tx: &Tx<'_>, account: AccountId, id: EntryId) -> Result<Option<Vec<String>>> {
    let mut rows = entries::ancestors(tx, account, id)?;
    let whole = rows.last().is_some_and(|top| top.parent == ROOT) && rows.iter().all(|row| row.trashed.is_none());
    rows.reverse();
    Ok(whole.then(|| rows.into_iter().map(|row| row.name).collect()))
}

/// Whether an entry is still what a place shows: it may have been moved out, or thrown away, while a long deed goes on.
pub(crate) fn is_below(tx: &Tx<'_>, top: &Top, id: EntryId) -> Result<bool> {
    if top.row.is_none() {
        return Ok(true);
    }
    let rows = entries::ancestors(tx, top.account, id)?;
    Ok(rows.iter().any(|row| row.id == top.id) && rows.iter().all(|row| row.trashed.is_none()))
}

/// [`names_to`] as people read it.
pub(crate) fn path_of(tx: &Tx<'_>, account: AccountId, id: EntryId) -> Result<Option<String>> {
    Ok(names_to(tx, account, id)?.map(|names| shown(&names)))
}

/// Names as people read them.
pub(crate) fn shown(names: &[String]) -> String {
    names.iter().map(|name| format!("/{name}")).collect()
}
