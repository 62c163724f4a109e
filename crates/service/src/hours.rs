//! How often something was done within its hour, for what is counted by account or address.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

const HOUR_US: u64 = 3_600_000_000;
/// Things that are remembered; when there are more, those whose hour is over make room, then nothing more is let through.
const MOST: usize = 50_000;

/// Since when, and how often.
type Hour = (u64, u32);

/// Things done within their hours, by BLAKE3 of what they are.
#[derive(Default)]
pub(crate) struct Hours(Mutex<HashMap<[u8; 32], Hour>>);

impl Hours {
    /// Counts `what`, if it was done fewer than `most` times within its hour.
    pub fn admits(&self, what: &str, most: u32, now_us: u64) -> bool {
        let key = *blake3::hash(what.as_bytes()).as_bytes();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |(since_us, _): &Hour| now_us.saturating_sub(*since_us) >= HOUR_US;
        if seen.len() >= MOST && !seen.contains_key(&key) {
            seen.retain(|_, hour| !is_over(hour));
            if seen.len() >= MOST {
                return false;
            }
        }
        let hour = seen.entry(key).or_insert((now_us, 0));
        if is_over(hour) {
            *hour = (now_us, 0);
        }
        if hour.1 >= most {
            return false;
        }
        hour.1 += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{HOUR_US, Hours, MOST};

    #[test]
    fn an_hour_holds_so_many_and_memory_is_bounded() {
        let hours = Hours::default();
        assert!((0..3).all(|at| hours.admits("a", 3, at)));
        assert!(!hours.admits("a", 3, 4) && hours.admits("b", 3, 4));
        assert!(hours.admits("a", 3, HOUR_US));
        let full = Hours::default();
        assert!((0..MOST).all(|one| full.admits(&one.to_string(), 1, 0)));
        assert!(!full.admits("one more", 1, 1) && full.admits("one more", 1, HOUR_US));
    }
}
