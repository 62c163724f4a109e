//! What a server answers, read no further than asked for.

use std::{
    io::{self, ErrorKind},
    ops::Range,
    sync::{Arc, atomic::Ordering},
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Response, StatusCode,
    body::{Body, Incoming},
    header::{self, HeaderName},
};
use model::world::Timer;

use super::{Pool, Wire, body::Pulse, connection::Sender, gate::Pass};
use crate::{
    target::{Error, ObjectName, Result},
    traffic::Counter,
};

/// The most that is set aside before the bytes are there.
const RESERVED_BYTES: usize = 4 << 20;

/// Status and headers, with the body still on the wire. Dropping it ends the connection.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    /// What the gate learns of how the body comes; none once there is nothing to learn.
    pass: Option<Pass>,
    carrier: Option<(Sender, Arc<Pool>, Arc<Pulse>)>,
    counter: Counter,
    address: String,
    verb: &'static str,
    timer: Arc<dyn Timer>,
    idle_us: u64,
}

impl Answer {
    pub(super) fn new(
        response: Response<Incoming>,
        carrier: (Sender, Arc<Pool>, Arc<Pulse>),
        counter: Counter,
        address: String,
        verb: &'static str,
        timer: Arc<dyn Timer>,
        idle_us: u64,
    ) -> Self {
        let (head, body) = response.into_parts();
        let (status, headers, carrier) = (head.status, head.headers, Some(carrier));
        Self { status, headers, body, pass: None, carrier, counter, address, verb, timer, idle_us }
    }

    /// The same answer; how its body comes is told to the gate that it passed.
    pub(super) fn passed(mut self, pass: Pass) -> Self {
        self.pass = Some(pass).filter(|_| !self.body.is_end_stream());
        self
    }

    /// A header's text, if it is there and readable.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The length that the server states.
    pub(crate) fn stated_bytes(&self) -> Option<u64> {
        self.header(&header::CONTENT_LENGTH).and_then(|text| text.parse().ok())
    }

    /// First, behind last and total of a `Content-Range`: `bytes 0-9/100`, or `bytes */100` for a range that is not there.
    ///
    /// Source: RFC 9110, section 14.4.
    pub(crate) fn content_range(&self) -> Option<(Option<std::ops::Range<u64>>, u64)> {
        let (range, total) = self.header(&header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
        let total = total.parse().ok()?;
        if range == "*" {
            return Some((None, total));
        }
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last && last < total).then(|| (Some(first..last + 1), total))
    }

    /// All of a body that is expected to be short.
    ///
    /// # Errors
    /// [`Error::Io`] if it is longer than `bytes_max`, or ends early.
    pub(crate) async fn all(mut self, bytes_max: usize) -> Result<Bytes> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if all.len() + piece.len() > bytes_max {
                return Err(self.odd(format!("the answer is longer than the {bytes_max} bytes that it may have")));
            }
            all.extend_from_slice(&piece);
        }
        self.give_back();
        Ok(all.freeze())
    }

    /// A body of exactly `bytes` bytes.
    ///
    /// # Errors
    /// [`Error::Io`] if it has more or fewer.
    pub(crate) async fn exactly(mut self, bytes: u64) -> Result<Bytes> {
        let wanted = usize::try_from(bytes).map_err(|_| self.odd("so much fits into no memory".to_owned()))?;
        let mut all = BytesMut::with_capacity(wanted.min(RESERVED_BYTES));
        while let Some(piece) = self.next().await? {
            if all.len() + piece.len() > wanted {
                return Err(self.odd(format!("the answer has more than the {bytes} bytes asked for")));
            }
            if piece.len() == wanted {
                self.give_back_at_end().await?;
                return Ok(piece);
            }
            all.extend_from_slice(&piece);
        }
        if all.len() < wanted {
            return Err(self.odd(format!("the answer ends after {} of {bytes} bytes", all.len())));
        }
        self.give_back();
        Ok(all.freeze())
    }

    /// The bytes of `range` of `name`, as this answer to a request for them gives them.
    ///
    /// # Errors
    /// [`Error::Short`] if the object ends before them. [`Error::Io`] if it gives others, more or fewer: a server that ignores
    /// ranges is told by its status, and nothing of such an answer is read.
    pub(crate) async fn take_range(self, wire: &Wire, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        let (given, total) = match (self.status, self.content_range()) {
            // rclone answers 200 and says which range it is.
            (StatusCode::PARTIAL_CONTENT | StatusCode::OK, Some((Some(given), total))) => (given, total),
            // Some servers answer so when the range is the whole object.
            (StatusCode::OK, None)
                if range.start == 0 && self.stated_bytes().is_some_and(|bytes| bytes <= range.end) =>
            {
                let bytes = self.stated_bytes().unwrap_or(0);
                (0..bytes, bytes)
            }
            (StatusCode::OK, _) => return Err(wire.odd("read", "it ignores ranges, and would send the whole object")),
            _ => return Err(wire.odd("read", "it does not say which range it sends")),
        };
        if total < range.end {
            let (target, name) = (wire.address.clone(), name.to_string());
            return Err(Error::Short { target, name, expected: range.end, got: total });
        }
        if given != range {
            return Err(wire.odd("read", "it sends another range than the one asked for"));
        }
        self.exactly(range.end - range.start).await
    }

    async fn give_back_at_end(mut self) -> Result<()> {
        match self.next().await? {
            None => {
                self.give_back();
                Ok(())
            }
            Some(_) => Err(self.odd("the answer has more bytes than asked for".to_owned())),
        }
    }

    /// The next bytes of the body, `None` at its end.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            self.tell(Pass::waits);
            let frame = tokio::select! {
                biased;
                frame = self.body.frame() => frame,
                () = self.timer.sleep(self.idle_us) => {
                    self.tell(Pass::stalled);
                    let (target, verb) = (self.address.clone(), self.verb);
                    return Err(Error::Timeout { target, verb, limit_ms: self.idle_us / 1_000 });
                }
            };
            let came = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            let came_bytes = came.map_or(0, Bytes::len);
            self.tell(|pass| pass.took(came_bytes));
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(self.io(io::Error::other(error))),
                // Trailers are passed over.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => {
                        self.counter.received(data.len());
                        return Ok(Some(data));
                    }
                    _ => {}
                },
            }
        }
    }

    /// Tells the gate how the body comes.
    fn tell(&mut self, what: impl FnOnce(&mut Pass)) {
        if let Some(pass) = &mut self.pass {
            what(pass);
        }
    }

    /// Lets the connection be used again; only once the body was read to its end.
    fn give_back(&mut self) {
        if let Some((sender, pool, pulse)) = self.carrier.take()
            && pulse.ended.load(Ordering::Relaxed)
        {
            pool.give_back(sender);
        }
    }

    fn odd(&self, what: String) -> Error {
        self.io(io::Error::new(ErrorKind::InvalidData, what))
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io { target: self.address.clone(), verb: self.verb, source: Arc::new(source) }
    }
}
