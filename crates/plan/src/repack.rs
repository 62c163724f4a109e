//! Which packs are worth rewriting without their dead bytes.
//!
//! Rewriting a pack of live share u costs u / (1 − u) bytes of traffic for each byte won: one at one half, ten at nine
//! tenths. So packs are left alone while a good part of them lives (half, unless the operator wants less traffic), and
//! those that cost least are taken first. A pack without
//! any live byte needs no rewriting: it is dead, which is a decision to be recorded.

use model::id::PackId;

use crate::margin::Ladder;

/// A pack's live share, as far as repacking depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepackView {
    /// The pack.
    pub id: PackId,
    /// Bytes of segments that something still needs.
    pub live_bytes: u64,
    /// Bytes of all its segments.
    pub bytes: u64,
    /// Something in it is under a hold: it stays where it is.
    pub held: bool,
    /// Where it stands: what is not settled is repaired first.
    pub state: Ladder,
}

/// How eagerly and how much is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepackPolicy {
    /// A pack is left alone while so many percent of it live.
    pub live_percent: u8,
    /// The most live bytes that one plan moves; the first pack is always taken.
    pub bytes_max: u64,
}

/// The packs to rewrite now, cheapest first.
pub fn repack(packs: &[RepackView], policy: &RepackPolicy) -> Vec<PackId> {
    let hollow = |pack: &RepackView| {
        u128::from(pack.live_bytes) * 100 < u128::from(pack.bytes) * u128::from(policy.live_percent)
    };
    let worth = |pack: &&RepackView| pack.live_bytes > 0 && hollow(pack) && !pack.held && pack.state >= Ladder::Settled;
    let mut order: Vec<&RepackView> = packs.iter().filter(worth).collect();
    let millionths = |pack: &RepackView| u128::from(pack.live_bytes) * 1_000_000 / u128::from(pack.bytes.max(1));
    order.sort_by_key(|pack| (millionths(pack), pack.id));
    let mut moved = 0u64;
    let mut chosen = Vec::new();
    for pack in order {
        moved = moved.saturating_add(pack.live_bytes);
        if !chosen.is_empty() && moved > policy.bytes_max {
            break;
        }
        chosen.push(pack.id);
    }
    chosen
}

/// The packs in which nothing lives, so that their end can be recorded; none that is held.
pub fn dead(packs: &[RepackView]) -> Vec<PackId> {
    packs.iter().filter(|pack| pack.live_bytes == 0 && !pack.held).map(|pack| pack.id).collect()
}

#[cfg(test)]
mod tests {
    use model::id::PackId;

    use super::{RepackPolicy, RepackView, dead, repack};
    use crate::margin::Ladder;

    fn pack(id: u8, live_bytes: u64) -> RepackView {
        RepackView { id: PackId([id; 16]), live_bytes, bytes: 100, held: false, state: Ladder::Verified }
    }

    #[test]
    fn takes_packs_that_are_less_than_half_alive() {
        let mut packs =
            [pack(1, 49), pack(2, 50), pack(3, 100), pack(4, 1), pack(5, 0), pack(6, 10), pack(7, 10), pack(8, 0)];
        packs[5].held = true;
        packs[6].state = Ladder::Safe;
        packs[7].held = true;
        let id = |number: u8| PackId([number; 16]);
        let policy = RepackPolicy { live_percent: 50, bytes_max: u64::MAX };
        assert_eq!(repack(&packs, &policy), [id(4), id(1)]);
        assert_eq!(repack(&packs, &RepackPolicy { bytes_max: 0, ..policy }), [id(4)], "never nothing");
        assert_eq!(repack(&packs, &RepackPolicy { live_percent: 2, ..policy }), [id(4)]);
        assert_eq!(repack(&packs, &RepackPolicy { live_percent: 0, ..policy }), []);
        assert_eq!(dead(&packs), [id(5)]);
    }
}
