//! The end of a target: its shards leave the records, then they are deleted, then it is forgotten.
//!
//! That is an order of its own, given after the target was evacuated (or given up). One pack at a time its makes leave the record,
//! if the pack is settled without them at that very moment; their shards are doomed like all that is dead, with the grace and
//! the budget of all destruction, and [`plan::reclaim()`] has the last word on each. Copies of names and keys go the same
//! way. When nothing is recorded there and nothing waits to be deleted, the target is retired and its place given back. Where
//! shards are kept they merely leave the records.

use std::{collections::BTreeSet, sync::Arc};

use fleet::{DeleteTicket, ObjectName};
use format::{FORMAT_MD_NAME, name::shard_name};
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{ObjectId, PackId, TargetId},
    orders::Retirement,
    pack::Make,
};
use plan::{
    Doomed, ObjectView, Topology,
    reclaim::{Decision, Gate, Rest, Thing},
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    fleet_state::Live,
    reclaim::doom,
};

/// Packs, and copied objects, that one round takes off the records.
const ROUND: usize = 200;
/// Copies that one decision looks at.
const COPIES: usize = 64;

impl Inner {
    /// One round for each target whose end was ordered.
    pub(crate) async fn retire_ordered(self: &Arc<Self>, everything: bool) -> Result<()> {
        let mut waiting = Vec::new();
        for live in self.fleet.all() {
            let Some(end) = live.orders.retirement.filter(|_| live.row.state != TargetState::Retired) else { continue };
            let topology = self.leaving_only(&BTreeSet::from([live.row.id]));
            let gate = self.gate().await?;
            if gate.pause(&topology).is_none() {
                waiting.extend(self.retire_one(&live, end, &topology, gate, everything).await?);
            }
        }
        self.upkeep.finding("retiring", (!waiting.is_empty()).then(|| format!("retiring: {}", waiting.join("; "))));
        Ok(())
    }

    /// One round; what is waited for.
    async fn retire_one(
        self: &Arc<Self>,
        live: &Live,
        end: Retirement,
        topology: &Topology,
        gate: Gate,
        everything: bool,
    ) -> Result<Option<String>> {
        let (target, address) = (live.row.id, &live.row.address);
        // What is given up cannot be deleted, and is not asked.
        let keeps = end.keeps_shards || live.row.state == TargetState::Lost;
        let needed = self.take_off_packs(target, keeps, &topology.staying(), everything).await?;
        if let Some(pack) = needed {
            return Ok(Some(format!(
                "{address} is still needed: pack {pack} is not settled without it; repair comes first"
            )));
        }
        if !self.fleet.is_grouped_as(topology) {
            return Ok(None);
        }
        let needed = self.take_off_copies(target, keeps, &topology.staying(), everything).await?;
        if let Some(name) = needed {
            return Ok(Some(format!(
                "{address} is still needed: {name} is not settled without it; repair comes first"
            )));
        }
        if !keeps {
            self.delete_copies(target, topology, gate).await?;
        }
        let held = move |tx: &mut catalogue::Tx<'_>| {
            let (packs, _, objects) = catalogue::orders::held(tx, target)?;
            Ok((packs + objects, catalogue::doomed::count_at(tx, target)?))
        };
        let (recorded, doomed) = self.catalogue.read(held).await?;
        if recorded > 0 {
            self.upkeep.wake();
            return Ok(None);
        }
        if doomed > 0 && !keeps {
            let away = (live.state != TargetState::Up).then(|| {
                format!(
                    "{address} does not answer, and {doomed} objects there wait to be deleted; `--keep-shards` forgets it without"
                )
            });
            return Ok(away);
        }
        self.forget(live, keeps).await?;
        Ok(None)
    }

    /// Takes makes at a target off the records; the first pack that still needs its make there.
    async fn take_off_packs(
        self: &Arc<Self>,
        target: TargetId,
        keeps: bool,
        staying: &Topology,
        everything: bool,
    ) -> Result<Option<PackId>> {
        let (mut after, mut needed, mut left) = (PackId::default(), None, if everything { usize::MAX } else { ROUND });
        loop {
            let page = self.catalogue.read(move |tx| catalogue::packs::at_target(tx, target, after, ROUND)).await?;
            let Some(last) = page.last() else { return Ok(needed) };
            after = *last;
            for pack in page {
                // What stands without it was judged by firms as they were grouped when the round began.
                if left == 0 || self.is_stopping() || !self.fleet.is_grouped_as(staying) {
                    return Ok(needed);
                }
                left -= 1;
                if !self.take_off_pack(pack, target, keeps, staying.clone()).await? {
                    needed = needed.or(Some(pack));
                }
            }
        }
    }

    /// Takes one pack's makes at a target off its record, if it stands without; whether it did.
    async fn take_off_pack(
        self: &Arc<Self>,
        pack: PackId,
        target: TargetId,
        keeps: bool,
        staying: Topology,
    ) -> Result<bool> {
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        Store(self.clone())
            .commit(move |tx, draft| {
                let Some(view) = catalogue::packs::view(tx, pack)? else { return Ok(true) };
                if !plan::Spread::of_pack(&crate::view::of_pack(&view), &staying).is_settled() {
                    return Ok(false);
                }
                let (goes, stays): (Vec<Make>, Vec<Make>) =
                    view.makes.iter().map(|view| view.make).partition(|make| make.target == target);
                for make in goes.iter().filter(|_| !keeps) {
                    doom(tx, target, shard_name(pack, make.lane, make.make), "retired", at, grace_s)?;
                }
                draft.change(Scope::Cluster, Change::Makes { pack, makes: stays });
                Ok::<_, Error>(true)
            })
            .await
    }

    /// The same for copied objects; the name of the first that still needs its copy there.
    async fn take_off_copies(
        self: &Arc<Self>,
        target: TargetId,
        keeps: bool,
        staying: &Topology,
        everything: bool,
    ) -> Result<Option<String>> {
        let (mut after, mut needed) = (ObjectId::default(), None);
        let (at, grace_s) = (self.service_time(), self.settings.grace_s);
        loop {
            let page = self.catalogue.read(move |tx| catalogue::objects::at_target(tx, target, after, ROUND)).await?;
            let Some(last) = page.last() else { return Ok(needed) };
            after = *last;
            let staying = staying.clone();
            let thin = Store(self.clone())
                .commit(move |tx, _| {
                    let mut thin = None;
                    for id in page {
                        // What is released is deleted there as everywhere.
                        let view = catalogue::objects::view(tx, id)?.filter(|view| view.object.released.is_none());
                        let Some(view) = view else { continue };
                        if !plan::Spread::of_object(&crate::view::of_object(&view), &staying).is_settled() {
                            thin = thin.or(Some(view.object.name));
                            continue;
                        }
                        catalogue::objects::delete_copy(tx, id, target)?;
                        if !keeps {
                            doom(tx, target, view.object.name, "retired", at, grace_s)?;
                        }
                    }
                    Ok::<_, Error>(thin)
                })
                .await?;
            needed = needed.or(thin);
            if !everything {
                return Ok(needed);
            }
        }
    }

    /// Deletes copies whose grace is over, as the plan allows.
    async fn delete_copies(self: &Arc<Self>, target: TargetId, topology: &Topology, gate: Gate) -> Result<()> {
        let now = self.service_time();
        let due = move |tx: &mut catalogue::Tx<'_>| {
            let mut found = Vec::new();
            for row in catalogue::doomed::due_at(tx, target, now, false, COPIES)? {
                let view = catalogue::objects::named(tx, &row.name)?;
                found.push((row, view));
            }
            Ok(found)
        };
        let rows = self.catalogue.read(due).await?;
        if rows.is_empty() {
            return Ok(());
        }
        self.catalogue.sync().await?;
        let views: Vec<Option<ObjectView>> =
            rows.iter().map(|(_, view)| view.as_ref().map(crate::view::of_object)).collect();
        let mut named = Vec::new();
        let mut doomed = Vec::new();
        for ((row, found), view) in rows.iter().zip(&views) {
            // Placed there again meanwhile: then it counts.
            if found.as_ref().is_some_and(|found| found.copies.iter().any(|copy| copy.target == target)) {
                continue;
            }
            let object = found.as_ref().map(|found| found.object.id).unwrap_or_else(|| numbered(named.len()));
            named.push((object, row.name.clone()));
            doomed.push(Doomed {
                thing: Thing::Copy { object, copy: 0 },
                target,
                decision: Some(Decision { at: row.decided, grace_s: row.not_before.0.saturating_sub(row.decided.0) }),
                held: false,
                rest: view.as_ref().map_or(Rest::Dead, Rest::Object),
            });
        }
        let planned = plan::reclaim(&doomed, topology, now, &gate);
        let mut gone = Vec::new();
        for (thing, _) in planned.delete {
            let Thing::Copy { object, .. } = thing else { continue };
            let Some((_, name)) = named.iter().find(|(id, _)| *id == object) else { continue };
            let ticket = DeleteTicket { name: ObjectName::parse(name.clone())?, reason: "retired" };
            if self.driver(target)?.delete(&ticket).await.is_ok() {
                gone.push(name.clone());
            }
        }
        self.upkeep.deleted(now, gone.len() as u64);
        if gone.is_empty() {
            return Ok(());
        }
        Store(self.clone())
            .commit(move |tx, _| {
                gone.iter().try_for_each(|name| catalogue::doomed::delete(tx, target, name).map(drop))?;
                Ok::<_, Error>(())
            })
            .await
    }

    /// Records that the target is retired, and gives its place back.
    async fn forget(self: &Arc<Self>, live: &Live, keeps: bool) -> Result<()> {
        let target = live.row.id;
        Store(self.clone()).retire(target).await?;
        Store(self.clone()).commit(move |tx, _| Ok::<_, Error>(catalogue::doomed::forget(tx, target)?)).await?;
        if keeps {
            return Ok(());
        }
        // What cannot be tidied there now stays: an empty place is nobody's loss.
        if let (Ok(driver), Some(marker)) = (self.driver(target), &live.marker) {
            let manual = DeleteTicket { name: ObjectName::parse(FORMAT_MD_NAME)?, reason: "retired" };
            if driver.delete(&manual).await.is_ok() {
                let _ = driver.leave(marker, &[]).await;
            }
        }
        Ok(())
    }
}

/// An id for an object that no row knows any more.
fn numbered(number: usize) -> ObjectId {
    ObjectId((number as u128 + 1).to_be_bytes())
}
