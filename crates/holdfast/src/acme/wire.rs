//! One question to the authority, over a line of its own.

use std::time::Duration;

use bytes::Bytes;
use fleet::Tls;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    HeaderMap, Request, Uri,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, HeaderName, LOCATION, RETRY_AFTER, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

pub use hyper::Method as HttpMethod;

const LIMIT: Duration = Duration::from_secs(30);
/// A chain of certificates is a few kilobytes.
const BODY_BYTES_MAX: usize = 256 << 10;
const PAUSE_MAX: Duration = Duration::from_secs(20);
const NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Without a signature.
    Get,
    /// For a nonce.
    Head,
    /// Signed.
    Post,
}

/// What the authority answered.
pub struct Answer {
    /// HTTP's status.
    pub status: u16,
    /// For the next question.
    pub nonce: Option<String>,
    /// The address of what was made.
    pub location: Option<String>,
    /// When to look again.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// If it is none.
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|_| format!("the authority's answer ({}) is no JSON", self.status))
    }
}

/// Asks once.
///
/// # Errors
/// What kept it from being asked or answered.
pub async fn send(method: Method, address: &str, body: Option<String>) -> Result<Answer, String> {
    let sent = tokio::time::timeout(LIMIT, ask(method, address, body)).await;
    let sent = sent.unwrap_or_else(|_| Err(format!("no whole answer within {} s", LIMIT.as_secs())));
    sent.map_err(|why| format!("{}: {why}", address.chars().filter(|c| !c.is_control()).take(200).collect::<String>()))
}

async fn ask(method: Method, address: &str, body: Option<String>) -> Result<Answer, String> {
    let uri: Uri = address.parse().map_err(|_| "it is no address")?;
    if uri.scheme_str() != Some("https") {
        return Err("an authority is asked over https alone".to_owned());
    }
    let authority = uri.authority().ok_or("it names no host")?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let method = match method {
        Method::Get => HttpMethod::GET,
        Method::Head => HttpMethod::HEAD,
        Method::Post => HttpMethod::POST,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(HOST, authority.as_str())
        .header(USER_AGENT, concat!("holdfast/", env!("CARGO_PKG_VERSION")));
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/jose+json");
    }
    let request = request.body(Full::new(Bytes::from(body.unwrap_or_default()))).map_err(|_| "it is no address")?;
    let stream = TcpStream::connect((host.as_str(), authority.port_u16().unwrap_or(443))).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let tls = Tls::of_machine().map_err(|error| error.to_string())?;
    let stream = tls.connect(&host, stream).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error: hyper::Error| error.to_string())?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| format!("its answer broke off, or is too long: {error}"))?.to_bytes().to_vec();
        let pause = text(&head.headers, &RETRY_AFTER).and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Ok(Answer {
            status: head.status.as_u16(),
            nonce: text(&head.headers, &NONCE),
            location: text(&head.headers, &LOCATION),
            retry_after: pause.map(|pause| pause.min(PAUSE_MAX)),
            body,
        })
    };
    // The line lives as long as the question; both end together.
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        biased;
        answer = &mut asked => answer,
        ended = connection => match ended {
            // What was read before its end may still have to be taken.
            Ok(()) => asked.await,
            Err(error) => Err(error.to_string()),
        },
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
