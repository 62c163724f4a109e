//! What upkeep may ask of a firm: bytes a second, requests and money a month.
//!
//! Budgets stand in the provider's labels (`budget.bytes_per_s`, `budget.requests_month`, `budget.month`). **They hold what
//! can wait, never what is needed**: when a month's budget is used up, scrub, filling and repacking leave that firm alone until
//! the next month, while repair, evacuation, uploads and readers go on, and people are told. Of the bandwidth, work that may
//! not wait (making what is below safe) takes its part without waiting, and the rest waits for it.
//!
//! So a budget of bytes a second lengthens what repair and evacuation take, and is in their forecasts ([`Narrow`],
//! [`Limits`]); a month's budget lengthens neither, and it is said whether it would be used up.

use std::collections::BTreeMap;

use model::id::ProviderId;

use crate::{
    cost::{Cost, Money},
    forecast::seconds_at,
};

/// What a provider's labels allow; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Bytes that upkeep reads and writes there in a second.
    pub bytes_per_s: Option<u64>,
    /// Requests of all kinds in a calendar month, whoever made them.
    pub requests_month: Option<u64>,
    /// What a calendar month may cost, in the currency of its prices.
    pub month: Option<Money>,
}

/// Which budget of a month is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedUp {
    /// So many requests were made, of so many.
    Requests(u64, u64),
    /// So much was spent, of so much.
    Money(Money, Money),
}

impl std::fmt::Display for UsedUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Requests(made, of) => write!(f, "{made} requests were made this month, and the budget is {of}"),
            Self::Money(spent, of) => write!(f, "{spent} was spent this month, and the budget is {of}"),
        }
    }
}

impl Budget {
    /// The labels that budgets stand in.
    pub const LABELS: [&str; 3] = ["budget.bytes_per_s", "budget.requests_month", "budget.month"];

    /// The budgets in a provider's labels. One that cannot be read is none.
    pub fn of_labels(labels: &[(String, String)]) -> Self {
        let mut budget = Self::default();
        for (label, value) in labels {
            // What is wrong was refused when it was given; an older service may have been less strict.
            let _ = budget.take(label, value);
        }
        budget
    }

    /// Says what is wrong with a label if it is to hold a budget; other labels are nobody's business here. No value at all
    /// takes a budget off.
    ///
    /// # Errors
    /// The sentence for whoever gave it.
    pub fn check(label: &str, value: &str) -> Result<(), String> {
        if value.is_empty() || !label.starts_with("budget.") { Ok(()) } else { Self::default().take(label, value) }
    }

    /// Which budget of the month is used up by what was asked and spent so far. Where the cost is unknown, money holds nothing.
    pub fn used_up(&self, requests: u64, cost: &Cost) -> Option<UsedUp> {
        if let Some(of) = self.requests_month.filter(|of| requests >= *of) {
            return Some(UsedUp::Requests(requests, of));
        }
        let (of, spent) = (self.month?, cost.so_far?);
        (spent >= of).then_some(UsedUp::Money(spent, of))
    }

    /// Whether something is held by the month.
    pub fn is_monthly(&self) -> bool {
        self.requests_month.is_some() || self.month.is_some()
    }

    fn take(&mut self, label: &str, value: &str) -> Result<(), String> {
        let number = |of: &str| {
            let wrong = || format!("{label} = {value} is no number of {of}; leave the label out for no limit");
            value.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(wrong)
        };
        match label {
            "budget.bytes_per_s" => self.bytes_per_s = Some(number("bytes")?),
            "budget.requests_month" => self.requests_month = Some(number("requests")?),
            "budget.month" => {
                let wrong = || format!("{label} = {value} is no sum of money, such as 25.00");
                self.month = Some(Money::parse(value).ok_or_else(wrong)?);
            }
            _ if label.starts_with("budget.") => {
                return Err(format!("there is no budget '{label}'; there are {}", Self::LABELS.join(", ")));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The firm whose budget is the narrowest of several that share evenly what is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Narrow {
    /// The firm.
    pub provider: ProviderId,
    /// Bytes a second that upkeep may move there.
    pub bytes_per_s: u64,
    /// How many firms share.
    pub firms: u64,
}

impl Narrow {
    /// The narrowest of some firms, each with its bytes a second; `None` if none of them has a limit.
    pub fn of(firms: impl IntoIterator<Item = (ProviderId, Option<u64>)>) -> Option<Self> {
        let (mut least, mut count): (Option<(u64, ProviderId)>, u64) = (None, 0);
        for (provider, limit) in firms {
            count += 1;
            let limit = limit.map(|limit| (limit, provider));
            least = least.into_iter().chain(limit).min();
        }
        least.map(|(bytes_per_s, provider)| Self { provider, bytes_per_s, firms: count })
    }

    /// Seconds that its share of so many bytes takes there.
    pub fn seconds(&self, bytes: u64) -> u64 {
        seconds_at(bytes.div_ceil(self.firms.max(1)), self.bytes_per_s)
    }
}

/// Bytes a second that upkeep may move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub all: Option<u64>,
    /// At providers, by failure domain: what its firms allow together, if each of them has a limit.
    pub at: BTreeMap<ProviderId, u64>,
}

impl Limits {
    /// `firms`: the failure domain of each that is asked for anything, and what it allows.
    pub fn new(all: Option<u64>, firms: impl IntoIterator<Item = (ProviderId, Option<u64>)>) -> Self {
        let mut at: BTreeMap<ProviderId, Option<u64>> = BTreeMap::new();
        for (domain, limit) in firms {
            let sum = at.entry(domain).or_insert(Some(0));
            *sum = sum.zip(limit).map(|(sum, limit)| sum.saturating_add(limit));
        }
        let at = at.into_iter().filter_map(|(domain, limit)| Some((domain, limit?)));
        Self { all: all.filter(|limit| *limit > 0), at: at.collect() }
    }
}

#[cfg(test)]
mod tests {
    use model::id::ProviderId;

    use super::{Budget, Limits, Narrow, UsedUp};
    use crate::cost::{Cost, Money};

    #[test]
    fn the_narrowest_of_those_that_share_is_found() {
        let firm = |n: u8| ProviderId([n; 16]);
        assert_eq!(Narrow::of([(firm(1), None), (firm(2), None)]), None);
        let found = Narrow::of([(firm(1), Some(50)), (firm(2), None), (firm(3), Some(20))]);
        assert_eq!(found, Some(Narrow { provider: firm(3), bytes_per_s: 20, firms: 3 }));
        assert_eq!(found.map(|narrow| narrow.seconds(6_000)), Some(100), "a third of it");
        // Firms that count as one allow what they allow together, and nothing holds them if one of them has no limit.
        let limits =
            Limits::new(Some(0), [(firm(1), Some(5)), (firm(1), Some(6)), (firm(2), Some(7)), (firm(2), None)]);
        assert_eq!((limits.all, limits.at.into_iter().collect::<Vec<_>>()), (None, vec![(firm(1), 11)]));
    }

    fn labels(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_budget_holds_from_the_sum_on_that_was_given_and_unknown_costs_hold_nothing() {
        let budget = Budget::of_labels(&labels(&[
            ("budget.requests_month", "1000"),
            ("budget.month", "2.50"),
            ("country", "NL"),
        ]));
        let cost = |so_far: Option<u64>| Cost { so_far: so_far.map(Money), ..Cost::default() };
        assert_eq!(budget.used_up(999, &cost(Some(2_499_999))), None);
        assert_eq!(budget.used_up(1_000, &cost(Some(0))), Some(UsedUp::Requests(1_000, 1_000)));
        let spent = UsedUp::Money(Money(2_500_000), Money(2_500_000));
        assert_eq!(budget.used_up(0, &cost(Some(2_500_000))), Some(spent));
        assert_eq!(spent.to_string(), "2.50 was spent this month, and the budget is 2.50");
        assert_eq!(budget.used_up(0, &cost(None)), None);
        assert_eq!(Budget::default().used_up(u64::MAX, &cost(Some(u64::MAX))), None);
    }

    #[test]
    fn what_is_no_budget_is_told() {
        for (label, value, said) in [
            ("budget.bytes_per_s", "0", "no number of bytes"),
            ("budget.requests_month", "-3", "no number of requests"),
            ("budget.month", "1,5", "no sum of money"),
            ("budget.week", "1", "there is no budget 'budget.week'"),
        ] {
            assert!(Budget::check(label, value).is_err_and(|why| why.contains(said)), "{label} = {value}");
        }
        assert_eq!(Budget::check("budget.month", ""), Ok(()), "takes it off");
        assert_eq!(Budget::check("colour", "0"), Ok(()));
    }
}
