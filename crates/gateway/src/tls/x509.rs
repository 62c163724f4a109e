//! When a certificate begins and ends, and for which names it is: the few fields of it that an operator is told.
//!
//! Nothing is decided by them but when another certificate is asked for; what they say is believed by clients, not by us.
//!
//! Source: RFC 5280 sections 4.1 and 4.2.1.6; the encoding is DER, ITU-T X.690.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const BOOLEAN: u8 = 0x01;
const UTC_TIME: u8 = 0x17;
const LONG_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
/// 2.5.29.17, subjectAltName.
const OTHER_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// What an operator is told of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// It counts from then, in seconds since 1970.
    pub from_s: i64,
    /// And until then.
    pub until_s: i64,
    /// The host names that it is for.
    pub names: Vec<String>,
}

impl About {
    /// Reads a certificate; `None` if it is none.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (mut whole, _) = take(certificate, SEQUENCE)?;
        let mut body = inside(&mut whole, SEQUENCE)?;
        skip_if(&mut body, VERSION);
        inside(&mut body, INTEGER)?;
        inside(&mut body, SEQUENCE)?;
        inside(&mut body, SEQUENCE)?;
        let mut validity = inside(&mut body, SEQUENCE)?;
        let (from_s, until_s) = (time(&mut validity)?, time(&mut validity)?);
        inside(&mut body, SEQUENCE)?;
        inside(&mut body, SEQUENCE)?;
        while body.first().is_some_and(|tag| *tag != EXTENSIONS) {
            any(&mut body)?;
        }
        let names = inside(&mut body, EXTENSIONS).and_then(names).unwrap_or_default();
        Some(Self { from_s, until_s, names })
    }

    /// When another one is asked for: after two thirds of its life.
    pub fn renew_s(&self) -> i64 {
        self.from_s.saturating_add(self.until_s.saturating_sub(self.from_s) / 3 * 2)
    }
}

fn names(mut list: &[u8]) -> Option<Vec<String>> {
    let mut extensions = inside(&mut list, SEQUENCE)?;
    while !extensions.is_empty() {
        let mut extension = inside(&mut extensions, SEQUENCE)?;
        if inside(&mut extension, OBJECT)? != OTHER_NAMES {
            continue;
        }
        skip_if(&mut extension, BOOLEAN);
        let mut octets = inside(&mut extension, OCTETS)?;
        let mut all = inside(&mut octets, SEQUENCE)?;
        let mut found = Vec::new();
        while let Some((tag, content)) = any(&mut all) {
            if tag == DNS_NAME {
                found.push(String::from_utf8_lossy(content).into_owned());
            }
        }
        return Some(found);
    }
    None
}

/// Splits a value of this tag off: its content, and what follows.
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = split(bytes)?;
    (found == tag).then_some((content, rest))
}

fn inside<'b>(bytes: &mut &'b [u8], tag: u8) -> Option<&'b [u8]> {
    let (content, rest) = take(bytes, tag)?;
    *bytes = rest;
    Some(content)
}

fn any<'b>(bytes: &mut &'b [u8]) -> Option<(u8, &'b [u8])> {
    let (tag, content, rest) = split(bytes)?;
    *bytes = rest;
    Some((tag, content))
}

fn skip_if(bytes: &mut &[u8], tag: u8) {
    let _ = inside(bytes, tag);
}

fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, as seconds since 1970.
fn time(bytes: &mut &[u8]) -> Option<i64> {
    let (tag, content) = any(bytes)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        LONG_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let mut parts = rest.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).ok()?.parse::<i64>().ok());
    let mut part = || parts.next().flatten();
    let (month, day, hour, minute, second) = (part()?, part()?, part()?, part()?, part()?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_date.then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{About, days, time};

    #[test]
    fn times_of_both_kinds() {
        let of = |tag: u8, text: &str| time(&mut [&[tag, text.len() as u8], text.as_bytes()].concat().as_slice());
        assert_eq!(of(0x17, "700101000000Z"), Some(0));
        assert_eq!(of(0x17, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(of(0x18, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(of(0x18, "20240229120000Z"), Some(1_709_208_000));
        for bad in ["", "Z", "20240229120000", "2024022912000Z", "20241329120000Z", "2024é229120000Z"] {
            assert_eq!(of(0x18, bad), None, "{bad}");
        }
        assert_eq!((days(1970, 1, 1), days(2000, 3, 1), days(1969, 12, 31)), (0, 11_017, -1));
    }

    #[test]
    fn what_is_cut_is_no_certificate() {
        let sound = include_bytes!("../../../../testdata/tls/sound.der");
        let about = About::of(sound).unwrap_or_else(|| panic!("it is one"));
        assert_eq!(about.names, ["files.example", "www.files.example"]);
        assert_eq!(about.until_s - about.from_s, 90 * 86_400);
        assert_eq!(about.renew_s(), about.from_s + 60 * 86_400);
        for end in 0..sound.len() {
            assert_eq!(About::of(&sound[..end]), None, "{end}");
        }
        for at in 0..sound.len() {
            let mut other = sound.to_vec();
            other[at] ^= 0x55;
            let _ = About::of(&other);
        }
    }
}
