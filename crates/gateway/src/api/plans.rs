//! `/api/v1/plans`: named sets of limits, as operators make them.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::plans::PlanRow;
use serde::{Deserialize, Serialize};
use service::Service;
use utoipa::ToSchema;

use crate::{
    api::{self, links},
    auth, body,
    error::Problem,
    header::percent,
    shape,
};

const PREFIX: &str = "/api/v1/plans/";

/// A plan as it is said; what is left out or null is not limited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanChange)]
struct Said {
    space_bytes: Option<u64>,
    file_bytes: Option<u64>,
    keep_days: Option<u32>,
    link_bytes_per_day: Option<u64>,
    guest_bytes_per_s: Option<u64>,
}

/// Lists plans, for an operator.
#[utoipa::path(get, path = "/api/v1/plans", responses((status = 200, body = shape::Plans)))]
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    links::must_read(&parts)?;
    Ok(api::json(StatusCode::OK, &shape::plans(&service.plans(&caller).await?)))
}

/// Makes, changes or ends a plan.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?;
    match parts.method {
        Method::PUT => set(&service, &parts, body).await,
        Method::DELETE => end(&service, &parts).await,
        _ => Err(Problem::method("PUT, DELETE")),
    }
}

/// Makes or changes a plan, for an operator.
#[utoipa::path(
    put, path = "/api/v1/plans/{name}", request_body = Said, responses((status = 200, body = shape::Plan)),
)]
pub async fn set(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let Said { space_bytes, file_bytes, keep_days, link_bytes_per_day, guest_bytes_per_s } = body::json(body).await?;
    let (caller, name) = (auth::caller(service, parts).await?, name(parts)?);
    let plan =
        PlanRow { name, space_bytes, file_bytes, keep_days, link_bytes_per_day, guest_bytes_per_s, ended_us: None };
    let (row, count) = service.set_plan(&caller, plan).await?;
    Ok(api::json(StatusCode::OK, &shape::plan(&row, count)))
}

/// Ends a plan that no account has, for an operator.
#[utoipa::path(delete, path = "/api/v1/plans/{name}", responses((status = 204)))]
pub async fn end(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    service.end_plan(&auth::caller(service, parts).await?, name(parts)?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

fn name(parts: &Parts) -> Result<String, Problem> {
    let (path, _) = percent::path(parts.uri.path().strip_prefix(PREFIX).unwrap_or_default())?;
    match path.names() {
        [name] => Ok(name.clone()),
        _ => Err(service::Error::BadPlan { what: "a plan's name is one name, without a slash" }.into()),
    }
}

/// What an account may take beside its quota. None: not limited.
#[derive(Serialize, ToSchema)]
pub struct Limits {
    plan: Option<String>,
    /// Of one file.
    file_bytes: Option<u64>,
    /// After which a file goes to the trash.
    keep_days: Option<u32>,
    link_bytes_per_day: Option<u64>,
    /// That guests took through links today.
    link_bytes_today: u64,
    guest_bytes_per_s: Option<u64>,
}

/// What holds for the caller, as their page shows it.
pub fn limits(me: &service::Me) -> Limits {
    let limits = &me.limits;
    Limits {
        plan: limits.plan.clone(),
        file_bytes: limits.file_bytes,
        keep_days: limits.keep_days,
        link_bytes_per_day: limits.link_bytes_per_day,
        link_bytes_today: me.link_bytes_today,
        guest_bytes_per_s: limits.guest_bytes_per_s,
    }
}
