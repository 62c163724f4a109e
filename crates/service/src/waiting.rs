//! What was begun and is to be finished soon: a challenge that a passkey signs, a browser that was sent elsewhere.
//!
//! In memory only, bounded in time and number. Whatever is finished is taken out, so it is finished once; whoever begins
//! thousands pushes their own out first, as far as networks can be told apart.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use model::id::TokenId;

use crate::networks::Network;

/// How many wait at most.
const MOST: usize = 4_096;
/// How many of one network: a school behind one address signs in at eight.
const OF_NETWORK: usize = 512;

/// Things of one kind that wait, each for the same time.
pub(crate) struct Waiting<T> {
    lifetime_us: u64,
    /// Oldest first.
    begun: Arc<Mutex<VecDeque<Begun<T>>>>,
}

struct Begun<T> {
    id: TokenId,
    until_us: u64,
    network: Option<Network>,
    value: T,
}

impl<T> Clone for Waiting<T> {
    fn clone(&self) -> Self {
        Self { lifetime_us: self.lifetime_us, begun: Arc::clone(&self.begun) }
    }
}

impl<T> Waiting<T> {
    /// Nothing yet; each will wait for `lifetime_us` of monotonic time.
    pub fn new(lifetime_us: u64) -> Self {
        Self { lifetime_us, begun: Arc::default() }
    }

    /// Begins something under a name that nobody can guess.
    pub fn put(&self, id: TokenId, network: Option<Network>, now_us: u64, value: T) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        while begun.front().is_some_and(|oldest| oldest.until_us <= now_us) {
            begun.pop_front();
        }
        if network.is_some() && begun.iter().filter(|one| one.network == network).count() >= OF_NETWORK {
            let oldest = begun.iter().position(|one| one.network == network);
            oldest.and_then(|at| begun.remove(at));
        }
        if begun.len() >= MOST {
            begun.pop_front();
        }
        begun.push_back(Begun { id, until_us: now_us.saturating_add(self.lifetime_us), network, value });
    }

    /// Takes something out, if it still waits.
    pub fn take(&self, id: TokenId, now_us: u64) -> Option<T> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let at = begun.iter().position(|one| one.id == id)?;
        begun.remove(at).filter(|one| now_us < one.until_us).map(|one| one.value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use model::id::TokenId;

    use super::{MOST, OF_NETWORK, Waiting};
    use crate::networks::Network;

    fn id(number: usize) -> TokenId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        TokenId(bytes)
    }

    #[test]
    fn what_waits_is_finished_once_and_in_time() {
        let waiting = Waiting::new(10);
        waiting.put(id(1), None, 0, "one");
        waiting.put(id(2), None, 5, "two");
        assert_eq!(waiting.take(id(1), 9), Some("one"));
        assert_eq!(waiting.take(id(1), 9), None);
        assert_eq!(waiting.take(id(2), 15), None);
    }

    #[test]
    fn a_crowd_pushes_itself_out_first_and_memory_is_bounded() {
        let (waiting, crowd) = (Waiting::new(10), Network::of("192.0.2.1".parse().unwrap()));
        waiting.put(id(0), Network::of("192.0.2.2".parse().unwrap()), 0, ());
        (1..=10 * OF_NETWORK).for_each(|number| waiting.put(id(number), crowd, 1, ()));
        assert!(waiting.take(id(0), 1).is_some() && waiting.take(id(1), 1).is_none());
        (0..2 * MOST).for_each(|number| waiting.put(id(number), None, 1, ()));
        assert_eq!(waiting.begun.lock().unwrap().len(), MOST);
    }
}
