//! `/api/v1/kits`: the caller's recovery kits, as far as a service may know them.
//!
//! `?account=NAME` says whose kits are meant, for commands that name an account; it must be the caller's own.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::id::KitId;
use serde::Deserialize;
use service::{Caller, Service};
use utoipa::{IntoParams, ToSchema};

use crate::{api, auth, body, error::Problem, header::percent, shape};

/// What is needed of a new kit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KitToAdd)]
struct New {
    /// The public half of its secret, `age1…`.
    recipient: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "what a query may say, for the document alone")]
struct Asked {
    /// Whose kits are meant; only the caller's own are possible.
    account: Option<String>,
}

/// Lists kits, or adds one.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = caller(&service, &parts).await?;
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &caller).await,
        Method::POST => add(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Lists the caller's kits.
#[utoipa::path(get, path = "/api/v1/kits", params(Asked), responses((status = 200, body = shape::Kits)))]
pub async fn list(service: &Service, caller: &Caller) -> Result<Response, Problem> {
    Ok(api::json(StatusCode::OK, &shape::kits(service.kits(caller).await?)))
}

/// Adds a kit. The answer comes when the account's key is sealed for it and kept by enough providers.
#[utoipa::path(
    post, path = "/api/v1/kits", params(Asked), request_body = New,
    responses((status = 201, body = shape::NewKit)),
)]
pub async fn add(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let New { recipient } = body::json(body).await?;
    let caller = self::caller(service, parts).await?;
    Ok(api::json(StatusCode::CREATED, &shape::new_kit(service.add_kit(&caller, recipient).await?)))
}

/// Revokes a kit.
#[utoipa::path(delete, path = "/api/v1/kits/{id}", params(Asked), responses((status = 204)))]
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = caller(&service, &parts).await?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    service.revoke_kit(&caller, kit_id(parts.uri.path())?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Notes that the owner tested a kit.
#[utoipa::path(post, path = "/api/v1/kits/{id}/tested", params(Asked), responses((status = 204)))]
pub async fn tested(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = caller(&service, &parts).await?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let path = parts.uri.path();
    service.tested_kit(&caller, kit_id(path.strip_suffix("/tested").unwrap_or(path))?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Who calls, if the kits that the request means are theirs.
async fn caller(service: &Service, parts: &Parts) -> Result<Caller, Problem> {
    let caller = auth::caller(service, parts).await?;
    let [account] = percent::query(parts.uri.query(), ["account"])?;
    if let Some(name) = account {
        service.is_account(&caller, name).await?;
    }
    Ok(caller)
}

/// The id at a path's end.
fn kit_id(path: &str) -> Result<KitId, Problem> {
    let id = path.rsplit('/').next().unwrap_or_default();
    Ok(KitId::parse(id).map_err(|_| service::Error::NoKit)?)
}
