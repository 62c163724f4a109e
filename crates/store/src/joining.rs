//! A target joins the fleet while the service runs, and what logs in there.
//!
//! A place at a firm is tried before it is recorded: a marker is written, an object written, read back, found by its length
//! and in a listing, and deleted. What fails is said with the step that failed; then nothing is recorded, and the place may
//! be named again once the firm has mended it. With the record the target takes shards, and repair fills it in the background.
//! A first start on firms tries each of them in the same way ([`Store::found_on_firms`]).
//!
//! Logins come sealed to the service identity and stay in the catalogue: they are no change that is journalled.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use fleet::{Abilities, DeleteTicket, ObjectName, Target};
use format::{FORMAT_MD_NAME, Marker};
use model::{
    Change, Scope,
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ProviderId, TargetId},
    world::BoxFuture,
};

use crate::{
    Draft, Inner, Store,
    error::{Error, Result},
    found::FORMAT_MD,
    ground::{Done, Ground},
    ledger, meta,
};
/// Bytes of the object that a new target is tried with: more than one frame, and no round number.
const TRIAL_BYTES: usize = 150_001;
/// What is in the way of a trial when it lies there already: an earlier one that broke off.
const TRIAL: &str = "trial";

/// A target that is about to join.
pub struct Joining {
    /// Its row, of generation 1.
    pub row: TargetRow,
    /// Its open driver.
    pub driver: Arc<dyn Target>,
    /// What logs in there, sealed; `None` for a folder.
    pub login: Option<Vec<u8>>,
}

/// What was found out about a target that joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Room, where the target can tell.
    pub free_bytes: Option<u64>,
    /// What it promises.
    pub abilities: Abilities,
}

/// A firm's target that did not pass its trial at a first start.
#[derive(Debug)]
pub struct LeftOut {
    /// Its row; nothing of it is recorded.
    pub row: TargetRow,
    /// The step that failed, and why.
    pub why: Error,
}

/// Who made the last operator's kit, and whether it still fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KitAge {
    /// When it was made, microseconds since 1970; `None` if none was since the catalogue began.
    pub made_us: Option<i64>,
    /// Whether it holds every target and login of today.
    pub is_current: bool,
}

impl Store {
    /// Tries a vacant place and lets it join. The caller has looked that nothing of others lies there; `found` is the marker
    /// that an earlier attempt left, if one did.
    ///
    /// # Errors
    /// [`Error::Setup`] with the step that the target did not pass: nothing is recorded then.
    pub fn join(&self, joining: Joining, found: Option<Bytes>) -> BoxFuture<'_, Result<Joined>> {
        Box::pin(async move {
            let inner = &self.0;
            let Joining { row, driver, login } = joining;
            inner.must_not_be_left(row.provider)?;
            let (marker, joined) = inner.admit(&row, driver.as_ref(), found.as_ref()).await?;
            let (recorded, sealed, now_us) = (row.clone(), login, self.now().wall_us);
            let topology = inner.fleet.topology(inner.now_us());
            self.commit(move |tx, draft| {
                Ground::read(tx)?.may_join(&topology, std::slice::from_ref(&recorded))?;
                if let Some(sealed) = sealed {
                    catalogue::logins::set(tx, recorded.id, &sealed)?;
                }
                draft.audit(None, "target joined", recorded.id.to_string());
                note_target(tx, draft, "target.joined", &recorded, now_us)?;
                draft.change(Scope::Cluster, Change::Target(recorded));
                Ok::<_, Error>(())
            })
            .await?;
            inner.roster.insert(row.id, driver);
            let (now_us, before) = (inner.now_us(), inner.fleet.domains());
            inner.fleet.set_target(row.clone(), Some(marker), now_us);
            inner.fleet.saw(row.id, TargetState::Up, joined.free_bytes, "", now_us);
            inner.regroup_since(&before);
            inner.renew_address_books().await?;
            inner.upkeep.wake();
            Ok(joined)
        })
    }

    /// Lets a running service's fleet grow: new providers, targets at a new address (`moved`), and new targets with their
    /// open drivers; an empty folder or bucket becomes ours.
    ///
    /// # Errors
    /// [`Error::Setup`] for a target that is not empty or belongs to somebody; the ones before it were added.
    /// [`crate::OrderError::Last`] if labels that changed would leave too few firms; nothing is changed then.
    pub fn grow(
        &self,
        providers: Vec<ProviderRow>,
        moved: Vec<TargetRow>,
        opened: Vec<(TargetRow, Arc<dyn fleet::Target>)>,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let inner = &self.0;
            inner.label(providers).await?;
            let (before, topology) = (inner.fleet.domains(), inner.fleet.topology(inner.now_us()));
            let fresh: BTreeSet<_> = opened.iter().map(|(row, _)| row.id).collect();
            let asked: Vec<_> = moved.iter().chain(opened.iter().map(|(row, _)| row)).cloned().collect();
            // Before anything is touched; the commit asks again.
            inner.catalogue.read(|tx| Ground::read(tx)).await?.may_join(&topology, &asked)?;
            let mut rows = Vec::new();
            for row in moved {
                inner.fleet.set_target(row.clone(), None, inner.now_us());
                rows.push(row);
            }
            for (row, _) in &opened {
                inner.must_not_be_left(row.provider)?;
            }
            for (mut row, driver) in opened {
                row.generation = 1;
                inner.roster.insert(row.id, driver);
                inner.adopt_target(&row).await?;
                rows.push(row);
            }
            let now_us = self.now().wall_us;
            let record = move |tx: &mut catalogue::Tx<'_>, draft: &mut Draft| {
                Ground::read(tx)?.may_join(&topology, &rows)?;
                for row in rows {
                    let what = if fresh.contains(&row.id) { "target.joined" } else { "target.moved" };
                    note_target(tx, draft, what, &row, now_us)?;
                    draft.change(Scope::Cluster, Change::Target(row));
                }
                Ok::<_, Error>(())
            };
            if !asked.is_empty() {
                self.commit(record).await?;
                inner.regroup_since(&before);
            }
            inner.renew_address_books().await?;
            inner.upkeep.call();
            Ok(())
        })
    }

    /// Takes another login for a target, and the driver that was opened with it.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn set_login(&self, target: TargetId, sealed: Vec<u8>, driver: Arc<dyn Target>) -> Result<()> {
        let now_us = self.now().wall_us;
        self.commit(move |tx, draft| {
            catalogue::logins::set(tx, target, &sealed)?;
            draft.audit(None, "login changed", target.to_string());
            ledger::note(tx, draft, "login.changed", &[("target", target.to_string())], now_us)?;
            Ok::<_, Error>(())
        })
        .await?;
        if let Some(marker) = self.0.fleet.live(target).and_then(|live| live.marker) {
            driver.expect_marker(Some(marker));
        }
        self.0.take_counts();
        self.0.roster.insert(target, driver);
        self.0.upkeep.wake();
        Ok(())
    }

    /// Says whether providers still share one disk, after the fleet grew.
    pub fn set_trial(&self, trial: bool) {
        self.0.trial.store(trial, Ordering::Release);
    }

    /// Whether providers share one disk.
    pub fn is_trial(&self) -> bool {
        self.0.trial.load(Ordering::Acquire)
    }

    /// How the targets look now, for what people are told of.
    pub fn targets_seen(&self) -> Vec<plan::Seen> {
        let now_us = self.0.now_us();
        let seen = |live: crate::fleet_state::Live| plan::Seen {
            id: live.row.id,
            provider: live.row.provider,
            address: live.row.address,
            state: live.state,
            since_s: now_us.saturating_sub(live.since_us) / 1_000_000,
            is_unmarked: live.unmarked,
        };
        self.0.fleet.all().into_iter().map(seen).collect()
    }

    /// The providers whose budget of the month is used up, for what people are told of.
    pub fn budgets_used_up(&self) -> std::collections::BTreeMap<ProviderId, plan::UsedUp> {
        self.0.fleet.spent()
    }

    /// From now on the catalogue alone says which providers and targets there are.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn keep_fleet(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.commit(|tx, _| Ok::<_, Error>(catalogue::meta::set_number(tx, meta::FLEET_KEPT, 1)?)).await
        })
    }

    /// Notes that an operator's kit of today's fleet was made.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn note_operator_kit(&self, made_us: i64) -> Result<()> {
        self.commit(move |tx, draft| {
            let mut note = made_us.to_le_bytes().to_vec();
            note.extend_from_slice(&fingerprint(tx)?);
            catalogue::meta::set_bytes(tx, meta::OPERATOR_KIT, &note)?;
            draft.audit(None, "operator's kit made", String::new());
            ledger::note(tx, draft, "operator-kit.made", &[], made_us)?;
            Ok::<_, Error>(())
        })
        .await
    }

    /// How old the operator's kit is.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn operator_kit(&self) -> Result<KitAge> {
        self.read(|tx| {
            let note = catalogue::meta::bytes(tx, meta::OPERATOR_KIT)?.unwrap_or_default();
            let Some((made, of)) = note.split_first_chunk() else { return Ok(KitAge::default()) };
            Ok(KitAge { made_us: Some(i64::from_le_bytes(*made)), is_current: of == fingerprint(tx)? })
        })
        .await
    }
}

/// Whether the catalogue alone says which providers and targets there are; else a configuration file is read at each start.
///
/// # Errors
/// As for every reading.
pub fn fleet_is_kept(tx: &catalogue::Tx<'_>) -> catalogue::Result<bool> {
    Ok(catalogue::meta::number(tx, meta::FLEET_KEPT)?.is_some())
}

/// Notes a provider that is new, or whose labels are.
pub(crate) fn note_provider(tx: &catalogue::Tx<'_>, draft: &mut Draft, row: &ProviderRow, now_us: i64) -> Result<()> {
    let known = catalogue::fleet::providers(tx)?.into_iter().any(|known| known.id == row.id);
    let mut fields = vec![("provider", row.id.to_string()), ("name", row.name.clone())];
    fields.extend(row.labels.iter().map(|(label, value)| ("label", format!("{label}={value}"))));
    ledger::note(tx, draft, if known { "provider.changed" } else { "provider.added" }, &fields, now_us)?;
    Ok(())
}

fn note_target(tx: &catalogue::Tx<'_>, draft: &mut Draft, what: &str, row: &TargetRow, now_us: i64) -> Result<()> {
    let provider = row.provider.to_string();
    let fields = [("target", row.id.to_string()), ("provider", provider), ("address", row.address.clone())];
    ledger::note(tx, draft, what, &fields, now_us)?;
    Ok(())
}

/// Of all that an operator's kit holds: where the targets are and what logs in there.
fn fingerprint(tx: &catalogue::Tx<'_>) -> catalogue::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    for row in catalogue::fleet::targets(tx)?.iter().filter(|row| row.state != TargetState::Retired) {
        hasher.update(&row.id.0).update(&(row.address.len() as u64).to_le_bytes()).update(row.address.as_bytes());
    }
    for (target, sealed) in catalogue::logins::all(tx)? {
        hasher.update(&target.0).update(blake3::hash(&sealed).as_bytes());
    }
    Ok(*hasher.finalize().as_bytes())
}

type Step = (&'static str, fleet::Error);

impl Inner {
    /// The whole trial of a vacant place, for which its marker is written over `found`: that marker, and what was found out.
    pub(crate) async fn admit(
        &self,
        row: &TargetRow,
        driver: &dyn Target,
        found: Option<&Bytes>,
    ) -> Result<(Bytes, Joined)> {
        let marker = Marker::new(self.cluster, row.id, row.provider, self.epoch(), row.generation);
        let marker = Bytes::from(marker.encode());
        let failed = |step: &str, error: &dyn std::fmt::Display| Error::Setup {
            what: format!("{} did not pass its trial, {step}: {error}; nothing of it is recorded", row.address),
        };
        driver.write_marker(found, marker.clone()).await.map_err(|error| failed("writing a marker", &error))?;
        self.try_out(driver).await.map_err(|(step, error)| failed(step, &error))?;
        self.put_manual(driver).await.map_err(|error| failed("writing format.md", &error))?;
        let probe = driver.probe().await.map_err(|error| failed("looking at it again", &error))?;
        Ok((marker, Joined { free_bytes: probe.free_bytes, abilities: driver.abilities() }))
    }

    /// Records providers that are new or have other labels, if enough firms are left then, and goes by them.
    async fn label(self: &Arc<Self>, providers: Vec<ProviderRow>) -> Result<()> {
        if providers.is_empty() {
            return Ok(());
        }
        let (topology, now_us) = (self.fleet.topology(self.now_us()), self.world.clock.now().wall_us);
        let recorded = providers.clone();
        let record = move |tx: &mut catalogue::Tx<'_>, draft: &mut Draft| {
            Ground::read(tx)?.may_be_labelled(&topology, &recorded)?;
            for row in recorded {
                note_provider(tx, draft, &row, now_us)?;
                draft.change(Scope::Cluster, Change::Provider(row));
            }
            Ok::<_, Error>(())
        };
        Store(self.clone()).commit(record).await?;
        self.take(Done { providers, ..Done::default() }).await;
        Ok(())
    }

    /// Refuses a target at a provider that is being left.
    fn must_not_be_left(&self, provider: ProviderId) -> Result<()> {
        let left = |live: &crate::fleet_state::Live| live.row.provider == provider && live.orders.leaves();
        match self.fleet.all().into_iter().filter(|live| live.row.state != TargetState::Retired).find(left) {
            None => Ok(()),
            Some(live) => Err(Error::Setup {
                what: format!(
                    "its provider is being left: {} is to be evacuated; cancel that order first, or add the target at another \
                     provider",
                    live.row.address
                ),
            }),
        }
    }

    /// Makes an empty target ours: marker and manual. Used at the founding on folders and when a fleet grows by them.
    pub(crate) async fn adopt_target(&self, row: &TargetRow) -> Result<()> {
        let driver = self.driver(row.id)?;
        let marker = Marker::new(self.cluster, row.id, row.provider, self.epoch(), row.generation);
        let marker = Bytes::from(marker.encode());
        driver.write_marker(None, marker.clone()).await.map_err(|error| Error::Setup {
            what: format!("{} cannot become a target: {error}; give an empty folder that exists", row.address),
        })?;
        self.fleet.set_target(row.clone(), Some(marker), self.now_us());
        let probe = driver.probe().await?;
        self.fleet.saw(row.id, TargetState::Up, probe.free_bytes, "", self.now_us());
        self.put_manual(driver.as_ref()).await
    }

    /// Makes a firm's empty place ours, after the whole trial.
    async fn adopt_firm(&self, row: &TargetRow) -> Result<()> {
        let driver = self.driver(row.id)?;
        let (marker, joined) = self.admit(row, driver.as_ref(), None).await?;
        self.fleet.set_target(row.clone(), Some(marker), self.now_us());
        self.fleet.saw(row.id, TargetState::Up, joined.free_bytes, "", self.now_us());
        Ok(())
    }

    /// Makes the targets of a first start ours, those at firms after their trial; the rows, and who did not pass.
    pub(crate) async fn take_first_targets(
        &self,
        targets: Vec<TargetRow>,
        far: &BTreeSet<TargetId>,
    ) -> Result<(Vec<TargetRow>, Vec<LeftOut>)> {
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for mut row in targets {
            row.generation = 1;
            if !far.contains(&row.id) {
                self.adopt_target(&row).await?;
            } else if let Err(why) = self.adopt_firm(&row).await {
                self.roster.remove(row.id);
                left_out.push(LeftOut { row, why });
                continue;
            }
            rows.push(row);
        }
        if !left_out.is_empty() && self.fleet.topology(self.now_us()).healthy_providers().len() < 2 {
            let whys: Vec<_> = left_out.iter().map(|left| left.why.to_string()).collect();
            return Err(Error::Setup {
                what: format!(
                    "too few firms are left: what is acknowledged must survive the loss of any one ({}); mend that, empty the \
                     other places, which carry a marker now, and start again",
                    whys.join("; ")
                ),
            });
        }
        Ok((rows, left_out))
    }

    /// Puts `format.md` where it is missing.
    pub(crate) async fn put_manual(&self, driver: &dyn fleet::Target) -> Result<()> {
        let name = ObjectName::parse(FORMAT_MD_NAME)?;
        if driver.stat(&name).await?.is_some() {
            return Ok(());
        }
        match driver.put(&name, &[Bytes::from_static(FORMAT_MD.as_bytes())]).await {
            Ok(()) | Err(fleet::Error::Exists { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Does with a target what will be asked of it, under a name of its own.
    async fn try_out(&self, driver: &dyn Target) -> std::result::Result<(), Step> {
        let step = |what: &'static str| move |error: fleet::Error| (what, error);
        let mut drawn = [0; 16];
        self.world.entropy.fill(&mut drawn);
        let id: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = ObjectName::parse(format!("{TRIAL}/{id}")).map_err(step("naming an object"))?;
        let content: Bytes = drawn.iter().copied().cycle().take(TRIAL_BYTES).collect();
        let wrong = |what: &'static str| {
            let target = driver.address().to_owned();
            (what, fleet::Error::Down { target, reason: "it does not give back what was written".to_owned() })
        };
        driver.put(&name, std::slice::from_ref(&content)).await.map_err(step("writing an object"))?;
        let read = driver.read(&name, 0..TRIAL_BYTES as u64).await.map_err(step("reading it back"))?;
        if read != content {
            return Err(wrong("reading it back"));
        }
        let part = driver.read(&name, 100..70_000).await.map_err(step("reading a part of it"))?;
        if part != content.slice(100..70_000) {
            return Err(wrong("reading a part of it"));
        }
        if driver.stat(&name).await.map_err(step("asking for its length"))? != Some(TRIAL_BYTES as u64) {
            return Err(wrong("asking for its length"));
        }
        let listed = driver.list(TRIAL, None, 1_000).await.map_err(step("listing it"))?;
        if !listed.objects.iter().any(|object| object.name == name) {
            return Err(wrong("listing it"));
        }
        let ticket = DeleteTicket { name: name.clone(), reason: TRIAL };
        driver.delete(&ticket).await.map_err(step("deleting it"))?;
        match driver.stat(&name).await.map_err(step("deleting it"))? {
            None => Ok(()),
            Some(_) => Err(wrong("deleting it")),
        }
    }
}
