//! A second in UTC as text, `2026-11-27T21:00:00Z`, and back.
//!
//! Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil` and `civil_from_days`.

const DAY_S: i64 = 86_400;
/// The first second of the year 0 and the last of the year 9999: what four digits can say.
const RANGE_S: (i64, i64) = (-62_167_219_200, 253_402_300_799);

/// The second of a time in microseconds since 1970, as text.
pub fn second(wall_us: i64) -> String {
    let second = wall_us.div_euclid(1_000_000).clamp(RANGE_S.0, RANGE_S.1);
    let (day, of_day) = (second.div_euclid(DAY_S), second.rem_euclid(DAY_S));
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The inverse, in microseconds since 1970; `None` for any other spelling, and for a day that no calendar has.
pub fn parse_second(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0_i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let (year, month, date) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, of_minute) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let shifted = if month <= 2 { year - 1 } else { year };
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    let days = shifted.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let at_us = (days * DAY_S + hour * 3_600 + minute * 60 + of_minute) * 1_000_000;
    (second(at_us) == text).then_some(at_us)
}
