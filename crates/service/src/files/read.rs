//! Bytes out and listings.

use std::ops::Range;

use catalogue::{
    entries::{self, Cursor, Sorting},
    versions,
};
use model::{
    entry::{EntryRow, Kind, Version},
    id::AccountId,
};
use store::{Reading, Standing};

use crate::{
    Service,
    error::{Error, Result},
    files::history::entry,
    paths::Path,
    places::Place,
    tree,
};

/// The most entries in one page of a listing.
pub const PAGE_MAX: usize = 1_000;

/// A file as it is now.
#[derive(Clone, Debug)]
pub struct File {
    /// Its row.
    pub entry: EntryRow,
    /// The version that readers get.
    pub version: Version,
}

/// One line of a listing.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its row, and for a file what a listing shows of its current version.
    pub row: entries::Listed,
    /// For a file: how firmly it is kept.
    pub standing: Option<Standing>,
}

/// One page of a folder.
#[derive(Clone, Debug)]
pub struct Listing {
    /// In the order that was asked for.
    pub entries: Vec<Listed>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl Service {
    /// The file at `path`.
    ///
    /// # Errors
    /// Missing if nothing is there, Conflict if a folder is.
    pub async fn find(&self, place: impl Into<Place>, path: Path) -> Result<File> {
        let place = place.into();
        self.look(move |tx| {
            let top = place.sees(tx)?;
            let entry = entry(tx, &top, &path)?;
            let version = versions::current(tx, top.account, entry.id)?;
            let version = version.ok_or_else(|| Error::Missing { path: path.to_string() })?;
            Ok(File { entry, version })
        })
        .await
    }

    /// Whether a path means a place that is one shared file, not a folder.
    ///
    /// # Errors
    /// Whatever ended the place.
    pub async fn is_one_file(&self, place: &Place, path: &Path) -> Result<bool> {
        if place.is_own() || !path.names().is_empty() {
            return Ok(false);
        }
        let place = place.clone();
        self.look(move |tx| Ok(place.sees(tx)?.row.is_some_and(|row| row.kind == Kind::File))).await
    }

    /// The plaintext of `range` of a file: bytes that were authenticated, or an error, never other bytes.
    ///
    /// # Errors
    /// Damaged or Retry if too little of it can be read now. The stream fails likewise, after bytes were given.
    pub async fn read(&self, place: impl Into<Place>, version: Version, range: Range<u64>) -> Result<Reading> {
        Ok(self.store.open_version(place.into().account(), version, range).await?)
    }

    /// How firmly one version is kept, and when that was last proven.
    ///
    /// # Errors
    /// As the store says.
    pub async fn standing(&self, place: impl Into<Place>, version: &Version) -> Result<Option<Standing>> {
        Ok(self.store.standing(place.into().account(), &[version.id]).await?.into_iter().next())
    }

    /// Up to `limit` entries of a folder that come after `after` in an order.
    ///
    /// # Errors
    /// Missing if nothing is there, Conflict if a file is.
    pub async fn list(
        &self,
        place: impl Into<Place>,
        path: Path,
        sorting: Sorting,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Listing> {
        let place = place.into();
        let account = place.account();
        let limit = limit.clamp(1, PAGE_MAX);
        let mut rows = self
            .look(move |tx| {
                let folder = tree::folder(tx, &place.sees(tx)?, path.names())?;
                Ok(entries::sorted(tx, account, folder, sorting, after.as_ref(), limit + 1)?)
            })
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| Cursor::of(row, sorting.by));
        Ok(Listing { entries: self.stand(account, rows).await?, next })
    }

    /// Rows with how firmly each file is kept.
    pub(crate) async fn stand(&self, account: AccountId, rows: Vec<entries::Listed>) -> Result<Vec<Listed>> {
        let versions: Vec<_> = rows.iter().filter_map(|row| Some(row.version.as_ref()?.id)).collect();
        let mut standings = self.store.standing(account, &versions).await?.into_iter();
        let listed = |row: entries::Listed| {
            let is_file = row.entry.kind == Kind::File && row.version.is_some();
            Listed { standing: if is_file { standings.next() } else { None }, row }
        };
        Ok(rows.into_iter().map(listed).collect())
    }
}
