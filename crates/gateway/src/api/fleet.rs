//! `/api/v1/fleet`: how providers, targets and what they hold stand, and how the fleet grows.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use service::Service;

use crate::{
    api, auth, body,
    error::Problem,
    header::percent,
    machine::{Change, Machine},
    shape,
};

/// How it stands now.
pub async fn report(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::GET).await?;
    percent::query(parts.uri.query(), [])?;
    Ok(api::json(StatusCode::OK, &shape::fleet(&service.fleet().await?)))
}

/// What would be left without one provider.
pub async fn what_if(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::GET).await?;
    let [provider] = percent::query(parts.uri.query(), ["provider"])?;
    let provider = provider.ok_or_else(|| Problem::bad_request("bad_query", "name a provider: `?provider=NAME`"))?;
    Ok(api::json(StatusCode::OK, &shape::what_if(&provider, &service.what_if(&provider).await?)))
}

/// Reads everything, and says what was found.
pub async fn scrub(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::POST).await?;
    let [wait] = percent::query(parts.uri.query(), ["wait"])?;
    if !percent::flag("wait", wait.as_deref())? {
        return Err(Problem::bad_request("bad_query", "a scrub on demand is waited for: `?wait=true`"));
    }
    Ok(api::json(StatusCode::OK, &shape::scrub(&service.scrub().await?)))
}

async fn greet(service: &Service, request: Request, method: &Method) -> Result<Parts, Problem> {
    let (parts, _) = request.into_parts();
    auth::caller(service, &parts).await?.must_operate()?;
    match (&parts.method, method) {
        (got, expected) if got == expected => Ok(parts),
        (&Method::HEAD, &Method::GET) => Ok(parts),
        (_, &Method::GET) => Err(Problem::method("GET, HEAD")),
        _ => Err(Problem::method("POST")),
    }
}

/// Adds a provider, or changes its labels: `POST /api/v1/fleet/providers`.
pub async fn providers(
    State(service): State<Service>,
    Extension(machine): Extension<Arc<dyn Machine>>,
    request: Request,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct New {
        name: String,
        #[serde(default)]
        labels: BTreeMap<String, String>,
    }
    let New { name, labels } = must_change(&service, request).await?;
    changed(machine.as_ref(), Change::Provider { name, labels: labels.into_iter().collect() }).await
}

/// Sets what a provider asks: `POST /api/v1/fleet/prices`.
pub async fn prices(
    State(service): State<Service>,
    Extension(machine): Extension<Arc<dyn Machine>>,
    request: Request,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Price {
        provider: String,
        labels: BTreeMap<String, String>,
    }
    let Price { provider, labels } = must_change(&service, request).await?;
    changed(machine.as_ref(), Change::Price { name: provider, labels: labels.into_iter().collect() }).await
}

/// Tries a place and adds it: `POST /api/v1/fleet/targets`. Its login is never shown again.
pub async fn targets(
    State(service): State<Service>,
    Extension(machine): Extension<Arc<dyn Machine>>,
    request: Request,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct New {
        provider: String,
        address: String,
        #[serde(default)]
        login: BTreeMap<String, String>,
    }
    let New { provider, address, login } = must_change(&service, request).await?;
    changed(machine.as_ref(), Change::Target { provider, address, login: login.into_iter().collect() }).await
}

/// Gives a target another login, after it was tried: `POST /api/v1/fleet/logins`.
pub async fn logins(
    State(service): State<Service>,
    Extension(machine): Extension<Arc<dyn Machine>>,
    request: Request,
) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct New {
        address: String,
        login: BTreeMap<String, String>,
    }
    let New { address, login } = must_change(&service, request).await?;
    changed(machine.as_ref(), Change::Login { address, login: login.into_iter().collect() }).await
}

/// What a change says, if it comes from an operator: at its first byte, and still when all of it is there.
async fn must_change<T: DeserializeOwned>(service: &Service, request: Request) -> Result<T, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(service, &parts).await?.must_operate()?;
    percent::query(parts.uri.query(), [])?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let change = body::json(body).await?;
    auth::caller(service, &parts).await?.must_operate()?;
    Ok(change)
}

async fn changed(machine: &dyn Machine, change: Change) -> Result<Response, Problem> {
    Ok(api::json(StatusCode::CREATED, &machine.change(change).await?))
}
