//! `/api/v1/session/second-factor`: what is asked for beside the password.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use serde::{Deserialize, Serialize};
use service::{Caller, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, people},
    auth, body,
    error::Problem,
    header::percent,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorOn)]
struct On {
    password: String,
    /// That was proposed.
    secret: String,
    /// Six digits that show that an authenticator has it.
    second: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorShown)]
struct Shown {
    password: String,
    /// Digits or a one-time code.
    second: String,
}

/// A secret that is not kept yet.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorProposal)]
struct Proposal {
    /// Base32.
    secret: String,
    /// The same as an `otpauth:` address.
    address: String,
}

/// One-time codes, shown this once.
#[derive(Serialize, ToSchema)]
struct Codes {
    codes: Vec<String>,
}

/// Proposes a secret, turns the second factor on with it, turns it off.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => propose(&service, &caller).await,
        Method::PUT => turn_on(&service, &parts, body).await,
        Method::DELETE => turn_off(&service, &parts, body).await,
        _ => Err(Problem::method("POST, PUT, DELETE")),
    }
}

/// Proposes a secret. Nothing is kept of it.
#[utoipa::path(post, path = "/api/v1/session/second-factor", responses((status = 200, body = Proposal)))]
pub async fn propose(service: &Service, caller: &Caller) -> Result<Response, Problem> {
    let new = service.propose_second(caller).await?;
    // Source: "Key Uri Format" of Google Authenticator, which all authenticators read.
    let name = percent::encode(&new.name);
    let address = format!("otpauth://totp/Holdfast:{name}?secret={}&issuer=Holdfast", new.secret);
    Ok(api::json(StatusCode::OK, &Proposal { secret: new.secret, address }))
}

/// Turns the second factor on.
#[utoipa::path(
    put, path = "/api/v1/session/second-factor", request_body = On,
    responses((status = 200, body = Codes)),
)]
pub async fn turn_on(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let On { password, secret, second } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let codes = service.set_second(&caller, password, &secret, &second).await?;
    Ok(api::json(StatusCode::OK, &Codes { codes }))
}

/// Turns it off.
#[utoipa::path(delete, path = "/api/v1/session/second-factor", request_body = Shown, responses((status = 204)))]
pub async fn turn_off(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let Shown { password, second } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    service.drop_second(&caller, password, &second).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Makes new one-time codes; the old ones open nothing any more.
#[utoipa::path(
    post, path = "/api/v1/session/second-factor/codes", request_body = Shown,
    responses((status = 200, body = Codes)),
)]
pub async fn codes(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let Shown { password, second } = body::json(body).await?;
    let caller = auth::caller(&service, &parts).await?;
    let codes = service.new_second_codes(&caller, password, &second).await?;
    Ok(api::json(StatusCode::OK, &Codes { codes }))
}

/// Removes somebody else's second factor, for an operator.
#[utoipa::path(delete, path = "/api/v1/accounts/{name}/second-factor", responses((status = 204)))]
pub async fn of_another(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    service.remove_second(&caller, people::name(&parts, "/second-factor")?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}
