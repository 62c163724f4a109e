//! What the doors are asked for, watched from where requests arrive: an id for each, one line in the log when its answer has
//! gone out, and counts for a monitor.
//!
//! A line and a count name the *route* as it is written in the program (`/api/v1/files/{*path}`), never what a client filled in:
//! names of files, codes of links and tokens are in addresses, and logs and monitors are read by many. Counts are kept for each
//! door (the first part of a route) and whether it reads or changes, so there is a bound to them.
//!
//! The id is in the answer's `x-request-id` and beside everything that is logged while the request is worked on. A proxy that the
//! operator has named may give it; anybody else's is not taken, because it would end up in the log.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use hyper::{
    Method,
    body::{Body as HttpBody, Frame, SizeHint},
    header::{HeaderName, HeaderValue},
};
use model::latency::Latency;
use service::Service;

use crate::{
    client::{Peer, Proxies},
    tls::Certificates,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Of an id that a proxy gives.
const ID_BYTES_MAX: usize = 64;
/// What the routes of the interface begin with.
const INTERFACE: &str = "/api/v1/";
/// The door of what matches no route: the page's files, and whatever else is asked for.
const PAGE: &str = "page";

/// Watches all requests of the doors. One for a program, shared.
pub struct Watch {
    service: Service,
    proxies: Proxies,
    certificates: Option<Arc<Certificates>>,
    /// Where ids start: no two starts of the program give the same ones.
    first: u64,
    begun: AtomicU64,
    connections: AtomicU64,
    under_way: AtomicU64,
    doors: Mutex<BTreeMap<String, Door>>,
}

/// What one door was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Door {
    /// Requests that only look.
    pub read: Asked,
    /// Requests that may change something.
    pub change: Asked,
}

/// Requests of one kind at one door.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// Answers by the first digit of their status, from 1.
    pub answers: [u64; 5],
    /// Time until the head of the answer was there.
    pub latency: Latency,
    /// Bytes of bodies that went out.
    pub out_bytes: u64,
}

impl Watch {
    /// Watches the doors to `service`; `proxies` are those whose word counts.
    pub fn new(service: Service, proxies: Proxies) -> Arc<Self> {
        Self::over(service, proxies, None)
    }

    /// The same where TLS ends here, if there are certificates.
    pub fn over(service: Service, proxies: Proxies, certificates: Option<Arc<Certificates>>) -> Arc<Self> {
        let now = service.now();
        Arc::new(Self {
            first: now.wall_us.unsigned_abs() ^ now.monotonic_us.rotate_left(32),
            service,
            proxies,
            certificates,
            begun: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            doors: Mutex::default(),
        })
    }

    /// The service behind the doors.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The proxies whose word counts.
    pub fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// The certificates of the doors, if TLS ends here.
    pub fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.certificates.as_ref()
    }

    /// What each door was asked for so far, by its name.
    pub fn doors(&self) -> BTreeMap<String, Door> {
        self.counts().clone()
    }

    /// Connections that are open, and requests whose answer has not gone out yet.
    pub fn open(&self) -> (u64, u64) {
        (self.connections.load(Ordering::Relaxed), self.under_way.load(Ordering::Relaxed))
    }

    /// Counts a connection until what is returned is dropped.
    pub(crate) fn connected(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connected(Arc::clone(self))
    }

    /// Begins to watch a request.
    pub(crate) fn begin<B>(self: &Arc<Self>, request: &hyper::Request<B>, peer: Peer) -> Asking {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let given = request.headers().get(&REQUEST_ID).filter(|_| self.proxies.has(peer.0));
        let id = given.filter(|value| is_id(value)).cloned().unwrap_or_else(|| id(self.first.wrapping_add(number)));
        Asking {
            id,
            method: request.method().clone(),
            begun_us: self.service.now().monotonic_us,
            route: None,
            status: 0,
            out_bytes: 0,
            expected: None,
            watch: Arc::clone(self),
        }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, Door>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, door: &str, reads: bool, count: impl FnOnce(&mut Asked)) {
        let mut doors = self.counts();
        if !doors.contains_key(door) {
            doors.insert(door.to_owned(), Door::default());
        }
        if let Some(known) = doors.get_mut(door) {
            count(if reads { &mut known.read } else { &mut known.change });
        }
    }
}

/// A counted connection.
pub(crate) struct Connected(Arc<Watch>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request on its way; its line is written when this is dropped, with its answer's body.
pub(crate) struct Asking {
    id: HeaderValue,
    method: Method,
    begun_us: u64,
    route: Option<MatchedPath>,
    /// Of its answer; 0 if the client went away before there was one.
    status: u16,
    out_bytes: u64,
    /// Bytes that the body announced; `None` if it did not, or was not to be sent.
    expected: Option<u64>,
    watch: Arc<Watch>,
}

impl Asking {
    /// The request's id.
    pub fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// Its answer's head is there: it carries the id, and its body is watched from here on.
    pub fn answered(mut self, response: Response) -> Response {
        let (mut head, body) = response.into_parts();
        self.route = head.extensions.remove::<MatchedPath>();
        self.status = head.status.as_u16();
        let bodiless = self.method == Method::HEAD || matches!(self.status, 100..=199 | 204 | 304);
        self.expected = body.size_hint().exact().filter(|_| !bodiless);
        let (class, took_us) = (usize::from(self.status / 100), self.took_us());
        self.count(|asked| {
            if let Some(count) = asked.answers.get_mut(class.saturating_sub(1)) {
                *count += 1;
            }
            asked.latency.note(took_us);
        });
        head.headers.insert(REQUEST_ID, self.id.clone());
        Response::from_parts(head, Body::new(Told { body, watched: self }))
    }

    fn took_us(&self) -> u64 {
        self.watch.service.now().monotonic_us.saturating_sub(self.begun_us)
    }

    fn count(&self, count: impl FnOnce(&mut Asked)) {
        let door = self.route.as_ref().map_or(PAGE, |route| door_of(route.as_str()));
        let reads = matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS);
        self.watch.count(door, reads, count);
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.watch.under_way.fetch_sub(1, Ordering::Relaxed);
        let bytes = self.out_bytes;
        self.count(|asked| asked.out_bytes = asked.out_bytes.saturating_add(bytes));
        tracing::info!(
            id = self.id(),
            method = self.method.as_str(),
            route = self.route.as_ref().map_or(PAGE, MatchedPath::as_str),
            status = self.status,
            bytes,
            ms = self.took_us() / 1_000,
            cut = self.status == 0 || self.expected.is_some_and(|expected| bytes < expected),
            "request"
        );
    }
}

/// A body that goes out, and is watched.
struct Told {
    body: Body,
    watched: Asking,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(bytes) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.watched.out_bytes += bytes.len() as u64;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Notes the route that a request matched beside its answer, where the watch finds it.
pub(crate) async fn note_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

/// `/api/v1/files/{*path}` is the door `files`, `/healthz` is `healthz`.
fn door_of(route: &str) -> &str {
    let within = route.strip_prefix(INTERFACE).unwrap_or_else(|| route.trim_start_matches('/'));
    within.split('/').next().filter(|door| !door.is_empty() && !door.starts_with('{')).unwrap_or(PAGE)
}

/// Whether a text may be an id: short, and nothing that a log or a header would take for more than letters.
fn is_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(plain)
}

/// The id of the n-th request: numbers that follow each other look nothing alike.
///
/// Source: the last step of SplitMix64 (Steele, Lea, Flood, 2014), a bijection.
fn id(number: u64) -> HeaderValue {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let text = format!("{:016x}", mixed ^ (mixed >> 31));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::{door_of, id, is_id};

    #[test]
    fn a_door_is_the_first_part_of_a_route_and_never_what_a_client_wrote() {
        for (route, door) in [
            ("/api/v1/files/{*path}", "files"),
            ("/api/v1/links/{code}/zip/{*path}", "links"),
            ("/api/v1/uploads/", "uploads"),
            ("/healthz", "healthz"),
            ("/", "page"),
            ("/{bucket}/{*key}", "page"),
        ] {
            assert_eq!(door_of(route), door, "{route}");
        }
    }

    #[test]
    fn ids() {
        for good in ["a", "0f-3.b_Z", &"x".repeat(64)] {
            assert!(HeaderValue::from_str(good).is_ok_and(|value| is_id(&value)), "{good}");
        }
        for bad in ["", "a b", "a\tb", "id=1", "\"", &"x".repeat(65)] {
            assert!(HeaderValue::from_str(bad).is_ok_and(|value| !is_id(&value)), "{bad}");
        }
        let ids: std::collections::BTreeSet<_> = (0..1_000).map(|n| id(n).as_bytes().to_vec()).collect();
        assert!(ids.len() == 1_000 && ids.iter().all(|id| id.len() == 16));
    }
}
