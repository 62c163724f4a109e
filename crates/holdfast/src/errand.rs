//! Errands to other services: one request over a line of its own, within a limit of time and of size.
//!
//! Whoever is asked may be anybody's server, so nothing that it says leads anywhere: no redirect is followed, no more is read
//! than was asked for, and an address is gone to as it was given.

use std::time::Duration;

use bytes::Bytes;
use fleet::Tls;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Uri,
    client::conn::http1,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use model::world::BoxFuture;
use service::{Errand, Messenger, Reply};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// From the first packet to the last byte: somebody waits for it in front of a browser.
const LIMIT: Duration = Duration::from_secs(10);
/// Headers of one answer; more than any server has reason to send.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// Carries errands over the network.
#[derive(Clone, Copy, Debug)]
pub struct Network;

impl Messenger for Network {
    fn carry(&self, errand: Errand) -> BoxFuture<'_, Result<Reply, String>> {
        Box::pin(async move {
            let carried = tokio::time::timeout(LIMIT, carry(errand)).await;
            carried.unwrap_or_else(|_| Err(format!("no whole answer within {} s", LIMIT.as_secs())))
        })
    }
}

async fn carry(errand: Errand) -> Result<Reply, String> {
    let uri: Uri = errand.address.parse().map_err(|_| "it is no address")?;
    let authority = uri.authority().ok_or("it names no host")?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let secure = uri.scheme_str() == Some("https");
    let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(if errand.form.is_some() { Method::POST } else { Method::GET })
        .uri(path)
        .header(HOST, authority.as_str())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("holdfast/", env!("CARGO_PKG_VERSION")));
    if errand.form.is_some() {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    if let Some(secret) = errand.authorization {
        let mut value = HeaderValue::from_str(&secret).map_err(|_| "the login cannot be in a header")?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let body = Full::new(Bytes::from(errand.form.unwrap_or_default()));
    let request = request.body(body).map_err(|_| "it is no address")?;
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    if !secure {
        return ask(stream, request, errand.bytes_max).await;
    }
    let tls = Tls::of_machine().map_err(|error| error.to_string())?;
    let stream = tls.connect(&host, stream).await.map_err(|error| error.to_string())?;
    ask(stream, request, errand.bytes_max).await
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    bytes_max: usize,
) -> Result<Reply, String> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEADER_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        let body =
            body.map_err(|error| format!("its answer broke off, or has more than {bytes_max} bytes: {error}"))?;
        Ok(Reply { status, body: body.to_bytes().to_vec() })
    };
    // The line lives as long as the question; both end together.
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        biased;
        reply = &mut asked => reply,
        ended = connection => match ended {
            // What was read before its end may still have to be taken.
            Ok(()) => asked.await,
            Err(error) => Err(error.to_string()),
        },
    }
}
