//! Folders made, entries moved, and what was deleted brought back from the trash.

use catalogue::{Tx, entries};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind},
    id::{AccountId, EntryId},
};

use crate::{
    Service,
    error::{Error, Result},
    paths::{BadPath, DEPTH_MAX, Path},
    places::{Place, Top},
    tree::{self, Stamp},
};

/// Rows looked at in one step of a walk.
const PAGE: usize = 1_000;

/// Where something is to go.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// What goes.
    pub from: Path,
    /// Its new path, last name included. Missing folders above it are made.
    pub to: Path,
    /// Whether what is there goes to the trash; else it stays, and the transfer is refused.
    pub replace: bool,
}

impl Transfer {
    /// Whether what is in a folder could come to lie too deep. Asked before the commit, as the answer may take a walk
    /// through the folder.
    pub(super) fn goes_deeper(&self) -> bool {
        self.to.names().len() > self.from.names().len()
    }
}

impl Service {
    /// Makes a folder, and the missing ones above it.
    ///
    /// # Errors
    /// Conflict if something is there already or a file is on the way.
    pub async fn mkdir(&self, place: impl Into<Place>, path: Path) -> Result<()> {
        let place = place.into();
        let stamp = Stamp::of(&self.store);
        self.store
            .commit(move |tx, draft| {
                // The top folder is there already, as any other may be.
                let Ok((_, name)) = path.split() else { return Err(Error::Exists { path: path.to_string() }) };
                let top = place.changes(tx)?;
                let parent = tree::make_room(tx, draft, &top, &path, None, false, &stamp)?;
                tree::add_folder(draft, top.account, parent, name, &stamp);
                Ok(())
            })
            .await
    }

    /// Moves or renames a file or a folder. One row changes, whatever is in it.
    ///
    /// # Errors
    /// Missing if nothing is there; Conflict if something is where it goes, or that is inside of it.
    pub async fn rename(&self, place: impl Into<Place>, transfer: Transfer) -> Result<()> {
        let place = place.into();
        self.check_transfer(&place, &transfer).await?;
        let stamp = Stamp::of(&self.store);
        self.store
            .commit(move |tx, draft| {
                let Transfer { from, to, replace } = &transfer;
                let top = place.changes(tx)?;
                let row = tree::at(tx, &top, from)?.row()?;
                let parent = tree::make_room(tx, draft, &top, to, Some(row.id), *replace, &stamp)?;
                let (_, name) = to.split()?;
                let row = EntryRow { parent, name: name.to_owned(), ..row };
                draft.change(Scope::Account(top.account), Change::Entry(row));
                Ok(())
            })
            .await
    }

    /// Refuses what would come to lie too deep.
    pub(super) async fn check_transfer(&self, place: &Place, transfer: &Transfer) -> Result<()> {
        if !transfer.goes_deeper() {
            return Ok(());
        }
        let (place, Transfer { from, to, .. }) = (place.clone(), transfer.clone());
        self.look(move |tx| {
            let top = place.changes(tx)?;
            check_depth(tx, top.account, &tree::at(tx, &top, &from)?.row()?, top.depth + to.names().len())
        })
        .await
    }

    /// Brings back what was deleted last of all that lay at `path`, to there or to `to`.
    ///
    /// # Errors
    /// Missing if nothing in the trash comes from there; Conflict if something is where it goes.
    pub async fn restore(&self, place: impl Into<Place>, path: Path, to: Option<Path>, replace: bool) -> Result<()> {
        let place = place.into();
        let transfer = Transfer { from: path.clone(), to: to.clone().unwrap_or_else(|| path.clone()), replace };
        // Also to its old place: the folder that it lay in may have moved down meanwhile.
        let (Transfer { from, to: goal, .. }, asked) = (transfer, place.clone());
        self.look(move |tx| {
            let top = asked.changes(tx)?;
            check_depth(tx, top.account, &last_trashed(tx, &top, &from)?, top.depth + goal.names().len())
        })
        .await?;
        let stamp = Stamp::of(&self.store);
        self.store
            .commit(move |tx, draft| {
                let top = place.changes(tx)?;
                let row = last_trashed(tx, &top, &path)?;
                if row.trashed.is_some_and(|trashed| trashed.wall_us < top.since_us) {
                    return Err(Error::NotInTrash { path: path.to_string() });
                }
                let to = to.as_ref().unwrap_or(&path);
                let parent = tree::make_room(tx, draft, &top, to, Some(row.id), replace, &stamp)?;
                let (_, name) = to.split()?;
                draft.audit(place.actor(), "restore", row.id.to_string());
                let row = EntryRow { parent, name: name.to_owned(), trashed: None, ..row };
                draft.change(Scope::Account(top.account), Change::Entry(row));
                Ok(())
            })
            .await
    }
}

/// The newest entry in the trash that lay at `path`. The folder that it lay in must still be there.
pub(crate) fn last_trashed(tx: &Tx<'_>, top: &Top, path: &Path) -> Result<EntryRow> {
    let (folders, name) = path.split()?;
    let none = || Error::NotInTrash { path: path.to_string() };
    let parent = match tree::folder(tx, top, folders) {
        Err(Error::Missing { .. }) => return Err(none()),
        other => other?,
    };
    let mut found = None;
    let mut after = None;
    loop {
        let page = entries::trash(tx, top.account, after, PAGE)?;
        let Some(last) = page.last() else { return found.ok_or_else(none) };
        after = last.trashed.map(|trashed| (trashed.at, last.id));
        // Oldest first: the last one wins.
        found = page.into_iter().rfind(|row| row.parent == parent && row.name == name).or(found);
    }
}

/// Refuses a transfer that would put something of a folder below [`DEPTH_MAX`], where no path reaches it. `depth`: how many
/// names will lead to it.
pub(super) fn check_depth(tx: &Tx<'_>, account: AccountId, row: &EntryRow, mut depth: usize) -> Result<()> {
    if row.kind == Kind::File {
        return Ok(());
    }
    let mut level = vec![row.id];
    while !level.is_empty() {
        if depth > DEPTH_MAX {
            return Err(BadPath::Deep { got: depth }.into());
        }
        let mut below = Vec::new();
        let mut holds_files = false;
        for folder in level {
            holds_files |= folders_in(tx, account, folder, &mut below)?;
        }
        if holds_files && depth == DEPTH_MAX {
            return Err(BadPath::Deep { got: depth + 1 }.into());
        }
        level = below;
        depth += 1;
    }
    Ok(())
}

/// Adds the folders in a folder to `found`; whether it holds files too.
fn folders_in(tx: &Tx<'_>, account: AccountId, folder: EntryId, found: &mut Vec<EntryId>) -> Result<bool> {
    let mut after = String::new();
    let mut holds_files = false;
    loop {
        let page = entries::children(tx, account, folder, &after, PAGE)?;
        let Some(last) = page.last() else { return Ok(holds_files) };
        after.clone_from(&last.name);
        holds_files |= page.iter().any(|row| row.kind == Kind::File);
        found.extend(page.iter().filter(|row| row.kind == Kind::Folder).map(|row| row.id));
    }
}
