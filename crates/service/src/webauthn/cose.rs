//! Public keys as COSE writes them, and whether a signature is one of theirs: ES256, RS256 and Ed25519, nothing else.
//!
//! Source: RFC 9053 sections 2 and 7, RFC 8230 section 4, RFC 8152 for labels.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::cbor::Item;

/// The algorithms that are offered, best first, by their numbers at IANA.
pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// A key that can check signatures.
pub enum Key<'a> {
    /// ECDSA with SHA-256 on P-256: an uncompressed point.
    Es256([u8; 65]),
    /// Ed25519.
    Ed25519(&'a [u8; 32]),
    /// RSA (PKCS #1 v1.5) with SHA-256: modulus and exponent, big-endian.
    Rs256(&'a [u8], &'a [u8]),
}

impl<'a> Key<'a> {
    /// Reads a key; `None` if it is of a kind that was not offered, or not one.
    pub fn read(map: &Item<'a>) -> Option<Self> {
        let (kind, algorithm) = (map.numbered(1)?.int()?, map.numbered(3)?.int()?);
        match (kind, algorithm) {
            (2, ES256) if map.numbered(-1)?.int()? == 1 => {
                let (x, y) = (map.numbered(-2)?.bytes()?, map.numbered(-3)?.bytes()?);
                let mut point = [4; 65];
                point[1..33].copy_from_slice(<&[u8; 32]>::try_from(x).ok()?);
                point[33..].copy_from_slice(<&[u8; 32]>::try_from(y).ok()?);
                Some(Self::Es256(point))
            }
            (1, EDDSA) if map.numbered(-1)?.int()? == 6 => {
                Some(Self::Ed25519(map.numbered(-2)?.bytes()?.try_into().ok()?))
            }
            (3, RS256) => {
                let (modulus, exponent) = (map.numbered(-1)?.bytes()?, map.numbered(-2)?.bytes()?);
                (256..=1_024).contains(&modulus.len()).then_some(Self::Rs256(modulus, exponent))
            }
            _ => None,
        }
    }

    /// Its algorithm's number.
    pub fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => ES256,
            Self::Ed25519(_) => EDDSA,
            Self::Rs256(..) => RS256,
        }
    }

    /// Whether `signature` is this key's of `message`.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
            }
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            Self::Rs256(n, e) => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
        }
    }
}
