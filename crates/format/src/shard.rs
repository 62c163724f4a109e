//! Shards: a lane as it is stored on one target.
//!
//! ```text
//! header 4096 B | lane | hash list: 32 B per 64 KiB of lane | index: what lies in the pack | footer 4096 B
//! ```
//!
//! Header and footer say the same, so a shard that lost either end still says what it is. The *root* of the hash list is what
//! a record states of a make; where the two differ, the record is right and the shard is bad. Without records, as a last
//! resort, a footer is believed for now: whether frames unseal decides.

use std::ops::Range;

use model::{
    id::{ClusterId, MakeId, PackId, SegmentId},
    pack::Location,
    scheme::Scheme,
    units::HASH_BLOCK_BYTES,
};

use crate::{
    FORMAT_VERSION,
    error::{Error, Result},
    wire::{HASH_BYTES, Reader, check_hash, put_hash, same_hash},
};

mod lane;

pub use lane::{Piece, lane_lengths, striped};

/// Bytes of a shard before its lane.
pub const HEADER_BYTES: usize = 4096;
/// Bytes at a shard's end that say where everything is.
pub const FOOTER_BYTES: usize = 4096;
/// Bytes of one location in an index.
const LOCATION_BYTES: usize = 33;
/// In an index: this segment alternates over all data lanes.
const STRIPED: u8 = 0xff;
/// The longest lane that is read: beyond any sense, and small enough for arithmetic.
const LANE_BYTES_LIMIT: u64 = 1 << 40;
/// The smallest cell.
const CELL_BYTES_MIN: u32 = 4096;

const HEADER_MAGIC: &[u8; 8] = b"HFshard\0";
const FOOTER_MAGIC: &[u8; 8] = b"HFfooter";
const HEADER: &str = "shard header";
const FOOTER: &str = "shard footer";
const HASHES: &str = "shard hash list";
const INDEX: &str = "shard index";

/// What a shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShardHeader {
    /// The cluster that wrote it.
    pub cluster: ClusterId,
    /// The pack.
    pub pack: PackId,
    /// Which writing of the lane this is.
    pub make: MakeId,
    /// Lane number.
    pub lane: u8,
    /// Data lanes of the pack.
    pub k: u8,
    /// Codec number.
    pub codec: u8,
    /// Bytes of a cell; a power of two, 4 KiB or more.
    pub cell_bytes: u32,
}

/// What a shard's end says: what it is, and where its parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Footer {
    /// The same as at the start.
    pub header: ShardHeader,
    /// Length of the lane.
    pub lane_bytes: u64,
    /// Where in the shard the hash list starts.
    pub hashes_at: u64,
    /// Where in the shard the index starts.
    pub index_at: u64,
    /// Length of the index.
    pub index_bytes: u64,
    /// Root of the hash list.
    pub root: [u8; 32],
}

/// BLAKE3 of each 64 KiB block of a lane; the last block may be shorter.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HashList {
    /// One hash per block.
    pub blocks: Vec<[u8; 32]>,
    /// Length of the lane.
    pub lane_bytes: u64,
}

impl HashList {
    /// What a record keeps of it: BLAKE3 over a fixed text, the lane's length and all block hashes.
    pub fn root(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"holdfast/v1/lane");
        hasher.update(&self.lane_bytes.to_le_bytes());
        hasher.update(self.blocks.as_flattened());
        *hasher.finalize().as_bytes()
    }

    /// Whether `bytes` are block `block_index` of the lane, whole.
    pub fn check(&self, block_index: usize, bytes: &[u8]) -> bool {
        let start = block_index as u64 * HASH_BLOCK_BYTES as u64;
        let expected_bytes = self.lane_bytes.saturating_sub(start).min(HASH_BLOCK_BYTES as u64);
        let hash = self.blocks.get(block_index);
        bytes.len() as u64 == expected_bytes && hash.is_some_and(|hash| blake3::hash(bytes) == *hash)
    }
}

/// Hashes a lane while it is written, block by block.
#[derive(Clone, Debug, Default)]
pub struct LaneHasher {
    list: HashList,
    block: blake3::Hasher,
    block_bytes: usize,
}

impl LaneHasher {
    /// Starts at the lane's first byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in more of the lane, in pieces of any size. Whole blocks are hashed in one go.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.list.lane_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.block_bytes == 0 && bytes.len() >= HASH_BLOCK_BYTES {
                let (block, rest) = bytes.split_at(HASH_BLOCK_BYTES);
                self.list.blocks.push(*blake3::hash(block).as_bytes());
                bytes = rest;
                continue;
            }
            let (fill, rest) = bytes.split_at(bytes.len().min(HASH_BLOCK_BYTES - self.block_bytes));
            self.block.update(fill);
            self.block_bytes += fill.len();
            bytes = rest;
            if self.block_bytes == HASH_BLOCK_BYTES {
                self.end_block();
            }
        }
    }

    /// Bytes so far.
    pub fn lane_bytes(&self) -> u64 {
        self.list.lane_bytes
    }

    /// The hash list of all that came.
    pub fn finish(mut self) -> HashList {
        if self.block_bytes > 0 {
            self.end_block();
        }
        self.list
    }

    fn end_block(&mut self) {
        self.list.blocks.push(*self.block.finalize().as_bytes());
        self.block.reset();
        self.block_bytes = 0;
    }
}

/// A shard's first [`HEADER_BYTES`].
pub fn encode_header(header: &ShardHeader) -> [u8; HEADER_BYTES] {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(HEADER_MAGIC);
    put_identity(&mut bytes, header);
    pad(bytes)
}

/// Reads a shard's first [`HEADER_BYTES`]; more may follow them.
///
/// # Errors
/// Damaged, or refused if its format is newer.
pub fn decode_header(bytes: &[u8]) -> Result<ShardHeader> {
    let bytes = exactly(HEADER, bytes.get(..HEADER_BYTES).unwrap_or(bytes), HEADER_BYTES)?;
    let mut reader = Reader::open_hashed(HEADER, HEADER_MAGIC, bytes)?;
    let header = take_identity(&mut reader)?;
    let padding = reader.left();
    reader.zeros("padding", padding)?;
    Ok(header)
}

/// All that follows a lane: hash list, index and footer.
pub fn encode_tail(header: &ShardHeader, hashes: &HashList, locations: &[Location]) -> Vec<u8> {
    let index = encode_index(locations);
    let hash_bytes = hashes.blocks.as_flattened();
    let hashes_at = HEADER_BYTES as u64 + hashes.lane_bytes;
    let index_at = hashes_at + hash_bytes.len() as u64;
    let mut tail = Vec::with_capacity(hash_bytes.len() + index.len() + FOOTER_BYTES);
    tail.extend_from_slice(hash_bytes);
    tail.extend_from_slice(&index);
    let mut footer = Vec::with_capacity(FOOTER_BYTES);
    footer.extend_from_slice(FOOTER_MAGIC);
    put_identity(&mut footer, header);
    for number in [hashes.lane_bytes, hashes_at, index_at, index.len() as u64] {
        footer.extend_from_slice(&number.to_le_bytes());
    }
    footer.extend_from_slice(&hashes.root());
    tail.extend_from_slice(&pad::<FOOTER_BYTES>(footer));
    tail
}

/// Reads a shard's last [`FOOTER_BYTES`].
///
/// # Errors
/// Damaged, or refused if its format is newer.
pub fn decode_footer(bytes: &[u8]) -> Result<Footer> {
    let mut reader = Reader::open_hashed(FOOTER, FOOTER_MAGIC, exactly(FOOTER, bytes, FOOTER_BYTES)?)?;
    let header = take_identity(&mut reader)?;
    let lane_bytes = reader.u64("lane_bytes")?;
    if lane_bytes > LANE_BYTES_LIMIT {
        return Err(reader.value("lane_bytes", format!("at most {LANE_BYTES_LIMIT}"), lane_bytes));
    }
    let hashes_at = reader.u64("hashes_at")?;
    if hashes_at != HEADER_BYTES as u64 + lane_bytes {
        return Err(reader.value("hashes_at", HEADER_BYTES as u64 + lane_bytes, hashes_at));
    }
    let index_at = reader.u64("index_at")?;
    let expected = hashes_at + hash_list_bytes(lane_bytes);
    if index_at != expected {
        return Err(reader.value("index_at", expected, index_at));
    }
    let index_bytes = reader.u64("index_bytes")?;
    let locations = index_bytes.checked_sub(index_length(0)).filter(|bytes| bytes % LOCATION_BYTES as u64 == 0);
    if locations.is_none() || index_bytes > LANE_BYTES_LIMIT {
        return Err(reader.value("index_bytes", "36 and 33 for each location", index_bytes));
    }
    let root = reader.array("root")?;
    let padding = reader.left();
    reader.zeros("padding", padding)?;
    Ok(Footer { header, lane_bytes, hashes_at, index_at, index_bytes, root })
}

/// Reads the hash list of a lane of `lane_bytes`, and checks it against `expected_root`: a record's, or for want of one the
/// footer's.
///
/// # Errors
/// Damaged: it has another length, or another root.
pub fn decode_hash_list(bytes: &[u8], lane_bytes: u64, expected_root: Option<&[u8; 32]>) -> Result<HashList> {
    if lane_bytes > LANE_BYTES_LIMIT {
        let (expected, got) = (format!("at most {LANE_BYTES_LIMIT}"), lane_bytes.to_string());
        return Err(Error::Value { object: HASHES, field: "lane_bytes", expected, got });
    }
    let bytes = exactly(HASHES, bytes, hash_list_bytes(lane_bytes) as usize)?;
    let list = HashList { blocks: bytes.as_chunks().0.to_vec(), lane_bytes };
    if let Some(expected) = expected_root {
        same_hash(HASHES, "root", expected, &list.root())?;
    }
    Ok(list)
}

/// Reads an index: the locations of a pack.
///
/// # Errors
/// Damaged.
pub fn decode_index(bytes: &[u8]) -> Result<Vec<Location>> {
    let mut reader = Reader::new(INDEX, check_hash(INDEX, bytes)?);
    let written = reader.u32("count")?;
    let count = reader.fits("count", u64::from(written), LOCATION_BYTES)?;
    let mut locations = Vec::with_capacity(count);
    for _ in 0..count {
        let segment = SegmentId(reader.array("segment")?);
        let lane = reader.u8("lane")?;
        let (offset, bytes) = (reader.u64("offset")?, reader.u64("bytes")?);
        if lane != STRIPED && lane >= Scheme::LANES_MAX {
            return Err(reader.value("lane", "less than 32, or 255", lane));
        }
        if offset.checked_add(bytes).is_none() {
            return Err(reader.value("offset", "offset and length of 64 bits together", offset));
        }
        locations.push(Location { segment, lane: (lane != STRIPED).then_some(lane), offset, bytes });
    }
    reader.end()?;
    Ok(locations)
}

/// Length of a whole shard with a lane of `lane_bytes` in a pack of so many locations.
pub fn shard_bytes(lane_bytes: u64, locations: usize) -> u64 {
    let ends = (HEADER_BYTES + FOOTER_BYTES) as u64;
    ends + lane_bytes + hash_list_bytes(lane_bytes) + index_length(locations as u64)
}

/// Length of the hash list of a lane.
pub fn hash_list_bytes(lane_bytes: u64) -> u64 {
    lane_bytes.div_ceil(HASH_BLOCK_BYTES as u64) * HASH_BYTES as u64
}

/// Where in the shard a range of the lane lies.
pub fn lane_range_in_shard(lane: Range<u64>) -> Range<u64> {
    lane.start + HEADER_BYTES as u64..lane.end + HEADER_BYTES as u64
}

fn encode_index(locations: &[Location]) -> Vec<u8> {
    let mut index = Vec::with_capacity(index_length(locations.len() as u64) as usize);
    index.extend_from_slice(&(locations.len() as u32).to_le_bytes());
    for location in locations {
        index.extend_from_slice(&location.segment.0);
        index.push(location.lane.unwrap_or(STRIPED));
        index.extend_from_slice(&location.offset.to_le_bytes());
        index.extend_from_slice(&location.bytes.to_le_bytes());
    }
    put_hash(&mut index);
    index
}

fn index_length(locations: u64) -> u64 {
    4 + locations * LOCATION_BYTES as u64 + HASH_BYTES as u64
}

fn put_identity(bytes: &mut Vec<u8>, header: &ShardHeader) {
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&header.cluster.0);
    bytes.extend_from_slice(&header.pack.0);
    bytes.extend_from_slice(&header.make.0);
    bytes.extend_from_slice(&[header.lane, header.k, header.codec, 0]);
    bytes.extend_from_slice(&header.cell_bytes.to_le_bytes());
}

fn take_identity(reader: &mut Reader<'_>) -> Result<ShardHeader> {
    let header = ShardHeader {
        cluster: ClusterId(reader.array("cluster")?),
        pack: PackId(reader.array("pack")?),
        make: MakeId(reader.array("make")?),
        lane: reader.u8("lane")?,
        k: reader.u8("k")?,
        codec: reader.u8("codec")?,
        cell_bytes: {
            reader.zeros("reserved", 1)?;
            reader.u32("cell_bytes")?
        },
    };
    if header.lane >= Scheme::LANES_MAX {
        return Err(reader.value("lane", "less than 32", header.lane));
    }
    if header.k == 0 || header.k > Scheme::LANES_MAX {
        return Err(reader.value("k", "1 to 32", header.k));
    }
    if !cell_is_sound(header.cell_bytes) {
        return Err(reader.value("cell_bytes", "a power of two, 4096 or more", header.cell_bytes));
    }
    Ok(header)
}

/// Whether cells may have this size.
pub(crate) fn cell_is_sound(cell_bytes: u32) -> bool {
    cell_bytes.is_power_of_two() && cell_bytes >= CELL_BYTES_MIN
}

/// Fills up with zeros and ends in the hash of all before.
fn pad<const N: usize>(mut bytes: Vec<u8>) -> [u8; N] {
    bytes.resize(N - HASH_BYTES, 0);
    put_hash(&mut bytes);
    let mut block = [0; N];
    block.copy_from_slice(&bytes);
    block
}

fn exactly<'a>(object: &'static str, bytes: &'a [u8], expected: usize) -> Result<&'a [u8]> {
    if bytes.len() == expected {
        return Ok(bytes);
    }
    Err(Error::Length { object, field: "length", expected: expected as u64, got: bytes.len() as u64 })
}
