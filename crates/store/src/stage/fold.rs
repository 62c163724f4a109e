//! What the fleet's rows would be after all staged changes, one after the other: a pure function, so that what is shown is what
//! is done. The rules are those of the single orders ([`crate::orders`]).

use std::collections::{BTreeMap, BTreeSet};

use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{OrderId, ProviderId, TargetId},
    leases::LeaseRow,
    orders::{Evacuation, Retirement, TargetOrders},
    stage::{Staged, StagedRow, Which},
};

use super::named::Names;
use crate::{
    constraints::check_constraint,
    orders::{OrderError, of_ours},
};

/// The rows that staged changes rest on, and those changes.
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

impl Ground {
    pub fn names(&self) -> Names<'_> {
        Names { providers: &self.providers, targets: &self.targets, leases: &self.leases }
    }

    /// The providers with the labels that rules give them.
    pub fn labelled(&self, rules: &Rules) -> Vec<ProviderRow> {
        let labels = |row: &ProviderRow| rules.labels.get(&row.id).cloned().unwrap_or_default();
        self.providers.iter().map(|row| ProviderRow { labels: labels(row), ..row.clone() }).collect()
    }

    /// The rules after one more change.
    pub fn after(&self, rules: &Rules, change: &Staged, moment: &Moment<'_>) -> Result<Rules, OrderError> {
        let mut next = rules.clone();
        match change {
            Staged::Label { provider, label, value } => {
                let of = self.names().provider(provider)?;
                let checked = plan::Price::check(label, value).and_then(|()| plan::Budget::check(label, value));
                checked.map_err(|why| OrderError::BadLabel { why })?;
                if label.is_empty() || label.len() > 255 || value.len() > 255 {
                    let why = "a label's name has 1 to 255 bytes, and its value at most 255".to_owned();
                    return Err(OrderError::BadLabel { why });
                }
                let labels: &mut Vec<_> = next.labels.entry(of).or_default();
                labels.retain(|(name, _)| name != label);
                if !value.is_empty() {
                    labels.push((label.clone(), value.clone()));
                    labels.sort_unstable();
                }
            }
            Staged::Constraint { label, holds } => {
                check_constraint(&self.labelled(rules), label, *holds)?;
                if *holds {
                    next.constraints.insert(label.clone())
                } else {
                    next.constraints.remove(label)
                };
            }
            Staged::Cordon { which, cordoned } => {
                for (_, orders) in self.ours(rules, which)? {
                    next.orders.insert(orders.target, TargetOrders { cordoned: *cordoned, ..orders });
                }
            }
            Staged::Evacuate { which, by_us } => {
                let ours = self.ours(rules, which)?;
                if *by_us <= moment.now_us {
                    return Err(OrderError::DateOver);
                }
                if let Some((row, _)) = ours.iter().find(|(_, orders)| orders.evacuation.is_some()) {
                    return Err(OrderError::AlreadyOrdered { address: row.address.clone() });
                }
                let id = (moment.order)();
                let order = Evacuation { id, ordered_us: moment.now_us, by_us: *by_us, ..Evacuation::default() };
                for (_, orders) in ours {
                    next.orders.insert(orders.target, TargetOrders { evacuation: Some(order), ..orders });
                }
            }
            Staged::Cancel { which } => {
                let ours = self.ours(rules, which)?;
                if ours.iter().all(|(_, orders)| orders.evacuation.is_none()) {
                    let address = ours.first().map(|(row, _)| row.address.clone()).unwrap_or_default();
                    return Err(OrderError::NotOrdered { address });
                }
                for (_, orders) in ours {
                    next.orders.insert(orders.target, TargetOrders { evacuation: None, ..orders });
                }
            }
            Staged::Retire { which, keeps_shards } => {
                let end = Retirement { ordered_us: moment.now_us, keeps_shards: *keeps_shards };
                for orders in self.may_be_retired(rules, which)? {
                    next.orders.insert(orders.target, TargetOrders { retirement: Some(end), ..orders });
                }
            }
        }
        Ok(next)
    }

    fn rows(&self, rules: &Rules, which: &Which) -> Result<Vec<(TargetRow, TargetOrders)>, OrderError> {
        let meant = self.names().targets(which)?;
        let orders = |id| rules.orders.get(&id).cloned().unwrap_or_else(|| TargetOrders::none(id));
        let rows = self.targets.iter().filter(|row| meant.contains(&row.id));
        Ok(rows.map(|row| (row.clone(), orders(row.id))).collect())
    }

    fn ours(&self, rules: &Rules, which: &Which) -> Result<Vec<(TargetRow, TargetOrders)>, OrderError> {
        of_ours(self.rows(rules, which)?)
    }

    /// The orders of targets that were evacuated, given up, or hold nothing.
    fn may_be_retired(&self, rules: &Rules, which: &Which) -> Result<Vec<TargetOrders>, OrderError> {
        let rows = self.rows(rules, which)?;
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
        Ok(rows.into_iter().map(|(_, orders)| orders).collect())
    }

    /// The rules after all staged changes; or the first that cannot be made, by its place in the list, and why.
    pub fn fold(&self, moment: &Moment<'_>) -> Result<Rules, (usize, OrderError)> {
        let mut rules = self.rules.clone();
        for (at, row) in self.staged.iter().enumerate() {
            rules = self.after(&rules, &row.change, moment).map_err(|error| (at, error))?;
        }
        Ok(rules)
    }

    /// A topology of this fleet as it would be under other rules.
    pub fn topology(&self, now: &plan::Topology, rules: &Rules) -> plan::Topology {
        let domains = plan::domains(&self.labelled(rules), &rules.constraints);
        let owners: BTreeMap<_, _> = self.targets.iter().map(|row| (row.id, row.provider)).collect();
        plan::Topology::new(now.targets().cloned().map(|mut view| {
            let of = |rules: &Rules| rules.orders.get(&view.id).cloned().unwrap_or_default();
            let (before, after) = (of(&self.rules), of(rules));
            if let Some(provider) = owners.get(&view.id) {
                view.provider = domains.get(provider).copied().unwrap_or(*provider);
            }
            // What is cordoned for another reason, such as a disk that drops things, stays so.
            view.cordoned = after.cordoned || (view.cordoned && !before.cordoned);
            view.leaving = after.leaves();
            view
        }))
    }

    /// Whether enough firms are left under other rules.
    pub fn may_be(&self, now: &plan::Topology, rules: &Rules) -> Result<(), OrderError> {
        let (before, after) = (self.topology(now, &self.rules), self.topology(now, rules));
        let domains = |rules: &Rules| plan::domains(&self.labelled(rules), &rules.constraints);
        let grouped = domains(rules);
        if grouped != domains(&self.rules) {
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

    /// A hash over all that staged changes rest on, but for what upkeep writes there itself.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut said: Vec<String> = Vec::new();
        for row in &self.providers {
            said.push(format!("provider {} {:?} {:?}", row.id, row.name, row.labels));
        }
        said.extend(self.rules.constraints.iter().map(|label| format!("constraint {label:?}")));
        for row in &self.targets {
            let is_ours = !matches!(row.state, TargetState::Lost | TargetState::Retired);
            said.push(format!("target {} {} {:?} {is_ours}", row.id, row.provider, row.address));
        }
        for orders in self.rules.orders.values().filter(|orders| **orders != TargetOrders::none(orders.target)) {
            let evacuation = orders.evacuation.map(|order| (order.id, order.by_us, order.paused));
            said.push(format!("orders {} {} {evacuation:?} {:?}", orders.target, orders.cordoned, orders.retirement));
        }
        for row in &self.leases {
            said.push(format!("lease {} {} {:?} {:?}", row.id, row.provider, row.state, row.servers));
        }
        let mut hasher = blake3::Hasher::new();
        for line in said {
            hasher.update(&(line.len() as u64).to_le_bytes()).update(line.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}
