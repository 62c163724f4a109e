//! `[tls]` in the configuration: the service ends TLS itself, with certificates from files or from an authority.
//!
//! ```toml
//! [tls]
//! cert = "/etc/letsencrypt/live/files.example.org/fullchain.pem"   # from files: read again when they change
//! key = "/etc/letsencrypt/live/files.example.org/privkey.pem"
//! http = "0.0.0.0:80"                     # optional: sends browsers from http to https
//!
//! # or from an authority that gives certificates by itself (ACME), which asks at `http` on port 80:
//! [tls]
//! http = "0.0.0.0:80"
//! [tls.acme]
//! directory = "https://acme-v02.api.letsencrypt.org/directory"
//! names = ["files.example.org"]
//! contact = "mailto:admin@example.org"
//! terms_agreed = true                     # the authority's
//! ```
//!
//! A certificate is renewed after two thirds of its life. One that cannot be had leaves the old one in its place, and is told in the
//! log, in `/metrics` and by `holdfast doctor`. Connections stay whatever happens to certificates.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use gateway::{
    tls::{About, Certificates},
    watch::Watch,
};
use model::Class;
use serde::Deserialize;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use crate::{
    acme::{self, Challenges, Wish},
    config::plain_path,
    data::{DataFolder, replace_private},
    error::{Error, Result, class_of_io},
    world,
};

/// Between two looks at files that somebody may have renewed, and at the end of a certificate.
const LOOK: Duration = Duration::from_secs(5);
/// Before an authority is asked again that gave nothing; doubled each time.
const AGAIN: Duration = Duration::from_secs(60);
/// Authorities count failures by the hour.
const AGAIN_MAX: Duration = Duration::from_secs(6 * 3_600);
/// Names of one certificate.
const NAMES_MAX: usize = 100;
/// What an authority gave, in `keys/acme`.
const CHAIN: &str = "chain.pem";
const KEY: &str = "key.der";

/// The table, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsTable {
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    http: Option<SocketAddr>,
    acme: Option<AcmeTable>,
}

/// The authority's, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcmeTable {
    directory: String,
    names: Vec<String>,
    contact: Option<String>,
    #[serde(default)]
    terms_agreed: bool,
}

/// How TLS is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Where certificates come from.
    pub source: Source,
    /// The listener for plain HTTP.
    pub http: Option<SocketAddr>,
}

/// Where certificates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Files, absolute.
    Files {
        /// The chain.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// An authority.
    Authority(Authority),
}

/// An authority that gives certificates by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    directory: String,
    names: Vec<String>,
    contact: Option<String>,
}

impl Tls {
    /// Where chain and key lie.
    pub fn files(&self, data: &DataFolder) -> (PathBuf, PathBuf) {
        match &self.source {
            Source::Files { cert, key } => (cert.clone(), key.clone()),
            Source::Authority(_) => (acme_folder(data).join(CHAIN), acme_folder(data).join(KEY)),
        }
    }
}

fn acme_folder(data: &DataFolder) -> PathBuf {
    data.keys().join("acme")
}

impl TlsTable {
    /// What is meant; paths start at `base`. The error says what does not fit.
    pub fn meant(self, base: &Path) -> std::result::Result<Tls, String> {
        let source = match (self.cert, self.key, self.acme) {
            (Some(cert), Some(key), None) => {
                Source::Files { cert: plain_path(base, &cert), key: plain_path(base, &key) }
            }
            (None, None, Some(acme)) => {
                if self.http.is_none() {
                    return Err("[tls] http = \"0.0.0.0:80\" is missing: the authority asks there for each name".into());
                }
                Source::Authority(acme.meant()?)
            }
            _ => return Err("[tls] has either cert and key (files), or a table [tls.acme] (an authority)".into()),
        };
        Ok(Tls { source, http: self.http })
    }
}

impl AcmeTable {
    fn meant(self) -> std::result::Result<Authority, String> {
        if !self.directory.starts_with("https://") {
            return Err(format!("[tls.acme] directory = \"{}\" does not begin with https://", self.directory));
        }
        if !self.terms_agreed {
            return Err("[tls.acme] read the authority's terms, and say terms_agreed = true".into());
        }
        let is_name = |name: &String| {
            let good = |part: &str| {
                let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
                !part.is_empty() && part.len() <= 63 && part.bytes().all(plain)
            };
            name.len() <= 253 && name.split('.').all(good) && name.parse::<std::net::IpAddr>().is_err()
        };
        if self.names.is_empty() || self.names.len() > NAMES_MAX || !self.names.iter().all(is_name) {
            let names = self.names;
            return Err(format!(
                "[tls.acme] names = {names:?}: host names in small letters, one at least, without a star"
            ));
        }
        if self.contact.as_ref().is_some_and(|contact| !contact.starts_with("mailto:")) {
            return Err("[tls.acme] contact is written mailto:NAME@HOST".into());
        }
        Ok(Authority { directory: self.directory, names: self.names, contact: self.contact })
    }
}

/// Keeps the certificates of a service.
pub struct Keeper {
    tls: Tls,
    /// What is shown.
    pub certificates: Arc<Certificates>,
    challenges: Arc<Challenges>,
    folder: PathBuf,
    /// Rung to look at once.
    bell: Notify,
    http: Mutex<Option<TcpListener>>,
    http_address: Option<SocketAddr>,
}

impl Keeper {
    /// Reads what there is; binds the plain listener.
    ///
    /// # Errors
    /// Refused: files that are no certificate and key. As the operating system says of the address.
    pub async fn new(tls: Tls, data: &DataFolder) -> Result<Arc<Self>> {
        let certificates = Certificates::new().map_err(|error| Error::new(Class::Bug, error))?;
        let http = match tls.http {
            Some(address) => Some(TcpListener::bind(address).await.map_err(|error| {
                Error::new(class_of_io(&error), format!("[tls] cannot listen on {address}: {error}"))
                    .hint("ports below 1024 need rights of their own: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit gives them")
            })?),
            None => None,
        };
        let folder = acme_folder(data);
        let (challenges, bell) = (Arc::default(), Notify::new());
        let http_address = http.as_ref().and_then(|listener| listener.local_addr().ok());
        let keeper = Self { tls, certificates, challenges, folder, bell, http: Mutex::new(http), http_address };
        match &keeper.tls.source {
            Source::Files { cert, key } => keeper.read(cert, key).map(drop).map_err(|why| {
                Error::refused(format!("[tls] {why}"))
                    .hint("the service was not started; without [tls] it speaks plain HTTP")
            })?,
            Source::Authority(_) => {
                // What was got before, if there is something; else the first thing that is done is to ask.
                let (chain, key) = keeper.tls.files(data);
                let _ = keeper.read(&chain, &key);
            }
        }
        Ok(Arc::new(keeper))
    }

    /// Where plain HTTP is answered.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http_address
    }

    /// Looks at once.
    pub fn look(&self) {
        self.bell.notify_one();
    }

    /// Answers plain HTTP, sending browsers to `port`, and keeps the certificates until both are aborted.
    pub fn run(self: Arc<Self>, watch: Arc<Watch>, port: u16) -> [JoinHandle<()>; 2] {
        let keeping = Arc::clone(&self);
        let kept = tokio::spawn(async move {
            match &keeping.tls.source {
                Source::Files { cert, key } => keeping.keep_files(cert, key).await,
                Source::Authority(authority) => keeping.keep_asking(authority).await,
            }
        });
        let plain = tokio::spawn(async move {
            let Some(listener) = self.http.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
            let challenges = Arc::clone(&self.challenges);
            let challenge = Arc::new(move |token: &str| challenges.text(token));
            gateway::plain::serve_plain(listener, watch, challenge, port, std::future::pending()).await;
        });
        [kept, plain]
    }

    fn read(&self, cert: &Path, key: &Path) -> std::result::Result<About, String> {
        let read = |path: &Path| fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
        let (chain, secret) = (read(cert)?, read(key)?);
        self.certificates.set(&chain, &secret).map_err(|why| format!("{} and {}: {why}", cert.display(), key.display()))
    }

    async fn pause(&self, length: Duration) {
        tokio::select! {
            () = self.bell.notified() => {}
            () = tokio::time::sleep(length) => {}
        }
    }

    async fn keep_files(&self, cert: &Path, key: &Path) {
        let mut seen = (changed(cert), changed(key));
        loop {
            self.pause(LOOK).await;
            let now = (changed(cert), changed(key));
            if now == seen {
                continue;
            }
            match self.read(cert, key) {
                Ok(about) => {
                    tracing::info!(until = %day(about.until_s), "another certificate is shown from now on");
                }
                // Half of a pair may have been written; the next look sees the other half.
                Err(why) => {
                    self.certificates.failed(&why);
                    tracing::error!("the certificate stays the one it was: {why}");
                }
            }
            seen = now;
        }
    }

    async fn keep_asking(&self, authority: &Authority) {
        let mut again = AGAIN;
        loop {
            let about = self.certificates.about();
            let covers = |about: &About| authority.names.iter().all(|name| about.names.contains(name));
            let is_good = |about: &About| covers(about) && world::wall_us() / 1_000_000 < about.renew_s();
            if about.as_ref().is_some_and(is_good) {
                self.pause(LOOK).await;
                continue;
            }
            match self.ask(authority).await {
                Ok(about) => {
                    again = AGAIN;
                    tracing::info!(until = %day(about.until_s), "the authority gave a certificate");
                }
                Err(why) => {
                    self.certificates.failed(&why);
                    tracing::error!(
                        again_s = again.as_secs(),
                        "no certificate was got, the old one stays if there is one: {why}"
                    );
                    self.pause(again).await;
                    again = (again * 2).min(AGAIN_MAX);
                }
            }
        }
    }

    async fn ask(&self, authority: &Authority) -> std::result::Result<About, String> {
        let keep = |path: &Path, bytes: &[u8]| replace_private(path, bytes).map_err(|error| error.to_string());
        if !self.folder.is_dir() {
            use std::os::unix::fs::DirBuilderExt;
            let made = fs::DirBuilder::new().mode(0o700).create(&self.folder);
            made.map_err(|error| format!("{}: {error}", self.folder.display()))?;
        }
        let account_file = self.folder.join("account.der");
        let account_key = match fs::read(&account_file) {
            Ok(key) => key,
            Err(_) => {
                let key = acme::new_key()?;
                keep(&account_file, &key)?;
                key
            }
        };
        let wish = Wish {
            directory: &authority.directory,
            names: &authority.names,
            contact: authority.contact.as_deref(),
            account_key: &account_key,
        };
        let got = acme::order(&wish, &self.challenges).await?;
        let about = self.certificates.set(&got.chain, &got.key)?;
        // A start between the two finds a pair that does not fit, and asks anew.
        keep(&self.folder.join(KEY), &got.key)?;
        keep(&self.folder.join(CHAIN), &got.chain)?;
        Ok(about)
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// A day for people.
pub fn day(seconds: i64) -> String {
    crate::time::minute(seconds.saturating_mul(1_000_000))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::{Source, TlsTable};

    fn of(text: &str) -> Result<super::Tls, String> {
        let table: TlsTable = toml::from_str(text).map_err(|error| error.to_string())?;
        table.meant(Path::new("/etc/holdfast"))
    }

    #[test]
    fn certificates_come_from_files_or_from_an_authority() {
        let Source::Files { cert, .. } = of("cert = \"c.pem\"\nkey = \"k.pem\"").unwrap().source else { panic!() };
        assert_eq!(cert, Path::new("/etc/holdfast/c.pem"));
        let acme = "http = \"0.0.0.0:80\"\n[acme]\ndirectory = \"https://ca.example/dir\"\nnames = [\"files.example\"]\n\
                    terms_agreed = true\n";
        assert!(of(acme).is_ok());
        for (from, to, said) in [
            ("http = \"0.0.0.0:80\"\n", "", "http = "),
            ("https://", "http://", "https://"),
            ("terms_agreed = true", "", "terms"),
            ("files.example", "*.example", "star"),
            ("files.example", "192.0.2.1", "host names"),
            ("[\"files.example\"]", "[]", "one at least"),
            ("terms_agreed = true", "terms_agreed = true\ncontact = \"me@x.example\"", "mailto:"),
        ] {
            let why = of(&acme.replace(from, to)).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
        assert!(of("cert = \"c.pem\"").is_err() && of("http = \"0.0.0.0:80\"").is_err());
    }
}
