//! `GET /api/v1/thumbnails/<path>`, and the same below a link: a picture small enough for a list or a screen.
//!
//! Of which kinds of files there are any, and what of their bytes is read for it, says whoever makes them ([`crate::pictures`]).
//! It looks at the file like any reader, and is no download. Its address says the version and the size, so that browsers
//! need not ask again; what is remembered there is private to them.

use std::{io, ops::Range};

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use hyper::{
    Method, StatusCode,
    body::Body as _,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    http::request::Parts,
};
use model::entry::Version;
use service::{File, Need, Place, Service, media};
use utoipa::IntoParams;

use crate::{
    api::{self, described::Raw, links},
    auth,
    error::Problem,
    header::percent,
    pictures::{Gallery, Large, NotMade},
};

const PREFIX: &str = "/api/v1/thumbnails/";
/// Pixels of the longer side: in a list, on a screen.
const SIDES: [u32; 2] = [256, 1_024];

/// What may be asked of a small picture.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "what a query may say, for the document alone")]
struct Asked {
    /// Pixels of its longer side: 256 or 1024.
    size: Option<u32>,
    /// The version that is meant, so that browsers may keep the picture.
    version: Option<String>,
}

/// Gives a small picture of a file.
#[utoipa::path(
    get, path = "/api/v1/thumbnails/{path}", params(Asked),
    responses((status = 200, body = Raw, content_type = "image/jpeg")),
)]
pub async fn own(
    State(service): State<Service>,
    Extension(gallery): Extension<Gallery>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let place = auth::place(&service, &parts, Need::Look).await?;
    must_get(&parts)?;
    let (side, version) = wanted(&parts)?;
    let (path, _) = percent::path(parts.uri.path().strip_prefix(PREFIX).unwrap_or_default())?;
    let file = service.find(&place, path).await?;
    let again = async || auth::place(&service, &parts, Need::Look).await.map(drop);
    send(&service, &gallery, &place, file, (side, version), again).await
}

/// Gives a small picture of a file that a link shows.
#[utoipa::path(
    get, path = "/api/v1/links/{code}/thumbnails/{path}", security(()), params(Asked),
    responses((status = 200, body = Raw, content_type = "image/jpeg")),
)]
pub async fn linked(
    State(service): State<Service>,
    Extension(gallery): Extension<Gallery>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    must_get(&parts)?;
    let (side, version) = wanted(&parts)?;
    let (path, _) = links::below(&parts, "/thumbnails/")?;
    let link = links::admitted(&service, links::open(&service, &parts).await?, &parts).await?;
    let place = service.linked(&link);
    let file = service.find(&place, path).await?;
    let again = async || links::open(&service, &parts).await.map(drop);
    let answer = send(&service, &gallery, &place, file, (side, version), again).await?;
    service.count_guest(&link, answer.body().size_hint().exact().unwrap_or(0)).await?;
    Ok(answer)
}

fn must_get(parts: &Parts) -> Result<(), Problem> {
    if parts.method == Method::GET { Ok(()) } else { Err(Problem::method("GET")) }
}

/// How large, and which version the asker means.
fn wanted(parts: &Parts) -> Result<(u32, Option<String>), Problem> {
    let [size, version] = percent::query(parts.uri.query(), ["size", "version"])?;
    let size = size.map_or(Some(SIDES[0]), |text| text.parse().ok().filter(|size| SIDES.contains(size)));
    let size = size.ok_or_else(|| Problem::bad_request("bad_query", "`size` is 256 or 1024"))?;
    Ok((size, version))
}

/// `again`: whether it may still be seen when it is its turn.
async fn send(
    service: &Service,
    gallery: &Gallery,
    place: &Place,
    file: File,
    (side, asked): (u32, Option<String>),
    again: impl AsyncFnOnce() -> Result<(), Problem>,
) -> Result<Response, Problem> {
    let large = Large { media_type: kind(&file), size: file.version.size };
    let ranges = gallery.wanted(&large);
    let large = (!ranges.is_empty()).then_some(large);
    let version = file.version;
    let id = version.id;
    let kept = async || {
        service.kept_picture(place, &version, side).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "a kept small picture cannot be read; it is made anew");
            None
        })
    };
    let open = async || {
        again().await?;
        pieces(service, place, version.clone(), ranges).await
    };
    let small = gallery.small(place.account(), (id, side), large, kept, open).await?.map_err(|why| match why {
        NotMade::Never => none(),
        NotMade::Now => {
            let detail = "many small pictures are being made; this one comes in a moment";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
                .with(RETRY_AFTER, HeaderValue::from_static("2"))
        }
    })?;
    if small.is_new {
        keep(service, gallery, place, version, side, small.bytes.clone());
    }
    let mut response = api::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    // An address with another version in it, or none, shows something else tomorrow.
    if asked.is_some_and(|asked| asked == id.to_string()) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=604800, immutable"));
    }
    *response.body_mut() = Body::from(small.bytes);
    Ok(response)
}

/// Keeps a new one, so that the large file is not fetched again for it. Nobody waits for that; where too many are on their way
/// already, this one is made again another time.
#[allow(clippy::disallowed_methods, reason = "an answer cannot wait for it; the simulator has no pictures")]
fn keep(service: &Service, gallery: &Gallery, place: &Place, version: Version, side: u32, small: Bytes) {
    let Some(turn) = gallery.keeping() else { return };
    let (service, place) = (service.clone(), place.clone());
    tokio::spawn(async move {
        let _turn = turn;
        if let Err(error) = service.keep_picture(&place, &version, side, small).await {
            tracing::debug!(%error, "a small picture was not kept");
        }
    });
}

/// The media type, by the name where whoever sent the file knew none: browsers know few of cameras' own.
fn kind(file: &File) -> String {
    let essence = file.version.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == media::UNKNOWN { media::guess(&file.entry.name).to_owned() } else { essence }
}

/// The bytes of some ranges, one after the other. The next one is opened when the one before has been read.
///
/// # Errors
/// As the service says of the first one.
async fn pieces(
    service: &Service,
    place: &Place,
    version: Version,
    mut ranges: Vec<Range<u64>>,
) -> Result<BoxStream<'static, io::Result<Bytes>>, Problem> {
    let first = service.read(place, version.clone(), ranges.remove(0)).await?;
    let (service, place) = (service.clone(), place.clone());
    let open = move |range| {
        let (service, place, version) = (service.clone(), place.clone(), version.clone());
        async move { service.read(place, version, range).await.map_err(io::Error::other) }
    };
    let others = stream::iter(ranges).then(open).map_ok(|reading| reading.map_err(io::Error::other)).try_flatten();
    Ok(first.map_err(io::Error::other).chain(others).boxed())
}

fn none() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no_thumbnail",
        "no small picture can be made of this; download the file itself",
    )
}
