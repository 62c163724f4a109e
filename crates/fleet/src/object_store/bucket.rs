//! The requests that are made of a bucket, one function to each, with no opinion about order.

use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::Bytes;
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use model::world::{Clock, World};

use super::{
    address::{Place, S3Login},
    refusal::{self, Refusal},
    sign,
};
use crate::{
    target::Result,
    wire::{
        Asked, HttpOptions, Wire,
        answer::Answer,
        body::Outgoing,
        text,
        xml::{Met, walk},
    },
};

/// Markers have about a hundred bytes.
const MARKER_BYTES_MAX: usize = 64 << 10;
/// Answers that only say "done".
pub(super) const SHORT_BYTES_MAX: usize = 256 << 10;

/// The way to one bucket.
pub(super) struct Bucket {
    pub(super) wire: Wire,
    pub(super) place: Place,
    login: S3Login,
    clock: Arc<dyn Clock>,
}

/// One request. Keys are names below our root.
#[derive(Default)]
pub(super) struct Call<'a> {
    pub(super) verb: &'static str,
    pub(super) method: Method,
    /// `None` for the bucket itself.
    pub(super) key: Option<&'a str>,
    /// Names ascending.
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) body: &'a [Bytes],
    /// Hexadecimal SHA-256 of the body, if it is known already.
    pub(super) body_hash: Option<String>,
}

/// What a conditional write came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Put {
    Done,
    /// The condition did not hold.
    Taken,
    /// Another write is going on under the name; whether it will succeed nobody knows.
    Conflict,
    /// The server knows no such condition; nothing was written.
    Unknown,
}

/// A condition of a write.
#[derive(Clone, Copy)]
pub(super) enum If<'a> {
    Always,
    Absent,
    Tag(&'a str),
}

/// Whether a write locks its object, where the address says so. Markers and trials are replaced and are not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    Set,
    Never,
}

impl Bucket {
    pub(super) fn new(place: Place, login: S3Login, options: &HttpOptions, world: &World) -> Result<Self> {
        let wire = Wire::new(place.endpoint.clone(), place.shown.clone(), options, world)?;
        Ok(Self { wire, place, login, clock: Arc::clone(&world.clock) })
    }

    /// Signs and asks. The inner error is what the server said.
    ///
    /// # Errors
    /// Those of the wire; a redirect.
    pub(super) async fn ask(&self, call: Call<'_>) -> Result<std::result::Result<Answer, Refusal>> {
        let Call { verb, method, key, query, headers, body, body_hash } = call;
        let path = match key {
            Some(key) => format!("{}{}{}", self.place.base, self.place.root, text::encode(key, true)),
            // In the path style, the bucket itself has no slash at its end.
            None if self.place.base == "/" => "/".to_owned(),
            None => self.place.base.trim_end_matches('/').to_owned(),
        };
        let pairs: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", text::encode(value, false))).collect();
        let query = pairs.join("&");
        let mut fields = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| self.wire.odd(verb, "a header cannot be sent"))?;
            fields.insert(HeaderName::from_static(name), value);
        }
        let body_hash = body_hash.unwrap_or_else(|| hash_of(body));
        let host = self.wire.endpoint.authority();
        let signed =
            sign::Request { method: method.as_str(), path: &path, query: &query, host: &host, body_hash: &body_hash };
        sign::sign(&mut fields, &signed, &self.place.region, &self.login, self.clock.now().wall_us)
            .ok_or_else(|| self.wire.odd(verb, "the request cannot be signed"))?;
        let path = if query.is_empty() { path } else { format!("{path}?{query}") };
        let asked = Asked { method, path, headers: fields, body: Outgoing::pieces(body), afresh: false };
        let answer = self.wire.ask(verb, asked).await?;
        if refusal::is_redirect(&answer) {
            return Err(refusal::redirected(&self.wire, &answer));
        }
        if answer.status.is_success() {
            return Ok(Ok(answer));
        }
        let wall_us = self.clock.now().wall_us;
        Ok(Err(Refusal::read(answer, wall_us).await?))
    }

    /// The marker under `key` and its tag, `None` where the bucket is there and holds none.
    pub(super) async fn marker(&self, key: &str) -> Result<Option<(Bytes, Option<String>)>> {
        let verb = "read marker";
        match self.ask(Call { verb, key: Some(key), ..Call::default() }).await? {
            Ok(answer) => {
                let tag = answer.header(&header::ETAG).map(str::to_owned);
                Ok(Some((answer.all(MARKER_BYTES_MAX).await?, tag)))
            }
            Err(refusal) if refusal.is_no_key() && !refusal.code.is_empty() => Ok(None),
            Err(refusal) => Err(refusal.error(&self.wire, &self.place, verb)),
        }
    }

    /// The length of an object; `None` also where the bucket is gone, which HEAD cannot tell.
    pub(super) async fn length(&self, verb: &'static str, key: &str) -> Result<Option<u64>> {
        match self.ask(Call { verb, method: Method::HEAD, key: Some(key), ..Call::default() }).await? {
            Ok(answer) => {
                let bytes = answer.stated_bytes().ok_or_else(|| self.wire.odd(verb, "it states no length"))?;
                answer.all(0).await?;
                Ok(Some(bytes))
            }
            Err(refusal) if refusal.status == StatusCode::NOT_FOUND => Ok(None),
            Err(refusal) => Err(refusal.error(&self.wire, &self.place, verb)),
        }
    }

    /// Writes an object in one request.
    pub(super) async fn put(
        &self,
        verb: &'static str,
        key: &str,
        body: &[Bytes],
        body_hash: Option<String>,
        (condition, lock): (If<'_>, Lock),
    ) -> Result<Put> {
        let condition = match &condition {
            If::Always => None,
            If::Absent => Some(("if-none-match", "*")),
            If::Tag(tag) => Some(("if-match", *tag)),
        };
        let body_hash = body_hash.unwrap_or_else(|| hash_of(body));
        let locked = self.locked(lock, &body_hash);
        let mut headers: Vec<(&'static str, &str)> = condition.into_iter().collect();
        headers.extend(locked.iter().map(|(name, value)| (*name, value.as_str())));
        let body_hash = Some(body_hash);
        let call =
            Call { verb, method: Method::PUT, key: Some(key), headers: &headers, body, body_hash, ..Call::default() };
        match self.ask(call).await? {
            Ok(answer) => answer.all(SHORT_BYTES_MAX).await.map(|_| Put::Done),
            Err(refusal) if condition.is_some() && refusal.is_condition() => Ok(Put::Taken),
            Err(refusal) if condition.is_some() && refusal.is_conflict() => Ok(Put::Conflict),
            Err(refusal) if condition.is_some() && refusal.is_unknown() => Ok(Put::Unknown),
            // The object that was to be replaced is gone.
            Err(refusal) if matches!(condition, Some(("if-match", _))) && refusal.is_no_key() => Ok(Put::Taken),
            Err(refusal) => Err(refusal.error(&self.wire, &self.place, verb)),
        }
    }

    /// Until when an object that is written now cannot be destroyed, not even with our own key: a delete makes it
    /// invisible, and the firm keeps its bytes.
    ///
    /// Source: "Locking objects with Object Lock", Amazon S3 User Guide.
    fn locked_until(&self) -> Option<String> {
        let days = self.place.lock_days?;
        let now_us = self.clock.now().wall_us;
        Some(sign::rfc3339(now_us.saturating_add(i64::from(days) * 86_400_000_000)))
    }

    /// What a write in one request says for that. Servers take it with a checksum of their own kind only.
    fn locked(&self, lock: Lock, body_hash: &str) -> Vec<(&'static str, String)> {
        let Some(until) = self.locked_until().filter(|_| lock == Lock::Set) else { return Vec::new() };
        vec![
            ("x-amz-object-lock-mode", "GOVERNANCE".to_owned()),
            ("x-amz-object-lock-retain-until-date", until),
            ("x-amz-sdk-checksum-algorithm", "SHA256".to_owned()),
            ("x-amz-checksum-sha256", text::base64(&text::unhex(body_hash))),
        ]
    }

    /// Locks an object that is there, if the address says so.
    pub(super) async fn lock(&self, key: &str) -> Result<()> {
        let Some(until) = self.locked_until() else { return Ok(()) };
        let (verb, query) = ("lock", [("retention", "")]);
        let body = [Bytes::from(format!(
            "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>GOVERNANCE</Mode>\
             <RetainUntilDate>{until}</RetainUntilDate></Retention>"
        ))];
        let hash = hash_of(&body);
        let sum = text::base64(&text::unhex(&hash));
        let headers = [("x-amz-checksum-sha256", sum.as_str()), ("x-amz-sdk-checksum-algorithm", "SHA256")];
        let (method, key, body_hash) = (Method::PUT, Some(key), Some(hash));
        let call = Call { verb, method, key, query: &query, headers: &headers, body: &body, body_hash };
        match self.ask(call).await? {
            Ok(answer) => answer.all(SHORT_BYTES_MAX).await.map(drop),
            Err(refusal) => Err(refusal.error(&self.wire, &self.place, verb)),
        }
    }

    /// Removes an object; one that is not there is fine.
    pub(super) async fn delete(&self, verb: &'static str, key: &str) -> Result<()> {
        match self.ask(Call { verb, method: Method::DELETE, key: Some(key), ..Call::default() }).await? {
            Ok(answer) => answer.all(SHORT_BYTES_MAX).await.map(drop),
            Err(refusal) if refusal.is_no_key() => Ok(()),
            Err(refusal) => Err(refusal.error(&self.wire, &self.place, verb)),
        }
    }

    /// Copies an object within the bucket, without its bytes passing through here.
    pub(super) async fn copy(&self, verb: &'static str, from: &str, to: &str) -> Result<()> {
        let source = format!("/{}/{}{}", self.place.bucket, self.place.root, text::encode(from, true));
        let headers = [("x-amz-copy-source", source.as_str())];
        match self.ask(Call { verb, method: Method::PUT, key: Some(to), headers: &headers, ..Call::default() }).await? {
            Ok(answer) => match Refusal::late(&answer.all(SHORT_BYTES_MAX).await?) {
                Some(refusal) => Err(refusal.error(&self.wire, &self.place, verb)),
                None => Ok(()),
            },
            Err(refusal) => Err(refusal.error(&self.wire, &self.place, verb)),
        }
    }

    /// Whether objects of the bucket can be locked. A server that does not know the question has no locks.
    pub(super) async fn can_lock(&self) -> Result<bool> {
        let call = Call { verb: "look for locks", query: &[("object-lock", "")], ..Call::default() };
        let Ok(answer) = self.ask(call).await? else { return Ok(false) };
        let mut is_enabled = false;
        let walked = walk(&answer.all(SHORT_BYTES_MAX).await?, |met| {
            is_enabled |= met == Met::Close("ObjectLockEnabled", "Enabled");
        });
        Ok(walked.is_ok() && is_enabled)
    }
}

/// Hexadecimal SHA-256 of pieces one after the other.
pub(super) fn hash_of(pieces: &[Bytes]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    pieces.iter().for_each(|piece| context.update(piece));
    text::hex(context.finish().as_ref())
}
