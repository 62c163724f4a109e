//! Reclaim: delete what a record says is dead, after a grace time, a little at a time.
//!
//! Record first, bytes last: a pack in which nothing lives gets a journalled end, and only then are its makes put on
//! the list of doomed shards; the same for shards of packs that were announced and never recorded, and for makes that a
//! repair replaced. Deletion waits for the grace time in service time, keeps to the delete budget, and stops while the
//! clocks disagree or, after a rebuild, while a known target was not read. What no record knows is never touched.

use std::sync::Arc;

use catalogue::doomed::Doomed;
use fleet::{DeleteTicket, ObjectName};
use format::name::{parse_shard_name, shard_name};
use model::{Change, Scope, fleet::TargetState, id::PackId, units::ServiceTime};

use crate::{
    Inner, Store,
    error::{Error, Result},
};

impl Inner {
    /// One round: record ends, list the doomed, delete what is due; how many shards were deleted.
    pub(crate) async fn reclaim(self: &Arc<Self>) -> Result<u64> {
        if self.upkeep.rebuild_unread(&self.catalogue).await? {
            return Ok(0);
        }
        self.end_dead_packs().await?;
        self.drop_surplus().await?;
        self.forget_abandoned_intents().await?;
        if crate::locked(&self.time).is_paused(self.world.clock.now()) {
            return Ok(0);
        }
        self.delete_due().await
    }

    /// Records the end of packs in which nothing lives.
    async fn end_dead_packs(self: &Arc<Self>) -> Result<()> {
        let hollow = self.catalogue.read(|tx| catalogue::packs::hollow(tx, 0, PackId::default(), 100)).await?;
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        for pack in hollow.into_iter().filter(|pack| pack.live_bytes == 0) {
            Store(self.clone())
                .commit(move |tx, draft| {
                    let Some(view) = catalogue::packs::view(tx, pack.id)? else { return Ok(()) };
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
    async fn drop_surplus(self: &Arc<Self>) -> Result<()> {
        let topology = self.fleet.topology(self.now_us());
        if topology.targets().any(|view| matches!(view.state, TargetState::Down | TargetState::Suspect)) {
            // While somebody is away, nobody's lanes are surplus.
            return Ok(());
        }
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        let mut after = PackId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::packs::pack_views(tx, after, 500)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for view in page {
                let surplus = plan::reclaim::surplus(&crate::view::of_pack(&view), &topology);
                if surplus.is_empty() {
                    continue;
                }
                let (pack, revision) = (view.id, view.revision);
                Store(self.clone())
                    .commit(move |tx, draft| {
                        let Some(current) = catalogue::packs::view(tx, pack)? else { return Ok(()) };
                        if current.revision != revision {
                            return Ok(());
                        }
                        let goes = |view: &catalogue::packs::MakeView| {
                            surplus.iter().any(|(_, make, _)| *make == view.make.make)
                        };
                        for view in current.makes.iter().filter(|view| goes(view)) {
                            let name = shard_name(pack, view.make.lane, view.make.make);
                            doom(tx, view.make.target, name, "surplus", at, grace_s)?;
                        }
                        let makes = current.makes.iter().filter(|view| !goes(view)).map(|view| view.make).collect();
                        draft.change(Scope::Cluster, Change::Makes { pack, makes });
                        Ok::<_, Error>(())
                    })
                    .await?;
            }
        }
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

    async fn delete_due(self: &Arc<Self>) -> Result<u64> {
        let now = self.service_time();
        let shards_in_all = self.upkeep.shards_in_all();
        let budget = plan::reclaim::delete_budget(shards_in_all);
        let left = budget.saturating_sub(self.upkeep.deleted_last_hour(now, shards_in_all));
        if left == 0 {
            return Ok(0);
        }
        let due = self.catalogue.read(move |tx| catalogue::doomed::due(tx, now, left as usize)).await?;
        // What the decisions rest on must outlive a power cut before anything is destroyed.
        self.catalogue.sync().await?;
        let mut gone = Vec::new();
        for doomed in due {
            if self.fleet.live(doomed.target).is_none_or(|live| live.state != TargetState::Up) {
                continue;
            }
            // The decision is looked at once more: a live pack that names this make keeps it.
            let Some(shard) = parse_shard_name(&doomed.name) else { continue };
            let makes = self.catalogue.read(move |tx| catalogue::packs::makes(tx, shard.pack)).await?;
            let ended = self.catalogue.read(move |tx| catalogue::packs::gone(tx, shard.pack)).await?.is_some();
            if !ended && makes.iter().any(|view| view.make.make == shard.make && view.make.target == doomed.target) {
                continue;
            }
            let ticket = DeleteTicket { name: ObjectName::parse(doomed.name.clone())?, reason: "reclaimed" };
            if self.driver(doomed.target)?.delete(&ticket).await.is_ok() {
                gone.push((doomed.target, doomed.name));
            }
        }
        let count = gone.len() as u64;
        if count > 0 {
            self.upkeep.deleted(now, count);
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

/// Puts a shard on the list.
pub(crate) fn doom(
    tx: &mut catalogue::Tx<'_>,
    target: model::id::TargetId,
    name: String,
    reason: &str,
    decided: ServiceTime,
    grace_s: u64,
) -> catalogue::Result<()> {
    let not_before = ServiceTime(decided.0 + grace_s);
    catalogue::doomed::insert(tx, &Doomed { target, name, reason: reason.to_owned(), decided, not_before })
}
