//! Uploads that can be broken off and gone on with.
//!
//! An upload's offset counts safe bytes only: it advances in the commit that records a pack, or that journals a tail, and
//! never goes back. Every request seals into new segments, so no nonce is used twice whatever the client sends again. One
//! request at a time writes; a second one asks the first to stop, waits until what came is safe, and goes on from there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use format::{digest::Running, keys::Key};
use futures_util::{
    Stream,
    future::{Either, select},
};
use model::{
    entry::{Content, SegmentRef},
    id::{AccountId, SegmentId, UploadId},
    units::ServiceTime,
    world::BoxFuture,
};
use tokio::sync::Notify;

pub use catalogue::uploads::UploadRow;

use crate::{
    Inner, Received, Store,
    body::{Body, Next, Sender},
    error::{Error, Result},
    intake::Intake,
    locked,
    write::{Sums, seal_whole},
};
const SEGMENT_BYTES: usize = 16 + 32 + 8;

/// What an upload is to become.
#[derive(Clone, Debug)]
pub struct UploadSpec {
    /// Where: components, checked by the caller.
    pub path: Vec<String>,
    /// Its length, if it is known from the start; else [`Store::set_upload_length`] says it.
    pub length: Option<u64>,
    /// What the protocol wants to find again, as it was sent.
    pub metadata: String,
    /// By which way it comes, in the caller's words; empty: its account's own.
    pub way: String,
}

/// Who writes which upload now.
#[derive(Default)]
pub(crate) struct Writers(Mutex<BTreeMap<UploadId, Arc<Writer>>>);

#[derive(Default)]
struct Writer {
    turn: tokio::sync::Mutex<()>,
    /// Asks whoever has the turn to stop.
    stop: Notify,
    waiting: std::sync::atomic::AtomicUsize,
}

impl Writers {
    fn writer(&self, id: UploadId) -> Arc<Writer> {
        locked(&self.0).entry(id).or_default().clone()
    }

    /// Forgets a writer that nobody else holds.
    fn leave(&self, id: UploadId, writer: &Arc<Writer>) {
        let mut writers = locked(&self.0);
        if Arc::strong_count(writer) <= 2 {
            writers.remove(&id);
        }
    }
}

impl Writer {
    /// Tells whoever has the turn to stop, and waits for it.
    async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        use std::sync::atomic::Ordering;
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.stop.notify_waiters();
        let turn = self.turn.lock().await;
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        turn
    }
}

impl Store {
    /// Begins an upload.
    ///
    /// # Errors
    /// [`Error::NoAccount`]; [`Error::CatalogueRefuses`].
    pub fn begin_upload(&self, account: AccountId, spec: UploadSpec) -> BoxFuture<'_, Result<UploadRow>> {
        Box::pin(async move {
            let inner = &self.0;
            let key = inner.keys.account(account)?;
            let file_key = Key::random(inner.world.entropy.as_ref());
            let (now, made) = (inner.world.clock.now(), inner.service_time());
            let row = UploadRow {
                id: UploadId::random(inner.world.entropy.as_ref()),
                account,
                path: spec.path.join("/"),
                length: spec.length,
                metadata: spec.metadata,
                offset: 0,
                state: encode_state(&[], &Running::new().save()),
                key: key.wrap(&file_key),
                made_us: now.wall_us,
                made,
                expires_us: now.wall_us + inner.settings.upload_s as i64 * 1_000_000,
                expires: ServiceTime(made.0 + inner.settings.upload_s),
                way: spec.way,
                holder: None,
            };
            let kept = row.clone();
            self.commit(move |tx, _| Ok::<_, Error>(catalogue::uploads::insert(tx, &kept)?)).await?;
            Ok(row)
        })
    }

    /// Where an upload stands.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn upload(&self, account: AccountId, id: UploadId) -> Result<Option<UploadRow>> {
        self.read(move |tx| catalogue::uploads::get(tx, account, id)).await
    }

    /// Says how long an upload will be that began without a length.
    ///
    /// # Errors
    /// [`Error::NoUpload`]; [`Error::BodyLength`] where it has another length, or more bytes than that already.
    pub fn set_upload_length(&self, account: AccountId, id: UploadId, length: u64) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.commit(move |tx, _| {
            let row = catalogue::uploads::get(tx, account, id)?.ok_or(Error::NoUpload { upload: id })?;
            let known = row.length.unwrap_or(length);
            if known != length || row.offset > length {
                return Err(Error::BodyLength { expected: Some(known), got: row.offset.max(length) });
            }
            advance(tx, &UploadRow { length: Some(length), ..row })
        }))
    }

    /// Takes more bytes of an upload from `offset` on; the offset that is safe afterwards. A body that breaks off keeps what
    /// came.
    ///
    /// # Errors
    /// [`Error::NoUpload`], [`Error::UploadOffset`] when the upload stands elsewhere, [`Error::UploadTaken`] when another
    /// request took over, [`Error::BodyLength`] for more bytes than announced, [`Error::Unsafe`].
    pub fn append<'a, S>(&'a self, account: AccountId, id: UploadId, offset: u64, body: S) -> BoxFuture<'a, Result<u64>>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'a,
    {
        self.append_any(account, id, offset, Box::pin(body))
    }

    fn append_any<'a>(
        &'a self,
        account: AccountId,
        id: UploadId,
        offset: u64,
        body: Sender<'a>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let writer = self.0.uploads.writer(id);
            let turn = writer.turn().await;
            let result = self.append_alone(account, id, offset, body, &writer).await;
            drop(turn);
            self.0.uploads.leave(id, &writer);
            result
        })
    }

    async fn append_alone<S>(
        &self,
        account: AccountId,
        id: UploadId,
        offset: u64,
        body: S,
        writer: &Writer,
    ) -> Result<u64>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let inner = &self.0;
        let row = self.upload(account, id).await?.ok_or(Error::NoUpload { upload: id })?;
        if row.offset != offset {
            return Err(Error::UploadOffset { expected: row.offset, got: offset });
        }
        let (segments, running) = decode_state(&row.state)?;
        let file_key = inner.keys.account(account)?.unwrap(&row.key)?;
        let left = row.length.map_or(u64::MAX, |length| length - row.offset);
        let base = row.offset;
        let mut intake = Intake::new(inner, file_key, (account, id), Sums::resumed(running)).resume(row, segments);
        let mut body = Body::new(inner, body);
        let mut broken = None;
        loop {
            if writer.waiting.load(std::sync::atomic::Ordering::Acquire) > 0 {
                broken = Some(Error::UploadTaken);
                break;
            }
            let pace = intake.pace();
            let next = match select(Box::pin(body.next_or_pause(pace)), Box::pin(writer.stop.notified())).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => Err(Error::UploadTaken),
            };
            match next {
                Ok(Next::Chunk(chunk)) => {
                    if intake.plain_bytes() + chunk.len() as u64 > left {
                        let got = base + intake.plain_bytes() + chunk.len() as u64;
                        broken = Some(Error::BodyLength { expected: Some(base + left), got });
                        break;
                    }
                    intake.push(chunk).await?;
                }
                Ok(Next::Pause) => intake.rest().await?,
                Ok(Next::End) => break,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        let taken = intake.finish().await?;
        let reached = taken.progress.as_ref().map_or(base, |row| row.offset);
        if !taken.payloads.is_empty() {
            let ids: Vec<SegmentId> = taken.payloads.iter().map(|(segment, _)| *segment).collect();
            self.commit(move |tx, draft| {
                for (segment, sealed) in taken.payloads {
                    draft.payload(account, segment, sealed);
                }
                catalogue::segments::hold(tx, account, id, &ids)?;
                if let Some(row) = &taken.progress {
                    advance(tx, row)?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        }
        match broken {
            None | Some(Error::Body { .. }) => Ok(reached),
            Some(error) => Err(error),
        }
    }

    /// What a complete upload received; the caller commits the version and ends the upload in one transaction.
    ///
    /// # Errors
    /// [`Error::NoUpload`], [`Error::UploadOffset`] while bytes are missing.
    pub fn finish_upload(&self, account: AccountId, id: UploadId) -> BoxFuture<'_, Result<Received>> {
        Box::pin(async move {
            let inner = &self.0;
            let row = self.upload(account, id).await?.ok_or(Error::NoUpload { upload: id })?;
            let length = row.length.unwrap_or(row.offset);
            if row.offset != length {
                return Err(Error::UploadOffset { expected: row.offset, got: length });
            }
            let (segments, running) = decode_state(&row.state)?;
            let content = if segments.is_empty() {
                let file_key = inner.keys.account(account)?.unwrap(&row.key)?;
                let (segment, sealed) = seal_whole(inner, &file_key, &[], 0)?;
                Content::Inline { segment, sealed }
            } else {
                Content::Segments(segments)
            };
            let (blake3, crc32) = running.finish();
            Ok(Received {
                size: length,
                blake3,
                crc32,
                sha256: None,
                key: row.key,
                content,
                payloads: Vec::new(),
                transfer: id,
            })
        })
    }

    /// Gives an upload up: its bytes become dead. Whoever is sending to it is told to stop, and is waited for.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn drop_upload(&self, account: AccountId, id: UploadId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let writer = self.0.uploads.writer(id);
            let turn = writer.turn().await;
            let result = self.commit(move |tx, _| end(tx, account, id)).await;
            drop(turn);
            self.0.uploads.leave(id, &writer);
            result
        })
    }
}

fn end(tx: &mut catalogue::Tx<'_>, account: AccountId, id: UploadId) -> Result<()> {
    let Some(row) = catalogue::uploads::get(tx, account, id)? else { return Ok(()) };
    let (segments, _) = decode_state(&row.state)?;
    let ids: Vec<SegmentId> = segments.iter().map(|segment| segment.id).collect();
    catalogue::segments::release(tx, account, id, &ids)?;
    catalogue::uploads::delete(tx, account, id)?;
    Ok(())
}

impl Inner {
    /// Gives up uploads whose time is over.
    pub(crate) async fn expire_uploads(self: &Arc<Self>) -> Result<()> {
        let now = self.service_time();
        let expired = self.catalogue.read(move |tx| catalogue::uploads::expired(tx, now, 100)).await?;
        for row in expired {
            let busy = locked(&self.uploads.0).contains_key(&row.id);
            if !busy {
                Store(self.clone()).drop_upload(row.account, row.id).await?;
            }
        }
        Ok(())
    }
}

/// Moves an upload's row on; fails if it was ended meanwhile.
pub(crate) fn advance(tx: &mut catalogue::Tx<'_>, row: &UploadRow) -> Result<()> {
    if catalogue::uploads::update(tx, row)? { Ok(()) } else { Err(Error::NoUpload { upload: row.id }) }
}

/// The segments so far (id, salt, plaintext bytes each), then the running sums. Local: it never leaves the catalogue.
pub(crate) fn encode_state(segments: &[SegmentRef], sums: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + segments.len() * SEGMENT_BYTES + sums.len());
    bytes.extend_from_slice(&(segments.len() as u32).to_le_bytes());
    for segment in segments {
        bytes.extend_from_slice(&segment.id.0);
        bytes.extend_from_slice(&segment.salt);
        bytes.extend_from_slice(&segment.plain_bytes.to_le_bytes());
    }
    bytes.extend_from_slice(sums);
    bytes
}

fn decode_state(bytes: &[u8]) -> Result<(Vec<SegmentRef>, Running)> {
    let damaged =
        || Error::Setup { what: "the catalogue's row of this upload is damaged; begin the upload anew".to_owned() };
    let (count, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    let length = (u32::from_le_bytes(*count) as usize).checked_mul(SEGMENT_BYTES).ok_or_else(damaged)?;
    let (list, sums) = rest.split_at_checked(length).ok_or_else(damaged)?;
    let mut segments = Vec::with_capacity(length / SEGMENT_BYTES);
    for one in list.chunks_exact(SEGMENT_BYTES) {
        let mut segment = SegmentRef { id: SegmentId::default(), salt: [0; 32], plain_bytes: 0 };
        segment.id.0.copy_from_slice(&one[..16]);
        segment.salt.copy_from_slice(&one[16..48]);
        let mut number = [0; 8];
        number.copy_from_slice(&one[48..]);
        segment.plain_bytes = u64::from_le_bytes(number);
        segments.push(segment);
    }
    Ok((segments, Running::load(sums)?))
}
