//! The checksum of a piece of an upload: compared before a byte of it counts.
//!
//! An upload's offset never goes back, so a piece with a checksum is held until it was compared. It is therefore at most
//! [`PIECE_BYTES_MAX`] long, and only [`AT_ONCE`] are held at a time. Source: tus resumable upload protocol 1.0.0, extension
//! checksum.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use hyper::{HeaderMap, StatusCode, body::Body as _, header::HeaderName};
use service::base64;
use sha1::{Digest as _, Sha1};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::{api, body, error::Problem, patience::at_most};

const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
/// What can be compared; the first is asked of every server.
pub const ALGORITHMS: &str = "sha1,sha256";
/// The longest piece that comes with a checksum.
const PIECE_BYTES_MAX: usize = 8 << 20;
/// How many are held at a time.
const AT_ONCE: usize = 8;
/// How long one may take to arrive.
const HELD_FOR: Duration = Duration::from_secs(60);
static HELD: Semaphore = Semaphore::const_new(AT_ONCE);

/// Whether a piece comes with one, and is held.
pub fn is_said(headers: &HeaderMap) -> bool {
    headers.contains_key(UPLOAD_CHECKSUM)
}

/// The bytes of a body, and how many they are if that is known: as they come, or all of them once they were compared.
///
/// # Errors
/// 460 if they are others than was said, 413 for a piece too long to be held, 503 while too many are.
pub async fn checked(
    headers: &HeaderMap,
    body: Body,
) -> Result<(impl Stream<Item = std::io::Result<Bytes>> + Send + Unpin + use<>, Option<u64>), Problem> {
    let Some(said) = api::one(headers, &UPLOAD_CHECKSUM)? else {
        let announced = body.size_hint().exact();
        return Ok((body::stream(body).left_stream(), announced));
    };
    let bad = |detail: &str| Problem::bad_request("bad_checksum", detail);
    let (algorithm, sum) = said.split_once(' ').ok_or_else(|| bad("say `Upload-Checksum: sha256 BASE64`"))?;
    let sum = base64::decode(sum.trim()).ok_or_else(|| bad("the checksum is no base64"))?;
    if !ALGORITHMS.split(',').any(|known| known == algorithm) {
        return Err(bad("this checksum is not known here: sha1 and sha256 are"));
    }
    let busy =
        |_| Problem::of_class(model::Class::Retry, "many pieces with checksums are on their way; try again".into());
    let _place = HELD.try_acquire().map_err(busy)?;
    let long = || {
        let detail = "a piece with a checksum has at most 8 MiB; send smaller ones";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "piece_too_long", detail)
    };
    let announced = body.size_hint().exact();
    if announced.is_some_and(|bytes| bytes > PIECE_BYTES_MAX as u64) {
        return Err(long());
    }
    // Whoever sends it byte by byte keeps a place from others.
    let bytes = match at_most(HELD_FOR, axum::body::to_bytes(body, PIECE_BYTES_MAX)).await {
        Some(Ok(bytes)) => bytes,
        Some(Err(_)) if announced.is_none() => return Err(long()),
        _ => return Err(Problem::bad_request("body_broken", "the piece did not come whole in time; send it again")),
    };
    let found = match algorithm {
        "sha1" => Sha1::digest(&bytes).to_vec(),
        _ => Sha256::digest(&bytes).to_vec(),
    };
    if found != sum {
        let mismatch = StatusCode::from_u16(460).map_err(Problem::bug)?;
        return Err(Problem::new(
            mismatch,
            "checksum_mismatch",
            "these are not the bytes that were sent; send them again",
        ));
    }
    let announced = bytes.len() as u64;
    Ok((stream::iter([Ok(bytes)]).right_stream(), Some(announced)))
}
