//! `/api/v1/trash`: what can be brought back, the longest there first; and how it is emptied.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use serde::Serialize;
use service::{Caller, Need, Service, TrashCursor};
use utoipa::ToSchema;

use crate::{
    api::{
        self,
        word::{KindWord, Time},
    },
    auth,
    error::Problem,
    header::percent,
};

/// Entries in a page at most.
const PAGE: usize = 1_000;

#[derive(Serialize, ToSchema)]
struct Trash {
    entries: Vec<Trashed>,
    next: Option<String>,
}

/// Something in the trash.
#[derive(Serialize, ToSchema)]
struct Trashed {
    /// Where it was.
    path: String,
    name: String,
    kind: KindWord,
    /// In bytes, with all that is in it.
    size: u64,
    trashed: Time,
    /// When it is erased.
    goes: Time,
}

#[derive(Serialize, ToSchema)]
struct Erased {
    /// Things, each with all that is in it.
    erased: usize,
}

/// One page, or the end of all or of one thing.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller_who(&service, &parts, Need::Change).await?;
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &caller, &parts).await,
        Method::DELETE => empty(&service, &caller, &parts).await,
        _ => Err(Problem::method("GET, HEAD, DELETE")),
    }
}

/// Lists what can be brought back, the longest there first.
#[utoipa::path(
    get, path = "/api/v1/trash",
    params(
        ("after" = Option<String>, Query, description = "The `next` of a page before"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Trash)),
)]
pub async fn list(service: &Service, caller: &Caller, parts: &Parts) -> Result<Response, Problem> {
    let [after, limit] = percent::query(parts.uri.query(), ["after", "limit"])?;
    let bad = || Problem::bad_request("bad_query", "`after` is the `next` of a page before, `limit` 1 to 1000");
    let limit = match limit {
        None => PAGE,
        Some(text) => text.parse().ok().filter(|limit| (1..=PAGE).contains(limit)).ok_or_else(bad)?,
    };
    let after = after.map(|text| TrashCursor::parse(&text).ok_or_else(bad)).transpose()?;
    let (entries, next) = service.trash(caller, after, limit).await?;
    let entries = entries.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Trash { entries, next: next.map(|next| next.to_string()) }))
}

/// Erases all of it, or one thing.
#[utoipa::path(
    delete, path = "/api/v1/trash",
    params(("path" = Option<String>, Query, description = "Where the one thing was")),
    responses((status = 200, body = Erased)),
)]
pub async fn empty(service: &Service, caller: &Caller, parts: &Parts) -> Result<Response, Problem> {
    let [path] = percent::query(parts.uri.query(), ["path"])?;
    let only = path.as_deref().map(api::path_of).transpose()?;
    let erased = service.empty_trash(caller, only).await?;
    Ok(api::json(StatusCode::OK, &Erased { erased }))
}

fn line(entry: service::Trashed) -> Trashed {
    Trashed {
        path: entry.path,
        name: entry.row.name,
        kind: entry.row.kind.into(),
        size: entry.bytes,
        trashed: Time(entry.trashed_us),
        goes: Time(entry.goes_us),
    }
}
