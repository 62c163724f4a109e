//! Bytes out: ranges of a version, healthy or degraded.
//!
//! A version's segments are located in one catalogue read. Each segment's sealed range is cut into *runs*: whole frames
//! within one column of a pack, so that a run needs each data lane at most once. A healthy run is proved by its frame
//! tags alone. Where a lane does not answer, answers wrongly, or is slow, the same byte range is read from k other
//! lanes, each 64 KiB block checked against its hash before it enters the decoder, and the tags still decide at the end.
//!
//! Bytes may move while they are read: small files from the journal into a pack, a pack's lanes to other firms. What was
//! located then cannot be read any more, and is located anew.

use std::{
    collections::BTreeMap,
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex},
    task::Poll,
};

use bytes::{Bytes, BytesMut};
use format::{
    keys::Key,
    segment::{SegmentOpener, frames},
    shard::striped,
};
use futures_util::{
    FutureExt, Stream, StreamExt,
    stream::{self, FuturesOrdered, FuturesUnordered},
};
use model::{
    entry::{Content, SegmentRef, Version},
    id::AccountId,
    units::{FRAME_BYTES, FRAME_PLAIN_BYTES, sealed_bytes},
    world::BoxFuture,
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    locate::{JournalPlace, PackPlace, Place},
    locked,
    pool::Grant,
};

/// How often a run is located at most: once from the journal to a pack, and some moves of that, each of which leaves the old
/// place for its grace time.
const LOCATED_MAX: usize = 4;
/// Bytes that one reader may have under way.
const READ_AHEAD_BYTES: u64 = 8 << 20;
/// Runs from a place that is not striped are cut to this many frames.
const RUN_FRAMES: u64 = 16;

/// Plaintext of a range, in order. An error ends it: what came before is right, the rest is missing.
pub struct Reading {
    runs: Pin<Box<dyn Stream<Item = Result<Vec<Bytes>>> + Send>>,
    ready: std::collections::VecDeque<Bytes>,
    _grant: Grant,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reading")
    }
}

impl Stream for Reading {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(bytes)));
            }
            match std::task::ready!(self.runs.as_mut().poll_next(cx)) {
                Some(Ok(frames)) => self.ready.extend(frames),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// Whole frames of one segment that are fetched together.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Which segment of the version.
    segment: usize,
    first_frame: u64,
    frame_count: u64,
    /// Plaintext of these frames that is wanted.
    skip: usize,
    take: u64,
}

impl Store {
    /// Opens `range` of a version's plaintext (cut at its end).
    ///
    /// # Errors
    /// [`Error::NoAccount`]; what makes bytes unreadable is found while reading.
    pub fn open_version(
        &self,
        account: AccountId,
        version: Version,
        range: Range<u64>,
    ) -> BoxFuture<'_, Result<Reading>> {
        Box::pin(async move {
            let inner = self.0.clone();
            let key = inner.keys.account(account)?.unwrap(&version.key)?;
            let range = range.start.min(version.size)..range.end.min(version.size);
            let places = inner.locate(&version).await?;
            let mut runs = Vec::new();
            let mut widest = 0;
            let mut at = 0;
            for (index, segment) in version.segments().iter().enumerate() {
                let within = at..at + segment.plain_bytes;
                let want = range.start.max(within.start)..range.end.min(within.end);
                if want.start < want.end {
                    cut(index, segment, want.start - at..want.end - at, &places[index], &mut runs, &mut widest);
                }
                at = within.end;
            }
            let ahead = (READ_AHEAD_BYTES / widest.max(1)).clamp(1, 8) as usize;
            let grant = inner.pool.grant(widest * ahead.min(runs.len().max(1)) as u64).await;
            let job =
                Arc::new(Job { inner, key, version, places: Mutex::new(places.into_iter().map(Arc::new).collect()) });
            let fetch = stream::iter(runs).map(move |run| {
                let job = job.clone();
                async move { job.run(run).await }
            });
            let runs: Pin<Box<dyn Stream<Item = Result<Vec<Bytes>>> + Send>> =
                if ahead == 1 { Box::pin(fetch.then(|run| run)) } else { Box::pin(fetch.buffered(ahead)) };
            Ok(Reading { runs, ready: std::collections::VecDeque::new(), _grant: grant })
        })
    }
}

/// Cuts a plaintext range of one segment into runs; `widest` grows to the bytes that the widest of them holds.
fn cut(index: usize, segment: &SegmentRef, range: Range<u64>, place: &Place, runs: &mut Vec<Run>, widest: &mut u64) {
    let frame_plain = FRAME_PLAIN_BYTES as u64;
    let frame = FRAME_BYTES as u64;
    let mut first = range.start / frame_plain;
    let end = range.end.div_ceil(frame_plain);
    let mut skip = (range.start - first * frame_plain) as usize;
    let mut left = range.end - range.start;
    while first < end {
        let count = match place {
            Place::Pack(PackPlace { location, k, cell_bytes, .. }) if location.lane.is_none() => {
                // Up to the end of the column that the frame starts in.
                let column = u64::from(*k) * u64::from(*cell_bytes);
                let at = location.offset + first * frame;
                ((at / column + 1) * column - at).div_ceil(frame).max(1)
            }
            _ => RUN_FRAMES,
        }
        .min(end - first);
        let take = (count * frame_plain - skip as u64).min(left);
        runs.push(Run { segment: index, first_frame: first, frame_count: count, skip, take });
        *widest = (*widest).max(count.min(frames(segment.plain_bytes)) * frame);
        first += count;
        left -= take;
        skip = 0;
    }
}

struct Job {
    inner: Arc<Inner>,
    key: Key,
    version: Version,
    /// Where each segment was found last.
    places: Mutex<Vec<Arc<Place>>>,
}

impl Job {
    async fn run(&self, run: Run) -> Result<Vec<Bytes>> {
        let segment = self.version.segments()[run.segment].id;
        let mut place = locked(&self.places)[run.segment].clone();
        for _ in 1..LOCATED_MAX {
            let error = match self.run_at(&run, &place).await {
                Err(error @ Error::Unreadable { .. }) if *place != Place::Inline => error,
                done => return done,
            };
            let now = Arc::new(self.inner.locate_again(segment).await?);
            if now == place {
                return Err(error);
            }
            locked(&self.places)[run.segment] = now.clone();
            place = now;
        }
        self.run_at(&run, &place).await
    }

    async fn run_at(&self, run: &Run, place: &Place) -> Result<Vec<Bytes>> {
        let segment = &self.version.segments()[run.segment];
        let total = frames(segment.plain_bytes);
        let frame = FRAME_BYTES as u64;
        let sealed = run.first_frame * frame
            ..((run.first_frame + run.frame_count) * frame).min(sealed_bytes(segment.plain_bytes));
        let opener = SegmentOpener::new(&self.key, segment);
        let open = |pieces: Vec<BytesMut>| open_run(&opener, run, total, pieces);
        match place {
            Place::Inline => {
                let Content::Inline { sealed: bytes, .. } = &self.version.content else {
                    return Err(self.unreadable(segment, "its version does not hold it".to_owned()));
                };
                let part = bytes.get(sealed.start as usize..sealed.end as usize).unwrap_or_default();
                Ok(open(vec![BytesMut::from(part)])?)
            }
            Place::Journal(place) => self.read_copy(place, shift(&sealed, place.offset), segment, open).await,
            Place::Pack(place) => {
                let pieces = match place.location.lane {
                    Some(lane) => vec![(lane, shift(&sealed, place.location.offset))],
                    None => striped(
                        place.k,
                        u64::from(place.cell_bytes),
                        place.location.offset + sealed.start,
                        sealed.end - sealed.start,
                    )
                    .map(|piece| (piece.lane, piece.lane_offset..piece.lane_offset + piece.len))
                    .collect(),
                };
                let direct = self.direct(place, &pieces).await;
                let missing: Vec<usize> = (0..pieces.len()).filter(|i| direct[*i].is_none()).collect();
                if missing.is_empty() {
                    let whole = direct.into_iter().flatten().map(own).collect();
                    if let Ok(plain) = open(whole) {
                        return Ok(plain);
                    }
                    // Some lane lied: find out by hashes which one, and read around it.
                    let all: Vec<usize> = (0..pieces.len()).collect();
                    return self.degraded(place, &pieces, vec![None; pieces.len()], &all, segment, open).await;
                }
                self.degraded(place, &pieces, direct, &missing, segment, open).await
            }
            Place::Nowhere => Err(self.unreadable(segment, "no record says where it lies".to_owned())),
        }
    }

    /// Reads from one copy after the other, and from the next one as well while one is slow.
    async fn read_copy(
        &self,
        place: &JournalPlace,
        range: Range<u64>,
        segment: &SegmentRef,
        open: impl Fn(Vec<BytesMut>) -> std::result::Result<Vec<Bytes>, format::Error>,
    ) -> Result<Vec<Bytes>> {
        let bytes = range.end - range.start;
        let mut targets = self.inner.by_preference(place.targets.iter().copied()).into_iter();
        let (mut reading, mut tried) = (FuturesUnordered::new(), String::new());
        loop {
            if let Some(target) = targets.next() {
                reading.push(self.inner.read_object(target, &place.name, range.clone()));
            }
            let first = reading.next();
            let read = match targets.len() {
                0 => Some(first.await),
                _ => self.inner.unless_all_late(first, bytes).await,
            };
            match read {
                None => {}
                Some(Some(read)) => match read.and_then(|bytes| open(vec![own(bytes)]).map_err(Error::from)) {
                    Ok(plain) => {
                        self.inner.speed.read(bytes);
                        return Ok(plain);
                    }
                    Err(error) => tried.push_str(&format!("{error}; ")),
                },
                Some(None) => return Err(self.unreadable(segment, tried)),
            }
        }
    }

    /// Reads each piece from its own lane; `None` where that does not answer, or not in time.
    async fn direct(&self, place: &PackPlace, pieces: &[(u8, Range<u64>)]) -> Vec<Option<Bytes>> {
        if let [(lane, range)] = pieces {
            return vec![self.direct_piece(place, *lane, range.clone()).await];
        }
        pieces
            .iter()
            .map(|(lane, range)| self.direct_piece(place, *lane, range.clone()))
            .collect::<FuturesOrdered<_>>()
            .collect()
            .await
    }

    async fn direct_piece(&self, place: &PackPlace, lane: u8, range: Range<u64>) -> Option<Bytes> {
        let make = self.inner.best_make(place, lane)?;
        if self.inner.is_slow(make.target) {
            // If too few others can make it, it is asked all the same.
            return None;
        }
        let hedge_bytes = u64::from(place.k) * (range.end - range.start);
        let read = self.inner.read_lane(place.pack, &make, range);
        match self.inner.unless_late(make.target, read, hedge_bytes).await {
            Some(Ok(bytes)) => {
                self.inner.speed.read(bytes.len() as u64);
                Some(bytes)
            }
            Some(Err(error)) => {
                self.inner.lane_failed(place.pack, &make, &error);
                None
            }
            None => None,
        }
    }

    /// Fills in `missing` pieces from other lanes, every byte of which is checked by hash first.
    async fn degraded(
        &self,
        place: &PackPlace,
        pieces: &[(u8, Range<u64>)],
        direct: Vec<Option<Bytes>>,
        missing: &[usize],
        segment: &SegmentRef,
        open: impl Fn(Vec<BytesMut>) -> std::result::Result<Vec<Bytes>, format::Error>,
    ) -> Result<Vec<Bytes>> {
        let want: Vec<(u8, Range<u64>)> = missing.iter().map(|i| pieces[*i].clone()).collect();
        let made = self.inner.reconstruct(place, &want).await.map_err(|detail| self.unreadable(segment, detail))?;
        let mut made: BTreeMap<usize, BytesMut> = missing.iter().copied().zip(made).collect();
        let whole = direct.into_iter().enumerate().map(|(i, bytes)| match bytes {
            Some(bytes) => own(bytes),
            None => made.remove(&i).unwrap_or_default(),
        });
        match open(whole.collect()) {
            Ok(plain) => Ok(plain),
            Err(_) if missing.len() < pieces.len() => {
                // A lane that was believed lied as well: take nothing on trust.
                let made =
                    self.inner.reconstruct(place, pieces).await.map_err(|detail| self.unreadable(segment, detail))?;
                Ok(open(made)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn unreadable(&self, segment: &SegmentRef, detail: String) -> Error {
        Error::Unreadable { segment: segment.id, detail }
    }
}

/// Waits for `work`, at most `limit_us`.
pub(crate) async fn within<T>(inner: &Inner, work: impl Future<Output = T> + Send, limit_us: u64) -> Option<T> {
    let mut work: BoxFuture<'_, T> = Box::pin(work);
    if let Some(done) = work.as_mut().now_or_never() {
        return Some(done);
    }
    match futures_util::future::select(work, inner.world.timer.sleep(limit_us)).await {
        futures_util::future::Either::Left((done, _)) => Some(done),
        futures_util::future::Either::Right(_) => None,
    }
}

fn shift(range: &Range<u64>, by: u64) -> Range<u64> {
    range.start + by..range.end + by
}

fn own(bytes: Bytes) -> BytesMut {
    bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(shared.as_ref()))
}

/// Opens the frames of a run in place. A frame that lies over two pieces is joined first.
fn open_run(
    opener: &SegmentOpener,
    run: &Run,
    total: u64,
    pieces: Vec<BytesMut>,
) -> std::result::Result<Vec<Bytes>, format::Error> {
    let mut plain = Vec::with_capacity(run.frame_count as usize);
    let mut skip = run.skip;
    let mut left = run.take;
    let mut pieces = pieces.into_iter();
    let mut rest = BytesMut::new();
    for index in run.first_frame..run.first_frame + run.frame_count {
        let last = index + 1 == total;
        while rest.len() < FRAME_BYTES {
            match pieces.next() {
                Some(piece) if rest.is_empty() => rest = piece,
                Some(piece) => rest.extend_from_slice(&piece),
                None => break,
            }
        }
        let take = rest.len().min(FRAME_BYTES);
        let mut frame = rest.split_to(take);
        let bytes = opener.open_in_place(index, last, &mut frame)?;
        frame.truncate(bytes);
        let end = (skip as u64 + left).min(bytes as u64) as usize;
        let start = skip.min(end);
        left -= (end - start) as u64;
        skip = 0;
        if end > start {
            plain.push(frame.freeze().slice(start..end));
        }
    }
    Ok(plain)
}
