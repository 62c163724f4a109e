//! What is sent: pieces that are there already, or a stream of them.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::traffic::Counter;

/// Pieces are handed on in slices of this many bytes, so that a slow line shows that it moves.
const SLICE_BYTES: usize = 64 << 10;
/// Pieces that wait between the writer and the wire.
const PIECES: usize = 1;

/// Whether a request moves, seen from outside.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Slices that were taken to be sent.
    pub(crate) frames: AtomicU64,
    /// It is our turn: the stream has nothing to send.
    pub(crate) starved: AtomicBool,
    /// Everything was taken to be sent.
    pub(crate) ended: AtomicBool,
}

/// One message of a stream. A stream that ends without [`Streamed::End`] breaks the connection, so that no server takes half an
/// object for a whole one.
pub(crate) enum Streamed {
    Piece(Bytes),
    End,
}

enum Source {
    Pieces { pieces: VecDeque<Bytes>, left_bytes: u64 },
    Stream { from: mpsc::Receiver<Streamed>, piece: Bytes, is_ended: bool },
}

/// The body of a request.
pub(crate) struct Outgoing {
    source: Source,
    pulse: Arc<Pulse>,
    counter: Counter,
}

/// The writer went away before the end.
#[derive(Debug)]
pub(crate) struct Abandoned;

impl std::fmt::Display for Abandoned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the object was abandoned before its end")
    }
}

impl std::error::Error for Abandoned {}

impl From<Infallible> for Abandoned {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Outgoing {
    /// No body.
    pub(crate) fn empty() -> Self {
        Self::pieces(&[])
    }

    /// A body of known length.
    pub(crate) fn pieces(pieces: &[Bytes]) -> Self {
        let pieces: VecDeque<Bytes> = pieces.iter().filter(|piece| !piece.is_empty()).cloned().collect();
        let left_bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { source: Source::Pieces { pieces, left_bytes }, pulse: Arc::default(), counter: Counter::default() }
    }

    /// A body of unknown length, and where its pieces go in.
    pub(crate) fn stream() -> (mpsc::Sender<Streamed>, Self) {
        let (into, from) = mpsc::channel(PIECES);
        let source = Source::Stream { from, piece: Bytes::new(), is_ended: false };
        (into, Self { source, pulse: Arc::default(), counter: Counter::default() })
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.source, Source::Stream { .. })
    }

    /// The same body for a second try; a stream has none.
    pub(crate) fn again(&self) -> Option<Self> {
        match &self.source {
            Source::Pieces { pieces, left_bytes } => Some(Self {
                source: Source::Pieces { pieces: pieces.clone(), left_bytes: *left_bytes },
                pulse: Arc::default(),
                counter: Counter::default(),
            }),
            Source::Stream { .. } => None,
        }
    }

    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// The same body; what is sent of it is counted there.
    pub(crate) fn counted_by(self, counter: Counter) -> Self {
        Self { counter, ..self }
    }

    /// The next slice; `None` at the end.
    fn poll_slice(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Abandoned>>> {
        match &mut self.source {
            Source::Pieces { pieces, left_bytes } => {
                let Some(first) = pieces.front_mut() else { return Poll::Ready(None) };
                let slice = first.split_to(first.len().min(SLICE_BYTES));
                if first.is_empty() {
                    pieces.pop_front();
                }
                *left_bytes -= slice.len() as u64;
                Poll::Ready(Some(Ok(slice)))
            }
            Source::Stream { from, piece, is_ended } => {
                while piece.is_empty() && !*is_ended {
                    match std::task::ready!(from.poll_recv(context)) {
                        Some(Streamed::Piece(next)) => *piece = next,
                        Some(Streamed::End) => *is_ended = true,
                        None => return Poll::Ready(Some(Err(Abandoned))),
                    }
                }
                let slice = piece.split_to(piece.len().min(SLICE_BYTES));
                Poll::Ready((!slice.is_empty()).then_some(Ok(slice)))
            }
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Abandoned;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Abandoned>>> {
        let slice = self.poll_slice(context);
        self.pulse.starved.store(slice.is_pending(), Ordering::Relaxed);
        self.pulse.frames.fetch_add(1, Ordering::Relaxed);
        if let Poll::Ready(None) = slice {
            self.pulse.ended.store(true, Ordering::Relaxed);
        }
        if let Poll::Ready(Some(Ok(bytes))) = &slice {
            self.counter.sent(bytes.len());
        }
        slice.map(|slice| slice.map(|slice| slice.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        let ended = match &self.source {
            Source::Pieces { pieces, .. } => pieces.is_empty(),
            Source::Stream { piece, is_ended, .. } => *is_ended && piece.is_empty(),
        };
        if ended {
            self.pulse.ended.store(true, Ordering::Relaxed);
        }
        ended
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Pieces { left_bytes, .. } => SizeHint::with_exact(*left_bytes),
            Source::Stream { .. } => SizeHint::default(),
        }
    }
}
