//! `/api/v1/mail`: where mail reaches the caller; `password/forgot`; and an operator's test of it.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, header::ACCEPT_LANGUAGE, http::request::Parts};
use model::outgoing::Language;
use serde::Deserialize;
use service::{Knock, Service};

use crate::{api, auth, body, client, error::Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    address: String,
    /// Asked for where the account has one.
    password: Option<String>,
}

/// Says where mail reaches the caller, which a code that is sent there confirms; or that it reaches them nowhere.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::PUT => {
            let Address { address, password } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            let setting = service.set_mail(&caller, &address, password, language(&parts));
            service.guess(client::network(&parts), setting).await?;
        }
        Method::DELETE => service.drop_mail(&caller).await?,
        _ => return Err(Problem::method("PUT, DELETE")),
    }
    Ok(api::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

/// Confirms the address that a code was sent to. Whoever has the code need not be signed in: mail is read elsewhere.
pub async fn confirm(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    must_post(&parts)?;
    auth::must_be_own_page(&parts)?;
    let Code { code } = body::json(body).await?;
    service.confirm_mail(&code).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forgot {
    name: String,
}

/// Has a code for a new password mailed to whoever has this name or address. The answer is the same if nobody has.
pub async fn forgot(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    must_post(&parts)?;
    auth::must_be_own_page(&parts)?;
    let Forgot { name } = body::json(body).await?;
    service.knock(client::network(&parts), Knock::Forgotten)?;
    service.forgot(&name)?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Sends a mail to the operator who asks, and says what the server said.
pub async fn test(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    must_post(&parts)?;
    service.test_mail(&caller).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// The language that whoever asks would like to read.
pub fn language(parts: &Parts) -> Language {
    let accepted = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    service::language_of(accepted.unwrap_or_default())
}

fn must_post(parts: &Parts) -> Result<(), Problem> {
    if parts.method == Method::POST { Ok(()) } else { Err(Problem::method("POST")) }
}
