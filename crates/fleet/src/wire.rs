//! HTTP/1.1 to one server: what the S3 and the WebDAV driver have in common.
//!
//! Written over `hyper` alone, because a firm's server is not trusted and everything about it must be bounded: no redirect is
//! followed (an address that leads to an inner one is an error that says so), no answer is read beyond what was asked for,
//! nothing is waited for without a limit, and every wait goes through `model::world::Timer`.
//!
//! - [`endpoint`] is the address, `connection` the way to it (TCP, [`tls`] by aws-lc-rs), [`body`] what is sent, [`answer`] what
//!   comes back, `gate` the memory that the server is away, [`text`] and [`xml`] what is written and read.
//! - A server that cannot be connected to, that takes a request and stays silent, or that begins an answer and stops in its middle,
//!   costs *one* time-out: until a pause is over, everybody else is told [`Error::Down`] at once.
//! - A connection is used again only within [`REUSE_US`] of its last answer: servers close idle ones after some seconds, and a
//!   write that meets such an end is lost.

pub(crate) mod answer;
pub(crate) mod body;
mod connection;
pub(crate) mod endpoint;
mod gate;
pub(crate) mod text;
mod tls;
pub(crate) mod xml;

pub use self::tls::Tls;

use std::sync::{Arc, Mutex, Weak, atomic::Ordering};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request, Response,
    body::{Body, Incoming},
    header,
};
use model::world::{Clock, Timer, World};

use self::{
    answer::Answer,
    body::{Outgoing, Pulse},
    connection::{Dialer, Sender},
    endpoint::Endpoint,
    gate::{Gate, LEARNT_US, Pass},
};
use crate::{
    lock,
    target::{Error, Result},
    traffic::{Counter, Kind},
};

/// Until a connection stands, TLS included.
const CONNECT_US: u64 = 10_000_000;
/// Without a byte in either direction, when it is the server's turn.
const IDLE_US: u64 = 30_000_000;
/// How long an unused connection is trusted. Apache closes after 5 s.
const REUSE_US: u64 = 3_000_000;
const IDLE_CONNECTIONS: usize = 32;

/// How to reach private servers.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// Certificates in PEM that alone are trusted, instead of those of this machine: for a server with a private authority.
    pub authority_pem: Option<Bytes>,
}

/// What is asked.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Path and query, encoded.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Outgoing,
    /// Whether it goes over a new connection: a used one may be ending.
    pub(crate) afresh: bool,
}

impl Asked {
    /// Whether a second time changes nothing more than the first, and is answered alike.
    fn may_be_repeated(&self) -> bool {
        let is_conditional =
            [header::IF_NONE_MATCH, header::IF_MATCH].iter().any(|name| self.headers.contains_key(name));
        !is_conditional && matches!(self.method.as_str(), "GET" | "HEAD" | "PROPFIND" | "PUT" | "DELETE" | "MKCOL")
    }
}

/// The way to one server.
pub(crate) struct Wire {
    pub(crate) endpoint: Endpoint,
    /// The target, for messages.
    pub(crate) address: String,
    dialer: Dialer,
    gate: Arc<Gate>,
    pool: Arc<Pool>,
    timer: Arc<dyn Timer>,
    pub(crate) counter: Counter,
}

/// Connections that wait for their next request.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
}

#[derive(Default)]
struct Idle {
    /// Each with the time of its last answer.
    senders: Vec<(Sender, u64)>,
    /// Whether somebody comes by who closes them. Some servers never do, and a large fleet has a pool to each target.
    is_closed_in_time: bool,
}

impl Idle {
    fn close_old(&mut self, now_us: u64) {
        self.senders.retain(|(sender, since_us)| !sender.is_closed() && now_us.saturating_sub(*since_us) < REUSE_US);
    }
}

impl Pool {
    pub(crate) fn give_back(self: &Arc<Self>, sender: Sender) {
        let now_us = self.clock.now().monotonic_us;
        let mut idle = lock(&self.idle);
        if idle.senders.len() < IDLE_CONNECTIONS && !sender.is_closed() {
            idle.senders.push((sender, now_us));
            if !std::mem::replace(&mut idle.is_closed_in_time, true) {
                self.timer.spawn(Box::pin(Self::close_in_time(Arc::downgrade(self), Arc::clone(&self.timer))));
            }
        }
    }

    fn take(&self) -> Option<Sender> {
        let now_us = self.clock.now().monotonic_us;
        let mut idle = lock(&self.idle);
        idle.close_old(now_us);
        idle.senders.pop().map(|(sender, _)| sender)
    }

    /// Comes by until no connection waits any more.
    async fn close_in_time(pool: Weak<Self>, timer: Arc<dyn Timer>) {
        loop {
            timer.sleep(REUSE_US).await;
            let Some(pool) = pool.upgrade() else { return };
            let now_us = pool.clock.now().monotonic_us;
            let mut idle = lock(&pool.idle);
            idle.close_old(now_us);
            if idle.senders.is_empty() {
                idle.is_closed_in_time = false;
                return;
            }
        }
    }
}

/// Why there was no answer.
enum Failure {
    /// Not connected: nothing was sent.
    Connect(String),
    /// Connected, sent, and then nothing.
    Silent,
    /// The connection ended before an answer.
    Broken(hyper::Error),
}

impl Wire {
    /// Opens nothing.
    ///
    /// # Errors
    /// [`Error::BadAddress`] if the certificates of `options` are none.
    pub(crate) fn new(endpoint: Endpoint, address: String, options: &HttpOptions, world: &World) -> Result<Self> {
        let dialer = Dialer::new(&endpoint, options, Arc::clone(&world.timer))
            .map_err(|reason| Error::BadAddress { address: address.clone(), reason })?;
        let (clock, timer) = (Arc::clone(&world.clock), Arc::clone(&world.timer));
        let pool = Arc::new(Pool { idle: Mutex::default(), clock, timer });
        let (gate, timer) = (Arc::new(Gate::new(Arc::clone(&world.clock))), Arc::clone(&world.timer));
        Ok(Self { endpoint, address, dialer, gate, pool, timer, counter: Counter::default() })
    }

    /// Asks, and returns status and headers; the answer's body is still on the wire.
    ///
    /// # Errors
    /// [`Error::Down`] when there is no connection, [`Error::Timeout`] on silence, [`Error::Io`] when the connection ends.
    pub(crate) async fn ask(&self, verb: &'static str, asked: Asked) -> Result<Answer> {
        let mut pass = self.gate.pass().map_err(|reason| self.down(reason))?;
        let again = if asked.may_be_repeated() { asked.body.again() } else { None };
        let (method, path, headers) = (asked.method.clone(), asked.path.clone(), asked.headers.clone());
        // A stream cannot be sent again, so it is not sent over a connection that may be about to end.
        let old = if asked.body.is_stream() || asked.afresh { None } else { self.pool.take() };
        let mut outcome = self.exchange(&pass, old, verb, asked).await;
        if let (Err((Failure::Broken(_), true)), Some(body)) = (&outcome, again) {
            // The server closed an idle connection while the request was on its way.
            let afresh = Asked { method, path, headers, body, afresh: true };
            outcome = self.exchange(&pass, None, verb, afresh).await;
        }
        match outcome {
            Ok(answer) => {
                pass.answering();
                Ok(answer.passed(pass))
            }
            Err((Failure::Connect(reason), _)) => {
                pass.failed(reason.clone());
                Err(self.down(reason))
            }
            Err((Failure::Silent, _)) => {
                pass.failed("it takes connections and does not answer".to_owned());
                Err(Error::Timeout { target: self.address.clone(), verb, limit_ms: IDLE_US / 1_000 })
            }
            Err((Failure::Broken(error), _)) => {
                pass.undecided();
                Err(self.io(verb, std::io::Error::other(error)))
            }
        }
    }

    /// One request over one connection. The flag of a failure says that the connection was an old one.
    async fn exchange(
        &self,
        pass: &Pass,
        old: Option<Sender>,
        verb: &'static str,
        asked: Asked,
    ) -> std::result::Result<Answer, (Failure, bool)> {
        let is_old = old.is_some();
        let mut request = self.request(asked).map_err(|reason| (Failure::Connect(reason), false))?;
        let pulse = request.body().pulse();
        if let Some(mut sender) = old {
            match self.first_answer(pass, &mut sender, &pulse, request).await {
                Ok(response) => return Ok(self.answer(response, sender, verb, pulse)),
                // Nothing of it was sent.
                Err((_, Some(unsent))) => request = unsent,
                Err((failure, None)) => return Err((failure, is_old)),
            }
        }
        let mut sender = self.dialer.connect(CONNECT_US).await.map_err(|reason| (Failure::Connect(reason), false))?;
        match self.first_answer(pass, &mut sender, &pulse, request).await {
            Ok(response) => Ok(self.answer(response, sender, verb, pulse)),
            Err((failure, _)) => Err((failure, false)),
        }
    }

    fn request(&self, asked: Asked) -> std::result::Result<Request<Outgoing>, String> {
        // What a question about a folder consists of is no content.
        let counter = if asked.method.as_str() == "PROPFIND" { Counter::default() } else { self.counter.clone() };
        let mut request = Request::new(asked.body.counted_by(counter));
        *request.method_mut() = asked.method;
        *request.uri_mut() = asked.path.parse().map_err(|_| "its path cannot be asked for".to_owned())?;
        *request.headers_mut() = asked.headers;
        if !request.headers().contains_key(header::HOST) {
            let host = self.endpoint.authority().parse().map_err(|_| "its name cannot be asked for".to_owned())?;
            request.headers_mut().insert(header::HOST, host);
        }
        // Some servers of S3 want to be told that there is nothing.
        if matches!(*request.method(), Method::PUT | Method::POST) && request.body().is_end_stream() {
            request.headers_mut().insert(header::CONTENT_LENGTH, header::HeaderValue::from_static("0"));
        }
        Ok(request)
    }

    /// Sends, and waits for status and headers for as long as bytes move, or for us to give it some.
    async fn first_answer(
        &self,
        pass: &Pass,
        sender: &mut Sender,
        pulse: &Arc<Pulse>,
        request: Request<Outgoing>,
    ) -> std::result::Result<Response<Incoming>, (Failure, Option<Request<Outgoing>>)> {
        // An old connection may still be busy with what its server never took.
        let is_ready = tokio::select! {
            biased;
            ready = sender.ready() => ready.is_ok(),
            () = self.timer.sleep(LEARNT_US) => false,
        };
        if !is_ready {
            return Err((Failure::Connect("it closes the connection".to_owned()), Some(request)));
        }
        pass.sending(pulse);
        let mut asking = self.counter.asking(Kind::of_http(request.method().as_str(), &request.uri().to_string()));
        let mut sent = std::pin::pin!(sender.try_send_request(request));
        let (mut before, mut still_us) = (0, 0);
        loop {
            tokio::select! {
                biased;
                result = &mut sent => return result.map_err(|mut error| {
                    let unsent = error.take_message();
                    if unsent.is_some() {
                        asking.never_left();
                    }
                    (Failure::Broken(error.into_error()), unsent)
                }),
                () = self.timer.sleep(LEARNT_US) => {
                    let frames = pulse.frames.load(Ordering::Relaxed);
                    if frames != before || pulse.starved.load(Ordering::Relaxed) {
                        (before, still_us) = (frames, 0);
                        pass.moved();
                    } else if still_us + LEARNT_US >= IDLE_US {
                        return Err((Failure::Silent, None));
                    } else {
                        still_us += LEARNT_US;
                    }
                }
            }
        }
    }

    fn answer(&self, response: Response<Incoming>, sender: Sender, verb: &'static str, pulse: Arc<Pulse>) -> Answer {
        let carrier = (sender, Arc::clone(&self.pool), pulse);
        let counter = self.counter.clone();
        Answer::new(response, carrier, counter, self.address.clone(), verb, Arc::clone(&self.timer), IDLE_US)
    }

    pub(crate) fn down(&self, reason: impl Into<String>) -> Error {
        Error::Down { target: self.address.clone(), reason: reason.into() }
    }

    pub(crate) fn io(&self, verb: &'static str, source: std::io::Error) -> Error {
        Error::Io { target: self.address.clone(), verb, source: Arc::new(source) }
    }

    /// The error for an answer that no rule allows.
    pub(crate) fn odd(&self, verb: &'static str, what: impl Into<String>) -> Error {
        self.io(verb, std::io::Error::new(std::io::ErrorKind::InvalidData, what.into()))
    }

    /// The error for a redirect.
    pub(crate) fn redirected(&self, answer: &Answer) -> Error {
        let to = answer.header(&header::LOCATION).map_or("elsewhere", |to| text::origin(to));
        self.down(format!(
            "it redirects to {to}, and redirects are not followed: give the address (and region) of the server itself"
        ))
    }
}
