//! Packs: where sealed bytes lie.

use crate::{
    id::{MakeId, PackId, SegmentId, TargetId},
    units::ServiceTime,
};

/// One writing of one lane on one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Make {
    /// Lane number: 0..k are data, k.. are parity.
    pub lane: u8,
    /// Which writing of the lane this is.
    pub make: MakeId,
    /// Where it lies.
    pub target: TargetId,
    /// Length of the lane in bytes (without the shard's header, hash list and footer).
    pub lane_bytes: u64,
    /// BLAKE3 over the lane's hash list: the root that a shard's hash list must have.
    pub root: [u8; 32],
}

/// Where a segment lies. Open text: a firm may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// The segment.
    pub segment: SegmentId,
    /// `Some(lane)`: whole in this data lane, at `offset` of it. `None`: alternating over the data lanes cell by cell,
    /// at `offset` of the striped order (cell 0 of lane 0, cell 0 of lane 1, …, cell 1 of lane 0, …).
    pub lane: Option<u8>,
    /// First byte.
    pub offset: u64,
    /// Sealed length in bytes.
    pub bytes: u64,
}

/// A written pack as its record states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its id.
    pub id: PackId,
    /// Data lanes.
    pub k: u8,
    /// Codec number, [`crate::scheme::CODEC_RS8`].
    pub codec: u8,
    /// Bytes of a cell; a power of two, 4 KiB or more.
    pub cell_bytes: u32,
    /// The lanes that were written with it.
    pub makes: Vec<Make>,
    /// What lies in it.
    pub locations: Vec<Location>,
}

/// What is known of one make beyond its record. Not journalled: found again by scrub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MakeState {
    /// A record names it and nothing found since speaks against it.
    Good,
    /// Its target was away and came back older, or a read failed: does not count until read again.
    Suspect,
    /// Read and found missing or damaged.
    Bad,
}

/// When and how a pack was last proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Proof {
    /// Wall time of the oldest full read among the lanes that count, or `None` if some lane was never read back.
    pub verified_us: Option<i64>,
    /// Service time of the same.
    pub at: ServiceTime,
}
