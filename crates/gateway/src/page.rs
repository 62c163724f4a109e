//! The web page's files: an ordinary client of the interface, sent from here.
//!
//! Every address that is not the interface's is a view of the page, so it gets the page; which view, the page reads from
//! its own address. Behind a proxy that serves it below a path, `X-Forwarded-Prefix` says which, and the page's `<base>`
//! follows.
//!
//! The page brings all of its scripts and styles as files: nothing inline runs, no other site frames it or gets to know
//! where its users come from.

use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
        HeaderName, HeaderValue, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};

use crate::error::Problem;

const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; \
                      base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
/// What the page says where it lies, when it lies at the top.
const BASE: &str = "<base href=\"/\"";

/// One file of the page.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// The same, compressed, where that is shorter.
    pub gzip: Option<&'static [u8]>,
    /// Whether its name changes with its content, so that it may be kept for ever.
    pub immutable: bool,
}

/// The page: its files by path, and the one that every view begins with.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// A file by its path from the top, without the slash before it.
    pub find: fn(&str) -> Option<Asset>,
    /// The document that every view begins with.
    pub index: fn() -> Asset,
}

impl Page {
    /// No page: only the interface answers.
    pub fn none() -> Self {
        const NONE: Asset = Asset {
            media_type: "text/plain; charset=utf-8",
            bytes: b"This service was built without its page. The interface is at /api/v1/.\n",
            gzip: None,
            immutable: false,
        };
        Self { find: |_| None, index: || NONE }
    }

    /// Answers with a file, or with the page for a view's address.
    ///
    /// # Errors
    /// 404 below `/api/`, 405 for anything but reading.
    pub fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let path = request.uri().path().trim_start_matches('/');
        if path == "api" || path.starts_with("api/") {
            return Err(Problem::no_route());
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return Err(Problem::method("GET, HEAD"));
        }
        match (self.find)(path) {
            Some(asset) => Ok(file(&asset, request.headers())),
            None if path.starts_with("assets/") => Err(Problem::no_route()),
            None => Ok(view(&(self.index)(), request.headers())),
        }
    }
}

fn file(asset: &Asset, asked: &HeaderMap) -> Response {
    let accepts = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.split(',').any(is_gzip));
    let gzip = asset.gzip.filter(|_| asked.get_all(ACCEPT_ENCODING).iter().any(accepts));
    let mut response = answer(asset, Bytes::from_static(gzip.unwrap_or(asset.bytes)));
    let headers = response.headers_mut();
    if gzip.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    let keep = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

/// `gzip`, unless it is accepted with weight 0.
fn is_gzip(coding: &str) -> bool {
    let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
    name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
}

fn view(index: &Asset, asked: &HeaderMap) -> Response {
    let bytes = match prefix(asked) {
        Some(prefix) => {
            let text = String::from_utf8_lossy(index.bytes);
            Bytes::from(text.replacen(BASE, &format!("<base href=\"{prefix}/\""), 1))
        }
        None => Bytes::from_static(index.bytes),
    };
    let mut response = answer(index, bytes);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The path below which a proxy serves all of this. It goes into the page and into addresses, so only plain characters are
/// taken.
pub fn prefix(asked: &HeaderMap) -> Option<&str> {
    let text = asked.get(PREFIX)?.to_str().ok()?.trim_end_matches('/');
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
    (text.starts_with('/') && !text.starts_with("//") && plain).then_some(text)
}

fn answer(asset: &Asset, bytes: Bytes) -> Response {
    let length = bytes.len();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The addresses of links are secrets: they are not told to anybody.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::{body::Body, extract::Request, response::Response};
    use hyper::{HeaderMap, Method};

    use super::{Asset, BASE, Page, prefix};

    const SCRIPT: Asset = Asset { media_type: "text/javascript", bytes: b"script", gzip: Some(b"gz"), immutable: true };
    const INDEX: Asset = Asset { media_type: "text/html", bytes: BASE.as_bytes(), gzip: None, immutable: false };
    const PAGE: Page = Page { find: |path| (path == "assets/a.js").then_some(SCRIPT), index: || INDEX };

    fn ask(method: Method, path: &str, headers: &[(&str, &str)]) -> Result<Response, u16> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        PAGE.answer(&request.body(Body::empty()).unwrap()).map_err(|problem| problem.status.as_u16())
    }

    fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    fn length(response: &Response) -> usize {
        header(response, "content-length").unwrap().parse().unwrap()
    }

    #[test]
    fn views_get_the_page_and_files_their_bytes() {
        for path in ["/", "/files/a/b/", "/s/0123"] {
            let view = ask(Method::GET, path, &[("accept-encoding", "gzip")]).unwrap();
            assert_eq!((length(&view), header(&view, "cache-control")), (BASE.len(), Some("no-cache")));
            assert!(header(&view, "content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        }
        let script = ask(Method::GET, "/assets/a.js", &[("accept-encoding", "br, gzip")]).unwrap();
        assert_eq!((length(&script), header(&script, "content-encoding")), (2, Some("gzip")));
        assert!(header(&script, "cache-control").unwrap().contains("immutable"));
        let plain = ask(Method::HEAD, "/assets/a.js", &[("accept-encoding", "gzip;q=0")]).unwrap();
        assert_eq!((length(&plain), header(&plain, "content-encoding")), (6, None));
        for (method, path, status) in
            [(Method::GET, "/api/v2/x", 404), (Method::GET, "/assets/b.js", 404), (Method::POST, "/", 405)]
        {
            assert_eq!(ask(method, path, &[]).unwrap_err(), status, "{path}");
        }
    }

    #[test]
    fn below_a_path_the_page_knows_it_and_nothing_else_gets_in() {
        let view = ask(Method::GET, "/", &[("x-forwarded-prefix", "/cloud/")]).unwrap();
        assert_eq!(length(&view), BASE.len() + "/cloud".len());
        for bad in ["cloud", "//evil.example", "/a\"><script>", "/a b"] {
            let headers: HeaderMap = [(super::PREFIX, bad.parse().unwrap())].into_iter().collect();
            assert_eq!(prefix(&headers), None, "{bad}");
        }
    }
}
