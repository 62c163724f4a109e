//! `/api/v1/trash`: what can be brought back, the longest there first; and how it is emptied.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use service::{Service, TrashCursor, Trashed};

use crate::{
    api::{self, shares},
    auth,
    error::Problem,
    header::percent,
};

/// Entries in a page at most.
const PAGE: usize = 1_000;

/// One page, or the end of all or of one thing (`DELETE /api/v1/trash?path=/where/it/was`).
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::GET | Method::HEAD => {}
        Method::DELETE => {
            let [path] = percent::query(parts.uri.query(), ["path"])?;
            let only = path.as_deref().map(api::path_of).transpose()?;
            let erased = service.empty_trash(&caller, only).await?;
            return Ok(api::json(StatusCode::OK, &json!({ "erased": erased })));
        }
        _ => return Err(Problem::method("GET, HEAD, DELETE")),
    }
    let [after, limit] = percent::query(parts.uri.query(), ["after", "limit"])?;
    let bad = || Problem::bad_request("bad_query", "`after` is the `next` of a page before, `limit` 1 to 1000");
    let limit = match limit {
        None => PAGE,
        Some(text) => text.parse().ok().filter(|limit| (1..=PAGE).contains(limit)).ok_or_else(bad)?,
    };
    let after = after.map(|text| TrashCursor::parse(&text).ok_or_else(bad)).transpose()?;
    let (entries, next) = service.trash(&caller, after, limit).await?;
    let entries: Vec<Value> = entries.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &json!({ "entries": entries, "next": next.map(|next| next.to_string()) })))
}

fn line(entry: &Trashed) -> Value {
    json!({
        "path": entry.path,
        "name": entry.row.name,
        "kind": shares::kind(entry.row.kind),
        "size": entry.bytes,
        "trashed": api::time(Some(entry.trashed_us)),
        "goes": api::time(Some(entry.goes_us)),
    })
}
