//! Seals a stream into segments and lays them in striped packs, for bodies larger than a small file.
//!
//! Each pack becomes durable and is recorded while the next bytes arrive, one pack behind. A transfer holds a pack's window
//! ([`PackWriter::memory_bytes`]) while bytes flow, and nothing while its sender rests.

use std::sync::Arc;

use bytes::Bytes;
use catalogue::uploads::UploadRow;
use format::{keys::Key, segment::SegmentSealer};
use model::{
    entry::SegmentRef,
    id::{AccountId, SegmentId, UploadId},
    units::{FRAME_BYTES, FRAME_PLAIN_BYTES, TAG_BYTES, sealed_bytes},
};

use crate::{
    Inner,
    error::{Error, Result},
    pack_writer::PackWriter,
    pool::BUFFER_BYTES,
    write::{Sums, new_segment, seal_whole},
};

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
            let grant = self.inner.pool.grant(PackWriter::wanted_bytes(&self.inner)?).await;
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

const _: () = assert!(BUFFER_BYTES.is_multiple_of(FRAME_BYTES), "a piece holds whole frames");
