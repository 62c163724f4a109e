//! `/api/v1/kits`: the caller's recovery kits, as far as a service may know them.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use model::id::KitId;
use serde::Deserialize;
use service::Service;

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
    let caller = auth::caller(&service, &parts.headers).await?;
    percent::query(parts.uri.query(), [])?;
    match parts.method {
        Method::GET | Method::HEAD => Ok(api::json(StatusCode::OK, &shape::kits(&service.kits(&caller).await?))),
        Method::POST => {
            let New { recipient } = body::json(body).await?;
            Ok(api::json(StatusCode::CREATED, &shape::new_kit(&service.add_kit(&caller, recipient).await?)))
        }
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Revokes a kit.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts.headers).await?;
    percent::query(parts.uri.query(), [])?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    let id = parts.uri.path().rsplit('/').next().unwrap_or_default();
    let id = KitId::parse(id).map_err(|_| service::Error::NoKit)?;
    service.revoke_kit(&caller, id).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}
