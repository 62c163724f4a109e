//! Deletion: to the trash, or for good.
//!
//! A folder takes what is in it. To the trash that is one row; for good, the folder first leaves everybody's sight in
//! one commit and is then taken apart from below in pages. If that breaks off, what is left lies in the trash and goes
//! with it. Bytes go last, long after, by the store's own rules.

use catalogue::{Tx, entries, versions};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind},
    id::{AccountId, EntryId, VersionId},
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    files::Matches,
    paths::Path,
    places::Place,
    tree::{self, Stamp},
};

/// Rows ended in one commit: a journal record of moderate size.
const PAGE: usize = 512;

/// How something is deleted.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// For good, past the trash.
    pub permanent: bool,
    /// The path was written as a folder's: a file there is not meant.
    pub folder: bool,
    /// Delete only one of these versions.
    pub if_match: Option<Matches>,
}

impl Service {
    /// Deletes a file, or a folder with what is in it.
    ///
    /// # Errors
    /// Missing if nothing is there, Conflict if the condition does not hold; Refused for good in another's tree.
    pub async fn delete(&self, place: impl Into<Place>, path: Path, deletion: Deletion) -> Result<()> {
        let place = place.into();
        let account = place.account();
        if deletion.permanent && !place.is_own() {
            return Err(Error::OwnersAlone);
        }
        let stamp = Stamp::of(&self.store);
        let permanent = deletion.permanent;
        let id = self
            .store
            .commit(move |tx, draft| {
                let row = tree::at(tx, &place.changes(tx)?, &path)?.row()?;
                if deletion.folder && row.kind == Kind::File {
                    return Err(Error::NotAFolder { path: path.to_string() });
                }
                if deletion.if_match.as_ref().is_some_and(|wanted| !wanted.holds(row.current)) {
                    return Err(Error::Precondition { path: path.to_string() });
                }
                draft.audit(place.actor(), if deletion.permanent { "erase" } else { "trash" }, row.id.to_string());
                let id = row.id;
                draft
                    .change(Scope::Account(account), Change::Entry(EntryRow { trashed: Some(stamp.trashed()), ..row }));
                Ok::<_, Error>(id)
            })
            .await?;
        if permanent { self.erase(account, id).await } else { Ok(()) }
    }

    /// Takes apart what lies in the trash under this id, page by page.
    pub(crate) async fn erase(&self, account: AccountId, id: EntryId) -> Result<()> {
        loop {
            let page = move |tx: &mut Tx<'_>, draft: &mut Draft| {
                // Brought back, or erased by another: nothing to do any more.
                match entries::get(tx, account, id)?.filter(|row| row.trashed.is_some()) {
                    Some(row) => Page { tx, draft, account, left: PAGE }.end(&row),
                    None => Ok(true),
                }
            };
            if self.store.commit(page).await? {
                return Ok(());
            }
        }
    }
}

/// One commit's share of an erasure.
struct Page<'a, 'c> {
    tx: &'a Tx<'c>,
    draft: &'a mut Draft,
    account: AccountId,
    /// Rows that may still be ended.
    left: usize,
}

impl Page<'_, '_> {
    /// Ends an entry and what is in it, from below; whether all of it fitted. No deeper than trees are
    /// ([`crate::paths::DEPTH_MAX`], kept by every move).
    fn end(&mut self, row: &EntryRow) -> Result<bool> {
        let whole = match row.kind {
            Kind::Folder => self.end_children(row.id)?,
            // What lies below a file are small pictures of it.
            Kind::File => self.end_children(row.id)? && self.end_versions(row.id)?,
        };
        if !whole || self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        self.draft.change(Scope::Account(self.account), Change::EntryGone(row.id));
        Ok(true)
    }

    fn end_children(&mut self, folder: EntryId) -> Result<bool> {
        let mut after = String::new();
        loop {
            let page = entries::children(self.tx, self.account, folder, &after, PAGE)?;
            let Some(last) = page.last() else { return Ok(true) };
            after.clone_from(&last.name);
            for row in &page {
                if !self.end(row)? {
                    return Ok(false);
                }
            }
        }
    }

    fn end_versions(&mut self, file: EntryId) -> Result<bool> {
        let ids = versions::ids_of_entry(self.tx, self.account, file, VersionId::default(), self.left + 1)?;
        let fitting = ids.len().min(self.left);
        for id in &ids[..fitting] {
            self.draft.change(Scope::Account(self.account), Change::VersionGone(*id));
        }
        self.left -= fitting;
        Ok(fitting == ids.len())
    }
}
