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
        links::{self, Counted, Taking},
        listing,
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

/// Answers with an archive, or a range of it.
pub async fn send(
    service: &Service,
    mut archive: Archive,
    parts: &Parts,
    link: Option<Link>,
) -> Result<Response, Problem> {
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
        let taking = match link {
            Some(link) => Some(Taking::begin(service, link, (archive.folder, size), &part).await?),
            None => None,
        };
        let sending = Sending { service: service.clone(), archive, layout };
        let bytes = sending.bytes(part.start, part.end);
        *response.body_mut() = match taking {
            Some(taking) => Body::from_stream(Counted::new(taking, bytes)),
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
    let mut items: Vec<Item> = archive.entries.iter_mut().map(item).collect();
    if let Some(name) = archive.sums.clone() {
        let text = sums(&items, archive);
        let modified_us = archive.entries.iter().map(|entry| entry.modified_us).max().unwrap_or(0);
        items.push(Item { name, bytes: text.len() as u64, crc32: crc32fast::hash(&text), modified_us });
    }
    items
}

/// The list of checksums, as `b3sum --check` reads it. Made anew when its turn comes: it may have megabytes.
fn sums(items: &[Item], archive: &Archive) -> Vec<u8> {
    let mut text = String::new();
    for (item, entry) in items.iter().zip(&archive.entries).filter(|(_, entry)| entry.version.is_some()) {
        // No name has a line end in it.
        let name = item.name.replace('\\', "\\\\");
        if name != item.name {
            text.push('\\');
        }
        text.push_str(&listing::hex(&entry.blake3));
        text.push_str("  ");
        text.push_str(&name);
        text.push('\n');
    }
    text.into_bytes()
}

/// A zip on its way.
struct Sending {
    service: Service,
    archive: Archive,
    layout: Layout,
}

impl Sending {
    /// Says which file cut it.
    fn tell(&self, index: usize, error: &service::Error) {
        let file = self.layout.items().get(index).map_or("", |item| item.name.as_str());
        tracing::warn!(%error, file, "a zip was cut: this file cannot be read");
    }

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
            if index == sending.archive.entries.len() {
                let text = Bytes::from(sums(sending.layout.items(), &sending.archive));
                return Ok(stream::iter([Ok(text.slice(range.start as usize..range.end as usize))]).left_stream());
            }
            let read = async {
                let (place, version) = sending.service.archived(&sending.archive, index).await?;
                sending.service.read(&place, version, range).await
            };
            let reading = read.await.inspect_err(|error| sending.tell(index, error))?;
            let reading = reading.map_err(service::Error::from);
            let told = reading.inspect_err(move |error| sending.tell(index, error));
            Ok(told.right_stream())
        });
        Box::pin(opened.try_flatten())
    }
}
