//! `/api/v1/quick`: files that anybody leaves here for a while, where the operator has turned that on.
//!
//! One request names the file; its bytes come as one upload by the tus protocol below the link's code. The link is there when
//! the last of them is safe.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use hyper::{Method, StatusCode, http::request::Parts};
use model::{about::Quick, id::ShareId};
use serde::{Deserialize, Serialize};
use service::{QuickFile, Service};
use utoipa::ToSchema;

use crate::{
    api::{self, word::Time},
    auth::{self, Via},
    body, client,
    error::Problem,
};

const PREFIX: &str = "/api/v1/quick/";

/// What anybody may leave here without an account.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuickLimits {
    /// Of one file.
    file_bytes: u64,
    /// That a file may stay.
    days_max: u32,
    /// Of all such files together.
    space_bytes: u64,
    /// Of all that come in a day, as announced.
    bytes_per_day: u64,
}

impl From<Quick> for QuickLimits {
    fn from(Quick { file_bytes, days_max, space_bytes, bytes_per_day }: Quick) -> Self {
        Self { file_bytes, days_max, space_bytes, bytes_per_day }
    }
}

impl From<QuickLimits> for Quick {
    fn from(QuickLimits { file_bytes, days_max, space_bytes, bytes_per_day }: QuickLimits) -> Self {
        Self { file_bytes, days_max, space_bytes, bytes_per_day }
    }
}

/// A file that somebody is going to leave here.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewQuick)]
struct Begin {
    /// One name, without a slash.
    name: String,
    /// Its bytes, at least one.
    size: u64,
    /// How long it stays; left out: as long as is offered.
    days: Option<u32>,
}

/// Where the bytes go, and what they will be.
#[derive(Serialize, ToSchema)]
#[schema(as = QuickBegun)]
struct Begun {
    /// Where one upload is begun by the tus protocol, from the top of the service; its length is the size that was said.
    upload: String,
    /// Of the link that is there when all of the file is stored.
    code: String,
    expires: Time,
    /// The secret that removes the file before that; shown once.
    remove: String,
}

/// What was left here.
#[derive(Serialize, ToSchema)]
#[schema(as = QuickFiles)]
struct Files {
    quick: Option<QuickLimits>,
    /// Whose links have not ended, newest first.
    files: Vec<Line>,
}

/// A file that somebody left.
#[derive(Serialize, ToSchema)]
#[schema(as = QuickFile)]
struct Line {
    /// Of its link.
    code: String,
    /// None: the file is gone.
    name: Option<String>,
    size: u64,
    made: Time,
    expires: Option<Time>,
    /// Since when its link is switched off.
    off: Option<Time>,
    downloads: u64,
}

/// The secret that came with the link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuickRemoval)]
struct Removal {
    remove: String,
}

/// Whether a link is to be off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuickChange)]
struct Switch {
    off: bool,
}

/// Begins an upload, or lists for an operator what was left here.
pub async fn collection(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::GET | Method::HEAD => list(&service, &parts).await,
        Method::POST => begin(&service, &parts, body).await,
        _ => Err(Problem::method("GET, HEAD, POST")),
    }
}

/// Begins to leave a file here without an account, where that is turned on.
#[utoipa::path(
    post, path = "/api/v1/quick", security(()), request_body = Begin, responses((status = 201, body = Begun)),
)]
pub async fn begin(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::must_be_own_page(parts)?;
    let Begin { name, size, days } = body::json(body).await?;
    let begun = service.begin_quick(client::network(parts), name, size, days).await?;
    let answer = Begun {
        upload: format!("{}/uploads/", auth::below_by(parts, Some(&Via::Quick(begun.code)))),
        code: ShareId(begun.code).to_string(),
        expires: Time(begun.expires_us),
        remove: begun.remove,
    };
    Ok(api::json(StatusCode::CREATED, &answer))
}

/// Lists what was left here without an account, for an operator.
#[utoipa::path(get, path = "/api/v1/quick", responses((status = 200, body = Files)))]
pub async fn list(service: &Service, parts: &Parts) -> Result<Response, Problem> {
    let (quick, files) = service.quick_files(&auth::caller(service, parts).await?).await?;
    let files = files.into_iter().map(line).collect();
    Ok(api::json(StatusCode::OK, &Files { quick: quick.map(QuickLimits::from), files }))
}

/// Removes a file for whoever left it, or switches its link off for an operator.
pub async fn one(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::PATCH => switch(&service, &parts, body).await,
        Method::DELETE => remove(&service, &parts, body).await,
        _ => Err(Problem::method("PATCH, DELETE")),
    }
}

/// Removes a file with the secret that came with its link, finished or not.
#[utoipa::path(
    delete, path = "/api/v1/quick/{code}", security(()), request_body = Removal, responses((status = 204)),
)]
pub async fn remove(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::must_be_own_page(parts)?;
    let Removal { remove } = body::json(body).await?;
    service.remove_quick(code(parts)?, &remove).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// Switches the link of such a file off or on, for an operator.
#[utoipa::path(patch, path = "/api/v1/quick/{code}", request_body = Switch, responses((status = 204)))]
pub async fn switch(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    auth::caller(service, parts).await?;
    let Switch { off } = body::json(body).await?;
    let caller = auth::caller(service, parts).await?;
    service.switch_quick(&caller, code(parts)?, off).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// The code in the path.
///
/// # Errors
/// 404 for a text that is none.
pub fn code(parts: &Parts) -> Result<[u8; 16], Problem> {
    let rest = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let text = rest.split('/').next().unwrap_or_default();
    Ok(ShareId::parse(text).map_err(|_| service::Error::NoLink)?.0)
}

fn line(QuickFile { link, name, size }: QuickFile) -> Line {
    Line {
        code: ShareId(link.code).to_string(),
        name,
        size,
        made: Time(link.made_us),
        expires: link.expires_us.map(Time),
        off: link.off_us.map(Time),
        downloads: link.downloads,
    }
}
