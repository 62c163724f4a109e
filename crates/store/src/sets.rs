//! The placement sets that new packs lie in.
//!
//! Sets are drawn, not stored: from the cluster's id and the targets that belong to it, whether they are up or not. So
//! the same fleet gives the same sets at every start and after every rebuild, and a target that comes and goes changes
//! none; only when the fleet itself changes, or which firms count as one, are sets drawn anew. A pack whose set has a target down or full goes where
//! there is room, as an exception.

use std::sync::{Arc, Mutex};

use model::{
    Scheme,
    id::{ProviderId, TargetId},
    world::Entropy,
};
use plan::{Sets, Topology};

use crate::{Inner, locked};

/// The sets in use, and the scheme and the grouping of targets that they were drawn for.
pub(crate) type Kept = Mutex<Option<(Scheme, Grouping, Arc<Sets>)>>;

/// Which failure domain each target is in.
type Grouping = Vec<(TargetId, ProviderId)>;

impl Inner {
    /// The sets of the present fleet; `None` with fewer than two providers.
    pub(crate) fn sets(&self, topology: &Topology) -> Option<Arc<Sets>> {
        let fleet = topology.expected();
        let scheme = match self.settings.scheme {
            Some(scheme) => scheme,
            None => plan::default_scheme(fleet.healthy_providers().len()).ok()?,
        };
        let grouping: Grouping = fleet.targets().map(|target| (target.id, target.provider)).collect();
        let mut kept = locked(&self.sets);
        if let Some((of, grouped, sets)) = kept.as_ref()
            && *of == scheme
            && *grouped == grouping
            && !sets.is_stale(&fleet)
        {
            return Some(sets.clone());
        }
        let version = kept.as_ref().map_or(1, |(_, _, sets)| sets.version + 1);
        let chance = Drawn(Mutex::new(
            blake3::Hasher::new_derive_key("holdfast placement sets").update(&self.cluster.0).finalize_xof(),
        ));
        let sets = Arc::new(Sets::generate(version, scheme, &fleet, &chance).ok()?);
        *kept = Some((scheme, grouping, sets.clone()));
        Some(sets)
    }
}

/// Chance that is the same for one cluster every time.
struct Drawn(Mutex<blake3::OutputReader>);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) {
        locked(&self.0).fill(bytes);
    }
}
