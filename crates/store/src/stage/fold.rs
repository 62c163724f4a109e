//! What the fleet's rows would be after all staged changes, one after the other: a pure function, so that what is shown is what
//! is done. The rules are those of single orders ([`crate::ground`]).

use model::{
    fleet::TargetState,
    orders::TargetOrders,
    stage::{Staged, Which},
};

use crate::{
    ground::{Ground, Moment, Rules},
    orders::OrderError,
};

impl Ground {
    /// The rules after one more change.
    fn after(&self, rules: &Rules, change: &Staged, moment: &Moment<'_>) -> Result<Rules, OrderError> {
        let targets = |which: &Which| self.names().targets(which);
        match change {
            Staged::Label { provider, label, value } => self.label(rules, provider, label, value),
            Staged::Constraint { label, holds } => self.constrain(rules, label, *holds),
            Staged::Cordon { which, cordoned } => self.cordon(rules, &targets(which)?, *cordoned),
            Staged::Evacuate { which, by_us } => self.evacuate(rules, &targets(which)?, *by_us, moment),
            Staged::Cancel { which } => self.change_evacuation(rules, &targets(which)?, |_| None),
            Staged::Retire { which, keeps_shards } => {
                self.retire(rules, &targets(which)?, *keeps_shards, moment.now_us)
            }
        }
    }

    /// A provider has another value of a label; none at all takes it off.
    fn label(&self, rules: &Rules, provider: &str, label: &str, value: &str) -> Result<Rules, OrderError> {
        let of = self.names().provider(provider)?;
        let checked = plan::Price::check(label, value).and_then(|()| plan::Budget::check(label, value));
        checked.map_err(|why| OrderError::BadLabel { why })?;
        if label.is_empty() || label.len() > 255 || value.len() > 255 {
            let why = "a label's name has 1 to 255 bytes, and its value at most 255".to_owned();
            return Err(OrderError::BadLabel { why });
        }
        let mut next = rules.clone();
        let labels: &mut Vec<_> = next.labels.entry(of).or_default();
        labels.retain(|(name, _)| name != label);
        if !value.is_empty() {
            labels.push((label.to_owned(), value.to_owned()));
            labels.sort_unstable();
        }
        Ok(next)
    }

    /// The rules after all staged changes; or the first that cannot be made, by its place in the list, and why.
    pub fn fold(&self, moment: &Moment<'_>) -> Result<Rules, (usize, OrderError)> {
        let mut rules = self.rules.clone();
        for (at, row) in self.staged.iter().enumerate() {
            rules = self.after(&rules, &row.change, moment).map_err(|error| (at, error))?;
        }
        Ok(rules)
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
