//! A body on its way in, with its pace: who brings less than 64 KiB in `pause_s` is told apart from who is merely slow.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    future::{Either, select},
};
use model::units::FRAME_BYTES;

use crate::{
    Inner,
    error::{Error, Result},
};

/// What came next from a sender.
pub(crate) enum Next {
    Chunk(Bytes),
    /// Less than 64 KiB came in `pause_s`.
    Pause,
    End,
}

/// A body with its pace.
pub(crate) struct Body<'a, S> {
    inner: &'a Inner,
    stream: S,
    /// Monotonic start of the running interval, and bytes since.
    since_us: u64,
    since_bytes: u64,
}

/// A body as a transfer takes it, whoever sends it: the way in is compiled once, here, and not again for each door.
pub(crate) type Sender<'a> = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send + 'a>>;

impl<'a, S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin> Body<'a, S> {
    pub fn new(inner: &'a Inner, stream: S) -> Self {
        Self { inner, stream, since_us: inner.now_us(), since_bytes: 0 }
    }

    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        self.stream.next().await.transpose().map_err(|source| Error::Body { source })
    }

    /// As `next`, but gives up after `pause_s` with less than 64 KiB (`None`: never).
    pub async fn next_or_pause(&mut self, pause_us: Option<u64>) -> Result<Next> {
        let Some(pause_us) = pause_us else {
            self.since_bytes = 0;
            let next = self.next().await?;
            self.since_us = self.inner.now_us();
            return Ok(next.map_or(Next::End, Next::Chunk));
        };
        let now_us = self.inner.now_us();
        if self.since_bytes >= FRAME_BYTES as u64 {
            self.since_us = now_us;
            self.since_bytes = 0;
        }
        let left_us = (self.since_us + pause_us).saturating_sub(now_us);
        if left_us == 0 {
            self.since_us = now_us;
            self.since_bytes = 0;
            return Ok(Next::Pause);
        }
        // Most chunks are there already: no timer for them.
        let next = match futures_util::poll!(self.stream.next()) {
            std::task::Poll::Ready(next) => next,
            std::task::Poll::Pending => {
                let timer = self.inner.world.timer.sleep(left_us);
                match select(self.stream.next(), timer).await {
                    Either::Left((next, _)) => next,
                    Either::Right(_) => {
                        self.since_us = self.inner.now_us();
                        self.since_bytes = 0;
                        return Ok(Next::Pause);
                    }
                }
            }
        };
        match next.transpose().map_err(|source| Error::Body { source })? {
            Some(chunk) => {
                self.since_bytes += chunk.len() as u64;
                Ok(Next::Chunk(chunk))
            }
            None => Ok(Next::End),
        }
    }
}
