//! What a person orders of targets: to take nothing new (*cordon*), to move everything away by a date (*evacuate*), to be
//! forgotten (*retire*).
//!
//! An order is a row for each target, journalled like all that matters, so it survives a restart and a lost catalogue. What
//! carries orders out is [`crate::evacuate`], [`crate::certify`] and [`crate::retire`]; here they are given, changed and
//! refused. The targets of one provider are left by one order, under one id.

use std::collections::BTreeSet;

use model::{
    Change, Scope,
    fleet::{TargetRow, TargetState},
    id::{OrderId, TargetId},
    orders::{Evacuation, Retirement, TargetOrders},
    world::BoxFuture,
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    fleet_state::Live,
    ledger,
};

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
            let lives = self.0.ordered(&targets)?;
            if cordoned {
                self.0.may_leave(&targets)?;
            }
            let orders = lives.into_iter().map(|live| TargetOrders { cordoned, ..live.orders });
            self.0.give(if cordoned { "target cordoned" } else { "target uncordoned" }, orders.collect()).await
        })
    }

    /// Orders everything away from these targets by a date, in microseconds since 1970.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn evacuate(&self, targets: Vec<TargetId>, by_us: i64) -> BoxFuture<'_, Result<OrderId>> {
        Box::pin(async move {
            let lives = self.0.ordered(&targets)?;
            let ordered_us = self.now().wall_us;
            if by_us <= ordered_us {
                return Err(OrderError::DateOver.into());
            }
            if let Some(live) = lives.iter().find(|live| live.orders.evacuation.is_some()) {
                return Err(OrderError::AlreadyOrdered { address: live.row.address.clone() }.into());
            }
            self.0.may_leave(&targets)?;
            let id = OrderId::random(self.entropy());
            let order = Evacuation { id, ordered_us, by_us, ..Evacuation::default() };
            let orders = lives.into_iter().map(|live| TargetOrders { evacuation: Some(order), ..live.orders });
            self.0.give("evacuation ordered", orders.collect()).await?;
            Ok(id)
        })
    }

    /// Holds an evacuation, or lets it go on.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn pause_evacuation(&self, targets: Vec<TargetId>, paused: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let change = |order: Evacuation| Some(Evacuation { paused, ..order });
            let verb = if paused { "evacuation paused" } else { "evacuation resumed" };
            self.0.change_evacuation(verb, &targets, change).await
        })
    }

    /// Takes an evacuation back: the targets count as before, and take new shards again unless they are cordoned.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn cancel_evacuation(&self, targets: Vec<TargetId>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.0.change_evacuation("evacuation cancelled", &targets, |_| None).await })
    }

    /// Orders targets to be forgotten, after they were evacuated or given up: their shards leave the records, go after the
    /// grace and within the budget of all destruction (`keeps_shards`: they stay where they are), and then the targets are
    /// retired.
    ///
    /// # Errors
    /// [`OrderError::StillCounts`] where something there still counts; other [`OrderError`]s; [`Error::Unsafe`].
    pub fn order_retirement(&self, targets: Vec<TargetId>, keeps_shards: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let mut lives = Vec::new();
            for target in &targets {
                let live = self.0.fleet.live(*target).filter(|live| live.row.state != TargetState::Retired);
                lives.extend(live);
            }
            let Some(first) = lives.first() else { return Err(OrderError::NothingThere.into()) };
            if lives.iter().all(|live| live.orders.retirement.is_some()) {
                return Err(OrderError::Retiring { address: first.row.address.clone() }.into());
            }
            for live in lives.iter().filter(|live| live.row.state != TargetState::Lost) {
                if live.orders.evacuation.is_none_or(|order| order.evacuated.is_none()) {
                    self.0.must_be_empty(live).await?;
                }
            }
            let end = Retirement { ordered_us: self.now().wall_us, keeps_shards };
            let orders = lives.into_iter().map(|live| TargetOrders { retirement: Some(end), ..live.orders });
            self.0.give("retirement ordered", orders.collect()).await
        })
    }

    /// Gives targets up that will never answer again: what lay there is made anew without them, from now on.
    ///
    /// # Errors
    /// [`OrderError`]; [`Error::Unsafe`].
    pub fn give_up(&self, targets: Vec<TargetId>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let lives = self.0.ordered(&targets)?;
            let mut rows: Vec<_> = lives.into_iter().map(|live| live.row).collect();
            rows.iter_mut().for_each(|row| row.state = TargetState::Lost);
            let lost = rows.clone();
            let now_us = self.now().wall_us;
            self.commit(move |tx, draft| {
                for row in rows {
                    let fields = [("target", row.id.to_string()), ("address", row.address.clone())];
                    ledger::note(tx, draft, "target.lost", &fields, now_us)?;
                    draft.audit(None, "target lost", row.address.clone());
                    draft.change(Scope::Cluster, Change::Target(row));
                }
                Ok::<_, Error>(())
            })
            .await?;
            for row in lost {
                let target = row.id;
                self.0.fleet.set_target(row, None, self.0.now_us());
                self.0.fleet.saw(target, TargetState::Lost, None, "a person gave it up", self.0.now_us());
            }
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
    /// These targets, all of which must be of the fleet and not on their way out.
    fn ordered(&self, targets: &[TargetId]) -> Result<Vec<Live>> {
        let lives: Vec<_> = targets.iter().filter_map(|target| self.fleet.live(*target)).collect();
        let ours = of_ours(lives.iter().map(|live| (live.row.clone(), live.orders.clone())).collect())?;
        Ok(lives.into_iter().filter(|live| ours.iter().any(|(row, _)| row.id == live.row.id)).collect())
    }

    /// Whether enough providers are left without these.
    fn may_leave(&self, targets: &[TargetId]) -> Result<()> {
        let topology = self.fleet.topology(self.now_us());
        let without = plan::Topology::new(topology.targets().cloned().map(|mut view| {
            view.leaving |= targets.contains(&view.id);
            view
        }));
        Ok(plan::evacuate::may_leave(&without).map_err(OrderError::Last)?)
    }

    async fn change_evacuation(
        self: &std::sync::Arc<Self>,
        verb: &'static str,
        targets: &[TargetId],
        change: impl Fn(Evacuation) -> Option<Evacuation>,
    ) -> Result<()> {
        let lives = self.ordered(targets)?;
        let ordered: Vec<_> = lives.iter().filter(|live| live.orders.evacuation.is_some()).collect();
        if ordered.is_empty() {
            let address = lives.first().map(|live| live.row.address.clone()).unwrap_or_default();
            return Err(OrderError::NotOrdered { address }.into());
        }
        let changed = ordered
            .into_iter()
            .map(|live| TargetOrders { evacuation: live.orders.evacuation.and_then(&change), ..live.orders.clone() });
        self.give(verb, changed.collect()).await
    }

    /// Records orders, and then goes by them.
    pub(crate) async fn give(self: &std::sync::Arc<Self>, verb: &'static str, orders: Vec<TargetOrders>) -> Result<()> {
        let rows = orders.clone();
        let now_us = self.world.clock.now().wall_us;
        let address = |target: TargetId| self.fleet.live(target).map(|live| live.row.address).unwrap_or_default();
        let told: Vec<String> = rows.iter().map(|row| format!("{} {}", row.target, address(row.target))).collect();
        Store(self.clone())
            .commit(move |tx, draft| {
                let order = rows.iter().find_map(|row| row.evacuation);
                let mut fields: Vec<(&str, String)> = told.into_iter().map(|target| ("target", target)).collect();
                fields.extend(order.iter().map(|order| ("order", order.id.to_string())));
                ledger::note(tx, draft, &verb.replace(' ', "."), &fields, now_us)?;
                for row in rows {
                    draft.audit(None, verb, row.target.to_string());
                    draft.change(Scope::Cluster, Change::TargetOrders(row));
                }
                Ok::<_, Error>(())
            })
            .await?;
        orders.into_iter().for_each(|row| self.fleet.set_orders(row));
        self.upkeep.evacuating.look_again();
        self.upkeep.wake();
        Ok(())
    }

    /// Refuses what still holds something that a record names.
    async fn must_be_empty(&self, live: &Live) -> Result<()> {
        let target = live.row.id;
        let (packs, bytes, objects) = self.catalogue.read(move |tx| catalogue::orders::held(tx, target)).await?;
        if packs + objects == 0 {
            return Ok(());
        }
        Err(OrderError::StillCounts { address: live.row.address.clone(), packs, bytes, objects }.into())
    }
}
