//! What leaves by itself: trash and replaced versions whose time is over.
//!
//! Time is service time, on which all destruction runs: a jump of the wall clock empties nobody's trash. While the clocks
//! disagree service time stands still, and so does this.

use catalogue::{accounts, entries, versions};
use model::{Change, Scope, units::ServiceTime};

use crate::{Error, Result, Service};

/// Rows in one commit.
const PAGE: usize = 500;

impl Service {
    /// Erases what has been in the trash, or replaced by a newer version, for as long as the settings say; how many
    /// entries and versions went.
    ///
    /// # Errors
    /// The store's own trouble; what went before it is gone.
    pub async fn expire(&self) -> Result<usize> {
        let until = self.store.service_time().0.saturating_sub(self.store.settings().trash_s);
        // Trouble with one account that leaves empties nobody's trash later.
        let parted = self.part_with_accounts().await;
        self.keep_guests().await?;
        self.keep_opened().await?;
        self.forget_done().await?;
        let put_away = self.put_away().await? + self.expire_quick().await?;
        if until == 0 {
            return parted.map(|parted| parted + put_away);
        }
        let until = ServiceTime(until);
        let mut gone = 0;
        for account in self.store.read(|tx| accounts::all(tx)).await? {
            let id = account.id;
            loop {
                let page = self.store.read(move |tx| entries::trashed_until(tx, id, until, None, PAGE)).await?;
                if page.is_empty() {
                    break;
                }
                for row in page {
                    self.erase(id, row.id).await?;
                    gone += 1;
                }
            }
            loop {
                let page = self.store.read(move |tx| versions::replaced_until(tx, id, until, None, PAGE)).await?;
                if page.is_empty() {
                    break;
                }
                gone += page.len();
                self.store
                    .commit(move |_, draft| {
                        for version in &page {
                            draft.change(Scope::Account(id), Change::VersionGone(version.id));
                        }
                        Ok::<_, Error>(())
                    })
                    .await?;
            }
        }
        Ok(gone + put_away + parted?)
    }
}
