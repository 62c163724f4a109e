//! Snapshots: where the journal led, so that it can be released.
//!
//! A scope's snapshot is a stack of *layers*: one states all rows that changed in a range of revisions, read from the
//! catalogue by their revision. A new layer swallows those before it that are not more than twice its size, so the cost is
//! in proportion to what changed and a stack stays short. A layer counts once every copy was read back.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use catalogue::{
    Tx,
    layers::Layer,
    objects::{Copy, ObjectKind},
    packs::Finding,
};
use fleet::{DeleteTicket, ObjectName};
use format::{
    journal::RecordKey,
    snapshot::{LayerBase, encode_layer},
};
use model::{
    Change, Scope,
    id::{ObjectId, TargetId},
    pack::MakeState,
};
use plan::reclaim::Gate;

use crate::{
    Inner, Store,
    error::{Error, Result},
    found::register,
};

/// Journal objects that one round releases at most.
const RELEASES_MAX: usize = 1_000;

impl Inner {
    /// Writes a layer for each scope that the journal is ahead of; how many were written.
    pub(crate) async fn snapshot_all(self: &Arc<Self>, everything: bool) -> Result<usize> {
        let scopes = self.catalogue.read(|tx| catalogue::scopes::uncovered(tx, 1)).await?;
        if scopes.is_empty() || (!everything && !self.upkeep.snapshot_is_due(self.now_us(), self.settings.pack_after_s))
        {
            return Ok(0);
        }
        for view in &scopes {
            // Nobody reads what an account that is gone would say, and its key may be gone, too.
            if !self.is_of_gone(view.scope).await? {
                self.snapshot(view.scope).await?;
            }
        }
        self.upkeep.snapshot_done(self.now_us());
        Ok(scopes.len())
    }

    async fn snapshot(self: &Arc<Self>, scope: Scope) -> Result<()> {
        let epoch = self.epoch();
        let (mut layers, to, seq) = self
            .catalogue
            .read(move |tx| {
                let seq = catalogue::meta::number(tx, crate::meta::JOURNAL_SEQ)?.unwrap_or(0);
                Ok((catalogue::layers::of_scope(tx, scope)?, catalogue::scopes::revision(tx, scope)?, seq))
            })
            .await?;
        let mut from = layers.last().map_or(0, |layer| layer.to);
        let mut rows = self.rows(scope, from, to).await?;
        let mut swallowed = Vec::new();
        while layers.last().is_some_and(|layer| layer.row_count <= 2 * rows.len() as u64) {
            let Some(layer) = layers.pop() else { break };
            from = layer.from;
            swallowed.push(layer);
            rows = self.rows(scope, from, to).await?;
        }
        let id = ObjectId::random(self.world.entropy.as_ref());
        let base = LayerBase { cluster: self.cluster, epoch, scope, from, to, layer: id, made_at_seq: seq };
        let keys = self.keys.snapshot();
        let key = match scope {
            Scope::Cluster => RecordKey::Cluster(&keys.cluster),
            Scope::Account(account) => RecordKey::Account(keys.account(account)?),
        };
        let parts = encode_layer(&base, &rows, key, self.world.entropy.as_ref())?;
        let mut objects = Vec::with_capacity(parts.len());
        let mut bytes = 0;
        for (header, part) in parts {
            let part = Bytes::from(part);
            bytes += part.len() as u64;
            let (object, copies) =
                self.put_object(header.id, ObjectKind::Snapshot, header.name(), part.clone()).await?;
            let mut good = Vec::new();
            for target in copies {
                if self.reads_back(target, &object.name, &part).await {
                    good.push(target);
                }
            }
            if good.len() < 2 {
                let providers_up = self.fleet.topology(self.now_us()).healthy_providers().len();
                return Err(Error::Unsafe { providers_up, detail: "a snapshot did not read back".to_owned() });
            }
            objects.push((object, good));
        }
        let layer = Layer {
            id,
            scope,
            from,
            to,
            row_count: rows.len() as u64,
            bytes,
            objects: objects.iter().map(|(object, _)| object.id).collect(),
        };
        let (at, generation, wall_us) = (self.service_time(), self.generation(), self.world.clock.now().wall_us);
        Store(self.clone())
            .commit(move |tx, _| {
                for (object, copies) in &objects {
                    register(tx, object, copies)?;
                    for target in copies {
                        let finding = Finding {
                            state: MakeState::Good,
                            verified_us: Some(wall_us),
                            verified_at: at,
                            verified_generation: generation,
                        };
                        catalogue::objects::set_copy(tx, object.id, &Copy { target: *target, finding })?;
                    }
                }
                for old in &swallowed {
                    for object in &old.objects {
                        catalogue::objects::release(tx, *object, at)?;
                    }
                    catalogue::layers::delete(tx, scope, old.id)?;
                }
                catalogue::layers::insert(tx, &layer)?;
                Ok::<_, Error>(catalogue::scopes::set_covered(tx, scope, to)?)
            })
            .await
    }

    async fn rows(&self, scope: Scope, from: u64, to: u64) -> Result<Vec<(u64, Change)>> {
        Ok(self
            .catalogue
            .read(move |tx| {
                let mut rows = Vec::new();
                catalogue::rows_between(tx, scope, from, to, |revision, change| {
                    rows.push((revision, change));
                    Ok::<_, catalogue::Error>(())
                })?;
                Ok(rows)
            })
            .await?)
    }

    /// Whether a copy holds exactly these bytes.
    pub(crate) async fn reads_back(&self, target: TargetId, name: &str, bytes: &Bytes) -> bool {
        match self.read_object(target, name, 0..bytes.len() as u64).await {
            Ok(read) => read == *bytes,
            Err(Error::Fleet(fleet::Error::Missing { .. })) => {
                self.fleet.dropped(target, self.now_us());
                false
            }
            Err(_) => false,
        }
    }

    /// The journal objects that nothing needs any more and that are not released yet: after a rebuild they stay while a
    /// known target is unread. It does not matter how many copies they have, if any.
    pub(crate) async fn spare_journal(&self) -> Result<BTreeSet<ObjectId>> {
        let rows = self.catalogue.read(|tx| catalogue::journal::releasable(tx, usize::MAX)).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Releases journal objects that nothing needs any more; how many.
    pub(crate) async fn release_journal(self: &Arc<Self>) -> Result<usize> {
        let gate = Gate { unread_since_rebuild: self.unread_since_rebuild().await?, ..Gate::default() };
        let candidates = |tx: &mut Tx<'_>| {
            let rows = catalogue::journal::releasable(tx, RELEASES_MAX)?;
            rows.into_iter().map(|row| Ok((journal_view(tx, &row)?, row))).collect::<catalogue::Result<Vec<_>>>()
        };
        let (views, rows): (Vec<_>, Vec<_>) = self.catalogue.read(candidates).await?.into_iter().unzip();
        let going: BTreeSet<_> =
            plan::release(&views, &self.fleet.topology(self.now_us()), &gate).into_iter().collect();
        let rows: Vec<_> = rows.into_iter().filter(|row| going.contains(&row.id)).collect();
        if rows.is_empty() {
            return Ok(0);
        }
        let (count, at) = (rows.len(), self.service_time());
        Store(self.clone())
            .commit(move |tx, _| {
                for row in &rows {
                    catalogue::objects::release(tx, row.id, at)?;
                    catalogue::journal::delete(tx, row)?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        Ok(count)
    }

    /// Deletes the copies of released objects at the targets that are up.
    pub(crate) async fn delete_released(self: &Arc<Self>) -> Result<usize> {
        let mut after = ObjectId::default();
        let mut gone = Vec::new();
        let mut deleted = 0;
        loop {
            let page = self.catalogue.read(move |tx| catalogue::objects::released(tx, after, 500)).await?;
            let Some(last) = page.last() else { break };
            after = last.object.id;
            // What says that they are released must outlive a power cut before they go.
            self.catalogue.sync().await?;
            for view in page {
                let ticket = DeleteTicket { name: ObjectName::parse(view.object.name.clone())?, reason: "released" };
                for copy in &view.copies {
                    let Ok(driver) = self.driver(copy.target) else { continue };
                    if self.fleet.live(copy.target).is_some_and(|live| live.state == model::fleet::TargetState::Up)
                        && driver.delete(&ticket).await.is_ok()
                    {
                        gone.push((view.object.id, copy.target));
                        deleted += 1;
                    }
                }
                if view.copies.is_empty() {
                    gone.push((view.object.id, TargetId::default()));
                }
            }
        }
        if gone.is_empty() {
            return Ok(0);
        }
        Store(self.clone())
            .commit(move |tx, _| {
                for (object, target) in &gone {
                    catalogue::objects::delete_copy(tx, *object, *target)?;
                    if catalogue::objects::view(tx, *object)?.is_some_and(|view| view.copies.is_empty()) {
                        catalogue::objects::delete(tx, *object)?;
                    }
                }
                Ok::<_, Error>(())
            })
            .await?;
        Ok(deleted)
    }
}

/// A journal object, as far as its release depends on it.
fn journal_view(tx: &Tx<'_>, row: &catalogue::journal::JournalRow) -> catalogue::Result<plan::JournalView> {
    let (scopes, unpacked) = catalogue::journal::standing(tx, row)?;
    let records = scopes.into_iter().map(|(revision, upto)| plan::Covered { revision, upto }).collect();
    Ok(plan::JournalView { id: row.id, records, unpacked })
}
