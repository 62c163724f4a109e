//! Where segments lie, as far as anything said so.
//!
//! `format::replay` keeps what counts. A rescuer keeps more: every place and every make that was ever recorded, newest
//! first, since an old shard on a copied disk may be the one that survived. A wrong place does no harm: frames that do not
//! belong there do not unseal.

use std::collections::{BTreeMap, BTreeSet};

use format::{journal::PayloadAt, replay::At};
use model::{
    Change,
    id::{MakeId, PackId, SegmentId, TargetId},
    pack::{Location, Make},
};

/// One place of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a pack.
    Packed { pack: PackId, location: Location },
    /// Whole in one copy of a journal object.
    Payload { object: String, source: usize, offset: u64, bytes: u64 },
}

impl Place {
    /// The pack, where it is in one.
    pub(crate) fn pack(&self) -> Option<PackId> {
        match self {
            Self::Packed { pack, .. } => Some(*pack),
            Self::Payload { .. } => None,
        }
    }
}

/// What a pack is, apart from its makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) k: u8,
    pub(crate) codec: u8,
    pub(crate) cell_bytes: u32,
}

/// A make that may be read for its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) lane: u8,
    pub(crate) make: MakeId,
    pub(crate) lane_bytes: u64,
    pub(crate) root: [u8; 32],
    /// Where a record says it lies; `None` for one that only a shard's footer vouches for.
    pub(crate) target: Option<TargetId>,
}

impl From<&Make> for Candidate {
    fn from(make: &Make) -> Self {
        let Make { lane, make, target, lane_bytes, root } = *make;
        Self { lane, make, lane_bytes, root, target: Some(target) }
    }
}

/// A pack, and all makes that records ever named, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownPack {
    pub(crate) shape: Shape,
    pub(crate) makes: Vec<Candidate>,
}

/// Everything that was recorded about places of the segments that are wanted.
pub(crate) struct Places {
    wanted: BTreeSet<SegmentId>,
    segments: BTreeMap<SegmentId, Vec<(At, PackId, Location)>>,
    payloads: BTreeMap<SegmentId, Vec<Place>>,
    shapes: BTreeMap<PackId, Shape>,
    makes: BTreeMap<PackId, BTreeMap<MakeId, (At, Candidate)>>,
}

impl Places {
    /// Of other segments than `wanted` nothing is kept: a cluster has many accounts.
    pub(crate) fn of(wanted: BTreeSet<SegmentId>) -> Self {
        Self {
            wanted,
            segments: BTreeMap::new(),
            payloads: BTreeMap::new(),
            shapes: BTreeMap::new(),
            makes: BTreeMap::new(),
        }
    }

    /// Whether a change of the cluster's open part says something of wanted segments, or may.
    pub(crate) fn concerns(&self, change: &Change) -> bool {
        match change {
            Change::Pack(pack) => pack.locations.iter().any(|location| self.wanted.contains(&location.segment)),
            Change::Makes { .. } => true,
            _ => false,
        }
    }

    /// Whether a segment is wanted.
    pub(crate) fn wants(&self, segment: SegmentId) -> bool {
        self.wanted.contains(&segment)
    }

    /// Takes in a change of the cluster's open part.
    pub(crate) fn record(&mut self, at: At, change: &Change) {
        match change {
            Change::Pack(pack) => {
                let mut here =
                    pack.locations.iter().filter(|location| self.wanted.contains(&location.segment)).peekable();
                if here.peek().is_none() {
                    return;
                }
                for location in here {
                    self.segments.entry(location.segment).or_default().push((at, pack.id, *location));
                }
                let shape = Shape { k: pack.k, codec: pack.codec, cell_bytes: pack.cell_bytes };
                self.shapes.insert(pack.id, shape);
                self.makes(at, pack.id, &pack.makes);
            }
            Change::Makes { pack, makes } => self.makes(at, *pack, makes),
            _ => {}
        }
    }

    fn makes(&mut self, at: At, pack: PackId, makes: &[Make]) {
        let known = self.makes.entry(pack).or_default();
        for make in makes {
            let entry = known.entry(make.make).or_insert((at, make.into()));
            if entry.0 <= at {
                *entry = (at, make.into());
            }
        }
    }

    /// Takes in a small file that travelled in a journal object: each copy is a place.
    pub(crate) fn payload(&mut self, at: &PayloadAt, object: &str, sources: &[usize]) {
        if self.wanted.contains(&at.segment) {
            let place = |source: &usize| {
                let PayloadAt { offset, bytes, .. } = *at;
                Place::Payload { object: object.to_owned(), source: *source, offset, bytes }
            };
            self.payloads.entry(at.segment).or_default().extend(sources.iter().map(place));
        }
    }

    /// Says that all was taken in: what belongs to packs of others is dropped, and the newest comes first.
    pub(crate) fn settle(&mut self) {
        self.makes.retain(|pack, _| self.shapes.contains_key(pack));
        for places in self.segments.values_mut() {
            places.sort_by_key(|(at, pack, _)| (std::cmp::Reverse(*at), *pack));
            places.dedup_by_key(|(_, pack, location)| (*pack, *location));
        }
    }

    /// The places of a segment, the best first.
    pub(crate) fn of_segment(&self, segment: SegmentId) -> Vec<Place> {
        let packed = self.segments.get(&segment).into_iter().flatten();
        let packed = packed.map(|(_, pack, location)| Place::Packed { pack: *pack, location: *location });
        packed.chain(self.payloads.get(&segment).into_iter().flatten().cloned()).collect()
    }

    /// A pack as records state it.
    pub(crate) fn pack(&self, pack: PackId) -> Option<KnownPack> {
        let shape = *self.shapes.get(&pack)?;
        let mut makes: Vec<_> = self.makes.get(&pack).into_iter().flat_map(BTreeMap::values).copied().collect();
        makes.sort_by_key(|(at, candidate)| (candidate.lane, std::cmp::Reverse(*at), candidate.make));
        Some(KnownPack { shape, makes: makes.into_iter().map(|(_, candidate)| candidate).collect() })
    }
}
