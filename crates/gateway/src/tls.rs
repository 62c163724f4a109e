//! TLS that ends here: the certificate that is shown, and how another one takes its place while connections stay.
//!
//! Who starts the doors brings certificates, from files or from an authority; here they are checked, kept and shown. A certificate
//! that does not fit its key is refused and the old one stays. Connections that are open keep what they began with.

mod x509;

use std::{
    io,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub use x509::About;

/// The certificates of the doors.
pub struct Certificates {
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
    provider: Arc<CryptoProvider>,
    failures: AtomicU64,
    trouble: RwLock<Option<String>>,
}

#[derive(Default)]
struct Shown(RwLock<Option<(Arc<CertifiedKey>, About)>>);

impl Shown {
    fn get(&self) -> Option<(Arc<CertifiedKey>, About)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.get().map(|(key, _)| key)
    }
}

impl Certificates {
    /// None yet: until one is [`set`](Self::set) no client gets in.
    ///
    /// # Errors
    /// If the cipher library offers nothing that is safe.
    pub fn new() -> io::Result<Arc<Self>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let shown = Arc::new(Shown::default());
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (acceptor, failures, trouble) = (TlsAcceptor::from(Arc::new(config)), AtomicU64::new(0), RwLock::default());
        Ok(Arc::new(Self { shown, acceptor, provider, failures, trouble }))
    }

    /// Shows these from now on: certificates in PEM, the service's own first, and its key, PEM or PKCS #8 as it is.
    ///
    /// # Errors
    /// What is wrong with them, in a sentence; what was shown before stays.
    pub fn set(&self, chain: &[u8], key: &[u8]) -> Result<About, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| format!("the certificates are not PEM: {error}"))?;
        let first = chain.first().ok_or("there is no certificate in the file (-----BEGIN CERTIFICATE-----)")?;
        let about = About::of(first).ok_or("the first certificate cannot be read")?;
        let key = match PrivateKeyDer::from_pem_slice(key) {
            Ok(key) => key,
            Err(_) => PrivateKeyDer::try_from(key.to_vec()).map_err(|_| "there is no private key in the key's file")?,
        };
        let certified = CertifiedKey::from_der(chain, key, &self.provider)
            .map_err(|error| format!("certificate and key do not fit each other: {error}"))?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Some((Arc::new(certified), about.clone()));
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(about)
    }

    /// Notes that another certificate was wanted and not got; what is shown stays.
    pub fn failed(&self, why: &str) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    /// What is shown now.
    pub fn about(&self) -> Option<About> {
        self.shown.get().map(|(_, about)| about)
    }

    /// How often another one was not got, and why it was not the last time, unless it was got since.
    pub fn failures(&self) -> (u64, Option<String>) {
        let trouble = self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone();
        (self.failures.load(Ordering::Relaxed), trouble)
    }

    /// Begins to speak TLS with a client.
    ///
    /// # Errors
    /// If the client does not, or wants what is not offered.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}
