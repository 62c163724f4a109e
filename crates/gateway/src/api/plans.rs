//! `/api/v1/plans`: named sets of limits, as operators make them.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::plans::PlanRow;
use serde::Deserialize;
use serde_json::{Value, json};
use service::Service;

use crate::{
    api::{self, links},
    auth, body,
    error::Problem,
    header::percent,
    shape,
};

const PREFIX: &str = "/api/v1/plans/";

/// A plan as it is said; what is left out or null is not limited.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    space_bytes: Option<u64>,
    file_bytes: Option<u64>,
    keep_days: Option<u32>,
    link_bytes_per_day: Option<u64>,
    guest_bytes_per_s: Option<u64>,
}

/// Lists plans.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    links::must_read(&parts)?;
    Ok(api::json(StatusCode::OK, &shape::plans(&service.plans(&caller).await?)))
}

/// Makes, changes or ends a plan.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::PUT => {
            let Said { space_bytes, file_bytes, keep_days, link_bytes_per_day, guest_bytes_per_s } =
                body::json(body).await?;
            let (caller, name) = (auth::caller(&service, &parts).await?, name(&parts)?);
            let plan = PlanRow {
                name,
                space_bytes,
                file_bytes,
                keep_days,
                link_bytes_per_day,
                guest_bytes_per_s,
                ended_us: None,
            };
            let (row, count) = service.set_plan(&caller, plan).await?;
            Ok(api::json(StatusCode::OK, &shape::plan(&row, count)))
        }
        Method::DELETE => {
            service.end_plan(&caller, name(&parts)?).await?;
            Ok(api::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Problem::method("PUT, DELETE")),
    }
}

fn name(parts: &Parts) -> Result<String, Problem> {
    let (path, _) = percent::path(parts.uri.path().strip_prefix(PREFIX).unwrap_or_default())?;
    match path.names() {
        [name] => Ok(name.clone()),
        _ => Err(service::Error::BadPlan { what: "a plan's name is one name, without a slash" }.into()),
    }
}

/// What holds for the caller, as their page shows it.
pub fn limits(me: &service::Me) -> Value {
    json!({
        "plan": me.limits.plan,
        "file_bytes": me.limits.file_bytes,
        "keep_days": me.limits.keep_days,
        "link_bytes_per_day": me.limits.link_bytes_per_day,
        "link_bytes_today": me.link_bytes_today,
        "guest_bytes_per_s": me.limits.guest_bytes_per_s,
    })
}
