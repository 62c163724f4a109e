//! What the disks really hold, byte by byte, whatever the service believes.
//!
//! A shard counts when its header names it, its hash list has the recorded root and every block has its hash; a copied
//! object when it has its BLAKE3. Verdicts are kept as long as the bytes on the disk stay the same.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use format::{
    name::shard_name,
    shard::{HEADER_BYTES, decode_hash_list, decode_header, hash_list_bytes},
};
use model::{
    id::{MakeId, PackId, TargetId},
    pack::Make,
    units::HASH_BLOCK_BYTES,
};

use crate::{
    disks::Disk,
    mirror::{KnownObject, KnownPack},
};

/// Bytes that were looked at, and the verdict. They are held, so that no others can come to lie where they lie.
#[derive(Default)]
struct Seen {
    bytes: Bytes,
    is_right: bool,
}

impl Seen {
    /// The verdict on these bytes; `look` is asked only if they are others than before.
    fn judge(&mut self, bytes: Bytes, look: impl FnOnce(&Bytes) -> bool) -> bool {
        if (self.bytes.as_ptr(), self.bytes.len()) != (bytes.as_ptr(), bytes.len()) {
            self.is_right = look(&bytes);
            self.bytes = bytes;
        }
        self.is_right
    }
}

/// Verdicts so far.
#[derive(Default)]
pub struct Truth {
    shards: BTreeMap<(usize, MakeId), Seen>,
    objects: BTreeMap<(usize, String), Seen>,
    names: BTreeMap<MakeId, String>,
}

/// Distinct lanes (or copies) that are right, by provider.
pub type Lanes = BTreeMap<usize, u64>;

/// How many distinct lanes are right outside these providers.
pub fn outside(lanes: &Lanes, gone: &BTreeSet<usize>) -> u32 {
    lanes.iter().filter(|(provider, _)| !gone.contains(provider)).fold(0, |all, (_, lanes)| all | lanes).count_ones()
}

fn shard_is_right(bytes: &Bytes, pack: PackId, k: u8, make: &Make) -> bool {
    let Some(header) = bytes.get(..HEADER_BYTES).and_then(|header| decode_header(header).ok()) else { return false };
    if (header.pack, header.lane, header.make, header.k) != (pack, make.lane, make.make, k) {
        return false;
    }
    let lane_end = HEADER_BYTES + make.lane_bytes as usize;
    let list_end = lane_end + hash_list_bytes(make.lane_bytes) as usize;
    let (Some(lane), Some(list)) = (bytes.get(HEADER_BYTES..lane_end), bytes.get(lane_end..list_end)) else {
        return false;
    };
    let Ok(list) = decode_hash_list(list, make.lane_bytes, Some(&make.root)) else { return false };
    lane.chunks(HASH_BLOCK_BYTES).enumerate().all(|(i, block)| list.check(i, block))
}

impl Truth {
    /// Forgets verdicts of a disk that somebody tampered with.
    pub fn forget(&mut self, disk: usize) {
        self.shards.retain(|(on, _), _| *on != disk);
        self.objects.retain(|(on, _), _| *on != disk);
    }

    /// The lanes of a pack that are right.
    pub fn lanes(
        &mut self,
        disks: &[Disk],
        by_target: &BTreeMap<TargetId, usize>,
        id: PackId,
        pack: &KnownPack,
    ) -> Lanes {
        let mut lanes = Lanes::new();
        for make in &pack.makes {
            let Some(disk) = by_target.get(&make.target).map(|at| &disks[*at]) else { continue };
            let name = self.names.entry(make.make).or_insert_with(|| shard_name(id, make.lane, make.make));
            let Some(bytes) = disk.disk.bytes(name) else { continue };
            let seen = self.shards.entry((disk.index, make.make)).or_default();
            if seen.judge(bytes, |bytes| shard_is_right(bytes, id, pack.k, make)) {
                *lanes.entry(disk.provider).or_default() |= 1 << make.lane;
            }
        }
        lanes
    }

    /// The copies of an object that are right: each provider's is a lane of its own.
    pub fn copies(&mut self, disks: &[Disk], object: &KnownObject) -> Lanes {
        let mut lanes = Lanes::new();
        for disk in disks {
            let Some(bytes) = disk.disk.bytes(&object.name) else { continue };
            let seen = self.objects.entry((disk.index, object.name.clone())).or_default();
            if seen.judge(bytes, |bytes| blake3::hash(bytes).as_bytes() == &object.hash) {
                *lanes.entry(disk.provider).or_default() |= 1 << disk.index;
            }
        }
        lanes
    }
}
