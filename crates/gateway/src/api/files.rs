//! `/api/v1/files/<path>`: bytes in, bytes out, and what can be done to what is there.
//!
//! A path with a slash at its end is a folder's: it lists. Without one it is a file's, or for `POST` and `DELETE`
//! whatever is there.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use hyper::{
    HeaderMap, Method, StatusCode,
    body::Body as _,
    header::{
        ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE,
    },
    http::request::Parts,
};
use model::id::{GrantId, VersionId};
use serde::Deserialize;
use service::{Deletion, Expect, File, Link, Need, Place, Put, Service, Transfer, paths::Path};
use utoipa::ToSchema;

use crate::{
    api::{
        self, MODIFIED,
        described::{BytesOrListing, Raw, Reading},
        links::{Counted, Taking},
        listing::{self, LadderWord},
    },
    auth::{self, Via},
    body,
    error::Problem,
    header::{
        date, digest,
        etag::{self, Compare},
        percent,
        range::{self, Wanted},
    },
};

/// What the door is called, up to the path.
const PREFIX: &str = "/api/v1/files/";
/// The same behind whatever way led to it.
const DOOR: &str = "/files/";

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const WANT_REPR_DIGEST: HeaderName = HeaderName::from_static("want-repr-digest");
pub const STATE: HeaderName = HeaderName::from_static("x-holdfast-state");

/// Takes every request for a path.
pub async fn door(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let place = auth::place(&service, &parts, auth::need(&parts)).await?;
    let (path, slash) = percent::path(parts.uri.path().strip_prefix(PREFIX).unwrap_or_default())?;
    match (&parts.method, slash) {
        // One file that is shared alone has no name here: it is the place itself.
        (&Method::GET | &Method::HEAD, true) if service.is_one_file(&place, &path).await? => {
            get(&service, &place, path, &parts).await
        }
        (&Method::GET | &Method::HEAD, true) => listing::get(&service, &place, path, &parts).await,
        (&Method::GET | &Method::HEAD, false) => get(&service, &place, path, &parts).await,
        (&Method::PUT, _) => put(&service, &place, path, slash, &parts, body).await,
        (&Method::POST, _) => act(&service, path, &parts, body).await,
        (&Method::DELETE, _) => delete(&service, &place, path, slash, &parts).await,
        _ => Err(Problem::method("GET, HEAD, PUT, POST, DELETE")),
    }
}

/// Gives a file's bytes; of a path with a slash at its end, what is in that folder. `HEAD` says how firmly a file is kept.
#[utoipa::path(
    method(get, head), path = "/api/v1/files/{path}",
    params(
        Reading, listing::Asked,
        ("version" = Option<String>, Query, description = "An older version of a file"),
    ),
    responses(BytesOrListing),
)]
pub async fn get(service: &Service, place: &Place, path: Path, parts: &Parts) -> Result<Response, Problem> {
    let [version] = percent::query(parts.uri.query(), ["version"])?;
    let file = match version {
        Some(id) => service.find_version(place, path.clone(), version_id(&id)?).await?,
        None => service.find(place, path.clone()).await?,
    };
    send(service, place, file, &path, parts, None).await
}

/// Answers with a file's bytes, or says that they are known already. `link`: whose downloads it counts as.
pub async fn send(
    service: &Service,
    place: &Place,
    file: File,
    path: &Path,
    parts: &Parts,
    link: Option<Link>,
) -> Result<Response, Problem> {
    let (headers, version) = (&parts.headers, file.version.id);
    let condition = |name, compare| api::list(headers, &name)?.map(|value| etag::matches(&value, compare)).transpose();
    if condition(IF_MATCH, Compare::Strong)?.is_some_and(|wanted| !wanted.holds(Some(version))) {
        return Err(service::Error::Precondition { path: path.to_string() }.into());
    }
    let mut response = api::empty(StatusCode::OK);
    describe(response.headers_mut(), &file)?;
    if condition(IF_NONE_MATCH, Compare::Weak)?.is_some_and(|known| known.holds(Some(version))) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let size = file.version.size;
    if parts.method == Method::HEAD {
        response.headers_mut().insert(CONTENT_LENGTH, size.into());
        if let Some(standing) = service.standing(place, &file.version).await? {
            let state = LadderWord::from(standing.ladder).text();
            response.headers_mut().insert(STATE, HeaderValue::from_static(state));
        }
        return Ok(response);
    }
    let wanted = match api::one(headers, &RANGE) {
        Ok(Some(value)) if api::one(headers, &IF_RANGE)?.is_none_or(|tag| etag::if_range(tag, version)) => {
            range::read(value, size)
        }
        _ => Wanted::Whole,
    };
    let part = range::promise(&mut response, wanted, size)?;
    if !part.is_empty() {
        let taking = match link {
            Some(link) => Some(Taking::begin(service, link, (file.entry.id, size), &part).await?),
            None => None,
        };
        let mut reading = service.read(place, file.version, part).await?;
        // What cannot be read at all is refused with a reason, before anything is promised.
        let first = reading.next().await.transpose().map_err(service::Error::from)?;
        // A later error ends the body before its announced length: the connection is cut, and the client sees it.
        let rest = reading.inspect_err(|error| tracing::warn!(%error, "a download was cut"));
        let bytes = stream::iter(first.map(Ok)).chain(rest);
        *response.body_mut() = match taking {
            Some(taking) => Body::from_stream(Counted::new(taking, bytes)),
            None => Body::from_stream(bytes),
        };
    } else if let Some(link) = link {
        drop(Taking::begin(service, link, (file.entry.id, size), &part).await?);
    }
    Ok(response)
}

/// What is said of a file beside its bytes.
fn describe(headers: &mut HeaderMap, file: &File) -> Result<(), Problem> {
    let version = &file.version;
    headers.insert(ETAG, api::value(&etag::of(version.id))?);
    headers.insert(LAST_MODIFIED, api::value(&date::imf_fixdate(version.modified_us))?);
    headers.insert(MODIFIED, api::value(&date::rfc3339(version.modified_us))?);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, api::value(&version.media_type)?);
    // Source: RFC 6266 and RFC 8187.
    let name = format!("attachment; filename*=UTF-8''{}", percent::encode(&file.entry.name));
    headers.insert(CONTENT_DISPOSITION, api::value(&name)?);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    if let Some(sha256) = &version.sha256 {
        headers.insert(REPR_DIGEST, api::value(&digest::write(sha256))?);
    }
    Ok(())
}

/// Puts a file there: all of its bytes at once. What was there becomes an older version.
#[utoipa::path(
    put, path = "/api/v1/files/{path}", request_body(content = Raw, content_type = "*/*"),
    params(
        ("If-Match" = Option<String>, Header, description = "412 if none of these is the version that is there"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: 412 if anything is there"),
        ("Content-Digest" = Option<String>, Header, description = "The SHA-256 of the bytes: others are refused"),
        ("Repr-Digest" = Option<String>, Header, description = "The same"),
        ("Want-Repr-Digest" = Option<String>, Header, description = "Asks for the SHA-256 in the answer"),
        ("X-Holdfast-Modified" = Option<String>, Header, description = "RFC 3339, or microseconds since 1970"),
    ),
    responses(
        (status = 201, headers(("ETag" = String), ("Location" = String), ("Repr-Digest" = String))),
        (status = 204, headers(("ETag" = String), ("Repr-Digest" = String))),
    ),
)]
pub async fn put(
    service: &Service,
    place: &Place,
    path: Path,
    slash: bool,
    parts: &Parts,
    body: Body,
) -> Result<Response, Problem> {
    percent::query(parts.uri.query(), [])?;
    if slash {
        return Err(service::Error::from(service::paths::BadPath::Empty).into());
    }
    let put = put_of(&parts.headers, &body)?;
    let wants_digest = put.expect.want_sha256;
    let location = location(parts, &path)?;
    let made = service.put(place, path, body::stream(body), put).await?;
    let mut response = api::empty(if made.created { StatusCode::CREATED } else { StatusCode::NO_CONTENT });
    let headers = response.headers_mut();
    headers.insert(ETAG, api::value(&etag::of(made.version))?);
    if made.created {
        headers.insert(LOCATION, location);
    }
    if let Some(sha256) = made.sha256.filter(|_| wants_digest) {
        headers.insert(REPR_DIGEST, api::value(&digest::write(&sha256))?);
    }
    Ok(response)
}

/// What the headers say of a file that is sent.
fn put_of(headers: &HeaderMap, body: &Body) -> Result<Put, Problem> {
    if headers.contains_key(CONTENT_RANGE) {
        return Err(Problem::bad_request(
            "partial_put",
            "a part of a file cannot be put; a resumable upload can go on where it stood",
        ));
    }
    if api::list(headers, &CONTENT_ENCODING)?.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        let detail = "bytes are kept as they are sent: leave out Content-Encoding";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding", detail));
    }
    // Without an encoding, the representation is what is sent.
    let sent = |name| api::list(headers, &name)?.map_or(Ok(None), |value| digest::read(&value));
    let sha256 = match (sent(CONTENT_DIGEST)?, sent(REPR_DIGEST)?) {
        (Some(content), Some(repr)) if content != repr => {
            return Err(Problem::bad_request("bad_digest", "Content-Digest and Repr-Digest contradict each other"));
        }
        (content, repr) => content.or(repr),
    };
    let want_sha256 = api::list(headers, &WANT_REPR_DIGEST)?.is_some_and(|value| digest::wants(&value));
    let condition = |name, compare| api::list(headers, &name)?.map(|value| etag::matches(&value, compare)).transpose();
    Ok(Put {
        expect: Expect { bytes: body.size_hint().exact(), sha256, want_sha256 },
        if_match: condition(IF_MATCH, Compare::Strong)?,
        if_none_match: condition(IF_NONE_MATCH, Compare::Weak)?,
        modified_us: api::one(headers, &MODIFIED)?.map(api::modified).transpose()?,
        media_type: api::one(headers, &CONTENT_TYPE)?.map(str::to_owned),
    })
}

/// Throws a file away, or a folder with all that is in it: to the trash, or for good.
#[utoipa::path(
    delete, path = "/api/v1/files/{path}",
    params(
        ("permanent" = Option<bool>, Query, description = "For good"),
        ("If-Match" = Option<String>, Header, description = "412 if none of these is the version that is there"),
    ),
    responses((status = 204)),
)]
pub async fn delete(
    service: &Service,
    place: &Place,
    path: Path,
    slash: bool,
    parts: &Parts,
) -> Result<Response, Problem> {
    let [permanent] = percent::query(parts.uri.query(), ["permanent"])?;
    let if_match =
        api::list(&parts.headers, &IF_MATCH)?.map(|value| etag::matches(&value, Compare::Strong)).transpose()?;
    let permanent = percent::flag("permanent", permanent.as_deref())?;
    service.delete(place, path, Deletion { permanent, folder: slash, if_match }).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// What is to be done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Action {
    action: Verb,
    /// The new path of what is moved, copied or restored.
    to: Option<String>,
    /// Whether what is at the new path may be thrown away for it.
    #[serde(default)]
    replace: bool,
    /// That `revert` goes back to.
    version: Option<String>,
    /// For `copy`: in whose tree `to` lies, if it is another: `own`, or the id of a grant.
    into: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Mkdir,
    Move,
    Copy,
    Restore,
    Revert,
}

/// Makes a folder, moves, copies, brings back from the trash, or goes back to an older version.
#[utoipa::path(
    post, path = "/api/v1/files/{path}", request_body = Action,
    responses(
        (status = 201, headers(("Location" = String))),
        (status = 204, description = "It went back to an older version"),
    ),
)]
pub async fn act(service: &Service, path: Path, parts: &Parts, body: Body) -> Result<Response, Problem> {
    percent::query(parts.uri.query(), [])?;
    let Action { action, to, replace, version, into } = body::json(body).await?;
    let place = &auth::place(service, parts, Need::Change).await?;
    if version.is_some() != (action == Verb::Revert) {
        return Err(Problem::bad_request("bad_json", "`revert`, and nothing else, takes a `version`"));
    }
    if into.is_some() && action != Verb::Copy {
        return Err(Problem::bad_request("bad_json", "`copy`, and nothing else, goes `into` another tree"));
    }
    if let Some(id) = version {
        service.revert(place, path, version_id(&id)?).await?;
        return Ok(api::empty(StatusCode::NO_CONTENT));
    }
    // A folder's new path may be written as a folder's.
    let to = to
        .map(|text| Path::from_text(text.strip_suffix('/').unwrap_or(&text)).map_err(service::Error::from))
        .transpose()?;
    let made = to.clone().unwrap_or_else(|| path.clone());
    if let (Some(into), Some(to)) = (&into, &to) {
        let (into, below) = tree(service, parts, into).await?;
        service.copy_into(place, &into, Transfer { from: path, to: to.clone(), replace }).await?;
        let mut response = api::empty(StatusCode::CREATED);
        response.headers_mut().insert(LOCATION, at(&below, to)?);
        return Ok(response);
    }
    match (action, to) {
        (Verb::Mkdir, None) if !replace => service.mkdir(place, path).await?,
        (Verb::Mkdir, _) => return Err(Problem::bad_request("bad_json", "`mkdir` takes neither `to` nor `replace`")),
        (Verb::Move, Some(to)) => service.rename(place, Transfer { from: path, to, replace }).await?,
        (Verb::Copy, Some(to)) => service.copy(place, Transfer { from: path, to, replace }).await?,
        (Verb::Move | Verb::Copy, None) => return Err(Problem::bad_request("bad_json", "say where `to`")),
        (Verb::Revert, _) => return Err(Problem::bad_request("bad_json", "say which `version`")),
        (Verb::Restore, to) => service.restore(place, path, to, replace).await?,
    }
    let mut response = api::empty(StatusCode::CREATED);
    response.headers_mut().insert(LOCATION, location(parts, &made)?);
    Ok(response)
}

/// The tree that a copy goes into, and what its addresses begin with.
async fn tree(service: &Service, parts: &Parts, into: &str) -> Result<(Place, String), Problem> {
    let caller = auth::caller_who(service, parts, Need::Change).await?;
    if into == "own" {
        return Ok((Place::from(&caller), auth::below_by(parts, None)));
    }
    let id = GrantId::parse(into).map_err(|_| service::Error::NoGrant)?;
    Ok((service.granted_place(&caller, id).await?, auth::below_by(parts, Some(&Via::Grant(id)))))
}

fn version_id(text: &str) -> Result<VersionId, Problem> {
    Ok(VersionId::parse(text).map_err(|_| service::Error::NoVersion)?)
}

/// Where a path is found.
fn location(parts: &Parts, path: &Path) -> Result<HeaderValue, Problem> {
    at(&auth::below(parts), path)
}

fn at(below: &str, path: &Path) -> Result<HeaderValue, Problem> {
    let names: Vec<String> = path.names().iter().map(|name| percent::encode(name)).collect();
    api::value(&format!("{below}{DOOR}{}", names.join("/")))
}
