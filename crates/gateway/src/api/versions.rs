//! `GET /api/v1/versions/<path>`: what a file was before.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode};
use model::entry::Version;
use serde::Serialize;
use service::{Need, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, listing, word::Time},
    auth,
    error::Problem,
    header::percent,
};

const PREFIX: &str = "/api/v1/versions/";

#[derive(Serialize, ToSchema)]
struct Versions {
    versions: Vec<Line>,
}

/// What a file was at one time.
#[derive(Serialize, ToSchema)]
#[schema(as = Version)]
struct Line {
    id: String,
    current: bool,
    size: u64,
    modified: Time,
    made: Time,
    media_type: String,
    /// Hex digits, as is the next.
    blake3: String,
    /// Known only where somebody asked for it when the file was sent.
    sha256: Option<String>,
}

/// Lists all versions of a file, newest first. Their bytes are at the file's own address with `?version=ID`.
#[utoipa::path(get, path = "/api/v1/versions/{path}", responses((status = 200, body = Versions)))]
pub async fn list(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let place = auth::place(&service, &parts, Need::Look).await?;
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(Problem::method("GET, HEAD"));
    }
    percent::query(parts.uri.query(), [])?;
    let (path, _) = percent::path(parts.uri.path().strip_prefix(PREFIX).unwrap_or_default())?;
    let (current, versions) = service.versions(&place, path).await?;
    let line = |version: Version| Line {
        id: version.id.to_string(),
        current: current == Some(version.id),
        size: version.size,
        modified: Time(version.modified_us),
        made: Time(version.made_us),
        media_type: version.media_type,
        blake3: listing::hex(&version.blake3),
        sha256: version.sha256.map(|sha256| listing::hex(&sha256)),
    };
    Ok(api::json(StatusCode::OK, &Versions { versions: versions.into_iter().map(line).collect() }))
}
