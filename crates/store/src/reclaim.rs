//! Reclaim: delete what a record says is dead, after a grace time, a little at a time.
//!
//! Record first, bytes last: a pack in which nothing lives gets a journalled end, and only then are its makes put on
//! the list of doomed shards; the same for makes that the record of a living pack no longer names, and for shards of
//! packs that were announced and never recorded (`strays` finds what the list lost). What of that list goes now is
//! decided by [`plan::reclaim()`] alone: this file shows it the list page by page and carries out what it says. What no
//! record knows is never touched.
//!
//! While destruction is paused, because the clocks disagree or because a target known before a rebuild was not read
//! since, nothing is decided either.

use std::{collections::BTreeMap, sync::Arc};

use catalogue::doomed::Doomed as DoomedRow;
use fleet::{DeleteTicket, ObjectName};
use format::name::{parse_shard_name, shard_name};
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{PackId, TargetId},
    units::ServiceTime,
};
use plan::{
    Doomed, PackView, Topology,
    reclaim::{Decision, Gate, Rest, Thing, delete_budget},
    repack::dead,
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    schedule::Ended,
};

/// Rows of the list that one decision looks at.
const PAGE: usize = 256;
/// Pages of the list in one round; the next round goes on behind them.
const PAGES_MAX: usize = 16;
/// Packs whose end one round records.
const ENDS_MAX: usize = 100;

impl Inner {
    /// One round: record ends, list the doomed, delete what is due. While destruction waits for a person or a target it does not
    /// end well.
    pub(crate) async fn reclaim(self: &Arc<Self>, everything: bool) -> Result<Ended> {
        let topology = self.fleet.topology(self.now_us());
        let gate = self.gate().await?;
        if gate.pause(&topology).is_some() {
            return Ok(Ended::More);
        }
        self.end_dead_packs().await?;
        self.drop_surplus(everything).await?;
        self.forget_abandoned_intents().await?;
        self.delete_due(&topology, gate).await?;
        Ok(Ended::Well)
    }

    /// The state of the service as far as destruction depends on it.
    pub(crate) async fn gate(&self) -> Result<Gate> {
        let now = self.service_time();
        let unread_since_rebuild = self.unread_since_rebuild().await?;
        let shards_in_all = match self.upkeep.shards_in_all(now) {
            Some(known) => known,
            None => {
                let counted = self.catalogue.read(|tx| catalogue::packs::makes_total(tx)).await?.0;
                self.upkeep.count_shards(now, counted);
                counted
            }
        };
        Ok(Gate {
            clocks_disagree: crate::locked(&self.time).is_paused(self.world.clock.now()),
            unread_since_rebuild,
            shards_in_all,
            deleted_last_hour: self.upkeep.deleted_last_hour(now, shards_in_all),
        })
    }

    /// Records the end of packs in which nothing lives.
    async fn end_dead_packs(self: &Arc<Self>) -> Result<()> {
        let topology = self.fleet.topology(self.now_us());
        let found = self.catalogue.read(|tx| catalogue::packs::dead(tx, ENDS_MAX)).await?;
        let views: Vec<_> = found.iter().map(|pack| crate::view::of_repack(pack, &topology)).collect();
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        for pack in dead(&views) {
            Store(self.clone())
                .commit(move |tx, draft| {
                    let Some(view) = catalogue::packs::view(tx, pack)? else { return Ok(()) };
                    if view.live_bytes > 0 {
                        return Ok(());
                    }
                    for make in &view.makes {
                        let name = shard_name(view.id, make.make.lane, make.make.make);
                        doom(tx, make.make.target, name, "reclaimed", at, grace_s)?;
                    }
                    draft.change(Scope::Cluster, Change::PackGone { pack: view.id, at });
                    Ok::<_, Error>(())
                })
                .await?;
        }
        Ok(())
    }

    /// Takes lanes that a pack no longer needs off its record: parity that was added while firms were fewer, and lanes of
    /// targets that came back after they were made again.
    async fn drop_surplus(self: &Arc<Self>, everything: bool) -> Result<()> {
        let topology = self.fleet.topology(self.now_us());
        if !topology.is_whole() {
            return Ok(());
        }
        let mut round = self.upkeep.surplus_sweep.round(everything);
        while let Some(page) = round.next_page(&self.catalogue).await? {
            for view in page {
                let surplus = plan::reclaim::surplus(&crate::view::of_pack(&view), &topology);
                // Under constraints that came since, more may be needed.
                if !surplus.is_empty() && self.fleet.is_grouped_as(&topology) {
                    self.drop_makes(view.id, view.revision, surplus.iter().map(|(_, make, _)| *make).collect()).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes makes off a pack's record, if it is still the record that this was decided for, and dooms them.
    async fn drop_makes(self: &Arc<Self>, pack: PackId, revision: u64, going: Vec<model::id::MakeId>) -> Result<()> {
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        Store(self.clone())
            .commit(move |tx, draft| {
                let Some(current) = catalogue::packs::view(tx, pack)? else { return Ok(()) };
                if current.revision != revision {
                    return Ok(());
                }
                let (goes, stays): (Vec<_>, Vec<_>) =
                    current.makes.iter().map(|view| view.make).partition(|make| going.contains(&make.make));
                for make in goes {
                    doom(tx, make.target, shard_name(pack, make.lane, make.make), "surplus", at, grace_s)?;
                }
                draft.change(Scope::Cluster, Change::Makes { pack, makes: stays });
                Ok::<_, Error>(())
            })
            .await
    }

    /// Gives up packs of this start whose writers are gone: a sender that broke off, a target that failed.
    async fn forget_abandoned_intents(self: &Arc<Self>) -> Result<()> {
        let horizon = ServiceTime(self.service_time().0.saturating_sub(self.settings.pause_s * 2));
        let stale = self.catalogue.read(move |tx| catalogue::intents::stale(tx, horizon, 0)).await?;
        for intent in stale {
            if !self.is_being_written(intent.pack) {
                self.give_up_pack(intent.pack).await?;
            }
        }
        Ok(())
    }

    /// Closes a pack's intent: its record can never come, so whatever shards of it reached a target may go.
    pub(crate) async fn give_up_pack(self: &Arc<Self>, pack: PackId) -> Result<()> {
        let mut found = Vec::new();
        let prefix = format!("shards/{:02x}/{pack}.", pack.0[0]);
        for live in self.fleet.all().into_iter().filter(|live| live.state == TargetState::Up) {
            let Ok(page) = self.driver(live.row.id)?.list(&prefix, None, 100).await else { continue };
            for listed in page.objects {
                if parse_shard_name(listed.name.as_str()).is_some_and(|name| name.pack == pack) {
                    found.push((live.row.id, listed.name.to_string()));
                }
            }
        }
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        Store(self.clone())
            .commit(move |tx, _| {
                if catalogue::intents::close(tx, pack)? && catalogue::packs::view(tx, pack)?.is_none() {
                    for (target, name) in found {
                        doom(tx, target, name, "given up", at, grace_s)?;
                    }
                }
                Ok::<_, Error>(())
            })
            .await
    }

    /// Deletes what the plan says may go now, from where the last round ended.
    async fn delete_due(self: &Arc<Self>, topology: &Topology, mut gate: Gate) -> Result<u64> {
        let now = self.service_time();
        let mut deleted = 0;
        let mut after = self.upkeep.reclaim_after();
        for _ in 0..PAGES_MAX {
            if gate.deleted_last_hour >= delete_budget(gate.shards_in_all) {
                break;
            }
            let (page, rests) = self.due_page(now, after.clone()).await?;
            after = if page.len() < PAGE { None } else { page.last().cloned() };
            let doomed: Vec<Doomed<'_>> = page.iter().filter_map(|row| as_doomed(row, &rests)).collect();
            let plan = plan::reclaim(&doomed, topology, now, &gate);
            let gone = self.delete_planned(&plan.delete).await?;
            gate.deleted_last_hour += gone;
            deleted += gone;
            if after.is_none() {
                break;
            }
        }
        self.upkeep.set_reclaim_after(after);
        Ok(deleted)
    }

    /// The next rows that are due, and what stays of the packs that they belong to (`None`: nothing).
    async fn due_page(
        &self,
        now: ServiceTime,
        after: Option<DoomedRow>,
    ) -> Result<(Vec<DoomedRow>, BTreeMap<PackId, Option<PackView>>)> {
        let read = move |tx: &mut catalogue::Tx<'_>| {
            let page = catalogue::doomed::due(tx, now, after.as_ref(), PAGE)?;
            let mut rests = BTreeMap::new();
            for shard in page.iter().filter_map(|row| parse_shard_name(&row.name)) {
                if let std::collections::btree_map::Entry::Vacant(rest) = rests.entry(shard.pack) {
                    rest.insert(catalogue::packs::view(tx, shard.pack)?.map(|view| crate::view::of_pack(&view)));
                }
            }
            Ok((page, rests))
        };
        let read = self.catalogue.read(read).await?;
        // What the decisions rest on must outlive a power cut before anything is destroyed.
        self.catalogue.sync().await?;
        Ok(read)
    }

    async fn delete_planned(self: &Arc<Self>, planned: &[(Thing, TargetId)]) -> Result<u64> {
        let mut gone = Vec::new();
        for (thing, target) in planned {
            let Thing::Lane { pack, lane, make } = *thing else { continue };
            let name = shard_name(pack, lane, make);
            let ticket = DeleteTicket { name: ObjectName::parse(name.clone())?, reason: "reclaimed" };
            if self.driver(*target)?.delete(&ticket).await.is_ok() {
                gone.push((*target, name));
            }
        }
        let count = gone.len() as u64;
        if count > 0 {
            self.upkeep.deleted(self.service_time(), count);
            Store(self.clone())
                .commit(move |tx, _| {
                    for (target, name) in &gone {
                        catalogue::doomed::delete(tx, *target, name)?;
                    }
                    Ok::<_, Error>(())
                })
                .await?;
        }
        Ok(count)
    }
}

/// A row of the list as the plan sees it. A make that a record names is not decided against, whatever the list says.
fn as_doomed<'a>(row: &DoomedRow, rests: &'a BTreeMap<PackId, Option<PackView>>) -> Option<Doomed<'a>> {
    let shard = parse_shard_name(&row.name)?;
    let rest = rests.get(&shard.pack)?.as_ref();
    let named = rest.is_some_and(|pack| pack.lanes.iter().any(|lane| lane.make == shard.make));
    let decision = Decision { at: row.decided, grace_s: row.not_before.0.saturating_sub(row.decided.0) };
    Some(Doomed {
        thing: Thing::Lane { pack: shard.pack, lane: shard.lane, make: shard.make },
        target: row.target,
        decision: (!named).then_some(decision),
        held: false,
        rest: rest.map_or(Rest::Dead, Rest::Pack),
    })
}

/// Puts a shard on the list.
pub(crate) fn doom(
    tx: &mut catalogue::Tx<'_>,
    target: TargetId,
    name: String,
    reason: &str,
    decided: ServiceTime,
    grace_s: u64,
) -> catalogue::Result<()> {
    let not_before = ServiceTime(decided.0 + grace_s);
    catalogue::doomed::insert(tx, &DoomedRow { target, name, reason: reason.to_owned(), decided, not_before })
}
