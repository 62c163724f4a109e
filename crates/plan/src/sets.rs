//! Placement sets: the few groups of targets that packs lie in.
//!
//! Were every pack placed on targets of its own, then with enough packs *any* m + 1 targets would hold too much of some
//! pack, and every triple failure would lose something. Packs that share a bounded number of sets bound the ways in
//! which many losses meet, at the price of losing more at once in the rare case. Every target is in a few sets
//! (*rounds*), so it has a bounded number of partners.
//!
//! A set has the same number of targets at each of its providers, and at most seven providers. A provider with few
//! servers next to one with many (36 beside 1,103) is in as many sets as the large one: its servers then come round
//! again in the same groups. Sets are generated for the topology that is healthy, have a version, and are generated
//! again when it changes; packs keep the targets that they were given.
//!
//! Source: Cidon et al., "Copysets: Reducing the Frequency of Data Loss in Cloud Storage", USENIX ATC 2013
//! (permutations cut into groups).

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Scheme,
    id::{ProviderId, TargetId},
    world::Entropy,
};

use crate::{
    chance::Chance,
    error::{Error, Shortage},
    scheme::PROVIDERS_PER_PACK_MAX,
    view::Topology,
};

/// In how many sets each target is, where providers are equally large: 2 spreads repair over twice as many partners as
/// the pack has lanes, and keeps sets few.
pub const ROUNDS: usize = 2;

/// Sets drawn for a pack, of which the roomiest is taken: keeps targets evenly full without looking at every set.
const DRAWS: usize = 8;

/// Targets that a pack may lie on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementSet {
    /// Its number within its version.
    pub number: u32,
    /// Its targets, sorted; several at each of its providers where there are enough.
    pub targets: Vec<TargetId>,
}

/// All sets of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sets {
    /// Counts up with every generation of sets.
    pub version: u32,
    /// The sets, by number.
    pub sets: Vec<PlacementSet>,
}

/// One provider's targets in an order of chance, cut into groups that come round again.
struct Ring {
    targets: Vec<TargetId>,
    group: usize,
    dealt: usize,
}

impl Ring {
    fn next_group(&mut self) -> Vec<TargetId> {
        let start = self.dealt % self.groups() * self.group;
        self.dealt += 1;
        // The last group is filled up from the start of the ring.
        (start..start + self.group).map(|index| self.targets[index % self.targets.len()]).collect()
    }

    fn groups(&self) -> usize {
        self.targets.len().div_ceil(self.group)
    }
}

impl Sets {
    /// Sets for packs of `scheme` on the targets that are up and not cordoned. Every such target is in one at least.
    ///
    /// # Errors
    /// [`Error::TooFewProviders`] when those targets belong to fewer than two providers.
    pub fn generate(version: u32, scheme: Scheme, topology: &Topology, entropy: &dyn Entropy) -> Result<Self, Error> {
        let mut by_provider = BTreeMap::<ProviderId, Vec<TargetId>>::new();
        for target in topology.targets().filter(|target| target.takes(0)) {
            by_provider.entry(target.provider).or_default().push(target.id);
        }
        if by_provider.len() < 2 {
            return Err(Error::TooFewProviders { shortage: Shortage::of(topology, 0) });
        }
        let width = by_provider.len().min(PROVIDERS_PER_PACK_MAX);
        let share = usize::from(scheme.lanes()).div_ceil(width).max(1);
        let mut sets = BTreeSet::new();
        for _ in 0..ROUNDS {
            sets.extend(one_round(&by_provider, width, share, &Chance(entropy)));
        }
        let numbered = (0..).zip(sets).map(|(number, targets)| PlacementSet { number, targets });
        Ok(Self { version, sets: numbered.collect() })
    }

    /// Whether a target that takes shards is in no set, or a set names one that does not: time for a new version.
    pub fn is_stale(&self, topology: &Topology) -> bool {
        let named: BTreeSet<TargetId> = self.sets.iter().flat_map(|set| set.targets.iter().copied()).collect();
        let open: BTreeSet<TargetId> =
            topology.targets().filter(|target| target.takes(0)).map(|target| target.id).collect();
        named != open
    }

    /// Draws a set whose targets all take a shard of `bytes`: of a few drawn by chance the one whose fullest target has
    /// most room. `None` when none of those drawn will do.
    pub fn choose(&self, topology: &Topology, bytes: u64, entropy: &dyn Entropy) -> Option<&PlacementSet> {
        let chance = Chance(entropy);
        let mut best: Option<(u64, &PlacementSet)> = None;
        for _ in 0..DRAWS {
            let set = self.sets.get(chance.below(self.sets.len() as u64) as usize)?;
            let room = set.targets.iter().map(|id| {
                let target = topology.target(*id).filter(|target| target.takes(bytes));
                target.map(|target| target.free_bytes.unwrap_or(u64::MAX))
            });
            let Some(tightest) = room.min().flatten() else { continue };
            if best.is_none_or(|(known, _)| tightest > known) {
                best = Some((tightest, set));
            }
        }
        best.map(|(_, set)| set)
    }
}

/// Sets such that every target is in one at least.
fn one_round(
    by_provider: &BTreeMap<ProviderId, Vec<TargetId>>,
    width: usize,
    share: usize,
    chance: &Chance<'_>,
) -> Vec<Vec<TargetId>> {
    let ring = |targets: &Vec<TargetId>| {
        let mut targets = targets.clone();
        chance.shuffle(&mut targets);
        Ring { group: share.min(targets.len()), targets, dealt: 0 }
    };
    let mut rings: Vec<Ring> = by_provider.values().map(ring).collect();
    chance.shuffle(&mut rings);
    let mut sets = Vec::new();
    while rings.iter().any(|ring| ring.dealt < ring.groups()) {
        // Those with most groups left first; to fill up, those that came round least often for their size.
        rings.sort_by_key(|ring| {
            let left = ring.groups().saturating_sub(ring.dealt);
            (usize::MAX - left, ring.dealt * 1_000 / ring.groups())
        });
        let mut set: Vec<TargetId> = rings.iter_mut().take(width).flat_map(Ring::next_group).collect();
        set.sort_unstable();
        sets.push(set);
    }
    sets
}
