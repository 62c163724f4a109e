//! Files whose days are over go to the trash, where a plan says for how long files are kept.
//!
//! Days are those of the wall clock, since a version was stored. Nothing is destroyed by them: from then on the trash keeps
//! the file for its own time, on service time, and while the clocks disagree nothing is put away either. So a clock that
//! jumps ahead fills the trash and loses nobody a file.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use catalogue::{
    accounts, entries,
    plans::{Age, stored_before},
};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind},
    id::{AccountId, VersionId},
};

use crate::{Error, Result, Service, limits, tree::Stamp};

/// Rows looked at in one commit, and commits for one account in a round.
const PAGE: usize = 500;
const PAGES_MAX: usize = 20;
const DAY_US: i64 = 86_400_000_000;

/// Where a round ended that did not get to the end of an account.
pub(crate) type Reached = Arc<Mutex<HashMap<AccountId, Age>>>;

impl Service {
    /// Puts files into the trash whose accounts' plans keep them no longer; how many.
    ///
    /// # Errors
    /// The store's own trouble; what went before it lies in the trash.
    pub(super) async fn put_away(&self) -> Result<usize> {
        if !self.store.clocks_agree() {
            return Ok(0);
        }
        let mut gone = 0;
        let kept = self.look(|tx| {
            let mut kept = Vec::new();
            for row in accounts::all(tx)? {
                if let Some(days) = limits::in_force(tx, row.id)?.keep_days {
                    kept.push((row.id, days));
                }
            }
            Ok(kept)
        });
        for (account, days) in kept.await? {
            let until_us = self.store.now().wall_us.saturating_sub(i64::from(days).saturating_mul(DAY_US));
            gone += self.put_away_of(account, until_us).await?;
        }
        Ok(gone)
    }

    async fn put_away_of(&self, account: AccountId, until_us: i64) -> Result<usize> {
        let start = (i64::MIN, VersionId::default());
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
        let (mut after, mut gone) = (reached.unwrap_or(start), 0);
        for _ in 0..PAGES_MAX {
            let stamp = Stamp::of(&self.store);
            let page = self.store.commit(move |tx, draft| {
                let rows = stored_before(tx, account, until_us, after, PAGE)?;
                let last = rows.last().map(|(age, _)| *age);
                let mut put = 0;
                for (_, row) in rows {
                    // What lies in a folder that is in the trash goes with it, and a small picture with its file.
                    let above = entries::ancestors(tx, account, row.id)?;
                    let is_picture = above.get(1).is_some_and(|parent| parent.kind == Kind::File);
                    if is_picture || above.iter().any(|row| row.trashed.is_some()) {
                        continue;
                    }
                    put += 1;
                    let row = EntryRow { trashed: Some(stamp.trashed()), ..row };
                    draft.change(Scope::Account(account), Change::Entry(row));
                }
                if put > 0 {
                    draft.audit(None, "kept long enough", format!("{account}: {put}"));
                }
                Ok::<_, Error>((last, put))
            });
            let (last, put) = page.await?;
            gone += put;
            match last {
                Some(last) => after = last,
                None => return Ok(gone),
            }
        }
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(account, after);
        Ok(gone)
    }
}
