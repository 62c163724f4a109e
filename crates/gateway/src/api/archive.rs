//! `GET /api/v1/zip/<folder>/`, and the same below a link: a folder with all that is in it, as one zip.
//!
//! The zip's length and each of its bytes are known before the first is sent ([`crate::zip`]), so a browser shows how long
//! it takes and a broken download goes on where it stopped, as long as nothing in the folder has changed: the `ETag` says
//! so. A file that cannot be read cuts the connection: a short zip never looks whole.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use hyper::{
    Method, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderValue, IF_RANGE, RANGE},
    http::request::Parts,
};
use service::{Archive, Link, Need, Service};

use crate::{
    api::{
        self,
        described::{Ranged, ZipOut},
        links::{self, Counted},
    },
    auth,
    error::Problem,
    header::{
        percent,
        range::{self, Wanted},
    },
    zip::{Item, Layout, Piece},
};

const PREFIX: &str = "/api/v1/zip/";

/// Gives a folder with all that is in it, as one zip whose length is known before.
#[utoipa::path(
    get, path = "/api/v1/zip/{path}",
    params(
        Ranged,
        ("names" = Option<String>, Query, description = "Only these entries of the folder, with slashes between"),
    ),
    responses(ZipOut),
)]
pub async fn own(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let place = auth::place(&service, &parts, Need::Look).await?;
    links::must_read(&parts)?;
    let [names] = percent::query(parts.uri.query(), ["names"])?;
    let only = names.map(|names| names.split('/').map(str::to_owned).collect()).unwrap_or_default();
    let (path, _) = percent::path(parts.uri.path().strip_prefix(PREFIX).unwrap_or_default())?;
    let archive = service.archive(&place, path, only).await?;
    send(&service, archive, &parts, None).await
}

/// Gives a folder that a link shows, as one zip.
#[utoipa::path(
    get, path = "/api/v1/links/{code}/zip/{path}", security(()), params(Ranged), responses(ZipOut),
)]
pub async fn linked(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    links::must_read(&parts)?;
    percent::query(parts.uri.query(), [])?;
    let (path, _) = links::below(&parts, "/zip/")?;
    let link = links::admitted(&service, links::open(&service, &parts).await?, &parts).await?;
    let archive = service.archive(service.linked(&link), path, Vec::new()).await?;
    send(&service, archive, &parts, Some(link)).await
}

async fn send(service: &Service, mut archive: Archive, parts: &Parts, link: Option<Link>) -> Result<Response, Problem> {
    let tag = format!("\"{}\"", archive.fingerprint());
    let layout = Layout::new(items(&mut archive));
    let size = layout.bytes();
    let mut response = api::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(ETAG, api::value(&tag)?);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let name = if archive.name.is_empty() { "files" } else { &archive.name };
    let disposition = format!("attachment; filename*=UTF-8''{}.zip", percent::encode(name));
    headers.insert(CONTENT_DISPOSITION, api::value(&disposition)?);
    let same = api::one(&parts.headers, &IF_RANGE)?.is_none_or(|known| known == tag);
    let wanted = match api::one(&parts.headers, &RANGE)? {
        Some(value) if same && parts.method == Method::GET => range::read(value, size),
        _ => Wanted::Whole,
    };
    let part = range::promise(&mut response, wanted, size)?;
    if parts.method == Method::GET {
        let folder = archive.folder;
        let sending = Sending { service: service.clone(), archive, layout };
        let bytes = sending.bytes(part.start, part.end);
        *response.body_mut() = match link {
            Some(link) => Body::from_stream(Counted::new(service, link, (folder, size), bytes)),
            None => Body::from_stream(bytes),
        };
    }
    Ok(response)
}

/// What goes into the zip. The paths move there: an archive may have megabytes of them.
fn items(archive: &mut Archive) -> Vec<Item> {
    let item = |entry: &mut service::Archived| {
        let mut name = std::mem::take(&mut entry.path);
        if entry.version.is_none() {
            name.push('/');
        }
        Item { name, bytes: entry.size, crc32: entry.crc32, modified_us: entry.modified_us }
    };
    archive.entries.iter_mut().map(item).collect()
}

/// A zip on its way.
struct Sending {
    service: Service,
    archive: Archive,
    layout: Layout,
}

impl Sending {
    /// The zip's bytes from `at` to `until`, one file after the other: memory is one reading's.
    fn bytes(
        self,
        at: u64,
        until: u64,
    ) -> impl futures_util::Stream<Item = Result<Bytes, service::Error>> + Send + Unpin {
        let pieces = stream::unfold((Arc::new(self), at), move |(sending, at)| async move {
            let (piece, next) = sending.layout.piece(at, until)?;
            Some((Ok::<_, service::Error>((Arc::clone(&sending), piece)), (sending, next)))
        });
        let opened = pieces.and_then(|(sending, piece)| async move {
            let (index, range) = match piece {
                Piece::Bytes(bytes) => return Ok(stream::iter([Ok(bytes)]).left_stream()),
                Piece::File { index, range } => (index, range),
            };
            let (place, version) = sending.service.archived(&sending.archive, index).await?;
            let id = version.id;
            let reading = sending.service.read(&place, version, range).await?;
            let told = reading.map_err(service::Error::from).inspect_err(move |error| {
                tracing::warn!(%error, version = %id, "a zip was cut: this version cannot be read");
            });
            Ok(told.right_stream())
        });
        Box::pin(opened.try_flatten())
    }
}
