//! Repair: make again what is missing, on the firms that remain.
//!
//! `plan::repair` says what, in which order, from which lanes to which targets; this file does it. Lanes are made from k
//! others cell by cell, every block checked before it enters the decoder; the new shards are read back before the record
//! that names them. A pack that changed meanwhile keeps its new state and the repair is void.

use std::sync::Arc;

use bytes::Bytes;
use fleet::ObjectName;
use format::{name::shard_name, shard::ShardHeader};
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{MakeId, ObjectId, PackId},
    pack::{Make, MakeState, Pack},
};
use plan::{NewLane, RepairPolicy, RepairStep, repair::Source};

use crate::{
    Inner, Store,
    copies::unverified,
    error::{Error, Result},
    locate::PackPlace,
    pack_writer::LaneSink,
};

/// Bytes of a lane that are made at once.
const STEP_BYTES: u64 = 1 << 20;

/// What a round of repair did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    pub packs: usize,
    pub objects: usize,
    pub bytes: u64,
    pub failed: Vec<String>,
}

impl Inner {
    /// Repairs until nothing is due; `now` does not wait for targets that may come back.
    pub(crate) async fn repair_all(self: &Arc<Self>, now: bool) -> Result<Round> {
        self.write_down_bad().await?;
        let mut total = Round::default();
        loop {
            let round = self.repair_round(now).await?;
            let done = round.packs + round.objects;
            total.packs += round.packs;
            total.objects += round.objects;
            total.bytes += round.bytes;
            let failed = !round.failed.is_empty();
            total.failed.extend(round.failed);
            if done == 0 || failed || self.is_stopping() {
                return Ok(total);
            }
        }
    }

    async fn repair_round(self: &Arc<Self>, now: bool) -> Result<Round> {
        let topology = self.fleet.topology(self.now_us());
        let copies = match self.copies_wanted(&topology) {
            Ok(copies) => copies,
            // With one provider there is nowhere to repair to.
            Err(_) => return Ok(Round::default()),
        };
        let policy = RepairPolicy {
            aim: plan::Aim::Settled,
            copies,
            down_wait_s: if now { 0 } else { self.settings.down_wait_s },
            bytes_max: 8 << 30,
            steps_max: 256,
        };
        let mut packs = Vec::new();
        let mut after = PackId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::packs::pack_views(tx, after, 500)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let due = page.into_iter().filter(|view| {
                !plan::Spread::of_pack(&crate::view::of_pack(view), &topology).reaches(plan::Aim::Settled)
            });
            packs.extend(due);
        }
        let all_up = topology.targets().all(|view| view.state == TargetState::Up || view.state == TargetState::Retired);
        let mut objects = self.catalogue.read(move |tx| catalogue::objects::thin(tx, copies, 5_000)).await?;
        // Where a provider has several targets, enough copies may still lie at too few providers.
        let providers: std::collections::BTreeSet<_> = topology.targets().map(|view| view.provider).collect();
        if !all_up || providers.len() < topology.targets().count() {
            let mut after = ObjectId::default();
            objects.clear();
            loop {
                let page = self.catalogue.read(move |tx| catalogue::objects::views(tx, after, 500)).await?;
                let Some(last) = page.last() else { break };
                after = last.object.id;
                objects.extend(page.into_iter().filter(|view| view.object.released.is_none()));
            }
        }
        let pack_views: Vec<_> = packs.iter().map(crate::view::of_pack).collect();
        let object_views: Vec<_> = objects.iter().map(crate::view::of_object).collect();
        let planned = plan::repair(&pack_views, &object_views, &topology, &policy, self.world.entropy.as_ref());
        self.upkeep.repair_planned(planned.bytes, planned.deferred);
        let mut round = Round::default();
        for step in planned.steps {
            if self.is_stopping() {
                break;
            }
            match step {
                RepairStep::Pack { pack, write, .. } => {
                    let Some(view) = packs.iter().find(|view| view.id == pack) else { continue };
                    match self.repair_pack(view, &write).await {
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

    /// Makes lanes of a pack and records them; bytes written.
    async fn repair_pack(self: &Arc<Self>, view: &catalogue::packs::PackView, write: &[NewLane]) -> Result<u64> {
        let place = place_of(view);
        let revision = view.revision;
        let pack = view.id;
        let locations = self.catalogue.read(move |tx| catalogue::segments::of_pack(tx, pack)).await?;
        let locations: Vec<_> = locations.into_iter().map(|occupant| occupant.location).collect();
        let made = self.make_lanes(&place, view.codec, locations, write).await?;
        let bytes = made.iter().map(|make| make.lane_bytes).sum();
        let topology = self.fleet.topology(self.now_us());
        let (at, wall_us, generation) = (self.service_time(), self.world.clock.now().wall_us, self.generation());
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
                    let finding = catalogue::packs::Finding {
                        state: MakeState::Good,
                        verified_us: Some(wall_us),
                        verified_at: at,
                        verified_generation: generation,
                    };
                    catalogue::packs::set_finding(tx, pack, make.make, &finding)?;
                }
                Ok(())
            })
            .await?;
        Ok(bytes)
    }

    /// Makes these lanes from k others and reads them back.
    async fn make_lanes(
        self: &Arc<Self>,
        place: &PackPlace,
        codec: u8,
        locations: Vec<model::pack::Location>,
        write: &[NewLane],
    ) -> Result<Vec<Make>> {
        let lane_bytes = place.makes.iter().map(|(make, _)| make.lane_bytes).max().unwrap_or(0);
        let known = |lane: u8| place.makes.iter().find(|(make, _)| make.lane == lane).map(|(make, _)| make.lane_bytes);
        let sinks: Vec<(NewLane, u64, LaneSink)> = write
            .iter()
            .map(|new| {
                let make = MakeId::random(self.world.entropy.as_ref());
                let header = ShardHeader {
                    cluster: self.cluster,
                    pack: place.pack,
                    make,
                    lane: new.lane,
                    k: place.k,
                    codec,
                    cell_bytes: place.cell_bytes,
                };
                // A parity lane is as long as the longest data lane.
                let bytes = known(new.lane).unwrap_or_else(|| lane_length(new.lane, place, &locations, lane_bytes));
                (*new, bytes, LaneSink::start(self, header, new.target, bytes))
            })
            .collect();
        let mut at = 0;
        while at < lane_bytes {
            let end = (at + STEP_BYTES).min(lane_bytes);
            let want: Vec<_> = write.iter().map(|new| (new.lane, at..end)).collect();
            let made = self.reconstruct(place, &want).await.map_err(|detail| Error::Unreadable {
                segment: locations.first().map(|location| location.segment).unwrap_or_default(),
                detail,
            })?;
            for ((_, bytes, sink), made) in sinks.iter().zip(made) {
                let keep = bytes.saturating_sub(at).min(made.len() as u64) as usize;
                if keep > 0 {
                    sink.send(made.freeze().slice(..keep)).await;
                }
            }
            self.upkeep.repaired(end - at);
            self.upkeep.pace(&self.world, self.settings.upkeep_bytes_per_s, end - at).await;
            at = end;
        }
        let locations = Arc::new(locations);
        for (_, _, sink) in &sinks {
            sink.ask_close(&locations).await;
        }
        let mut made = Vec::with_capacity(sinks.len());
        for (new, _, sink) in sinks {
            let (target, make, finished) = sink.finish().await.map_err(|target| fleet::Error::Down {
                target: target.to_string(),
                reason: "it failed while a lane was made".to_owned(),
            })?;
            made.push(Make { lane: new.lane, make, target, lane_bytes: finished.lane_bytes, root: finished.root });
        }
        for make in &made {
            self.check_shard(place.pack, place.k, make).await?;
        }
        Ok(made)
    }

    /// Adds parity to a pack that is being closed, until it is safe; all makes that count then.
    pub(crate) async fn strengthen(self: &Arc<Self>, pack: &Pack) -> Result<Vec<Make>> {
        let mut makes = pack.makes.clone();
        let providers_up = || self.fleet.topology(self.now_us()).healthy_providers().len();
        let deadline_us = self.now_us() + self.settings.write_deadline_s * 1_000_000;
        // With fewer than k lanes there is nothing to make others from, and no telling how long they were.
        let lanes: std::collections::BTreeSet<u8> = makes.iter().map(|make| make.lane).collect();
        if lanes.len() < usize::from(pack.k) {
            let detail = format!("{} of {} lanes were written before targets failed", lanes.len(), pack.k);
            return Err(Error::Unsafe { providers_up: providers_up(), detail });
        }
        loop {
            let topology = self.fleet.topology(self.now_us());
            let view = plan::PackView {
                id: pack.id,
                k: pack.k,
                lane_bytes: makes.iter().map(|make| make.lane_bytes).max().unwrap_or(0),
                lanes: makes
                    .iter()
                    .map(|make| plan::LaneView {
                        lane: make.lane,
                        make: make.make,
                        target: make.target,
                        state: MakeState::Good,
                        proven: None,
                    })
                    .collect(),
                held: false,
                acknowledged: false,
            };
            if plan::Spread::of_pack(&view, &topology).is_safe() {
                return Ok(makes);
            }
            let detail = |detail: String| Error::Unsafe { providers_up: providers_up(), detail };
            if self.now_us() > deadline_us {
                return Err(detail("no targets took the missing lanes in time".to_owned()));
            }
            let added = plan::place_added(&view, plan::Aim::Settled, &topology, self.world.entropy.as_ref())
                .or_else(|_| plan::place_added(&view, plan::Aim::Safe, &topology, self.world.entropy.as_ref()))
                .map_err(|error| detail(error.to_string()))?;
            let place = PackPlace {
                pack: pack.id,
                k: pack.k,
                cell_bytes: pack.cell_bytes,
                location: pack.locations.first().copied().unwrap_or(model::pack::Location {
                    segment: model::id::SegmentId::default(),
                    lane: None,
                    offset: 0,
                    bytes: 0,
                }),
                makes: Arc::new(makes.iter().map(|make| (*make, MakeState::Good)).collect()),
            };
            match self.make_lanes(&place, pack.codec, pack.locations.clone(), &added).await {
                Ok(made) => makes.extend(made),
                Err(error @ Error::Unreadable { .. }) => return Err(detail(error.to_string())),
                // The target that failed is down now: plan again without it.
                Err(_) => self.world.timer.sleep(10_000).await,
            }
        }
    }

    async fn repair_object(
        self: &Arc<Self>,
        view: &catalogue::objects::ObjectView,
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
        if done.is_empty() {
            return Err(Error::NoCopy { name: view.object.name.clone() });
        }
        Store(self.clone())
            .commit(move |tx, _| {
                if catalogue::objects::view(tx, id)?.is_some() {
                    for target in &done {
                        catalogue::objects::set_copy(tx, id, &unverified(*target))?;
                    }
                }
                Ok::<_, Error>(())
            })
            .await?;
        Ok(written)
    }
}

pub(crate) fn place_of(view: &catalogue::packs::PackView) -> PackPlace {
    let nothing = model::pack::Location { segment: model::id::SegmentId::default(), lane: None, offset: 0, bytes: 0 };
    PackPlace {
        pack: view.id,
        k: view.k,
        cell_bytes: view.cell_bytes,
        location: nothing,
        makes: Arc::new(view.makes.iter().map(|view| (view.make, view.finding.state)).collect()),
    }
}

/// How long a lane is that no make is known of: a data lane ends where its last segment does, a parity lane is as long
/// as the longest.
fn lane_length(lane: u8, place: &PackPlace, locations: &[model::pack::Location], longest: u64) -> u64 {
    if lane >= place.k {
        return longest;
    }
    let cell = u64::from(place.cell_bytes);
    let ends = locations.iter().map(|location| match location.lane {
        Some(own) if own == lane => location.offset + location.bytes,
        Some(_) => 0,
        None => format::shard::lane_lengths(place.k, cell, location.offset + location.bytes)[usize::from(lane)],
    });
    ends.max().unwrap_or(0)
}
