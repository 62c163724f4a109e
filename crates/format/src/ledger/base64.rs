//! Base64 with padding, read strictly: one text for each run of bytes.
//!
//! Source: RFC 4648 section 4.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `bytes` as text.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The bytes that `text` stands for; `None` if it is not the one encoding of them.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.as_bytes().chunks(4) {
        let group: [u8; 4] = group.try_into().ok()?;
        let digits = group.iter().take_while(|digit| **digit != b'=').count();
        if digits < 2 {
            return None;
        }
        let bits = group[..digits].iter().try_fold(0_u32, |bits, digit| Some(bits << 6 | value(*digit)?))?;
        let [_, triple @ ..] = (bits << (6 * (4 - digits))).to_be_bytes();
        bytes.extend_from_slice(&triple[..digits - 1]);
    }
    (encode(&bytes) == text).then_some(bytes)
}

/// The 32 bytes that `text` stands for.
pub(crate) fn decode_hash(text: &str) -> Option<[u8; 32]> {
    if text.len() == 44 { decode(text)?.try_into().ok() } else { None }
}

fn value(digit: u8) -> Option<u32> {
    DIGITS.iter().position(|known| *known == digit).map(|at| at as u32)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn reads_back_and_nothing_else() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        for text in ["Zg", "Zh==", "Zg=a", "Zg==Zg==", "Z===", "Zm-v", "Zm9v\n"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
