//! `/api/v1`: the routes, one file for each noun.
//!
//! Wire shapes live here and nowhere else; they are written by hand from the service's values. Times are RFC 3339 in
//! UTC, ids are 32 hex digits, sizes are bytes. Each door says which methods it takes; what stands above the function of
//! a method is how it is described to others ([`crate::openapi`]).

pub mod about;
pub mod archive;
pub mod checksum;
pub mod constraints;
pub mod described;
pub mod desk;
pub mod drills;
pub mod files;
pub mod fleet;
pub mod grants;
pub mod jobs;
pub mod kits;
pub mod leases;
pub mod ledger;
pub mod links;
pub mod listing;
pub mod mail;
pub mod metrics;
pub mod notices;
pub mod oidc;
pub mod orders;
pub mod passkeys;
pub mod people;
pub mod plans;
pub mod quick;
pub mod reports;
pub mod search;
pub mod second;
pub mod session;
pub mod shares;
pub mod space;
pub mod stage;
pub mod takeout;
pub mod thumbnails;
pub mod trash;
pub mod uploads;
pub mod versions;
pub mod webhooks;
pub mod word;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    http::request::Parts,
};
use serde::Serialize;
use service::paths::Path;

use crate::{error::Problem, header::date};

/// A modification time that is finer than `Last-Modified`: RFC 3339, or microseconds since 1970, in requests; RFC 3339
/// in answers.
pub const MODIFIED: HeaderName = HeaderName::from_static("x-holdfast-modified");

/// Says that the process serves. Says nothing of the fleet: that takes a token.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200, body = str)))]
pub async fn health(method: Method) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return Problem::method("GET, HEAD").into_response();
    }
    let mut response = Response::new(Body::from("ok\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// A JSON answer that nobody may keep. Its names are sorted, in whatever order a shape declares them.
pub fn json(status: StatusCode, shape: &impl Serialize) -> Response {
    let value = match serde_json::to_value(shape) {
        Ok(value) => value,
        Err(error) => return Problem::bug(error).into_response(),
    };
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    guard(headers);
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    guard(response.headers_mut());
    response
}

/// What every answer to a caller carries: not to be kept by anybody between, nor to be taken for another type.
pub fn guard(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// The one value of a header.
///
/// # Errors
/// 400 if it is given twice, or is no printable ASCII.
pub fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    match (first.map(HeaderValue::to_str).transpose(), second) {
        (Ok(value), None) => Ok(value),
        _ => Err(Problem::bad_request("bad_header", format!("the header {name} must come once, in plain characters"))),
    }
}

/// All values of a header that is a list, as one list.
///
/// # Errors
/// 400 if one is no printable ASCII.
pub fn list(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let values: Result<Vec<&str>, _> = headers.get_all(name).iter().map(HeaderValue::to_str).collect();
    let values = values
        .map_err(|_| Problem::bad_request("bad_header", format!("the header {name} must be plain characters")))?;
    Ok((!values.is_empty()).then(|| values.join(", ")))
}

/// A header that is a number.
///
/// # Errors
/// 400 if it is another text.
pub fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(text) = one(headers, name)? else { return Ok(None) };
    // `parse` would take a sign.
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.map(Some).ok_or_else(|| Problem::bad_request("bad_header", format!("the header {name} must be a number")))
}

/// A modification time as requests carry it.
///
/// # Errors
/// 400 for any other text.
pub fn modified(text: &str) -> Result<i64, Problem> {
    let modified = text.parse().ok().or_else(|| date::parse_rfc3339(text));
    modified
        .ok_or_else(|| Problem::bad_request("bad_time", "a modification time is RFC 3339, or microseconds since 1970"))
}

/// The path that a parameter's text means: names with slashes between, slashes at its ends as one likes.
///
/// # Errors
/// 400 for names that cannot be.
pub fn path_of(text: &str) -> Result<Path, Problem> {
    let names = text.split('/').filter(|name| !name.is_empty()).map(|name| name.as_bytes().to_vec());
    Ok(Path::from_components(names.collect()).map_err(service::Error::from)?)
}

/// The id at a path's end.
///
/// # Errors
/// 404 if it is none: nothing is there then.
pub fn id<T>(parts: &Parts, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
    let text = parts.uri.path().rsplit('/').next().unwrap_or_default();
    Ok(read(text).ok_or(service::Error::NoSuchId)?)
}

/// A header's value from text of ours, which is printable ASCII.
pub fn value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(Problem::bug)
}
