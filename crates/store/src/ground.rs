//! What may be said of the fleet: the rows that orders rest on, what each order makes of them, and what is refused.
//!
//! Pure functions over rows, used inside the commit that records an order, so that it is judged by the fleet as it is at that
//! moment: of two orders that come at once the second one sees what the first one made of it. Single orders
//! ([`crate::orders`], [`crate::constraints`], labels) and staged ones ([`crate::stage`]) are judged by the same functions.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Tx;
use model::{
    fleet::{ConstraintRow, ProviderRow, TargetRow, TargetState},
    id::{OrderId, ProviderId, TargetId},
    leases::LeaseRow,
    orders::{Evacuation, Retirement, TargetOrders},
    stage::StagedRow,
};

use crate::{
    constraints::check_constraint,
    orders::{OrderError, of_ours},
    stage::Names,
};

/// The rows that orders rest on; for a stage also what is staged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ground {
    pub providers: Vec<ProviderRow>,
    pub targets: Vec<TargetRow>,
    pub leases: Vec<LeaseRow>,
    pub rules: Rules,
    pub staged: Vec<StagedRow>,
    /// What records name at targets that are to be retired: packs, bytes, copied objects.
    pub held: BTreeMap<TargetId, (u64, u64, u64)>,
}

/// What a person said of the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub labels: BTreeMap<ProviderId, Vec<(String, String)>>,
    pub constraints: BTreeSet<String>,
    pub orders: BTreeMap<TargetId, TargetOrders>,
}

/// When changes are made, and what names an evacuation.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub now_us: i64,
    pub order: &'a dyn Fn() -> OrderId,
}

/// The rows that differ under other rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub providers: Vec<ProviderRow>,
    pub constraints: Vec<ConstraintRow>,
    pub orders: Vec<TargetOrders>,
}

impl Ground {
    /// Reads it, without anything staged.
    pub fn read(tx: &Tx<'_>) -> catalogue::Result<Self> {
        let providers = catalogue::fleet::providers(tx)?;
        let orders = catalogue::orders::all(tx)?;
        let rules = Rules {
            labels: providers.iter().map(|row| (row.id, row.labels.clone())).collect(),
            constraints: crate::constraints(tx)?,
            orders: orders.into_iter().map(|row| (row.target, row)).collect(),
        };
        let (targets, leases) = (catalogue::fleet::targets(tx)?, catalogue::leases::all(tx)?);
        Ok(Self { providers, targets, leases, rules, ..Self::default() })
    }

    /// Reads what records name at these targets, which are to be retired.
    pub fn read_held(&mut self, tx: &Tx<'_>, targets: &[TargetId]) -> catalogue::Result<()> {
        for target in targets {
            self.held.insert(*target, catalogue::orders::held(tx, *target)?);
        }
        Ok(())
    }

    /// Whether a target may be retired only if nothing names it: it was not evacuated, and not given up.
    pub fn must_hold_nothing(&self, target: TargetId) -> bool {
        let is_evacuated = self.ordered(target).evacuation.is_some_and(|order| order.evacuated.is_some());
        let is_lost = self.targets.iter().any(|row| row.id == target && row.state == TargetState::Lost);
        !is_evacuated && !is_lost
    }

    pub fn names(&self) -> Names<'_> {
        Names { providers: &self.providers, targets: &self.targets, leases: &self.leases }
    }

    /// The providers with the labels that rules give them.
    pub fn labelled(&self, rules: &Rules) -> Vec<ProviderRow> {
        let labels = |row: &ProviderRow| rules.labels.get(&row.id).cloned().unwrap_or_default();
        self.providers.iter().map(|row| ProviderRow { labels: labels(row), ..row.clone() }).collect()
    }

    /// Whether these targets take new shards.
    pub fn cordon(&self, rules: &Rules, targets: &[TargetId], cordoned: bool) -> Result<Rules, OrderError> {
        let ours = self.ours(rules, targets)?.into_iter();
        Ok(rules.with(ours.map(|(_, orders)| TargetOrders { cordoned, ..orders })))
    }

    /// Everything moves away from these targets by a date.
    pub fn evacuate(
        &self,
        rules: &Rules,
        targets: &[TargetId],
        by_us: i64,
        moment: &Moment<'_>,
    ) -> Result<Rules, OrderError> {
        let ours = self.ours(rules, targets)?;
        if by_us <= moment.now_us {
            return Err(OrderError::DateOver);
        }
        if let Some((row, _)) = ours.iter().find(|(_, orders)| orders.evacuation.is_some()) {
            return Err(OrderError::AlreadyOrdered { address: row.address.clone() });
        }
        let id = (moment.order)();
        let order = Evacuation { id, ordered_us: moment.now_us, by_us, ..Evacuation::default() };
        Ok(rules.with(ours.into_iter().map(|(_, orders)| TargetOrders { evacuation: Some(order), ..orders })))
    }

    /// An evacuation is held, goes on, or is taken back, as `change` says.
    pub fn change_evacuation(
        &self,
        rules: &Rules,
        targets: &[TargetId],
        change: impl Fn(Evacuation) -> Option<Evacuation>,
    ) -> Result<Rules, OrderError> {
        let ours = self.ours(rules, targets)?;
        if ours.iter().all(|(_, orders)| orders.evacuation.is_none()) {
            let address = ours.first().map(|(row, _)| row.address.clone()).unwrap_or_default();
            return Err(OrderError::NotOrdered { address });
        }
        let changed = |(_, orders): (TargetRow, TargetOrders)| TargetOrders {
            evacuation: orders.evacuation.and_then(&change),
            ..orders
        };
        Ok(rules.with(ours.into_iter().map(changed)))
    }

    /// These targets are to be forgotten: evacuated ones, given up ones, and those that hold nothing.
    pub fn retire(
        &self,
        rules: &Rules,
        targets: &[TargetId],
        keeps_shards: bool,
        now_us: i64,
    ) -> Result<Rules, OrderError> {
        let rows = self.rows(rules, targets);
        let Some((first, _)) = rows.first() else { return Err(OrderError::NothingThere) };
        if rows.iter().all(|(_, orders)| orders.retirement.is_some()) {
            return Err(OrderError::Retiring { address: first.address.clone() });
        }
        for (row, orders) in rows.iter().filter(|(row, _)| row.state != TargetState::Lost) {
            let (packs, bytes, objects) = self.held.get(&row.id).copied().unwrap_or_default();
            let is_evacuated = orders.evacuation.is_some_and(|order| order.evacuated.is_some());
            if !is_evacuated && packs + objects > 0 {
                return Err(OrderError::StillCounts { address: row.address.clone(), packs, bytes, objects });
            }
        }
        let end = Retirement { ordered_us: now_us, keeps_shards };
        Ok(rules.with(rows.into_iter().map(|(_, orders)| TargetOrders { retirement: Some(end), ..orders })))
    }

    /// A label keeps firms apart, or does so no more.
    pub fn constrain(&self, rules: &Rules, label: &str, holds: bool) -> Result<Rules, OrderError> {
        check_constraint(&self.labelled(rules), label, holds)?;
        let mut next = rules.clone();
        if holds {
            next.constraints.insert(label.to_owned())
        } else {
            next.constraints.remove(label)
        };
        Ok(next)
    }

    /// Those of these targets that are known and not retired, with what was ordered of them.
    fn rows(&self, rules: &Rules, targets: &[TargetId]) -> Vec<(TargetRow, TargetOrders)> {
        let orders = |id| rules.orders.get(&id).cloned().unwrap_or_else(|| TargetOrders::none(id));
        let meant = self.targets.iter().filter(|row| targets.contains(&row.id) && row.state != TargetState::Retired);
        meant.map(|row| (row.clone(), orders(row.id))).collect()
    }

    /// Those of these targets that are of the fleet, with what was ordered of them.
    pub fn ours(&self, rules: &Rules, targets: &[TargetId]) -> Result<Vec<(TargetRow, TargetOrders)>, OrderError> {
        let orders = |id| rules.orders.get(&id).cloned().unwrap_or_else(|| TargetOrders::none(id));
        let meant = self.targets.iter().filter(|row| targets.contains(&row.id));
        of_ours(meant.map(|row| (row.clone(), orders(row.id))).collect())
    }

    /// Which firms count as one under these rules.
    pub fn domains(&self, rules: &Rules) -> BTreeMap<ProviderId, ProviderId> {
        let targets = self.targets.iter().map(|row| (row.provider, row.state));
        plan::domains(&self.labelled(rules), targets, &rules.constraints)
    }

    /// A topology of this fleet as it would be under other rules. `now` says how targets are seen, the rows everything else.
    pub fn topology(&self, now: &plan::Topology, rules: &Rules) -> plan::Topology {
        let domains = self.domains(rules);
        let rows: BTreeMap<_, _> = self.targets.iter().map(|row| (row.id, row)).collect();
        plan::Topology::new(now.targets().cloned().map(|mut view| {
            let of = |rules: &Rules| rules.orders.get(&view.id).cloned().unwrap_or_default();
            let (before, after) = (of(&self.rules), of(rules));
            if let Some(row) = rows.get(&view.id) {
                view.provider = domains.get(&row.provider).copied().unwrap_or(row.provider);
                // Given up or retired a moment ago.
                if matches!(row.state, TargetState::Lost | TargetState::Retired) {
                    view.state = row.state;
                }
            }
            // What is cordoned for another reason, such as a disk that drops things, stays so.
            view.cordoned = after.cordoned || (view.cordoned && !before.cordoned);
            view.leaving = after.leaves();
            view
        }))
    }

    /// Whether enough firms are left when these providers are new, or have these labels.
    pub fn may_be_labelled(mut self, now: &plan::Topology, rows: &[ProviderRow]) -> Result<(), OrderError> {
        let known: BTreeSet<_> = self.providers.iter().map(|row| row.id).collect();
        // One that is new ties nobody yet.
        let fresh = rows.iter().filter(|row| !known.contains(&row.id));
        self.providers.extend(fresh.map(|row| ProviderRow { labels: Vec::new(), ..row.clone() }));
        let mut rules = self.rules.clone();
        rules.labels.extend(rows.iter().map(|row| (row.id, row.labels.clone())));
        self.may_be(now, &rules)
    }

    /// Whether enough firms are left when these targets join or move: a firm that was left for good, and comes back, ties others
    /// by its labels again.
    pub fn may_join(&self, now: &plan::Topology, rows: &[TargetRow]) -> Result<(), OrderError> {
        let mut with = self.clone();
        with.targets.retain(|known| rows.iter().all(|row| row.id != known.id));
        with.targets.extend_from_slice(rows);
        let grouped = with.domains(&self.rules);
        if grouped == self.domains(&self.rules) {
            return Ok(());
        }
        let (before, after) = (self.topology(now, &self.rules), with.topology(now, &self.rules));
        Ok(plan::may_group(&before, &after, plan::groups(&self.providers, &grouped))?)
    }

    /// Whether enough firms are left under other rules: the one check for whatever a person orders.
    pub fn may_be(&self, now: &plan::Topology, rules: &Rules) -> Result<(), OrderError> {
        let (before, after) = (self.topology(now, &self.rules), self.topology(now, rules));
        let grouped = self.domains(rules);
        if grouped != self.domains(&self.rules) {
            plan::may_group(&before, &after, plan::groups(&self.labelled(rules), &grouped))?;
        }
        let takes_less = |(target, orders): (&TargetId, &TargetOrders)| {
            let was = self.rules.orders.get(target).cloned().unwrap_or_default();
            (orders.leaves() && !was.leaves()) || (orders.cordoned && !was.cordoned)
        };
        if rules.orders.iter().any(takes_less) {
            plan::evacuate::may_leave(&after)?;
        }
        Ok(())
    }

    /// The rows that differ under other rules.
    pub fn differences(&self, rules: &Rules, now_us: i64) -> Done {
        let labelled = self.labelled(rules);
        let changed = labelled.into_iter().filter(|row| self.rules.labels.get(&row.id) != Some(&row.labels));
        let (before, after): (&BTreeSet<_>, &BTreeSet<_>) = (&self.rules.constraints, &rules.constraints);
        let constraint =
            |label: &String| ConstraintRow { label: label.clone(), holds: after.contains(label), changed_us: now_us };
        Done {
            providers: changed.collect(),
            constraints: before.symmetric_difference(after).map(constraint).collect(),
            orders: rules.orders.values().filter(|row| **row != self.ordered(row.target)).cloned().collect(),
        }
    }

    /// What was ordered of a target.
    pub fn ordered(&self, target: TargetId) -> TargetOrders {
        self.rules.orders.get(&target).cloned().unwrap_or_else(|| TargetOrders::none(target))
    }
}

impl Done {
    /// The same rows as they are recorded now.
    pub fn as_recorded(&self, tx: &Tx<'_>) -> catalogue::Result<Self> {
        let mut providers = catalogue::fleet::providers(tx)?;
        providers.retain(|row| self.providers.iter().any(|asked| asked.id == row.id));
        let mut constraints = catalogue::fleet::constraints(tx)?;
        constraints.retain(|row| self.constraints.iter().any(|asked| asked.label == row.label));
        let orders = self.orders.iter().map(|row| catalogue::orders::of(tx, row.target)).collect::<Result<_, _>>()?;
        Ok(Self { providers, constraints, orders })
    }
}

impl Rules {
    /// The same with other orders.
    fn with(&self, orders: impl Iterator<Item = TargetOrders>) -> Self {
        let mut next = self.clone();
        next.orders.extend(orders.map(|orders| (orders.target, orders)));
        next
    }
}
