//! What would be lost with a provider: the same count as today's state, on a topology without it.
//!
//! A [`Census`] is filled pack by pack, so that the store need not hold all views at once; on the topology as it is, it
//! is the fleet's state, on [`Topology::without`] it is the forecast.

use std::collections::BTreeSet;

use model::id::ProviderId;

use crate::{
    margin::{Ladder, Spread, object_state, pack_state},
    view::{ObjectView, PackView, Topology},
};

/// How many of one kind stand where. Each count includes the worse ones: what is unreadable is also below safe.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    /// All that were counted.
    pub total: u64,
    /// Cannot be read.
    pub unreadable: u64,
    /// One provider's loss may be the end of them, or they are gone.
    pub below_safe: u64,
    /// Not settled.
    pub below_settled: u64,
    /// `margins[c]`: how many have margin c; those that lack k good lanes have none and are not in here.
    pub margins: Vec<u64>,
}

impl Tally {
    /// Counts one that stands here and has this margin.
    pub fn count(&mut self, state: Ladder, margin: Option<usize>) {
        self.total += 1;
        self.unreadable += u64::from(state == Ladder::Unreadable);
        self.below_safe += u64::from(state < Ladder::Safe);
        self.below_settled += u64::from(state < Ladder::Settled);
        if let Some(margin) = margin {
            self.margins.resize(self.margins.len().max(margin + 1), 0);
            self.margins[margin] += 1;
        }
    }
}

/// Packs and copied objects by state and margin.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Census {
    /// Packs.
    pub packs: Tally,
    /// Copied objects.
    pub objects: Tally,
}

impl Census {
    /// How many providers may go, whichever they are, until the first thing is lost. `None` when something lacks its k good
    /// lanes already, and when nothing was counted.
    pub fn margin(&self) -> Option<usize> {
        let tallies = [&self.packs, &self.objects];
        let whole = tallies.iter().all(|tally| tally.margins.iter().sum::<u64>() == tally.total);
        let least = tallies.iter().filter_map(|tally| tally.margins.iter().position(|count| *count > 0)).min();
        least.filter(|_| whole)
    }

    /// Counts one pack.
    pub fn add_pack(&mut self, pack: &PackView, topology: &Topology) {
        self.packs.count(pack_state(pack, topology), Spread::of_pack(pack, topology).margin());
    }

    /// Counts one copied object.
    pub fn add_object(&mut self, object: &ObjectView, topology: &Topology) {
        self.objects.count(object_state(object, topology), Spread::of_object(object, topology).margin());
    }
}

/// What these packs and objects would be if the providers `gone` wiped everything now.
pub fn what_if<'a>(
    packs: impl IntoIterator<Item = &'a PackView>,
    objects: impl IntoIterator<Item = &'a ObjectView>,
    topology: &Topology,
    gone: &BTreeSet<ProviderId>,
) -> Census {
    let rest = topology.without(gone);
    let mut census = Census::default();
    for pack in packs {
        census.add_pack(pack, &rest);
    }
    for object in objects {
        census.add_object(object, &rest);
    }
    census
}
