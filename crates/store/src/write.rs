//! Bytes in: [`Store::receive`] seals a body as it arrives and spreads it.
//!
//! A body up to `small_file_bytes_max` becomes one sealed segment that the commit of its version puts in the journal
//! (or, up to `inline_bytes_max`, in the version's row). A larger one streams into packs of its own: each pack becomes
//! durable and is recorded while the next bytes arrive, so that finishing is one small transaction at any size.
//!
//! A sender that brings less than 64 KiB in `pause_s` gets its pack closed and its buffers taken away; it goes on in a
//! new pack. Memory: see [`PackWriter::memory_bytes`]; a transfer asks the pool once and waits holding nothing.

use std::sync::Arc;

use aws_lc_rs::digest::{Context as Sha, SHA256};
use bytes::Bytes;
use catalogue::{intents::Intent, uploads::UploadRow};
use format::{digest::Running, keys::Key, segment::SegmentSealer};
use futures_util::{
    Stream, StreamExt,
    future::{Either, select},
};
use model::{
    Change, Scope,
    entry::{Content, SegmentRef, WrappedKey},
    id::{AccountId, SegmentId, UploadId},
    pack::Make,
    units::{FRAME_BYTES, FRAME_PLAIN_BYTES, TAG_BYTES, sealed_bytes},
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    pack_writer::{Closed, PackWriter},
    pool::BUFFER_BYTES,
};

/// What the sender announced, and what is wanted of the bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expect {
    /// The body's length, if it was announced.
    pub bytes: Option<u64>,
    /// The body's SHA-256, if it was announced: another one refuses the body.
    pub sha256: Option<[u8; 32]>,
    /// Compute SHA-256 even if none was announced.
    pub want_sha256: bool,
}

/// Bytes that were taken in: safe at the providers, except for `payloads`, which become safe with the commit that names
/// them ([`crate::Draft::received`]).
#[derive(Clone, Debug)]
pub struct Received {
    /// Plaintext bytes.
    pub size: u64,
    /// BLAKE3 of the plaintext.
    pub blake3: [u8; 32],
    /// CRC-32 of the plaintext.
    pub crc32: u32,
    /// SHA-256 of the plaintext, if it was announced or wanted.
    pub sha256: Option<[u8; 32]>,
    /// The file key under the account's wrap key.
    pub key: WrappedKey,
    /// The version's content.
    pub content: Content,
    /// Sealed segments to be journalled.
    pub payloads: Vec<(SegmentId, Bytes)>,
    /// Under which name the segments are held live until a version consists of them.
    pub(crate) transfer: UploadId,
}

impl Store {
    /// Takes a body in. On `Ok` nothing of it is visible yet: a commit that names it makes a version of it.
    ///
    /// # Errors
    /// [`Error::BodyLength`], [`Error::BodyDigest`] and [`Error::Body`] for what the sender did; [`Error::Unsafe`] when too
    /// few providers take the bytes.
    pub async fn receive<S>(&self, account: AccountId, body: S, expect: Expect) -> Result<Received>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        let account_key = self.0.keys.account(account)?;
        let file_key = Key::random(self.0.world.entropy.as_ref());
        let key = account_key.wrap(&file_key);
        let transfer = UploadId::random(self.0.world.entropy.as_ref());
        let mut body = Body::new(&self.0, body);
        let small = self.0.settings.small_file_bytes_max;
        let first_grant = expect.bytes.unwrap_or(small).min(small) * 2;
        let grant = self.0.pool.grant(first_grant).await;
        let mut head: Vec<Bytes> = Vec::new();
        let mut head_bytes = 0u64;
        let mut ended = false;
        while head_bytes <= small {
            match body.next_or_pause(Some(self.0.settings.pause_s * 1_000_000)).await? {
                Next::Chunk(chunk) => {
                    head_bytes += chunk.len() as u64;
                    expect.check_length(head_bytes, false)?;
                    head.push(chunk);
                }
                // A slow sender goes the way of large files, which holds little while it waits.
                Next::Pause => break,
                Next::End => {
                    ended = true;
                    break;
                }
            }
        }
        if ended {
            expect.check_length(head_bytes, true)?;
            let mut sums = Sums::new(expect);
            for chunk in &head {
                sums.update(chunk);
            }
            let (segment, sealed) = seal_whole(&self.0, &file_key, &head, head_bytes)?;
            drop(grant);
            let (content, payloads) = if head_bytes <= self.0.settings.inline_bytes_max {
                (Content::Inline { segment, sealed }, Vec::new())
            } else {
                (Content::Segments(vec![segment]), vec![(segment.id, Bytes::from(sealed))])
            };
            return sums.finish(head_bytes, key, content, payloads, transfer);
        }
        drop(grant);
        let mut intake = Intake::new(&self.0, file_key, (account, transfer), Sums::new(expect));
        for chunk in head {
            intake.push(chunk).await?;
        }
        loop {
            match body.next_or_pause(intake.pace()).await? {
                Next::Chunk(chunk) => {
                    expect.check_length(intake.plain_bytes() + chunk.len() as u64, false)?;
                    intake.push(chunk).await?;
                }
                Next::Pause => intake.rest().await?,
                Next::End => break,
            }
        }
        expect.check_length(intake.plain_bytes(), true)?;
        let size = intake.plain_bytes();
        let taken = intake.finish().await?;
        taken.sums.finish(size, key, Content::Segments(taken.segments), taken.payloads, transfer)
    }
}

impl Expect {
    fn check_length(&self, got: u64, ended: bool) -> Result<()> {
        match self.bytes {
            Some(expected) if got > expected || (ended && got != expected) => {
                Err(Error::BodyLength { expected: Some(expected), got })
            }
            _ => Ok(()),
        }
    }
}

/// The sums that are kept with a version.
pub(crate) struct Sums {
    expect: Expect,
    running: Running,
    sha256: Option<Sha>,
}

impl Sums {
    pub(crate) fn new(expect: Expect) -> Self {
        let sha256 = (expect.want_sha256 || expect.sha256.is_some()).then(|| Sha::new(&SHA256));
        Self { expect, running: Running::new(), sha256 }
    }

    /// Sums of an upload that goes on.
    pub(crate) fn resumed(running: Running) -> Self {
        Self { expect: Expect::default(), running, sha256: None }
    }

    pub(crate) fn save(&self) -> Vec<u8> {
        self.running.save()
    }

    fn update(&mut self, bytes: &[u8]) {
        self.running.update(bytes);
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
    }

    pub(crate) fn finish(
        self,
        size: u64,
        key: WrappedKey,
        content: Content,
        payloads: Vec<(SegmentId, Bytes)>,
        transfer: UploadId,
    ) -> Result<Received> {
        let (blake3, crc32) = self.running.finish();
        let sha256 = self.sha256.map(|sha| {
            let mut sum = [0; 32];
            sum.copy_from_slice(sha.finish().as_ref());
            sum
        });
        if self.expect.sha256.is_some() && self.expect.sha256 != sha256 {
            return Err(Error::BodyDigest);
        }
        Ok(Received { size, blake3, crc32, sha256, key, content, payloads, transfer })
    }
}

/// Seals a small body as one segment.
pub(crate) fn seal_whole(inner: &Inner, key: &Key, plain: &[Bytes], bytes: u64) -> Result<(SegmentRef, Vec<u8>)> {
    let segment = new_segment(inner, bytes);
    let mut sealer = SegmentSealer::new(key, segment.id, segment.salt);
    let mut sealed: Vec<u8> = Vec::with_capacity(sealed_bytes(bytes) as usize);
    let mut start = 0;
    let mut left = bytes;
    for chunk in plain {
        let mut chunk = chunk.as_ref();
        while !chunk.is_empty() {
            let take = chunk.len().min(FRAME_PLAIN_BYTES - (sealed.len() - start));
            sealed.extend_from_slice(&chunk[..take]);
            chunk = &chunk[take..];
            left -= take as u64;
            if sealed.len() - start == FRAME_PLAIN_BYTES && left > 0 {
                sealed.resize(sealed.len() + TAG_BYTES, 0);
                sealer.seal_in_place(&mut sealed[start..], false)?;
                start = sealed.len();
            }
        }
    }
    sealed.resize(sealed.len() + TAG_BYTES, 0);
    sealer.seal_in_place(&mut sealed[start..], true)?;
    Ok((segment, sealed))
}

pub(crate) fn new_segment(inner: &Inner, plain_bytes: u64) -> SegmentRef {
    let mut salt = [0; 32];
    inner.world.entropy.fill(&mut salt);
    SegmentRef { id: SegmentId::random(inner.world.entropy.as_ref()), salt, plain_bytes }
}

/// What came next from a sender.
pub(crate) enum Next {
    Chunk(Bytes),
    /// Less than 64 KiB came in `pause_s`.
    Pause,
    End,
}

/// A body with its pace.
pub(crate) struct Body<'a, S> {
    inner: &'a Inner,
    stream: S,
    /// Monotonic start of the running interval, and bytes since.
    since_us: u64,
    since_bytes: u64,
}

impl<'a, S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin> Body<'a, S> {
    pub fn new(inner: &'a Inner, stream: S) -> Self {
        Self { inner, stream, since_us: inner.now_us(), since_bytes: 0 }
    }

    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        self.stream.next().await.transpose().map_err(|source| Error::Body { source })
    }

    /// As `next`, but gives up after `pause_s` with less than 64 KiB (`None`: never).
    pub async fn next_or_pause(&mut self, pause_us: Option<u64>) -> Result<Next> {
        let Some(pause_us) = pause_us else {
            self.since_bytes = 0;
            let next = self.next().await?;
            self.since_us = self.inner.now_us();
            return Ok(next.map_or(Next::End, Next::Chunk));
        };
        let now_us = self.inner.now_us();
        if self.since_bytes >= FRAME_BYTES as u64 {
            self.since_us = now_us;
            self.since_bytes = 0;
        }
        let left_us = (self.since_us + pause_us).saturating_sub(now_us);
        if left_us == 0 {
            self.since_us = now_us;
            self.since_bytes = 0;
            return Ok(Next::Pause);
        }
        // Most chunks are there already: no timer for them.
        let next = match futures_util::poll!(self.stream.next()) {
            std::task::Poll::Ready(next) => next,
            std::task::Poll::Pending => {
                let timer = self.inner.world.timer.sleep(left_us);
                match select(self.stream.next(), timer).await {
                    Either::Left((next, _)) => next,
                    Either::Right(_) => {
                        self.since_us = self.inner.now_us();
                        self.since_bytes = 0;
                        return Ok(Next::Pause);
                    }
                }
            }
        };
        match next.transpose().map_err(|source| Error::Body { source })? {
            Some(chunk) => {
                self.since_bytes += chunk.len() as u64;
                Ok(Next::Chunk(chunk))
            }
            None => Ok(Next::End),
        }
    }
}

/// Seals a stream into segments and lays them in striped packs.
pub(crate) struct Intake {
    inner: Arc<Inner>,
    file_key: Key,
    /// Who holds the segments live until a version consists of them.
    hold: (AccountId, UploadId),
    sums: Sums,
    /// The upload that this transfer is a part of: its row advances with each pack.
    upload: Option<UploadRow>,
    /// Plaintext bytes that were sealed or lie in the frame being filled.
    laid_bytes: u64,
    pack: Option<PackWriter>,
    /// The pack before, on its way to being durable.
    closing: Option<Closing>,
    /// Sealed and not yet sealed bytes of the piece being filled.
    piece: Vec<u8>,
    /// Where the frame being filled starts in `piece`.
    frame_at: usize,
    sealer: Option<(SegmentSealer, SegmentRef)>,
    /// Where the running segment starts in the pack.
    segment_at: u64,
    /// Segments that are done, durable or in `closing`.
    segments: Vec<SegmentRef>,
    /// Plaintext that waits, without a pack, while the sender rests.
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    plain_bytes: u64,
}

type Closing = tokio::sync::oneshot::Receiver<Result<()>>;

impl Intake {
    pub fn new(inner: &Arc<Inner>, file_key: Key, hold: (AccountId, UploadId), sums: Sums) -> Self {
        Self {
            inner: inner.clone(),
            file_key,
            hold,
            sums,
            upload: None,
            laid_bytes: 0,
            pack: None,
            closing: None,
            piece: Vec::new(),
            frame_at: 0,
            sealer: None,
            segment_at: 0,
            segments: Vec::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            plain_bytes: 0,
        }
    }

    /// Goes on with an upload: `segments` are those that it has already.
    pub fn resume(mut self, upload: UploadRow, segments: Vec<SegmentRef>) -> Self {
        self.upload = Some(upload);
        self.segments = segments;
        self
    }

    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// How long the next chunk may take; a transfer that holds nothing may take its time.
    pub fn pace(&self) -> Option<u64> {
        self.pack.is_some().then_some(self.inner.settings.pause_s * 1_000_000)
    }

    pub async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.plain_bytes += chunk.len() as u64;
        if self.pack.is_none() {
            self.waiting_bytes += chunk.len();
            self.waiting.push(chunk);
            // A resting sender gets a pack again when it has brought a frame's worth.
            if self.waiting_bytes < FRAME_BYTES {
                return Ok(());
            }
            let waiting = std::mem::take(&mut self.waiting);
            self.waiting_bytes = 0;
            for chunk in waiting {
                self.lay(&chunk).await?;
            }
            return Ok(());
        }
        self.lay(&chunk).await
    }

    async fn lay(&mut self, mut plain: &[u8]) -> Result<()> {
        while !plain.is_empty() {
            self.ready().await?;
            let (sealer, segment) = self.sealer.as_mut().ok_or(Error::Stopping)?;
            let have = self.piece.len() - self.frame_at;
            if have == FRAME_PLAIN_BYTES {
                // More is coming, so this frame is not the last one.
                self.piece.resize(self.piece.len() + TAG_BYTES, 0);
                sealer.seal_in_place(&mut self.piece[self.frame_at..], false)?;
                self.frame_at = self.piece.len();
                self.send_full_piece().await;
                continue;
            }
            let take = plain.len().min(FRAME_PLAIN_BYTES - have);
            self.piece.extend_from_slice(&plain[..take]);
            self.sums.update(&plain[..take]);
            segment.plain_bytes += take as u64;
            self.laid_bytes += take as u64;
            plain = &plain[take..];
        }
        Ok(())
    }

    /// Makes sure that there is an open pack and an open segment with room for one more frame.
    async fn ready(&mut self) -> Result<()> {
        if let Some(pack) = &self.pack {
            let frame_is_full = self.piece.len() - self.frame_at == FRAME_PLAIN_BYTES;
            let used = self.piece.len() as u64;
            // A pack's room is a multiple of a frame, so a full frame either leaves room for another or is the last.
            let full = match &self.sealer {
                Some(_) => frame_is_full && used + TAG_BYTES as u64 >= pack.room(),
                None => used >= pack.room(),
            };
            let long = |segment: &SegmentRef| {
                segment.plain_bytes + FRAME_PLAIN_BYTES as u64 > self.inner.settings.segment_bytes_max
            };
            // A segment ends with a frame that holds something: between two frames a hurt pack takes one byte more.
            let can_end = self.sealer.is_none() || self.piece.len() > self.frame_at;
            if full || (pack.is_hurt() && can_end) {
                self.close_pack().await?;
            } else if frame_is_full && self.sealer.as_ref().is_some_and(|(_, segment)| long(segment)) {
                self.end_segment().await?;
            }
        }
        if self.pack.is_none() {
            let topology = self.inner.fleet.topology(self.inner.now_us());
            let scheme = self.inner.scheme_now(&topology)?;
            let bytes = PackWriter::memory_bytes(scheme, self.inner.settings.cell_bytes);
            let grant = self.inner.pool.grant(bytes).await;
            self.pack = Some(PackWriter::open(&self.inner, grant).await?);
            self.piece = self.inner.pool.buffer();
            self.piece.clear();
            self.frame_at = 0;
        }
        if self.sealer.is_none() {
            let segment = new_segment(&self.inner, 0);
            self.segment_at = self.pack.as_ref().map_or(0, PackWriter::bytes) + self.piece.len() as u64;
            self.sealer = Some((SegmentSealer::new(&self.file_key, segment.id, segment.salt), segment));
        }
        Ok(())
    }

    async fn send_full_piece(&mut self) {
        if let Some(pack) = &mut self.pack
            && self.piece.len() >= pack.piece_bytes()
        {
            let mut fresh = self.inner.pool.buffer();
            fresh.clear();
            let full = std::mem::replace(&mut self.piece, fresh);
            self.frame_at = 0;
            pack.push(self.inner.pool.share(full)).await;
        }
    }

    /// Seals the last frame of the running segment and pads the piece, so that the next segment starts at a frame's
    /// place.
    async fn end_segment(&mut self) -> Result<()> {
        let Some((mut sealer, segment)) = self.sealer.take() else { return Ok(()) };
        self.piece.resize(self.piece.len() + TAG_BYTES, 0);
        sealer.seal_in_place(&mut self.piece[self.frame_at..], true)?;
        if let Some(pack) = &mut self.pack {
            pack.locate(segment.id, self.segment_at, sealed_bytes(segment.plain_bytes));
        }
        let padded = self.piece.len().next_multiple_of(FRAME_BYTES);
        self.piece.resize(padded, 0);
        self.frame_at = padded;
        self.segments.push(segment);
        self.send_full_piece().await;
        Ok(())
    }

    /// Ends the running pack; it becomes durable beside the bytes that follow, one pack at a time.
    async fn close_pack(&mut self) -> Result<()> {
        self.end_segment().await?;
        let Some(mut pack) = self.pack.take() else { return Ok(()) };
        let rest = std::mem::take(&mut self.piece);
        if !rest.is_empty() {
            pack.push(self.inner.pool.share(rest)).await;
        }
        self.frame_at = 0;
        self.settle().await?;
        let progress = self.progress();
        let (inner, hold) = (self.inner.clone(), self.hold);
        let (send, receive) = tokio::sync::oneshot::channel();
        self.inner.world.timer.spawn(Box::pin(async move {
            let result = async { inner.record_pack(pack.close().await?, Some(hold), progress).await }.await;
            let _ = send.send(result);
        }));
        self.closing = Some(receive);
        Ok(())
    }

    /// Waits for the pack before.
    async fn settle(&mut self) -> Result<()> {
        match self.closing.take() {
            Some(closing) => closing.await.unwrap_or(Err(Error::Stopping)),
            None => Ok(()),
        }
    }

    /// The sender rests: what came becomes durable and the buffers go back.
    pub async fn rest(&mut self) -> Result<()> {
        self.close_pack().await?;
        self.settle().await
    }

    /// The upload's row as it is once everything laid so far is recorded.
    fn progress(&self) -> Option<UploadRow> {
        let mut row = self.upload.clone()?;
        row.offset += self.laid_bytes;
        row.state = crate::upload::encode_state(&self.segments, &self.sums.save());
        Some(row)
    }

    /// Everything came: all of it is durable and recorded when this returns, but for a tail of less than a frame that
    /// came while the sender rested: that is left to be journalled.
    pub async fn finish(mut self) -> Result<Taken> {
        self.close_pack().await?;
        self.settle().await?;
        let waiting = std::mem::take(&mut self.waiting);
        let mut payloads = Vec::new();
        if !waiting.is_empty() {
            let bytes = waiting.iter().map(|chunk| chunk.len() as u64).sum();
            for chunk in &waiting {
                self.sums.update(chunk);
            }
            self.laid_bytes += bytes;
            let (segment, sealed) = seal_whole(&self.inner, &self.file_key, &waiting, bytes)?;
            self.segments.push(segment);
            payloads.push((segment.id, Bytes::from(sealed)));
        }
        let progress = self.progress();
        Ok(Taken { segments: self.segments, payloads, sums: self.sums, progress })
    }
}

/// What a transfer ended with.
pub(crate) struct Taken {
    pub segments: Vec<SegmentRef>,
    pub payloads: Vec<(SegmentId, Bytes)>,
    pub sums: Sums,
    /// The upload's row as it is once `payloads` are journalled.
    pub progress: Option<UploadRow>,
}

impl Inner {
    /// Announces a pack before its first byte.
    pub(crate) async fn open_intent(self: &Arc<Self>, pack: model::id::PackId) -> Result<()> {
        let intent = Intent { pack, at: self.service_time(), generation: self.generation() };
        Store(self.clone()).commit(move |tx, _| Ok(catalogue::intents::open(tx, &intent)?)).await
    }

    /// Records a closed pack if it is safe; adds parity first where failed targets left it short of that.
    pub(crate) async fn record_pack(
        self: &Arc<Self>,
        closed: Closed,
        hold: Option<(AccountId, UploadId)>,
        progress: Option<UploadRow>,
    ) -> Result<()> {
        let mut pack = closed.pack;
        let topology = self.fleet.topology(self.now_us());
        let spread = |makes: &[Make]| {
            let lanes = makes.iter().filter_map(|make| Some((make.lane, topology.target(make.target)?.provider)));
            plan::Spread::new(pack.k, lanes)
        };
        if !spread(&pack.makes).is_safe() {
            pack.makes = self.strengthen(&pack).await?;
        }
        let id = pack.id;
        Store(self.clone())
            .commit(move |tx, draft| {
                if !catalogue::intents::close(tx, id)? {
                    return Err(Error::IntentClosed { pack: id });
                }
                if let Some((account, transfer)) = hold {
                    let segments: Vec<_> = pack.locations.iter().map(|location| location.segment).collect();
                    catalogue::segments::hold(tx, account, transfer, &segments)?;
                }
                if let Some(row) = progress {
                    crate::upload::advance(tx, &row)?;
                }
                let makes = pack.makes.clone();
                draft.change(Scope::Cluster, Change::Pack(pack));
                draft.change(Scope::Cluster, Change::Makes { pack: id, makes });
                Ok(())
            })
            .await
    }
}

const _: () = assert!(BUFFER_BYTES.is_multiple_of(FRAME_BYTES), "a piece holds whole frames");
