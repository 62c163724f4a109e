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
use futures_util::Stream;
use model::{
    Change, Scope,
    entry::{Content, SegmentRef, WrappedKey},
    id::{AccountId, SegmentId, UploadId},
    pack::Make,
    units::{FRAME_PLAIN_BYTES, TAG_BYTES, sealed_bytes},
    world::BoxFuture,
};

use crate::{
    Inner, Store,
    body::{Body, Next, Sender},
    error::{Error, Result},
    intake::Intake,
    pack_writer::Closed,
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
    pub fn receive<'a, S>(&'a self, account: AccountId, body: S, expect: Expect) -> BoxFuture<'a, Result<Received>>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'a,
    {
        self.receive_any(account, Box::pin(body), expect)
    }

    fn receive_any<'a>(
        &'a self,
        account: AccountId,
        body: Sender<'a>,
        expect: Expect,
    ) -> BoxFuture<'a, Result<Received>> {
        Box::pin(async move {
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
        })
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

    pub(crate) fn update(&mut self, bytes: &[u8]) {
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
