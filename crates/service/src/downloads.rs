//! Downloads by links, counted by the bytes that went out.
//!
//! A download of a file is one when as many bytes of it went out as it has, in however many pieces and to however many
//! guests: nobody can tell guests apart who do not want to be. A link that is good for so many downloads promises no more
//! than that: what is on its way counts as if it arrived, until it ends. Whoever comes when all that is left is promised waits
//! a moment, as a player does that jumps, and is asked to come again. So of one file of a link for `n` downloads less than `n + 1`
//! go out.
//!
//! What is no whole download yet is kept in a local table for these links, in memory for others, where it is a figure only.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use catalogue::{Tx, shares, taken};
use model::{
    Change, Scope,
    id::{AccountId, EntryId, ShareId},
};
use tokio::sync::Mutex;

use crate::{
    Service,
    error::{Error, Result},
    shares::{Link, live},
};

/// Files whose begun downloads are remembered for links without a limit; beyond it all are forgotten.
const PARTLY_MAX: usize = 10_000;
/// How often, and how many times, somebody is asked for who comes when all is promised.
const WAIT_US: u64 = 100_000;
const WAITS: usize = 50;

/// What guests take now.
#[derive(Clone, Default)]
pub(crate) struct Downloads {
    /// What is on its way by links with a limit. Held over a look, so that nothing is promised twice.
    promised: Arc<Mutex<HashMap<(ShareId, EntryId), Promised>>>,
    /// Bytes by links without a limit that are no whole download yet.
    partly: Arc<std::sync::Mutex<HashMap<(ShareId, EntryId), u64>>>,
    /// Openings of links that are not written down yet.
    opened: Arc<std::sync::Mutex<HashMap<(AccountId, ShareId), u64>>>,
}

#[derive(Clone, Copy)]
struct Promised {
    /// Bytes of the whole.
    size: u64,
    /// Bytes that are on their way.
    bytes: u64,
    /// In so many answers.
    answers: u64,
    /// Bytes that went out and could not be written down: the firms took nothing just then.
    owed: u64,
}

/// Leave to send bytes through a link; ended by [`Service::end_download`], however little went out.
#[derive(Debug)]
pub struct Download {
    link: Link,
    file: EntryId,
    size: u64,
    bytes: u64,
    limited: bool,
}

impl Promised {
    /// What is owed is on its way again.
    fn pay(&mut self) -> u64 {
        let owed = std::mem::take(&mut self.owed);
        self.bytes = self.bytes.saturating_add(owed);
        owed
    }
}

impl Download {
    /// The link that it goes through.
    pub fn link(&self) -> &Link {
        &self.link
    }
}

/// How many downloads are done once what was taken and what is promised has all arrived. What was taken is less than one: the
/// file may have been larger then.
fn downloads(taken: u64, promised: u64, size: u64) -> u64 {
    rest(taken, size).saturating_add(promised) / size.max(1)
}

/// What was taken, as a part of one download of a file of this size.
fn rest(taken: u64, size: u64) -> u64 {
    taken.min(size.saturating_sub(1))
}

/// An empty file is taken by one byte, so that each time is one.
fn weight(bytes: u64, size: u64) -> u64 {
    if size == 0 { 1 } else { bytes }
}

impl Service {
    /// Promises a guest `bytes` of a `file` of `size`.
    ///
    /// # Errors
    /// [`Error::LinkEnded`]; [`Error::LinkTaken`] while others take what is left.
    pub async fn begin_download(&self, link: Link, file: EntryId, size: u64, bytes: u64) -> Result<Download> {
        let limited = link.row.downloads_max.is_some();
        if limited {
            self.promise(&link, file, size, weight(bytes, size)).await?;
        }
        Ok(Download { link, file, size, bytes: weight(bytes, size), limited })
    }

    async fn promise(&self, link: &Link, file: EntryId, size: u64, bytes: u64) -> Result<()> {
        for wait in 0..WAITS {
            if wait > 0 {
                self.store.sleep(WAIT_US).await;
            }
            let mut promised = self.downloads.promised.lock().await;
            let all = promised.iter().filter(|((share, _), _)| *share == link.row.id);
            let all: Vec<(EntryId, Promised)> = all.map(|((_, entry), one)| (*entry, *one)).collect();
            let (code, share, now_us) = (link.row.code, link.row.id, self.store.now().wall_us);
            let ahead = move |tx: &Tx<'_>| {
                let row = live(tx, &code, now_us)?.row;
                let mut ahead = row.downloads;
                for (entry, one) in all {
                    let promised = one.bytes.saturating_add(one.owed);
                    ahead = ahead.saturating_add(downloads(taken::of(tx, share, entry)?, promised, one.size));
                }
                Ok(row.downloads_max.is_none_or(|max| ahead < max))
            };
            if self.look(ahead).await? {
                let one = promised.entry((share, file)).or_insert(Promised { size, bytes: 0, answers: 0, owed: 0 });
                (one.size, one.answers) = (size, one.answers + 1);
                one.bytes = one.bytes.saturating_add(bytes);
                return Ok(());
            }
        }
        Err(Error::LinkTaken)
    }

    /// Counts what went out of what was promised.
    ///
    /// # Errors
    /// As the store says.
    pub async fn end_download(&self, download: Download, sent: u64) -> Result<()> {
        let traffic = self.count_guest(&download.link, sent).await;
        let Download { link, file, size, bytes, limited } = download;
        let sent = if size == 0 { bytes } else { sent };
        if !limited {
            let done = self.downloads.add(link.row.id, file, sent, size);
            return if done > 0 { self.count(&link, file, sent, size, Some(done)).await } else { traffic };
        }
        let key = (link.row.id, file);
        let owed = self.downloads.promised.lock().await.get_mut(&key).map_or(0, Promised::pay);
        let sent = sent.saturating_add(owed);
        // Until the promise is taken away below, what is written down counts twice: others wait, and get no more than there is.
        let counted = if sent > 0 { self.count(&link, file, sent, size, None).await } else { Ok(()) };
        let mut promised = self.downloads.promised.lock().await;
        if let Some(one) = promised.get_mut(&key) {
            one.answers -= 1;
            one.bytes = one.bytes.saturating_sub(bytes).saturating_sub(owed);
            if counted.is_err() {
                one.owed = one.owed.saturating_add(sent);
            }
            if one.answers == 0 && one.owed == 0 {
                promised.remove(&key);
            }
        }
        counted.and(traffic)
    }

    /// Writes down what went out: `done` downloads, or as many as are whole with what was taken before.
    async fn count(&self, link: &Link, file: EntryId, sent: u64, size: u64, done: Option<u64>) -> Result<()> {
        let (account, share) = (link.account(), link.row.id);
        self.store
            .commit(move |tx, draft| {
                let Some(mut row) = shares::get(tx, account, share)?.filter(|row| row.ended_us.is_none()) else {
                    return Ok(());
                };
                let had = taken::of(tx, share, file)?;
                let whole = done.unwrap_or_else(|| downloads(had, sent, size));
                row.downloads = row.downloads.saturating_add(whole);
                if row.downloads_max.is_some_and(|max| row.downloads >= max) {
                    taken::forget(tx, share)?;
                } else if done.is_none() {
                    let all = rest(had, size).saturating_add(sent);
                    taken::set(tx, account, share, file, all - whole.saturating_mul(size.max(1)))?;
                }
                if whole > 0 {
                    draft.change(Scope::Account(account), Change::Share(row));
                }
                Ok::<(), Error>(())
            })
            .await
    }

    /// Notes that somebody opened a link. It is written down in each round of upkeep.
    pub fn link_opened(&self, link: &Link) {
        let mut opened = self.downloads.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() < PARTLY_MAX {
            *opened.entry((link.account(), link.row.id)).or_default() += 1;
        }
    }

    /// Openings of a link that are not written down yet.
    pub(crate) fn opened_since(&self, account: AccountId, share: ShareId) -> u64 {
        let opened = self.downloads.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.get(&(account, share)).copied().unwrap_or(0)
    }

    /// Writes down who opened what since the last time, and forgets what was taken by links that are over.
    pub(crate) async fn keep_opened(&self) -> Result<()> {
        let now_us = self.store.now().wall_us;
        if self.store.read(move |tx| taken::is_any_over(tx, now_us)).await? {
            self.store.commit(move |tx, _| Ok::<_, Error>(taken::forget_over(tx, now_us)?)).await?;
        }
        let due = std::mem::take(&mut *self.downloads.opened.lock().unwrap_or_else(PoisonError::into_inner));
        if due.is_empty() {
            return Ok(());
        }
        let write = move |tx: &mut Tx<'_>, _: &mut store::Draft| {
            due.into_iter().try_for_each(|((account, share), times)| {
                // Whose account went meanwhile leaves nothing behind.
                match shares::get(tx, account, share)? {
                    Some(_) => Ok::<(), Error>(taken::add_opened(tx, account, share, times)?),
                    None => Ok(()),
                }
            })
        };
        self.store.commit(write).await
    }
}

impl Downloads {
    /// Adds to what was taken by a link without a limit: how many downloads that makes.
    fn add(&self, share: ShareId, file: EntryId, sent: u64, size: u64) -> u64 {
        let mut partly = self.partly.lock().unwrap_or_else(PoisonError::into_inner);
        if partly.len() >= PARTLY_MAX {
            partly.clear();
        }
        let had = partly.entry((share, file)).or_default();
        let done = downloads(*had, sent, size);
        *had = rest(*had, size).saturating_add(sent) - done.saturating_mul(size.max(1));
        if *had == 0 {
            partly.remove(&(share, file));
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use model::id::{EntryId, ShareId};

    use super::{Downloads, downloads, weight};

    #[test]
    fn what_is_promised_counts_as_if_it_arrived() {
        assert_eq!(downloads(0, 100, 100), 1);
        assert_eq!(downloads(60, 39, 100), 0, "the rest of a broken download may be fetched, and begun anew");
        assert_eq!(downloads(60, 100, 100), 1);
        assert_eq!(downloads(0, weight(0, 0), 0), 1, "an empty file has been taken when it was sent");
        assert_eq!(downloads(u64::MAX, u64::MAX, 1), u64::MAX);
        assert_eq!(downloads(60_000_000, 1_000, 1_000), 1, "it was larger when that was taken");
    }

    #[test]
    fn pieces_make_a_download() {
        let (all, share, file) = (Downloads::default(), ShareId([1; 16]), EntryId([2; 16]));
        assert_eq!((all.add(share, file, 60, 100), all.add(share, file, 60, 100)), (0, 1));
        assert_eq!((all.add(share, file, 79, 100), all.add(share, file, 1, 100)), (0, 1));
        assert!(all.partly.lock().is_ok_and(|partly| partly.is_empty()), "what is whole is not remembered");
    }
}
