//! Certificates from an authority that gives them by itself (ACME), such as Let's Encrypt.
//!
//! One order at a time: [`order`] makes an account at the authority or finds the one that the key has, asks for a certificate for the
//! names, answers the challenge of each by a text that the authority fetches from port 80 of that name, and brings the chain.
//! Keys are made here and never leave the data folder. Nothing that the authority says leads anywhere but to addresses that
//! begin with `https://`, and no more is read of an answer than it has reason to send.
//!
//! Source: RFC 8555; the signature of requests is RFC 7515 with ES256, the thumbprint of a key RFC 7638.

mod der;
mod wire;

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use service::base64::url as base64url;
use sha2::{Digest, Sha256};

use self::wire::{Answer, Method};

/// How long the authority may take for one step of an order.
const STEP: Duration = Duration::from_secs(90);
/// Between two looks at how a step stands, if the authority says nothing of it.
const LOOK: Duration = Duration::from_millis(500);
/// A nonce may have grown old: that is no failure.
const NONCES_MAX: usize = 4;

/// What a certificate is asked for with.
pub struct Wish<'w> {
    /// Where the authority says what it can do.
    pub directory: &'w str,
    /// The host names.
    pub names: &'w [String],
    /// How the authority reaches the operator, `mailto:…`.
    pub contact: Option<&'w str>,
    /// The account's key, PKCS #8.
    pub account_key: &'w [u8],
}

/// A certificate that was got.
pub struct Got {
    /// The chain, PEM.
    pub chain: Vec<u8>,
    /// Its key, PKCS #8.
    pub key: Vec<u8>,
}

/// Texts that the authority will fetch, by the token in their address.
#[derive(Default)]
pub struct Challenges(Mutex<BTreeMap<String, String>>);

impl Challenges {
    /// The text for a token, while it is asked for.
    pub fn text(&self, token: &str) -> Option<String> {
        self.all().get(token).cloned()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A new key, PKCS #8.
///
/// # Errors
/// If the cipher library has no chance to draw from.
pub fn new_key() -> Result<Vec<u8>, String> {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    Ok(key.map_err(|_| "no key could be made")?.as_ref().to_vec())
}

/// Gets a certificate.
///
/// # Errors
/// What the authority said, or what kept us from asking it.
pub async fn order(wish: &Wish<'_>, challenges: &Challenges) -> Result<Got, String> {
    let mut account = Account::enter(wish).await?;
    let identifiers: Vec<_> = wish.names.iter().map(|name| json!({ "type": "dns", "value": name })).collect();
    let address = account.directory.new_order.clone();
    let made = account.post(&address, Some(&json!({ "identifiers": identifiers }))).await?;
    let order_address = made.location.clone().ok_or("the authority's order has no address")?;
    let order = made.json()?;
    for address in order["authorizations"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        account.authorise(address, challenges).await?;
    }
    let key = new_key()?;
    let request = base64url::encode(&signing_request(&key, wish.names)?);
    let finalize = order["finalize"].as_str().ok_or("the authority's order cannot be finished")?.to_owned();
    account.post(&finalize, Some(&json!({ "csr": request }))).await?;
    let order = account.wait(&order_address, &["valid"]).await?;
    let address = order["certificate"].as_str().ok_or("the authority's order is valid and names no certificate")?;
    let chain = account.post(address, None).await?.body;
    Ok(Got { chain, key })
}

/// Where the authority wants its questions.
struct Directory {
    new_nonce: String,
    new_account: String,
    new_order: String,
}

/// An account at the authority.
struct Account {
    key: EcdsaKeyPair,
    directory: Directory,
    /// Its address, once it is known.
    id: Option<String>,
    nonce: Option<String>,
}

impl Account {
    async fn enter(wish: &Wish<'_>) -> Result<Self, String> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, wish.account_key)
            .map_err(|_| "the account's key is none")?;
        let found = wire::send(Method::Get, wish.directory, None).await?.json()?;
        let address = |name: &str| {
            let address = found[name].as_str().map(str::to_owned);
            address.ok_or_else(|| format!("{} is no directory of an authority: it has no {name}", wish.directory))
        };
        let directory = Directory {
            new_nonce: address("newNonce")?,
            new_account: address("newAccount")?,
            new_order: address("newOrder")?,
        };
        let mut account = Self { key, directory, id: None, nonce: None };
        let contact: Vec<_> = wish.contact.into_iter().collect();
        let who = json!({ "termsOfServiceAgreed": true, "contact": contact });
        let address = account.directory.new_account.clone();
        let answer = account.post(&address, Some(&who)).await?;
        account.id = Some(answer.location.ok_or("the authority gave the account no address")?);
        Ok(account)
    }

    /// Shows that a name is ours.
    async fn authorise(&mut self, address: &str, challenges: &Challenges) -> Result<(), String> {
        let authorization = self.post(address, None).await?.json()?;
        if authorization["status"] == "valid" {
            return Ok(());
        }
        let name = authorization["identifier"]["value"].as_str().unwrap_or_default().to_owned();
        let offered = authorization["challenges"].as_array().into_iter().flatten();
        let challenge = offered.into_iter().find(|challenge| challenge["type"] == "http-01");
        let challenge = challenge.ok_or_else(|| format!("the authority does not ask for {name} over http"))?;
        let (token, to) = (challenge["token"].as_str(), challenge["url"].as_str());
        let (Some(token), Some(to)) = (token, to) else { return Err("the authority's challenge is incomplete".into()) };
        let text = format!("{token}.{}", base64url::encode(&Sha256::digest(self.jwk().to_string())));
        challenges.all().insert(token.to_owned(), text);
        let shown = async {
            self.post(to, Some(&json!({}))).await?;
            self.wait(address, &["valid"]).await.map_err(|why| format!("{name}: {why}"))
        };
        let shown = shown.await;
        challenges.all().remove(token);
        shown.map(drop)
    }

    /// Looks at something until it stands so.
    async fn wait(&mut self, address: &str, until: &[&str]) -> Result<Value, String> {
        let looks = async {
            loop {
                let answer = self.post(address, None).await?;
                let pause = answer.retry_after.unwrap_or(LOOK);
                let found = answer.json()?;
                match found["status"].as_str() {
                    Some(status) if until.contains(&status) => return Ok(found),
                    Some("pending" | "processing" | "ready") => tokio::time::sleep(pause).await,
                    _ => return Err(problem(&found)),
                }
            }
        };
        let waited = tokio::time::timeout(STEP, looks).await;
        waited.unwrap_or_else(|_| Err(format!("the authority was not done within {} s", STEP.as_secs())))
    }

    /// Asks, signed; without a payload it is a question only.
    async fn post(&mut self, address: &str, payload: Option<&Value>) -> Result<Answer, String> {
        let mut last = String::new();
        for _ in 0..NONCES_MAX {
            let nonce = match self.nonce.take() {
                Some(nonce) => nonce,
                None => {
                    let answer = wire::send(Method::Head, &self.directory.new_nonce, None).await?;
                    answer.nonce.ok_or("the authority gives no nonce")?
                }
            };
            let body = self.signed(address, &nonce, payload)?;
            let mut answer = wire::send(Method::Post, address, Some(body)).await?;
            self.nonce = answer.nonce.take();
            if answer.status < 300 {
                return Ok(answer);
            }
            let said = answer.json().unwrap_or_default();
            last = problem(&said);
            if said["type"] != "urn:ietf:params:acme:error:badNonce" {
                break;
            }
        }
        Err(last)
    }

    fn signed(&self, address: &str, nonce: &str, payload: Option<&Value>) -> Result<String, String> {
        let mut protected = json!({ "alg": "ES256", "nonce": nonce, "url": address });
        match &self.id {
            Some(id) => protected["kid"] = id.as_str().into(),
            None => protected["jwk"] = self.jwk(),
        }
        let protected = base64url::encode(protected.to_string().as_bytes());
        let payload = payload.map(|payload| base64url::encode(payload.to_string().as_bytes())).unwrap_or_default();
        let signature = self.key.sign(&SystemRandom::new(), format!("{protected}.{payload}").as_bytes());
        let signature = base64url::encode(signature.map_err(|_| "nothing could be signed")?.as_ref());
        Ok(json!({ "protected": protected, "payload": payload, "signature": signature }).to_string())
    }

    /// The public half of its key; names sorted and no spaces, as a thumbprint needs it.
    fn jwk(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let (x, y) = (point.get(1..33).unwrap_or_default(), point.get(33..65).unwrap_or_default());
        json!({ "crv": "P-256", "kty": "EC", "x": base64url::encode(x), "y": base64url::encode(y) })
    }
}

/// What a problem document says, for people.
fn problem(said: &Value) -> String {
    let challenge = said["challenges"].as_array().into_iter().flatten().find(|challenge| !challenge["error"].is_null());
    let error = challenge.map_or_else(|| if said["error"].is_null() { said } else { &said["error"] }, |c| &c["error"]);
    let detail = error["detail"].as_str().or(error["type"].as_str()).or(said["status"].as_str());
    let plain = detail.unwrap_or("it gave no reason").chars().filter(|c| !c.is_control()).take(400);
    format!("the authority said: {}", plain.collect::<String>())
}

/// A request for a certificate for these names, signed with the key that it is for.
///
/// Source: RFC 2986; RFC 5480 for the key, RFC 5280 section 4.2.1.6 for the names.
fn signing_request(key: &[u8], names: &[String]) -> Result<Vec<u8>, String> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key).map_err(|_| "the new key is none")?;
    let body = der::request_body(pair.public_key().as_ref(), names);
    let signature = pair.sign(&SystemRandom::new(), &body).map_err(|_| "nothing could be signed")?;
    Ok(der::signed(&body, signature.as_ref()))
}
