//! `/api/v1/mail`: where mail reaches the caller; `password/forgot`; and an operator's test of it.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, header::ACCEPT_LANGUAGE, http::request::Parts};
use model::outgoing::Language;
use serde::Deserialize;
use service::{Knock, Service};
use utoipa::ToSchema;

use crate::{api, auth, body, client, error::Problem};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MailAddress)]
struct Address {
    address: String,
    /// Asked for where the account has one.
    password: Option<String>,
}

/// Says where mail reaches the caller, which a code that is sent there confirms; or that it reaches them nowhere.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    match parts.method {
        Method::PUT => set(&service, &parts, body).await,
        Method::DELETE => drop_it(&service, &parts).await,
        _ => Err(Problem::method("PUT, DELETE")),
    }
}

/// Says where mail reaches the caller; a code that is sent there confirms it.
#[utoipa::path(put, path = "/api/v1/mail", request_body = Address, responses((status = 204)))]
pub async fn set(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let Address { address, password } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let setting = service.set_mail(&caller, &address, password, language(parts));
    service.guess(client::network(parts), setting).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Says that mail reaches the caller nowhere.
#[utoipa::path(delete, path = "/api/v1/mail", responses((status = 204)))]
pub async fn drop_it(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    service.drop_mail(&auth::caller(service, parts).await?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MailCode)]
struct Code {
    code: String,
}

/// Confirms the address that a code was sent to. Whoever has the code need not be signed in: mail is read elsewhere.
#[utoipa::path(
    post, path = "/api/v1/mail/confirm", security(()), request_body = Code, responses((status = 204)),
)]
pub async fn confirm(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    must_post(&parts)?;
    auth::must_be_own_page(&parts)?;
    let Code { code } = body::json(body).await?;
    service.confirm_mail(&code).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Forgot {
    /// Or the confirmed address.
    name: String,
}

/// Has a code for a new password mailed to whoever has this name or address. The answer is the same if nobody has.
#[utoipa::path(
    post, path = "/api/v1/password/forgot", security(()), request_body = Forgot, responses((status = 204)),
)]
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
#[utoipa::path(post, path = "/api/v1/service/mail", responses((status = 204)))]
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
