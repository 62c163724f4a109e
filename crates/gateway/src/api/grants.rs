//! `/api/v1/grants`: what the caller lets other accounts see. `/api/v1/shared`: what others let the caller see.
//!
//! Below `/api/v1/shared/ID` lie the doors to files once more, as [`enter`] opens them: the same verbs on the same shapes, on
//! what is shared.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use hyper::{Method, StatusCode, Uri, http::request::Parts, service::Service as _};
use hyper_util::service::TowerToHyperService;
use model::id::GrantId;
use serde::{Deserialize, Serialize};
use service::{Caller, Given, Need, Received, Service, paths::Path};
use utoipa::ToSchema;

use crate::{
    api::{
        self, links, quick,
        word::{KindWord, Time},
    },
    auth::{self, Via},
    body,
    error::Problem,
};

const SHARED: &str = "/api/v1/shared/";

/// What a grant lets somebody do.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Rights {
    Read,
    Write,
}

impl Rights {
    const fn of(writes: bool) -> Self {
        if writes { Self::Write } else { Self::Read }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGrant)]
struct New {
    path: String,
    /// The other account's name.
    to: String,
    rights: Rights,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantChange)]
struct Change {
    rights: Rights,
}

#[derive(Serialize, ToSchema)]
struct Grants {
    grants: Vec<Grant>,
}

/// Something that this account shows to another one of the same service.
#[derive(Serialize, ToSchema)]
struct Grant {
    id: String,
    /// Where it is now; none if it was thrown away or is gone.
    path: Option<String>,
    kind: Option<KindWord>,
    /// The other account's name.
    to: String,
    rights: Rights,
    made: Time,
}

/// Lists what the caller gave, or gives.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => give(&service, &parts, body).await,
        Method::GET | Method::HEAD => list(&service, &caller).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Lets another account see something, or change it.
#[utoipa::path(post, path = "/api/v1/grants", request_body = New, responses((status = 201, body = Grant)))]
pub async fn give(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let New { path, to, rights } = body::json(body).await?;
    // A body may take its time: who asked must still be good when all of it is there.
    let caller = auth::caller(service, parts).await?;
    let path = Path::from_text(path.strip_suffix('/').unwrap_or(&path)).map_err(service::Error::from)?;
    let given = service.grant(&caller, path, to, rights == Rights::Write).await?;
    Ok(api::json(StatusCode::CREATED, &line(given)))
}

/// Lists what the caller lets others see.
#[utoipa::path(get, path = "/api/v1/grants", responses((status = 200, body = Grants)))]
pub async fn list(service: &Service, caller: &Caller) -> Result<Response, Problem> {
    let grants = service.grants(caller).await?.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Grants { grants }))
}

/// Changes or ends what the caller gave.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    let id = api::id(&parts, |text| GrantId::parse(text).ok())?;
    match parts.method {
        Method::PATCH => change(&service, &parts, id, body).await,
        Method::DELETE => end(&service, &caller, id).await,
        _ => Err(Problem::method("PATCH, DELETE")),
    }
}

/// Changes what the other account may do.
#[utoipa::path(patch, path = "/api/v1/grants/{id}", request_body = Change, responses((status = 200, body = Grant)))]
pub async fn change(service: &Service, parts: &Parts, id: GrantId, body: Body) -> Result<Response, Problem> {
    let Change { rights } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    Ok(api::json(StatusCode::OK, &line(service.change_grant(&caller, id, rights == Rights::Write).await?)))
}

/// Ends what the caller gave.
#[utoipa::path(delete, path = "/api/v1/grants/{id}", responses((status = 204)))]
pub async fn end(service: &Service, caller: &Caller, id: GrantId) -> Result<Response, Problem> {
    service.end_grant(caller, id).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

fn line(given: Given) -> Grant {
    Grant {
        id: given.row.id.to_string(),
        path: given.path,
        kind: given.kind.map(KindWord::from),
        to: given.to,
        rights: Rights::of(given.row.writes),
        made: Time(given.row.made_us),
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = SharedList)]
struct All {
    shared: Vec<Shared>,
}

/// Something that another account shows to this one.
#[derive(Serialize, ToSchema)]
struct Shared {
    id: String,
    name: String,
    kind: KindWord,
    /// The other account's name.
    from: String,
    rights: Rights,
    /// None for a folder, as are the next two.
    size: Option<u64>,
    media_type: Option<String>,
    etag: Option<String>,
    modified: Time,
    made: Time,
}

/// Lists what others let the caller see.
#[utoipa::path(get, path = "/api/v1/shared", responses((status = 200, body = All)))]
pub async fn shared(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller_who(&service, &parts, Need::Look).await?;
    links::must_read(&parts)?;
    let line = |received: Received| Shared {
        id: received.row.id.to_string(),
        kind: received.entry.kind.into(),
        from: received.from,
        rights: Rights::of(received.row.writes),
        size: received.version.as_ref().map(|version| version.size),
        etag: received.version.as_ref().map(|version| version.id.to_string()),
        modified: Time(received.version.as_ref().map_or(received.entry.modified_us, |version| version.modified_us)),
        media_type: received.version.map(|version| version.media_type),
        name: received.entry.name,
        made: Time(received.row.made_us),
    };
    let shared = service.granted(&caller).await?.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &All { shared }))
}

/// Gives back what another let the caller see.
#[utoipa::path(delete, path = "/api/v1/shared/{id}", responses((status = 204)))]
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

/// Opens the door for the bytes of what somebody leaves without an account.
pub async fn enter_quick(doors: Router, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match quick::code(&parts) {
        Ok(code) => forward(doors, Request::from_parts(parts, body), Via::Quick(code)).await,
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
