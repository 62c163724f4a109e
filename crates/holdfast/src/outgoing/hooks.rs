//! Events to webhooks, over HTTP, to nobody inside.
//!
//! A name is looked up once for each try, and the connection goes to an address of that answer and no other: whoever answers
//! differently the next time gains nothing. If one of them is inner ([`super::inner`]) and the configuration does not allow it,
//! nothing is sent at all. No redirect is followed, nothing of an answer but its status is used or shown, and everything has an end.
//!
//! Source: Standard Webhooks 1.0 for headers and signature.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_lc_rs::hmac;
use bytes::Bytes;
use fleet::Tls;
use gateway::{client::Range, shape};
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, Uri, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use model::world::BoxFuture;
use service::{Courier, Delivered, Parcel};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

use super::inner::is_inner;

/// Until a connection stands, and for all of one try.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
/// Names that are looked up at a time. The machine's resolver takes a thread for each, of those that read and write files, and
/// keeps it after nobody waits any more.
const LOOKUPS: usize = 8;
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;
/// Headers of an answer.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Looks names up.
pub trait Resolver: Send + Sync {
    /// The addresses of a host.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// As this machine does.
pub struct OfMachine;

impl Resolver for OfMachine {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect()) })
    }
}

/// Carries events.
pub struct Web {
    /// Inner addresses that are allowed.
    inner: Vec<Range>,
    resolver: Arc<dyn Resolver>,
    lookups: Arc<Semaphore>,
    tls: OnceLock<Tls>,
    /// For all of one try.
    whole: Duration,
}

/// A webhook's address, read.
struct Place {
    secure: bool,
    host: String,
    port: u16,
    /// As the header says it.
    authority: String,
    /// With the query.
    path: String,
}

impl Web {
    /// What may be reached beside the world outside, and who looks names up.
    pub fn new(inner: Vec<Range>, resolver: Arc<dyn Resolver>) -> Self {
        let lookups = Arc::new(Semaphore::new(LOOKUPS));
        Self { inner, resolver, lookups, tls: OnceLock::new(), whole: WHOLE }
    }

    /// What a name stands for. The turn ends with the lookup, not with whoever waited for it.
    async fn look_up(&self, host: String) -> Vec<IpAddr> {
        let Ok(turn) = Arc::clone(&self.lookups).acquire_owned().await else { return Vec::new() };
        let resolver = Arc::clone(&self.resolver);
        let found = tokio::spawn(async move {
            let found = resolver.resolve(&host).await;
            drop(turn);
            found.unwrap_or_default()
        });
        found.await.unwrap_or_default()
    }

    /// The addresses that a place may be reached at, all of them allowed.
    async fn find(&self, place: &Place) -> Result<Vec<IpAddr>, String> {
        let found = match place.host.parse() {
            Ok(number) => vec![number],
            Err(_) => timeout(CONNECT, self.look_up(place.host.clone())).await.unwrap_or_default(),
        };
        if found.is_empty() {
            return Err("its name is not known".to_owned());
        }
        for address in &found {
            let allowed = self.inner.iter().any(|range| range.has(*address));
            if !allowed && is_inner(*address) {
                return Err(
                    "it is an inner address, which webhooks do not reach here; the operator can allow it".to_owned()
                );
            }
            if !allowed && !place.secure {
                return Err(
                    "it begins with http://; outside of this machine's own network it has to be https://".to_owned()
                );
            }
        }
        Ok(found)
    }

    async fn send(&self, parcel: &Parcel) -> Result<StatusCode, String> {
        let place = Place::read(&parcel.address)?;
        let addresses = self.find(&place).await?;
        let mut last = "nobody answers there".to_owned();
        for address in addresses.into_iter().take(ADDRESSES) {
            let stream = match timeout(CONNECT, TcpStream::connect(SocketAddr::new(address, place.port))).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    last = format!("no connection: {}", error.kind());
                    continue;
                }
                Err(_) => continue,
            };
            // From here on the receiver may have seen it: nobody else is tried.
            return if place.secure {
                let tls = self.tls()?.connect(&place.host, stream).await;
                self.ask(tls.map_err(|_| "it cannot show that it is who it says (TLS)".to_owned())?, &place, parcel)
                    .await
            } else {
                self.ask(stream, &place, parcel).await
            };
        }
        Err(last)
    }

    async fn ask(
        &self,
        line: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        place: &Place,
        parcel: &Parcel,
    ) -> Result<StatusCode, String> {
        let broke = |_: hyper::Error| "it ends the connection before it answers".to_owned();
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(line)).await.map_err(broke)?;
        let request = request(place, parcel).map_err(|_| "its address cannot be asked for".to_owned())?;
        // The connection ends with this: what else comes is not read. One that the other side ends may have brought the answer.
        let mut answer = std::pin::pin!(sender.send_request(request));
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            _ = connection => answer.await,
        };
        answer.map(|answer| answer.status()).map_err(broke)
    }

    fn tls(&self) -> Result<&Tls, String> {
        if let Some(ready) = self.tls.get() {
            return Ok(ready);
        }
        let tls = Tls::of_machine().map_err(|error| error.to_string())?;
        Ok(self.tls.get_or_init(|| tls))
    }
}

impl Courier for Web {
    fn admits<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { self.find(&Place::read(address)?).await.map(drop) })
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Delivered> {
        Box::pin(async move {
            match timeout(self.whole, self.send(parcel)).await {
                Ok(Ok(status)) => Delivered { status: Some(status.as_u16()), trouble: trouble(status) },
                Ok(Err(trouble)) => Delivered { status: None, trouble: Some(trouble) },
                Err(_) => Delivered { status: None, trouble: Some("it does not answer within 15 seconds".to_owned()) },
            }
        })
    }
}

/// What a status says went wrong.
fn trouble(status: StatusCode) -> Option<String> {
    match status {
        _ if status.is_success() => None,
        StatusCode::GONE => Some("it answers 410: it wants nothing more".to_owned()),
        _ if status.is_redirection() => Some(format!("it answers {}: redirects are not followed", status.as_u16())),
        _ => Some(format!("it answers {}", status.as_u16())),
    }
}

/// The request that tells of an event, signed.
fn request(place: &Place, parcel: &Parcel) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let (id, at_s) = (format!("msg_{}", parcel.id), parcel.now_us.div_euclid(1_000_000).to_string());
    let body = shape::event(parcel).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &parcel.secret);
    let mac = hmac::sign(&key, format!("{id}.{at_s}.{body}").as_bytes());
    Request::builder()
        .method(Method::POST)
        .uri(&place.path)
        .header(header::HOST, &place.authority)
        .header(header::USER_AGENT, concat!("Holdfast/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at_s)
        .header("webhook-signature", shape::webhook_signature(mac.as_ref()))
        .body(Full::new(Bytes::from(body)))
}

impl Place {
    fn read(address: &str) -> Result<Self, String> {
        let bad = || "its address cannot be read".to_owned();
        let uri: Uri = address.parse().map_err(|_| bad())?;
        let (secure, usual) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            _ => return Err(bad()),
        };
        let authority = uri.authority().ok_or_else(bad)?;
        if authority.as_str().contains('@') {
            return Err("its address carries a login, which would end up in lists".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(usual);
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { secure, host, port, authority: authority.to_string(), path })
    }
}

#[cfg(test)]
#[path = "hooks_tests.rs"]
mod tests;
