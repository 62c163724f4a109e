//! Fill: packs that were written while firms were fewer move onto a firm that joined, in the background.
//!
//! [`plan::fill()`] says which lanes move where. They are copied and read back, and one record then names the new makes
//! and no longer the old ones, whose shards go after their grace time like all that is dead. So at every moment, also in
//! a crash, the pack is verified on the makes that its record names.
//!
//! A round moves little and gives way to clients; nothing moves while somebody is away or destruction is paused, since
//! the room that a move is made for could not be given back then.

use std::sync::{Arc, Mutex, atomic::AtomicU64};

use catalogue::packs::{MakeView, PackView};
use format::name::shard_name;
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{MakeId, ProviderId, TargetId},
    pack::{Make, MakeState},
};
use plan::{FillPolicy, Move, Stored, Topology};

use crate::{
    Inner, Store,
    error::{Error, Result},
    kinds::JobKind,
    lanes::place_of,
    locked,
    pacer::Work,
    sweep::{Round, Sweep},
    upkeep::gives_way,
};

/// What filling is called among the jobs.
pub(crate) const JOB: &str = "filling";
/// Bytes that one round writes.
const ROUND_BYTES: u64 = 256 << 20;
/// What is stored where is counted anew after so long, and whenever the fleet changed.
const COUNT_AGAIN_US: u64 = 3_600_000_000;

/// What the fleet looked like when bytes were counted.
type Seen = Vec<(TargetId, ProviderId, TargetState, bool)>;

/// How far filling is.
#[derive(Default)]
pub(crate) struct Filling {
    sweep: Sweep<PackView>,
    /// When it was counted, for which fleet, and what.
    stored: Mutex<Option<(u64, Seen, Stored)>>,
    /// Rounds that gave way to clients.
    gave_way: AtomicU64,
}

impl Inner {
    /// One round; how many packs were moved.
    pub(crate) async fn fill(self: &Arc<Self>, everything: bool) -> Result<usize> {
        let topology = self.fleet.topology(self.now_us());
        if !self.settings.fill || !topology.is_whole() || self.gate().await?.pause(&topology).is_some() {
            self.upkeep.jobs.end(JOB, self.now_us());
            return Ok(0);
        }
        if !everything && !self.pool.is_idle() && gives_way(&self.upkeep.filling.gave_way) {
            return Ok(0);
        }
        // With one provider there is nowhere to move to.
        let Ok(wish) = self.scheme_now(&topology) else { return Ok(0) };
        let mut stored = self.stored(&topology, everything).await?;
        let mut left = if everything { u64::MAX } else { ROUND_BYTES };
        let mut round = self.upkeep.filling.sweep.round(everything);
        let mut total = 0;
        while let Some(packs) = round.next_page(&self.catalogue).await? {
            let views: Vec<_> = packs.iter().map(crate::view::of_pack).collect();
            let policy = FillPolicy { wish, bytes_max: left };
            let moves = plan::fill(&views, &topology, &mut stored, &policy, self.world.entropy.as_ref());
            let bytes = moves.iter().map(|step| step.bytes).sum::<u64>();
            self.expect_filling(&topology, &stored, bytes);
            left = left.saturating_sub(bytes);
            if let Some(last) = moves.last().filter(|_| left == 0) {
                round.stop_behind(last.pack);
            }
            total += self.move_all(&packs, moves, &mut round).await?;
            if self.is_stopping() {
                break;
            }
        }
        self.keep_stored(stored);
        if total == 0 {
            self.upkeep.jobs.end(JOB, self.now_us());
        } else {
            // There may be more, and nobody else needs the line.
            self.upkeep.wake();
        }
        Ok(total)
    }

    /// Does the moves of a page. One that fails ends the round behind its pack, so that it holds up nobody for ever.
    async fn move_all(
        self: &Arc<Self>,
        packs: &[PackView],
        moves: Vec<Move>,
        round: &mut Round<'_, PackView>,
    ) -> Result<usize> {
        let mut done = 0;
        for step in moves {
            let Some(view) = packs.iter().find(|view| view.id == step.pack) else { continue };
            if self.is_stopping() {
                break;
            }
            let moved = self.move_lanes(view, &step).await;
            if moved.is_err() {
                // What was noted as moved was not.
                *locked(&self.upkeep.filling.stored) = None;
            }
            match moved {
                Ok(()) => done += 1,
                // It has another shape now; the next pass looks at that one.
                Err(Error::PackChanged { .. }) => {}
                Err(error) => {
                    round.stop_behind(step.pack);
                    return Err(error);
                }
            }
        }
        Ok(done)
    }

    /// Writes the new makes, reads them back, and records them in place of the old ones.
    async fn move_lanes(self: &Arc<Self>, view: &PackView, step: &Move) -> Result<()> {
        let (pack, revision, codec) = (view.id, view.revision, view.codec);
        let locations = self.catalogue.read(move |tx| catalogue::segments::of_pack(tx, pack)).await?;
        let locations: Vec<_> = locations.into_iter().map(|occupant| occupant.location).collect();
        let made = self.make_lanes(Work::waits(JobKind::Fill), &place_of(view), codec, locations, &step.write).await?;
        let drop: Vec<MakeId> = step.drop.clone();
        let proven = self.proven_now();
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        Store(self.clone())
            .commit(move |tx, draft| {
                let current = catalogue::packs::view(tx, pack)?.filter(|current| current.revision == revision);
                let Some(current) = current else { return Err(Error::PackChanged { pack }) };
                let (goes, stays): (Vec<&MakeView>, Vec<&MakeView>) =
                    current.makes.iter().partition(|view| drop.contains(&view.make.make));
                // A finding against a make that stays voids what the move was decided on.
                if stays.iter().any(|view| view.finding.state != MakeState::Good) {
                    return Err(Error::PackChanged { pack });
                }
                for view in goes {
                    let name = shard_name(pack, view.make.lane, view.make.make);
                    crate::reclaim::doom(tx, view.make.target, name, "moved", at, grace_s)?;
                }
                let makes: Vec<Make> = stays.iter().map(|view| view.make).chain(made.iter().copied()).collect();
                draft.change(Scope::Cluster, Change::Makes { pack, makes });
                for make in &made {
                    catalogue::packs::set_finding(tx, pack, make.make, &proven)?;
                }
                Ok(())
            })
            .await
    }

    /// Bytes at each provider, as they were counted within the hour and moved since.
    async fn stored(&self, topology: &Topology, anew: bool) -> Result<Stored> {
        let seen = seen(topology);
        let now_us = self.now_us();
        let known = locked(&self.upkeep.filling.stored).clone();
        if let Some((at_us, for_fleet, stored)) = known
            && !anew
            && for_fleet == seen
            && now_us.saturating_sub(at_us) < COUNT_AGAIN_US
        {
            return Ok(stored);
        }
        let counted = self.catalogue.read(|tx| catalogue::packs::bytes_by_target(tx)).await?;
        let at = |(target, bytes)| Some((topology.target(target)?.provider, bytes));
        let stored = Stored::new(counted.into_iter().filter_map(at));
        *locked(&self.upkeep.filling.stored) = Some((now_us, seen, stored.clone()));
        Ok(stored)
    }

    fn keep_stored(&self, moved: Stored) {
        if let Some((_, _, stored)) = locked(&self.upkeep.filling.stored).as_mut() {
            *stored = moved;
        }
    }

    /// Says how much is ahead: what hungry firms lack, or at least what this round writes.
    fn expect_filling(&self, topology: &Topology, stored: &Stored, planned: u64) {
        let lacking = stored.hungry(topology).iter().fold(0u64, |sum, (_, lacks)| sum.saturating_add(*lacks));
        if planned > 0 {
            // A byte that is moved is read once and written once, as the job counts.
            self.upkeep.jobs.expect(JOB, planned.saturating_add(lacking).saturating_mul(2), self.now_us());
        }
    }
}

fn seen(topology: &Topology) -> Seen {
    topology.targets().map(|target| (target.id, target.provider, target.state, target.cordoned)).collect()
}
