//! What a firm asks for its service: prices, and what comes of them.
//!
//! Prices stand in the provider's labels (`price.tb_month`, `price.gb_out`, `price.million_requests`, `price.minimum_days`,
//! `price.currency`) as decimal numbers. Money is counted in millionths of a unit of the currency, never in floating point. **A
//! price that nobody gave is unknown, and so is every sum that it belongs to**: a firm that takes nothing has the price 0.
//!
//! Firms count a TB as 10^12 bytes and a GB as 10^9. What was stored for a part of a month is billed for that part. What is removed
//! before a firm's minimum of days is billed to their end; that is not in the sums, as nobody notes how old a shard is.

use std::{collections::BTreeMap, fmt};

use crate::month::Month;

/// A century: a clock that jumped further is not believed.
const MONTHS_MAX: usize = 1_200;
/// Digits after the point: millionths.
const DIGITS: usize = 6;
const UNIT: u64 = 1_000_000;
/// What a currency's name may have: `EUR` has three.
const CURRENCY_BYTES_MAX: usize = 8;

/// An amount of money, in millionths of a unit of whatever currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub u64);

impl Money {
    /// Reads `4.99`: digits, and after a point up to six more. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(whole) || !plain(part) || part.len() > DIGITS {
            return None;
        }
        let part: u64 = format!("{part:0<DIGITS$}").parse().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(UNIT)?.checked_add(part).map(Self)
    }

    /// `rate` for every `per` of `amount`, rounded up to a millionth.
    fn of(rate: Self, amount: u128, per: u128) -> Self {
        let sum = u128::from(rate.0).saturating_mul(amount).div_ceil(per.max(1));
        Self(u64::try_from(sum).unwrap_or(u64::MAX))
    }
}

/// Two digits after the point, or as many as it takes.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:0DIGITS$}", self.0 % UNIT);
        let shown = part.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / UNIT, &part[..shown])
    }
}

/// What a firm asks; what is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// For a TB that is stored for a month.
    pub tb_month: Option<Money>,
    /// For a GB that is fetched.
    pub gb_out: Option<Money>,
    /// For a million requests of any kind.
    pub million_requests: Option<Money>,
    /// What is removed sooner is billed for so many days all the same.
    pub minimum_days: Option<u32>,
    /// In which currency, for example `EUR`.
    pub currency: Option<String>,
}

impl Price {
    /// The labels that prices stand in.
    pub const LABELS: [&str; 5] =
        ["price.tb_month", "price.gb_out", "price.million_requests", "price.minimum_days", "price.currency"];

    /// The prices in a provider's labels. One that cannot be read is unknown.
    pub fn of_labels(labels: &[(String, String)]) -> Self {
        let mut price = Self::default();
        for (label, value) in labels {
            // What is wrong was refused when it was given; an older service may have been less strict.
            let _ = price.take(label, value);
        }
        price
    }

    /// Says what is wrong with a label if it is to hold a price; other labels are nobody's business here. No value at all takes a
    /// price off.
    ///
    /// # Errors
    /// The sentence for whoever gave it.
    pub fn check(label: &str, value: &str) -> Result<(), String> {
        if value.is_empty() || !label.starts_with("price.") { Ok(()) } else { Self::default().take(label, value) }
    }

    fn take(&mut self, label: &str, value: &str) -> Result<(), String> {
        let money = || {
            let wrong = || format!("{label} = {value} is no price; give a decimal number with a point, such as 4.99");
            Money::parse(value).ok_or_else(wrong)
        };
        match label {
            "price.tb_month" => self.tb_month = Some(money()?),
            "price.gb_out" => self.gb_out = Some(money()?),
            "price.million_requests" => self.million_requests = Some(money()?),
            "price.minimum_days" => {
                let days = value.parse().map_err(|_| format!("{label} = {value} is no number of days, such as 90"))?;
                self.minimum_days = Some(days);
            }
            "price.currency" => {
                let good = value.len() <= CURRENCY_BYTES_MAX && value.bytes().all(|byte| byte.is_ascii_alphabetic());
                self.currency = Some(value.to_owned()).filter(|_| good);
                return if good { Ok(()) } else { Err(format!("{label} = {value} is no currency, such as EUR")) };
            }
            _ if label.starts_with("price.") => {
                return Err(format!("there is no price '{label}'; there are {}", Self::LABELS.join(", ")));
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a firm did in a month so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests of all kinds.
    pub requests: u64,
    /// Bytes that were fetched.
    pub out_bytes: u64,
    /// Bytes that are stored now.
    pub stored_bytes: u64,
    /// What was stored this month: 1,000 bytes for a second, summed up.
    pub stored_kb_s: u64,
    /// How long this month is, in seconds.
    pub month_s: u64,
}

/// What it costs; `None` is *unknown*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// What is stored now, for a month.
    pub storing_month: Option<Money>,
    /// This month so far: what was stored, fetched and asked for.
    pub so_far: Option<Money>,
}

/// What the same bytes, stored from one wall time to another, come to in each month: 1,000 bytes for a second, summed up.
pub fn stored_between(bytes: u64, from_us: i64, to_us: i64) -> Vec<(Month, u64)> {
    let last = Month::of(to_us);
    let months = std::iter::successors(Some(Month::of(from_us)), |month| Some(month.next())).take(MONTHS_MAX);
    let kb_s = |month: Month| {
        let sum = u128::from(bytes) * u128::from(month.microseconds_within(from_us, to_us)) / 1_000_000_000;
        u64::try_from(sum).unwrap_or(u64::MAX)
    };
    months.take_while(|month| *month <= last).map(|month| (month, kb_s(month))).filter(|(_, kb_s)| *kb_s > 0).collect()
}

/// What a firm's service costs.
pub fn cost(price: &Price, usage: &Usage) -> Cost {
    let storing_month = storing(price, usage.stored_bytes);
    let per_tb_month = u128::from(usage.month_s) * 1_000_000_000;
    let stored = price.tb_month.map(|rate| Money::of(rate, usage.stored_kb_s.into(), per_tb_month));
    let fetched = price.gb_out.map(|rate| Money::of(rate, usage.out_bytes.into(), 1_000_000_000));
    let asked = price.million_requests.map(|rate| Money::of(rate, usage.requests.into(), 1_000_000));
    let sum = |parts: [Option<Money>; 3]| {
        parts.into_iter().try_fold(Money::default(), |sum, part| Some(Money(sum.0.saturating_add(part?.0))))
    };
    Cost { storing_month, so_far: sum([stored, fetched, asked]) }
}

/// What it costs to fetch so many bytes in so many requests; `None` where a price that it takes is unknown.
pub fn moving(price: &Price, out_bytes: u64, requests: u64) -> Option<Money> {
    let fetched = Money::of(price.gb_out?, out_bytes.into(), 1_000_000_000);
    let asked = Money::of(price.million_requests?, requests.into(), 1_000_000);
    Some(Money(fetched.0.saturating_add(asked.0)))
}

/// What so many bytes cost to store for a month; `None` where the price is unknown.
pub fn storing(price: &Price, bytes: u64) -> Option<Money> {
    Some(Money::of(price.tb_month?, bytes.into(), 1_000_000_000_000))
}

/// What storing comes to in a month, in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonthCost {
    /// The currency, if it was given.
    pub currency: Option<String>,
    /// The sum.
    pub month: Money,
}

/// What several firms' storing comes to in a month, by currency, if all prices that it takes are known; and whose are not. A firm
/// that stores nothing costs nothing, whatever it asks.
pub fn monthly<'a>(
    firms: impl IntoIterator<Item = (&'a str, &'a Price, u64)>,
) -> (Option<Vec<MonthCost>>, Vec<String>) {
    let mut sums: BTreeMap<Option<&str>, Money> = BTreeMap::new();
    let mut unpriced = Vec::new();
    for (name, price, bytes) in firms.into_iter().filter(|(.., bytes)| *bytes > 0) {
        let Some(month) = storing(price, bytes) else {
            unpriced.push(name.to_owned());
            continue;
        };
        let sum = sums.entry(price.currency.as_deref()).or_default();
        *sum = Money(sum.0.saturating_add(month.0));
    }
    unpriced.sort_unstable();
    let costs = sums.into_iter().map(|(currency, month)| MonthCost { currency: currency.map(str::to_owned), month });
    (unpriced.is_empty().then(|| costs.collect()), unpriced)
}

#[cfg(test)]
mod tests {
    use super::{Cost, Money, MonthCost, Price, Usage, cost, monthly, moving, stored_between, storing};
    use crate::month::Month;

    #[test]
    fn money_is_read_and_shown_as_it_was_written() {
        for (text, shown) in
            [("4.99", "4.99"), ("0", "0.00"), ("12", "12.00"), ("0.000001", "0.000001"), ("1.5", "1.50")]
        {
            assert_eq!(Money::parse(text).map(|money| money.to_string()).as_deref(), Some(shown));
        }
        for wrong in ["", ".", "-1", "+1", "1,5", "1.", ".5", "1e3", "0.0000001", "4.99 EUR", "18446744073709551615"] {
            assert_eq!(Money::parse(wrong), None, "{wrong}");
        }
    }

    fn price(pairs: &[(&str, &str)]) -> Price {
        let pairs: Vec<_> = pairs.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        Price::of_labels(&pairs)
    }

    const USAGE: Usage = Usage {
        requests: 2_500_000,
        out_bytes: 30_000_000_000,
        stored_bytes: 2_000_000_000_000,
        // A TB for half of a month of 30 days.
        stored_kb_s: 1_000_000_000 * 15 * 86_400,
        month_s: 30 * 86_400,
    };

    #[test]
    fn a_month_is_what_was_stored_fetched_and_asked_for() {
        let full = price(&[("price.tb_month", "5"), ("price.gb_out", "0.01"), ("price.million_requests", "4.4")]);
        let expected = Cost { storing_month: Money::parse("10"), so_far: Money::parse("13.8") };
        assert_eq!(cost(&full, &USAGE), expected, "2.5 stored, 0.3 fetched, 11 asked for");
        let nothing = Usage { month_s: USAGE.month_s, ..Usage::default() };
        assert_eq!(cost(&full, &nothing).so_far, Some(Money(0)), "known, and nothing was done");
    }

    #[test]
    fn what_is_not_known_is_unknown_and_never_nothing() {
        assert_eq!(cost(&Price::default(), &USAGE), Cost::default());
        assert_eq!(cost(&Price::default(), &Usage::default()), Cost::default());
        let some = price(&[("price.tb_month", "5"), ("price.gb_out", "0"), ("price.million_requests", "cheap")]);
        assert_eq!(cost(&some, &USAGE), Cost { storing_month: Money::parse("10"), so_far: None });
    }

    #[test]
    fn moving_bytes_costs_what_is_fetched_and_asked_for() {
        let full = price(&[("price.tb_month", "5"), ("price.gb_out", "0.01"), ("price.million_requests", "4.4")]);
        assert_eq!(moving(&full, 30_000_000_000, 2_500_000), Money::parse("11.3"));
        assert_eq!(storing(&full, 2_000_000_000_000), Money::parse("10"));
        let half = price(&[("price.gb_out", "0.01")]);
        assert_eq!((moving(&half, 1, 0), storing(&half, 0)), (None, None), "unknown, and never nothing");
    }

    #[test]
    fn a_month_of_several_firms_is_known_if_each_is() {
        let euro = price(&[("price.tb_month", "5"), ("price.currency", "EUR")]);
        let dollar = price(&[("price.tb_month", "7"), ("price.currency", "USD")]);
        let (tb, unknown) = (1_000_000_000_000, Price::default());
        let cost = |currency: &str, month| MonthCost { currency: Some(currency.to_owned()), month: Money(month) };
        let known = [("a", &euro, 2 * tb), ("b", &dollar, tb), ("c", &euro, tb), ("d", &unknown, 0)];
        let expected = vec![cost("EUR", 15_000_000), cost("USD", 7_000_000)];
        assert_eq!(monthly(known), (Some(expected), vec![]), "who stores nothing asks nothing");
        assert_eq!(monthly([("a", &euro, tb), ("d", &unknown, 1)]), (None, vec!["d".to_owned()]));
    }

    #[test]
    fn what_is_stored_over_the_turn_of_a_month_belongs_to_both() {
        let january = Month(2026 * 12);
        let turn_us = january.next().begins_us();
        let (second_us, tb) = (1_000_000, 1_000_000_000_000);
        let expected = vec![(january, 10_000_000_000), (january.next(), 20_000_000_000)];
        assert_eq!(stored_between(tb, turn_us - 10 * second_us, turn_us + 20 * second_us), expected);
        assert_eq!(stored_between(tb, turn_us, turn_us - 1), vec![], "a clock that was put back");
        assert_eq!(stored_between(0, 0, turn_us), vec![]);
        assert!(stored_between(tb, 0, i64::MAX).len() <= super::MONTHS_MAX);
        // A whole month of a TB is a month's price.
        let whole = stored_between(tb, january.begins_us(), turn_us);
        let usage = Usage { stored_kb_s: whole[0].1, month_s: january.seconds(), ..Usage::default() };
        let price =
            Price { gb_out: Some(Money(0)), million_requests: Some(Money(0)), ..price(&[("price.tb_month", "4.99")]) };
        assert_eq!(cost(&price, &usage).so_far, Money::parse("4.99"));
    }

    #[test]
    fn a_sum_beyond_all_money_is_the_most_there_is() {
        let most = Price {
            tb_month: Some(Money(u64::MAX)),
            gb_out: Some(Money(u64::MAX)),
            million_requests: Some(Money(7)),
            ..Price::default()
        };
        let usage = Usage {
            stored_bytes: u64::MAX,
            stored_kb_s: u64::MAX,
            out_bytes: u64::MAX,
            requests: u64::MAX,
            month_s: 1,
        };
        assert_eq!(cost(&most, &usage).so_far, Some(Money(u64::MAX)));
        assert_eq!(cost(&most, &Usage { month_s: 0, ..usage }).so_far, Some(Money(u64::MAX)));
    }

    #[test]
    fn what_is_no_price_is_refused_by_name() {
        for (label, value) in
            [("price.tb_month", "4,99"), ("price.minimum_days", "-1"), ("price.currency", "€"), ("price.tb", "4")]
        {
            assert!(Price::check(label, value).is_err_and(|why| why.contains(label)), "{label}");
        }
        for (label, value) in
            [("price.tb_month", "4.99"), ("price.gb_out", ""), ("price.currency", "EUR"), ("country", "NL")]
        {
            assert_eq!(Price::check(label, value), Ok(()), "{label}");
        }
    }
}
