//! What a person orders of targets: to take nothing new (*cordon*), to move everything away by a date (*evacuate*), to be
//! forgotten (*retire*).
//!
//! An order is a row for each target, journalled like all that matters, so it survives a restart and a lost catalogue. What
//! carries orders out is [`crate::evacuate`], [`crate::certify`] and [`crate::retire`]; here they are given, changed and
//! refused. The targets of one provider are left by one order, under one id. **What may be ordered is asked in the commit that
//! records it** ([`crate::ground`]): two who order at once, each with enough firms left, do not go too far together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{
    Change, Scope,
    fleet::{TargetRow, TargetState},
    id::{OrderId, TargetId},
    orders::{Evacuation, TargetOrders},
    world::BoxFuture,
};

use crate::{
    Draft, Inner, Store,
    constraints::draft_constraint,
    error::{Error, Result},
    ground::{Done, Ground, Moment, Rules},
    ledger, meta,
};

/// Targets that one entry of the ledger names: more would outgrow it.
const NAMED_MAX: usize = 200;

mod refused;

pub use refused::OrderError;

/// Those of these targets that are of the fleet, with what was ordered of them.
///
/// # Errors
/// [`OrderError::NothingThere`], [`OrderError::Gone`] if there are none; [`OrderError::Retiring`] if one is on its way out.
pub(crate) fn of_ours(
    targets: Vec<(TargetRow, TargetOrders)>,
) -> std::result::Result<Vec<(TargetRow, TargetOrders)>, OrderError> {
    let is_ours = |row: &TargetRow| !matches!(row.state, TargetState::Lost | TargetState::Retired);
    let (ours, gone): (Vec<_>, Vec<_>) = targets.into_iter().partition(|(row, _)| is_ours(row));
    match (ours.iter().find(|(_, orders)| orders.retirement.is_some()), gone.first()) {
        (Some((row, _)), _) => Err(OrderError::Retiring { address: row.address.clone() }),
        (None, Some((row, _))) if ours.is_empty() => {
            let state = if row.state == TargetState::Lost { "lost" } else { "retired" };
            Err(OrderError::Gone { address: row.address.clone(), state })
        }
        _ if ours.is_empty() => Err(OrderError::NothingThere),
        _ => Ok(ours),
    }
}

impl Store {
    /// Lets targets take no new shards, or take them again.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn cordon(&self, targets: Vec<TargetId>, cordoned: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let order = move |ground: &Ground, _: &Moment<'_>| ground.cordon(&ground.rules, &targets, cordoned);
            self.0.order(Vec::new(), order).await.map(drop)
        })
    }

    /// Orders everything away from these targets by a date, in microseconds since 1970.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn evacuate(&self, targets: Vec<TargetId>, by_us: i64) -> BoxFuture<'_, Result<OrderId>> {
        Box::pin(async move {
            let order =
                move |ground: &Ground, moment: &Moment<'_>| ground.evacuate(&ground.rules, &targets, by_us, moment);
            let done = self.0.order(Vec::new(), order).await?;
            Ok(done.orders.iter().find_map(|row| row.evacuation).map(|order| order.id).unwrap_or_default())
        })
    }

    /// Holds an evacuation, or lets it go on.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn pause_evacuation(&self, targets: Vec<TargetId>, paused: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let change = move |order: Evacuation| Some(Evacuation { paused, ..order });
            let order =
                move |ground: &Ground, _: &Moment<'_>| ground.change_evacuation(&ground.rules, &targets, change);
            self.0.order(Vec::new(), order).await.map(drop)
        })
    }

    /// Takes an evacuation back: the targets count as before, and take new shards again unless they are cordoned.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn cancel_evacuation(&self, targets: Vec<TargetId>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let order =
                move |ground: &Ground, _: &Moment<'_>| ground.change_evacuation(&ground.rules, &targets, |_| None);
            self.0.order(Vec::new(), order).await.map(drop)
        })
    }

    /// Orders targets to be forgotten, after they were evacuated or given up: their shards leave the records, go after the
    /// grace and within the budget of all destruction (`keeps_shards`: they stay where they are), and then the targets are
    /// retired.
    ///
    /// # Errors
    /// [`OrderError::StillCounts`] where something there still counts; other [`OrderError`]s; [`Error::Unsafe`].
    pub fn order_retirement(&self, targets: Vec<TargetId>, keeps_shards: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let asked = targets.clone();
            let order = move |ground: &Ground, moment: &Moment<'_>| {
                ground.retire(&ground.rules, &targets, keeps_shards, moment.now_us)
            };
            self.0.order(asked, order).await.map(drop)
        })
    }

    /// Gives targets up that will never answer again: what lay there is made anew without them, from now on.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn give_up(&self, targets: Vec<TargetId>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let now_us = self.now().wall_us;
            let lost = self
                .commit(move |tx, draft| {
                    let ground = Ground::read(tx)?;
                    let mut rows: Vec<_> =
                        ground.ours(&ground.rules, &targets)?.into_iter().map(|(row, _)| row).collect();
                    for row in &mut rows {
                        row.state = TargetState::Lost;
                        let fields = [("target", row.id.to_string()), ("address", row.address.clone())];
                        ledger::note(tx, draft, "target.lost", &fields, now_us)?;
                        draft.audit(None, "target lost", row.address.clone());
                        draft.change(Scope::Cluster, Change::Target(row.clone()));
                    }
                    Ok::<_, Error>(rows)
                })
                .await?;
            let before = self.0.fleet.domains();
            for row in lost {
                let target = row.id;
                self.0.fleet.set_target(row, None, self.0.now_us());
                self.0.fleet.saw(target, TargetState::Lost, None, "a person gave it up", self.0.now_us());
            }
            self.0.regroup_since(&before);
            self.0.upkeep.wake();
            Ok(())
        })
    }

    /// The target at an address, unless it is retired.
    pub fn target_at(&self, address: &str) -> Result<TargetId> {
        let found = self
            .0
            .fleet
            .all()
            .into_iter()
            .find(|live| live.row.address == address && live.row.state != TargetState::Retired);
        Ok(found.ok_or_else(|| OrderError::NoTarget { address: address.to_owned() })?.row.id)
    }

    /// The targets of a provider, those that are retired left out.
    pub fn targets_of(&self, provider: model::id::ProviderId) -> Vec<TargetId> {
        let all = self.0.fleet.all().into_iter();
        let own = all.filter(|live| live.row.provider == provider && live.row.state != TargetState::Retired);
        own.map(|live| live.row.id).collect()
    }

    /// How a target is seen now.
    pub fn target_seen(&self, target: TargetId) -> Option<crate::TargetReport> {
        self.0.fleet.live(target).map(|live| self.0.target_report(&live))
    }

    /// Looks at a target now, and says how it is seen then.
    pub fn probe_target(&self, target: TargetId) -> BoxFuture<'_, Option<crate::TargetReport>> {
        Box::pin(async move {
            self.0.probe_these(&BTreeSet::from([target])).await;
            self.0.fleet.live(target).map(|live| self.0.target_report(&live))
        })
    }
}

impl Inner {
    /// Records what a person ordered, if that may be as things are in the commit, and then goes by it; the rows that changed. What
    /// records name at targets `to_retire` is known to `order`.
    pub(crate) async fn order(
        self: &Arc<Self>,
        to_retire: Vec<TargetId>,
        order: impl FnOnce(&Ground, &Moment<'_>) -> std::result::Result<Rules, OrderError> + Send + 'static,
    ) -> Result<Done> {
        let now_us = self.world.clock.now().wall_us;
        let (topology, entropy) = (self.fleet.topology(self.now_us()), self.world.entropy.clone());
        let done = Store(self.clone())
            .commit(move |tx, draft| {
                let mut ground = Ground::read(tx)?;
                let counted: Vec<_> =
                    to_retire.into_iter().filter(|target| ground.must_hold_nothing(*target)).collect();
                ground.read_held(tx, &counted)?;
                let id = || OrderId::random(entropy.as_ref());
                let rules = order(&ground, &Moment { now_us, order: &id })?;
                ground.may_be(&topology, &rules)?;
                let done = ground.differences(&rules, now_us);
                draft_all(tx, draft, &ground, &done, now_us)?;
                Ok::<_, Error>(done)
            })
            .await?;
        self.go_by(done.clone()).await;
        Ok(done)
    }

    /// Goes by what a person ordered.
    pub(crate) async fn go_by(&self, done: Done) {
        self.take(done).await;
        self.upkeep.evacuating.look_again();
        self.upkeep.wake();
    }

    /// Takes over rows that were recorded: as they stand by now, so that of two who ordered at once the later one is gone by,
    /// whoever of them comes here first.
    pub(crate) async fn take(&self, done: Done) {
        let _turn = self.taking.lock().await;
        let asked = done.clone();
        let read = self.catalogue.read(move |tx| asked.as_recorded(tx)).await;
        // They are recorded all the same; what cannot be read again is gone by as it was.
        let done = read.unwrap_or(done);
        let before = self.fleet.domains();
        done.providers.into_iter().for_each(|row| self.fleet.set_provider(row));
        done.constraints.into_iter().for_each(|row| self.fleet.set_constraint(row));
        done.orders.into_iter().for_each(|row| self.fleet.set_orders(row));
        self.regroup_since(&before);
    }
}

/// Adds rows to what is committed, each with its entry in the ledger.
pub(crate) fn draft_all(
    tx: &mut catalogue::Tx<'_>,
    draft: &mut Draft,
    ground: &Ground,
    done: &Done,
    now_us: i64,
) -> Result<()> {
    for row in &done.providers {
        crate::joining::note_provider(tx, draft, row, now_us)?;
        draft.change(Scope::Cluster, Change::Provider(row.clone()));
    }
    if !done.providers.is_empty() {
        catalogue::meta::set_number(tx, meta::FLEET_KEPT, 1)?;
    }
    for row in &done.constraints {
        draft_constraint(tx, draft, row.clone())?;
    }
    let addresses: BTreeMap<_, _> = ground.targets.iter().map(|row| (row.id, row.address.as_str())).collect();
    let mut told: BTreeMap<_, Vec<(&str, String)>> = BTreeMap::new();
    for row in &done.orders {
        for verb in verbs(&ground.ordered(row.target), row) {
            let address = addresses.get(&row.target).copied().unwrap_or_default();
            let order = row.evacuation.map(|order| order.id);
            told.entry((verb, order)).or_default().push(("target", format!("{} {address}", row.target)));
            draft.audit(None, verb, row.target.to_string());
        }
        draft.change(Scope::Cluster, Change::TargetOrders(row.clone()));
    }
    for ((verb, order), targets) in told {
        for some in targets.chunks(NAMED_MAX) {
            let mut fields = some.to_vec();
            fields.extend(order.map(|order| ("order", order.to_string())));
            ledger::note(tx, draft, &verb.replace(' ', "."), &fields, now_us)?;
        }
    }
    Ok(())
}

/// What was ordered, in words for the ledger.
fn verbs(was: &TargetOrders, is: &TargetOrders) -> Vec<&'static str> {
    let mut verbs = Vec::new();
    match (was.cordoned, is.cordoned) {
        (false, true) => verbs.push("target cordoned"),
        (true, false) => verbs.push("target uncordoned"),
        _ => {}
    }
    match (was.evacuation, is.evacuation) {
        (Some(_), None) => verbs.push("evacuation cancelled"),
        (before, Some(order)) if before.is_none_or(|before| before.id != order.id) => verbs.push("evacuation ordered"),
        (Some(before), Some(order)) if order.paused && !before.paused => verbs.push("evacuation paused"),
        (Some(before), Some(order)) if before.paused && !order.paused => verbs.push("evacuation resumed"),
        _ => {}
    }
    if was.retirement.is_none() && is.retirement.is_some() {
        verbs.push("retirement ordered");
    }
    verbs
}
