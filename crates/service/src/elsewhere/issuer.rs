//! The service elsewhere that vouches for people: what its operator and ours agreed on, what it says of itself, its keys.
//!
//! Everything that it says is bounded in size, believed for an hour, and must be about itself. It is asked over HTTPS, or at
//! this very machine where it lives here.
//!
//! Source: OpenID Connect Discovery 1.0 sections 3 and 4.

use std::sync::{Arc, Mutex, PoisonError};

use model::world::BoxFuture;
use serde_json::Value;

use super::token::{self, IssuerKey};

/// How long what an issuer says of itself is believed.
const KNOWN_US: u64 = 3_600_000_000;
/// How often its keys are asked for at most, however many tokens come that none of them signed.
const KEYS_EVERY_US: u64 = 60_000_000;
/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// Longest address of one of its doors.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// What is asked of an issuer.
pub struct Errand {
    /// Where.
    pub address: String,
    /// What is sent as a form; without it the address is only read.
    pub form: Option<String>,
    /// The header that says who asks.
    pub authorization: Option<String>,
    /// The most bytes that the answer may have.
    pub bytes_max: usize,
}

impl std::fmt::Debug for Errand {
    /// Forms and headers hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Errand").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status. A redirect is one like others: nobody follows it.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// Carries errands to other services, within limits of time and size, and follows no redirect.
pub trait Messenger: Send + Sync {
    /// Carries one; why it could not, in words for the operator.
    fn carry(&self, errand: Errand) -> BoxFuture<'_, Result<Reply, String>>;
}

/// What the operator and the issuer agreed on.
#[derive(Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its address, exactly as it calls itself.
    pub address: String,
    /// What it calls this service.
    pub client: String,
    /// What this service shows to it.
    pub secret: String,
    /// What people call it.
    pub name: String,
    /// Whether whoever it vouches for gets an account here.
    pub sign_up: bool,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("address", &self.address).field("client", &self.client).finish_non_exhaustive()
    }
}

impl Issuer {
    /// Whether this can be an issuer.
    ///
    /// # Errors
    /// What is wrong, and how it should be.
    pub fn check(&self) -> Result<(), String> {
        if !is_fit(&self.address, true) || self.address.contains('?') {
            return Err(format!(
                "issuer = \"{}\" is no address of one: https://host[:port][/path], as the issuer itself writes it (http only at 127.0.0.1 or localhost)",
                self.address
            ));
        }
        if self.client.is_empty() || self.secret.is_empty() {
            return Err(
                "client_id and the secret in client_secret_file are what the issuer gave for this service".to_owned()
            );
        }
        if !(1..=64).contains(&self.name.chars().count()) {
            return Err("name is what people call the issuer, in 1 to 64 letters, such as \"School login\"".to_owned());
        }
        Ok(())
    }
}

/// What an issuer says of itself.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Where browsers are sent.
    pub authorization: String,
    /// Where a code is exchanged.
    pub token: String,
    /// Whether it takes our secret in the form; else in a header.
    pub secret_in_form: bool,
    /// Where it says what somebody is called, if it does not say so at once.
    pub userinfo: Option<String>,
    jwks: String,
}

/// What is remembered of it.
#[derive(Default)]
struct Remembered {
    said: Option<(Arc<Said>, u64)>,
    keys: Option<(Arc<Vec<IssuerKey>>, u64)>,
}

/// The issuer, and the way to it.
pub(crate) struct Line {
    pub issuer: Issuer,
    messenger: Arc<dyn Messenger>,
    remembered: Mutex<Remembered>,
}

impl Line {
    pub fn new(issuer: Issuer, messenger: Arc<dyn Messenger>) -> Self {
        Self { issuer, messenger, remembered: Mutex::default() }
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says of itself, asked at most once an hour as long as it answers.
    pub(super) async fn said(&self, now_us: u64) -> Result<Arc<Said>, String> {
        let known = self.remembered().said.clone();
        if let Some((said, at_us)) = known
            && now_us.saturating_sub(at_us) < KNOWN_US
        {
            return Ok(said);
        }
        let address = format!("{}/.well-known/openid-configuration", self.issuer.address.trim_end_matches('/'));
        let document = self.read(address).await?;
        let said = Arc::new(understood(&document, &self.issuer.address)?);
        self.remembered().said = Some((Arc::clone(&said), now_us));
        Ok(said)
    }

    /// Its keys; `afresh`: those that were known did not do.
    pub(super) async fn keys(&self, said: &Said, afresh: bool, now_us: u64) -> Result<Arc<Vec<IssuerKey>>, String> {
        let known = self.remembered().keys.clone();
        if let Some((keys, at_us)) = known {
            let age_us = now_us.saturating_sub(at_us);
            if age_us < KEYS_EVERY_US || (age_us < KNOWN_US && !afresh) {
                return Ok(keys);
            }
        }
        let document = self.read(said.jwks.clone()).await?;
        let keys = Arc::new(token::keys(&document).ok_or("what should be its keys is something else")?);
        self.remembered().keys = Some((Arc::clone(&keys), now_us));
        Ok(keys)
    }

    async fn read(&self, address: String) -> Result<Value, String> {
        self.carry(Errand { address, form: None, authorization: None, bytes_max: ANSWER_BYTES_MAX }).await
    }

    /// A JSON document that an errand brings back.
    pub(super) async fn carry(&self, errand: Errand) -> Result<Value, String> {
        let (address, most) = (errand.address.clone(), errand.bytes_max);
        let reply = self.messenger.carry(errand).await.map_err(|why| format!("{address}: {why}"))?;
        if reply.status != 200 {
            // What it calls the error is for the operator; the rest of its words may hold anything.
            let said: Option<Value> = serde_json::from_slice(&reply.body).ok();
            let code = said.as_ref().and_then(|said| said.get("error")).and_then(Value::as_str).unwrap_or("no reason");
            let code: String = code.chars().filter(|letter| letter.is_ascii_graphic()).take(64).collect();
            return Err(format!("{address} answers {} ({code})", reply.status));
        }
        if reply.body.len() > most {
            return Err(format!("{address} answers with more than {most} bytes"));
        }
        serde_json::from_slice(&reply.body).map_err(|_| format!("{address} does not answer in JSON"))
    }
}

fn understood(document: &Value, issuer: &str) -> Result<Said, String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer) {
        return Err(format!(
            "it calls itself another issuer than {issuer}; write issuer in the configuration exactly as it does"
        ));
    }
    let is_here = issuer.starts_with("http://");
    let door = |name: &str| {
        let address = text(name).filter(|address| is_fit(address, is_here));
        address.map(str::to_owned).ok_or_else(|| format!("its {name} is no address that may be used"))
    };
    let methods = document.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
    // Where nothing is said, a header is meant.
    let takes = |method: &str| methods.is_some_and(|all| all.iter().any(|one| one == method));
    Ok(Said {
        authorization: door("authorization_endpoint")?,
        token: door("token_endpoint")?,
        jwks: door("jwks_uri")?,
        userinfo: door("userinfo_endpoint").ok(),
        secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
    })
}

/// Whether an address may be gone to: over HTTPS, or without it at this machine where the issuer itself is there.
fn is_fit(address: &str, may_be_here: bool) -> bool {
    let plain = address.len() <= ADDRESS_BYTES_MAX && address.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || address.contains(['#', '\\', '"', '<', '>']) {
        return false;
    }
    let (rest, is_secure) = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return false,
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "::1");
    !host.is_empty() && !authority.contains('@') && (is_secure || (is_here && may_be_here))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::{is_fit, understood};

    #[test]
    fn only_https_or_this_very_machine_is_gone_to() {
        for (address, fit, here) in [
            ("https://id.example", true, true),
            ("https://id.example:8443/realm?x=1", true, true),
            ("http://127.0.0.1:9000/realm", false, true),
            ("http://localhost", false, true),
            ("http://[::1]:9000", false, true),
            ("http://id.example", false, false),
            ("http://127.0.0.1.evil.example", false, false),
            ("http://127.0.0.1@evil.example", false, false),
            ("https://user@id.example", false, false),
            ("https://", false, false),
            ("https://id.example/#x", false, false),
            ("https://id.example/a b", false, false),
            ("javascript:alert(1)", false, false),
            ("file:///etc/passwd", false, false),
            ("//id.example", false, false),
        ] {
            assert_eq!((is_fit(address, false), is_fit(address, true)), (fit, here), "{address}");
        }
    }

    #[test]
    fn an_issuer_speaks_for_itself_alone() {
        let good = json!({
            "issuer": "https://id.example", "authorization_endpoint": "https://id.example/auth",
            "token_endpoint": "https://id.example/token", "jwks_uri": "https://keys.example/set",
        });
        assert!(!understood(&good, "https://id.example").unwrap().secret_in_form);
        for (name, value) in [
            ("issuer", "https://id.example/"),
            ("issuer", "https://other.example"),
            ("token_endpoint", "http://127.0.0.1/token"),
            ("authorization_endpoint", "javascript:alert(1)"),
            ("jwks_uri", "http://id.example/set"),
        ] {
            let mut bad = good.clone();
            bad[name] = value.into();
            assert!(understood(&bad, "https://id.example").is_err(), "{name} {value}");
        }
    }
}
