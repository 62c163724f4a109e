//! Versions that another one replaced: kept as long as the trash, read, and brought back.

use catalogue::{Tx, versions};
use model::{
    Change, Scope,
    entry::{EntryRow, Version},
    id::{AccountId, VersionId},
};

use super::{File, file};
use crate::{
    Service,
    error::{Error, Result},
    paths::Path,
    places::{Place, Top},
    tree::{self, Stamp},
};

impl Service {
    /// All versions of the file at `path`, newest first, and which of them readers get.
    ///
    /// # Errors
    /// Missing if nothing is there, Conflict if a folder is.
    pub async fn versions(&self, place: impl Into<Place>, path: Path) -> Result<(Option<VersionId>, Vec<Version>)> {
        let place = place.into();
        self.look(move |tx| {
            let top = place.sees(tx)?;
            let entry = entry(tx, &top, &path)?;
            Ok((entry.current, versions::of_entry(tx, top.account, entry.id)?))
        })
        .await
    }

    /// The file at `path` as one of its versions has it.
    ///
    /// # Errors
    /// Missing if there is no such file, or no such version of it.
    pub async fn find_version(&self, place: impl Into<Place>, path: Path, id: VersionId) -> Result<File> {
        let place = place.into();
        self.look(move |tx| {
            let top = place.sees(tx)?;
            let entry = entry(tx, &top, &path)?;
            let version = own(tx, top.account, &entry, id)?;
            Ok(File { entry, version })
        })
        .await
    }

    /// Makes an older version the one that readers get; the one before is kept like any that was replaced.
    ///
    /// # Errors
    /// Missing if there is no such file, or no such version of it.
    pub async fn revert(&self, place: impl Into<Place>, path: Path, id: VersionId) -> Result<()> {
        let place = place.into();
        let stamp = Stamp::of(&self.store);
        self.store
            .commit(move |tx, draft| {
                let top = place.changes(tx)?;
                let account = top.account;
                let entry = entry(tx, &top, &path)?;
                let wanted = own(tx, account, &entry, id)?;
                if entry.current == Some(id) {
                    return Ok(());
                }
                let scope = Scope::Account(account);
                if let Some(current) = versions::current(tx, account, entry.id)? {
                    draft.change(scope, Change::Version(Version { replaced: Some(stamp.at), ..current }));
                }
                let modified_us = wanted.modified_us;
                draft.audit(place.actor(), "revert", id.to_string());
                draft.change(scope, Change::Version(Version { replaced: None, ..wanted }));
                draft.change(scope, Change::Entry(EntryRow { current: Some(id), modified_us, ..entry }));
                Ok(())
            })
            .await
    }
}

pub(super) fn entry(tx: &Tx<'_>, top: &Top, path: &Path) -> Result<EntryRow> {
    match tree::at(tx, top, path)?.seen() {
        Some(row) => file(row, path),
        None => Err(Error::IsAFolder { path: path.to_string() }),
    }
}

/// A version, if it is one of this file.
fn own(tx: &Tx<'_>, account: AccountId, entry: &EntryRow, id: VersionId) -> Result<Version> {
    let found = versions::get(tx, account, id)?.filter(|version| version.entry == entry.id);
    found.ok_or(Error::NoVersion)
}
