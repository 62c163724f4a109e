//! What must be known to reach a server: where it is, who we are there, and by which key it is recognised.

use std::fmt;

use russh::keys::{self, Algorithm, HashAlg, PrivateKey, PublicKey, ssh_key::Fingerprint};

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SftpAddress {
    /// Name or number of the host.
    pub host: String,
    /// The port of its SSH server, most often 22.
    pub port: u16,
    /// The login's name.
    pub user: String,
    /// The folder that is the target, from the top (`/srv/holdfast`) or from where a login begins (`holdfast`).
    pub root: String,
}

impl fmt::Display for SftpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, root } = self;
        let slash = if root.starts_with('/') { "" } else { "/~/" };
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "sftp://{user}@{open}{host}{close}:{port}{slash}{root}")
    }
}

/// A setting that cannot be used. The message never shows a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {setting} cannot be used: {reason}")]
pub struct BadSetting {
    /// Which setting.
    pub setting: &'static str,
    /// What is wrong, and what to write instead.
    pub reason: String,
}

/// How the service proves who it is. Neither `Debug` nor any message shows the secret.
#[derive(Clone)]
pub struct SftpLogin(pub(super) Login);

#[derive(Clone)]
pub(super) enum Login {
    Password(String),
    Key(Box<PrivateKey>),
}

impl SftpLogin {
    /// By password. A server that asks for it in a dialogue (`keyboard-interactive`) is given it too.
    pub fn password(password: impl Into<String>) -> Self {
        Self(Login::Password(password.into()))
    }

    /// By a private key in OpenSSH's text form (`-----BEGIN OPENSSH PRIVATE KEY-----`), Ed25519 or ECDSA.
    ///
    /// # Errors
    /// When the text is no such key, or the passphrase is missing or does not fit.
    pub fn key(text: &str, passphrase: Option<&str>) -> Result<Self, BadSetting> {
        let bad = |reason: String| BadSetting { setting: "private key", reason };
        let key = PrivateKey::from_openssh(text.trim()).map_err(|error| {
            bad(format!("{error}; it must be an OpenSSH private key, as `ssh-keygen -t ed25519` makes one"))
        })?;
        let key = match passphrase {
            Some(passphrase) if key.is_encrypted() => {
                key.decrypt(passphrase).map_err(|_| bad("its passphrase does not fit".to_owned()))?
            }
            None if key.is_encrypted() => {
                return Err(bad("it is locked by a passphrase, and none is given".to_owned()));
            }
            _ => key,
        };
        if !is_taken(&key.algorithm()) {
            let kind = key.algorithm();
            return Err(bad(format!("{kind} keys are not taken; make one with `ssh-keygen -t ed25519`")));
        }
        Ok(Self(Login::Key(Box::new(key))))
    }
}

impl Login {
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::Key(_) => "key",
        }
    }
}

impl fmt::Debug for SftpLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SftpLogin(by {})", self.0.what())
    }
}

/// The one host key that the server may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey(Pin);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pin {
    Key(Box<PublicKey>),
    Fingerprint(Fingerprint),
}

impl HostKey {
    /// Takes a public key as OpenSSH writes it (`ssh-ed25519 AAAA...`, a comment may follow, and the host name of a line of
    /// `known_hosts` or `ssh-keyscan` may precede it) or a fingerprint (`SHA256:...`, as `ssh-keygen -l` shows it).
    ///
    /// # Errors
    /// When the text is neither.
    pub fn parse(text: &str) -> Result<Self, BadSetting> {
        let text = text.trim();
        let bad = |reason: String| BadSetting { setting: "host key", reason };
        if text.starts_with("SHA256:") {
            let fingerprint = text.parse::<Fingerprint>().map_err(|error| bad(format!("{error} in '{text}'")))?;
            return Ok(Self(Pin::Fingerprint(fingerprint)));
        }
        let from_line = |line: &str| PublicKey::from_openssh(line).ok();
        let after_host = text.split_once(char::is_whitespace).map(|(_, key)| key.trim_start());
        let key = from_line(text).or_else(|| after_host.and_then(from_line)).ok_or_else(|| {
            bad(format!("'{text}' is neither a public key line nor a SHA256 fingerprint; `ssh-keyscan HOST` shows it"))
        })?;
        if !is_taken(&key.algorithm()) {
            return Err(bad(format!(
                "{} keys are not verified here; take the server's ed25519 or ecdsa key",
                key.algorithm()
            )));
        }
        Ok(Self(Pin::Key(Box::new(PublicKey::new(key.key_data().clone(), "")))))
    }

    pub(super) fn is(&self, shown: &PublicKey) -> bool {
        match &self.0 {
            Pin::Key(key) => key.key_data() == shown.key_data(),
            Pin::Fingerprint(fingerprint) => *fingerprint == shown.fingerprint(fingerprint.algorithm()),
        }
    }

    /// The kinds of key to ask the server for, the pinned one first. A fingerprint does not tell its kind.
    pub(super) fn wanted(&self, known: &[Algorithm]) -> Vec<Algorithm> {
        let mut wanted: Vec<Algorithm> = known.iter().filter(|kind| is_taken(kind)).cloned().collect();
        if let Pin::Key(key) = &self.0 {
            wanted.sort_by_key(|kind| *kind != key.algorithm());
        }
        wanted
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pin::Key(key) => write!(f, "{}", shown(key)),
            Pin::Fingerprint(fingerprint) => write!(f, "{fingerprint}"),
        }
    }
}

/// Whether a kind of key is used here. RSA is not: the one implementation at hand leaks its private keys through time.
fn is_taken(kind: &Algorithm) -> bool {
    matches!(kind, Algorithm::Ed25519 | Algorithm::Ecdsa { .. })
}

/// A host key as people compare it.
pub(super) fn shown(key: &keys::PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

/// How long to wait for what, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SftpTimes {
    /// From the first packet to a connection that can be used: name, handshake, login, start of SFTP.
    pub connect_ms: u64,
    /// For the answer to one request. It includes the sync of a file at a busy server.
    pub answer_ms: u64,
    /// How long a connection may be silent before it counts as dead; the server is asked for a sign of life in between.
    pub silent_ms: u64,
    /// How long calls fail at once after a failed attempt to connect; it doubles from failure to failure.
    pub rest_ms: u64,
    /// The longest such rest, and the one after a refused login or another host key: firms lock out who knocks often.
    pub rest_ms_max: u64,
}

impl Default for SftpTimes {
    fn default() -> Self {
        Self { connect_ms: 10_000, answer_ms: 60_000, silent_ms: 15_000, rest_ms: 1_000, rest_ms_max: 60_000 }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{HostKey, SftpAddress, SftpLogin};

    const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const FINGERPRINT: &str = "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ";

    #[test]
    fn a_host_key_is_taken_in_every_form_that_tools_print() {
        let key = HostKey::parse(LINE).unwrap();
        for same in [format!("{LINE} a comment\n"), format!("host.example {LINE}"), format!("[host]:2222 {LINE}")] {
            assert_eq!(HostKey::parse(&same).unwrap(), key, "{same}");
        }
        assert_eq!(key.to_string(), format!("ssh-ed25519 {FINGERPRINT}"));
        assert_eq!(HostKey::parse(FINGERPRINT).unwrap().to_string(), FINGERPRINT);
        for bad in ["", "ssh-ed25519", "SHA256:short", "MD5:aa:bb", "host ssh-ed25519 AAAA"] {
            assert!(HostKey::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        assert_eq!(format!("{:?}", SftpLogin::password("secret")), "SftpLogin(by password)");
        let text = "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n-----END OPENSSH PRIVATE KEY-----";
        let bad = SftpLogin::key(text, Some("secret")).unwrap_err();
        assert!(!format!("{bad} {bad:?}").contains("secret"), "{bad}");
    }

    #[test]
    fn an_address_reads_as_others_write_it() {
        let mut address = SftpAddress { host: "h".into(), port: 22, user: "u".into(), root: "/srv/x".into() };
        assert_eq!(address.to_string(), "sftp://u@h:22/srv/x");
        address.root = "x".into();
        address.host = "::1".into();
        assert_eq!(address.to_string(), "sftp://u@[::1]:22/~/x");
    }
}
