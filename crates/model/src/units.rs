//! Sizes that are part of the format, and times.

/// Plaintext bytes in a full frame: with its tag a frame is exactly 64 KiB.
pub const FRAME_PLAIN_BYTES: usize = 65_520;
/// The authentication tag of a frame.
pub const TAG_BYTES: usize = 16;
/// Sealed bytes of a full frame.
pub const FRAME_BYTES: usize = FRAME_PLAIN_BYTES + TAG_BYTES;
/// The grain of the BLAKE3 hashes of a lane: what enters the decoder is checked in pieces of this size.
pub const HASH_BLOCK_BYTES: usize = 65_536;
/// A cell of a lane where nothing else is asked for (tests and the simulator use smaller ones).
pub const CELL_BYTES: u64 = 1 << 20;
/// The longest lane that is written by default.
pub const LANE_BYTES_MAX: u64 = 64 << 20;
/// The most plaintext that one segment holds.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// Files up to this size go through the journal and then lie whole in one lane of a shared pack.
pub const SMALL_FILE_BYTES_MAX: u64 = 1 << 20;
/// Files up to this size lie in the catalogue and in its snapshots.
pub const INLINE_FILE_BYTES_MAX: u64 = 2 << 10;

/// Bytes that `plain_bytes` of plaintext take when sealed: 16 more for each frame, and at least one frame.
pub const fn sealed_bytes(plain_bytes: u64) -> u64 {
    let frames = plain_bytes.div_ceil(FRAME_PLAIN_BYTES as u64);
    plain_bytes + TAG_BYTES as u64 * if frames == 0 { 1 } else { frames }
}

/// Wall-clock time in microseconds since 1970-01-01 UTC. Shown to people, never used to order changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct WallTime(pub i64);

/// Seconds counted while the service runs: never outruns the monotonic clock, saved with other writes only. The time
/// on which destruction runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ServiceTime(pub u64);

#[cfg(test)]
mod tests {
    use super::sealed_bytes;

    #[test]
    fn sealed_sizes() {
        for (plain, sealed) in [(0, 16), (1, 17), (65_520, 65_536), (65_521, 65_553), (131_040, 131_072)] {
            assert_eq!(sealed_bytes(plain), sealed, "{plain}");
        }
    }
}
