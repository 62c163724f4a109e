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

#[cfg(test)]
mod tests {
    use super::{decode, encode, hex, origin};

    #[test]
    fn encoding_goes_there_and_back_once() {
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
