//! One version's bytes: fetched, unsealed, checked, handed on in order; with whatever effort a frame takes.
//!
//! Healthy frames cost a read, a tag and the hash of the file. A frame that does not unseal is asked for again with growing
//! effort: its lanes' blocks proven by their hashes and made from others; other places of its segment; shards that no
//! record names; at last all shards there are. Only then is it called unreadable, and reading goes on behind it.

use std::ops::Range;

use format::{Key, SegmentOpener, segment};
use futures_util::{StreamExt, stream::FuturesOrdered};
use model::{
    entry::{Content, SegmentRef, Version},
    id::SegmentId,
    units::{FRAME_BYTES, FRAME_PLAIN_BYTES, SEGMENT_BYTES_MAX, sealed_bytes},
};

use crate::{
    Rescue,
    error::{Error, Result},
    finding::Finding,
    outcome::{MissingLane, Outcome, Unreadable, Why},
    reach::{Gathered, Reach, Trust},
    subsets::try_out,
};

/// Takes a file's plaintext in order.
pub trait Sink: Send {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// Whatever keeps it from taking them; reading then ends.
    fn write(&mut self, plain: &[u8]) -> std::io::Result<()>;

    /// Leaves out so many bytes: they cannot be read.
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn skip(&mut self, bytes: u64) -> std::io::Result<()>;
}

/// Unreadable bytes are zeros.
impl Sink for Vec<u8> {
    fn write(&mut self, plain: &[u8]) -> std::io::Result<()> {
        self.extend_from_slice(plain);
        Ok(())
    }

    fn skip(&mut self, bytes: u64) -> std::io::Result<()> {
        let len = usize::try_from(bytes).ok().and_then(|bytes| self.len().checked_add(bytes));
        self.resize(len.ok_or(std::io::ErrorKind::OutOfMemory)?, 0);
        Ok(())
    }
}

/// Where plaintext goes: hashed, counted, handed on.
struct Output<'a> {
    sink: &'a mut dyn Sink,
    hasher: blake3::Hasher,
    crc: crc32fast::Hasher,
    at: u64,
    outcome: Outcome,
}

impl Output<'_> {
    fn write(&mut self, plain: &[u8]) -> Result<()> {
        self.hasher.update(plain);
        self.crc.update(plain);
        self.sink.write(plain).map_err(at_home)?;
        self.at += plain.len() as u64;
        self.outcome.bytes += plain.len() as u64;
        Ok(())
    }

    fn skip(&mut self, bytes: u64, why: Why) -> Result<()> {
        let range = self.at..self.at + bytes;
        self.at = range.end;
        self.sink.skip(bytes).map_err(at_home)?;
        match self.outcome.unreadable.last_mut() {
            Some(last) if last.range.end == range.start && last.why == why => last.range.end = range.end,
            _ => self.outcome.unreadable.push(Unreadable { range, why }),
        }
        Ok(())
    }
}

fn at_home(source: std::io::Error) -> Error {
    Error::Home { verb: "writing to", place: "the place for your files".to_owned(), source }
}

/// A segment while it is read.
struct Segment<'a> {
    id: SegmentId,
    plain_bytes: u64,
    frames: u64,
    opener: &'a SegmentOpener,
    /// Its places, the best first.
    reaches: Vec<Reach>,
    scanned: bool,
    /// By place: the set of unvouched shards that fitted last.
    sets: Vec<Option<Vec<usize>>>,
}

impl Segment<'_> {
    /// Where a run of frames lies in the segment's sealed bytes.
    fn sealed(&self, frames: Range<u64>) -> Range<u64> {
        let frame = FRAME_BYTES as u64;
        let end = if frames.end == self.frames { sealed_bytes(self.plain_bytes) } else { frames.end * frame };
        frames.start * frame..end
    }

    fn plain_of(&self, frame: u64) -> u64 {
        (self.plain_bytes - frame * FRAME_PLAIN_BYTES as u64).min(FRAME_PLAIN_BYTES as u64)
    }

    /// Unseals a frame in place; the number of its plaintext bytes, or `None` if it is not that frame.
    fn unseal(&self, frame: u64, sealed: &mut [u8]) -> Option<usize> {
        self.opener.open_in_place(frame, frame + 1 == self.frames, sealed).ok()
    }
}

impl Rescue {
    /// Reads a version into `sink`, every byte checked. What cannot be read is skipped there and listed in the outcome.
    ///
    /// # Errors
    /// Damaged: the version's key does not unwrap. Of the sink: what it said.
    pub async fn read(&self, version: &Version, sink: &mut dyn Sink) -> Result<Outcome> {
        let key = self.key.unwrap(&version.key).map_err(|source| Error::FileKey { source })?;
        let mut out = Output {
            sink,
            hasher: blake3::Hasher::new(),
            crc: crc32fast::Hasher::new(),
            at: 0,
            outcome: Outcome { bytes: 0, unreadable: Vec::new() },
        };
        match &version.content {
            Content::Inline { segment, sealed } => match segment::open_whole(&key, segment, sealed) {
                Ok(plain) => out.write(&plain)?,
                Err(_) => out.skip(version.size, Why::Inline)?,
            },
            Content::Segments(segments) => {
                for segment in segments {
                    self.segment(&key, segment, &mut out).await?;
                }
            }
        }
        if out.at != version.size {
            let range = 0..version.size;
            let why = Why::Length { expected: version.size, got: out.at };
            out.outcome.unreadable.push(Unreadable { range, why });
        } else if out.outcome.unreadable.is_empty()
            && (*out.hasher.finalize().as_bytes() != version.blake3 || out.crc.finalize() != version.crc32)
        {
            out.outcome.unreadable.push(Unreadable { range: 0..version.size, why: Why::Digest });
        }
        Ok(out.outcome)
    }

    /// Reads a version into memory. Unreadable bytes are zeros.
    ///
    /// # Errors
    /// As [`Rescue::read`].
    pub async fn read_to_vec(&self, version: &Version) -> Result<(Vec<u8>, Outcome)> {
        let mut plain = Vec::new();
        let outcome = self.read(version, &mut plain).await?;
        Ok((plain, outcome))
    }

    /// Reads one segment window by window, the next ones on their way while this one is unsealed.
    async fn segment(&self, key: &Key, of: &SegmentRef, out: &mut Output<'_>) -> Result<()> {
        if of.plain_bytes > SEGMENT_BYTES_MAX {
            return out.skip(of.plain_bytes, Why::Nowhere { segment: of.id });
        }
        let opener = SegmentOpener::new(key, of);
        let sealed = sealed_bytes(of.plain_bytes);
        let places = self.places.of_segment(of.id);
        let reaches: Vec<Reach> = places
            .iter()
            .filter_map(|place| Reach::of(place, place.pack().and_then(|pack| self.lanes(pack)), sealed))
            .collect();
        let frames = segment::frames(of.plain_bytes);
        let sets = vec![None; reaches.len()];
        let mut segment =
            Segment { id: of.id, plain_bytes: of.plain_bytes, frames, opener: &opener, reaches, scanned: false, sets };
        if segment.reaches.is_empty() {
            self.look_everywhere(&mut segment).await;
        }
        let Some(first) = segment.reaches.first().cloned() else {
            return out.skip(of.plain_bytes, Why::Nowhere { segment: of.id });
        };
        let mut windows = first.windows(frames);
        let mut coming = FuturesOrdered::new();
        loop {
            while coming.len() < first.ahead() {
                let Some(window) = windows.next() else { break };
                let sealed = segment.sealed(window.clone());
                let first = &first;
                coming.push_back(async move { (window, first.fetch(&self.sources, sealed, Trust::Tags).await) });
            }
            let Some((window, gathered)) = coming.next().await else { return Ok(()) };
            self.window(&mut segment, window, gathered, out).await?;
        }
    }

    /// Unseals the frames of a window and hands them on.
    async fn window(
        &self,
        segment: &mut Segment<'_>,
        window: Range<u64>,
        gathered: Gathered,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let mut frame_bytes = Vec::with_capacity(FRAME_BYTES);
        let mut proven: Vec<Option<Gathered>> = Vec::new();
        for frame in window.clone() {
            let sealed = segment.sealed(frame..frame + 1);
            let opened = segment.reaches[0].copy(&gathered, &sealed, &mut frame_bytes);
            let mut plain = if opened { segment.unseal(frame, &mut frame_bytes) } else { None };
            if plain.is_none() {
                plain = self.with_effort(segment, frame, window.end, &mut proven, &mut frame_bytes).await;
            }
            match plain {
                Some(plain) => out.write(&frame_bytes[..plain])?,
                None => out.skip(segment.plain_of(frame), self.why(segment))?,
            }
        }
        Ok(())
    }

    /// Gets a frame that did not come the easy way. `proven` keeps what was fetched for the rest of the window.
    async fn with_effort(
        &self,
        segment: &mut Segment<'_>,
        frame: u64,
        window_end: u64,
        proven: &mut Vec<Option<Gathered>>,
        frame_bytes: &mut Vec<u8>,
    ) -> Option<usize> {
        loop {
            for at in 0..segment.reaches.len() {
                if let Some(plain) = self.one_place(segment, at, frame, window_end, proven, frame_bytes).await {
                    return Some(plain);
                }
            }
            if !self.look_everywhere(segment).await {
                return None;
            }
        }
    }

    /// Gets a frame from one place: by proven blocks, then with shards that no record names, then by trying sets of them.
    async fn one_place(
        &self,
        segment: &mut Segment<'_>,
        at: usize,
        frame: u64,
        window_end: u64,
        proven: &mut Vec<Option<Gathered>>,
        frame_bytes: &mut Vec<u8>,
    ) -> Option<usize> {
        let sealed = segment.sealed(frame..frame + 1);
        let reach = segment.reaches[at].clone();
        proven.resize_with(proven.len().max(at + 1), || None);
        if proven[at].is_none() {
            let rest = segment.sealed(frame..window_end);
            proven[at] = Some(reach.fetch(&self.sources, rest, Trust::Hashes).await);
        }
        let fetched = proven[at].as_ref().expect("just fetched");
        if reach.copy(fetched, &sealed, frame_bytes)
            && let Some(plain) = segment.unseal(frame, frame_bytes)
        {
            return Some(plain);
        }
        if !reach.lanes()?.widen(&self.sources).await {
            return None;
        }
        let fetched = reach.fetch(&self.sources, sealed.clone(), Trust::Hashes).await;
        if reach.copy(&fetched, &sealed, frame_bytes)
            && let Some(plain) = segment.unseal(frame, frame_bytes)
        {
            return Some(plain);
        }
        let (mut set, mut plain) = (segment.sets[at].take(), None);
        let shared = &*segment;
        let fits = |sealed: &mut Vec<u8>| {
            plain = shared.unseal(frame, sealed);
            plain.inspect(|_| std::mem::swap(frame_bytes, sealed)).is_some()
        };
        try_out(&reach, &self.sources, &sealed, &mut set, fits).await;
        segment.sets[at] = set;
        plain
    }

    /// Adds places that only shards' own indexes name. Returns whether there are new ones.
    async fn look_everywhere(&self, segment: &mut Segment<'_>) -> bool {
        if std::mem::replace(&mut segment.scanned, true) {
            return false;
        }
        let scanned = self.scanned().await;
        let known: Vec<_> = self.places.of_segment(segment.id);
        let sealed = sealed_bytes(segment.plain_bytes);
        let mut any = false;
        for place in scanned.of_segment(segment.id).iter().filter(|place| !known.contains(place)) {
            let lanes = place.pack().and_then(|pack| self.lanes_with(pack, scanned));
            if let Some(reach) = Reach::of(place, lanes, sealed) {
                segment.reaches.push(reach);
                segment.sets.push(None);
                any = true;
            }
        }
        if any {
            self.sources.note(Finding::WithoutRecord { segment: segment.id });
        }
        any
    }

    /// What keeps a segment from being read, by its best place.
    fn why(&self, segment: &Segment<'_>) -> Why {
        match segment.reaches.first() {
            None => Why::Nowhere { segment: segment.id },
            Some(Reach::Payload { object, .. }) => Why::Journal { object: object.clone() },
            Some(Reach::Packed { lanes, .. }) => {
                let (there, lacking) = lanes.standing(&self.sources);
                let known_as = |target| {
                    let book = self.book.iter().flat_map(|book| &book.entries);
                    let entry = book.into_iter().find(|entry| entry.target == target)?;
                    Some((entry.provider.clone(), entry.address.clone()))
                };
                let missing = lacking
                    .into_iter()
                    .map(|(lane, target)| MissingLane { lane, target, known_as: known_as(target) })
                    .collect();
                Why::Lanes { pack: lanes.pack, needed: lanes.shape.k, there, missing }
            }
        }
    }
}
