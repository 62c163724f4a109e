//! `/api/v1/session/second-factor`: what is asked for beside the password.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use service::Service;

use crate::{
    api::{self, people},
    auth, body,
    error::Problem,
    header::percent,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct On {
    password: String,
    secret: String,
    second: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    password: String,
    second: String,
}

/// Proposes a secret, turns the second factor on with it, turns it off.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => {
            let new = service.propose_second(&caller).await?;
            // Source: "Key Uri Format" of Google Authenticator, which all authenticators read.
            let name = percent::encode(&new.name);
            let address = format!("otpauth://totp/Holdfast:{name}?secret={}&issuer=Holdfast", new.secret);
            Ok(api::json(StatusCode::OK, &json!({ "secret": new.secret, "address": address })))
        }
        Method::PUT => {
            let On { password, secret, second } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            let codes = service.set_second(&caller, password, &secret, &second).await?;
            Ok(api::json(StatusCode::OK, &json!({ "codes": codes })))
        }
        Method::DELETE => {
            let Shown { password, second } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            service.drop_second(&caller, password, &second).await?;
            Ok(api::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Problem::method("POST, PUT, DELETE")),
    }
}

/// Makes new one-time codes.
pub async fn codes(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let Shown { password, second } = body::json(body).await?;
    let caller = auth::caller(&service, &parts).await?;
    let codes = service.new_second_codes(&caller, password, &second).await?;
    Ok(api::json(StatusCode::OK, &json!({ "codes": codes })))
}

/// Removes somebody else's, for an operator.
pub async fn of_another(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    service.remove_second(&caller, people::name(&parts, "/second-factor")?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}
