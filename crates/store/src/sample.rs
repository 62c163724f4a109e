//! Sampled reads: of each shard a few blocks drawn by chance, the middle rung of the ladder.
//!
//! A disk that loses bytes rarely loses one: whoever reads a few blocks of everything each month finds a bad disk long before the
//! year in which all of it is read is over, for a thousandth of the bytes. **A sample proves nothing of what it did not read**, so a
//! shard that passed keeps the date of its last full read; one that did not pass is read whole at once, and judged by that.
//!
//! A pass is paced: some packs in each round, behind clients. It begins anew after a restart. What was away when its turn came is
//! looked at again each day, and until then the pass has not ended well.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, atomic::AtomicU64},
};

use catalogue::packs::PackView;
use model::{
    fleet::TargetState,
    id::{PackId, TargetId},
    pack::{Make, MakeState},
    units::{HASH_BLOCK_BYTES, ServiceTime},
};
use plan::{
    Topology,
    scrub::{draw_blocks, rung_is_due},
};

use crate::{
    Inner,
    error::{Error, Result},
    kinds::JobKind,
    locked,
    pacer::Work,
    schedule::Ended,
    sweep::Sweep,
    upkeep::gives_way,
};

/// Blocks of each shard: one in a hundred bad blocks is found in a few shards, and a request is what a firm bills.
const BLOCKS: u64 = 4;
/// Packs of one round: some hundred requests, which probes and repair wait for. Four million packs are through in a month.
const ROUND_PACKS: usize = 8;
/// What a pass could not look at is looked at again after this part of the time between two passes: after a day of a month.
const AGAIN_PART: u64 = 30;

/// How far the pass is.
#[derive(Default)]
pub(crate) struct Sampling {
    sweep: Sweep<PackView>,
    /// Rounds that gave way to clients.
    gave_way: AtomicU64,
    again: Mutex<Again>,
}

/// What a pass could not look at: the next one looks there alone, and until none is left the pass has not ended well.
#[derive(Default)]
struct Again {
    /// Targets that were away, spent or in trouble when their turn came.
    skipped: BTreeSet<TargetId>,
    /// Where the pass under way looks; everywhere if there is none.
    only: Option<BTreeSet<TargetId>>,
    /// When the next one may begin.
    not_before: ServiceTime,
}

impl Inner {
    /// Goes on with the pass, or begins one if the last one ended long enough ago. It ends well with its last pack.
    pub(crate) async fn sample(self: &Arc<Self>, everything: bool) -> Result<Ended> {
        let (now, sampling) = (self.service_time(), &self.upkeep.sampling);
        let mut round = match everything {
            true => sampling.sweep.round(true),
            false => sampling.sweep.round_of(ROUND_PACKS),
        };
        let since = self.upkeep.schedule.since(JobKind::Sample, now);
        if everything {
            *locked(&sampling.again) = Again::default();
        }
        if round.is_at_start() {
            let waits = locked(&sampling.again).not_before > now;
            if waits || !rung_is_due(since, now, self.settings.sample_every_s) {
                return Ok(Ended::More);
            }
        }
        if !everything && !self.pool.is_idle() && gives_way(&sampling.gave_way) {
            return Ok(Ended::More);
        }
        let topology = self.fleet.topology(self.now_us());
        while let Some(page) = round.next_page(&self.catalogue).await? {
            for view in &page {
                if self.is_stopping() {
                    return Ok(Ended::More);
                }
                if let Err(error) = self.sample_pack(view, &topology, now).await {
                    // What was found here, and what lies behind it in this page, is looked at again.
                    let behind = page.iter().skip_while(|other| other.id != view.id).flat_map(|view| &view.makes);
                    locked(&sampling.again).skipped.extend(behind.map(|found| found.make.target));
                    return Err(error);
                }
            }
        }
        if !round.has_ended() {
            return Ok(Ended::More);
        }
        let mut again = locked(&sampling.again);
        let skipped = std::mem::take(&mut again.skipped);
        if skipped.is_empty() {
            *again = Again::default();
            return Ok(Ended::Well);
        }
        again.only = Some(skipped);
        again.not_before = ServiceTime(now.0.saturating_add(self.settings.sample_every_s / AGAIN_PART));
        Ok(Ended::More)
    }

    /// Samples the makes of a pack that count, but for those that were read in full lately.
    async fn sample_pack(self: &Arc<Self>, view: &PackView, topology: &Topology, now: ServiceTime) -> Result<()> {
        for found in view.makes.iter().filter(|found| found.finding.state == MakeState::Good) {
            let target = found.make.target;
            let Some(seen) = topology.target(target) else { continue };
            if matches!(seen.state, TargetState::Lost | TargetState::Retired) {
                continue;
            }
            let read_lately = found.finding.verified_us.is_some()
                && !rung_is_due(found.finding.verified_at, now, self.settings.sample_every_s);
            let elsewhere = |again: &Again| again.only.as_ref().is_some_and(|only| !only.contains(&target));
            if read_lately || elsewhere(&locked(&self.upkeep.sampling.again)) {
                continue;
            }
            if seen.state != TargetState::Up || seen.spent {
                locked(&self.upkeep.sampling.again).skipped.insert(target);
                continue;
            }
            if self.check_blocks(view.id, &found.make).await.is_err() {
                // A target that does not answer proves nothing; what is wrong is bad from now on.
                self.judge_and_write_down(view.id, view.k, found.make).await?;
                self.upkeep.wake();
            }
        }
        Ok(())
    }

    /// Reads the hash list of a shard and some of its blocks, and checks them.
    async fn check_blocks(&self, pack: PackId, make: &Make) -> Result<()> {
        // It is read where the shard lies, not remembered.
        self.hash_lists.forget(make.make);
        let list = self.hash_list(pack, make).await?;
        let block_bytes = HASH_BLOCK_BYTES as u64;
        let blocks = make.lane_bytes.div_ceil(block_bytes);
        for block in draw_blocks(blocks, BLOCKS, self.world.entropy.as_ref()) {
            let at = block * block_bytes;
            let bytes = self.read_lane(pack, make, at..(at + block_bytes).min(make.lane_bytes)).await?;
            if !list.check(block as usize, &bytes) {
                return Err(Error::DamagedBlock { pack, lane: make.lane, block });
            }
            let read = bytes.len() as u64;
            self.pace(Work::waits(JobKind::Sample), read, &[(make.target, read)]).await;
        }
        Ok(())
    }
}
