//! `GET /api/v1/versions/<path>`: what a file was before.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use model::entry::Version;
use serde_json::{Value, json};
use service::Service;

use crate::{api, auth, error::Problem, header::percent};

const PREFIX: &str = "/api/v1/versions/";

/// All versions of a file, newest first. Their bytes are at the file's own address with `?version=ID`.
pub async fn list(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let place = auth::place(&service, &parts).await?;
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(Problem::method("GET, HEAD"));
    }
    percent::query(parts.uri.query(), [])?;
    let (path, _) = percent::path(parts.uri.path().strip_prefix(PREFIX).unwrap_or_default())?;
    let (current, versions) = service.versions(&place, path).await?;
    let line = |version: &Version| {
        json!({
            "id": version.id.to_string(),
            "current": current == Some(version.id),
            "size": version.size,
            "modified": api::time(Some(version.modified_us)),
            "made": api::time(Some(version.made_us)),
            "media_type": version.media_type,
            "blake3": hex(&version.blake3),
            "sha256": version.sha256.as_ref().map(hex),
        })
    };
    let versions: Vec<Value> = versions.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &json!({ "versions": versions })))
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
