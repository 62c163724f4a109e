//! `/api/v1/links/CODE`: what a guest sees of a share. No account, no token: the address is the key.
//!
//! A link with a password gives a cookie to whoever knows it; the cookie opens that link alone.

use std::{
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures_util::Stream;
use hyper::{HeaderMap, Method, StatusCode, http::request::Parts};
use model::{
    entry::Kind,
    id::{EntryId, ShareId},
    world::BoxFuture,
};
use serde::{Deserialize, Serialize};
use service::{Download, Knock, Link, Service, paths::Path};
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};

use crate::{
    api::{
        self, described, files, listing,
        word::{KindWord, ReasonWord, Time},
    },
    auth, body, client,
    error::Problem,
    header::percent,
    page,
};

const PREFIX: &str = "/api/v1/links/";
/// How long a link's password is remembered by a browser, in seconds.
const PASS_S: u32 = 86_400;

/// What a link shows: something, or what is asked for.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Linked)]
enum About {
    Shows(Shows),
    Receives(Receives),
}

/// A link that shows something.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
struct Shows {
    #[schema(schema_with = no)]
    receives: bool,
    words: Option<String>,
    name: String,
    kind: KindWord,
    /// None: somebody without an account left it here.
    owner: Option<String>,
    expires: Option<Time>,
    /// None for a folder.
    size: Option<u64>,
    media_type: Option<String>,
    etag: Option<String>,
    modified: Time,
    downloads_left: Option<u64>,
}

/// A link by which files are received. Nothing of what lies there is said to whoever brings something.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestLink)]
struct Receives {
    #[schema(schema_with = yes)]
    receives: bool,
    /// What is asked for.
    words: Option<String>,
    /// Of the folder that they go into.
    name: String,
    kind: KindWord,
    owner: String,
    expires: Option<Time>,
    files_left: Option<u64>,
}

fn yes() -> Object {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true])).build()
}

fn no() -> Object {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([false])).build()
}

/// Says what the link shows.
#[utoipa::path(get, path = "/api/v1/links/{code}", security(()), responses((status = 200, body = About)))]
pub async fn about(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    must_read(&parts)?;
    let link = open(&service, &parts).await?;
    service.link_opened(&link);
    let left = link.row.downloads_max.map(|max| max.saturating_sub(link.row.downloads));
    let words = Some(link.row.words.clone()).filter(|words| !words.is_empty());
    let (name, kind) = (link.entry.name.clone(), link.entry.kind.into());
    let (owner, expires) = (link.owner.clone(), link.row.expires_us.map(Time));
    if link.row.receives {
        // Whoever asks for files has an account.
        let owner = owner.unwrap_or_default();
        let about = Receives { receives: true, words, name, kind, owner, expires, files_left: left };
        return Ok(api::json(StatusCode::OK, &About::Receives(about)));
    }
    let file = match link.entry.kind {
        Kind::File => Some(service.find(service.linked(&link), Path::default()).await?),
        Kind::Folder => None,
    };
    let version = file.map(|file| file.version);
    let about = Shows {
        receives: false,
        words,
        name,
        kind,
        owner,
        expires,
        size: version.as_ref().map(|version| version.size),
        modified: Time(version.as_ref().map_or(link.entry.modified_us, |version| version.modified_us)),
        etag: version.as_ref().map(|version| version.id.to_string()),
        media_type: version.map(|version| version.media_type),
        downloads_left: left,
    };
    Ok(api::json(StatusCode::OK, &About::Shows(about)))
}

/// What a guest reports.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReport)]
struct Report {
    reason: ReasonWord,
    words: String,
    contact: Option<String>,
}

/// Tells the operator of a link.
#[utoipa::path(
    post, path = "/api/v1/links/{code}/report", security(()), request_body = Report,
    responses((status = 204)),
)]
pub async fn report(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    auth::must_be_own_page(&parts)?;
    let (_, code) = code(&parts)?;
    let Report { reason, words, contact } = body::json(body).await?;
    service.knock(client::network(&parts), Knock::Report)?;
    service.report(code, reason.into(), words, contact).await?;
    Ok(api::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkPassword)]
struct Password {
    password: String,
}

/// Takes the link's password: the answer sets a cookie that opens this link alone.
#[utoipa::path(
    post, path = "/api/v1/links/{code}/session", security(()), request_body = Password,
    responses((status = 204, headers(("Set-Cookie" = String)))),
)]
pub async fn session(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(Problem::method("POST"));
    }
    auth::must_be_own_page(&parts)?;
    let (text, code) = code(&parts)?;
    let Password { password } = body::json(body).await?;
    let pass = service.guess(client::network(&parts), service.link_pass(code, password)).await?;
    let mut response = api::empty(StatusCode::NO_CONTENT);
    if !pass.is_empty() {
        let path = format!("{}{PREFIX}{text}", page::prefix(&parts.headers).unwrap_or_default());
        auth::set_cookie(
            &parts.headers,
            response.headers_mut(),
            (&cookie_name(&parts.headers, text), &path),
            &pass,
            PASS_S,
        )?;
    }
    Ok(response)
}

/// Gives the bytes of a file's link.
#[utoipa::path(
    get, path = "/api/v1/links/{code}/content", security(()), params(described::Reading),
    responses(described::BytesOut),
)]
pub async fn content(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    must_read(&parts)?;
    percent::query(parts.uri.query(), [])?;
    let link = open(&service, &parts).await?;
    send(&service, link, Path::default(), &parts).await
}

/// What a request's path says behind the code and `what`.
///
/// # Errors
/// 400 for a path that is none, 404 for a code that is none.
pub fn below(parts: &Parts, what: &str) -> Result<(Path, bool), Problem> {
    let (text, _) = code(parts)?;
    let raw = parts.uri.path().strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(text));
    percent::path(raw.and_then(|rest| rest.strip_prefix(what)).unwrap_or_default())
}

/// Gives a file's bytes in a folder's link; of a path with a slash at its end, what is in that folder.
#[utoipa::path(
    get, path = "/api/v1/links/{code}/files/{path}", security(()), params(described::Reading, listing::Asked),
    responses(described::BytesOrListing),
)]
pub async fn files(State(service): State<Service>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    must_read(&parts)?;
    let (path, slash) = below(&parts, "/files/")?;
    let link = open(&service, &parts).await?;
    if slash {
        let (sorting, after, limit) = listing::wanted(&parts)?;
        return Ok(listing::page(service.list(service.linked(&link), path, sorting, after, limit).await?));
    }
    percent::query(parts.uri.query(), [])?;
    send(&service, link, path, &parts).await
}

async fn send(service: &Service, link: Link, path: Path, parts: &Parts) -> Result<Response, Problem> {
    let link = admitted(service, link, parts).await?;
    let place = service.linked(&link);
    let file = service.find(&place, path.clone()).await?;
    files::send(service, &place, file, &path, parts, Some(link)).await
}

/// The link, if bytes may be taken through it now. To ask for a file's facts alone takes none.
///
/// # Errors
/// 429 if its owner's links have brought today what they may.
pub async fn admitted(service: &Service, link: Link, parts: &Parts) -> Result<Link, Problem> {
    if parts.method == Method::GET { Ok(service.admit_guest(link).await?) } else { Ok(link) }
}

/// Refuses what is no reading.
///
/// # Errors
/// 405.
pub fn must_read(parts: &Parts) -> Result<(), Problem> {
    match parts.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Problem::method("GET, HEAD")),
    }
}

/// The link that a request's path names, if it is open to whoever asks.
///
/// # Errors
/// As the service says.
pub async fn open(service: &Service, parts: &Parts) -> Result<Link, Problem> {
    let (text, code) = code(parts)?;
    Ok(service.link(code, auth::cookie(&parts.headers, &cookie_name(&parts.headers, text))).await?)
}

/// The code in the path: as text, and what it stands for.
///
/// # Errors
/// 404 for a text that is none.
pub fn code(parts: &Parts) -> Result<(&str, [u8; 16]), Problem> {
    let rest = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let text = rest.split('/').next().unwrap_or_default();
    let code = ShareId::parse(text).map_err(|_| service::Error::NoLink)?;
    Ok((text, code.0))
}

/// What the cookie is called that opens a link with a password.
pub fn cookie_name(headers: &HeaderMap, code: &str) -> String {
    // Not `__Host-`, which would send it, and those of all links that were opened, with each request for anything.
    let prefix = if auth::is_https(headers) { "__Secure-" } else { "" };
    format!("{prefix}holdfast-link-{code}")
}

/// Leave to send bytes of something through a link. When it goes, what went out is counted.
pub struct Taking {
    service: Service,
    download: Option<Download>,
    sent: u64,
}

impl Taking {
    /// Takes leave for a `part` of `file`, which has as many bytes as said.
    ///
    /// # Errors
    /// As the service says: the link is good for no more, or not now.
    pub async fn begin(
        service: &Service,
        link: Link,
        file: (EntryId, u64),
        part: &Range<u64>,
    ) -> Result<Self, Problem> {
        let bytes = part.end.saturating_sub(part.start);
        let download = service.begin_download(link, file.0, file.1, bytes).await?;
        Ok(Self { service: service.clone(), download: Some(download), sent: 0 })
    }

    fn link(&self) -> Option<&Link> {
        self.download.as_ref().map(Download::link)
    }
}

impl Drop for Taking {
    #[allow(clippy::disallowed_methods, reason = "a body that ends cannot wait; the simulator has no guests")]
    fn drop(&mut self) {
        let Some(download) = self.download.take() else { return };
        let (service, sent) = (self.service.clone(), self.sent);
        tokio::spawn(async move {
            if let Err(error) = service.end_download(download, sent).await {
                tracing::warn!(%error, "a download was not counted");
            }
        });
    }
}

/// A link's bytes on their way to a guest, as fast as the owner's plan has it: when the body ends or breaks, what went out is
/// counted.
pub struct Counted<S> {
    bytes: S,
    /// A piece whose moment has not come.
    held: Option<(Bytes, BoxFuture<'static, ()>)>,
    taking: Taking,
}

impl<S> Counted<S> {
    /// Counts `bytes`.
    pub fn new(taking: Taking, bytes: S) -> Self {
        Self { bytes, held: None, taking }
    }
}

impl<S, E> Stream for Counted<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.held.is_none() {
            let next = ready!(Pin::new(&mut self.bytes).poll_next(cx));
            let Some(Ok(piece)) = next else { return Poll::Ready(next) };
            let wait = self.taking.link().and_then(|link| self.taking.service.guest_wait(link, piece.len()));
            let Some(wait) = wait else {
                self.taking.sent += piece.len() as u64;
                return Poll::Ready(Some(Ok(piece)));
            };
            self.held = Some((piece, wait));
        }
        if let Some((_, wait)) = &mut self.held {
            ready!(wait.as_mut().poll(cx));
        }
        let piece = self.held.take().map(|(piece, _)| piece);
        self.taking.sent += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(Ok))
    }
}

impl<S> Drop for Counted<S> {
    fn drop(&mut self) {
        if let (Some((piece, _)), Some(link)) = (&self.held, self.taking.link()) {
            self.taking.service.guest_left(link, piece.len());
        }
    }
}
