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
use utoipa::ToSchema;

use crate::{
    api::{self, word::Time},
    auth, body,
    error::Problem,
    header::{date::parse_rfc3339, percent},
    machine::{Change, Machine},
    shape,
};

/// Says how the fleet stands now, for an operator.
#[utoipa::path(get, path = "/api/v1/fleet", responses((status = 200, body = shape::Fleet)))]
pub async fn report(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::GET).await?;
    percent::query(parts.uri.query(), [])?;
    Ok(api::json(StatusCode::OK, &shape::fleet(service.fleet().await?)))
}

/// Says what would be left without one provider, or several at once, and what repair would take, for an operator.
#[utoipa::path(
    get, path = "/api/v1/fleet/what-if",
    params(("provider" = Vec<String>, Query, description = "A name; once for each provider that is gone")),
    responses((status = 200, body = shape::WhatIf)),
)]
pub async fn what_if(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::GET).await?;
    let providers = percent::repeated(parts.uri.query(), "provider")?;
    if providers.is_empty() {
        return Err(Problem::bad_request("bad_query", "name a provider: `?provider=NAME`, more with `&provider=NAME`"));
    }
    let report = service.what_if(&providers).await?;
    Ok(api::json(StatusCode::OK, &shape::what_if(providers, report)))
}

/// Says how the fleet stood hour by hour, for an operator: at most 1,000 hours, of more the worst of each few.
#[utoipa::path(
    get, path = "/api/v1/fleet/trend",
    params(("since" = Option<Time>, Query, description = "The first hour; none: a month ago. 400 days are kept")),
    responses((status = 200, body = shape::Trend)),
)]
pub async fn trend(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let parts = greet(&service, request, &Method::GET).await?;
    let [since] = percent::query(parts.uri.query(), ["since"])?;
    let read = |text: String| {
        let bad = || Problem::bad_request("bad_query", "`since` is a time such as 2026-04-01T12:00:00Z");
        parse_rfc3339(&text).ok_or_else(bad)
    };
    let (names, hours) = service.trend(since.map(read).transpose()?).await?;
    Ok(api::json(StatusCode::OK, &shape::trend(&names, hours)))
}

/// Reads everything, and says what was found, for an operator.
#[utoipa::path(
    post, path = "/api/v1/fleet/scrub", params(("wait" = bool, Query, description = "`true`: it is waited for")),
    responses((status = 200, body = shape::Scrubbed)),
)]
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProvider {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// Adds a provider, or changes its labels, for an operator. An empty value takes a label off.
#[utoipa::path(
    post, path = "/api/v1/fleet/providers", request_body = NewProvider,
    responses((status = 201, body = shape::ProviderSet)),
)]
pub async fn providers(
    State(service): State<Service>,
    Extension(machine): Extension<Arc<dyn Machine>>,
    request: Request,
) -> Result<Response, Problem> {
    let NewProvider { name, labels } = must_change(&service, request).await?;
    changed(machine.as_ref(), Change::Provider { name, labels: labels.into_iter().collect() }).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPrice {
    provider: String,
    labels: BTreeMap<String, String>,
}

/// Sets what a provider asks, for an operator. An empty value makes a price unknown.
#[utoipa::path(
    post, path = "/api/v1/fleet/prices", request_body = NewPrice,
    responses((status = 201, body = shape::ProviderSet)),
)]
pub async fn prices(
    State(service): State<Service>,
    Extension(machine): Extension<Arc<dyn Machine>>,
    request: Request,
) -> Result<Response, Problem> {
    let NewPrice { provider, labels } = must_change(&service, request).await?;
    changed(machine.as_ref(), Change::Price { name: provider, labels: labels.into_iter().collect() }).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTarget {
    provider: String,
    address: String,
    #[serde(default)]
    login: BTreeMap<String, String>,
}

/// Tries a place and adds it, for an operator. Its login is never shown again.
#[utoipa::path(
    post, path = "/api/v1/fleet/targets", request_body = NewTarget,
    responses((status = 201, body = shape::TargetJoined)),
)]
pub async fn targets(
    State(service): State<Service>,
    Extension(machine): Extension<Arc<dyn Machine>>,
    request: Request,
) -> Result<Response, Problem> {
    let NewTarget { provider, address, login } = must_change(&service, request).await?;
    changed(machine.as_ref(), Change::Target { provider, address, login: login.into_iter().collect() }).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLogin {
    address: String,
    login: BTreeMap<String, String>,
}

/// Gives a target another login, after it was tried, for an operator.
#[utoipa::path(
    post, path = "/api/v1/fleet/logins", request_body = NewLogin,
    responses((status = 201, body = shape::LoginSet)),
)]
pub async fn logins(
    State(service): State<Service>,
    Extension(machine): Extension<Arc<dyn Machine>>,
    request: Request,
) -> Result<Response, Problem> {
    let NewLogin { address, login } = must_change(&service, request).await?;
    changed(machine.as_ref(), Change::Login { address, login: login.into_iter().collect() }).await
}

/// What a change says, if it comes from an operator: at its first byte, and still when all of it is there.
pub(super) async fn must_change<T: DeserializeOwned>(service: &Service, request: Request) -> Result<T, Problem> {
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
