//! Web Authentication: what an authenticator says when a passkey is made and when it signs in, and whether it is true.
//!
//! Nothing here knows of HTTP, accounts or time. A [`Site`] is where the page was; [`registered`] checks a new key,
//! [`asserted`] a signature of a known one. Only what was asked for is taken: the challenge of this very ceremony, the site
//! where it was begun, a person who was there *and* was verified (so that a passkey is two factors in one). Whose make an
//! authenticator is does not matter here, so no attestation is asked for: of what comes, `none` and a signature by the new
//! key itself are understood.
//!
//! Source: Web Authentication, level 3, sections 5.8.1, 6.1, 7.1 and 7.2.

mod cbor;
mod cose;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::net::Ipv4Addr;

use aws_lc_rs::digest::{SHA256, digest};
use cbor::Item;
use cose::Key;
use model::ways::PasskeyRow;
use serde_json::Value;

use crate::base64;

pub use cose::ALGORITHMS;

/// Bytes of a challenge.
pub const CHALLENGE_BYTES: usize = 32;

/// A person was there.
const PRESENT: u8 = 0x01;
/// And showed that it is them: a PIN, a finger, a face.
const VERIFIED: u8 = 0x04;
/// The key may be copied to other devices of its owner.
const MAY_BE_COPIED: u8 = 0x08;
/// It was.
const IS_COPIED: u8 = 0x10;
/// A new key is described.
const HAS_KEY: u8 = 0x40;
/// Extensions follow.
const HAS_EXTENSIONS: u8 = 0x80;

/// Why something is not taken, in words for whoever tries.
pub type Fault = &'static str;

/// Where the page is that asks: what the browser holds passkeys apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The host name alone: the *relying party id*.
    pub host: String,
    /// With the port, as an origin has it.
    authority: String,
}

impl Site {
    /// The site by the `Host` that a request came to; `None` where browsers allow no passkeys: at IP addresses.
    pub fn of(authority: &str) -> Option<Self> {
        let authority = authority.to_ascii_lowercase();
        let (host, port) = authority.split_once(':').unwrap_or((&authority, "443"));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let is_name = (1..=253).contains(&host.len())
            && host.bytes().all(plain)
            && host.parse::<Ipv4Addr>().is_err()
            // `127.1` and `2130706433` are addresses as well.
            && !host.rsplit('.').next().is_none_or(|last| last.is_empty() || last.bytes().all(|b| b.is_ascii_digit()));
        let sound = is_name && port.parse::<u16>().is_ok();
        sound.then(|| Self { host: host.to_owned(), authority: authority.clone() })
    }

    /// Whether a page of this origin is this site's: over HTTPS, or on the user's own machine.
    fn is_origin(&self, origin: &str) -> bool {
        match origin.split_once("://") {
            Some(("https", authority)) => authority == self.authority,
            Some(("http", authority)) => {
                authority == self.authority && (self.host == "localhost" || self.host.ends_with(".localhost"))
            }
            _ => false,
        }
    }
}

/// What a ceremony asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its challenge.
    pub challenge: &'a [u8; CHALLENGE_BYTES],
    /// Where the page was.
    pub site: &'a Site,
}

/// A key that its authenticator has just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What the authenticator calls it.
    pub credential: Vec<u8>,
    /// The public key in COSE.
    pub key: Vec<u8>,
    /// The authenticator's counter.
    pub counter: u32,
}

/// What an authenticator says about a ceremony.
struct Said<'a> {
    counter: u32,
    key: Option<(&'a [u8], &'a [u8])>,
}

/// Checks a new key.
///
/// # Errors
/// What is wrong with it.
pub fn registered(asked: Asked<'_>, client_data: &[u8], attestation: &[u8]) -> Result<NewKey, Fault> {
    check_client(asked, client_data, "webauthn.create")?;
    let object = cbor::whole(attestation).ok_or("the authenticator's answer cannot be read")?;
    let data = object.named("authData").and_then(Item::bytes).ok_or("the authenticator says nothing of the key")?;
    let said = check_authenticator(asked, data)?;
    let (credential, key) = said.key.ok_or("the authenticator names no key")?;
    let map = cbor::whole(key).ok_or("the key cannot be read")?;
    let parsed = Key::read(&map).ok_or("the key is of a kind that was not asked for")?;
    let statement = object.named("attStmt").ok_or("the authenticator's answer cannot be read")?;
    match object.named("fmt") {
        Some(Item::Text("none")) if *statement == Item::Map(Vec::new()) => {}
        // Browsers hand on what the new key itself signed, even where nothing was asked for.
        Some(Item::Text("packed")) if statement.named("x5c").is_none() => {
            let algorithm = statement.named("alg").and_then(Item::int);
            let signature = statement.named("sig").and_then(Item::bytes).ok_or("the attestation has no signature")?;
            if algorithm != Some(parsed.algorithm()) || !parsed.signed(&signed_over(data, client_data), signature) {
                return Err("the attestation's signature is not the key's");
            }
        }
        _ => return Err("the authenticator vouches for itself in a way that was not asked for"),
    }
    Ok(NewKey { credential: credential.to_vec(), key: key.to_vec(), counter: said.counter })
}

/// Checks a signature of the key `key`; the authenticator's counter.
///
/// # Errors
/// What is wrong with it.
pub fn asserted(
    asked: Asked<'_>,
    key: &[u8],
    client_data: &[u8],
    authenticator: &[u8],
    signature: &[u8],
) -> Result<u32, Fault> {
    check_client(asked, client_data, "webauthn.get")?;
    let said = check_authenticator(asked, authenticator)?;
    let map = cbor::whole(key).ok_or("the key cannot be read")?;
    let key = Key::read(&map).ok_or("the key cannot be read")?;
    if key.signed(&signed_over(authenticator, client_data), signature) {
        Ok(said.counter)
    } else {
        Err("the signature is not the passkey's")
    }
}

fn signed_over(authenticator: &[u8], client_data: &[u8]) -> Vec<u8> {
    [authenticator, digest(&SHA256, client_data).as_ref()].concat()
}

/// What the browser says: which ceremony, whose challenge, where.
fn check_client(asked: Asked<'_>, client_data: &[u8], ceremony: &str) -> Result<(), Fault> {
    let said: Value = serde_json::from_slice(client_data).map_err(|_| "the browser's part cannot be read")?;
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    if text("type") != Some(ceremony) {
        return Err("the browser did something else than it was asked for");
    }
    // Both are ours: random, and used once.
    if text("challenge") != Some(base64::url::encode(asked.challenge).as_str()) {
        return Err("the answer is to another question");
    }
    if !text("origin").is_some_and(|origin| asked.site.is_origin(origin)) {
        return Err("it comes from another page than this service's own, or not over HTTPS");
    }
    match said.get("crossOrigin") {
        None | Some(Value::Bool(false)) => Ok(()),
        _ => Err("it comes from within another site's page"),
    }
}

/// What the authenticator says: for which host, and that its owner was there and verified.
fn check_authenticator<'a>(asked: Asked<'_>, data: &'a [u8]) -> Result<Said<'a>, Fault> {
    const SHORT: Fault = "the authenticator's part cannot be read";
    let (host, rest) = data.split_at_checked(32).ok_or(SHORT)?;
    let (&flags, rest) = rest.split_first().ok_or(SHORT)?;
    let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    if host != digest(&SHA256, asked.site.host.as_bytes()).as_ref() {
        return Err("the passkey belongs to another host name");
    }
    if flags & PRESENT == 0 || flags & VERIFIED == 0 {
        return Err("the authenticator did not verify who you are; set a PIN or a fingerprint up");
    }
    if flags & IS_COPIED != 0 && flags & MAY_BE_COPIED == 0 {
        return Err("the authenticator contradicts itself");
    }
    let mut key = None;
    if flags & HAS_KEY != 0 {
        // The make of the authenticator, which does not matter here.
        let (_, after) = rest.split_at_checked(16).ok_or(SHORT)?;
        let (length, after) = after.split_first_chunk::<2>().ok_or(SHORT)?;
        let (credential, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(SHORT)?;
        if credential.is_empty() || credential.len() > PasskeyRow::CREDENTIAL_BYTES_MAX {
            return Err("the authenticator calls the key by a name that is too long, or none");
        }
        let (_, behind) = cbor::first(after).ok_or(SHORT)?;
        let bytes = &after[..after.len() - behind.len()];
        if bytes.len() > PasskeyRow::KEY_BYTES_MAX {
            return Err("the key is too long");
        }
        (key, rest) = (Some((credential, bytes)), behind);
    }
    if flags & HAS_EXTENSIONS != 0 {
        (_, rest) = cbor::first(rest).ok_or(SHORT)?;
    }
    if !rest.is_empty() {
        return Err(SHORT);
    }
    Ok(Said { counter: u32::from_be_bytes(*counter), key })
}
