//! Connections: accepted up to a bound, each with limits on how long a silent peer is waited for.
//!
//! Every request is answered by a task of its own, so that a client that goes away breaks its body, never the work: what
//! came of an upload until then is brought to safety. A refused request whose body was not read is answered at once with
//! `Connection: close`; then the sending side is closed and what still arrives is thrown away for a moment, because a
//! socket closed with bytes unread resets the connection and with it the answer (RFC 9112 section 9.6).

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, response::IntoResponse, response::Response};
use hyper::{
    Request,
    body::Incoming,
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};

use tracing::Instrument as _;

use crate::{
    auth::FORWARDED_PROTO,
    body::Watched,
    client::Peer,
    error::Problem,
    line::Line,
    patience::{Patience, at_most, pause},
    tls::Certificates,
    watch::{Asking, Watch},
};

/// How connections are bounded.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; more wait in the system's queue. Each may hold a buffer and two file descriptors.
    pub connections_max: usize,
    /// A request's head must have come within this time; also how long an idle connection is kept.
    pub head: Duration,
    /// A body that brings nothing, or an answer of which nothing is taken, for this long is given up.
    pub idle: Duration,
    /// On shutdown, how long requests under way may take.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { connections_max: 1_024, head: s(10), idle: s(60), farewell: s(10) }
    }
}

/// The largest piece that is read from a socket at once. Larger pieces save calls, but every upload holds one.
const READ_BYTES_MAX: usize = 256 << 10;
/// What is thrown away after a refusal at most, and for how long.
const LINGER_BYTES_MAX: usize = 64 << 20;
const LINGER: Duration = Duration::from_secs(2);

/// Serves `router` until `shutdown` completes; requests under way are then finished, within limits.
pub async fn run(
    listener: TcpListener,
    router: Router,
    watch: Arc<Watch>,
    tls: Option<Arc<Certificates>>,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            // Never closed, so a slot always comes.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = &mut shutdown => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let peer = Peer(peer.ip());
                let (router, watch, stopped) = (router.clone(), Arc::clone(&watch), stopped.clone());
                let tls = tls.clone();
                connections.spawn(async move {
                    let counted = watch.connected();
                    // Without it small answers wait for the peer's delayed acknowledgement.
                    let _ = stream.set_nodelay(true);
                    if let Some(line) = Line::begin(stream, tls, limits.head).await {
                        connection((line, peer), router, watch, limits, stopped).await;
                    }
                    drop((slot, counted));
                });
            }
            // The peer is gone already, or we have no descriptors left: others end soon.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                pause(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let _ = stop.send(true);
    let ended = at_most(limits.farewell, async { while connections.join_next().await.is_some() {} }).await;
    if ended.is_none() {
        tracing::warn!(left = connections.len(), "connections were cut at shutdown");
    }
}

async fn connection(
    (stream, peer): (Line, Peer),
    router: Router,
    watch: Arc<Watch>,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let secure = stream.is_secure();
    let unread = Arc::new(AtomicBool::new(false));
    let service = TowerToHyperService::new(router);
    let answers = service_fn({
        let unread = Arc::clone(&unread);
        move |mut request: Request<Incoming>| {
            if secure {
                // What a proxy would say; whatever a client said of it is gone.
                request.headers_mut().insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
            }
            let watched = watch.begin(&request, peer);
            Box::pin(answer(service.clone(), (request, peer), watched, limits.idle, Arc::clone(&unread)))
        }
    });
    let io = TokioIo::new(Guarded { stream, patience: Patience::new(limits.idle) });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(READ_BYTES_MAX)
        .serve_connection(io, answers);
    let stop = async {
        // An error says that the sender is gone, and the server with it.
        let _ = stopped.wait_for(|&stopped| stopped).await;
    };
    let result = tokio::select! {
        result = poll_fn(|cx| connection.poll_without_shutdown(cx)) => result,
        () = stop => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    if let Err(error) = &result {
        tracing::debug!(%error, "a connection broke");
    }
    // After an error nothing more is said: the peer must see that an answer was cut.
    let mut io = connection.into_parts().io.into_inner();
    if result.is_ok() && io.stream.shutdown().await.is_ok() && unread.load(Ordering::Acquire) {
        at_most(LINGER, linger(&mut io.stream)).await;
    }
}

/// Answers one request in a task of its own.
#[allow(clippy::disallowed_methods, reason = "work for a real socket, which the simulator does not have")]
async fn answer(
    service: TowerToHyperService<Router>,
    (request, peer): (Request<Incoming>, Peer),
    watched: Asking,
    idle: Duration,
    unread: Arc<AtomicBool>,
) -> Result<Response, Infallible> {
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(peer);
    let (body, ended) = Watched::new(body, idle);
    let request = Request::from_parts(parts, Body::new(body));
    let span = tracing::info_span!("request", id = watched.id());
    let mut response = match tokio::spawn(service.call(request).instrument(span)).await {
        Ok(Ok(response)) => response,
        Err(panic) => Problem::bug(panic).into_response(),
    };
    if !ended.get() {
        unread.store(true, Ordering::Release);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(watched.answered(response))
}

/// Throws away what arrives until the peer closes.
async fn linger(stream: &mut Line) {
    let mut waste = vec![0; 64 << 10];
    let mut left = LINGER_BYTES_MAX;
    while let Ok(got) = stream.read(&mut waste).await {
        left = left.saturating_sub(got);
        if got == 0 || left == 0 {
            return;
        }
    }
}

/// A socket that gives up on a peer which takes nothing of what is sent to it.
struct Guarded {
    stream: Line,
    patience: Patience,
}

impl Guarded {
    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.patience.refresh();
            return written;
        }
        self.patience.poll_out(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing")))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
