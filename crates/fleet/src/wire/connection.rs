//! A connection to a server: TCP, then TLS by aws-lc-rs where the address says so, then HTTP/1.1.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use model::world::Timer;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{HttpOptions, body::Outgoing, endpoint::Endpoint};

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
    tls: OnceLock<TlsConnector>,
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
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        self.speak(self.tls()?.connect(name, stream).await?).await
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

    /// The provider is named here and not taken from the process, where another part might have set another.
    fn tls(&self) -> io::Result<&TlsConnector> {
        if let Some(ready) = self.tls.get() {
            return Ok(ready);
        }
        let roots = self.roots.clone().map_or_else(machine_roots, Ok)?;
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }
}

fn machine_roots() -> io::Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(io::Error::other("this machine has no certificates of authorities (package ca-certificates)"));
    }
    Ok(roots)
}

fn parse_roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| "the authority's certificates are not PEM".to_owned())?;
        roots.add(certificate).map_err(|_| "a certificate of the authority cannot be read".to_owned())?;
    }
    if roots.is_empty() { Err("the authority's file holds no certificate".to_owned()) } else { Ok(roots) }
}
