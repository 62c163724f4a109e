//! Where a target is, as one line of text, and the driver that speaks to it.
//!
//! ```text
//! /srv/holdfast                                                        a folder of this machine
//! s3://BUCKET/ROOT?endpoint=https://s3.example.net&region=eu-1         an S3 bucket, or a part of one
//! sftp://USER@HOST:PORT/ROOT?host_key=SHA256:...                       a folder at an SSH server
//! webdav+https://HOST/ROOT                                             a collection at a WebDAV server
//! ```
//!
//! An address holds nothing secret: it stands in kits, address books and reports. What a login must hold is said by
//! [`Address::login_names`]. After an S3 bucket `style=host` puts the bucket into the host's name; a root of SFTP that begins
//! with `/~/` starts where a login does. `%` and two hex digits stand for a byte that would be taken for a part of the form.

use std::{path::PathBuf, sync::Arc};

use model::world::World;

use crate::{
    Directory, HostKey, HttpOptions, ObjectStore, S3Address, S3Login, Sftp, SftpAddress, SftpLogin, SftpTimes, WebDav,
    WebDavAddress, WebDavLogin,
    login::Login,
    target::{Error, Result, Target},
};

/// The address of a target, by driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A folder.
    Directory(PathBuf),
    /// An S3 bucket.
    S3(S3Address),
    /// A folder at an SSH server that shows this key.
    Sftp(SftpAddress, HostKey),
    /// A WebDAV collection.
    WebDav(WebDavAddress),
}

const S3_PORT_HINT: &str = "s3://BUCKET/ROOT?endpoint=https://HOST&region=REGION";
const SFTP_HINT: &str = "sftp://USER@HOST:PORT/ROOT?host_key=SHA256:...";

impl Address {
    /// Reads an address. What has no scheme is a folder, as written.
    ///
    /// # Errors
    /// [`Error::BadAddress`] with the form that is wanted.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |reason: String| Error::BadAddress { address: without_password(text), reason };
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self::Directory(PathBuf::from(text))) };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        match scheme {
            "s3" => s3(place, query).map_err(bad),
            "sftp" => sftp(place, query).map_err(bad),
            "webdav+https" | "webdav+http" if authority(place).contains('@') => {
                Err(bad("a name or a password has no place in it; they go into the login".to_owned()))
            }
            "webdav+https" | "webdav+http" if query.is_empty() => {
                let url = format!("{}://{place}", scheme.trim_start_matches("webdav+"));
                Ok(Self::WebDav(WebDavAddress { url }))
            }
            "webdav+https" | "webdav+http" => Err(bad("nothing follows its path".to_owned())),
            _ => {
                Err(bad("it begins with s3://, sftp://, webdav+https:// or webdav+http://, or is a folder".to_owned()))
            }
        }
    }

    /// The word for its driver in rows and kits.
    pub fn driver(&self) -> &'static str {
        match self {
            Self::Directory(_) => "dir",
            Self::S3(_) => "s3",
            Self::Sftp(..) => "sftp",
            Self::WebDav(_) => "webdav",
        }
    }

    /// The names that a login for it may hold; those without a question mark must be there.
    pub fn login_names(&self) -> &'static [&'static str] {
        match self {
            Self::Directory(_) => &[],
            Self::S3(_) => &["access_key_id", "secret_access_key", "authority?"],
            Self::Sftp(..) => &["password?", "key?", "passphrase?"],
            Self::WebDav(_) => &["user", "password", "authority?"],
        }
    }

    /// The driver. Nothing is connected to or looked at.
    ///
    /// # Errors
    /// [`Error::BadAddress`], also for a login that does not fit; it shows nothing of it.
    pub fn open(&self, login: &Login, world: &World) -> Result<Arc<dyn Target>> {
        let bad = |reason: String| Error::BadAddress { address: self.shown(), reason };
        let known: Vec<&str> = self.login_names().iter().map(|name| name.trim_end_matches('?')).collect();
        if let Some(other) = login.names().find(|name| !known.contains(name)) {
            return Err(bad(format!("its login has no '{other}'; it may have: {}", known.join(", "))));
        }
        let wanted = |name: &str| {
            let value = login.get(name).filter(|value| !value.is_empty());
            value.map(str::to_owned).ok_or_else(|| bad(format!("its login lacks '{name}'")))
        };
        let options = HttpOptions { authority_pem: login.get("authority").map(|pem| pem.as_bytes().to_vec().into()) };
        Ok(match self {
            Self::Directory(root) => Arc::new(Directory::open(root.clone())),
            Self::S3(address) => {
                let login = S3Login {
                    access_key_id: wanted("access_key_id")?,
                    secret_access_key: wanted("secret_access_key")?,
                };
                Arc::new(ObjectStore::open(address, &login, &options, world)?)
            }
            Self::WebDav(address) => {
                let login = WebDavLogin { user: wanted("user")?, password: wanted("password")? };
                Arc::new(WebDav::open(address, &login, &options, world)?)
            }
            Self::Sftp(address, host_key) => {
                let login = match login.get("key") {
                    Some(key) => {
                        SftpLogin::key(key, login.get("passphrase")).map_err(|error| bad(error.to_string()))?
                    }
                    None => SftpLogin::password(wanted("password")?),
                };
                let (address, host_key) = (address.clone(), host_key.clone());
                Arc::new(Sftp::new(address, login, host_key, SftpTimes::default(), Arc::clone(&world.timer)))
            }
        })
    }

    /// For messages.
    fn shown(&self) -> String {
        match self {
            Self::Directory(root) => root.display().to_string(),
            Self::S3(address) => format!("s3://{}/{}", address.bucket, address.root),
            Self::Sftp(address, _) => address.to_string(),
            Self::WebDav(address) => address.url.clone(),
        }
    }
}

/// What stands before the path.
fn authority(place: &str) -> &str {
    place.split(['/', '?']).next().unwrap_or_default()
}

/// An address as written, but for a password that somebody put where none belongs.
fn without_password(text: &str) -> String {
    let masked = || {
        let (scheme, rest) = text.split_once("://")?;
        let (user, after) = rest.rsplit_once('@')?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}://{user}:...@{after}"))
    };
    masked().unwrap_or_else(|| text.to_owned())
}

type Read<T> = std::result::Result<T, String>;

/// Ten years: whoever locks for longer has mistyped.
const LOCK_DAYS_MAX: u16 = 3_650;

fn s3(place: &str, query: &str) -> Read<Address> {
    let (bucket, root) = place.split_once('/').unwrap_or((place, ""));
    let [endpoint, region, style, days] = values(query, ["endpoint", "region", "style", "lock_days"])?;
    let endpoint = endpoint.ok_or_else(|| format!("it lacks endpoint=; the form is {S3_PORT_HINT}"))?;
    let path_style = match style.as_deref() {
        None | Some("path") => true,
        Some("host") => false,
        Some(_) => return Err("style is path or host".to_owned()),
    };
    let days = days.map(|text| text.parse().ok().filter(|days| (1..=LOCK_DAYS_MAX).contains(days)));
    let lock_days = days.map(|days| days.ok_or_else(|| format!("lock_days is 1 to {LOCK_DAYS_MAX}"))).transpose()?;
    let root = decode(root.trim_matches('/'))?;
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    Ok(Address::S3(S3Address { endpoint, region, bucket: decode(bucket)?, root, path_style, lock_days }))
}

fn sftp(place: &str, query: &str) -> Read<Address> {
    let form = || format!("the form is {SFTP_HINT}");
    let (authority, path) = place.split_once('/').ok_or_else(form)?;
    let (user, host) = authority.rsplit_once('@').ok_or_else(form)?;
    if user.contains(':') {
        return Err("a password has no place in an address; it goes into the login".to_owned());
    }
    let (host, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None => 22,
        Some(port) => port.parse().map_err(|_| "its port is no number up to 65535".to_owned())?,
    };
    if host.is_empty() || user.is_empty() {
        return Err(form());
    }
    let [host_key] = values(query, ["host_key"])?;
    let host_key = host_key.ok_or_else(|| {
        format!(
            "it lacks host_key=; `ssh-keyscan HOST | ssh-keygen -lf -` shows it, and the firm should publish it; {}",
            form()
        )
    })?;
    let host_key = HostKey::parse(&host_key).map_err(|error| error.to_string())?;
    let root = match path.strip_prefix("~/") {
        Some(relative) => decode(relative.trim_end_matches('/'))?,
        None => format!("/{}", decode(path.trim_end_matches('/'))?),
    };
    Ok(Address::Sftp(SftpAddress { host: host.to_owned(), port, user: decode(user)?, root }, host_key))
}

/// The values of `names` in a query, each at most once and no others.
fn values<const N: usize>(query: &str, names: [&str; N]) -> Read<[Option<String>; N]> {
    let mut found = [const { None }; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("'{pair}' is no name=value"))?;
        let at = names.iter().position(|known| *known == name);
        let at = at.ok_or_else(|| format!("there is no '{name}' here; there may be {}", names.join(", ")))?;
        if found[at].replace(decode(value)?).is_some() {
            return Err(format!("'{name}' stands there twice"));
        }
    }
    Ok(found)
}

/// Reads `%` and two hex digits as a byte.
fn decode(text: &str) -> Read<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return Err("a % is followed by two hex digits".to_owned());
        };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
