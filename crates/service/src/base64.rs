//! Base64, read strictly: one text for each run of bytes. With padding and its usual letters, as protocols have it; and without
//! padding, in letters that addresses and names may hold ([`url`]).
//!
//! Source: RFC 4648 sections 4 and 5.

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// The last two digits, which the two alphabets differ in.
const USUAL: [u8; 2] = *b"+/";
const OF_ADDRESSES: [u8; 2] = *b"-_";

/// `bytes` as text.
pub fn encode(bytes: &[u8]) -> String {
    let plain = digits(bytes, USUAL);
    let padding = plain.len().next_multiple_of(4) - plain.len();
    plain + &"=".repeat(padding)
}

/// The bytes that `text` stands for; `None` if it is not the one encoding of them.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let plain = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    if text.len().is_multiple_of(4) { bytes(plain, USUAL) } else { None }
}

/// Base64 for addresses and names, without padding.
pub mod url {
    /// `bytes` as text.
    pub fn encode(bytes: &[u8]) -> String {
        super::digits(bytes, super::OF_ADDRESSES)
    }

    /// The bytes that `text` stands for; `None` if it is not the one encoding of them.
    pub fn decode(text: &str) -> Option<Vec<u8>> {
        super::bytes(text, super::OF_ADDRESSES)
    }
}

fn digits(bytes: &[u8], last: [u8; 2]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let value = (bits >> (18 - 6 * place)) as usize & 63;
            text.push(char::from(if value < 62 { LETTERS[value] } else { last[value - 62] }));
        }
    }
    text
}

fn bytes(text: &str, last: [u8; 2]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for &digit in group {
            bits = bits << 6 | value(digit, last)?;
        }
        bits <<= 6 * (4 - group.len());
        let count = match group.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        let [_, triple @ ..] = bits.to_be_bytes();
        if triple[count..].iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend_from_slice(&triple[..count]);
    }
    Some(bytes)
}

fn value(digit: u8, last: [u8; 2]) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        _ if digit == last[0] => 62,
        _ if digit == last[1] => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, url};

    #[test]
    fn vectors_of_the_rfc_both_ways() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("~~~?", "fn5+Pw=="),
            ("???", "Pz8/"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
            let short = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
            assert_eq!(url::encode(plain.as_bytes()), short);
            assert_eq!(url::decode(&short).as_deref(), Some(plain.as_bytes()));
        }
    }

    #[test]
    fn only_one_text_for_each_run_of_bytes() {
        for text in
            ["Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "=", "Zg==Zg==", "Zm9v\n", "Zm9v====", "Zm-v", "Zm9vä"]
        {
            assert_eq!(decode(text), None, "{text:?}");
        }
        for text in ["Z", "Zg=", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9v\n", "Zm9vZ", "ä"] {
            assert_eq!(url::decode(text), None, "{text:?}");
        }
    }
}
