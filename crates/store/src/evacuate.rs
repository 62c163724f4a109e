//! Evacuation: everything moves away from targets that a person ordered to be left, by a date.
//!
//! *What.* [`plan::evacuate`] says what is ahead and whether the date is met, [`plan::repair()`] where to, asked about the world
//! in which the leaving targets are read and count no more. A look at everything makes a queue, names and keys before bytes and
//! least margin first; rounds of upkeep take from its front. When the fleet changes, or the queue is empty, it is made anew: so a
//! leaving firm that vanishes, or another one, changes the forecast and what is read, and nothing else.
//!
//! *How.* New makes are written, read back and recorded as in [`crate::repair`]. What lies at the leaving targets stays on the
//! record and counts until those are retired: at every moment, also in a crash, there is more than is needed.
//!
//! *How fast.* Within the bandwidth of upkeep; politely, which is little at a time and giving way to clients, unless the date
//! would be missed.
//!
//! When nothing is ahead, [`crate::certify`] asks for proofs.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use catalogue::{objects::ObjectView, packs::PackView};
use futures_util::{StreamExt, stream};
use model::{
    fleet::TargetState,
    id::{OrderId, TargetId},
    orders::Evacuation,
    pack::MakeState,
};
use plan::{
    Ahead, Aim, Forecast, RepairPolicy, RepairStep, Topology,
    evacuate::{Pace, forecast, object_stands},
};

use crate::{
    Inner,
    error::{Error, Result},
    evacuating::{Moved, Queue, There, seen},
    kinds::JobKind,
    lanes::place_of,
    locate::PackPlace,
    locked,
    upkeep::gives_way,
};

/// What it is called among the jobs.
pub(crate) const JOB: &str = "evacuating";
/// Packs that one look puts into the queue: of more, those with the least margin.
const QUEUE_PACKS_MAX: usize = 10_000;
/// Copied objects likewise.
const QUEUE_OBJECTS_MAX: usize = 10_000;
/// Packs, and copied objects, that are planned together.
const PLANNED: usize = 64;
/// A round ends after so many bytes or so long, for probes and repair to have their turn.
const ROUND_BYTES: u64 = 256 << 20;
const ROUND_US: u64 = 5_000_000;
/// Packs that are moved at once: the first while there is time, the second when there is not. Each holds some MiB.
const AT_ONCE: usize = 4;
const AT_ONCE_LATE: usize = 8;
/// Everything is looked at anew after so long.
const LOOK_AGAIN_US: u64 = 3_600_000_000;
/// What is refused a certificate, or has no place, is asked about again after so long.
const ASK_AGAIN_US: u64 = 10_000_000;

/// What a round works by.
struct Work {
    /// Today's world; in it the targets that are moved away from are leaving.
    topology: Topology,
    /// Where things must stand.
    staying: Topology,
    pace: Pace,
    forecast: Forecast,
    copies: usize,
}

impl Inner {
    /// The orders that are carried out now: of targets that are not given up, not paused.
    pub(crate) fn evacuations(&self) -> BTreeMap<OrderId, (Evacuation, Vec<TargetId>)> {
        let mut orders: BTreeMap<OrderId, (Evacuation, Vec<TargetId>)> = BTreeMap::new();
        for live in self.fleet.all() {
            let ours = !matches!(live.row.state, TargetState::Lost | TargetState::Retired);
            let order = live.orders.evacuation.filter(|order| ours && !order.paused);
            if let Some(order) = order.filter(|_| live.orders.retirement.is_none()) {
                orders.entry(order.id).or_insert((order, Vec::new())).1.push(live.row.id);
            }
        }
        orders
    }

    /// Today's world, in which only these targets are leaving; others that are to be left merely take nothing new.
    pub(crate) fn leaving_only(&self, targets: &BTreeSet<TargetId>) -> Topology {
        let topology = self.fleet.topology(self.now_us());
        Topology::new(topology.targets().cloned().map(|mut view| {
            view.cordoned |= view.leaving;
            view.leaving = targets.contains(&view.id);
            view
        }))
    }

    /// One round; with `everything` as many as there is something to move for.
    pub(crate) async fn evacuate(self: &Arc<Self>, everything: bool) -> Result<()> {
        while self.evacuate_round(everything).await? && !self.is_stopping() {}
        Ok(())
    }

    /// One round; whether another one should follow at once.
    async fn evacuate_round(self: &Arc<Self>, everything: bool) -> Result<bool> {
        let orders = self.evacuations();
        let state = &self.upkeep.evacuating;
        if orders.is_empty() {
            self.upkeep.jobs.end(JOB, self.now_us());
            state.look_again();
            *locked(&state.moved) = Moved::default();
            return Ok(false);
        }
        let targets: BTreeSet<TargetId> = orders.values().flat_map(|(_, targets)| targets.iter().copied()).collect();
        let topology = self.leaving_only(&targets);
        // With one provider there is nowhere to move to.
        let Ok(copies) = self.copies_wanted(&topology) else { return Ok(false) };
        if everything || self.must_look(&topology) {
            let queue = self.look_at_all(&topology, &targets, copies).await?;
            *locked(&state.queue) = Some(queue);
        }
        let mut work = self.work(topology, copies, &orders)?;
        let politely = !everything && !work.forecast.is_late() && !self.pool.is_idle();
        if politely && gives_way(&state.gave_way) {
            return Ok(false);
        }
        // Said before anything moves, so that a date that cannot be met is known at once.
        self.tell(&work, &orders);
        let done = self.move_some(&mut work, everything).await?;
        self.tell(&work, &orders);
        let ahead = self.ahead().0;
        let over = locked(&state.queue).as_ref().is_none_or(Queue::is_empty);
        if over && done == 0 && ahead == Ahead::default() {
            self.upkeep.jobs.end(JOB, self.now_us());
            let now_us = self.now_us();
            if everything || now_us >= *locked(&state.ask_after_us) {
                *locked(&state.ask_after_us) = now_us.saturating_add(ASK_AGAIN_US);
                self.certify_all(&orders, everything).await?;
            }
            return Ok(false);
        }
        if over && done == 0 {
            let stuck = format!(
                "not certified yet: {} packs and {} copied objects do not stand without it, and could not be moved now; they \
                 wait for targets that are away, or for room",
                ahead.packs, ahead.objects
            );
            let mut unproven = locked(&state.unproven);
            orders.iter().filter(|(_, (order, _))| order.evacuated.is_none()).for_each(|(id, _)| {
                unproven.insert(*id, stuck.clone());
            });
        }
        if done > 0 {
            if over {
                // What failed, and what turned up meanwhile, is found by looking again.
                *locked(&state.queue) = None;
            }
            self.upkeep.wake();
        }
        Ok(everything && done > 0)
    }

    fn must_look(&self, topology: &Topology) -> bool {
        let queue = locked(&self.upkeep.evacuating.queue);
        let stands = |queue: &Queue| {
            // What has no place, or waits, is asked about sooner.
            let after_us =
                if queue.is_empty() && queue.ahead != Ahead::default() { ASK_AGAIN_US } else { LOOK_AGAIN_US };
            queue.seen == seen(topology) && self.now_us().saturating_sub(queue.at_us) < after_us
        };
        !queue.as_ref().is_some_and(stands)
    }

    /// Looks at everything that has something at the targets: what is ahead, and in which order. What has nothing there does not
    /// depend on them.
    async fn look_at_all(&self, topology: &Topology, targets: &BTreeSet<TargetId>, copies: usize) -> Result<Queue> {
        let staying = topology.staying();
        let entropy = self.world.entropy.as_ref();
        let (mut ahead, mut safe) = (Ahead::default(), Ahead::default());
        let mut packs = BTreeSet::new();
        let mut there = There::at(targets);
        while let Some(page) = there.next_packs(self).await? {
            let views: Vec<_> = page.iter().map(crate::view::of_pack).collect();
            ahead.add(&plan::evacuate::ahead(&views, &[], topology, (Aim::Settled, copies), entropy));
            safe.add(&plan::evacuate::ahead(&views, &[], topology, (Aim::Safe, copies), entropy));
            for view in &views {
                let spread = plan::Spread::of_pack(view, &staying);
                if !spread.is_settled() {
                    packs.insert((spread.margin().unwrap_or(0), spread.distinct(), view.id));
                }
            }
            while packs.len() > QUEUE_PACKS_MAX {
                packs.pop_last();
            }
        }
        let spare = self.spare_journal().await?;
        let mut objects = VecDeque::new();
        let mut there = There::at(targets);
        while let Some(page) = there.next_objects(self).await? {
            let used = page.iter().filter(|view| !spare.contains(&view.object.id));
            let views: Vec<_> = used.map(crate::view::of_object).collect();
            let found = plan::evacuate::ahead(&[], &views, topology, (Aim::Settled, copies), entropy);
            ahead.add(&found);
            safe.add(&found);
            let thin = views.iter().filter(|view| !object_stands(view, copies, &staying)).map(|view| view.id);
            let room = QUEUE_OBJECTS_MAX.saturating_sub(objects.len());
            objects.extend(thin.take(room));
        }
        let packs = packs.into_iter().map(|(_, _, id)| id).collect();
        let (at_us, seen) = (self.now_us(), seen(topology));
        Ok(Queue { at_us, seen, packs, objects, ahead, safe_bytes: safe.bytes })
    }

    fn work(
        &self,
        topology: Topology,
        copies: usize,
        orders: &BTreeMap<OrderId, (Evacuation, Vec<TargetId>)>,
    ) -> Result<Work> {
        let by_us = orders.values().map(|(order, _)| order.by_us).min().unwrap_or(i64::MAX);
        let pace = Pace {
            bytes_per_s: self.upkeep.evacuating.bytes_per_s(),
            allowed: self.settings.upkeep_bytes_per_s,
            left_s: by_us.saturating_sub(self.world.clock.now().wall_us) / 1_000_000,
            staying: topology.healthy_providers().len(),
            k: self.scheme_now(&topology)?.k,
            leaving: self.narrowest(&topology, true),
            staying_at: self.narrowest(&topology, false),
        };
        let (ahead, safe_bytes) = self.ahead();
        let staying = topology.staying();
        Ok(Work { topology, staying, pace, forecast: forecast(&ahead, safe_bytes, &pace), copies })
    }

    fn ahead(&self) -> (Ahead, u64) {
        let queue = locked(&self.upkeep.evacuating.queue);
        queue.as_ref().map(|queue| (queue.ahead, queue.safe_bytes)).unwrap_or_default()
    }

    /// Says how far each order is, and when it is over.
    fn tell(&self, work: &Work, orders: &BTreeMap<OrderId, (Evacuation, Vec<TargetId>)>) {
        let (ahead, safe_bytes) = self.ahead();
        let now_us = self.world.clock.now().wall_us;
        let pace = Pace { bytes_per_s: self.upkeep.evacuating.bytes_per_s(), ..work.pace };
        let mut forecasts = locked(&self.upkeep.evacuating.forecasts);
        for (id, (order, _)) in orders {
            let pace = Pace { left_s: order.by_us.saturating_sub(now_us) / 1_000_000, ..pace };
            forecasts.insert(*id, (forecast(&ahead, safe_bytes, &pace), ahead));
        }
        drop(forecasts);
        let stuck = format!(
            "evacuating: {} packs and copied objects have no place on the firms that stay; they need more room, another \
             firm, or (names and keys on two firms) a second target at each",
            ahead.stuck
        );
        self.upkeep.finding("evacuation without a place", (ahead.stuck > 0).then_some(stuck));
    }

    /// Moves what is at the front of the queue; how many packs and objects were.
    async fn move_some(self: &Arc<Self>, work: &mut Work, everything: bool) -> Result<usize> {
        let began_us = self.now_us();
        let (mut done, mut bytes) = (0, 0u64);
        let mut failed = Vec::new();
        let within =
            |bytes: u64| everything || (bytes < ROUND_BYTES && self.now_us().saturating_sub(began_us) < ROUND_US);
        while within(bytes) && !self.is_stopping() {
            let (packs, objects) = self.next_few().await?;
            if packs.is_empty() && objects.is_empty() {
                break;
            }
            self.upkeep.jobs.expect(JOB, self.ahead().0.bytes, self.now_us());
            let moved = self.move_few(work, &packs, &objects).await;
            done += moved.0;
            bytes = bytes.saturating_add(moved.1);
            failed.extend(moved.2);
            work.topology = self.leaving_only(&work.topology.targets().filter(|v| v.leaving).map(|v| v.id).collect());
            work.staying = work.topology.staying();
        }
        let more = self.ahead().0 != Ahead::default();
        self.upkeep.evacuating.note(bytes, began_us, self.now_us(), more);
        failed.truncate(3);
        self.upkeep.finding("evacuating", (!failed.is_empty()).then(|| format!("evacuating: {}", failed.join("; "))));
        Ok(done)
    }

    /// Takes the next ones off the queue, as they are recorded now.
    async fn next_few(&self) -> Result<(Vec<PackView>, Vec<ObjectView>)> {
        let (packs, objects) = match locked(&self.upkeep.evacuating.queue).as_mut() {
            Some(queue) => {
                let objects: Vec<_> = queue.objects.drain(..queue.objects.len().min(PLANNED)).collect();
                let few = if objects.is_empty() { PLANNED } else { 0 };
                (queue.packs.drain(..queue.packs.len().min(few)).collect::<Vec<_>>(), objects)
            }
            None => return Ok((Vec::new(), Vec::new())),
        };
        Ok(self
            .catalogue
            .read(move |tx| {
                let mut found = (Vec::new(), Vec::new());
                for pack in packs {
                    found.0.extend(catalogue::packs::view(tx, pack)?);
                }
                for object in objects {
                    let view = catalogue::objects::view(tx, object)?;
                    found.1.extend(view.filter(|view| view.object.released.is_none()));
                }
                Ok(found)
            })
            .await?)
    }

    /// Plans and moves a few; how many, bytes, and what failed.
    async fn move_few(
        self: &Arc<Self>,
        work: &Work,
        packs: &[PackView],
        objects: &[ObjectView],
    ) -> (usize, u64, Vec<String>) {
        let pack_views: Vec<_> = packs.iter().map(crate::view::of_pack).collect();
        let object_views: Vec<_> = objects.iter().map(crate::view::of_object).collect();
        let policy = RepairPolicy {
            aim: Aim::Settled,
            copies: work.copies,
            down_wait_s: if work.forecast.is_late() { 0 } else { self.settings.down_wait_s },
            bytes_max: u64::MAX,
            steps_max: usize::MAX,
        };
        let (staying, entropy) = (&work.staying, self.world.entropy.as_ref());
        let counted = |views: &[plan::PackView], objects: &[plan::ObjectView]| {
            plan::evacuate::ahead(views, objects, &work.topology, (Aim::Settled, work.copies), entropy)
        };
        let planned = plan::repair(&pack_views, &object_views, staying, &policy, entropy);
        let moves = stream::iter(planned.steps.into_iter().enumerate()).map(|(number, step)| async move {
            if self.is_stopping() {
                return None;
            }
            let (moved, what) = match step {
                RepairStep::Pack { pack, write, .. } => {
                    let view = packs.iter().find(|view| view.id == pack)?;
                    let place = if work.forecast.from_others(number, &work.pace) {
                        self.without_leaving(view, &work.topology)
                    } else {
                        place_of(view)
                    };
                    let moved = self.remake(view, &place, &write, crate::pacer::Work::waits(JobKind::Evacuate)).await;
                    // Written once more is read back once.
                    self.upkeep.jobs.did(JOB, *moved.as_ref().unwrap_or(&0));
                    (moved, format!("pack {pack}"))
                }
                RepairStep::Object { object, read, write } => {
                    // A target keeps one copy: what asks for a second one has no place, and is among the findings.
                    write.iter().find(|place| place.copy == 0)?;
                    let view = objects.iter().find(|view| view.object.id == object)?;
                    (self.repair_object(view, &read, &write).await, format!("object {}", view.object.name))
                }
            };
            // One that changed meanwhile is found again by the next look.
            Some(moved.map_err(|error| match error {
                Error::PackChanged { .. } => None,
                error => Some(format!("{what}: {error}")),
            }))
        });
        let at_once = if work.forecast.is_late() { AT_ONCE_LATE } else { AT_ONCE };
        let results: Vec<_> = moves.buffer_unordered(at_once).collect().await;
        let mut done = (0, 0u64, Vec::new());
        for result in results.into_iter().flatten() {
            match result {
                Ok(_) => done.0 += 1,
                Err(None) => {}
                Err(Some(error)) => done.2.push(error),
            }
        }
        // What was ahead of these is done, or is found again by the next look.
        let before = counted(&pack_views, &object_views);
        let whole = done.0 as u64 == before.packs + before.objects;
        if whole && planned.waiting.is_empty() && planned.stuck.is_empty() && planned.unreadable.is_empty() {
            self.take_off(&before);
            done.1 = before.bytes;
        } else {
            done.1 = before.bytes * done.0 as u64 / (before.packs + before.objects).max(1);
        }
        done
    }

    fn take_off(&self, done: &Ahead) {
        if let Some(queue) = locked(&self.upkeep.evacuating.queue).as_mut() {
            let ahead = &mut queue.ahead;
            ahead.packs = ahead.packs.saturating_sub(done.packs);
            ahead.objects = ahead.objects.saturating_sub(done.objects);
            ahead.stuck = ahead.stuck.saturating_sub(done.stuck);
            ahead.bytes = ahead.bytes.saturating_sub(done.bytes);
            ahead.copied_bytes = ahead.copied_bytes.saturating_sub(done.copied_bytes);
            queue.safe_bytes = queue.safe_bytes.min(ahead.bytes);
            if ahead.packs + ahead.objects == 0 {
                *ahead = Ahead::default();
                queue.safe_bytes = 0;
            }
        }
    }

    /// A place to read from in which nothing is copied out of a leaving target as long as others can do without it.
    fn without_leaving(&self, view: &PackView, topology: &Topology) -> PackPlace {
        let leaves = |target| topology.target(target).is_some_and(|view| view.leaving);
        let mut place = place_of(view);
        let makes = place.makes.iter().map(|(make, state)| match state {
            MakeState::Good if leaves(make.target) => (*make, MakeState::Suspect),
            _ => (*make, *state),
        });
        place.makes = Arc::new(makes.collect());
        place
    }
}
