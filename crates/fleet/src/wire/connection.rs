//! A connection to a server: TCP, then TLS by aws-lc-rs where the address says so, then HTTP/1.1.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use model::world::Timer;
use rustls::RootCertStore;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{
    HttpOptions,
    body::Outgoing,
    endpoint::Endpoint,
    tls::{Tls, parse_roots},
};

/// Takes requests of one connection, one after the other.
pub(crate) type Sender = http1::SendRequest<Outgoing>;

/// Headers of one answer; more than any server has reason to send.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// Makes connections to one server.
pub(super) struct Dialer {
    host: String,
    port: u16,
    secure: bool,
    /// Those of the options; without them the machine's are read at the first connection.
    roots: Option<RootCertStore>,
    tls: OnceLock<Tls>,
    timer: Arc<dyn Timer>,
}

impl Dialer {
    pub(super) fn new(endpoint: &Endpoint, options: &HttpOptions, timer: Arc<dyn Timer>) -> Result<Self, String> {
        let roots = options.authority_pem.as_ref().map(|pem| parse_roots(pem)).transpose()?;
        let (host, port, secure) = (endpoint.host.clone(), endpoint.port, endpoint.secure);
        Ok(Self { host, port, secure, roots, tls: OnceLock::new(), timer })
    }

    /// Connects within `limit_us`, or says why not.
    pub(super) async fn connect(&self, limit_us: u64) -> Result<Sender, String> {
        let connected = tokio::select! {
            biased;
            dialled = self.dial() => dialled.map_err(|error| error.to_string()),
            () = self.timer.sleep(limit_us) => Err(format!("no connection within {} s", limit_us / 1_000_000)),
        };
        connected.map_err(|reason| format!("cannot connect to {} port {}: {reason}", self.host, self.port))
    }

    async fn dial(&self) -> io::Result<Sender> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        if !self.secure {
            return self.speak(stream).await;
        }
        self.speak(self.tls()?.connect(&self.host, stream).await?).await
    }

    async fn speak(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> io::Result<Sender> {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEADER_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // Its errors reach whoever waits for the answer.
        self.timer.spawn(Box::pin(async move { drop(connection.await) }));
        Ok(sender)
    }

    fn tls(&self) -> io::Result<&Tls> {
        if let Some(ready) = self.tls.get() {
            return Ok(ready);
        }
        let tls = self.roots.clone().map_or_else(Tls::of_machine, Tls::trusting)?;
        Ok(self.tls.get_or_init(|| tls))
    }
}
