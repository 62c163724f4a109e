//! What lies in the trash, and how long it still does.

use catalogue::{Tx, entries, versions};
use model::{
    entry::EntryRow,
    id::{AccountId, EntryId},
    units::ServiceTime,
};
use store::Draft;

use crate::{Caller, Result, Service, files::last_trashed, paths::Path, places::Place, tree};

/// Entries that are read at a time when all of them go.
const PAGE: usize = 500;

/// Where a page of the trash ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrashCursor {
    at: ServiceTime,
    id: EntryId,
}

impl TrashCursor {
    /// Reads what [`std::fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('-')?;
        Some(Self { at: ServiceTime(at.parse().ok()?), id: EntryId::parse(id).ok()? })
    }
}

impl std::fmt::Display for TrashCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.at.0, self.id)
    }
}

/// Something in the trash.
#[derive(Clone, Debug)]
pub struct Trashed {
    /// Its row.
    pub row: EntryRow,
    /// Where it was.
    pub path: String,
    /// Bytes of a file's current version.
    pub bytes: u64,
    /// When it went there, as people read it.
    pub trashed_us: i64,
    /// When it will be erased, as people read it, if the service runs until then: time while it is stopped does not count.
    pub goes_us: i64,
}

impl Service {
    /// Erases for good what is in the caller's trash now, or of it only what was deleted last of all that lay at `only`; how
    /// many things that were. What goes there meanwhile stays.
    ///
    /// # Errors
    /// Missing if nothing in the trash comes from `only`.
    pub async fn empty_trash(&self, caller: &Caller, only: Option<Path>) -> Result<usize> {
        let (account, until) = (caller.account, self.store.service_time());
        if let Some(path) = only {
            let place = Place::from(caller);
            let row = self.look(move |tx| last_trashed(tx, &place.changes(tx)?, &path)).await?;
            self.note_emptied(account, row.id.to_string()).await?;
            self.erase(account, row.id).await?;
            return Ok(1);
        }
        self.note_emptied(account, "all".to_owned()).await?;
        let (mut gone, mut after) = (0, None);
        loop {
            let page = self.store.read(move |tx| entries::trashed_until(tx, account, until, after, PAGE)).await?;
            let Some(last) = page.last().and_then(|row| Some((row.trashed?.at, row.id))) else { return Ok(gone) };
            after = Some(last);
            for row in &page {
                self.erase(account, row.id).await?;
            }
            gone += page.len();
        }
    }

    async fn note_emptied(&self, account: AccountId, what: String) -> Result<()> {
        let note = move |_: &mut Tx<'_>, draft: &mut Draft| {
            draft.audit(Some(account), "trash emptied", what);
            Ok(())
        };
        self.store.commit(note).await
    }

    /// Up to `limit` entries of the caller's trash, the longest there first, after `after`; and where the next page begins.
    ///
    /// # Errors
    /// As the store says.
    pub async fn trash(
        &self,
        caller: &Caller,
        after: Option<TrashCursor>,
        limit: usize,
    ) -> Result<(Vec<Trashed>, Option<TrashCursor>)> {
        let account = caller.account;
        let (now, kept_s) = (self.store.service_time(), self.store.settings().trash_s);
        let wall_us = self.store.now().wall_us;
        let goes_us = move |at: ServiceTime| {
            let left_s = at.0.saturating_add(kept_s).saturating_sub(now.0);
            wall_us.saturating_add(i64::try_from(left_s).unwrap_or(i64::MAX).saturating_mul(1_000_000))
        };
        self.look(move |tx| {
            let after = after.map(|cursor| (cursor.at, cursor.id));
            let mut rows = entries::trash(tx, account, after, limit.saturating_add(1))?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let cursor = |row: &EntryRow| row.trashed.map(|trashed| TrashCursor { at: trashed.at, id: row.id });
            let next = rows.last().filter(|_| more).and_then(cursor);
            let mut found = Vec::with_capacity(rows.len());
            for row in rows {
                let Some(trashed) = row.trashed else { continue };
                let mut names: Vec<_> =
                    entries::ancestors(tx, account, row.id)?.into_iter().map(|row| row.name).collect();
                names.reverse();
                let bytes = versions::current(tx, account, row.id)?.map_or(0, |version| version.size);
                let (path, goes_us) = (tree::shown(&names), goes_us(trashed.at));
                found.push(Trashed { row, path, bytes, trashed_us: trashed.wall_us, goes_us });
            }
            Ok((found, next))
        })
        .await
    }
}
