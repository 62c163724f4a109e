//! Which targets are too slow to be asked first.
//!
//! How long a small answer takes is known of every target: from reads, and from the probes that are made anyway. One that
//! takes several times as long as most of the others is *slow*: what it holds is read from others while they can make it,
//! and its probes tell when it is quick again. One slow firm then costs readers other firms' requests, not time.

use std::collections::BTreeSet;

use model::id::TargetId;

/// Slow is who takes so many times as long as the middle one of all.
pub const SLOW_FACTOR: u64 = 4;
/// Nobody is slow below this, in microseconds: reading around saves nothing worth k requests.
pub const SLOW_US: u64 = 50_000;

/// Those of `targets` that take much longer for a small answer, in microseconds, than most.
pub fn slow(targets: &[(TargetId, u64)]) -> BTreeSet<TargetId> {
    let mut all: Vec<u64> = targets.iter().map(|(_, took_us)| *took_us).collect();
    if all.is_empty() {
        return BTreeSet::new();
    }
    let middle = (all.len() - 1) / 2;
    let (_, median, _) = all.select_nth_unstable(middle);
    let line = SLOW_US.max(median.saturating_mul(SLOW_FACTOR));
    targets.iter().filter(|(_, took_us)| *took_us > line).map(|(id, _)| *id).collect()
}

#[cfg(test)]
mod tests {
    use model::id::TargetId;

    fn check(took_us: &[u64], expected: &[u8]) {
        let targets: Vec<_> = (0..).zip(took_us).map(|(number, took)| (TargetId([number; 16]), *took)).collect();
        let slow: Vec<u8> = super::slow(&targets).into_iter().map(|id| id.0[0]).collect();
        assert_eq!(slow, expected, "{took_us:?}");
    }

    #[test]
    fn one_that_takes_much_longer_than_most_is_slow() {
        check(&[], &[]);
        check(&[5_000; 6], &[]);
        check(&[5_000, 5_000, 250_000, 5_000, 5_000, 5_000], &[2]);
        // Milliseconds are nobody's fault.
        check(&[300, 300, 300, 300, 300, 40_000], &[]);
        check(&[300, 300, 300, 300, 300, 60_000], &[5]);
    }

    #[test]
    fn where_most_are_far_nobody_is_slow() {
        check(&[200_000, 210_000, 220_000, 230_000, 240_000, 250_000], &[]);
        check(&[300, 300, 90_000, 90_000, 90_000], &[]);
    }
}
