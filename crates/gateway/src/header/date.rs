//! Times as text: RFC 3339 in JSON and in headers of our own, IMF-fixdate where HTTP wants it.
//!
//! Years 0001 to 9999; what lies outside is shown as the nearest that can be written.
//! Source: RFC 3339 section 5.6, RFC 9110 section 5.6.7; the calendar arithmetic is Howard Hinnant's
//! `days_from_civil` and `civil_from_days`.

const DAY_S: i64 = 86_400;
/// 0001-01-01T00:00:00Z.
const FIRST_S: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const LAST_S: i64 = 253_402_300_799;

/// `2026-04-01T12:00:00.123456Z`; the fraction is left out where it is zero.
pub fn rfc3339(wall_us: i64) -> String {
    let (micros, part) = (wall_us.rem_euclid(1_000_000), Parts::of(wall_us));
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    let Parts { year, month, day, hour, minute, second, .. } = part;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`; the fraction is dropped.
pub fn imf_fixdate(wall_us: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Parts { year, month, day, hour, minute, second, weekday } = Parts::of(wall_us);
    let (weekday, month) = (DAYS[weekday], MONTHS[month as usize - 1]);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Microseconds since 1970 of an RFC 3339 time with `Z` or an offset; digits below a microsecond are dropped.
/// `None` for anything else.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't'])?;
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let (clock, zone) = time.split_at(time.find(['Z', 'z', '+', '-'])?);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = fields(clock, ':', [2, 2, 2])?;
    let in_range = (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 61;
    if !in_range || year == 0 || !(1..=month_days(year, month)).contains(&day) {
        return None;
    }
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros: i64 =
        fraction.bytes().chain(*b"000000").take(6).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let offset_s = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let [hours, minutes] = fields(offset, ':', [2, 2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 3_600 + minutes * 60) * if sign == "+" { 1 } else { -1 }
        }
        _ => return None,
    };
    let second = days_from_civil(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second - offset_s;
    Some(second * 1_000_000 + micros)
}

struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// Days after a Thursday, the day of 1970-01-01.
    weekday: usize,
}

impl Parts {
    fn of(wall_us: i64) -> Self {
        let second = wall_us.div_euclid(1_000_000).clamp(FIRST_S, LAST_S);
        let (day, of_day) = (second.div_euclid(DAY_S), second.rem_euclid(DAY_S));
        let (year, month, date) = civil_from_days(day);
        let weekday = day.rem_euclid(7) as usize;
        Self { year, month, day: date, hour: of_day / 3_600, minute: of_day / 60 % 60, second: of_day % 60, weekday }
    }
}

/// Numbers of exactly `digits` digits with `between` between them.
fn fields<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn month_days(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{FIRST_S, LAST_S, imf_fixdate, parse_rfc3339, rfc3339};

    #[test]
    fn known_times() {
        for (wall_us, rfc, imf) in [
            (0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777_000_000, "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (-1, "1969-12-31T23:59:59.999999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (FIRST_S * 1_000_000, "0001-01-01T00:00:00Z", "Mon, 01 Jan 0001 00:00:00 GMT"),
            (LAST_S * 1_000_000, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(rfc3339(wall_us), rfc);
            assert_eq!(imf_fixdate(wall_us), imf);
            assert_eq!(parse_rfc3339(rfc), Some(wall_us), "{rfc}");
        }
        assert_eq!(&rfc3339(i64::MAX)[..19], "9999-12-31T23:59:59");
        assert_eq!(&rfc3339(i64::MIN)[..19], "0001-01-01T00:00:00");
    }

    #[test]
    fn every_day_of_five_centuries_comes_back() {
        for day in -100_000..100_000_i64 {
            let wall_us = day * 86_400_000_000 + 1;
            assert_eq!(parse_rfc3339(&rfc3339(wall_us)), Some(wall_us), "day {day}");
        }
    }

    #[test]
    fn offsets_and_fractions() {
        let noon = parse_rfc3339("2026-04-01T12:00:00Z");
        assert!(noon.is_some());
        assert_eq!(parse_rfc3339("2026-04-01T14:00:00+02:00"), noon);
        assert_eq!(parse_rfc3339("2026-04-01t06:30:00-05:30"), noon);
        assert_eq!(parse_rfc3339("2026-04-01T12:00:00.1234567Z"), noon.map(|us| us + 123_456));
    }

    #[test]
    fn refused() {
        for bad in [
            "",
            "2026-04-01",
            "2026-04-01 12:00:00Z",
            "2026-04-01T12:00:00",
            "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-04-01T24:00:00Z",
            "2026-04-01T12:00:00.Z",
            "2026-04-01T12:00:00+2:00",
            "2026-04-01T12:00:00Zz",
            "+026-04-01T12:00:00Z",
            "2026-04-01T12:00:00é",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }
}
