//! `/api/v1/shares`: the caller's links to files and folders.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::id::ShareId;
use serde::{Deserialize, Deserializer, Serialize};
use service::{Caller, Service, Shared, Wish, paths::Path};
use utoipa::ToSchema;

use crate::{
    api::{
        self, listing,
        word::{KindWord, Time},
    },
    auth, body,
    error::Problem,
    header::date,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShare)]
struct New {
    path: String,
    password: Option<String>,
    #[schema(value_type = Option<Time>)]
    expires: Option<String>,
    /// For a link that receives: how many files.
    downloads_max: Option<u64>,
    /// Takes files instead of showing them.
    #[serde(default)]
    receives: bool,
    /// What is asked for.
    words: Option<String>,
}

/// What is left out stays, and what is `null` goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShareChange)]
#[allow(clippy::option_option, reason = "left out, null and a value are three different things here")]
struct Change {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    password: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Time>)]
    expires: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>)]
    downloads_max: Option<Option<u64>>,
    /// Empty: none.
    words: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Shares {
    shares: Vec<Line>,
}

/// A link to something of the caller's.
#[derive(Serialize, ToSchema)]
#[schema(as = Share)]
struct Line {
    id: String,
    /// What its address ends with.
    code: String,
    /// Where it is now; none if it was thrown away or is gone.
    path: Option<String>,
    kind: Option<KindWord>,
    /// Whether it has one.
    password: bool,
    expires: Option<Time>,
    downloads_max: Option<u64>,
    /// Of a link that receives: how many files came.
    downloads: u64,
    /// How often its page was opened, as far as this catalogue knows.
    opened: u64,
    made: Time,
    ended: Option<Time>,
    /// Whether others put files into the folder by it, and see nothing of it.
    receives: bool,
    /// What is asked for, as whoever sends reads it.
    words: Option<String>,
    /// Since when an operator has switched it off.
    off: Option<Time>,
}

/// What is named, be it `null`, as `Some`.
#[allow(clippy::option_option, reason = "as above")]
pub fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(value).map(Some)
}

/// Lists links, or makes one.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    match parts.method {
        Method::POST => make(&service, &parts, body).await,
        Method::GET | Method::HEAD => list(&service, &caller).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Makes a link that shows something, or takes files.
#[utoipa::path(post, path = "/api/v1/shares", request_body = New, responses((status = 201, body = Line)))]
pub async fn make(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let New { path, password, expires, downloads_max, receives, words } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let path = Path::from_text(path.strip_suffix('/').unwrap_or(&path)).map_err(service::Error::from)?;
    let expires_us = expires.as_deref().map(end).transpose()?;
    let (password, expires_us, downloads_max) = (Some(password), Some(expires_us), Some(downloads_max));
    let wish = Wish { password, expires_us, downloads_max, words };
    Ok(api::json(StatusCode::CREATED, &line(service.share(&caller, path, receives, wish).await?)))
}

/// Lists the caller's links.
#[utoipa::path(get, path = "/api/v1/shares", responses((status = 200, body = Shares)))]
pub async fn list(service: &Service, caller: &Caller) -> Result<Response, Problem> {
    let shares = service.shares(caller).await?.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Shares { shares }))
}

/// Changes or ends a link.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = auth::caller(&service, &parts).await?;
    let id = api::id(&parts, |text| ShareId::parse(text).ok())?;
    match parts.method {
        Method::PATCH => change(&service, &parts, id, body).await,
        Method::DELETE => finish(&service, &caller, id).await,
        _ => Err(Problem::method("PATCH, DELETE")),
    }
}

/// Changes a link.
#[utoipa::path(patch, path = "/api/v1/shares/{id}", request_body = Change, responses((status = 200, body = Line)))]
pub async fn change(service: &Service, parts: &Parts, id: ShareId, body: Body) -> Result<Response, Problem> {
    let Change { password, expires, downloads_max, words } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    let expires_us = expires.map(|end_of| end_of.as_deref().map(end).transpose()).transpose()?;
    let wish = Wish { password, expires_us, downloads_max, words };
    Ok(api::json(StatusCode::OK, &line(service.change_share(&caller, id, wish).await?)))
}

/// Ends a link.
#[utoipa::path(delete, path = "/api/v1/shares/{id}", responses((status = 204)))]
pub async fn finish(service: &Service, caller: &Caller, id: ShareId) -> Result<Response, Problem> {
    service.end_share(caller, id).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

fn end(text: &str) -> Result<i64, Problem> {
    date::parse_rfc3339(text).ok_or_else(|| Problem::bad_request("bad_time", "the end of a link is a time in RFC 3339"))
}

fn line(shared: Shared) -> Line {
    let row = shared.row;
    Line {
        id: row.id.to_string(),
        code: listing::hex(&row.code),
        path: shared.path,
        kind: shared.kind.map(KindWord::from),
        password: row.password.is_some(),
        expires: row.expires_us.map(Time),
        downloads_max: row.downloads_max,
        downloads: row.downloads,
        opened: shared.opened,
        made: Time(row.made_us),
        ended: row.ended_us.map(Time),
        receives: row.receives,
        words: Some(row.words).filter(|words| !words.is_empty()),
        off: row.off_us.map(Time),
    }
}
