//! `/api/v1/fleet/jobs`: the kinds of upkeep, how each stands, and which are paused.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use serde::Deserialize;
use service::Service;
use utoipa::ToSchema;

use crate::{api, auth, body, error::Problem, header::percent, shape};

/// Whether a kind of upkeep is to wait or to go on.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum JobAct {
    /// Leave it out.
    Pause,
    /// Let it go on.
    Resume,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct JobOrder {
    /// As the list names it.
    kind: String,
    act: JobAct,
}

/// Lists the kinds of upkeep, or pauses or resumes one, for an operator.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?.must_operate()?;
    percent::query(parts.uri.query(), [])?;
    match parts.method {
        Method::GET | Method::HEAD => list(&service).await,
        Method::POST => order(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Says what upkeep does, how often, when each kind last ended well, and what is paused, for an operator.
#[utoipa::path(get, path = "/api/v1/fleet/jobs", responses((status = 200, body = shape::UpkeepJobs)))]
pub async fn list(service: &Service) -> Result<Response, Problem> {
    Ok(api::json(StatusCode::OK, &shape::upkeep_jobs(service.jobs())))
}

/// Pauses a kind of upkeep, or lets it go on, for an operator; how it stands then, and what a pause means.
#[utoipa::path(
    post, path = "/api/v1/fleet/jobs", request_body = JobOrder, responses((status = 200, body = shape::UpkeepJob)),
)]
pub async fn order(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let JobOrder { kind, act } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let standing = service.pause_job(&caller, &kind, matches!(act, JobAct::Pause)).await?;
    Ok(api::json(StatusCode::OK, &shape::upkeep_job(standing)))
}
