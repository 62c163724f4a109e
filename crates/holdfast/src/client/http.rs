//! Connections to one service: kept after use, at most as many as there are transfers at a time.
//!
//! A connection goes back to the idle list only when both bodies, ours and the answer's, ended properly. A kept connection
//! that turns out closed costs one fresh try, and only if not a byte of the request left. An address may be `https`, and
//! below a path: services stand behind proxies.

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
use fleet::Tls;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri,
    body::{Body, Frame, Incoming, SizeHint},
    client::conn::http1::{self, SendRequest},
    header::HOST,
};
use hyper_util::rt::TokioIo;
use model::Class;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
};

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
    /// What comes before `/api/v1` where a proxy serves it below a path; empty or `/path`.
    base: String,
    tls: Option<Tls>,
    idle: Mutex<Vec<SendRequest<Outgoing>>>,
}

impl Http {
    /// Takes `http[s]://host[:port][/path]`; nothing is connected yet.
    ///
    /// # Errors
    /// Refused: not such a URL; this machine knows no authority to check a certificate against.
    pub fn new(url: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::refused(format!("'{url}' is not the address of a service: {why}"))
                .hint("set HOLDFAST_URL to what `holdfast serve` printed, for example http://127.0.0.1:4620")
        };
        let uri: Uri = url.parse().map_err(|_| bad("it cannot be read as a URL"))?;
        let (tls, usual_port) = match uri.scheme_str() {
            Some("http") => (None, 80),
            Some("https") => (Some(Tls::of_machine().map_err(Error::refused)?), 443),
            _ => return Err(bad("it does not start with https:// or http://")),
        };
        if uri.query().is_some() || url.contains('#') {
            return Err(bad("it has more than host, port and path"));
        }
        let base = uri.path().trim_end_matches('/').to_owned();
        let authority = uri.authority().ok_or_else(|| bad("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("it carries a password; the token goes to HOLDFAST_TOKEN"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(usual_port);
        Ok(Self { host, port, authority: authority.to_string(), base, tls, idle: Mutex::new(Vec::new()) })
    }

    /// The address again, without a slash at its end.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.base)
    }

    /// Whether nobody on the way can read along: by TLS, or because there is no way.
    pub fn is_private(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.tls.is_some() || self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Scheme, host and port.
    fn origin(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.authority)
    }

    /// The path below the service's address that a `Location` names; `None` if it leads elsewhere.
    pub fn own_path<'a>(&self, location: &'a str) -> Option<&'a str> {
        let path = location.strip_prefix(&self.origin()).unwrap_or(location);
        let path = path.strip_prefix(&self.base).filter(|rest| rest.starts_with('/')).unwrap_or(path);
        path.starts_with("/api/v1/").then_some(path)
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// Retry: no connection, or it broke.
    pub async fn send(self: &Arc<Self>, mut request: Request<Outgoing>) -> Result<Answer> {
        let bad = || Error::new(Class::Bug, "the address cannot be asked for");
        request.headers_mut().insert(HOST, self.authority.parse().map_err(|_| bad())?);
        if !self.base.is_empty() {
            *request.uri_mut() = format!("{}{}", self.base, request.uri()).parse().map_err(|_| bad())?;
        }
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
        let Some(tls) = &self.tls else { return speak(stream).await.map_err(unreachable) };
        let stream = tokio::time::timeout(CONNECT_LIMIT, tls.connect(&self.host, stream)).await;
        let stream = stream.map_err(|_| unreachable("no TLS within 10 s".to_owned()))?;
        let stream = stream.map_err(|error| {
            Error::new(Class::Refused, format!("{} cannot show that it is who it says: {error}", self.url()))
                .hint("a private authority's certificates are named by SSL_CERT_FILE; nothing was sent")
        })?;
        speak(stream).await.map_err(unreachable)
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> std::result::Result<SendRequest<Outgoing>, String> {
    let line = http1::Builder::new().handshake(TokioIo::new(stream)).await;
    let (sender, connection) = line.map_err(|error| error.to_string())?;
    // The connection's own errors come out of the request that it serves.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
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
            ("https://files.example/cloud/", "files.example", 443),
        ] {
            let http = Http::new(url).unwrap();
            assert_eq!((http.host.as_str(), http.port), (host, port), "{url}");
        }
        for url in ["", "127.0.0.1:4620", "http://", "http://a/b#c", "http://me:pw@a", "ftp://a", "http://a/?q"] {
            assert!(Http::new(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_location_is_below_the_address_or_elsewhere() {
        let http = Http::new("http://a.example/cloud/").unwrap();
        assert_eq!(http.url(), "http://a.example/cloud");
        for location in ["/api/v1/uploads/7", "/cloud/api/v1/uploads/7", "http://a.example/cloud/api/v1/uploads/7"] {
            assert_eq!(http.own_path(location), Some("/api/v1/uploads/7"), "{location}");
        }
        for location in ["http://b.example/api/v1/uploads/7", "//b.example/api/v1/x", "/cloudy/api/v1/x", "x"] {
            assert_eq!(http.own_path(location), None, "{location}");
        }
    }
}
