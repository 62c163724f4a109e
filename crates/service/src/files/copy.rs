//! Copies: new rows over the same sealed bytes, so that a copy of any size moves none.
//!
//! A file is copied in one commit. A folder is copied page by page, as visible as it is far: a copy that breaks off
//! leaves what it has, like any file manager, and harms nothing.

use std::collections::VecDeque;

use catalogue::{Tx, entries, versions};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, Version},
    id::{AccountId, EntryId, VersionId},
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    files::change::Transfer,
    limits,
    places::Place,
    tree::{self, Stamp},
};

/// Entries copied in one commit: a journal record of moderate size.
const PAGE: usize = 256;

/// A folder and the folder that its copy is.
type Pair = (EntryId, EntryId);

impl Service {
    /// Copies a file, or a folder with what is in it.
    ///
    /// # Errors
    /// Missing if nothing is there; Conflict if something is where it goes, or that is inside of it.
    pub async fn copy(&self, place: impl Into<Place>, transfer: Transfer) -> Result<()> {
        let place = place.into();
        self.check_transfer(&place, &transfer).await?;
        let account = place.account();
        let asked = place.clone();
        let stamp = Stamp::of(&self.store);
        let root = self
            .store
            .commit(move |tx, draft| {
                let Transfer { from, to, replace } = &transfer;
                let top = asked.changes(tx)?;
                let row = tree::at(tx, &top, from)?.row()?;
                let parent = tree::make_room(tx, draft, &top, to, Some(row.id), *replace, &stamp)?;
                let (_, name) = to.split()?;
                let (pair, bytes) = copy_row(tx, draft, account, &row, parent, name, &stamp)?;
                limits::admit(tx, account, bytes).map_err(|error| asked.told(error))?;
                Ok::<_, Error>(pair)
            })
            .await?;
        let mut left: VecDeque<Pair> = root.into_iter().collect();
        while let Some(pair) = left.pop_front() {
            self.copy_folder(&place, pair, &mut left).await?;
        }
        Ok(())
    }

    /// Copies what is directly in a folder; the folders among it are added to `left`.
    async fn copy_folder(&self, place: &Place, (from, to): Pair, left: &mut VecDeque<Pair>) -> Result<()> {
        let account = place.account();
        let mut after = String::new();
        loop {
            let stamp = Stamp::of(&self.store);
            let start = std::mem::take(&mut after);
            let asked = place.clone();
            let page = move |tx: &mut Tx<'_>, draft: &mut Draft| {
                let top = asked.changes(tx)?;
                if !tree::is_below(tx, &top, from)? {
                    // Moved out of what is shared meanwhile: what comes to lie there is none of the caller's.
                    return Ok((None, Vec::new()));
                }
                let rows = entries::children(tx, account, from, &start, PAGE)?;
                let (mut pairs, mut more) = (Vec::new(), 0_u64);
                for row in &rows {
                    let (pair, bytes) = copy_row(tx, draft, account, row, to, &row.name, &stamp)?;
                    pairs.extend(pair);
                    more = more.saturating_add(bytes);
                }
                limits::admit(tx, account, more).map_err(|error| asked.told(error))?;
                Ok::<_, Error>((rows.last().map(|row| row.name.clone()), pairs))
            };
            let (last, pairs) = self.store.commit(page).await?;
            left.extend(pairs);
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }
}

/// Copies one row under a new name: for a folder, the pair of it and its empty copy; and the plaintext bytes of a file.
fn copy_row(
    tx: &Tx<'_>,
    draft: &mut Draft,
    account: AccountId,
    row: &EntryRow,
    parent: EntryId,
    name: &str,
    stamp: &Stamp,
) -> Result<(Option<Pair>, u64)> {
    let scope = Scope::Account(account);
    let id = EntryId::random(stamp.store.entropy());
    let version = match row.kind {
        Kind::Folder => None,
        Kind::File => versions::current(tx, account, row.id)?,
    };
    let bytes = version.as_ref().map_or(0, |version| version.size);
    let current = version.as_ref().map(|_| VersionId::random(stamp.store.entropy()));
    if let (Some(version), Some(id_of_copy)) = (version, current) {
        let copy = Version { id: id_of_copy, entry: id, made_us: stamp.wall_us, replaced: None, ..version };
        draft.change(scope, Change::Version(copy));
    }
    let copy = EntryRow { id, parent, name: name.to_owned(), trashed: None, current, ..row.clone() };
    draft.change(scope, Change::Entry(copy));
    Ok(((row.kind == Kind::Folder).then_some((row.id, id)), bytes))
}
