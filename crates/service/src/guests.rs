//! What guests take through an account's links: how much in a day, and how fast.
//!
//! A day is one of UTC. Bytes are counted when an answer has ended, whole or not, as downloads are; what has begun when the
//! limit is reached is finished. The counts are kept here and, now and then, in a local table: a rebuild begins the day anew.
//!
//! The speed is one for all guests of an account together: each piece of a body gets its moment, behind those that were
//! promised before it. Nothing is held but that piece, and a guest who leaves gives nothing back that others wait for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use catalogue::day_traffic;
use model::{id::AccountId, world::BoxFuture};

use crate::{
    Service,
    error::{Error, Result},
    limits,
    shares::Link,
};

const DAY_US: i64 = 86_400_000_000;
/// A count is written down when it has grown by so much, and in each round of upkeep.
const KEPT_EVERY_BYTES: u64 = 64 << 20;
/// Owners whose next moments are remembered; those whose moment has come are forgotten first.
const PACED_MAX: usize = 1_000;

/// What accounts' links brought today.
#[derive(Clone, Default)]
pub(crate) struct Guests(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    day: i64,
    /// By account: bytes so far, and how many of them are written down.
    bytes: HashMap<AccountId, (u64, u64)>,
    /// By account: when its next piece may go, on the monotonic clock.
    next_us: HashMap<AccountId, u64>,
}

impl Counts {
    /// The counts of a day; those of another are over.
    fn of(&mut self, day: i64) -> &mut HashMap<AccountId, (u64, u64)> {
        if self.day != day {
            self.day = day;
            self.bytes.clear();
        }
        &mut self.bytes
    }

    /// How long a piece waits that is to go at `rate` bytes a second with all others of the account.
    fn wait_us(&mut self, account: AccountId, rate: u64, bytes: usize, now_us: u64) -> u64 {
        if self.next_us.len() >= PACED_MAX {
            self.next_us.retain(|_, next| *next > now_us);
        }
        let next = self.next_us.entry(account).or_insert(now_us);
        let at = (*next).max(now_us);
        *next = at.saturating_add((bytes as u64).saturating_mul(1_000_000) / rate.max(1));
        at - now_us
    }

    /// Gives back the moments of a piece that nobody took.
    fn give_back(&mut self, account: AccountId, rate: u64, bytes: usize) {
        if let Some(next) = self.next_us.get_mut(&account) {
            *next = next.saturating_sub((bytes as u64).saturating_mul(1_000_000) / rate.max(1));
        }
    }
}

impl Guests {
    fn locked(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Lets a guest of a link begin to take bytes: the link, with how fast that goes.
    ///
    /// # Errors
    /// [`Error::LinkTraffic`] if the owner's links have brought today what they may.
    pub async fn admit_guest(&self, link: Link) -> Result<Link> {
        let account = link.account();
        let limits = self.look(move |tx| limits::in_force(tx, account)).await?;
        if let Some(limit) = limits.link_bytes_per_day
            && self.link_bytes_today(account).await? >= limit
        {
            let now_us = self.store.now().wall_us;
            let left_us = DAY_US - now_us.rem_euclid(DAY_US);
            return Err(Error::LinkTraffic { wait_s: left_us.unsigned_abs().div_ceil(1_000_000) });
        }
        let mut link = link;
        link.rate = limits.guest_bytes_per_s;
        Ok(link)
    }

    /// How long the next `bytes` of a link's guest wait; `None`: not at all.
    pub fn guest_wait(&self, link: &Link, bytes: usize) -> Option<BoxFuture<'static, ()>> {
        let rate = link.rate?;
        let wait_us = self.guests.locked().wait_us(link.account(), rate, bytes, self.store.now().monotonic_us);
        (wait_us > 0).then(|| self.store.sleep(wait_us))
    }

    /// A guest went away before a piece did: others need not wait for it.
    pub fn guest_left(&self, link: &Link, bytes: usize) {
        if let Some(rate) = link.rate {
            self.guests.locked().give_back(link.account(), rate, bytes);
        }
    }

    /// Counts bytes that guests got through a link.
    ///
    /// # Errors
    /// As the store says.
    pub async fn count_guest(&self, link: &Link, bytes: u64) -> Result<()> {
        self.count_today(link.account(), bytes).await
    }

    /// Adds to what is counted for an account today.
    pub(crate) async fn count_today(&self, account: AccountId, bytes: u64) -> Result<()> {
        self.link_bytes_today(account).await?;
        let day = self.today();
        let grown = {
            let mut counts = self.guests.locked();
            let (all, kept) = counts.of(day).entry(account).or_default();
            *all = all.saturating_add(bytes);
            *all - *kept >= KEPT_EVERY_BYTES
        };
        if grown { self.keep_guests().await } else { Ok(()) }
    }

    /// Counts bytes for an account today, unless that would be more than `most`; whether it was counted.
    pub(crate) async fn take_today(&self, account: AccountId, bytes: u64, most: u64) -> Result<bool> {
        self.link_bytes_today(account).await?;
        let day = self.today();
        let mut counts = self.guests.locked();
        let (all, _) = counts.of(day).entry(account).or_default();
        let more = all.saturating_add(bytes);
        if more <= most {
            *all = more;
        }
        Ok(more <= most)
    }

    /// What was counted for an account today.
    pub(crate) async fn link_bytes_today(&self, account: AccountId) -> Result<u64> {
        let day = self.today();
        if let Some((all, _)) = self.guests.locked().of(day).get(&account) {
            return Ok(*all);
        }
        let kept = self.store.read(move |tx| day_traffic::of(tx, account, day)).await?;
        // Another may have counted meanwhile.
        Ok(self.guests.locked().of(day).entry(account).or_insert((kept, kept)).0)
    }

    /// Writes down what was counted since the last time.
    pub(crate) async fn keep_guests(&self) -> Result<()> {
        let day = self.today();
        let due: Vec<(AccountId, u64)> = {
            let mut counts = self.guests.locked();
            let grown = counts.of(day).iter_mut().filter(|(_, (all, kept))| all != kept);
            grown
                .map(|(account, (all, kept))| {
                    *kept = *all;
                    (*account, *all)
                })
                .collect()
        };
        if due.is_empty() {
            return Ok(());
        }
        self.store
            .commit(move |tx, _| {
                due.iter().try_for_each(|(account, bytes)| Ok(day_traffic::set(tx, *account, day, *bytes)?))
            })
            .await
    }

    fn today(&self) -> i64 {
        self.store.now().wall_us.div_euclid(DAY_US)
    }
}

#[cfg(test)]
mod tests {
    use model::id::AccountId;

    use super::Counts;

    #[test]
    fn all_guests_of_an_account_share_its_speed() {
        let (one, other) = (AccountId([1; 16]), AccountId([2; 16]));
        let mut counts = Counts::default();
        assert_eq!(counts.wait_us(one, 1_000, 500, 0), 0, "the first piece goes at once");
        assert_eq!(counts.wait_us(one, 1_000, 1_000, 0), 500_000);
        assert_eq!(counts.wait_us(one, 1_000, 1, 0), 1_500_000, "behind what was promised to another");
        assert_eq!(counts.wait_us(other, 1_000, 1, 0), 0);
        assert_eq!(counts.wait_us(one, 1_000, 1, 9_000_000), 0, "what nobody took is not saved up");
    }

    #[test]
    fn a_day_begins_at_nothing() {
        let mut counts = Counts::default();
        counts.of(7).insert(AccountId([1; 16]), (5, 0));
        assert_eq!(counts.of(7).len(), 1);
        assert!(counts.of(8).is_empty());
    }
}
