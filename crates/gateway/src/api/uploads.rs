//! `/api/v1/uploads/`: resumable uploads by the tus protocol, core with the extensions creation,
//! creation-with-upload, creation-defer-length, expiration, checksum, termination and
//! concatenation.
//!
//! `Upload-Metadata` names the file: `path` (else `filename`), and if known `filetype` and `modified`.
//! Source: tus resumable upload protocol 1.0.0.

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION},
    http::request::Parts,
};
use model::id::UploadId;
use service::{Begin, Need, Place, Progress, Service, base64, paths::Path};

use crate::{
    api::{
        self, checksum,
        described::{Raw, Tus},
    },
    auth,
    error::Problem,
    header::{date, etag, percent},
};

const PREFIX: &str = "/api/v1/uploads/";
/// The same behind whatever way led to it.
const DOOR: &str = "/uploads/";
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

const EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation";
const BYTES: &str = "application/offset+octet-stream";

/// Says what is spoken here, or begins an upload.
pub async fn collection(State(service): State<Service>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method == Method::OPTIONS {
        return spoken();
    }
    signed(begin(&service, &parts, body).await)
}

/// Says where an upload stands, or goes on with it.
pub async fn one(State(service): State<Service>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method == Method::OPTIONS {
        return spoken_of_one();
    }
    signed(go_on(&service, &parts, body).await)
}

/// Says which protocol is spoken here: tus 1.0.0, and which of its extensions.
#[utoipa::path(
    options, path = "/api/v1/uploads/", security(()),
    responses((status = 204, headers(
        ("Tus-Version" = String), ("Tus-Extension" = String), ("Tus-Checksum-Algorithm" = String),
    ))),
)]
pub fn spoken() -> Response {
    options()
}

/// The same.
#[utoipa::path(options, path = "/api/v1/uploads/{id}", security(()), responses((status = 204)))]
pub fn spoken_of_one() -> Response {
    options()
}

fn options() -> Response {
    let mut response = api::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, VERSION);
    headers.insert(TUS_VERSION, VERSION);
    headers.insert(TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS));
    headers.insert(TUS_CHECKSUM_ALGORITHM, HeaderValue::from_static(checksum::ALGORITHMS));
    response
}

/// Every answer says which protocol it is of.
fn signed(result: Result<Response, Problem>) -> Response {
    let mut response = result.unwrap_or_else(Problem::into_response);
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, VERSION);
    api::guard(headers);
    response
}

/// Where the request acts, if it is one that is understood; and its method, which a header may override.
async fn greet(service: &Service, parts: &Parts) -> Result<(Place, Method), Problem> {
    let place = auth::place(service, parts, Need::Change).await?;
    percent::query(parts.uri.query(), [])?;
    if api::one(&parts.headers, &TUS_RESUMABLE)? != Some("1.0.0") {
        let detail = "send `Tus-Resumable: 1.0.0`: no other version of the protocol is spoken here";
        return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "tus_version", detail).with(TUS_VERSION, VERSION));
    }
    let method = match api::one(&parts.headers, &METHOD_OVERRIDE)? {
        None => parts.method.clone(),
        Some(_) if parts.method != Method::POST => {
            return Err(Problem::bad_request("bad_header", "only a POST may stand for another method"));
        }
        Some(method) => Method::from_bytes(method.as_bytes())
            .map_err(|_| Problem::bad_request("bad_header", "the overriding method is none"))?,
    };
    Ok((place, method))
}

/// Begins an upload, and brings its first bytes if there is a body.
#[utoipa::path(
    post, path = "/api/v1/uploads/",
    params(
        Tus,
        ("Upload-Length" = Option<u64>, Header, description = "How many bytes it will have"),
        ("Upload-Defer-Length" = Option<u64>, Header, description = "`1`: that is said later"),
        (
            "Upload-Metadata" = String, Header,
            description = "Keys with base64: `path` (else `filename`) and, if known, `filetype` and `modified`",
        ),
        ("Upload-Checksum" = Option<String>, Header, description = "Of the body: `sha1` or `sha256`, and base64"),
        (
            "Upload-Concat" = Option<String>, Header,
            description = "`partial`: a part of a file; `final;` and the addresses of parts: the file that they make",
        ),
        ("X-HTTP-Method-Override" = Option<String>, Header, description = "The method that a `POST` stands for"),
    ),
    request_body(content = Option<Raw>, content_type = "application/offset+octet-stream"),
    responses((status = 201, headers(
        ("Location" = String), ("Upload-Offset" = u64), ("Upload-Expires" = String),
        ("ETag" = String, description = "Of the version that an empty or whole upload has become"),
    ))),
)]
pub async fn begin(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let (place, method) = greet(service, parts).await?;
    if method != Method::POST {
        return Err(Problem::method("OPTIONS, POST"));
    }
    let note = api::one(&parts.headers, &UPLOAD_METADATA)?.unwrap_or_default().to_owned();
    let joining = api::one(&parts.headers, &UPLOAD_CONCAT)?.map(concat).transpose()?;
    if let Some(Joining::Whole(ids)) = joining {
        let progress = service.join_uploads(&place, metadata(note)?, ids).await?;
        return created(parts, &progress);
    }
    let length = length(&parts.headers)?;
    let begin = match joining {
        // Its metadata is of no use: the whole has its own.
        Some(_) => Begin { length, note, partial: true, ..Begin::default() },
        None => Begin { length, ..metadata(note)? },
    };
    // Read before anything is begun: a body that is refused leaves nothing behind.
    let first = match api::one(&parts.headers, &CONTENT_TYPE)? {
        Some(BYTES) => {
            if checksum::is_said(&parts.headers) {
                service.may_bring(&place, None).await?;
            }
            Some(checksum::checked(&parts.headers, body).await?)
        }
        _ => None,
    };
    let mut progress = service.begin_upload(&place, begin).await?;
    if let Some((bytes, announced)) = first.filter(|_| progress.made.is_none()) {
        progress = service.append(&place, progress.id, 0, bytes, announced).await?;
    }
    created(parts, &progress)
}

fn created(parts: &Parts, progress: &Progress) -> Result<Response, Problem> {
    let mut response = api::empty(StatusCode::CREATED);
    let below = auth::below(parts);
    response.headers_mut().insert(LOCATION, api::value(&format!("{below}{DOOR}{}", progress.id))?);
    tell(response.headers_mut(), progress)?;
    Ok(response)
}

/// What an upload has to do with others.
enum Joining {
    Part,
    /// It is these, one behind the other.
    Whole(Vec<UploadId>),
}

/// Reads `Upload-Concat`: `partial`, or `final;` and addresses with spaces between.
fn concat(text: &str) -> Result<Joining, Problem> {
    let bad =
        || Problem::bad_request("bad_header", "`Upload-Concat` is `partial`, or `final;` and the parts' addresses");
    if text == "partial" {
        return Ok(Joining::Part);
    }
    let id = |address: &str| UploadId::parse(address.rsplit('/').next().unwrap_or_default()).map_err(|_| bad());
    let addresses = text.strip_prefix("final;").ok_or_else(bad)?;
    Ok(Joining::Whole(addresses.split(' ').filter(|one| !one.is_empty()).map(id).collect::<Result<_, _>>()?))
}

async fn go_on(service: &Service, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let (place, method) = greet(service, parts).await?;
    let id = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let id =
        UploadId::parse(id).map_err(|_| Problem::new(StatusCode::NOT_FOUND, "no_upload", "there is no such upload"))?;
    match method {
        Method::HEAD => stand(service, &place, id).await,
        Method::PATCH => append(service, &place, id, parts, body).await,
        Method::DELETE => end(service, &place, id).await,
        _ => Err(Problem::method("OPTIONS, HEAD, PATCH, DELETE")),
    }
}

/// Says where an upload stands.
#[utoipa::path(
    head, path = "/api/v1/uploads/{id}", params(Tus),
    responses((status = 200, headers(
        ("Upload-Offset" = u64), ("Upload-Expires" = String), ("Upload-Length" = u64),
        ("Upload-Defer-Length" = u64), ("Upload-Metadata" = String),
        ("ETag" = String, description = "Of the version that it has become"),
    ))),
)]
pub async fn stand(service: &Service, place: &Place, id: UploadId) -> Result<Response, Problem> {
    let progress = service.upload(place, id).await?;
    let mut response = api::empty(StatusCode::OK);
    let headers = response.headers_mut();
    match progress.length {
        Some(length) => headers.insert(UPLOAD_LENGTH, length.into()),
        None => headers.insert(UPLOAD_DEFER_LENGTH, HeaderValue::from_static("1")),
    };
    if !progress.note.is_empty() {
        headers.insert(UPLOAD_METADATA, api::value(&progress.note)?);
    }
    tell(headers, &progress)?;
    Ok(response)
}

/// Brings more bytes of an upload. With the last one it becomes a file.
#[utoipa::path(
    patch, path = "/api/v1/uploads/{id}",
    params(
        Tus,
        ("Upload-Offset" = u64, Header, description = "Where the body goes on"),
        ("Upload-Length" = Option<u64>, Header, description = "If it was not said before"),
        ("Upload-Checksum" = Option<String>, Header, description = "Of the body: `sha1` or `sha256`, and base64"),
    ),
    request_body(content = Raw, content_type = "application/offset+octet-stream"),
    responses((status = 204, headers(
        ("Upload-Offset" = u64), ("Upload-Expires" = String),
        ("ETag" = String, description = "Of the version that it has become"),
    ))),
)]
pub async fn append(
    service: &Service,
    place: &Place,
    id: UploadId,
    parts: &Parts,
    body: Body,
) -> Result<Response, Problem> {
    if api::one(&parts.headers, &CONTENT_TYPE)? != Some(BYTES) {
        let detail = "send bytes of an upload as `application/offset+octet-stream`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_media_type", detail));
    }
    let offset = api::number(&parts.headers, &UPLOAD_OFFSET)?
        .ok_or_else(|| Problem::bad_request("bad_header", "say where the body goes on: `Upload-Offset`"))?;
    if checksum::is_said(&parts.headers) {
        service.may_bring(place, Some(id)).await?;
    }
    let (bytes, announced) = checksum::checked(&parts.headers, body).await?;
    service.set_upload_length(place, id, api::number(&parts.headers, &UPLOAD_LENGTH)?).await?;
    let progress = service.append(place, id, offset, bytes, announced).await?;
    let mut response = api::empty(StatusCode::NO_CONTENT);
    tell(response.headers_mut(), &progress)?;
    Ok(response)
}

/// Ends an upload before it is a file.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", params(Tus), responses((status = 204)))]
pub async fn end(service: &Service, place: &Place, id: UploadId) -> Result<Response, Problem> {
    service.end_upload(place, id).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

/// How long a new upload says that it will be; `None`: it says so later.
fn length(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    match (api::number(headers, &UPLOAD_LENGTH)?, api::one(headers, &UPLOAD_DEFER_LENGTH)?) {
        (Some(length), None) => Ok(Some(length)),
        (None, Some("1")) => Ok(None),
        _ => Err(Problem::bad_request(
            "bad_header",
            "say how long the file is (`Upload-Length`), or that it is said later (`Upload-Defer-Length: 1`)",
        )),
    }
}

/// Where an upload stands, and the version that it has become.
fn tell(headers: &mut HeaderMap, progress: &Progress) -> Result<(), Problem> {
    headers.insert(UPLOAD_OFFSET, progress.offset.into());
    if progress.partial {
        headers.insert(UPLOAD_CONCAT, HeaderValue::from_static("partial"));
    }
    headers.insert(UPLOAD_EXPIRES, api::value(&date::imf_fixdate(progress.expires_us))?);
    if let Some(made) = &progress.made {
        headers.insert(ETAG, api::value(&etag::of(made.version))?);
    }
    Ok(())
}

/// Reads `Upload-Metadata`: keys with base64 values, with commas between.
fn metadata(note: String) -> Result<Begin, Problem> {
    let bad = |detail: &str| Problem::bad_request("bad_metadata", detail);
    let mut begin = Begin::default();
    let (mut path, mut filename) = (None, None);
    for pair in note.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let slot = match key {
            "path" => &mut path,
            "filename" => &mut filename,
            "filetype" => &mut begin.media_type,
            "modified" => {
                begin.modified_us =
                    Some(api::modified(&text(value).ok_or_else(|| bad("`modified` is no base64 of a text"))?)?);
                continue;
            }
            _ => continue,
        };
        *slot = Some(text(value).ok_or_else(|| bad("a value is no base64 of a text"))?);
    }
    let path = path.or(filename).ok_or_else(|| bad("say where the file goes: `path` in Upload-Metadata"))?;
    begin.path = Path::from_text(&path).map_err(service::Error::from)?;
    begin.media_type = begin.media_type.filter(|media_type| !media_type.is_empty());
    begin.note = note;
    Ok(begin)
}

fn text(value: &str) -> Option<String> {
    String::from_utf8(base64::decode(value.trim())?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use service::base64::encode;

    use super::metadata;

    #[test]
    fn metadata_names_the_file() {
        let pair = |key: &str, value: &str| format!("{key} {}", encode(value.as_bytes()));
        let all = [pair("filename", "c"), pair("path", "/a/ä"), pair("filetype", "text/plain"), pair("modified", "-5")];
        let begin = metadata(all.join(",")).unwrap();
        assert_eq!(begin.path.names(), ["a", "ä"]);
        assert_eq!((begin.media_type.as_deref(), begin.modified_us), (Some("text/plain"), Some(-5)));
        assert_eq!(begin.note, all.join(","));
        assert_eq!(metadata(pair("filename", "c")).unwrap().path.names(), ["c"]);
        assert_eq!(metadata(pair("path", "c") + ",is_confidential").unwrap().path.names(), ["c"]);
    }

    #[test]
    fn metadata_that_is_refused() {
        for (note, code) in [
            (String::new(), "bad_metadata"),
            ("path a".to_owned(), "bad_metadata"),
            (format!("path {}", encode(b"\xff")), "bad_metadata"),
            (format!("path {}", encode(b"../a")), "bad_path"),
            (format!("path {}", encode(b"a//b")), "bad_path"),
            (format!("path {},modified {}", encode(b"a"), encode(b"soon")), "bad_time"),
        ] {
            assert_eq!(metadata(note.clone()).unwrap_err().code, code, "{note}");
        }
    }
}
