//! How long a job still takes.
//!
//! A forecast is the rate so far, carried on. It is withheld while it would be a guess: before anything is done, and in
//! the first seconds.

/// A rate that was seen for less than this says little.
const SEEN_S_MIN: u64 = 2;

/// Seconds that are left of a job that did `done` of `total` in `elapsed_s`; `None` while that cannot be said. 0 only
/// when nothing is left.
pub fn seconds_left(done: u64, total: u64, elapsed_s: u64) -> Option<u64> {
    let left = total.saturating_sub(done);
    if left == 0 {
        return Some(0);
    }
    if done == 0 || elapsed_s < SEEN_S_MIN {
        return None;
    }
    let seconds = (u128::from(left) * u128::from(elapsed_s)).div_ceil(u128::from(done));
    Some(u64::try_from(seconds).unwrap_or(u64::MAX))
}

/// Seconds that so many bytes take at so many a second, begun ones counted; for ever at none.
pub fn seconds_at(bytes: u64, bytes_per_s: u64) -> u64 {
    if bytes == 0 {
        0
    } else {
        bytes.checked_next_multiple_of(bytes_per_s).map_or(u64::MAX, |whole| whole / bytes_per_s)
    }
}

#[cfg(test)]
mod tests {
    use super::{seconds_at, seconds_left};

    #[test]
    fn a_rate_makes_bytes_seconds() {
        for (bytes, rate, seconds) in [(0, 0, 0), (1, 0, u64::MAX), (1, 10, 1), (100, 10, 10), (101, 10, 11)] {
            assert_eq!(seconds_at(bytes, rate), seconds, "{bytes} at {rate}");
        }
    }

    #[test]
    fn carries_the_rate_on() {
        for (done, total, elapsed_s, left) in [
            (0, 100, 50, None),
            (10, 100, 1, None),
            (10, 100, 10, Some(90)),
            (99, 100, 10, Some(1)),
            (100, 100, 0, Some(0)),
            (150, 100, 10, Some(0)),
            (1, u64::MAX, u64::MAX, Some(u64::MAX)),
        ] {
            assert_eq!(seconds_left(done, total, elapsed_s), left, "{done} of {total} in {elapsed_s} s");
        }
    }
}
