//! `/api/v1/passkeys` and `/api/v1/session/passkey`: passkeys are made, listed, removed, and sign in.
//!
//! Shapes are those that browsers read and write themselves: what `PublicKeyCredential.parseCreationOptionsFromJSON` and
//! `parseRequestOptionsFromJSON` take, and what a credential's `toJSON` gives.
//!
//! Source: Web Authentication, level 3, section 5.1.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, header::HOST, http::request::Parts};
use model::id::{PasskeyId, TokenId};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, json};
use service::{Assertion, CHALLENGE_S, PASSKEY_ALGORITHMS, Passkey, PasskeyFault, Question, Service, base64};
use utoipa::ToSchema;

use crate::{
    api::{self, session, word::Time},
    auth, body, client,
    error::Problem,
};

/// Bytes, written as base64url.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let text = String::deserialize(value)?;
        base64::url::decode(&text).map(Self).ok_or_else(|| D::Error::custom("bytes are written as base64url"))
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyWish)]
struct Shown {
    /// Empty where the account has none.
    password: String,
    /// Digits or a one-time code, where the account asks for them.
    second: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPasskey)]
struct New {
    /// Which challenge this answers.
    challenge: String,
    label: String,
    /// As the browser's `toJSON` gives it.
    #[schema(value_type = Object)]
    credential: Credential<Attestation>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeySignIn)]
struct Enter {
    /// Which challenge this answers.
    challenge: String,
    /// As the browser's `toJSON` gives it.
    #[schema(value_type = Object)]
    credential: Credential<Signature>,
}

/// Browsers say more, and will.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential<T> {
    raw_id: Bytes,
    response: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attestation {
    #[serde(rename = "clientDataJSON")]
    client_data: Bytes,
    attestation_object: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    #[serde(rename = "clientDataJSON")]
    client_data: Bytes,
    authenticator_data: Bytes,
    signature: Bytes,
    user_handle: Option<Bytes>,
}

/// One passkey.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
struct Line {
    id: String,
    label: String,
    /// The host name that it belongs to.
    host: String,
    made: Time,
    used: Option<Time>,
}

#[derive(Serialize, ToSchema)]
struct Passkeys {
    passkeys: Vec<Line>,
}

/// What an authenticator is to sign.
#[derive(Serialize, ToSchema)]
struct Challenge {
    /// Names it in the answer.
    challenge: String,
    /// `publicKey`, as `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` takes it.
    #[schema(value_type = Object)]
    options: Value,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyChange)]
struct Named {
    label: String,
}

/// Lists the caller's passkeys, or keeps one that was made just now.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &parts).await,
        Method::POST => make(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Lists the caller's passkeys.
#[utoipa::path(get, path = "/api/v1/passkeys", responses((status = 200, body = Passkeys)))]
pub async fn list(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let caller = auth::caller(service, parts).await?;
    let passkeys = service.passkeys(&caller).await?.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Passkeys { passkeys }))
}

/// Keeps a passkey that was made just now.
#[utoipa::path(post, path = "/api/v1/passkeys", request_body = New, responses((status = 201, body = Line)))]
pub async fn make(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let New { challenge, label, credential } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let Attestation { client_data, attestation_object } = credential.response;
    let challenge = named(&challenge);
    let made = service.make_passkey(&caller, challenge, label, &client_data.0, &attestation_object.0).await?;
    Ok(api::json(StatusCode::CREATED, &line(&made)))
}

/// Asks for a new passkey.
#[utoipa::path(
    post, path = "/api/v1/passkeys/challenge", request_body = Shown, responses((status = 200, body = Challenge)),
)]
pub async fn begin(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let Shown { password, second } = body::json(body).await?;
    let caller = auth::caller(&service, &parts).await?;
    let begin = service.begin_passkey(&caller, host(&parts)?, password, second.as_deref());
    let new = service.guess(client::network(&parts), begin).await?;
    let called = |credential: &Vec<u8>| json!({ "type": "public-key", "id": base64::url::encode(credential) });
    let options = json!({ "publicKey": {
        "rp": { "id": new.question.host, "name": service.about().await?.name.as_deref().unwrap_or("Holdfast") },
        "user": { "id": base64::url::encode(&new.account.0), "name": new.name, "displayName": new.name },
        "challenge": base64::url::encode(&new.question.challenge),
        "pubKeyCredParams": PASSKEY_ALGORITHMS.map(|number| json!({ "type": "public-key", "alg": number })),
        "timeout": CHALLENGE_S * 1_000,
        "excludeCredentials": new.known.iter().map(called).collect::<Vec<Value>>(),
        // It signs in by itself, so it must know whom; and it stands for two factors, so it must ask for the second.
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    }});
    Ok(question(&new.question, options))
}

/// Names a passkey anew, or removes it.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    match parts.method {
        Method::PATCH => rename(&service, &parts, body).await,
        Method::DELETE => end(&service, &parts).await,
        _ => Err(Problem::method("PATCH, DELETE")),
    }
}

/// Names a passkey anew.
#[utoipa::path(patch, path = "/api/v1/passkeys/{id}", request_body = Named, responses((status = 204)))]
pub async fn rename(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let id = api::id(parts, |text| PasskeyId::parse(text).ok())?;
    let Named { label } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    service.rename_passkey(&caller, id, label).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Removes a passkey.
#[utoipa::path(delete, path = "/api/v1/passkeys/{id}", responses((status = 204)))]
pub async fn end(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let id = api::id(parts, |text| PasskeyId::parse(text).ok())?;
    service.end_passkey(&auth::caller(service, parts).await?, id, host(parts)?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Asks whoever comes for a passkey.
#[utoipa::path(
    post, path = "/api/v1/session/passkey/challenge", security(()), responses((status = 200, body = Challenge)),
)]
pub async fn ask(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    auth::must_be_own_page(&parts)?;
    let asked = service.ask_for_passkey(host(&parts)?, client::network(&parts))?;
    let options = json!({ "publicKey": {
        "challenge": base64::url::encode(&asked.challenge),
        "timeout": CHALLENGE_S * 1_000,
        "rpId": asked.host,
        "allowCredentials": [],
        "userVerification": "required",
    }});
    Ok(question(&asked, options))
}

/// Signs in by a passkey.
#[utoipa::path(
    post, path = "/api/v1/session/passkey", security(()), request_body = Enter,
    responses((status = 200, body = session::Me, headers(("Set-Cookie" = String)))),
)]
pub async fn enter(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    auth::must_be_own_page(&parts)?;
    let Enter { challenge, credential } = body::json(body).await?;
    let Signature { client_data, authenticator_data, signature, user_handle } = credential.response;
    let assertion = Assertion {
        credential: credential.raw_id.0,
        client_data: client_data.0,
        authenticator_data: authenticator_data.0,
        signature: signature.0,
        user: user_handle.map(|bytes| bytes.0).unwrap_or_default(),
    };
    let enter = service.sign_in_by_passkey(named(&challenge), assertion, session::agent(&parts));
    let text = service.guess(client::network(&parts), enter).await?;
    session::welcome(&service, &parts, StatusCode::OK, &text).await
}

/// A challenge's name; one that cannot be is one that waits for nothing.
fn named(text: &str) -> TokenId {
    TokenId::parse(text).unwrap_or_default()
}

fn question(question: &Question, options: Value) -> Response {
    api::json(StatusCode::OK, &Challenge { challenge: question.id.to_string(), options })
}

fn line(passkey: &Passkey) -> Line {
    Line {
        id: passkey.row.id.to_string(),
        label: passkey.row.label.clone(),
        host: passkey.row.host.clone(),
        made: Time(passkey.row.made_us),
        used: passkey.used_us.map(Time),
    }
}

/// The host that a request came to. A proxy hands it on as it is, as it does for `Origin` to be compared with it.
fn host(parts: &Parts) -> Result<&str, Problem> {
    let said = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    Ok(said.ok_or(service::Error::from(PasskeyFault::NoHost))?)
}
