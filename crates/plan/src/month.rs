//! Calendar months in UTC: what firms bill by.
//!
//! A month is a number, counted from January of the year 0, so that the next one is one more. Days follow the Gregorian calendar.

use std::fmt;

const DAY_US: i64 = 86_400_000_000;
/// Days from the first of March of the year 0 to the first of January 1970.
const DAYS_TO_1970: i64 = 719_468;

/// One month of one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(pub u32);

impl Month {
    /// The month of a wall time in microseconds since 1970.
    ///
    /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    pub fn of(wall_us: i64) -> Self {
        let shifted = wall_us.div_euclid(DAY_US) + DAYS_TO_1970;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Counted from March, so that the odd day of February is a year's last.
        let from_march = (5 * of_year + 2) / 153;
        let months = (year_of_era + era * 400) * 12 + from_march + 2;
        Self(u32::try_from(months).unwrap_or(0))
    }

    /// Its first moment, in microseconds since 1970.
    pub fn begins_us(self) -> i64 {
        let from_march = i64::from(self.0) - 2;
        let (year, month) = (from_march.div_euclid(12), from_march.rem_euclid(12));
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * month + 2) / 5;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        (days - DAYS_TO_1970) * DAY_US
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// How long it is, in seconds: 28 to 31 days.
    pub fn seconds(self) -> u64 {
        self.microseconds_within(self.begins_us(), self.next().begins_us()) / 1_000_000
    }

    /// How much of it lies between two wall times, in microseconds; 0 if they stand the wrong way round.
    pub fn microseconds_within(self, from_us: i64, to_us: i64) -> u64 {
        let (from_us, to_us) = (from_us.max(self.begins_us()), to_us.min(self.next().begins_us()));
        u64::try_from(to_us.saturating_sub(from_us)).unwrap_or(0)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_US, Month};

    #[test]
    fn every_day_of_centuries_is_in_the_month_that_it_should_be_in() {
        assert_eq!(Month::of(0).to_string(), "1970-01");
        assert_eq!(Month::of(-1).to_string(), "1969-12");
        assert_eq!(Month::of(951_782_400_000_000).to_string(), "2000-02");
        assert_eq!(Month::of(1_359_676_800_000_001).to_string(), "2013-02");
        let mut month = Month::of(0);
        for day in 0..200 * 365 {
            let now_us = day * DAY_US;
            if now_us == month.next().begins_us() {
                month = month.next();
            }
            assert_eq!(Month::of(now_us), month, "day {day}");
            assert_eq!(Month::of(now_us + DAY_US - 1), month, "day {day}");
        }
        let days = |year: u32, month: u32| Month(year * 12 + month - 1).seconds() / 86_400;
        assert_eq!([days(2023, 2), days(2024, 2), days(2000, 2), days(2100, 2), days(2026, 12)], [28, 29, 29, 28, 31]);
    }

    #[test]
    fn a_span_is_shared_among_its_months() {
        let february = Month(2026 * 12 + 1);
        let (from_us, to_us) = (february.begins_us() - 5, february.next().begins_us() + 7);
        let parts = [Month(february.0 - 1), february, february.next()].map(|m| m.microseconds_within(from_us, to_us));
        assert_eq!(parts, [5, 28 * 86_400_000_000, 7]);
        assert_eq!(february.microseconds_within(to_us, from_us), 0);
    }
}
