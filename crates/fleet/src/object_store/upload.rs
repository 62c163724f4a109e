//! An object on its way into a bucket: one request if it fits into a part, a multipart upload otherwise.
//!
//! A writer holds at most one part, and one more that is under way if it may work ahead: on a far line a part's way and the
//! filling of the next one would otherwise take turns. After any error, and when it is dropped, the upload is aborted
//! beside the caller; nothing of it is ever seen under the name. What a killed process leaves of uploads costs space until
//! the bucket's lifecycle rule removes it.

use std::{fmt::Write, io::ErrorKind, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use hyper::{Method, header};
use tokio::sync::oneshot;

use super::{
    Store,
    bucket::{Call, If, Lock, Put, SHORT_BYTES_MAX, hash_of},
    refusal::Refusal,
};
use crate::{
    target::{Error, ObjectName, ObjectWriter, Result},
    wire::{
        text,
        xml::{Met, walk},
    },
};

/// Bytes of a part. S3 wants at least 5 MiB; all parts but the last are equally long, which some firms want (Cloudflare R2).
pub(super) const PART_BYTES: usize = 8 << 20;
/// Source: "Amazon S3 multipart upload limits".
pub(super) const PARTS_MAX: usize = 10_000;

/// A multipart upload that was begun.
struct Upload {
    id: String,
    /// Tags of the parts that have arrived.
    tags: Vec<String>,
    /// The part that is on its way.
    under_way: Option<oneshot::Receiver<Result<String>>>,
}

impl Upload {
    /// Waits for the part that is on its way, if there is one.
    async fn arrived(&mut self, store: &Store) -> Result<()> {
        let Some(part) = self.under_way.take() else { return Ok(()) };
        // Whoever carries it is gone only when the program ends.
        self.tags.push(part.await.unwrap_or_else(|_| Err(abandoned(store)))?);
        Ok(())
    }
}

/// Writes one object.
pub(super) struct UploadWriter {
    store: Arc<Store>,
    name: ObjectName,
    pieces: Vec<Bytes>,
    held_bytes: usize,
    upload: Option<Upload>,
    works_ahead: bool,
    is_abandoned: bool,
}

impl UploadWriter {
    pub(super) fn new(store: Arc<Store>, name: ObjectName) -> Self {
        Self { store, name, pieces: Vec::new(), held_bytes: 0, upload: None, works_ahead: false, is_abandoned: false }
    }

    /// Fills parts, and sends one when it is known that more follows.
    async fn take(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            if self.held_bytes == PART_BYTES {
                self.send_part().await?;
            }
            let piece = bytes.split_to(bytes.len().min(PART_BYTES - self.held_bytes));
            self.held_bytes += piece.len();
            self.pieces.push(piece);
        }
        Ok(())
    }

    /// Sends a part on its way, once the one before it has arrived.
    async fn send_part(&mut self) -> Result<()> {
        let (verb, store) = ("write part", Arc::clone(&self.store));
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(Upload { id: begin(&store, &self.name).await?, tags: Vec::new(), under_way: None }),
        };
        upload.arrived(&store).await?;
        if upload.tags.len() == PARTS_MAX {
            let many = std::io::Error::new(ErrorKind::FileTooLarge, "the object has too many parts");
            return Err(store.bucket.wire.io(verb, many));
        }
        let number = upload.tags.len() + 1;
        let (name, id, pieces) = (self.name.clone(), upload.id.clone(), std::mem::take(&mut self.pieces));
        self.held_bytes = 0;
        if !self.works_ahead {
            upload.tags.push(put_part(&store, &name, &id, number, &pieces).await?);
            return Ok(());
        }
        let (send, under_way) = oneshot::channel();
        upload.under_way = Some(under_way);
        let carrier = Arc::clone(&store);
        store.timer.spawn(Box::pin(async move {
            let _ = send.send(put_part(&carrier, &name, &id, number, &pieces).await);
        }));
        Ok(())
    }

    async fn publish(&mut self) -> Result<()> {
        if self.upload.is_some() {
            self.send_part().await?;
        }
        if let Some(upload) = &mut self.upload {
            upload.arrived(&self.store).await?;
        }
        // Only now: the marker may have changed while the bytes came in.
        self.store.check_adding().await?;
        let Some(upload) = &self.upload else { return put_whole(&self.store, &self.name, &self.pieces).await };
        // Servers that know the condition for a single request do not all know it here, so it is looked first in any case.
        if self.store.bucket.length("finish", self.name.as_str()).await?.is_some() {
            return Err(self.store.exists(&self.name));
        }
        complete(&self.store, &self.name, upload).await?;
        self.upload = None;
        // Not with the upload's beginning: not every server keeps what is said there until the object is complete.
        self.store.bucket.lock(self.name.as_str()).await
    }
}

#[async_trait]
impl ObjectWriter for UploadWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if std::mem::replace(&mut self.is_abandoned, true) {
            return Err(abandoned(&self.store));
        }
        self.take(bytes).await?;
        self.is_abandoned = false;
        Ok(())
    }

    fn work_ahead(&mut self) {
        self.works_ahead = true;
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        if self.is_abandoned {
            return Err(abandoned(&self.store));
        }
        self.publish().await
    }
}

impl Drop for UploadWriter {
    fn drop(&mut self) {
        // Without a runtime the program is ending; the bucket's lifecycle rule removes the rest.
        let (Some(mut upload), Ok(_)) = (self.upload.take(), tokio::runtime::Handle::try_current()) else { return };
        let (store, name) = (Arc::clone(&self.store), self.name.clone());
        self.store.timer.spawn(Box::pin(async move {
            // A part that arrives behind the abort would stay.
            let _ = upload.arrived(&store).await;
            let query = [("uploadId", upload.id.as_str())];
            let (verb, method, key) = ("abort", Method::DELETE, Some(name.as_str()));
            let _ = store.bucket.ask(Call { verb, method, key, query: &query, ..Call::default() }).await;
        }));
    }
}

fn abandoned(store: &Store) -> Error {
    store.bucket.wire.io("write to an abandoned object", std::io::Error::from(ErrorKind::Interrupted))
}

/// Puts an object in one request, never over another one.
pub(super) async fn put_whole(store: &Store, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
    let (verb, key, bucket) = ("put", name.as_str(), &store.bucket);
    let body_hash = Some(hash_of(pieces));
    if store.knows_conditions().await? {
        return match bucket.put(verb, key, pieces, body_hash, (If::Absent, Lock::Set)).await? {
            Put::Done => Ok(()),
            Put::Taken => Err(store.exists(name)),
            Put::Conflict | Put::Unknown => match bucket.length(verb, key).await? {
                Some(_) => Err(store.exists(name)),
                None => Err(bucket.wire.odd(verb, "it refused a condition that it knew before")),
            },
        };
    }
    if bucket.length(verb, key).await?.is_some() {
        return Err(store.exists(name));
    }
    bucket.put(verb, key, pieces, body_hash, (If::Always, Lock::Set)).await.map(drop)
}

/// Puts one part; its tag.
async fn put_part(store: &Store, name: &ObjectName, id: &str, number: usize, pieces: &[Bytes]) -> Result<String> {
    let (verb, bucket, number) = ("write part", &store.bucket, number.to_string());
    let query = [("partNumber", number.as_str()), ("uploadId", id)];
    let (method, key, body_hash) = (Method::PUT, Some(name.as_str()), Some(hash_of(pieces)));
    let call = Call { verb, method, key, query: &query, body: pieces, body_hash, ..Call::default() };
    match bucket.ask(call).await? {
        Ok(answer) => {
            let tag = answer.header(&header::ETAG).map(str::to_owned);
            answer.all(SHORT_BYTES_MAX).await?;
            tag.ok_or_else(|| bucket.wire.odd(verb, "a part was given no tag"))
        }
        Err(refusal) => Err(refusal.error(&bucket.wire, &bucket.place, verb)),
    }
}

async fn begin(store: &Store, name: &ObjectName) -> Result<String> {
    let (verb, bucket) = ("begin upload", &store.bucket);
    let (method, key, query) = (Method::POST, Some(name.as_str()), &[("uploads", "")]);
    let answer = match bucket.ask(Call { verb, method, key, query, ..Call::default() }).await? {
        Ok(answer) => answer,
        Err(refusal) => return Err(refusal.error(&bucket.wire, &bucket.place, verb)),
    };
    let mut id = None;
    let walked = walk(&answer.all(SHORT_BYTES_MAX).await?, |met| {
        if let Met::Close("UploadId", text) = met {
            id = Some(text.to_owned());
        }
    });
    id.filter(|id| walked.is_ok() && !id.is_empty()).ok_or_else(|| bucket.wire.odd(verb, "the upload was given no id"))
}

async fn complete(store: &Store, name: &ObjectName, upload: &Upload) -> Result<()> {
    let (verb, bucket) = ("finish", &store.bucket);
    let mut list = String::from("<CompleteMultipartUpload>");
    for (index, tag) in upload.tags.iter().enumerate() {
        let (number, tag) = (index + 1, text::xml_escape(tag));
        let _ = write!(list, "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>");
    }
    list.push_str("</CompleteMultipartUpload>");
    let condition = [("content-type", "application/xml"), ("if-none-match", "*")];
    let headers = if store.knows_conditions().await? { &condition[..] } else { &condition[..1] };
    let (query, body) = ([("uploadId", upload.id.as_str())], [Bytes::from(list)]);
    let (method, key) = (Method::POST, Some(name.as_str()));
    let call = Call { verb, method, key, query: &query, headers, body: &body, body_hash: None };
    let refusal = match bucket.ask(call).await? {
        // The server may begin with success, to keep the connection busy while it joins the parts, and fail then.
        Ok(answer) => {
            let document = answer.all(SHORT_BYTES_MAX).await?;
            match Refusal::late(&document) {
                None if is_completed(&document) => return Ok(()),
                None => return Err(bucket.wire.odd(verb, "it did not say that the object is complete")),
                Some(refusal) => refusal,
            }
        }
        Err(refusal) => refusal,
    };
    let is_taken =
        refusal.is_condition() || (refusal.is_conflict() && bucket.length(verb, name.as_str()).await?.is_some());
    if is_taken { Err(store.exists(name)) } else { Err(refusal.error(&bucket.wire, &bucket.place, verb)) }
}

/// Whether the answer names the object's tag. The name of the document itself differs from server to server.
fn is_completed(document: &[u8]) -> bool {
    let mut has_tag = false;
    let walked = walk(document, |met| has_tag |= matches!(met, Met::Close("ETag", tag) if !tag.is_empty()));
    walked.is_ok() && has_tag
}
