//! What would be if firms were gone: counted on a fleet without them, and what repair would take then.

use std::collections::{BTreeMap, BTreeSet};

use model::{id::ProviderId, world::BoxFuture};
use plan::{
    Effort, Money, Price,
    cost::{moving, storing},
};

use crate::{Store, error::Result, repair};

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
    /// Seconds that it takes within the bandwidth limit of upkeep; `None` where there is no limit.
    pub at_limit_s: Option<u64>,
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
            let prices = rows.map(|row| (row.id, (row.name, Price::of_labels(&row.labels)))).collect();
            let (costs, unpriced) = costs(&effort, &prices);
            let limit = inner.settings.upkeep_bytes_per_s.filter(|limit| *limit > 0);
            let measured = inner.upkeep.jobs.rate(repair::JOB, inner.now_us());
            let moved = effort.read_bytes().saturating_add(effort.write_bytes());
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
                at_limit_s: limit.map(|limit| plan::forecast::seconds_at(effort.paced_bytes, limit)),
                at_measured_s: measured.map(|rate| plan::forecast::seconds_at(moved, rate)),
                effort,
                costs,
                unpriced,
            })
        })
    }
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
    use plan::{Effort, Money, Price, effort::Share};

    use super::{RepairCost, costs};

    #[test]
    fn what_is_not_known_of_one_firm_is_not_known_of_the_sum() {
        let firm = |number: u8| ProviderId([number; 16]);
        let share = Share { read_bytes: 2_000_000_000, write_bytes: 1_000_000_000_000, requests: 1_000_000 };
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
}
