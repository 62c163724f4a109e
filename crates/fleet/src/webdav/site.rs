//! The requests that are made of a WebDAV server, one function to each.
//!
//! Source: RFC 4918 (WebDAV), RFC 9110 (HTTP).

use std::io::{Error as IoError, ErrorKind};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{self, HeaderName, HeaderValue},
};
use model::world::World;

use super::{
    address::Place,
    multistatus::{self, Described},
};
use crate::{
    target::{Error, Result},
    wire::{Asked, HttpOptions, Wire, answer::Answer, body::Outgoing, text},
};

/// A folder of some 65,000 objects.
const FOLDER_BYTES_MAX: usize = 32 << 20;
/// Answers that only say "done", or why not.
const SHORT_BYTES_MAX: usize = 256 << 10;
/// So often a name is asked for that another request holds locked: a rename is over in the time of an answer or two.
const LOCKED_MAX: usize = 16;
const MARKER_BYTES_MAX: usize = 64 << 10;

const QUESTION: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?><propfind xmlns=\"DAV:\"><prop><resourcetype/>\
    <getcontentlength/><quota-available-bytes/></prop></propfind>";

/// Whether something may be replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwrite {
    Yes,
    No,
}

/// How deep a question goes.
#[derive(Clone, Copy)]
pub(super) enum Depth {
    Itself,
    Children,
}

/// The way to one collection. Paths are relative to it, `""` is itself.
pub(super) struct Site {
    pub(super) wire: Wire,
    place: Place,
}

impl Site {
    pub(super) fn new(place: Place, options: &HttpOptions, world: &World) -> Result<Self> {
        let wire = Wire::new(place.endpoint.clone(), place.endpoint.shown(), options, world)?;
        Ok(Self { wire, place })
    }

    /// The decoded path that a resource is described by.
    pub(super) fn path(&self, relative: &str) -> String {
        let root: String = self.place.endpoint.parts.iter().flat_map(|part| ["/", part]).collect();
        if relative.is_empty() { root } else { format!("{root}/{relative}") }
    }

    /// The path as it is sent; that of a folder ends in a slash.
    fn sent_path(&self, relative: &str) -> String {
        format!("{}/{}", self.place.base, text::encode(relative, true))
    }

    async fn ask(
        &self,
        verb: &'static str,
        method: &str,
        relative: &str,
        headers: &[(HeaderName, &str)],
        body: Outgoing,
    ) -> Result<Answer> {
        self.ask_over(verb, method, relative, headers, (body, false)).await
    }

    /// As [`Self::ask`]; the flag says whether over a new connection.
    async fn ask_over(
        &self,
        verb: &'static str,
        method: &str,
        relative: &str,
        headers: &[(HeaderName, &str)],
        (body, afresh): (Outgoing, bool),
    ) -> Result<Answer> {
        let mut fields = HeaderMap::new();
        fields.insert(header::AUTHORIZATION, self.place.authorization.clone());
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| self.wire.odd(verb, "a header cannot be sent"))?;
            fields.insert(name.clone(), value);
        }
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| self.wire.odd(verb, "no such method"))?;
        self.wire.ask(verb, Asked { method, path: self.sent_path(relative), headers: fields, body, afresh }).await
    }

    /// Asks for bytes. Success is any status below 300; 404 and 416 are for the caller.
    pub(super) async fn get(&self, verb: &'static str, relative: &str, range: Option<&str>) -> Result<Answer> {
        let headers: Vec<_> = range.map(|range| (header::RANGE, range)).into_iter().collect();
        let answer = self.ask(verb, "GET", relative, &headers, Outgoing::empty()).await?;
        match answer.status.as_u16() {
            200..=299 | 404 | 410 | 416 => Ok(answer),
            301 | 302 | 307 | 308 if self.leads_to_folder(&answer, relative) => Err(self.folder(relative)),
            _ => Err(self.refused(verb, answer).await),
        }
    }

    /// The marker, `None` where there is none; whether the root is there is not asked.
    pub(super) async fn marker(&self, name: &str) -> Result<Option<Bytes>> {
        let answer = self.get("read marker", name, None).await?;
        match answer.status.as_u16() {
            200 => answer.all(MARKER_BYTES_MAX).await.map(Some),
            404 | 410 => answer.all(SHORT_BYTES_MAX).await.map(|_| None),
            _ => Err(self.refused("read marker", answer).await),
        }
    }

    /// What the server says about a resource, and what is in it; `None` if it is not there.
    ///
    /// Of a name below an *object* Apache says "bad request" (400). It is believed to be that, and not a fault of ours, if one
    /// of the names above it is an object.
    pub(super) async fn describe(
        &self,
        verb: &'static str,
        relative: &str,
        depth: Depth,
    ) -> Result<Option<Vec<Described>>> {
        let refused = match self.describe_or_refuse(verb, relative, depth).await? {
            Ok(found) => return Ok(found),
            Err(refused) => refused,
        };
        let mut above = relative;
        while let Some((next, _)) = above.rsplit_once('/') {
            above = next;
            match self.describe_or_refuse(verb, above, Depth::Itself).await? {
                Ok(found) => {
                    let is_object = found.is_none_or(|found| found.iter().any(|one| !one.is_folder));
                    return if is_object { Ok(None) } else { Err(refused) };
                }
                Err(_) => continue,
            }
        }
        Err(refused)
    }

    /// As [`Self::describe`]; the inner error is that of a "bad request".
    async fn describe_or_refuse(
        &self,
        verb: &'static str,
        relative: &str,
        depth: Depth,
    ) -> Result<std::result::Result<Option<Vec<Described>>, Error>> {
        let depth = if matches!(depth, Depth::Itself) { "0" } else { "1" };
        let headers =
            [(HeaderName::from_static("depth"), depth), (header::CONTENT_TYPE, "application/xml; charset=utf-8")];
        let body = Outgoing::pieces(&[Bytes::from_static(QUESTION)]);
        let answer = self.ask(verb, "PROPFIND", relative, &headers, body).await?;
        match answer.status.as_u16() {
            207 => {
                let document = answer.all(FOLDER_BYTES_MAX).await?;
                let unread = |reason| self.wire.odd(verb, format!("its answer cannot be read: {reason}"));
                multistatus::parse(&document).map(|found| Ok(Some(found))).map_err(unread)
            }
            400 => Ok(Err(self.refused(verb, answer).await)),
            404 | 410 => answer.all(SHORT_BYTES_MAX).await.map(|_| Ok(None)),
            301 | 302 | 307 | 308 if self.leads_to_folder(&answer, relative) => {
                let (path, is_folder) = (self.path(relative), true);
                Ok(Ok(Some(vec![Described { path, is_folder, ..Described::default() }])))
            }
            _ => Err(self.refused(verb, answer).await),
        }
    }

    /// What is under a name: the length of an object, `None` for nothing.
    ///
    /// # Errors
    /// [`Error::NotAnObject`] for a folder.
    pub(super) async fn length(&self, verb: &'static str, relative: &str) -> Result<Option<u64>> {
        let Some(found) = self.describe(verb, relative, Depth::Itself).await? else { return Ok(None) };
        let path = self.path(relative);
        match found.into_iter().find(|described| described.path == path) {
            None => Err(self.wire.odd(verb, "it describes something else than it was asked for")),
            Some(described) if described.is_folder => Err(self.folder(relative)),
            Some(described) => described.bytes.map(Some).ok_or_else(|| self.wire.odd(verb, "it states no length")),
        }
    }

    pub(super) async fn put(&self, verb: &'static str, relative: &str, body: Outgoing) -> Result<()> {
        let answer = self.ask(verb, "PUT", relative, &[], body).await?;
        self.done(verb, answer).await.map(drop)
    }

    /// Gives a resource another name. False if something has it already.
    ///
    /// A used connection may end while the request is on its way. A rename is not sent twice blindly; where the resource still
    /// has its old name nothing was done, and it is renamed over a new connection.
    pub(super) async fn rename(&self, verb: &'static str, from: &str, to: &str, overwrite: Overwrite) -> Result<bool> {
        match self.rename_once(verb, (from, to), overwrite, false).await {
            Err(error @ Error::Io { .. }) => match self.length(verb, from).await? {
                Some(_) => self.rename_once(verb, (from, to), overwrite, true).await,
                None => Err(error),
            },
            other => other,
        }
    }

    async fn rename_once(
        &self,
        verb: &'static str,
        (from, to): (&str, &str),
        overwrite: Overwrite,
        afresh: bool,
    ) -> Result<bool> {
        let scheme = if self.place.endpoint.secure { "https" } else { "http" };
        let destination = format!("{scheme}://{}{}", self.place.endpoint.authority(), self.sent_path(to));
        let may = if overwrite == Overwrite::Yes { "T" } else { "F" };
        let headers = [
            (HeaderName::from_static("destination"), destination.as_str()),
            (HeaderName::from_static("overwrite"), may),
        ];
        for _ in 1..LOCKED_MAX {
            let answer = self.ask_over(verb, "MOVE", from, &headers, (Outgoing::empty(), afresh)).await?;
            match answer.status.as_u16() {
                412 => return answer.all(SHORT_BYTES_MAX).await.map(|_| false),
                // Some servers lock both names while they rename (RFC 4918, section 9.9.4): another writer is at this one.
                423 => _ = answer.all(SHORT_BYTES_MAX).await?,
                _ => return self.done(verb, answer).await.map(|()| true),
            }
            if overwrite == Overwrite::No && self.length(verb, to).await?.is_some() {
                return Ok(false);
            }
        }
        Err(self.wire.odd(verb, "another client keeps this name locked (423)"))
    }

    /// Removes a resource and all that is in it; one that is not there is fine.
    pub(super) async fn delete(&self, verb: &'static str, relative: &str) -> Result<()> {
        let answer = self.ask(verb, "DELETE", relative, &[], Outgoing::empty()).await?;
        if matches!(answer.status.as_u16(), 404 | 410) {
            return answer.all(SHORT_BYTES_MAX).await.map(drop);
        }
        self.done(verb, answer).await
    }

    /// Makes a folder in one that is there; one that is there already is fine.
    pub(super) async fn make_folder(&self, relative: &str) -> Result<()> {
        let verb = "make folder";
        let answer = self.ask(verb, "MKCOL", &format!("{relative}/"), &[], Outgoing::empty()).await?;
        // Source: RFC 4918, section 9.3.1: 405 says that there is something.
        if answer.status.as_u16() == 405 {
            return answer.all(SHORT_BYTES_MAX).await.map(drop);
        }
        self.done(verb, answer).await
    }

    /// 207 tells of a failure in the middle, so it is none of these.
    async fn done(&self, verb: &'static str, answer: Answer) -> Result<()> {
        if matches!(answer.status.as_u16(), 200 | 201 | 204) {
            return answer.all(SHORT_BYTES_MAX).await.map(drop);
        }
        Err(self.refused(verb, answer).await)
    }

    fn leads_to_folder(&self, answer: &Answer, relative: &str) -> bool {
        let own = format!("{}/", self.sent_path(relative));
        answer.header(&header::LOCATION).is_some_and(|to| {
            let path = to.split_once("://").map_or(to, |(_, after)| after.find('/').map_or("", |at| &after[at..]));
            path == own
        })
    }

    pub(super) fn folder(&self, relative: &str) -> Error {
        Error::NotAnObject { target: self.wire.address.clone(), name: relative.to_owned(), what: "a folder" }
    }

    /// The error for an answer that is none of the expected ones. Its text is not read.
    async fn refused(&self, verb: &'static str, answer: Answer) -> Error {
        let status = answer.status.as_u16();
        if answer.status.is_redirection() {
            return self.wire.redirected(&answer);
        }
        // Read only to use the connection again.
        let _ = answer.all(SHORT_BYTES_MAX).await;
        match status {
            401 => self
                .wire
                .down("it refuses the login (401): check name and password; the firm may have closed the account"),
            402 => self.wire.down("the firm wants to be paid (402)"),
            403 => self.wire.down(format!("it does not permit {verb} (403): check the rights of the login")),
            411 => self.wire.down("it takes no streams of unknown length (411): such a server cannot be used"),
            413 => self.wire.io(verb, IoError::new(ErrorKind::FileTooLarge, "it takes no object of this length (413)")),
            429 | 503 => self.wire.down(format!("it is too busy ({status}): it is left in peace for a while")),
            507 => Error::Full { target: self.wire.address.clone() },
            _ => self.wire.odd(verb, format!("it answered {status}")),
        }
    }
}
