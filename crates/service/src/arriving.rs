//! Uploads of unknown length that arrive at the same time: what their account has left is left to all of them together.
//!
//! The catalogue knows what is safe of an upload, which is less than what has come. So that not each of many takes all that
//! was left when it began, they take from one count, here. It is made anew from the catalogue whenever one more begins, and
//! it is gone with the last of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use model::id::{AccountId, UploadId};

/// What accounts may still receive by such uploads, while any of theirs runs.
#[derive(Clone, Default)]
pub(crate) struct Arriving(Arc<Mutex<Accounts>>);

#[derive(Default)]
struct Accounts {
    of: HashMap<AccountId, Shared>,
    /// Names whoever takes.
    next: u64,
}

/// What those of one account share.
#[derive(Default)]
struct Shared {
    /// Plaintext bytes that may come; `None`: as many as there are.
    left: Option<u64>,
    /// Plaintext bytes that have come in all.
    came: u64,
    /// By who takes: which upload, and up to where it has come.
    standing: BTreeMap<u64, (UploadId, u64)>,
}

/// How far the uploads of an account have come, and how much that was in all.
pub(crate) struct Stand {
    /// By upload: the offset that was reached, safe or not.
    pub reached: BTreeMap<UploadId, u64>,
    came: u64,
}

/// One request that brings bytes; it ends when this is dropped.
pub(crate) struct Taker {
    arriving: Arriving,
    account: AccountId,
    number: u64,
}

impl Arriving {
    fn locked(&self) -> MutexGuard<'_, Accounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more upload goes on at `offset`. It may take nothing before [`Taker::may_take`] was said.
    pub fn begin(&self, account: AccountId, upload: UploadId, offset: u64) -> Taker {
        let mut accounts = self.locked();
        accounts.next += 1;
        let number = accounts.next;
        let shared = accounts.of.entry(account).or_insert_with(|| Shared { left: Some(0), ..Shared::default() });
        shared.standing.insert(number, (upload, offset));
        Taker { arriving: self.clone(), account, number }
    }
}

impl Taker {
    /// Where all of the account stand now; to be told to [`Taker::may_take`] with what was found after it.
    pub fn stand(&self) -> Stand {
        let accounts = self.arriving.locked();
        let mut stand = Stand { reached: BTreeMap::new(), came: 0 };
        if let Some(shared) = accounts.of.get(&self.account) {
            stand.came = shared.came;
            for (upload, offset) in shared.standing.values() {
                let reached = stand.reached.entry(*upload).or_default();
                *reached = (*offset).max(*reached);
            }
        }
        stand
    }

    /// So much was left to all of them when they stood so.
    pub fn may_take(&self, left: Option<u64>, stand: &Stand) {
        if let Some(shared) = self.arriving.locked().of.get_mut(&self.account) {
            let since = shared.came.saturating_sub(stand.came);
            shared.left = left.map(|left| left.saturating_sub(since));
        }
    }

    /// Takes so many bytes, if that many are left.
    pub fn take(&self, bytes: u64) -> bool {
        let mut accounts = self.arriving.locked();
        let Some(shared) = accounts.of.get_mut(&self.account) else { return false };
        let left = match shared.left.map(|left| left.checked_sub(bytes)) {
            Some(None) => return false,
            Some(left) => left,
            None => None,
        };
        shared.left = left;
        shared.came = shared.came.saturating_add(bytes);
        if let Some((_, offset)) = shared.standing.get_mut(&self.number) {
            *offset = offset.saturating_add(bytes);
        }
        true
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        let mut accounts = self.arriving.locked();
        if let Some(shared) = accounts.of.get_mut(&self.account) {
            shared.standing.remove(&self.number);
            if shared.standing.is_empty() {
                accounts.of.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::id::{AccountId, UploadId};

    use super::Arriving;

    #[test]
    fn what_is_left_is_left_to_all_of_them_together() {
        let (account, other) = (AccountId([1; 16]), AccountId([2; 16]));
        let (one, two) = (UploadId([1; 16]), UploadId([2; 16]));
        let arriving = Arriving::default();
        let first = arriving.begin(account, one, 10);
        assert!(!first.take(1), "nothing before it was said how much");
        first.may_take(Some(100), &first.stand());
        assert!(first.take(60));
        let second = arriving.begin(account, two, 0);
        let stand = second.stand();
        assert_eq!((stand.reached[&one], stand.reached[&two]), (70, 0));
        // While the catalogue was asked, ten more came of the first one.
        assert!(first.take(10));
        second.may_take(Some(40), &stand);
        assert!(second.take(25) && !first.take(6) && first.take(5) && !second.take(1));
        let elsewhere = arriving.begin(other, one, 0);
        elsewhere.may_take(None, &elsewhere.stand());
        assert!(elsewhere.take(u64::MAX) && elsewhere.take(u64::MAX));
        drop((first, second, elsewhere));
        assert!(arriving.locked().of.is_empty());
    }
}
