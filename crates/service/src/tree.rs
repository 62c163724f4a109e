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
    paths::Path,
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

/// The top folder, or a row.
pub(crate) enum Found {
    Top,
    Row(EntryRow),
}

impl Found {
    /// The row.
    ///
    /// # Errors
    /// [`crate::paths::BadPath::Top`] where the top has no row to change.
    pub fn row(self) -> Result<EntryRow> {
        match self {
            Self::Row(row) => Ok(row),
            Self::Top => Err(crate::paths::BadPath::Top.into()),
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
fn walk(tx: &Tx<'_>, account: AccountId, names: &[String], avoid: Option<EntryId>) -> Result<Walk> {
    let mut reached = Walk { folder: ROOT, depth: 0 };
    for name in names {
        match entries::child(tx, account, reached.folder, name)? {
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
pub(crate) fn at(tx: &Tx<'_>, account: AccountId, path: &Path) -> Result<Found> {
    let Ok((names, name)) = path.split() else { return Ok(Found::Top) };
    let parent = folder(tx, account, names)?;
    let row = entries::child(tx, account, parent, name)?;
    row.map(Found::Row).ok_or_else(|| Error::Missing { path: path.to_string() })
}

/// The folder that all of `names` lead to.
///
/// # Errors
/// Missing, or Conflict where one of them is a file.
pub(crate) fn folder(tx: &Tx<'_>, account: AccountId, names: &[String]) -> Result<EntryId> {
    let reached = walk(tx, account, names, None)?;
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
    account: AccountId,
    names: &[String],
    avoid: Option<EntryId>,
    stamp: &Stamp,
) -> Result<EntryId> {
    let reached = walk(tx, account, names, avoid)?;
    let mut folder = reached.folder;
    for name in &names[reached.depth..] {
        folder = add_folder(draft, account, folder, name, stamp);
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
    account: AccountId,
    path: &Path,
    mover: Option<EntryId>,
    replace: bool,
    stamp: &Stamp,
) -> Result<EntryId> {
    let (names, name) = path.split()?;
    let parent = make_folders(tx, draft, account, names, mover, stamp)?;
    match entries::child(tx, account, parent, name)? {
        None => Ok(parent),
        Some(there) if replace && mover != Some(there.id) => {
            draft.audit(Some(account), "trash", there.id.to_string());
            let row = EntryRow { trashed: Some(stamp.trashed()), ..there };
            draft.change(Scope::Account(account), Change::Entry(row));
            Ok(parent)
        }
        Some(_) => Err(Error::Exists { path: path.to_string() }),
    }
}

/// Names as people read them.
pub(crate) fn shown(names: &[String]) -> String {
    names.iter().map(|name| format!("/{name}")).collect()
}
