//! Targets that a rebuild was without.
//!
//! A rebuild that was not given every target writes down which ones were missing. Until each of them has been read since,
//! or retired, nothing is destroyed: a shard that looks dead may be one whose record is still unread. This file ends that
//! wait. A target that comes back is read for the records of earlier lives; what nobody else told is brought in
//! ([`crate::late`]) and stated in a snapshot. Then its old journal objects and snapshots say nothing that is not said
//! elsewhere, and they are released. A target that a person retired is not waited for any more.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use catalogue::objects::{ObjectKind, ObjectRow};
use fleet::ObjectName;
use format::{
    envelope::open_account_envelope,
    name::parse_envelope_name,
    replay::At,
    snapshot::{decode_named_layer_part, parse_snapshot_name},
};
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{AccountId, ObjectId, TargetId},
    pack::MakeState,
    world::BoxFuture,
};

use crate::{
    Inner, Store,
    copies::unverified,
    error::{Error, Result},
    fold::object,
    ground::Done,
    late::{Brought, Late, Moment, bring_in_account, bring_in_cluster},
    ledger, meta,
};
/// What was found at a target, and what was made of it.
#[derive(Default)]
pub(crate) struct Reading {
    pub late: Late,
    /// Objects of earlier lives that nobody knew.
    pub old: Vec<ObjectRow>,
    /// Objects that are known: one more copy of each.
    known: Vec<ObjectId>,
    /// Envelopes of accounts that nobody knew, or newer than the one that is known.
    envelopes: Vec<FoundEnvelope>,
    pub findings: Vec<String>,
}

/// An envelope that counts from now on.
pub(crate) struct FoundEnvelope {
    account: AccountId,
    envelope: catalogue::accounts::Envelope,
    object: ObjectRow,
}

impl Store {
    /// Gives a target up for good: it is not asked, counted or waited for any more.
    ///
    /// # Errors
    /// [`Error::Setup`] if there is no such target; [`Error::Unsafe`].
    pub fn retire(&self, target: TargetId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let unknown = || Error::Setup { what: format!("there is no target {target}; `holdfast fleet` lists them") };
            let mut row = self.0.fleet.live(target).ok_or_else(unknown)?.row;
            row.state = TargetState::Retired;
            let retired = row.clone();
            let now_us = self.now().wall_us;
            self.commit(move |tx, draft| {
                draft.audit(None, "target retired", row.address.clone());
                let fields = [("target", row.id.to_string()), ("address", row.address.clone())];
                ledger::note(tx, draft, "target.retired", &fields, now_us)?;
                draft.change(Scope::Cluster, Change::Target(row));
                Ok::<_, Error>(())
            })
            .await?;
            let before = self.0.fleet.domains();
            self.0.fleet.set_target(retired, None, self.0.now_us());
            self.0.fleet.saw(target, TargetState::Retired, None, "a person retired it", self.0.now_us());
            self.0.regroup_since(&before);
            self.0.upkeep.wake();
            Ok(())
        })
    }
}

impl Inner {
    /// Reads what came back of the targets that a rebuild was without, and ends the wait for those and for retired ones.
    pub(crate) async fn read_returned(self: &Arc<Self>) -> Result<()> {
        for target in self.unread_since_rebuild().await? {
            let Some(live) = self.fleet.live(target) else { continue };
            match live.state {
                TargetState::Up => {
                    let reading = self.read_earlier(target).await?;
                    self.bring_in(&live.row.address, target, reading).await?;
                }
                TargetState::Retired => self.end_wait(target, Vec::new(), Vec::new()).await?,
                _ => {}
            }
        }
        Ok(())
    }

    async fn read_earlier(self: &Arc<Self>, target: TargetId) -> Result<Reading> {
        let mut reading = Reading::default();
        let kinds = [ObjectKind::Envelope, ObjectKind::Snapshot, ObjectKind::Journal];
        let known = move |tx: &mut catalogue::Tx<'_>| {
            let mut names = std::collections::BTreeMap::new();
            for kind in kinds {
                let views = catalogue::objects::of_kind(tx, kind)?;
                names.extend(views.into_iter().map(|view| (view.object.name, view.object.id)));
            }
            Ok(names)
        };
        let known = self.catalogue.read(known).await?;
        let fresh = |reading: &mut Reading, names: Vec<String>| -> Vec<String> {
            let (old, new): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| known.contains_key(name));
            reading.known.extend(old.iter().filter_map(|name| known.get(name)));
            new
        };
        let names = fresh(&mut reading, self.names_at(target, "envelopes/").await?);
        self.read_envelopes(target, names, &mut reading).await?;
        let names = fresh(&mut reading, self.names_at(target, "snapshots/").await?);
        self.read_layers(target, names, &mut reading).await?;
        let names = fresh(&mut reading, self.names_at(target, "journal/").await?);
        self.read_journals(target, names, &mut reading).await?;
        Ok(reading)
    }

    pub(crate) async fn names_at(&self, target: TargetId, prefix: &str) -> Result<Vec<String>> {
        let driver = self.driver(target)?;
        let mut names = Vec::new();
        let mut after: Option<ObjectName> = None;
        loop {
            let page = driver.list(prefix, after.as_ref(), 1_000).await?;
            names.extend(page.objects.iter().map(|listed| listed.name.to_string()));
            after = page.objects.last().map(|listed| listed.name.clone());
            if !page.more || after.is_none() {
                return Ok(names);
            }
        }
    }

    /// All of an object at the target; damage that `decode` finds is a finding, not an error.
    pub(crate) async fn read_old<T>(
        &self,
        target: TargetId,
        name: &str,
        findings: &mut Vec<String>,
        decode: impl FnOnce(&[u8]) -> std::result::Result<T, format::Error>,
    ) -> Result<Option<(T, Bytes)>> {
        let driver = self.driver(target)?;
        let object = ObjectName::parse(name)?;
        let length = driver.stat(&object).await?.unwrap_or(0);
        let bytes = driver.read(&object, 0..length).await?;
        match decode(&bytes) {
            Ok(decoded) => Ok(Some((decoded, bytes))),
            Err(error) => {
                findings.push(format!("{name} cannot be used: {error}"));
                Ok(None)
            }
        }
    }

    async fn read_envelopes(&self, target: TargetId, names: Vec<String>, reading: &mut Reading) -> Result<()> {
        // Of each account the newest one counts: an older one may open for a kit that was revoked.
        let mut newest: Vec<_> =
            names.into_iter().filter_map(|name| Some((parse_envelope_name(&name)?, name))).collect();
        newest.sort_by_key(|(parsed, _)| std::cmp::Reverse(parsed.generation));
        for (parsed, name) in newest {
            let Scope::Account(account) = parsed.scope else { continue };
            let open = |bytes: &[u8]| open_account_envelope(Some(&name), bytes, &self.service);
            let Some(((id, key), bytes)) = self.read_old(target, &name, &mut reading.findings, open).await? else {
                continue;
            };
            let row = object(parsed.id, ObjectKind::Envelope, &name, &bytes);
            let known = move |tx: &mut catalogue::Tx<'_>| {
                let generation = catalogue::accounts::envelope(tx, account)?.map_or(0, |envelope| envelope.generation);
                // The key of an account that is gone stays gone.
                let is_gone = catalogue::accounts::gone(tx, account)?.is_some();
                Ok(if is_gone { u64::MAX } else { generation })
            };
            let known = self.catalogue.read(known).await?;
            let is_first = reading.envelopes.iter().all(|found| found.account != account);
            if id == account && known < parsed.generation && is_first {
                if self.keys.account(account).is_err() {
                    self.keys.insert(account, key);
                }
                let envelope = catalogue::accounts::Envelope { bytes: bytes.to_vec(), generation: parsed.generation };
                reading.envelopes.push(FoundEnvelope { account, envelope, object: row });
            } else {
                reading.old.push(row);
            }
        }
        Ok(())
    }

    async fn read_layers(&self, target: TargetId, names: Vec<String>, reading: &mut Reading) -> Result<()> {
        let keys = self.keys.snapshot();
        for name in names {
            let earlier = parse_snapshot_name(&name).is_some_and(|parsed| parsed.epoch < self.epoch());
            if !earlier {
                continue;
            }
            let decode = |bytes: &[u8]| decode_named_layer_part(&name, bytes);
            let read = self.read_old(target, &name, &mut reading.findings, decode).await?;
            let Some((part, bytes)) = read else { continue };
            match part.unseal(&keys) {
                Ok(rows) => {
                    for (revision, change) in &rows {
                        reading.late.take(
                            part.header.scope,
                            At { epoch: part.header.epoch, revision: *revision },
                            change,
                        );
                    }
                    reading.old.push(object(part.header.id, ObjectKind::Snapshot, &name, &bytes));
                }
                Err(_) if self.is_of_gone(part.header.scope).await? => {
                    reading.old.push(object(part.header.id, ObjectKind::Snapshot, &name, &bytes));
                }
                Err(error) => reading.findings.push(format!("{name} cannot be opened: {error}")),
            }
        }
        Ok(())
    }

    /// Brings in what only this target knew, states it in snapshots, and ends the wait for it.
    async fn bring_in(self: &Arc<Self>, address: &str, target: TargetId, reading: Reading) -> Result<()> {
        let Reading { late, mut old, known, envelopes, findings } = reading;
        let envelopes = envelopes.into_iter().map(|envelope| (target, envelope)).collect();
        self.bring_in_late(late, envelopes, address, &findings).await?;
        old.retain(|row| !known.contains(&row.id));
        self.end_wait(target, old, known).await
    }

    /// Brings in late records, and envelopes with the target that they were found at; what a person should know of it.
    pub(crate) async fn bring_in_late(
        self: &Arc<Self>,
        late: Late,
        envelopes: Vec<(TargetId, FoundEnvelope)>,
        from: &str,
        findings: &[String],
    ) -> Result<Vec<String>> {
        if late.is_empty() && envelopes.is_empty() && findings.is_empty() {
            return Ok(Vec::new());
        }
        let moment = Moment {
            at: self.service_time(),
            now: self.world.clock.now(),
            epoch: self.epoch(),
            topology: self.fleet.topology(self.now_us()),
        };
        let late = Arc::new(late);
        let (of_cluster, at) = (late.clone(), moment.clone());
        let mut brought = Store(self.clone())
            .commit(move |tx, draft| {
                for (target, FoundEnvelope { account, envelope, object }) in envelopes {
                    let known = catalogue::accounts::envelope(tx, account)?.map_or(0, |known| known.generation);
                    if known < envelope.generation {
                        catalogue::accounts::set_envelope(tx, account, &envelope)?;
                    }
                    if catalogue::objects::view(tx, object.id)?.is_none() {
                        crate::found::register(tx, &object, &[target])?;
                    }
                }
                bring_in_cluster(tx, draft, &of_cluster.cluster, &at)
            })
            .await?;
        if !brought.constraints.is_empty() {
            self.go_by(Done { constraints: brought.constraints.clone(), ..Done::default() }).await;
        }
        let owners = late.payloads.values().map(|(account, _)| *account);
        let mut accounts: BTreeSet<AccountId> = late.accounts.keys().copied().chain(owners).collect();
        let segments: Vec<_> = late.payloads.keys().copied().collect();
        let users = self.catalogue.read(move |tx| {
            let mut users = BTreeSet::new();
            for segment in segments {
                users.extend(catalogue::segments::users(tx, segment)?.into_iter().map(|user| user.account));
            }
            Ok(users)
        });
        accounts.append(&mut users.await?);
        for account in accounts {
            let (late, moment, entropy) = (late.clone(), moment.clone(), self.world.entropy.clone());
            let of_account = Store(self.clone())
                .commit(move |tx, draft| bring_in_account(tx, draft, account, &late, &moment, entropy.as_ref()))
                .await?;
            brought.add(of_account);
        }
        self.report_late(from, &brought, findings).await?;
        if !brought.is_nothing() {
            self.snapshot_all(true).await?;
        }
        Ok(brought.told)
    }

    async fn report_late(self: &Arc<Self>, from: &str, brought: &Brought, findings: &[String]) -> Result<()> {
        if brought.is_nothing() && findings.is_empty() {
            return Ok(());
        }
        let Brought { accounts, packs, kits, versions, entries, not_repeated, constraints, told, untold } = brought;
        let mut said = format!(
            "late changes at {from}, from before a rebuild: {versions} versions, {packs} packs, {kits} kits, {entries} entries \
             of the ledger and {accounts} accounts were brought in beside what is there; {not_repeated} deletions were not \
             done again"
        );
        for row in constraints {
            said = format!("{said}; firms that say the same {} count as one again", row.label);
        }
        for finding in told.iter().chain(findings) {
            said = format!("{said}; {finding}");
        }
        if *untold > 0 {
            said = format!("{said}; and {untold} more of the kind, which are not named");
        }
        self.upkeep.also_found("late records", said.clone());
        Store(self.clone())
            .commit(move |_, draft| {
                draft.audit(None, "late records", said);
                Ok::<_, Error>(())
            })
            .await
    }

    /// Releases the old objects at a target, counts its copies of known ones again, and waits for it no more.
    async fn end_wait(self: &Arc<Self>, target: TargetId, old: Vec<ObjectRow>, known: Vec<ObjectId>) -> Result<()> {
        let at = self.service_time();
        Store(self.clone())
            .commit(move |tx, _| {
                let mut suspect = unverified(target);
                suspect.finding.state = MakeState::Suspect;
                for id in known {
                    let view = catalogue::objects::view(tx, id)?;
                    if view.is_some_and(|view| view.copies.iter().all(|copy| copy.target != target)) {
                        catalogue::objects::set_copy(tx, id, &suspect)?;
                    }
                }
                for row in old {
                    if catalogue::objects::view(tx, row.id)?.is_none() {
                        catalogue::objects::insert(tx, &ObjectRow { released: Some(at), ..row.clone() })?;
                    }
                    catalogue::objects::set_copy(tx, row.id, &suspect)?;
                }
                let unread = catalogue::meta::bytes(tx, meta::REBUILT_WITHOUT)?.unwrap_or_default();
                let left: Vec<u8> =
                    unread.as_chunks::<16>().0.iter().filter(|id| **id != target.0).flatten().copied().collect();
                Ok::<_, Error>(catalogue::meta::set_bytes(tx, meta::REBUILT_WITHOUT, &left)?)
            })
            .await
    }
}
