//! Small texts of HTTP: percent encoding, hexadecimal, base64, and foreign text made fit for a message.

use std::fmt::Write;

/// Encodes everything but `[A-Za-z0-9._~-]`, and the slash if it is to `keep` its meaning.
///
/// Source: RFC 3986, section 2.3; the same set that signatures of S3 ask for.
pub(crate) fn encode(text: &str, keep_slash: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'~' | b'-' => encoded.push(byte.into()),
            b'/' if keep_slash => encoded.push('/'),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// Decodes once; `None` if it is not well encoded or no text.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let value = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes of hexadecimal digits of ours; what is no pair of them is left out.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len() / 2).filter_map(|at| text.get(2 * at..2 * at + 2));
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// Base64 with padding. Source: RFC 4648, section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let joined = three.iter().fold(0_u32, |joined, byte| joined << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[(joined >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { digit.into() } else { '=' });
        }
    }
    text
}

/// Text made fit for an element of XML.
pub(crate) fn xml_escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Foreign text for a message: printable, short, on one line.
pub(crate) fn plain(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

/// Scheme, host and port of a foreign address, for a message; never its path and query, which may hold secrets.
pub(crate) fn origin(address: &str) -> &str {
    let host_at = address.find("://").map_or(0, |at| at + 3);
    let end = address[host_at..].find(['/', '?', '#']).map_or(address.len(), |at| host_at + at);
    let origin = &address[..end.min(120)];
    if origin.is_empty() || !origin.bytes().all(|byte| byte.is_ascii_graphic()) || origin.contains('@') {
        "another path"
    } else {
        origin
    }
}

/// Seconds since 1970 of a date of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// Sources: RFC 9110, section 5.6.7 (the one form that is written today); Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", days_from_civil.
pub(crate) fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = |text: &str, max: i64| text.parse::<u32>().ok().map(i64::from).filter(|number| *number <= max);
    let mut words = text.split_once(", ")?.1.split(' ');
    let day = number(words.next()?, 31)?;
    let name = words.next()?;
    let month = 1 + i64::try_from(MONTHS.iter().position(|month| *month == name)?).ok()?;
    let year = number(words.next()?, 9_999)?;
    let mut clock = words.next()?.split(':');
    let (hour, minute, second) = (number(clock.next()?, 23)?, number(clock.next()?, 59)?, number(clock.next()?, 60)?);
    if words.next() != Some("GMT") || words.next().is_some() || clock.next().is_some() {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, hex, http_date, origin};

    #[test]
    fn dates_of_http() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Tue, 29 Feb 2000 23:59:59 GMT", Some(951_868_799)),
            ("Fri, 24 May 2013 00:00:00 GMT", Some(1_369_353_600)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("Sun, -6 Nov 1994 08:49:37 GMT", None),
            ("soon", None),
        ] {
            assert_eq!(http_date(text), expected, "{text}");
        }
    }

    #[test]
    fn encoding_goes_there_and_back_once() {
        assert_eq!(super::unhex(&super::hex(&[0, 0x7f, 0xff])), [0, 0x7f, 0xff]);
        for (text, encoded) in [("a/b-c_d.e~", "a/b-c_d.e~"), ("a b+%", "a%20b%2B%25"), ("\u{e9}", "%C3%A9")] {
            assert_eq!(encode(text, true), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(text));
        }
        assert_eq!(encode("a/b", false), "a%2Fb");
        assert_eq!(decode("%252e").as_deref(), Some("%2e"));
        for bad in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(hex(&[0, 0xab]), "00ab");
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(super::base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn a_foreign_address_shows_no_more_than_its_origin() {
        for (address, expected) in [
            ("http://10.0.0.1/latest?token=s", "http://10.0.0.1"),
            ("https://u:p@host/", "another path"),
            ("/elsewhere", "another path"),
            ("http://a\n/", "another path"),
        ] {
            assert_eq!(origin(address), expected);
        }
    }
}
