//! Connections to one service: kept after use, at most as many as there are transfers at a time.
//!
//! A connection goes back to the idle list only when both bodies, ours and the answer's, ended properly. A kept connection
//! that turns out closed costs one fresh try, and only if not a byte of the request left.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri,
    body::{Body, Frame, Incoming, SizeHint},
    client::conn::http1::{self, SendRequest},
    header::HOST,
};
use hyper_util::rt::TokioIo;
use model::Class;
use tokio::{net::TcpStream, sync::mpsc};

use crate::error::{Error, Result};

/// A piece of a file on its way: large enough for few wake-ups, small enough that eight transfers stay far below 16 MiB.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces that are read ahead of the connection.
const PIECES_AHEAD: usize = 2;
/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The most that is read of an answer that is kept in memory.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Called with the number of bytes whenever some have moved.
pub type Meter = Arc<dyn Fn(u64) + Send + Sync>;

/// The connections to one service.
pub struct Http {
    host: String,
    port: u16,
    authority: String,
    idle: Mutex<Vec<SendRequest<Outgoing>>>,
}

impl Http {
    /// Takes `http://host:port`; nothing is connected yet.
    ///
    /// # Errors
    /// Refused: not such a URL, or one of `https`.
    pub fn new(url: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::refused(format!("'{url}' is not the address of a service: {why}"))
                .hint("set HOLDFAST_URL to what `holdfast serve` printed, for example http://127.0.0.1:4620")
        };
        let uri: Uri = url.parse().map_err(|_| bad("it cannot be read as a URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(Error::refused("this version speaks plain http only").hint(
                    "run the client on the service's machine or through a tunnel, for example `ssh -L 4620:127.0.0.1:4620 HOST`",
                ));
            }
            _ => return Err(bad("it does not start with http://")),
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err(bad("it has more than host and port"));
        }
        let authority = uri.authority().ok_or_else(|| bad("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("it carries a password; the token goes to HOLDFAST_TOKEN"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { host, port, authority: authority.to_string(), idle: Mutex::new(Vec::new()) })
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// Retry: no connection, or it broke.
    pub async fn send(self: &Arc<Self>, mut request: Request<Outgoing>) -> Result<Answer> {
        let authority =
            self.authority.parse().map_err(|_| Error::new(Class::Bug, "the address is not a header value"))?;
        request.headers_mut().insert(HOST, authority);
        let sent = request.body().sent.clone();
        loop {
            let (mut connection, kept) = match self.take_idle().await {
                Some(connection) => (connection, true),
                None => (self.connect().await?, false),
            };
            match connection.try_send_request(request).await {
                Ok(response) => return Ok(Answer::new(response, connection, sent, Arc::clone(self))),
                Err(mut refused) => match refused.take_message() {
                    Some(unsent) if kept => request = unsent,
                    _ => return Err(self.broken(refused.error())),
                },
            }
        }
    }

    /// What a broken connection means to its user.
    fn broken(&self, error: &hyper::Error) -> Error {
        let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), |source| source.to_string());
        Error::new(Class::Retry, format!("the connection to {} broke: {cause}", self.url()))
            .hint("run the same command again: what is there already is skipped, what was begun goes on")
    }

    async fn take_idle(&self) -> Option<SendRequest<Outgoing>> {
        loop {
            let mut connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if !connection.is_closed() && connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<SendRequest<Outgoing>> {
        let unreachable = |cause: String| {
            Error::new(Class::Retry, format!("no service answers at {}: {cause}", self.url()))
                .hint("is `holdfast serve` running there? HOLDFAST_URL says where to look")
        };
        let stream = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect((self.host.as_str(), self.port)))
            .await
            .map_err(|_| unreachable("no connection within 10 s".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| unreachable(error.to_string()))?;
        let (sender, connection) = http1::Builder::new()
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        // The connection's own errors come out of the request that it serves.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}

/// An answer whose body is still to be read.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: Incoming,
    connection: Option<SendRequest<Outgoing>>,
    sent: Arc<AtomicBool>,
    http: Arc<Http>,
}

impl Answer {
    fn new(
        response: Response<Incoming>,
        connection: SendRequest<Outgoing>,
        sent: Arc<AtomicBool>,
        http: Arc<Http>,
    ) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, body, connection: Some(connection), sent, http }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next bytes of the body; `None` at its proper end.
    ///
    /// # Errors
    /// Retry: the connection broke, and what came is not all.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(bytes) = frame.map_err(|error| self.http.broken(&error))?.into_data() {
                return Ok(Some(bytes));
            }
        }
        if let Some(connection) = self.connection.take()
            && self.sent.load(Ordering::Acquire)
        {
            self.http.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        Ok(None)
    }

    /// The whole body, for answers that are small by their nature.
    ///
    /// # Errors
    /// As [`Self::chunk`]; Exhausted when it is longer than 64 MiB.
    pub async fn bytes(&mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(bytes) = self.chunk().await? {
            if all.len() + bytes.len() > ANSWER_BYTES_MAX {
                return Err(Error::new(Class::Exhausted, "the service's answer is longer than 64 MiB"));
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }
}

/// The body of a request: nothing, bytes, or a stretch of a file.
pub struct Outgoing {
    source: Source,
    left: u64,
    meter: Option<Meter>,
    /// Set once all of it was handed to the connection.
    sent: Arc<AtomicBool>,
}

enum Source {
    Bytes(Bytes),
    File(mpsc::Receiver<io::Result<Bytes>>),
}

impl Outgoing {
    /// No body.
    pub fn empty() -> Self {
        Self::bytes(Bytes::new(), None)
    }

    /// Bytes in memory.
    pub fn bytes(bytes: Bytes, meter: Option<Meter>) -> Self {
        let left = bytes.len() as u64;
        Self { source: Source::Bytes(bytes), left, meter, sent: Arc::new(AtomicBool::new(left == 0)) }
    }

    /// `length` bytes of `file` from `offset`, read on a thread of its own a little ahead of the connection. A file that
    /// turns out shorter breaks the request: half a file is never taken for a whole one.
    pub fn file(file: File, offset: u64, length: u64, meter: Meter) -> Self {
        let (pieces, source) = mpsc::channel(PIECES_AHEAD);
        tokio::task::spawn_blocking(move || read_ahead(file, offset, length, &pieces));
        Self {
            source: Source::File(source),
            left: length,
            meter: Some(meter),
            sent: Arc::new(AtomicBool::new(length == 0)),
        }
    }
}

/// Reads until the end, an error, or until nobody listens.
fn read_ahead(mut file: File, offset: u64, length: u64, pieces: &mpsc::Sender<io::Result<Bytes>>) {
    let mut left = length;
    let mut read = || -> io::Result<()> {
        file.seek(SeekFrom::Start(offset))?;
        while left > 0 {
            let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(left).unwrap_or(PIECE_BYTES))];
            file.read_exact(&mut piece)?;
            left -= piece.len() as u64;
            if pieces.blocking_send(Ok(Bytes::from(piece))).is_err() {
                return Ok(());
            }
        }
        Ok(())
    };
    if let Err(error) = read() {
        drop(pieces.blocking_send(Err(error)));
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match &mut this.source {
            Source::Bytes(bytes) => Some(Ok(std::mem::take(bytes))),
            Source::File(pieces) => match pieces.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(piece) => piece,
            },
        };
        match piece {
            Some(Ok(bytes)) => {
                this.left -= bytes.len() as u64;
                if let Some(meter) = &this.meter {
                    meter(bytes.len() as u64);
                }
                this.sent.store(this.left == 0, Ordering::Release);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Http;

    #[test]
    fn addresses() {
        for (url, host, port) in [
            ("http://127.0.0.1:4620", "127.0.0.1", 4_620),
            ("http://[::1]:9/", "::1", 9),
            ("http://files.example", "files.example", 80),
        ] {
            let http = Http::new(url).unwrap();
            assert_eq!((http.host.as_str(), http.port), (host, port), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:4620",
            "https://files.example",
            "http://",
            "http://a/b",
            "http://me:pw@a",
            "ftp://a",
            "http://a/?q",
        ] {
            assert!(Http::new(url).is_err(), "{url}");
        }
    }
}
