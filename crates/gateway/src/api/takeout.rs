//! `/api/v1/takeout`: everything of an account, as zips of a bearable size. What the parts are is asked for first; each is
//! then fetched by what its line says.

use axum::{
    extract::{Request, State},
    response::Response,
};
use hyper::{StatusCode, http::request::Parts};
use serde::Serialize;
use service::{Cut, Need, Service, TAKEOUT_PART_BYTES, paths::Path};
use utoipa::ToSchema;

use crate::{
    api::{
        self, archive,
        described::{Ranged, ZipOut},
        links,
    },
    auth,
    error::Problem,
    header::{date, percent},
};

const PREFIX: &str = "/api/v1/takeout/";

/// Some of the zips that hold everything.
#[derive(Serialize, ToSchema)]
struct Takeout {
    parts: Vec<Part>,
    /// Ask for those behind it; none: these were the last.
    next: Option<String>,
}

/// One zip.
#[derive(Serialize, ToSchema)]
#[schema(as = TakeoutPart)]
struct Part {
    /// It holds what lies behind this path; none: from the start.
    after: Option<String>,
    /// Up to this one and with it; none: to the end.
    until: Option<String>,
    /// The path of its first file.
    first: Option<String>,
    /// And of its last.
    last: Option<String>,
    files: u64,
    /// Of the files.
    bytes: u64,
}

/// Says which zips hold everything, or everything that came since a time.
#[utoipa::path(
    get, path = "/api/v1/takeout",
    params(
        ("after" = Option<String>, Query, description = "The `next` of an answer before"),
        ("since" = Option<String>, Query, description = "RFC 3339: only files whose bytes came since"),
        ("bytes" = Option<u64>, Query, description = "How many a zip has at most, if no file is larger; 2 GiB"),
    ),
    responses((status = 200, body = Takeout)),
)]
pub async fn plan(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller_who(&service, &parts, Need::Look).await?;
    links::must_read(&parts)?;
    let [after, since, bytes] = percent::query(parts.uri.query(), ["after", "since", "bytes"])?;
    let bad = || {
        Problem::bad_request("bad_query", "a zip has 1 MiB to 1 TiB: `bytes` is a number from 1048576 to 1099511627776")
    };
    let read = |text: String| text.parse().ok().filter(|bytes| TAKEOUT_PART_BYTES.contains(bytes)).ok_or_else(bad);
    let bytes = bytes.map(read).transpose()?;
    let found = service.takeout(&caller, cut(after.as_deref(), None, since.as_deref())?, bytes).await?;
    let line = |part: service::Part| {
        let (first, last) = part.files.unzip();
        Part { after: part.after, until: part.until, first, last, files: part.file_count, bytes: part.bytes }
    };
    let takeout = Takeout { parts: found.parts.into_iter().map(line).collect(), next: found.next };
    Ok(api::json(StatusCode::OK, &takeout))
}

/// Gives one of the zips. `files-NUMBER.b3sums` in it lists its files as `b3sum --check` reads it.
#[utoipa::path(
    get, path = "/api/v1/takeout/{number}",
    params(
        Ranged,
        ("after" = Option<String>, Query, description = "As in the list of zips"),
        ("until" = Option<String>, Query, description = "As in the list of zips"),
        ("since" = Option<String>, Query, description = "The same as when the list was asked for"),
    ),
    responses(ZipOut),
)]
pub async fn part(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let caller = auth::caller_who(&service, &parts, Need::Look).await?;
    links::must_read(&parts)?;
    let [after, until, since] = percent::query(parts.uri.query(), ["after", "until", "since"])?;
    let cut = cut(after.as_deref(), until.as_deref(), since.as_deref())?;
    let archive = service.takeout_part(&caller, cut, number(&parts)?).await?;
    archive::send(&service, archive, &parts, None).await
}

fn number(parts: &Parts) -> Result<u32, Problem> {
    let text = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let bad = || Problem::bad_request("bad_query", "zips are numbered: 1, 2 and so on");
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())).ok_or_else(bad)
}

fn cut(after: Option<&str>, until: Option<&str>, since: Option<&str>) -> Result<Cut, Problem> {
    let path = |text| Path::from_text(text).map_err(service::Error::from);
    let time = |text| {
        date::parse_rfc3339(text).ok_or_else(|| Problem::bad_request("bad_time", "`since` is a time in RFC 3339"))
    };
    Ok(Cut {
        after: after.map(path).transpose()?.unwrap_or_default(),
        until: until.map(path).transpose()?,
        since_us: since.map(time).transpose()?,
    })
}
