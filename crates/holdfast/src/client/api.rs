//! The calls of `/api/v1` that the commands make, and what is kept of the answers.

use std::sync::Arc;

use hyper::{Method, Request, StatusCode, http::request::Builder};
use model::Class;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    http::{Answer, Http, Outgoing},
    login::Login,
    path::{RemotePath, encode, shown},
};
use crate::{
    error::{Error, Result},
    time,
};

/// Entries that one page of a listing asks for.
const PAGE: usize = 1_000;

/// The service as one user sees it.
#[derive(Clone)]
pub struct Api {
    http: Arc<Http>,
    /// The header that says who asks.
    says: (&'static str, Arc<str>),
}

/// One line of a folder's listing.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// Its name in the folder.
    pub name: String,
    /// `file` or `folder`.
    pub kind: Kind,
    /// Plaintext bytes; 0 for folders.
    #[serde(default)]
    pub size: Option<u64>,
    /// Modification time, RFC 3339.
    #[serde(default)]
    pub modified: Option<String>,
    /// Names the version that is there now; `None` for folders.
    #[serde(default)]
    pub etag: Option<String>,
    /// How safe its bytes are; `None` for folders.
    #[serde(default)]
    pub state: Option<String>,
    /// When that was last proven, RFC 3339.
    #[serde(default)]
    pub proven: Option<String>,
}

impl Entry {
    /// Modification time in microseconds since 1970.
    pub fn modified_us(&self) -> Option<i64> {
        time::parse_rfc3339(self.modified.as_deref()?)
    }
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Holds entries.
    Folder,
    /// Has bytes.
    File,
}

#[derive(Deserialize)]
struct Listing {
    entries: Vec<Entry>,
    next: Option<String>,
}

/// What a path turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing is there.
    Nothing,
    /// A folder.
    Folder,
    /// A file.
    File,
}

/// An error answer after RFC 9457.
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    code: Option<String>,
}

impl Api {
    /// The service that the environment names, or that the user is signed in to.
    ///
    /// # Errors
    /// Refused: neither is there, or it is not fit for use.
    pub fn from_environment() -> Result<Self> {
        Self::of(&Login::find()?)
    }

    /// The service of a login.
    ///
    /// # Errors
    /// Refused: address or token cannot be one.
    pub fn of(login: &Login) -> Result<Self> {
        if !login.token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::refused("HOLDFAST_TOKEN is not a token: it holds spaces or unusual characters")
                .hint("make one with `holdfast token create --data DIR --account owner`"));
        }
        Ok(Self {
            http: Arc::new(Http::new(&login.url)?),
            says: ("authorization", format!("Bearer {}", login.token).into()),
        })
    }

    /// A service that does not know us yet.
    ///
    /// # Errors
    /// Refused: it is no address.
    pub fn stranger(url: &str) -> Result<Self> {
        Ok(Self { http: Arc::new(Http::new(url)?), says: ("cookie", "".into()) })
    }

    /// Signs in as a browser does.
    ///
    /// # Errors
    /// As the service says.
    pub async fn sign_in(&self, body: &serde_json::Value) -> Result<Self> {
        let request = self.request(Method::POST, "/api/v1/session").header("content-type", "application/json");
        let mut answer = self.send(request, Outgoing::bytes(body.to_string().into(), None)).await?;
        let cookie = answer.header("set-cookie").and_then(|set| set.split(';').next()).map(str::to_owned);
        answer.bytes().await?;
        let cookie = cookie.ok_or_else(|| Error::new(Class::Bug, "the service let us in and gave no cookie"))?;
        Ok(Self { http: Arc::clone(&self.http), says: ("cookie", cookie.into()) })
    }

    /// The address of the service.
    pub fn url(&self) -> String {
        self.http.url()
    }

    /// As [`Http::is_private`].
    pub fn is_private(&self) -> bool {
        self.http.is_private()
    }

    /// As [`Http::own_path`].
    pub fn own_path<'a>(&self, location: &'a str) -> Option<&'a str> {
        self.http.own_path(location)
    }

    /// A request that says who asks. `path` starts with a slash and is encoded already.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let (name, value) = &self.says;
        Request::builder().method(method).uri(path).header(*name, value.as_ref())
    }

    /// Sends a request and turns error answers into errors.
    ///
    /// # Errors
    /// As the service says; Retry when it cannot be reached.
    pub async fn send(&self, request: Builder, body: Outgoing) -> Result<Answer> {
        let request = request
            .body(body)
            .map_err(|error| Error::new(Class::Bug, format!("a request could not be made: {error}")))?;
        let mut answer = self.http.send(request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let body = answer.bytes().await.unwrap_or_default();
        Err(refusal(answer.status, &body))
    }

    /// Sends a request whose answer has nothing to read.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_all(&self, request: Builder, body: Outgoing) -> Result<StatusCode> {
        let mut answer = self.send(request, body).await?;
        answer.bytes().await?;
        Ok(answer.status)
    }

    /// Gets a JSON answer.
    ///
    /// # Errors
    /// As [`Self::send`]; Bug when the answer is not what was expected.
    pub async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<T> {
        let mut request = self.request(method, path);
        let mut outgoing = Outgoing::empty();
        if let Some(value) = body {
            request = request.header("content-type", "application/json");
            outgoing = Outgoing::bytes(value.to_string().into(), None);
        }
        let body = self.send(request, outgoing).await?.bytes().await?;
        serde_json::from_slice(&body).map_err(|error| {
            Error::new(Class::Bug, format!("the service's answer to {path} is not understood: {error}"))
                .hint("client and service may be of different versions")
        })
    }

    /// All entries of a folder, `None` when there is no such folder.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn list(&self, folder: &RemotePath) -> Result<Option<Vec<Entry>>> {
        let mut entries = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = match self.page(folder, after.as_deref(), PAGE).await {
                Ok(page) => page,
                Err(error) if error.class == Class::Missing => return Ok(None),
                Err(error) => return Err(error),
            };
            entries.extend(page.entries);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(Some(entries)),
            }
        }
    }

    async fn page(&self, folder: &RemotePath, after: Option<&str>, limit: usize) -> Result<Listing> {
        let after = after.map(|cursor| format!("&after={}", encode(cursor))).unwrap_or_default();
        self.json(Method::GET, &format!("{}?limit={limit}{after}", folder_url(folder)), None).await
    }

    /// What is at a path.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn find(&self, path: &RemotePath) -> Result<Found> {
        match self.page(path, None, 1).await {
            Ok(_) => return Ok(Found::Folder),
            Err(error) if error.class != Class::Missing && error.class != Class::Conflict => return Err(error),
            Err(_) if path.folder => return Ok(Found::Nothing),
            Err(_) => {}
        }
        match self.send_all(self.request(Method::HEAD, &file_url(path)), Outgoing::empty()).await {
            Ok(_) => Ok(Found::File),
            Err(error) if error.class == Class::Missing => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    /// The state of the fleet as `GET /api/v1/fleet` gives it.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn fleet(&self) -> Result<serde_json::Value> {
        self.json(Method::GET, "/api/v1/fleet", None).await
    }

    /// `mkdir`, `move`, `copy`, `restore` at a path.
    ///
    /// # Errors
    /// As [`Self::send`]; Conflict when something is there already.
    pub async fn act(&self, path: &RemotePath, body: &serde_json::Value) -> Result<()> {
        let request = self.request(Method::POST, &file_url(path)).header("content-type", "application/json");
        self.send_all(request, Outgoing::bytes(body.to_string().into(), None)).await.map(drop)
    }
}

/// The URL of a file, or of a folder that is acted upon.
pub fn file_url(path: &RemotePath) -> String {
    format!("/api/v1/files/{}", path.encoded())
}

/// The URL of a folder's listing.
pub fn folder_url(path: &RemotePath) -> String {
    if path.is_root() { "/api/v1/files/".to_owned() } else { format!("/api/v1/files/{}/", path.encoded()) }
}

/// Makes an error of an error answer.
fn refusal(status: StatusCode, body: &[u8]) -> Error {
    let problem: Option<Problem> = serde_json::from_slice(body).ok();
    let code = problem.as_ref().and_then(|problem| problem.code.clone());
    let class = match status.as_u16() {
        404 | 410 => Class::Missing,
        409 | 412 | 423 => Class::Conflict,
        // With a code it is our service, which cannot read what it keeps; without one, something on the way to it.
        502 if code.is_some() => Class::Damaged,
        408 | 429 | 502..=504 => Class::Retry,
        507 => Class::Exhausted,
        500..=599 => Class::Bug,
        _ => Class::Refused,
    };
    let said = problem.and_then(|problem| problem.detail.or(problem.title));
    let message = said.map_or_else(|| format!("the service answered {status}"), |said| shown(&said));
    let error = Error { code, ..Error::new(class, message) };
    match status.as_u16() {
        401 if error.code.as_deref().is_some_and(|code| code.starts_with("token_")) => error.hint(
            "sign in again with `holdfast login URL`, or set HOLDFAST_TOKEN to one that `holdfast token create` made",
        ),
        503 => error.hint("run the same command again in a moment; `holdfast fleet` shows what is down"),
        507 if error.code.as_deref() != Some("quota") => error.hint("reads go on; make room or add a provider"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use model::Class;

    use super::refusal;

    #[test]
    fn problems_keep_their_words_and_code() {
        let body = br#"{"type":"about:blank","title":"Conflict","status":409,"detail":"'a' is there already","code":"exists"}"#;
        let error = refusal(StatusCode::CONFLICT, body);
        assert_eq!((error.class, error.message.as_str()), (Class::Conflict, "'a' is there already"));
        assert_eq!(error.code.as_deref(), Some("exists"));
    }

    #[test]
    fn answers_of_strangers_are_told_by_status() {
        let error = refusal(StatusCode::BAD_GATEWAY, b"<html>\x1b[2J");
        assert_eq!((error.class, error.message.as_str()), (Class::Retry, "the service answered 502 Bad Gateway"));
    }
}
