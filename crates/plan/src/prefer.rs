//! Which of several places bytes are fetched from.
//!
//! Copies, several makes of a lane, and the lanes that a missing one is computed from leave a choice. First comes what can be
//! trusted, then what is quick, and among places of like speed the one whose firm asks least for what is fetched. Speeds are alike
//! within a factor of four: between two disks the price decides, between a disk and a firm far away it does not.
//!
//! What is not known is neutral: it counts as the middle of what is known of the others. A service whose firms have no prices and
//! whose targets are equally quick tries them in the order in which they are given.

use crate::cost::Money;

/// Below this, in microseconds, everything is equally quick.
const QUICK_US: u64 = 4_000;

/// One place that bytes could come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// How little it is trusted: 0 is best.
    pub doubt: u8,
    /// How long reads take there lately, in microseconds.
    pub took_us: Option<u64>,
    /// What its firm asks for a GB that is fetched.
    pub gb_out: Option<Money>,
}

/// The order in which sources are tried, as places in `sources`. Equals stay as they are given.
pub fn prefer(sources: &[Source]) -> Vec<usize> {
    let speeds: Vec<_> = sources.iter().map(|source| source.took_us.map(speed)).collect();
    let usual_speed = middle(speeds.iter().copied());
    let usual_price = middle(sources.iter().map(|source| source.gb_out));
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|index| {
        let source = &sources[*index];
        (source.doubt, speeds[*index].unwrap_or(usual_speed), source.gb_out.unwrap_or(usual_price))
    });
    order
}

/// Steps of a factor of four: 0 for what is quick.
fn speed(took_us: u64) -> u32 {
    (took_us / QUICK_US).checked_ilog(4).map_or(0, |steps| steps + 1)
}

/// The middle one of what is known, the lower of two; the least if nothing is.
fn middle<T: Ord + Copy + Default>(values: impl Iterator<Item = Option<T>>) -> T {
    let mut known: Vec<T> = values.flatten().collect();
    known.sort_unstable();
    known.get(known.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Source, prefer};
    use crate::cost::Money;

    fn check(sources: &[(u8, Option<u64>, Option<u64>)], expected: &[usize]) {
        let sources: Vec<_> = sources
            .iter()
            .map(|(doubt, took_us, gb_out)| Source { doubt: *doubt, took_us: *took_us, gb_out: gb_out.map(Money) })
            .collect();
        assert_eq!(prefer(&sources), expected, "{sources:?}");
    }

    #[test]
    fn trusted_before_quick_before_cheap() {
        let (disk, near, far) = (Some(300), Some(30_000), Some(150_000));
        check(&[], &[]);
        check(&[(0, None, None), (0, None, None), (0, None, None)], &[0, 1, 2]);
        check(&[(2, disk, Some(0)), (1, far, Some(9)), (0, far, Some(90))], &[2, 1, 0]);
        check(&[(0, far, Some(0)), (0, near, Some(5)), (0, disk, Some(90))], &[2, 1, 0]);
        // Of like speed: 20 and 60 ms.
        check(&[(0, Some(20_000), Some(90)), (0, Some(60_000), Some(0))], &[1, 0]);
        check(&[(0, Some(10), Some(90)), (0, Some(3_000), Some(10)), (0, None, Some(0))], &[2, 1, 0]);
    }

    #[test]
    fn what_is_not_known_is_neither_best_nor_worst() {
        check(&[(0, None, Some(90)), (0, None, None), (0, None, Some(0)), (0, None, Some(20))], &[2, 1, 3, 0]);
        check(
            &[(0, Some(200_000), None), (0, None, None), (0, Some(30_000), None), (0, Some(10), None)],
            &[3, 1, 2, 0],
        );
    }
}
