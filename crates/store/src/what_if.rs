//! What would be if firms were gone: counted on a fleet without them, and what repair would take then.

use std::collections::{BTreeMap, BTreeSet};

use model::{id::ProviderId, world::BoxFuture};
use plan::{
    Budget, Cost, Effort, Money, Price,
    cost::{moving, storing},
    effort::Share,
};

use crate::{Store, error::Result, repair, spending::Spending};

/// What would be if providers were gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhatIfReport {
    /// Files that could not be read.
    pub files_unreadable: u64,
    /// Files that another loss could end.
    pub files_below_safe: u64,
    /// Files that were not settled.
    pub files_below_settled: u64,
    /// Packs by margin: `packs_by_margin[c]` have margin c.
    pub packs_by_margin: Vec<u64>,
    /// Packs that could not be read.
    pub packs_unreadable: u64,
    /// Copied objects that could not be read.
    pub records_unreadable: u64,
    /// Copied objects that another loss could end.
    pub records_below_safe: u64,
    /// How many more providers may go, whichever they are; `None` when something would lack its k good lanes, and when nothing
    /// is kept.
    pub margin: Option<usize>,
    /// Names of the providers at which a second target would let copied objects be settled even so.
    pub second_target_helps: Vec<String>,
    /// Whether a new pack could be written: two providers at least are left that take shards.
    pub scheme: Option<model::Scheme>,
    /// What repair would take.
    pub effort: Effort,
    /// Seconds that it takes within the bandwidth limit of upkeep and the budgets of firms; `None` where none holds it: there is
    /// none, or all that is moved is below safe, which waits for none.
    pub at_limit_s: Option<u64>,
    /// The firm whose budget makes that longer than the limit of all upkeep does, by name.
    pub budget_of: Option<String>,
    /// Firms whose budget of the month it would use up, by name: it waits for none of them, other upkeep does then.
    pub uses_up: Vec<String>,
    /// Seconds at the speed of the repair that runs, or ran last; `None` where none ran since the start.
    pub at_measured_s: Option<u64>,
    /// What it costs, by currency; `None` where a firm that it takes has a price that nobody gave.
    pub costs: Option<Vec<RepairCost>>,
    /// Those firms, by name.
    pub unpriced: Vec<String>,
}

/// What repair costs in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairCost {
    /// The currency, if it was given.
    pub currency: Option<String>,
    /// For what is fetched and asked, once.
    pub once: Money,
    /// For what is stored more, for each month.
    pub storing_month: Money,
}

impl Store {
    /// What would be if these providers, and all that have an owner in common with them, wiped everything now.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn what_if<'a>(&'a self, providers: &'a [ProviderId]) -> BoxFuture<'a, Result<WhatIfReport>> {
        Box::pin(async move {
            let inner = &self.0;
            let domains = inner.fleet.domains();
            let gone: BTreeSet<ProviderId> =
                providers.iter().map(|provider| domains.get(provider).copied().unwrap_or(*provider)).collect();
            let topology = inner.fleet.topology(inner.now_us()).without(&gone);
            let count = inner.count(topology.clone(), Vec::new()).await?;
            let effort = count.effort;
            let rows = inner.fleet.providers().into_iter();
            let prices: BTreeMap<_, _> = rows.map(|row| (row.id, (row.name, Price::of_labels(&row.labels)))).collect();
            let (costs, unpriced) = costs(&effort, &prices);
            let held = effort.held(&inner.limits(&topology));
            let name = |id| prices.get(&id).map(|(name, _): &(String, Price)| name.clone());
            let budgeted = inner.fleet.budgets().values().any(Budget::is_monthly);
            let spending = if budgeted { inner.spending(BTreeMap::new()).await?.1 } else { BTreeMap::new() };
            let measured = inner.upkeep.jobs.rate(repair::JOB, inner.now_us());
            let moved = effort.read_bytes().saturating_add(effort.write_bytes());
            let used = effort.shares.iter().filter(|(id, share)| uses_up(spending.get(id), share));
            let uses_up = used.filter_map(|(id, _)| name(*id)).collect();
            Ok(WhatIfReport {
                files_unreadable: count.files.unreadable,
                files_below_safe: count.files.below_safe,
                files_below_settled: count.files.below_settled,
                margin: count.census.margin(),
                packs_by_margin: count.census.packs.margins,
                packs_unreadable: count.census.packs.unreadable,
                records_unreadable: count.census.objects.unreadable,
                records_below_safe: count.census.objects.below_safe,
                second_target_helps: inner.second_target_helps(&topology),
                scheme: inner.scheme_now(&topology).ok(),
                at_limit_s: held.map(|held| held.seconds),
                budget_of: held.and_then(|held| held.by).and_then(name),
                uses_up,
                at_measured_s: measured.map(|rate| plan::forecast::seconds_at(moved, rate)),
                effort,
                costs,
                unpriced,
            })
        })
    }
}

/// Whether what a firm is asked for uses up a budget of its month that is not used up yet.
fn uses_up(spending: Option<&Spending>, share: &Share) -> bool {
    let Some(spending) = spending.filter(|spending| spending.used_up.is_none()) else { return false };
    let requests = spending.traffic.map_or(0, |traffic| traffic.total()).saturating_add(share.requests);
    let more = moving(&spending.price, share.read_bytes, share.requests);
    let so_far = spending.cost.so_far.zip(more).map(|(spent, more)| Money(spent.0.saturating_add(more.0)));
    spending.budget.used_up(requests, &Cost { so_far, ..spending.cost }).is_some()
}

/// What an effort costs by currency, if all prices that it takes are known; and whose are not. Firms of one owner are asked
/// under the first one's prices.
fn costs(effort: &Effort, prices: &BTreeMap<ProviderId, (String, Price)>) -> (Option<Vec<RepairCost>>, Vec<String>) {
    let mut by_currency: BTreeMap<Option<&String>, RepairCost> = BTreeMap::new();
    let mut unpriced = Vec::new();
    for (provider, share) in &effort.shares {
        let Some((name, price)) = prices.get(provider) else { continue };
        let once = moving(price, share.read_bytes, share.requests);
        let (Some(once), Some(month)) = (once, storing(price, share.write_bytes)) else {
            unpriced.push(name.clone());
            continue;
        };
        let sum = by_currency.entry(price.currency.as_ref()).or_default();
        sum.currency.clone_from(&price.currency);
        sum.once = Money(sum.once.0.saturating_add(once.0));
        sum.storing_month = Money(sum.storing_month.0.saturating_add(month.0));
    }
    unpriced.sort_unstable();
    (unpriced.is_empty().then(|| by_currency.into_values().collect()), unpriced)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::id::ProviderId;
    use plan::{Budget, Cost, Effort, Money, Price, UsedUp, effort::Share};

    use super::{RepairCost, costs, uses_up};
    use crate::spending::Spending;

    #[test]
    fn what_is_not_known_of_one_firm_is_not_known_of_the_sum() {
        let firm = |number: u8| ProviderId([number; 16]);
        let share = Share {
            read_bytes: 2_000_000_000,
            write_bytes: 1_000_000_000_000,
            requests: 1_000_000,
            ..Share::default()
        };
        let effort = |firms: &[u8]| {
            let mut effort = Effort::default();
            effort.shares.extend(firms.iter().map(|at| (firm(*at), share)));
            effort
        };
        let price = |currency: &str, tb_month: Option<u64>| Price {
            tb_month: tb_month.map(Money),
            gb_out: Some(Money(10)),
            million_requests: Some(Money(1)),
            minimum_days: None,
            currency: Some(currency.to_owned()),
        };
        let prices: BTreeMap<_, _> = [("amber", "EUR", Some(5)), ("birch", "USD", Some(7)), ("cedar", "EUR", None)]
            .into_iter()
            .zip(1..)
            .map(|((name, currency, month), at)| (firm(at), (name.to_owned(), price(currency, month))))
            .collect();
        let cost = |currency: &str, storing: u64| RepairCost {
            currency: Some(currency.to_owned()),
            once: Money(21),
            storing_month: Money(storing),
        };
        assert_eq!(costs(&effort(&[1, 2]), &prices), (Some(vec![cost("EUR", 5), cost("USD", 7)]), vec![]));
        assert_eq!(costs(&effort(&[1, 3]), &prices), (None, vec!["cedar".to_owned()]));
        assert_eq!(costs(&effort(&[]), &prices), (Some(vec![]), vec![]), "nothing to do costs nothing");
    }

    #[test]
    fn a_months_budget_that_would_be_used_up_is_known_before() {
        let share = Share { read_bytes: 1_000_000_000, requests: 10, ..Share::default() };
        let price = Price { gb_out: Some(Money(100)), million_requests: Some(Money(0)), ..Price::default() };
        let spent = |requests_month, month: Option<u64>, so_far: Option<u64>| Spending {
            price: price.clone(),
            cost: Cost { so_far: so_far.map(Money), ..Cost::default() },
            budget: Budget { requests_month, month: month.map(Money), bytes_per_s: None },
            ..Spending::default()
        };
        assert!(!uses_up(None, &share));
        for (spending, expected) in [
            (spent(Some(11), None, None), false),
            (spent(Some(10), None, None), true),
            (spent(None, Some(150), Some(49)), false),
            (spent(None, Some(150), Some(50)), true),
            // What it costs is unknown: nothing can be said.
            (spent(None, Some(1), None), false),
            (Spending { used_up: Some(UsedUp::Requests(9, 9)), ..spent(Some(9), None, None) }, false),
        ] {
            assert_eq!(uses_up(Some(&spending), &share), expected, "{spending:?}");
        }
    }
}
