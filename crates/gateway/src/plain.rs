//! Port 80 beside a service that ends TLS itself: the texts that an authority fetches, and the way to https for everybody else.

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use hyper::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HOST, HeaderValue, LOCATION},
    http::request::Parts,
};
use tokio::net::TcpListener;

use crate::{api, error::Problem, server, watch::Watch};

/// Source: RFC 8555 section 8.3.
const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// The text for a token, while an authority may ask for it.
pub type Challenge = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Answers challenges on `listener` and sends everybody else to https on `port`, until `shutdown` completes.
pub async fn serve_plain(
    listener: TcpListener,
    watch: Arc<Watch>,
    challenge: Arc<Challenge>,
    port: u16,
    shutdown: impl Future<Output = ()> + Send,
) {
    let router = Router::new().fallback(move |request: Request| {
        let answer = answer(&request.into_parts().0, challenge.as_ref(), port);
        async move { answer.unwrap_or_else(IntoResponse::into_response) }
    });
    server::run(listener, router, watch, None, server::Limits::default(), shutdown).await;
}

fn answer(parts: &Parts, challenge: &Challenge, port: u16) -> Result<Response, Problem> {
    if let Some(token) = parts.uri.path().strip_prefix(CHALLENGES) {
        let text = challenge(token).ok_or_else(Problem::no_route)?;
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        return Ok(response);
    }
    // A body that was sent in clear is not sent twice.
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(Problem::new(StatusCode::FORBIDDEN, "needs_https", "this address answers over https alone"));
    }
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(host_of);
    let host = host.ok_or_else(|| Problem::bad_request("bad_header", "the header host must name a host"))?;
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut response = api::empty(StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(LOCATION, api::value(&format!("https://{host}{port}{path}"))?);
    Ok(response)
}

/// The host of a `Host`, without its port; `None` for what is none.
fn host_of(text: &str) -> Option<&str> {
    let host = match text.strip_prefix('[') {
        Some(rest) => &text[..rest.find(']')? + 2],
        None => text.split(':').next()?,
    };
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    (!host.is_empty() && host.chars().all(good)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn hosts() {
        for (text, host) in [
            ("files.example", Some("files.example")),
            ("files.example:80", Some("files.example")),
            ("[::1]:8080", Some("[::1]")),
            ("[::1", None),
            ("", None),
            ("a/b", None),
            ("a@b", None),
        ] {
            assert_eq!(host_of(text), host, "{text}");
        }
    }
}
