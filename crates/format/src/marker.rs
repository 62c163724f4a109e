//! The marker: a target's identity, and how far its life has come.
//!
//! The one object that is replaced. Without the right marker a target is *down*, never *empty*, and nothing on it is changed.

use model::id::{ClusterId, ProviderId, TargetId};

use crate::{
    FORMAT_VERSION,
    error::Result,
    wire::{HASH_BYTES, Reader, put_hash},
};

const MAGIC: &[u8; 8] = b"HFmarker";
const OBJECT: &str = "marker";

/// Bytes of every marker.
pub const MARKER_BYTES: usize = 8 + 4 + 3 * 16 + 2 * 8 + HASH_BYTES;

/// What a marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Marker {
    /// The cluster that keeps shards here.
    pub cluster: ClusterId,
    /// Which of its targets this is.
    pub target: TargetId,
    /// Whose it is.
    pub provider: ProviderId,
    /// The newest epoch that wrote here: a service of an older one stops writing.
    pub epoch: u64,
    /// Raised at every start, return and rebuild: a lower one than recorded means old content.
    pub generation: u64,
    /// The format of what lies here.
    pub format_version: u32,
}

impl Marker {
    /// A marker of the current format.
    pub fn new(cluster: ClusterId, target: TargetId, provider: ProviderId, epoch: u64, generation: u64) -> Self {
        Self { cluster, target, provider, epoch, generation, format_version: FORMAT_VERSION }
    }

    /// Its bytes, [`MARKER_BYTES`] long.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MARKER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.format_version.to_le_bytes());
        bytes.extend_from_slice(&self.cluster.0);
        bytes.extend_from_slice(&self.target.0);
        bytes.extend_from_slice(&self.provider.0);
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        put_hash(&mut bytes);
        bytes
    }

    /// Reads a marker.
    ///
    /// # Errors
    /// Damaged, or refused if its format is newer.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open_hashed(OBJECT, MAGIC, bytes)?;
        let marker = Self {
            cluster: ClusterId(reader.array("cluster")?),
            target: TargetId(reader.array("target")?),
            provider: ProviderId(reader.array("provider")?),
            epoch: reader.u64("epoch")?,
            generation: reader.u64("generation")?,
            format_version: FORMAT_VERSION,
        };
        reader.end()?;
        Ok(marker)
    }
}
