//! `GET /api/v1/space`: what takes the space of an account.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::StatusCode;
use serde::Serialize;
use service::{Need, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, links},
    auth,
    error::Problem,
};

/// What takes an account's space, in bytes. The first is the sum of the others.
#[derive(Serialize, ToSchema)]
struct Space {
    used_bytes: u64,
    /// Of files as they are now.
    current_bytes: u64,
    /// Of their older versions.
    older_bytes: u64,
    /// Of what is in the trash, with its older versions.
    trash_bytes: u64,
}

/// Says what takes the caller's space: files as they are now, older versions, the trash.
#[utoipa::path(get, path = "/api/v1/space", responses((status = 200, body = Space)))]
pub async fn kept(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller_who(&service, &parts, Need::Look).await?;
    links::must_read(&parts)?;
    let (used_bytes, kept) = service.space(&caller).await?;
    let current_bytes = used_bytes.saturating_sub(kept.older).saturating_sub(kept.trash);
    let space = Space { used_bytes, current_bytes, older_bytes: kept.older, trash_bytes: kept.trash };
    Ok(api::json(StatusCode::OK, &space))
}
