//! The providers that take new shards now, as a place to deal lanes to one by one.
//!
//! Each lane goes to the provider that has fewest lanes of the pack, so that counts differ as little as room allows (no
//! other way of dealing has a smaller largest count), and there to the target that has fewest. Ties are broken by
//! chance, in proportion to free room: between providers once for a pack, between targets at every lane.

use std::collections::BTreeMap;

use model::id::{ProviderId, TargetId};

use crate::{chance::Chance, margin::LANES_COUNTED_MAX, view::Topology};

/// Weights are free room in MiB: finer steps say nothing about where to put a lane.
const WEIGHT_SHIFT: u32 = 20;

struct Bin {
    target: TargetId,
    /// Lanes of this pack that lie here.
    lanes: usize,
    /// How many more have room.
    fits: usize,
    weight: u64,
}

/// One provider's open targets.
pub(crate) struct Yard {
    pub(crate) provider: ProviderId,
    /// Distinct lanes of this pack that count at the provider.
    pub(crate) lanes: usize,
    /// Place in the order of chance.
    rank: usize,
    bins: Vec<Bin>,
}

impl Yard {
    /// How many more lanes have room here.
    pub(crate) fn fits(&self) -> usize {
        self.bins.iter().map(|bin| bin.fits).sum()
    }
}

/// All providers that take shards of one size.
pub(crate) struct Yards<'a> {
    chance: Chance<'a>,
    yards: Vec<Yard>,
}

impl<'a> Yards<'a> {
    /// The providers with targets that take a shard of `bytes`.
    pub(crate) fn open(topology: &Topology, bytes: u64, chance: Chance<'a>) -> Self {
        let most = topology.targets().filter_map(|target| target.free_bytes).max().unwrap_or(0);
        let mut by_provider = BTreeMap::<ProviderId, Vec<Bin>>::new();
        for target in topology.targets().filter(|target| target.takes(bytes)) {
            // A target that cannot say how much room it has (a bucket) is taken to have as much as the roomiest.
            let free = target.free_bytes.unwrap_or(most);
            let fits = match target.free_bytes {
                Some(free) if bytes > 0 => (free / bytes).min(LANES_COUNTED_MAX as u64) as usize,
                _ => LANES_COUNTED_MAX,
            };
            let bin = Bin { target: target.id, lanes: 0, fits, weight: (free >> WEIGHT_SHIFT) + 1 };
            by_provider.entry(target.provider).or_default().push(bin);
        }
        let yard = |(provider, bins)| Yard { provider, lanes: 0, rank: 0, bins };
        let mut yards = Self { chance, yards: by_provider.into_iter().map(yard).collect() };
        yards.draw_ranks();
        yards
    }

    fn draw_ranks(&mut self) {
        let sum = |yard: &Yard| yard.bins.iter().fold(0u64, |sum, bin| sum.saturating_add(bin.weight));
        let mut weights: Vec<u64> = self.yards.iter().map(sum).collect();
        for rank in 0..self.yards.len() {
            if let Some(index) = self.chance.weighted(&weights) {
                self.yards[index].rank = rank;
                weights[index] = 0;
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Yard> {
        self.yards.iter()
    }

    /// Notes lanes of the pack that count at a provider already.
    pub(crate) fn note_lanes(&mut self, provider: ProviderId, lanes: usize) {
        if let Some(yard) = self.yards.iter_mut().find(|yard| yard.provider == provider) {
            yard.lanes = lanes;
        }
    }

    /// Notes something of the pack that lies at a target already, good or not: other targets are preferred.
    pub(crate) fn note_target(&mut self, target: TargetId) {
        let mut bins = self.yards.iter_mut().flat_map(|yard| yard.bins.iter_mut());
        if let Some(bin) = bins.find(|bin| bin.target == target) {
            bin.lanes += 1;
        }
    }

    /// Takes the best place for one more lane among the allowed providers; `None` when none has room.
    pub(crate) fn deal(&mut self, allowed: impl Fn(&Yard) -> bool) -> Option<(ProviderId, TargetId)> {
        let open = self.yards.iter_mut().filter(|yard| yard.fits() > 0 && allowed(yard));
        let yard = open.min_by_key(|yard| (yard.lanes, yard.rank))?;
        let fewest = yard.bins.iter().filter(|bin| bin.fits > 0).map(|bin| bin.lanes).min()?;
        let weigh = |bin: &Bin| if bin.fits > 0 && bin.lanes == fewest { bin.weight } else { 0 };
        let bin = self.chance.weighted(&yard.bins.iter().map(weigh).collect::<Vec<_>>())?;
        let bin = &mut yard.bins[bin];
        bin.fits -= 1;
        bin.lanes += 1;
        yard.lanes += 1;
        Some((yard.provider, bin.target))
    }
}
