//! Where a collection is, and how one gets in.

use std::fmt;

use hyper::header::HeaderValue;

use crate::{
    target::{Error, Result},
    wire::{endpoint::Endpoint, text},
};

/// Where the objects of a target lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebDavAddress {
    /// The collection, which must exist: `https://host[:port]/path`.
    pub url: String,
}

/// Name and password. Only the name is shown.
#[derive(Clone)]
pub struct WebDavLogin {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for WebDavLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebDavLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An address that was checked.
pub(super) struct Place {
    pub(super) endpoint: Endpoint,
    /// The path of the root, encoded, without a slash at its end.
    pub(super) base: String,
    /// The header that proves who asks.
    pub(super) authorization: HeaderValue,
}

impl Place {
    pub(super) fn check(address: &WebDavAddress, login: &WebDavLogin) -> Result<Self> {
        let bad = |reason: String| Error::BadAddress { address: text::plain(&address.url), reason };
        let endpoint = Endpoint::parse(&address.url).map_err(bad)?;
        // Source: RFC 7617, section 2.
        if login.user.contains(':') || login.user.chars().chain(login.password.chars()).any(char::is_control) {
            return Err(bad("the login's name has no colon, and neither has control characters".to_owned()));
        }
        let basic = text::base64(format!("{}:{}", login.user, login.password).as_bytes());
        let mut authorization =
            HeaderValue::from_str(&format!("Basic {basic}")).map_err(|_| bad("the login cannot be sent".to_owned()))?;
        authorization.set_sensitive(true);
        let base = endpoint.parts.iter().map(|part| format!("/{}", text::encode(part, false))).collect();
        Ok(Self { endpoint, base, authorization })
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, WebDavAddress, WebDavLogin};

    #[test]
    fn an_address_is_checked_and_a_password_never_shown() {
        let login = WebDavLogin { user: "me".to_owned(), password: "hush".to_owned() };
        assert!(!format!("{login:?}").contains("hush"));
        let check = |url: &str, login: &WebDavLogin| Place::check(&WebDavAddress { url: url.to_owned() }, login).ok();
        let place = check("https://firm.example/dav/my%20files/", &login);
        assert_eq!(place.as_ref().map(|place| place.base.as_str()), Some("/dav/my%20files"));
        assert!(!format!("{:?}", place.map(|place| place.authorization)).contains("bWU6"));
        assert!(check("https://me:hush@firm.example/", &login).is_none());
        assert!(check("https://firm.example/", &WebDavLogin { user: "m:e".to_owned(), ..login.clone() }).is_none());
    }
}
