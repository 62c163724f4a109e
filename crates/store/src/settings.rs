//! The numbers an operator may turn, each with the argument for its value.

use model::{Scheme, units};

/// How the store behaves. Sizes in bytes, times in the unit of their name.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Bytes of a cell; a multiple of 64 KiB so that a piece holds whole frames (the simulator uses less).
    pub cell_bytes: u32,
    /// Longest lane of a pack: small enough for one request at a slow firm.
    pub lane_bytes_max: u64,
    /// Most plaintext in one segment.
    pub segment_bytes_max: u64,
    /// Files up to this size go through the journal and share packs.
    pub small_file_bytes_max: u64,
    /// Files up to this size lie in the catalogue and its snapshots.
    pub inline_bytes_max: u64,
    /// The shared pool that all transfers draw their buffers from.
    pub buffer_bytes: u64,
    /// How long a write looks for providers before it is refused.
    pub write_deadline_s: u64,
    /// A sender that brings less than 64 KiB in this time gives its buffers back.
    pub pause_s: u64,
    /// Small files wait this long at most before they are packed.
    pub pack_after_s: u64,
    /// Packs of which less than this share lives are rewritten without what is dead; from 0 (never) to 50. At one half
    /// each byte of traffic wins a byte of room.
    pub repack_below_percent: u8,
    /// Whether old packs move onto firms that joined later.
    pub fill: bool,
    /// How long a target may be away before its lanes are made again, while everything is still safe.
    pub down_wait_s: u64,
    /// Grace between the decision to delete bytes and the deletion, in service time.
    pub grace_s: u64,
    /// The names at each target are read once in so long, in service time.
    pub listing_every_s: u64,
    /// Some blocks of each shard, and copied objects whole, are read once in so long: a month, as many firms warm their disks.
    pub sample_every_s: u64,
    /// Everything is read in full once in so long. A year: what a sample misses is a block here and there, and margin covers it.
    pub scrub_every_s: u64,
    /// A drill begins by itself once in so long, each time without another provider; `None`: only when somebody asks.
    pub drill_every_s: Option<u64>,
    /// How many packs, and copied objects, such a drill draws.
    pub drill_sample: u64,
    /// Days in the trash, in seconds of service time.
    pub trash_s: u64,
    /// Unfinished uploads are kept this long.
    pub upload_s: u64,
    /// A fixed scheme, or what `plan` chooses for the number of providers.
    pub scheme: Option<Scheme>,
    /// Pause between two rounds of upkeep.
    pub upkeep_every_ms: u64,
    /// A read that takes longer than this is overtaken by reading parity, within `hedge_percent`.
    pub overtake_after_ms: u64,
    /// What may be read to overtake slow reads, in percent of what is read: each time it costs k times the bytes.
    pub hedge_percent: u8,
    /// How long a batch of changes waits for those who were about a moment ago: less than one sync of a disk costs.
    pub journal_gather_ms: u64,
    /// The same while a target is up whose firm bills each request: a request less is worth some milliseconds.
    pub journal_gather_billed_ms: u64,
    /// Bandwidth limit of repair, scrub, filling, evacuation and packing together: bytes a second, read and written.
    pub upkeep_bytes_per_s: Option<u64>,
    /// Providers share one disk: everything shown says so.
    pub trial: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cell_bytes: units::CELL_BYTES as u32,
            lane_bytes_max: units::LANE_BYTES_MAX,
            segment_bytes_max: units::SEGMENT_BYTES_MAX,
            small_file_bytes_max: units::SMALL_FILE_BYTES_MAX,
            inline_bytes_max: units::INLINE_FILE_BYTES_MAX,
            buffer_bytes: 256 << 20,
            write_deadline_s: 20,
            pause_s: 2,
            pack_after_s: 60,
            repack_below_percent: 50,
            fill: true,
            down_wait_s: 3_600,
            grace_s: 24 * 3_600,
            listing_every_s: 24 * 3_600,
            sample_every_s: 30 * 24 * 3_600,
            scrub_every_s: 365 * 24 * 3_600,
            drill_every_s: None,
            drill_sample: 64,
            trash_s: 30 * 24 * 3_600,
            upload_s: 7 * 24 * 3_600,
            scheme: None,
            upkeep_every_ms: 1_000,
            overtake_after_ms: 250,
            hedge_percent: 10,
            journal_gather_ms: 1,
            journal_gather_billed_ms: 20,
            upkeep_bytes_per_s: None,
            trial: false,
        }
    }
}

impl Settings {
    /// The trial service: everything on one disk, quick to show what it does.
    pub fn trial() -> Self {
        Self { down_wait_s: 10, pack_after_s: 5, trial: true, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use model::{Scheme, units::CELL_BYTES};
    use plan::scheme::{Aim, TRANSFER_BYTES_MAX, offered, scheme_now, window_bytes};

    use crate::{pack_writer::PackWriter, pool::BUFFER_BYTES};

    #[test]
    fn what_a_transfer_takes_is_what_was_planned() {
        for wish in (2..=12).flat_map(offered).copied().chain([Scheme::new(24, 8)]) {
            for providers in 2..=12 {
                let scheme = scheme_now(wish, providers, Aim::Settled).expect("two providers are enough");
                let bytes = PackWriter::memory_bytes(scheme, CELL_BYTES as u32);
                assert_eq!(bytes, window_bytes(scheme, CELL_BYTES, BUFFER_BYTES as u64));
                assert!(bytes <= TRANSFER_BYTES_MAX, "{wish} on {providers}: {scheme} takes {bytes}");
            }
        }
    }
}
