//! TLS by aws-lc-rs, with this machine's authorities or private ones.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Makes encrypted lines to servers that can show who they are.
pub struct Tls(TlsConnector);

impl Tls {
    /// Trusts the authorities that this machine trusts (`SSL_CERT_FILE` names others).
    ///
    /// # Errors
    /// If it has none.
    pub fn of_machine() -> io::Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(io::Error::other("this machine has no certificates of authorities (package ca-certificates)"));
        }
        Self::trusting(roots)
    }

    /// The provider is named here and not taken from the process, where another part might have set another.
    pub(super) fn trusting(roots: RootCertStore) -> io::Result<Self> {
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Speaks TLS over `stream` to the server that calls itself `host`, a name or a number.
    ///
    /// # Errors
    /// If it cannot show that it is.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        self.0.connect(name, stream).await
    }
}

/// Certificates in PEM.
///
/// # Errors
/// What is wrong with them.
pub(super) fn parse_roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| "the authority's certificates are not PEM".to_owned())?;
        roots.add(certificate).map_err(|_| "a certificate of the authority cannot be read".to_owned())?;
    }
    if roots.is_empty() { Err("the authority's file holds no certificate".to_owned()) } else { Ok(roots) }
}
