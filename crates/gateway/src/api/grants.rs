//! `/api/v1/grants`: what the caller lets other accounts see. `/api/v1/shared`: what others let the caller see.
//!
//! Below `/api/v1/shared/ID` lie the doors to files once more, as [`enter`] opens them: the same verbs on the same shapes, on
//! what is shared.

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use hyper::{Method, StatusCode, Uri, http::request::Parts, service::Service as _};
use hyper_util::service::TowerToHyperService;
use model::id::GrantId;
use serde::Deserialize;
use serde_json::{Value, json};
use service::{Given, Received, Service, paths::Path};

use crate::{
    api::{self, links, shares},
    auth::{self, Via},
    body,
    error::Problem,
};

const SHARED: &str = "/api/v1/shared/";

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rights {
    Read,
    Write,
}

impl Rights {
    fn writes(self) -> bool {
        matches!(self, Self::Write)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    path: String,
    to: String,
    rights: Rights,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    rights: Rights,
}

/// Lists what the caller gave, or gives.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => {
            let New { path, to, rights } = body::json(body).await?;
            // A body may take its time: who asked must still be good when all of it is there.
            let caller = auth::caller(&service, &parts).await?;
            let path = Path::from_text(path.strip_suffix('/').unwrap_or(&path)).map_err(service::Error::from)?;
            Ok(api::json(StatusCode::CREATED, &line(&service.grant(&caller, path, to, rights.writes()).await?)))
        }
        Method::GET | Method::HEAD => {
            let all: Vec<Value> = service.grants(&caller).await?.iter().map(line).collect();
            Ok(api::json(StatusCode::OK, &json!({ "grants": all })))
        }
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Changes or ends what the caller gave.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    let id = api::id(&parts, |text| GrantId::parse(text).ok())?;
    match parts.method {
        Method::PATCH => {
            let Change { rights } = body::json(body).await?;
            let caller = auth::caller(&service, &parts).await?;
            Ok(api::json(StatusCode::OK, &line(&service.change_grant(&caller, id, rights.writes()).await?)))
        }
        Method::DELETE => {
            service.end_grant(&caller, id).await?;
            Ok(api::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Problem::method("PATCH, DELETE")),
    }
}

fn line(given: &Given) -> Value {
    json!({
        "id": given.row.id.to_string(),
        "path": given.path,
        "kind": given.kind.map(shares::kind),
        "to": given.to,
        "rights": rights(given.row.writes),
        "made": api::time(Some(given.row.made_us)),
    })
}

const fn rights(writes: bool) -> &'static str {
    if writes { "write" } else { "read" }
}

/// Lists what others let the caller see.
pub async fn shared(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    links::must_read(&parts)?;
    let line = |received: &Received| {
        let version = received.version.as_ref();
        json!({
            "id": received.row.id.to_string(),
            "name": received.entry.name,
            "kind": shares::kind(received.entry.kind),
            "from": received.from,
            "rights": rights(received.row.writes),
            "size": version.map(|version| version.size),
            "media_type": version.map(|version| &version.media_type),
            "etag": version.map(|version| version.id.to_string()),
            "modified": api::time(Some(version.map_or(received.entry.modified_us, |version| version.modified_us))),
            "made": api::time(Some(received.row.made_us)),
        })
    };
    let all: Vec<Value> = service.granted(&caller).await?.iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &json!({ "shared": all })))
}

/// Gives back what another let the caller see.
pub async fn leave(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    if parts.method != Method::DELETE {
        return Err(Problem::method("DELETE"));
    }
    service.leave_grant(&caller, api::id(&parts, |text| GrantId::parse(text).ok())?).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Opens a door to files behind `/api/v1/shared/ID`.
pub async fn enter(doors: Router, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let text = parts.uri.path().strip_prefix(SHARED).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let Ok(id) = GrantId::parse(text) else { return Problem::from(service::Error::NoGrant).into_response() };
    forward(doors, Request::from_parts(parts, body), Via::Grant(id)).await
}

/// Opens a door to files behind a request's link.
pub async fn enter_link(doors: Router, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match links::code(&parts).map(|(_, code)| code) {
        Ok(code) => forward(doors, Request::from_parts(parts, body), Via::Link(code)).await,
        Err(problem) => problem.into_response(),
    }
}

/// Takes the way off a request's path, notes it beside the request, and lets the door behind it answer.
async fn forward(doors: Router, request: Request, via: Via) -> Response {
    let (mut parts, body) = request.into_parts();
    match behind(&parts, &via) {
        Some(uri) => parts.uri = uri,
        None => return Problem::from(service::Error::NoSuchId).into_response(),
    }
    parts.extensions.insert(via);
    match TowerToHyperService::new(doors).call(Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The address that the door itself has; nothing of what is encoded in it is touched.
fn behind(parts: &Parts, via: &Via) -> Option<Uri> {
    let rest = parts.uri.path_and_query()?.as_str().strip_prefix(via.prefix().as_str())?;
    format!("/api/v1{rest}").parse().ok()
}
