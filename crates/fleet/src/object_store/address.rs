//! Where a bucket is, and how one gets in.

use std::fmt;

use crate::{
    target::{Error, Result},
    wire::{endpoint::Endpoint, text},
};

/// Where the objects of a target lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Address {
    /// The server: `https://host[:port]`.
    pub endpoint: String,
    /// The region that requests are signed for; `us-east-1` where a firm names none.
    pub region: String,
    /// The bucket; it must exist.
    pub bucket: String,
    /// The prefix of all names in the bucket, without slashes at its ends; empty for the whole bucket.
    pub root: String,
    /// Whether the bucket stands in the path (`host/bucket`, most own servers) or in the host name (`bucket.host`).
    pub path_style: bool,
    /// For how many days nobody can destroy an object once it is written, if the bucket has locks; `None`: it is not locked.
    pub lock_days: Option<u16>,
}

/// The key pair of an account. What is shown of it for finding errors is the name of the key alone.
#[derive(Clone)]
pub struct S3Login {
    /// The name of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
}

impl fmt::Debug for S3Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Login").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// An address that was checked.
pub(super) struct Place {
    pub(super) endpoint: Endpoint,
    pub(super) region: String,
    pub(super) bucket: String,
    /// The prefix of all keys: empty, or ending in a slash.
    pub(super) root: String,
    /// What stands before a key in the path: `/`, or `/bucket/`.
    pub(super) base: String,
    /// For messages.
    pub(super) shown: String,
    /// See [`S3Address::lock_days`].
    pub(super) lock_days: Option<u16>,
}

impl Place {
    pub(super) fn check(address: &S3Address, login: &S3Login) -> Result<Self> {
        let bad = |reason: String| Error::BadAddress { address: text::plain(&address.endpoint), reason };
        let mut endpoint = Endpoint::parse(&address.endpoint).map_err(bad)?;
        let bucket_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        let part_byte = |byte: u8| bucket_byte(byte) || byte == b'/';
        if !(1..=63).contains(&address.bucket.len()) || !address.bucket.bytes().all(bucket_byte) {
            return Err(bad("the bucket's name has 1 to 63 letters, digits, dots and dashes".to_owned()));
        }
        if address.region.is_empty() || !address.region.bytes().all(bucket_byte) {
            return Err(bad("a region is needed; us-east-1 where the firm names none".to_owned()));
        }
        let dots = |part: &str| part.is_empty() || part.starts_with('.');
        let root_good = address.root.len() <= 256 && address.root.bytes().all(part_byte);
        if !address.root.is_empty() && (!root_good || address.root.split('/').any(dots)) {
            return Err(bad("the root is text like `holdfast/a`, without slashes at its ends".to_owned()));
        }
        if !endpoint.parts.is_empty() {
            return Err(bad("the endpoint has no path; bucket and root are given apart".to_owned()));
        }
        let printable = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable(&login.access_key_id) || !printable(&login.secret_access_key) {
            return Err(bad("the login's keys are printable text without spaces".to_owned()));
        }
        let root = if address.root.is_empty() { String::new() } else { format!("{}/", address.root) };
        let shown = format!("{}/{}/{root}", endpoint.shown(), address.bucket);
        let base = if address.path_style {
            format!("/{}/", address.bucket)
        } else {
            endpoint.host = format!("{}.{}", address.bucket, endpoint.host);
            "/".to_owned()
        };
        let (region, bucket, lock_days) = (address.region.clone(), address.bucket.clone(), address.lock_days);
        let shown = shown.trim_end_matches('/').to_owned();
        Ok(Self { endpoint, region, bucket, root, base, shown, lock_days })
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, S3Address, S3Login};

    #[test]
    fn an_address_is_checked_and_a_login_never_shown() {
        let login = S3Login { access_key_id: "id".to_owned(), secret_access_key: "hush".to_owned() };
        assert!(!format!("{login:?}").contains("hush"));
        let good = S3Address {
            endpoint: "https://s3.firm.example".to_owned(),
            region: "eu-1".to_owned(),
            bucket: "shards".to_owned(),
            root: "holdfast/a".to_owned(),
            path_style: false,
            lock_days: None,
        };
        let place = Place::check(&good, &login).ok();
        let place =
            place.as_ref().map(|place| (place.shown.as_str(), place.endpoint.host.as_str(), place.base.as_str()));
        assert_eq!(place, Some(("https://s3.firm.example/shards/holdfast/a", "shards.s3.firm.example", "/")));
        for bad in [
            S3Address { endpoint: "https://s3.firm.example/shards".to_owned(), ..good.clone() },
            S3Address { bucket: "a/b".to_owned(), ..good.clone() },
            S3Address { bucket: String::new(), ..good.clone() },
            S3Address { region: String::new(), ..good.clone() },
            S3Address { root: "/a".to_owned(), ..good.clone() },
            S3Address { root: "a/../b".to_owned(), ..good.clone() },
        ] {
            assert!(Place::check(&bad, &login).is_err(), "{bad:?}");
        }
    }
}
