//! Scrub: read what is kept, and say what is not as it should be.
//!
//! A shard is right when its header names this pack, lane and make, its hash list has the recorded root, and every
//! 64 KiB block has its hash. A copy is right when its BLAKE3 is the recorded one. What is wrong is marked *bad*, set aside
//! when it is there at all, and made again by repair; a target that merely does not answer proves nothing.

use std::sync::{Arc, atomic::Ordering};

use catalogue::{
    objects::ObjectView,
    packs::{Finding, PackView},
};
use fleet::ObjectName;
use format::{
    name::shard_name,
    shard::{HEADER_BYTES, decode_header},
};
use model::{
    id::{ObjectId, PackId, TargetId},
    pack::{Make, MakeState},
    units::HASH_BLOCK_BYTES,
    world::BoxFuture,
};
use plan::{
    Topology,
    scrub::{ScrubPolicy, ScrubStep},
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    kinds::JobKind,
    pacer::Work,
    repair::Patience,
    schedule::Ended,
};
/// What a scrub is called among the jobs.
const JOB: &str = "scrub";
/// Packs with suspects that are looked at together.
const SUSPECTS_PAGE: usize = 200;
/// How many such pages a round looks at.
const SUSPECTS_PAGES_MAX: usize = 10;
/// Bytes of a lane that are read at once.
const READ_BYTES: u64 = 1 << 20;

/// What a scrub found and what was done about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// 64 KiB blocks of lanes, and copies, that were read and checked.
    pub cells_checked: u64,
    /// Shards and copies with wrong bytes.
    pub damaged: u64,
    /// Shards and copies that are not there although their target is.
    pub missing: u64,
    /// Of those, made again.
    pub repaired: u64,
}

/// A scrub on its way: what is left of its budget, and what it found.
struct Scrubbing {
    topology: Topology,
    policy: ScrubPolicy,
    report: ScrubReport,
    /// Something that is due was not read since the sweep began.
    left: bool,
}

/// The next packs with a make that does not count until it is read.
fn suspects(tx: &catalogue::Tx<'_>, after: PackId) -> catalogue::Result<Vec<PackView>> {
    let found = catalogue::packs::with_state(tx, MakeState::Suspect, after, SUSPECTS_PAGE)?;
    let views = found.into_iter().map(|pack| catalogue::packs::view(tx, pack));
    Ok(views.collect::<catalogue::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// What one read found.
#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    Right(u64),
    Damaged(u64),
    Missing,
    /// The target does not answer.
    Unknown,
}

impl Store {
    /// Reads everything at every target that is up, then repairs what is wrong; strays become a finding.
    ///
    /// # Errors
    /// The catalogue's own trouble; what is damaged is a finding, not an error.
    pub fn scrub(&self) -> BoxFuture<'_, Result<ScrubReport>> {
        Box::pin(async move {
            let everything = ScrubPolicy { again_after_s: 0, bytes_max: u64::MAX };
            let (_, lane_bytes) = self.read(|tx| catalogue::packs::makes_total(tx)).await?;
            self.0.upkeep.jobs.expect(JOB, lane_bytes, self.0.now_us());
            let done = self.0.scrub_due(&everything, true).await;
            self.0.upkeep.jobs.end(JOB, self.0.now_us());
            let (mut report, ended) = done?;
            self.0.upkeep.schedule.end(JobKind::Scrub, ended, self.now().wall_us, self.service_time());
            if report.damaged + report.missing > 0 && !self.0.upkeep.schedule.is_paused(JobKind::Repair) {
                let before = self.0.count_bad().await?;
                self.0.repair_all(Patience::None).await?;
                report.repaired = before.saturating_sub(self.0.count_bad().await?);
            }
            // Whoever does not list now is asked again in the rounds to come.
            let _ = self.0.find_strays_again().await;
            Ok(report)
        })
    }
}

impl Inner {
    /// Reads what the policy says is due: suspects first, then the next share of the rest, or all of it. It ends well when a
    /// sweep over all packs has come to its end and nothing that is due was left on the way.
    pub(crate) async fn scrub_due(
        self: &Arc<Self>,
        policy: &ScrubPolicy,
        everything: bool,
    ) -> Result<(ScrubReport, Ended)> {
        let topology = self.fleet.topology(self.now_us());
        let mut scrubbing = Scrubbing { topology, policy: *policy, report: ScrubReport::default(), left: false };
        let mut after = PackId::default();
        for _ in 0..if everything { 0 } else { SUSPECTS_PAGES_MAX } {
            let page = self.catalogue.read(move |tx| suspects(tx, after)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            self.scrub_packs(&page, &mut scrubbing).await?;
            if scrubbing.policy.bytes_max == 0 {
                break;
            }
        }
        let mut round = self.upkeep.scrub_sweep.round(everything);
        scrubbing.left = !round.is_at_start() && self.upkeep.scrub_left.load(Ordering::Relaxed);
        while scrubbing.policy.bytes_max > 0
            && let Some(page) = round.next_page(&self.catalogue).await?
        {
            self.scrub_packs(&page, &mut scrubbing).await?;
        }
        let ended = if round.has_ended() && !scrubbing.left { Ended::Well } else { Ended::More };
        self.upkeep.scrub_left.store(scrubbing.left, Ordering::Relaxed);
        let mut round = self.upkeep.scrub_objects.round(everything);
        while let Some(page) = round.next_page(&self.catalogue).await? {
            self.scrub_objects(&page, &mut scrubbing).await?;
        }
        Ok((scrubbing.report, ended))
    }

    async fn scrub_packs(self: &Arc<Self>, page: &[PackView], scrubbing: &mut Scrubbing) -> Result<()> {
        let views: Vec<_> = page.iter().map(crate::view::of_pack).collect();
        let planned = plan::scrub::scrub(&views, &[], &scrubbing.topology, self.service_time(), &scrubbing.policy);
        scrubbing.policy.bytes_max = scrubbing.policy.bytes_max.saturating_sub(planned.bytes);
        scrubbing.left |= planned.deferred > 0;
        for step in planned.steps {
            let ScrubStep::Lane { pack, make, .. } = step else { continue };
            let Some(view) = page.iter().find(|view| view.id == pack) else { continue };
            let Some(found) = view.makes.iter().find(|found| found.make.make == make) else { continue };
            let verdict = self.judge_shard(pack, view.k, &found.make).await;
            self.upkeep.jobs.did(JOB, found.make.lane_bytes);
            scrubbing.left |= matches!(verdict, Verdict::Unknown);
            if self.write_down(pack, found.make, verdict).await? {
                scrubbing.report.count(verdict);
            }
        }
        Ok(())
    }

    async fn scrub_objects(self: &Arc<Self>, page: &[ObjectView], scrubbing: &mut Scrubbing) -> Result<()> {
        let live: Vec<_> = page.iter().filter(|view| view.object.released.is_none()).collect();
        let views: Vec<_> = live.iter().map(|view| crate::view::of_object(view)).collect();
        // Copied objects are few and small: they do not wait for the packs' budget, and are read whole where of packs a sample is.
        let again_after_s = scrubbing.policy.again_after_s.min(self.settings.sample_every_s);
        let policy = ScrubPolicy { bytes_max: u64::MAX, again_after_s };
        for step in plan::scrub::scrub(&[], &views, &scrubbing.topology, self.service_time(), &policy).steps {
            let ScrubStep::Copy { object, target, .. } = step else { continue };
            let Some(view) = live.iter().find(|view| view.object.id == object) else { continue };
            let verdict = self.judge_copy(&view.object.name, view.object.bytes, &view.object.hash, target).await;
            if self.write_down_copy(object, target, verdict).await? {
                scrubbing.report.count(verdict);
            }
        }
        Ok(())
    }

    /// Reads a whole shard and checks every block; how many blocks.
    pub(crate) async fn check_shard(&self, work: Work, pack: PackId, k: u8, make: &Make) -> Result<u64> {
        let name = shard_name(pack, make.lane, make.make);
        let header = self.read_object(make.target, &name, 0..HEADER_BYTES as u64).await?;
        let header = decode_header(&header)?;
        if (header.pack, header.lane, header.make, header.k) != (pack, make.lane, make.make, k) {
            return Err(Error::DamagedBlock { pack, lane: make.lane, block: 0 });
        }
        self.hash_lists.forget(make.make);
        let list = self.hash_list(pack, make).await?;
        let mut at = 0;
        let mut blocks = 0;
        while at < make.lane_bytes {
            let end = (at + READ_BYTES).min(make.lane_bytes);
            let bytes = self.read_lane(pack, make, at..end).await?;
            for piece in bytes.chunks(HASH_BLOCK_BYTES) {
                if !list.check(blocks as usize, piece) {
                    return Err(Error::DamagedBlock { pack, lane: make.lane, block: blocks });
                }
                blocks += 1;
            }
            at = end;
            self.pace(work, bytes.len() as u64, &[(make.target, bytes.len() as u64)]).await;
        }
        Ok(blocks.max(1))
    }

    /// Checks a make that a read found wrong, and writes the verdict down.
    pub(crate) async fn judge_and_write_down(self: &Arc<Self>, pack: PackId, k: u8, make: Make) -> Result<()> {
        let verdict = self.judge_shard(pack, k, &make).await;
        self.write_down(pack, make, verdict).await.map(drop)
    }

    async fn judge_shard(&self, pack: PackId, k: u8, make: &Make) -> Verdict {
        match self.check_shard(Work::waits(JobKind::Scrub), pack, k, make).await {
            Ok(blocks) => Verdict::Right(blocks),
            Err(Error::DamagedBlock { block, .. }) => Verdict::Damaged(block + 1),
            Err(Error::Format(_)) => Verdict::Damaged(1),
            Err(Error::Fleet(error)) => match error.class() {
                model::Class::Missing => Verdict::Missing,
                model::Class::Damaged => Verdict::Damaged(1),
                _ => Verdict::Unknown,
            },
            Err(_) => Verdict::Unknown,
        }
    }

    /// Reads a copy, and writes down what was found.
    pub(crate) async fn check_copy(
        self: &Arc<Self>,
        object: &catalogue::objects::ObjectRow,
        target: TargetId,
    ) -> Result<()> {
        let verdict = self.judge_copy(&object.name, object.bytes, &object.hash, target).await;
        self.write_down_copy(object.id, target, verdict).await.map(drop)
    }

    async fn judge_copy(&self, name: &str, bytes: u64, hash: &[u8; 32], target: TargetId) -> Verdict {
        match self.read_object(target, name, 0..bytes).await {
            Ok(read) if blake3::hash(&read).as_bytes() == hash => Verdict::Right(1),
            Ok(_) => Verdict::Damaged(1),
            Err(Error::Fleet(error)) => match error.class() {
                model::Class::Missing => Verdict::Missing,
                model::Class::Damaged => Verdict::Damaged(1),
                _ => Verdict::Unknown,
            },
            Err(_) => Verdict::Unknown,
        }
    }

    fn finding(&self, verdict: Verdict) -> Option<Finding> {
        match verdict {
            Verdict::Right(_) => Some(Finding {
                state: MakeState::Good,
                verified_us: Some(self.world.clock.now().wall_us),
                verified_at: self.service_time(),
                verified_generation: self.generation(),
            }),
            Verdict::Damaged(_) | Verdict::Missing => Some(Finding { state: MakeState::Bad, ..Finding::default() }),
            Verdict::Unknown => None,
        }
    }

    /// Notes what was found of a make; whether it is still wanted. One that was dropped while it was read is neither damaged
    /// nor missing.
    pub(crate) async fn write_down(self: &Arc<Self>, pack: PackId, make: Make, verdict: Verdict) -> Result<bool> {
        let Some(finding) = self.finding(verdict) else { return Ok(true) };
        let wanted = Store(self.clone())
            .commit(move |tx, _| {
                let wanted = catalogue::packs::makes(tx, pack)?.iter().any(|view| view.make.make == make.make);
                if wanted {
                    catalogue::packs::set_finding(tx, pack, make.make, &finding)?;
                }
                Ok::<_, Error>(wanted)
            })
            .await?;
        // Only now: were it moved first, a crash in between would leave a record that still calls it good.
        if wanted && let Verdict::Damaged(_) = verdict {
            self.set_aside(make.target, &shard_name(pack, make.lane, make.make)).await;
        }
        Ok(wanted)
    }

    /// Notes what was found of a copy; whether it is still wanted. The journal is released while copies are read.
    pub(crate) async fn write_down_copy(
        self: &Arc<Self>,
        object: ObjectId,
        target: TargetId,
        verdict: Verdict,
    ) -> Result<bool> {
        let Some(finding) = self.finding(verdict) else { return Ok(true) };
        Store(self.clone())
            .commit(move |tx, _| {
                let view = catalogue::objects::view(tx, object)?.filter(|view| view.object.released.is_none());
                let wanted = view.is_some_and(|view| view.copies.iter().any(|copy| copy.target == target));
                if wanted {
                    catalogue::objects::set_copy(tx, object, &catalogue::objects::Copy { target, finding })?;
                }
                Ok::<_, Error>(wanted)
            })
            .await
    }

    /// Moves a bad object out of the way, for a person to look at.
    pub(crate) async fn set_aside(&self, target: TargetId, name: &str) {
        if let (Ok(driver), Ok(name)) = (self.driver(target), ObjectName::parse(name)) {
            // What cannot be moved stays; its name is never used again anyway.
            let _ = driver.set_aside(&name).await;
        }
    }

    async fn count_bad(&self) -> Result<u64> {
        let mut bad = 0;
        let mut after = PackId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::packs::pack_views(tx, after, 200)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            bad += page.iter().flat_map(|view| &view.makes).filter(|view| view.finding.state == MakeState::Bad).count();
        }
        let mut after = ObjectId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::objects::views(tx, after, 500)).await?;
            let Some(last) = page.last() else { break };
            after = last.object.id;
            bad +=
                page.iter().flat_map(|view| &view.copies).filter(|copy| copy.finding.state == MakeState::Bad).count();
        }
        Ok(bad as u64)
    }
}

impl ScrubReport {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Right(blocks) => self.cells_checked += blocks,
            Verdict::Damaged(blocks) => {
                self.cells_checked += blocks;
                self.damaged += 1;
            }
            Verdict::Missing => self.missing += 1,
            Verdict::Unknown => {}
        }
    }
}
