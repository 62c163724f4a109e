//! What an issuer says of somebody (*ID token*), and whether it is the issuer who says it, to us, now, about this very try.
//!
//! Signatures are RS256 or ES256 by a key that the issuer publishes; nothing else is an algorithm here, `none` and those with
//! a shared secret least of all.
//!
//! Source: OpenID Connect Core 1.0 sections 2 and 3.1.3.7; RFC 7515, 7517, 7518 sections 3.3, 3.4 and 6.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

use crate::base64;

/// How far the issuer's clock and ours may be apart, in seconds.
pub(super) const LEEWAY_S: i64 = 60;
/// Keys of one issuer that are looked at.
const KEYS_MAX: usize = 64;
/// Longest subject, in bytes. Source: OpenID Connect Core 1.0 section 2.
const SUBJECT_BYTES_MAX: usize = 255;

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disbelief {
    /// None of the keys that are known signed it: there may be new ones.
    UnknownKey,
    /// It is wrong, whatever keys there are.
    Wrong(&'static str),
}

/// What a token must be about.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub nonce: &'a str,
    pub now_s: i64,
}

/// Somebody, as the issuer knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    pub subject: String,
    /// When they showed there who they are, in seconds since 1970; some issuers say so only when they are asked.
    pub signed_in_s: Option<i64>,
    /// What they would be called here, best first; may be nothing.
    pub names: Vec<String>,
}

/// A key that the issuer publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IssuerKey {
    id: Option<String>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Rs256 { n: Vec<u8>, e: Vec<u8> },
    Es256 { point: Vec<u8> },
}

/// The keys of a set that can be used here; others are passed over. `None` if it is no set of keys.
pub(super) fn keys(set: &Value) -> Option<Vec<IssuerKey>> {
    let all = set.get("keys")?.as_array()?;
    Some(all.iter().take(KEYS_MAX).filter_map(key).collect())
}

fn key(key: &Value) -> Option<IssuerKey> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let bytes = |name: &str| text(name).and_then(base64::url::decode);
    if text("use").is_some_and(|use_| use_ != "sig") {
        return None;
    }
    let is = |algorithm: &str| text("alg").is_none_or(|said| said == algorithm);
    let kind = match text("kty")? {
        "RSA" if is("RS256") => Kind::Rs256 { n: bytes("n")?, e: bytes("e")? },
        "EC" if is("ES256") && text("crv") == Some("P-256") => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            Kind::Es256 { point: [&[4], &x[..], &y].concat() }
        }
        _ => return None,
    };
    Some(IssuerKey { id: text("kid").map(str::to_owned), kind })
}

/// Believes a token, or says why not.
pub(super) fn believe(token: &str, keys: &[IssuerKey], expected: Expected<'_>) -> Result<Claims, Disbelief> {
    const SHAPE: Disbelief = Disbelief::Wrong("it is no signed token");
    let (message, signature) = token.rsplit_once('.').ok_or(SHAPE)?;
    let (head, claims) = message.split_once('.').ok_or(SHAPE)?;
    let json = |part: &str| -> Option<Value> { serde_json::from_slice(&base64::url::decode(part)?).ok() };
    let (head, signature) = (json(head).ok_or(SHAPE)?, base64::url::decode(signature).ok_or(SHAPE)?);
    let algorithm = head.get("alg").and_then(Value::as_str).unwrap_or_default();
    if !matches!(algorithm, "RS256" | "ES256") {
        return Err(Disbelief::Wrong("its algorithm is neither RS256 nor ES256"));
    }
    if head.get("crit").is_some() {
        return Err(Disbelief::Wrong("it demands what is not understood here"));
    }
    let id = head.get("kid").and_then(Value::as_str);
    let fits = |key: &&IssuerKey| {
        let is_named = id.is_none() || key.id.as_deref() == id;
        is_named && (algorithm == "RS256") == matches!(key.kind, Kind::Rs256 { .. })
    };
    let mut able = keys.iter().filter(fits);
    let key = able.next().ok_or(Disbelief::UnknownKey)?;
    if id.is_none() && able.next().is_some() {
        return Err(Disbelief::Wrong("it does not say which of several keys signed it"));
    }
    if !key.signed(message.as_bytes(), &signature) {
        // Keys that go by one name are changed as well.
        return Err(Disbelief::UnknownKey);
    }
    check(&json(claims).ok_or(SHAPE)?, expected).map_err(Disbelief::Wrong)
}

impl IssuerKey {
    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::Rs256 { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            Kind::Es256 { point } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }
}

/// What is said is of the issuer, for us, good now, and about this try.
fn check(claims: &Value, expected: Expected<'_>) -> Result<Claims, &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    if text("iss") != Some(expected.issuer) {
        return Err("it is of another issuer");
    }
    let several = match claims.get("aud") {
        Some(Value::String(one)) if one == expected.client => false,
        Some(Value::Array(all)) if all.iter().any(|one| one == expected.client) => all.len() > 1,
        _ => return Err("it is for somebody else"),
    };
    let party = claims.get("azp").map(Value::as_str);
    if party.is_none() && several || party.is_some_and(|party| party != Some(expected.client)) {
        return Err("it was made for somebody else");
    }
    #[allow(clippy::cast_precision_loss, reason = "seconds of a date")]
    let (now, leeway) = (expected.now_s as f64, LEEWAY_S as f64);
    if !time("exp").is_some_and(|end| now < end + leeway) {
        return Err("it has ended, or our clocks differ");
    }
    if !time("iat").is_some_and(|made| made <= now + leeway) || time("nbf").is_some_and(|from| from > now + leeway) {
        return Err("it is from the future: our clocks differ");
    }
    if text("nonce") != Some(expected.nonce) {
        return Err("it is about another try");
    }
    let subject = text("sub").filter(|sub| (1..=SUBJECT_BYTES_MAX).contains(&sub.len())).ok_or("it names nobody")?;
    #[allow(clippy::cast_possible_truncation, reason = "seconds of a date; what is none is far away from now")]
    let signed_in_s = time("auth_time").map(|at| at as i64);
    Ok(Claims { subject: subject.to_owned(), signed_in_s, names: names(claims) })
}

/// What somebody would be called here, best first.
pub(super) fn names(claims: &Value) -> Vec<String> {
    let text = |name: &&str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    ["preferred_username", "email", "name"].iter().filter_map(text).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::{Disbelief, Expected, believe, check, key, keys};

    const EXPECTED: Expected<'_> = Expected { issuer: "https://id", client: "us", nonce: "n", now_s: 1_000 };

    #[test]
    fn what_is_said_must_be_to_us_now_and_about_this_try() {
        let good = json!({ "iss": "https://id", "aud": "us", "sub": "7", "exp": 1_100, "iat": 990, "nonce": "n", "email": "b@x" });
        assert_eq!(check(&good, EXPECTED).unwrap().names, ["b@x"]);
        assert_eq!(check(&good, EXPECTED).unwrap().signed_in_s, None);
        let mut asked = good.clone();
        asked["auth_time"] = json!(980);
        assert_eq!(check(&asked, EXPECTED).unwrap().signed_in_s, Some(980));
        let mut several = good.clone();
        several["aud"] = json!(["them", "us"]);
        assert!(check(&several, EXPECTED).is_err());
        several["azp"] = json!("us");
        assert!(check(&several, EXPECTED).is_ok());
        for (name, value) in [
            ("iss", json!("https://id/")),
            ("iss", json!(null)),
            ("aud", json!("them")),
            ("aud", json!([])),
            ("azp", json!("them")),
            ("azp", json!(null)),
            ("exp", json!(940)),
            ("exp", json!("1100")),
            ("iat", json!(1_061)),
            ("iat", json!(null)),
            ("nbf", json!(1_061)),
            ("nonce", json!("m")),
            ("nonce", json!(null)),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("sub", json!("x".repeat(256))),
        ] {
            let mut bad = good.clone();
            bad[name] = value.clone();
            assert!(check(&bad, EXPECTED).is_err(), "{name} {value}");
        }
        let mut late = good;
        late["exp"] = json!(941);
        assert!(check(&late, EXPECTED).is_ok(), "clocks differ by a minute");
    }

    /// Source: RFC 7515, appendices A.2 and A.3 for keys and signatures; its claims are not for us.
    #[test]
    fn signatures_of_the_rfc() {
        let elliptic = json!({ "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let set = keys(&json!({ "keys": [elliptic] })).unwrap();
        assert_eq!(believe(token, &set, EXPECTED), Err(Disbelief::Wrong("it is of another issuer")), "it was read");
        let other = token.replacen("joe", "jof", 1).replacen("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Yi", 1);
        assert_eq!(believe(&other, &set, EXPECTED), Err(Disbelief::UnknownKey));
        assert_eq!(believe(token, &[], EXPECTED), Err(Disbelief::UnknownKey));
    }

    #[test]
    fn no_algorithm_but_two() {
        for head in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"RS1"}"#, "{}", r#"{"alg":["RS256"]}"#] {
            let token = format!("{}.e30.", crate::base64::url::encode(head.as_bytes()));
            assert!(matches!(believe(&token, &[], EXPECTED), Err(Disbelief::Wrong(_))), "{head}");
        }
        for token in ["", ".", "..", "a.b", "e30.e30.e30.e30"] {
            assert!(believe(token, &[], EXPECTED).is_err(), "{token}");
        }
        for unusable in [
            json!({ "kty": "oct", "k": "AAAA" }),
            json!({ "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" }),
            json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
            json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc" }),
            json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "PS256" }),
            json!(7),
        ] {
            assert_eq!(key(&unusable), None, "{unusable}");
        }
    }
}
