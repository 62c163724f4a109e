//! Where a second target helps: firms that have one, when two of them are left.
//!
//! A target keeps one copy of a copied object. Settled means that one firm may go and one copy after it, so while only two
//! firms are up each of them must keep two copies, and needs two targets for them. With three firms up one copy at each does.

use std::collections::BTreeMap;

use model::id::{ProviderId, TargetId};

use crate::{scheme::Aim, view::Topology};

/// The targets that are alone at their provider and keep copied objects from being settled, by id; empty where three
/// providers are up, and below two, where a second *provider* is what helps.
pub fn lone_targets(topology: &Topology) -> Vec<TargetId> {
    let mut up: BTreeMap<ProviderId, Vec<TargetId>> = BTreeMap::new();
    for target in topology.healthy() {
        up.entry(target.provider).or_default().push(target.id);
    }
    if up.len() != 2 {
        return Vec::new();
    }
    let needed = 1 + Aim::Settled.spare_lanes();
    let mut lone: Vec<_> = up.into_values().filter(|targets| targets.len() < needed).flatten().collect();
    lone.sort_unstable();
    lone
}

#[cfg(test)]
mod tests {
    use model::{
        fleet::TargetState,
        id::{ProviderId, TargetId},
    };

    use super::lone_targets;
    use crate::view::{TargetView, Topology};

    #[test]
    fn with_two_firms_left_each_needs_two_targets() {
        // How many targets each provider has; those that are alone.
        let cases: [(&[u8], &[u8]); 7] = [
            (&[], &[]),
            (&[1], &[]),
            (&[1, 1], &[0, 1]),
            (&[2, 1], &[2]),
            (&[2, 2], &[]),
            (&[1, 1, 1], &[]),
            (&[3, 1], &[3]),
        ];
        for (each, expected) in cases {
            let owners =
                (0u8..).zip(each).flat_map(|(provider, count)| std::iter::repeat_n(provider, usize::from(*count)));
            let targets = (0u8..)
                .zip(owners)
                .map(|(id, provider)| TargetView::up(TargetId([id; 16]), ProviderId([provider; 16])));
            let expected: Vec<_> = expected.iter().map(|id| TargetId([*id; 16])).collect();
            assert_eq!(lone_targets(&Topology::new(targets)), expected, "{each:?}");
        }
    }

    #[test]
    fn a_target_that_is_away_is_none() {
        let mut targets: Vec<_> = (0..4).map(|i| TargetView::up(TargetId([i; 16]), ProviderId([i / 2; 16]))).collect();
        targets[1].state = TargetState::Down;
        assert_eq!(lone_targets(&Topology::new(targets)), [TargetId([0; 16])]);
    }
}
