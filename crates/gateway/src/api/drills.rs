//! `/api/v1/fleet/drills`: reading everything, or a sample, without one provider.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use serde::Deserialize;
use service::Service;
use utoipa::ToSchema;

use crate::{api, auth, body, error::Problem, header::percent, shape};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDrill {
    /// The provider that nothing is read from.
    provider: String,
    /// How many packs, and copied objects, are drawn by chance; absent: all are read.
    sample: Option<u64>,
}

/// Reads without a provider what would be left if it were gone, and says what could not be read, for an operator. Waits for
/// the end.
#[utoipa::path(
    post, path = "/api/v1/fleet/drills", request_body = NewDrill, responses((status = 200, body = shape::Drilled)),
)]
pub async fn run(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    auth::caller(&service, &parts).await?.must_operate()?;
    percent::query(parts.uri.query(), [])?;
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    let NewDrill { provider, sample } = body::json(body).await?;
    auth::caller(&service, &parts).await?.must_operate()?;
    Ok(api::json(StatusCode::OK, &shape::drilled(service.drill(&provider, sample).await?)))
}
