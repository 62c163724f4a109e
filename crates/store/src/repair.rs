//! Repair: make again what is missing, on the firms that remain.
//!
//! `plan::repair` says what, in which order, from which lanes to which targets; this file does it. Lanes are made from k
//! others cell by cell, every block checked before it enters the decoder; the new shards are read back before the record
//! that names them. A pack that changed meanwhile keeps its new state and the repair is void.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use catalogue::{objects::ObjectView, packs::PackView};
use fleet::ObjectName;
use format::name::shard_name;
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{ObjectId, PackId},
    pack::{Make, MakeState},
};
use plan::{NewLane, RepairPolicy, RepairStep, Topology, repair::Source};

use crate::{
    Inner, Store,
    error::{Error, Result},
    kinds::JobKind,
    lanes::place_of,
    locate::PackPlace,
    pacer::Work,
};

/// What a repair is called among the jobs.
pub(crate) const JOB: &str = "repair";
/// What one plan reads and writes at most.
const PLAN_BYTES_MAX: u64 = 8 << 30;
/// Steps of one plan at most.
const PLAN_STEPS_MAX: usize = 256;
/// Packs that one plan chooses from: of more that need repair, those with the least margin.
const PACKS_MAX: usize = 2_048;
/// Copied objects that one plan chooses from.
const OBJECTS_MAX: usize = 5_000;

/// How long repair waits, and where it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// What may come back is waited for; the next share of all packs is looked at, or all if the fleet changed.
    Share,
    /// What may come back is waited for; everything is looked at.
    Whole,
    /// Nothing is waited for; everything is looked at.
    None,
}

/// What a round of repair did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    pub packs: usize,
    pub objects: usize,
    pub bytes: u64,
    pub failed: Vec<String>,
}

/// Whether one more copy of an object has a place. A target keeps one: with a single target at each of two firms nothing more
/// can be done, and nothing is read for it round after round. The report says where a second target helps.
fn may_gain(view: &ObjectView, topology: &Topology) -> bool {
    let keeps = |target| view.copies.iter().any(|copy| copy.target == target && copy.finding.state != MakeState::Bad);
    topology.targets().any(|target| target.takes(view.object.bytes) && !keeps(target.id))
}

impl Inner {
    /// Repairs until nothing is due.
    pub(crate) async fn repair_all(self: &Arc<Self>, patience: Patience) -> Result<Round> {
        self.write_down_bad().await?;
        let round = self.repair_rounds(patience).await;
        self.upkeep.jobs.end(JOB, self.now_us());
        round
    }

    async fn repair_rounds(self: &Arc<Self>, patience: Patience) -> Result<Round> {
        let changed = self.upkeep.fleet_changed(&self.fleet.topology(self.now_us()));
        let mut whole = changed || patience != Patience::Share;
        let mut total = Round::default();
        loop {
            let round = self.repair_round(patience, whole).await?;
            let done = round.packs + round.objects;
            total.packs += round.packs;
            total.objects += round.objects;
            total.bytes += round.bytes;
            let failed = !round.failed.is_empty();
            total.failed.extend(round.failed);
            if done == 0 || failed || self.is_stopping() {
                return Ok(total);
            }
            // Where there was something there is more.
            whole = true;
        }
    }

    /// The packs below settled that need repair most, as far as this round looks.
    async fn unsettled_packs(&self, topology: &Topology, whole: bool) -> Result<Vec<PackView>> {
        let mut found = BTreeMap::new();
        let mut consider = |page: Vec<PackView>| {
            for pack in page {
                let spread = plan::Spread::of_pack(&crate::view::of_pack(&pack), topology);
                if !spread.reaches(plan::Aim::Settled) {
                    found.insert((spread.margin().unwrap_or(usize::MAX), spread.distinct(), pack.id), pack);
                }
            }
            while found.len() > PACKS_MAX {
                found.pop_last();
            }
        };
        let known_bad = |tx: &mut catalogue::Tx<'_>| {
            let mut bad = catalogue::packs::with_state(tx, MakeState::Bad, PackId::default(), PACKS_MAX)?;
            bad.extend(catalogue::packs::with_state(tx, MakeState::Suspect, PackId::default(), PACKS_MAX)?);
            let views = bad.into_iter().map(|pack| catalogue::packs::view(tx, pack));
            Ok(views.collect::<catalogue::Result<Vec<_>>>()?.into_iter().flatten().collect())
        };
        if !whole {
            consider(self.catalogue.read(known_bad).await?);
        }
        let mut round = self.upkeep.repair_sweep.round(whole);
        let mut first = round.is_at_start();
        while let Some(page) = round.next_page(&self.catalogue).await? {
            self.count_packs(&page, topology, first, false);
            first = false;
            consider(page);
        }
        if round.has_ended() {
            self.count_packs(&[], topology, first, true);
        }
        Ok(found.into_values().collect())
    }

    /// The copied objects that may have too few copies.
    async fn thin_objects(&self, topology: &Topology, copies: usize) -> Result<Vec<ObjectView>> {
        let all_up = topology.targets().all(|view| view.state == TargetState::Up || view.state == TargetState::Retired);
        let providers: BTreeSet<_> = topology.targets().map(|view| view.provider).collect();
        if all_up && providers.len() == topology.targets().count() {
            return Ok(self.catalogue.read(move |tx| catalogue::objects::thin(tx, copies, OBJECTS_MAX)).await?);
        }
        // Copies that are away do not count, and where a provider has several targets, enough copies may still lie at
        // too few providers.
        let mut found = Vec::new();
        let mut after = ObjectId::default();
        while found.len() < OBJECTS_MAX {
            let page = self.catalogue.read(move |tx| catalogue::objects::views(tx, after, 500)).await?;
            let Some(last) = page.last() else { break };
            after = last.object.id;
            found.extend(page.into_iter().filter(|view| {
                let spread = plan::Spread::of_object(&crate::view::of_object(view), topology);
                view.object.released.is_none() && !(spread.is_settled() && spread.held().count() >= copies)
            }));
        }
        Ok(found)
    }

    async fn repair_round(self: &Arc<Self>, patience: Patience, whole: bool) -> Result<Round> {
        let topology = self.fleet.topology(self.now_us());
        let copies = match self.copies_wanted(&topology) {
            Ok(copies) => copies,
            // With one provider there is nowhere to repair to, but all the more to tell.
            Err(_) => {
                self.unsettled_packs(&topology, whole).await?;
                return Ok(Round::default());
            }
        };
        let policy = RepairPolicy {
            aim: plan::Aim::Settled,
            copies,
            down_wait_s: if patience == Patience::None { 0 } else { self.settings.down_wait_s },
            bytes_max: PLAN_BYTES_MAX,
            steps_max: PLAN_STEPS_MAX,
        };
        let packs = self.unsettled_packs(&topology, whole).await?;
        let mut objects = self.thin_objects(&topology, copies).await?;
        let spare = self.spare_journal().await?;
        objects.retain(|view| !spare.contains(&view.object.id) && may_gain(view, &topology));
        let pack_views: Vec<_> = packs.iter().map(crate::view::of_pack).collect();
        let object_views: Vec<_> = objects.iter().map(crate::view::of_object).collect();
        let planned = plan::repair(&pack_views, &object_views, &topology, &policy, self.world.entropy.as_ref());
        if !planned.steps.is_empty() {
            // What did not fit is taken to be as large, step by step.
            let deferred = planned.bytes / planned.steps.len() as u64 * planned.deferred as u64;
            self.upkeep.jobs.expect(JOB, planned.bytes.saturating_add(deferred), self.now_us());
        }
        let mut round = Round::default();
        for step in planned.steps {
            if self.is_stopping() {
                break;
            }
            match step {
                RepairStep::Pack { pack, write, .. } => {
                    let Some(view) = packs.iter().find(|view| view.id == pack) else { continue };
                    // What one firm's loss may end is made at any speed and any price.
                    let is_safe = plan::Spread::of_pack(&crate::view::of_pack(view), &topology).is_safe();
                    let work = if is_safe { Work::waits(JobKind::Repair) } else { Work::hurries(JobKind::Repair) };
                    match self.remake(view, &place_of(view), &write, work).await {
                        Ok(bytes) => {
                            round.packs += 1;
                            round.bytes += bytes;
                        }
                        Err(error) => round.failed.push(format!("pack {pack}: {error}")),
                    }
                }
                RepairStep::Object { object, read, write } => {
                    let Some(view) = objects.iter().find(|view| view.object.id == object) else { continue };
                    match self.repair_object(view, &read, &write).await {
                        Ok(bytes) => {
                            round.objects += 1;
                            round.bytes += bytes;
                        }
                        Err(error) => round.failed.push(format!("object {object}: {error}")),
                    }
                }
            }
        }
        Ok(round)
    }

    /// Writes down the makes that reads found bad.
    async fn write_down_bad(self: &Arc<Self>) -> Result<()> {
        let bad = std::mem::take(&mut *crate::locked(&self.bad_makes));
        if bad.is_empty() {
            return Ok(());
        }
        // A read says that something is wrong; a whole check says what.
        for (make, pack) in bad {
            let view = self.catalogue.read(move |tx| catalogue::packs::view(tx, pack)).await?;
            if let Some(view) = view.filter(|view| view.makes.iter().any(|known| known.make.make == make.make)) {
                self.judge_and_write_down(pack, view.k, make).await?;
            }
        }
        Ok(())
    }

    /// Makes lanes of a pack, read from `place`, and records them beside those that are good; bytes written.
    pub(crate) async fn remake(
        self: &Arc<Self>,
        view: &PackView,
        place: &PackPlace,
        write: &[NewLane],
        work: Work,
    ) -> Result<u64> {
        let revision = view.revision;
        let pack = view.id;
        let locations = self.catalogue.read(move |tx| catalogue::segments::of_pack(tx, pack)).await?;
        let locations: Vec<_> = locations.into_iter().map(|occupant| occupant.location).collect();
        let made = self.make_lanes(work, place, view.codec, locations, write).await?;
        let bytes = made.iter().map(|make| make.lane_bytes).sum();
        let topology = self.fleet.topology(self.now_us());
        let (at, proven) = (self.service_time(), self.proven_now());
        let grace_s = self.settings.grace_s;
        Store(self.clone())
            .commit(move |tx, draft| {
                let Some(current) = catalogue::packs::view(tx, pack)? else { return Ok(()) };
                if current.revision != revision {
                    return Err(Error::PackChanged { pack });
                }
                // A lane that was made again no longer needs its bad or lost makes.
                let replaced = |make: &Make, state: MakeState| {
                    made.iter().any(|new| new.lane == make.lane)
                        && (state == MakeState::Bad
                            || topology
                                .target(make.target)
                                .is_none_or(|view| matches!(view.state, TargetState::Lost | TargetState::Retired)))
                };
                for view in current.makes.iter().filter(|view| replaced(&view.make, view.finding.state)) {
                    let name = shard_name(pack, view.make.lane, view.make.make);
                    crate::reclaim::doom(tx, view.make.target, name, "replaced", at, grace_s)?;
                }
                let mut makes: Vec<Make> = current
                    .makes
                    .iter()
                    .filter(|view| !replaced(&view.make, view.finding.state))
                    .map(|view| view.make)
                    .collect();
                makes.extend(&made);
                draft.change(Scope::Cluster, Change::Makes { pack, makes });
                for make in &made {
                    catalogue::packs::set_finding(tx, pack, make.make, &proven)?;
                }
                Ok(())
            })
            .await?;
        Ok(bytes)
    }

    pub(crate) async fn repair_object(
        self: &Arc<Self>,
        view: &ObjectView,
        read: &[Source],
        write: &[plan::CopyPlace],
    ) -> Result<u64> {
        let name = ObjectName::parse(view.object.name.clone())?;
        let mut whole: Option<Bytes> = None;
        for source in read {
            let Ok(bytes) = self.read_object(source.target, &view.object.name, 0..view.object.bytes).await else {
                continue;
            };
            if blake3::hash(&bytes).as_bytes() == &view.object.hash {
                whole = Some(bytes);
                break;
            }
        }
        let Some(bytes) = whole else {
            return Err(Error::NoCopy { name: view.object.name.clone() });
        };
        let id = view.object.id;
        let mut done = Vec::new();
        for place in write.iter().filter(|place| place.copy == 0) {
            let driver = self.driver(place.target)?;
            match driver.put(&name, std::slice::from_ref(&bytes)).await {
                // It may lie there already from a put whose answer was lost; only whole objects have names.
                Ok(()) | Err(fleet::Error::Exists { .. }) => {
                    if self.reads_back(place.target, &view.object.name, &bytes).await {
                        done.push(place.target);
                    } else {
                        // Something else lay there; the next round finds the place free.
                        self.set_aside(place.target, &view.object.name).await;
                    }
                }
                Err(error) => self.fleet.failed(place.target, &error, self.now_us()),
            }
        }
        let written = bytes.len() as u64 * done.len() as u64;
        let finding = self.proven_now();
        if done.is_empty() {
            return Err(Error::NoCopy { name: view.object.name.clone() });
        }
        Store(self.clone())
            .commit(move |tx, _| {
                if catalogue::objects::view(tx, id)?.is_some() {
                    for target in &done {
                        catalogue::objects::set_copy(tx, id, &catalogue::objects::Copy { target: *target, finding })?;
                    }
                }
                Ok::<_, Error>(())
            })
            .await?;
        Ok(written)
    }
}
