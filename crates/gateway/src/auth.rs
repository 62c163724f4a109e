//! Who calls: the bearer token of a request, or the cookie of a browser, before anything else of it is looked at.
//!
//! Tokens in queries or forms are not taken: they end up in logs (RFC 6750 section 2.1). A cookie comes with every request
//! that any page makes the browser send, so with a cookie nothing is changed unless the request says that it comes from
//! this service's own page ([`is_own_page`]).
//!
//! Over HTTPS the cookie has the prefix `__Host-`, which keeps other hosts of the domain from setting it; over plain HTTP
//! browsers refuse that prefix. A proxy says which it is by `X-Forwarded-Proto`; who lies about that harms only the own
//! browser's cookie.

use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN, SET_COOKIE},
    http::request::Parts,
};
use model::id::{GrantId, ShareId};
use service::{Caller, Need, Place, Service, SessionText};

use crate::{
    api::{self, links},
    error::Problem,
    page,
};

/// How long a browser keeps the session's cookie, in seconds: as long as the session at most.
const SESSION_S: u32 = 30 * 86_400;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// How a browser came, as whoever ends TLS says.
pub const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The caller that the request's token or cookie stands for, who may do everything that their account may.
///
/// # Errors
/// As [`caller_who`].
pub async fn caller(service: &Service, parts: &Parts) -> Result<Caller, Problem> {
    caller_who(service, parts, Need::Everything).await
}

/// The same, for a door that a token of a narrower scope opens too.
///
/// # Errors
/// 401 without exactly one bearer token or a session's cookie, or with one that opens nothing; 403 if a cookie comes with
/// a change that another site's page asked for, or if the token does not go as far as is needed.
pub async fn caller_who(service: &Service, parts: &Parts, need: Need) -> Result<Caller, Problem> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return session(service, parts).await,
        (Some(value), None) => value.to_str().map_err(|_| Problem::no_token())?,
        (Some(_), Some(_)) => return Err(Problem::no_token()),
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(service.authenticate(token.trim(), need).await?)
        }
        _ => Err(Problem::no_token()),
    }
}

/// By which way a request came to files that are not the caller's own: the part of its path that a prefix took off.
#[derive(Clone, Debug)]
pub enum Via {
    /// `/api/v1/shared/ID`: what another account lets the caller see.
    Grant(GrantId),
    /// `/api/v1/links/CODE`: what a link takes from guests.
    Link([u8; 16]),
    /// `/api/v1/quick/CODE`: what somebody without an account leaves here.
    Quick([u8; 16]),
}

impl Via {
    /// What it is called, up to the next slash.
    pub fn prefix(&self) -> String {
        match self {
            Self::Grant(id) => format!("/api/v1/shared/{id}"),
            Self::Link(code) => format!("/api/v1/links/{}", ShareId(*code)),
            Self::Quick(code) => format!("/api/v1/quick/{}", ShareId(*code)),
        }
    }
}

/// What a request needs at the doors where files are both fetched and changed.
pub fn need(parts: &Parts) -> Need {
    if matches!(parts.method, Method::GET | Method::HEAD) { Need::Look } else { Need::Change }
}

/// What a request's address is called in front of the door that answers: the proxy's part and the way that it came.
pub fn below(parts: &Parts) -> String {
    below_by(parts, parts.extensions.get::<Via>())
}

/// The same by another way than the request's own.
pub fn below_by(parts: &Parts, via: Option<&Via>) -> String {
    let proxy = page::prefix(&parts.headers).unwrap_or_default();
    // The doors say `/api/v1` themselves.
    let way = via.map(|via| via.prefix().replacen("/api/v1", "", 1)).unwrap_or_default();
    format!("{proxy}/api/v1{way}")
}

/// The place that a request acts in: the caller's own tree, or what its way leads to. `need`: what it is to do there.
///
/// # Errors
/// As [`caller_who`]; 404 and 410 for a way that leads nowhere any more.
pub async fn place(service: &Service, parts: &Parts, need: Need) -> Result<Place, Problem> {
    match parts.extensions.get::<Via>() {
        None => Ok(Place::from(&caller_who(service, parts, need).await?)),
        Some(Via::Grant(id)) => Ok(service.granted_place(&caller_who(service, parts, need).await?, *id).await?),
        Some(Via::Quick(code)) => {
            must_be_own_page(parts)?;
            Ok(service.quick_place(*code).await?)
        }
        Some(Via::Link(code)) => {
            must_be_own_page(parts)?;
            let pass = cookie(&parts.headers, &links::cookie_name(&parts.headers, &ShareId(*code).to_string()));
            Ok(service.linked(&service.link(*code, pass).await?))
        }
    }
}

async fn session(service: &Service, parts: &Parts) -> Result<Caller, Problem> {
    let text = cookie(&parts.headers, session_name(&parts.headers)).ok_or_else(Problem::no_token)?;
    must_be_own_page(parts)?;
    Ok(service.session(text).await?)
}

/// Refuses a change that another site's page asked a browser for.
///
/// # Errors
/// 403.
pub fn must_be_own_page(parts: &Parts) -> Result<(), Problem> {
    let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || is_own_page(&parts.headers) { Ok(()) } else { Err(Problem::cross_origin()) }
}

/// Whether a request comes from this service's own page, or from no page at all.
///
/// Source: Fetch Metadata Request Headers (W3C), `Sec-Fetch-Site`; for browsers without it RFC 6454 section 7.
fn is_own_page(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let of = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    of.is_some() && of == host
}

/// The same, where nothing said is not enough: for what an address alone does.
pub fn is_surely_own_page(headers: &HeaderMap) -> bool {
    headers.contains_key(FETCH_SITE) && is_own_page(headers)
}

/// Sets the session's cookie.
///
/// # Errors
/// None in practice.
pub fn keep_session(asked: &HeaderMap, answer: &mut HeaderMap, session: &SessionText) -> Result<(), Problem> {
    set_cookie(asked, answer, (session_name(asked), "/"), &session.0, SESSION_S)
}

/// Takes the session's cookie away.
///
/// # Errors
/// None in practice.
pub fn drop_session(asked: &HeaderMap, answer: &mut HeaderMap) -> Result<(), Problem> {
    set_cookie(asked, answer, (session_name(asked), "/"), "", 0)
}

/// Sets a cookie, for one path and below, that scripts cannot read and other sites' forms do not send.
///
/// # Errors
/// If name or value cannot be in a header, which ours can.
pub fn set_cookie(
    asked: &HeaderMap,
    answer: &mut HeaderMap,
    (name, path): (&str, &str),
    value: &str,
    lifetime_s: u32,
) -> Result<(), Problem> {
    let secure = if is_https(asked) { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={lifetime_s}; HttpOnly; SameSite=Lax{secure}");
    answer.append(SET_COOKIE, api::value(&text)?);
    Ok(())
}

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn session_name(headers: &HeaderMap) -> &'static str {
    if is_https(headers) { "__Host-holdfast" } else { "holdfast" }
}

/// Whether the browser came over HTTPS, as a proxy says, or the connection itself ([`crate::server`]).
pub fn is_https(headers: &HeaderMap) -> bool {
    headers.get(FORWARDED_PROTO) == Some(&HeaderValue::from_static("https"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hyper::{HeaderMap, header::HeaderName};

    use super::{cookie, is_own_page, session_name};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_the_own_page_may_change_something_with_a_cookie() {
        for (pairs, own) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://a"), ("host", "b")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", "http://a:1"), ("host", "a:1")], true),
            (&[("origin", "http://a:2"), ("host", "a:1")], false),
            (&[("origin", "null"), ("host", "a:1")], false),
            (&[("origin", "http://a:1")], false),
        ] {
            assert_eq!(is_own_page(&headers(pairs)), own, "{pairs:?}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let sent = headers(&[("cookie", "xholdfast=1; holdfast=2;holdfast_link=3")]);
        assert_eq!((cookie(&sent, "holdfast"), cookie(&sent, "hold")), (Some("2"), None));
        assert_eq!(session_name(&sent), "holdfast");
        assert_eq!(session_name(&headers(&[("x-forwarded-proto", "https")])), "__Host-holdfast");
    }
}
