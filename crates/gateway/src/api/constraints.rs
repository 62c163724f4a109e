//! `/api/v1/fleet/constraints`: which labels keep providers apart, and which firms count as one because of them.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use serde::{Deserialize, Serialize};
use service::{Constraints, Service};
use utoipa::ToSchema;

use super::links;
use crate::{api, auth, body, error::Problem, header::percent};

/// Which firms count as one, and by which labels.
#[derive(Serialize, ToSchema)]
pub struct FleetConstraints {
    /// The labels that keep providers apart; `owner`, the first, always does.
    constraints: Vec<FleetConstraint>,
    /// Providers that count as one, group by group.
    as_one: Vec<Vec<String>>,
}

/// A label that keeps providers apart: those with the same value of it count as one.
#[derive(Serialize, ToSchema)]
struct FleetConstraint {
    label: String,
    /// Providers whose value nobody gave: they are tied to none by it.
    unknown: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConstraintSaid {
    label: String,
    /// Whether it is a constraint from now on.
    holds: bool,
}

/// Shows or changes them.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &parts).await,
        Method::POST => set(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Says which firms count as one, for an operator.
#[utoipa::path(get, path = "/api/v1/fleet/constraints", responses((status = 200, body = FleetConstraints)))]
pub async fn list(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    auth::caller(service, parts).await?.must_operate()?;
    links::must_read(parts)?;
    percent::query(parts.uri.query(), [])?;
    Ok(api::json(StatusCode::OK, &shown(service.constraints())))
}

/// Makes a label a constraint or none, for an operator. Refused where too few firms would be left.
#[utoipa::path(
    post, path = "/api/v1/fleet/constraints", request_body = ConstraintSaid,
    responses((status = 200, body = FleetConstraints)),
)]
pub async fn set(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::caller(service, parts).await?.must_operate()?;
    percent::query(parts.uri.query(), [])?;
    let ConstraintSaid { label, holds } = body::json(body).await?;
    auth::caller(service, parts).await?.must_operate()?;
    Ok(api::json(StatusCode::OK, &shown(service.set_constraint(&label, holds).await?)))
}

/// Which firms count as one, as it is sent.
pub fn shown(constraints: Constraints) -> FleetConstraints {
    let one = |(label, unknown)| FleetConstraint { label, unknown };
    FleetConstraints { constraints: constraints.labels.into_iter().map(one).collect(), as_one: constraints.groups }
}
