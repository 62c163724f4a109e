//! Times as text: RFC 3339 in UTC, microseconds kept, and how long ago or how far ahead something is.

const DAY_S: i64 = 86_400;

/// `2026-04-01T12:00:00.123456Z`; the fraction is left out when it is zero.
pub fn rfc3339(wall_us: i64) -> String {
    let (second, micros) = (wall_us.div_euclid(1_000_000), wall_us.rem_euclid(1_000_000));
    let (day, of_day) = (second.div_euclid(DAY_S), second.rem_euclid(DAY_S));
    let (year, month, date) = civil(day);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// `2026-04-01 12:00` in UTC, for tables.
pub fn minute(wall_us: i64) -> String {
    let text = rfc3339(wall_us);
    format!("{} {}", &text[..10], &text[11..16])
}

/// Reads RFC 3339 with `Z` or an offset; digits below a microsecond are dropped. `None` for anything else.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, expected)| bytes.get(*at) != Some(expected)) {
        return None;
    }
    let (year, month, date) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&date) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    let mut micros = 0;
    if bytes.get(at) == Some(&b'.') {
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        micros = (0..6).try_fold(0, |sum, index| {
            Some(sum * 10 + if index < digits { number(at + 1 + index, at + 2 + index)? } else { 0 })
        })?;
        at += 1 + digits;
    }
    let offset_s = match bytes.get(at)? {
        b'Z' if bytes.len() == at + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == at + 6 && bytes[at + 3] == b':' => {
            let offset_s = number(at + 1, at + 3)? * 3_600 + number(at + 4, at + 6)? * 60;
            if *sign == b'+' { offset_s } else { -offset_s }
        }
        _ => return None,
    };
    let second = days(year, month, date) * DAY_S + hour * 3_600 + minute * 60 + second - offset_s;
    Some(second * 1_000_000 + micros)
}

/// `3 s`, `4 min`, `2 h`, `9 days`: how long something takes, for people.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days(year: i64, month: i64, date: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days`]: year, month, date.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::{parse_rfc3339, rfc3339, span};

    #[test]
    fn shows_and_reads_back() {
        for (us, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (1_359_676_800_000_001, "2013-02-01T00:00:00.000001Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
        ] {
            assert_eq!(rfc3339(us), text);
            assert_eq!(parse_rfc3339(text), Some(us), "{text}");
        }
    }

    #[test]
    fn reads_offsets_and_fractions() {
        assert_eq!(parse_rfc3339("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00.5Z"), Some(500_000));
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00.123456789Z"), Some(123_456));
        for text in [
            "",
            "1970-01-01",
            "1970-13-01T00:00:00Z",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00.5",
            "é970-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_short() {
        assert_eq!([span(5), span(600), span(7_200), span(864_000)], ["5 s", "10 min", "2 h", "10 days"]);
    }
}
