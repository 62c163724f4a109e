//! `/api/v1/kits`: the caller's recovery kits, as far as a service may know them.
//!
//! `?account=NAME` says whose kits are meant, for commands that name an account; it must be the caller's own.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::id::KitId;
use serde::Deserialize;
use service::{Caller, Service};

use crate::{api, auth, body, error::Problem, header::percent, shape};

/// What is needed of a new kit: its public half.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    recipient: String,
}

/// Lists kits, or adds one.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = caller(&service, &parts).await?;
    match parts.method {
        Method::GET | Method::HEAD => Ok(api::json(StatusCode::OK, &shape::kits(&service.kits(&caller).await?))),
        Method::POST => {
            let New { recipient } = body::json(body).await?;
            let caller = self::caller(&service, &parts).await?;
            Ok(api::json(StatusCode::CREATED, &shape::new_kit(&service.add_kit(&caller, recipient).await?)))
        }
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Revokes a kit.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = caller(&service, &parts).await?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    service.revoke_kit(&caller, kit_id(parts.uri.path())?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Notes that the owner tested a kit: `POST /api/v1/kits/{id}/tested`, without a body.
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
