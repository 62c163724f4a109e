//! When no record vouches for shards: which k of them belong together is tried out, and the frame's tag decides.
//!
//! Each shard agrees with its own footer, or it would not be here. But footers prove nothing: an old or forged shard does as
//! well. A wrong one among the k spoils what is made from it, and only a tag that fits shows a set without it.

use std::{collections::BTreeSet, ops::Range};

use crate::{
    reach::{Gathered, Reach},
    run::{Run, Runs, hull},
    sources::Sources,
};

/// Sets tried for one frame: enough for every choice of 6 from 12, and quickly over.
const SETS_MAX: usize = 1_000;

/// Tries sets of k shards until `fits` accepts the sealed bytes that one gives. `first` is the set that fitted last
/// time; it is tried first and replaced.
pub(crate) async fn try_out(
    reach: &Reach,
    sources: &Sources,
    sealed: &Range<u64>,
    first: &mut Option<Vec<usize>>,
    mut fits: impl FnMut(&mut Vec<u8>) -> bool,
) -> bool {
    let Some(lanes) = reach.lanes() else { return false };
    let ranges = reach.ranges(sealed);
    let Some(hull) = hull(&ranges) else { return false };
    let needed: BTreeSet<u8> = ranges.keys().copied().collect();
    let mut shards: Vec<(usize, u8, Run)> = Vec::new();
    for (index, candidate) in lanes.candidates().iter().enumerate() {
        if let Some(run) = lanes.of_candidate(sources, candidate, hull.clone()).await {
            shards.push((index, candidate.lane, run));
        }
    }
    let k = usize::from(lanes.shape.k);
    let mut sealed_bytes = Vec::new();
    let mut attempt = |set: &[usize]| {
        let chosen: Runs = set.iter().map(|at| (shards[*at].1, shards[*at].2.clone())).collect();
        if chosen.len() < k {
            return false;
        }
        let runs = Gathered::Lanes(lanes.decode_from(&chosen, &needed, &hull));
        reach.copy(&runs, sealed, &mut sealed_bytes) && fits(&mut sealed_bytes)
    };
    let known =
        first.as_ref().map(|set| (0..shards.len()).filter(|at| set.contains(&shards[*at].0)).collect::<Vec<_>>());
    if known.is_some_and(|set| attempt(&set)) {
        return true;
    }
    let mut set: Vec<usize> = (0..k).collect();
    for _ in 0..SETS_MAX {
        if set.last().is_none_or(|last| *last >= shards.len()) {
            return false;
        }
        if attempt(&set) {
            *first = Some(set.iter().map(|at| shards[*at].0).collect());
            return true;
        }
        if !next_set(&mut set, shards.len()) {
            return false;
        }
    }
    false
}

/// The next set of indexes below `count` in dictionary order; false after the last.
fn next_set(set: &mut [usize], count: usize) -> bool {
    let k = set.len();
    let Some(at) = (0..k).rev().find(|at| set[*at] < count - k + at) else { return false };
    let value = set[at] + 1;
    for (step, place) in set[at..].iter_mut().enumerate() {
        *place = value + step;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::next_set;

    #[test]
    fn every_set_comes_once() {
        let mut set = vec![0, 1, 2];
        let mut seen = vec![set.clone()];
        while next_set(&mut set, 5) {
            seen.push(set.clone());
        }
        assert_eq!(seen.len(), 10);
        assert_eq!(seen.last(), Some(&vec![2, 3, 4]));
    }
}
