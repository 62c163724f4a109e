//! Bodies in: streams that end, break or run out of patience, and are never held whole.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use serde::de::DeserializeOwned;

use crate::{error::Problem, patience::Patience};

/// The most bytes of a JSON body: an action with two of the longest paths is under 70 KiB.
const JSON_BYTES_MAX: usize = 128 << 10;

/// Whether a request's body has been read to its end. Shared by the body and the connection that it comes from.
#[derive(Clone, Debug, Default)]
pub struct Ended(Arc<AtomicBool>);

impl Ended {
    /// Whether nothing of the body is left on the wire.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A request's body as it comes from the socket: notes its end, and gives up on a sender that is silent for too long.
pub struct Watched {
    body: Incoming,
    patience: Patience,
    ended: Ended,
}

impl Watched {
    /// Watches `body`.
    pub fn new(body: Incoming, idle: Duration) -> (Self, Ended) {
        let ended = Ended(Arc::new(AtomicBool::new(body.is_end_stream())));
        (Self { body, patience: Patience::new(idle), ended: ended.clone() }, ended)
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            ready!(self.patience.poll_out(cx));
            let silent = io::Error::new(io::ErrorKind::TimedOut, "nothing came for a minute");
            return Poll::Ready(Some(Err(axum::Error::new(silent))));
        };
        self.patience.refresh();
        if frame.is_none() || self.body.is_end_stream() {
            self.ended.0.store(true, Ordering::Release);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body as the service takes it.
pub fn stream(body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static {
    body.into_data_stream().map(|piece| piece.map_err(io::Error::other))
}

/// Reads a small JSON document.
///
/// # Errors
/// 400 if it is not what is understood here, 413 if it is long.
pub async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let mut pieces = stream(body);
    let mut document = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|error| Problem::bad_request("body_broken", format!("the sender broke off: {error}")))?;
        if document.len() + piece.len() > JSON_BYTES_MAX {
            let detail = format!("a JSON body here has at most {JSON_BYTES_MAX} bytes");
            return Err(Problem::new(hyper::StatusCode::PAYLOAD_TOO_LARGE, "body_too_long", detail));
        }
        document.extend_from_slice(&piece);
    }
    serde_json::from_slice(&document)
        .map_err(|error| Problem::bad_request("bad_json", format!("the body is not understood: {error}")))
}
