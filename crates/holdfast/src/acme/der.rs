//! The bytes of a certificate signing request.

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const ATTRIBUTES: u8 = 0xa0;
const DNS_NAME: u8 = 0x82;
/// 1.2.840.10045.2.1 with 1.2.840.10045.3.1.7: a key on the curve P-256.
const P256_KEY: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.2.840.10045.4.3.2: ECDSA with SHA-256.
const ECDSA_SHA256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// 1.2.840.113549.1.9.14: extensions that are asked for.
const EXTENSIONS: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
/// 2.5.29.17: the names.
const OTHER_NAMES: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];

/// What is signed: version 0, no subject, the key and the names.
pub fn request_body(point: &[u8], names: &[String]) -> Vec<u8> {
    let key = value(SEQUENCE, &[&value(SEQUENCE, &[P256_KEY]), &value(BITS, &[&[0], point])]);
    let names: Vec<u8> = names.iter().flat_map(|name| value(DNS_NAME, &[name.as_bytes()])).collect();
    let extension = value(SEQUENCE, &[OTHER_NAMES, &value(OCTETS, &[&value(SEQUENCE, &[&names])])]);
    let asked = value(SEQUENCE, &[EXTENSIONS, &value(SET, &[&value(SEQUENCE, &[&extension])])]);
    value(SEQUENCE, &[&[0x02, 0x01, 0x00], &value(SEQUENCE, &[]), &key, &value(ATTRIBUTES, &[&asked])])
}

/// The request, with the signature of its body.
pub fn signed(body: &[u8], signature: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[body, &value(SEQUENCE, &[ECDSA_SHA256]), &value(BITS, &[&[0], signature])])
}

fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let digits = length.to_be_bytes();
    let digits = &digits[digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len())..];
    let mut bytes = vec![tag];
    match length {
        0..=0x7f => bytes.push(length as u8),
        _ => {
            bytes.push(0x80 | digits.len() as u8);
            bytes.extend_from_slice(digits);
        }
    }
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn lengths() {
        assert_eq!(value(0x04, &[&[1], &[2]]), [0x04, 2, 1, 2]);
        assert_eq!(value(0x04, &[&[0; 127]])[..2], [0x04, 127]);
        assert_eq!(value(0x04, &[&[0; 128]])[..3], [0x04, 0x81, 128]);
        assert_eq!(value(0x04, &[&[0; 300]])[..4], [0x04, 0x82, 1, 44]);
    }
}
