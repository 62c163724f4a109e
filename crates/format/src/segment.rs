//! Segments: how a file's bytes are sealed.
//!
//! A segment is what one sealer sealed in one go, at most 256 MiB: frames of 65,520 plaintext bytes and a tag of 16, so that each
//! is exactly 64 KiB; the last may be shorter. Nonces count frames and mark the last one, so frames that were cut off,
//! swapped, repeated or taken from another segment do not unseal, and any single frame can be read alone. Its key comes from
//! the file key with a salt of its own: whoever goes on after an interruption starts a new segment, and no nonce is ever
//! used twice. Nothing says where a segment lies, so that packs can be rewritten by those who cannot read them.
//!
//! Source: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance"
//! (CRYPTO 2015), the STREAM construction, as the age format uses it; AES-256-GCM by NIST SP 800-38D.

use std::ops::Range;

use model::{
    entry::SegmentRef,
    id::SegmentId,
    units::{FRAME_BYTES, FRAME_PLAIN_BYTES, TAG_BYTES, sealed_bytes},
};

use crate::{
    error::{Error, Result},
    keys::{Gcm, Key},
};

const OBJECT: &str = "segment";
/// AES-256-GCM in STREAM with 65,520-byte frames; others may follow.
const ALGORITHM: u8 = 1;

/// Seals the frames of one new segment, in order.
#[derive(Debug)]
pub struct SegmentSealer {
    gcm: Gcm,
    aad: [u8; 32],
    next: u64,
    done: bool,
}

impl SegmentSealer {
    /// Starts a segment. `salt` must be freshly drawn: with the id it makes the key one of a kind.
    pub fn new(file_key: &Key, segment: SegmentId, salt: [u8; 32]) -> Self {
        let (gcm, aad) = parameters(file_key, segment, &salt);
        Self { gcm, aad, next: 0, done: false }
    }

    /// Seals a frame in place: `buffer` is its plaintext and [`TAG_BYTES`] of room.
    ///
    /// # Errors
    /// Bug: a frame that is not the last is not full, one is too long, or the last was sealed before. Nothing is sealed then.
    pub fn seal_in_place(&mut self, buffer: &mut [u8], last: bool) -> Result<()> {
        let full = buffer.len() == FRAME_BYTES;
        let fits = (TAG_BYTES..=FRAME_BYTES).contains(&buffer.len());
        let empty = buffer.len() == TAG_BYTES && self.next > 0;
        if self.done {
            return Err(misuse("last", "no frame after the last", "one more"));
        }
        if !fits || empty || (!last && !full) {
            let expected = if last { "a frame of 17 to 65536 bytes" } else { "a full frame of 65536 bytes" };
            return Err(misuse("frame", expected, buffer.len()));
        }
        if !self.gcm.seal(nonce(self.next, last), &self.aad, buffer) {
            return Err(misuse("frame", "a frame that AES-GCM seals", buffer.len()));
        }
        self.next += 1;
        self.done = last;
        Ok(())
    }

    /// Seals a frame: `frame` is its plaintext and gets the tag appended.
    ///
    /// # Errors
    /// As [`SegmentSealer::seal_in_place`].
    pub fn seal_frame(&mut self, frame: &mut Vec<u8>, last: bool) -> Result<()> {
        frame.resize(frame.len() + TAG_BYTES, 0);
        self.seal_in_place(frame, last)
    }

    /// Frames sealed so far.
    pub fn frames(&self) -> u64 {
        self.next
    }

    /// Whether the last frame was sealed.
    pub fn is_done(&self) -> bool {
        self.done
    }
}

/// Seals a small plaintext as a segment of its own.
///
/// # Errors
/// Bug: never for what fits into memory.
pub fn seal_whole(file_key: &Key, segment: SegmentId, salt: [u8; 32], plain: &[u8]) -> Result<Vec<u8>> {
    let mut sealer = SegmentSealer::new(file_key, segment, salt);
    let mut sealed = Vec::with_capacity(sealed_bytes(plain.len() as u64) as usize);
    let mut rest = plain;
    while !sealer.is_done() {
        let (frame, after) = rest.split_at(rest.len().min(FRAME_PLAIN_BYTES));
        let start = sealed.len();
        sealed.extend_from_slice(frame);
        sealed.resize(sealed.len() + TAG_BYTES, 0);
        sealer.seal_in_place(&mut sealed[start..], after.is_empty())?;
        rest = after;
    }
    Ok(sealed)
}

/// Unseals frames of one segment, in any order.
#[derive(Debug)]
pub struct SegmentOpener {
    gcm: Gcm,
    aad: [u8; 32],
}

impl SegmentOpener {
    /// Makes ready to read a segment.
    pub fn new(file_key: &Key, segment: &SegmentRef) -> Self {
        let (gcm, aad) = parameters(file_key, segment.id, &segment.salt);
        Self { gcm, aad }
    }

    /// Unseals frame `frame_index` in place: the plaintext is then the first bytes of `buffer`; their number is returned.
    /// `is_last` must be what the manifest says: `frame_index + 1 == frames(plain_bytes)`.
    ///
    /// # Errors
    /// Damaged: the length is no frame's, or the tag does not fit. What `buffer` holds then means nothing.
    pub fn open_in_place(&self, frame_index: u64, is_last: bool, buffer: &mut [u8]) -> Result<usize> {
        let least = if is_last { TAG_BYTES + usize::from(frame_index > 0) } else { FRAME_BYTES };
        if buffer.len() < least || buffer.len() > FRAME_BYTES {
            let expected = if buffer.len() < least { least } else { FRAME_BYTES };
            let (expected, got) = (expected as u64, buffer.len() as u64);
            return Err(Error::Length { object: OBJECT, field: "frame", expected, got });
        }
        let plain = self.gcm.unseal(nonce(frame_index, is_last), &self.aad, buffer);
        plain.ok_or(Error::Seal { object: OBJECT, field: "frame" })
    }
}

/// Unseals all frames of a segment.
///
/// # Errors
/// Damaged: the length is not what `segment` says, or a frame's tag does not fit.
pub fn open_whole(file_key: &Key, segment: &SegmentRef, sealed: &[u8]) -> Result<Vec<u8>> {
    let (expected, got) = (whole_bytes(segment.plain_bytes)?, sealed.len() as u64);
    if expected != got {
        return Err(Error::Length { object: OBJECT, field: "frames", expected, got });
    }
    let opener = SegmentOpener::new(file_key, segment);
    let mut plain = sealed.to_vec();
    let mut done = 0;
    let last = frames(segment.plain_bytes) - 1;
    for frame_index in 0..=last {
        let start = frame_index as usize * FRAME_BYTES;
        let end = plain.len().min(start + FRAME_BYTES);
        let count = opener.open_in_place(frame_index, frame_index == last, &mut plain[start..end])?;
        plain.copy_within(start..start + count, done);
        done += count;
    }
    plain.truncate(done);
    Ok(plain)
}

/// Frames of a segment with so much plaintext: at least one.
pub fn frames(plain_bytes: u64) -> u64 {
    plain_bytes.div_ceil(FRAME_PLAIN_BYTES as u64).max(1)
}

/// The frames that hold a range of a segment's plaintext, and the range of its sealed bytes that they take. The segment has
/// `plain_bytes` in all, and a range that goes beyond is cut there; of an empty range both are empty.
pub fn sealed_range(plain: Range<u64>, plain_bytes: u64) -> (Range<u64>, Range<u64>) {
    let end = plain.end.min(plain_bytes);
    if plain.start >= end {
        return (0..0, 0..0);
    }
    let first = plain.start / FRAME_PLAIN_BYTES as u64;
    let after = end.div_ceil(FRAME_PLAIN_BYTES as u64);
    let sealed_end = if after == frames(plain_bytes) { sealed_bytes(plain_bytes) } else { after * FRAME_BYTES as u64 };
    (first..after, first * FRAME_BYTES as u64..sealed_end)
}

/// Sealed bytes of a segment, refusing a number that no segment has.
fn whole_bytes(plain_bytes: u64) -> Result<u64> {
    if plain_bytes > model::units::SEGMENT_BYTES_MAX {
        let (expected, got) = (format!("at most {}", model::units::SEGMENT_BYTES_MAX), plain_bytes.to_string());
        return Err(Error::Value { object: OBJECT, field: "plain_bytes", expected, got });
    }
    Ok(sealed_bytes(plain_bytes))
}

/// A segment's key, and the hash of everything that it is bound to.
fn parameters(file_key: &Key, segment: SegmentId, salt: &[u8; 32]) -> (Gcm, [u8; 32]) {
    let key = file_key.derive(salt, &[b"holdfast/v1/segment", &segment.0]);
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"holdfast/v1/segment");
    hasher.update(&[ALGORITHM]);
    hasher.update(&segment.0);
    hasher.update(salt);
    (key.gcm(), *hasher.finalize().as_bytes())
}

/// 11 bytes of frame number, big-endian, and one that is 1 for the last frame.
fn nonce(frame_index: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&frame_index.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}

fn misuse(field: &'static str, expected: impl ToString, got: impl ToString) -> Error {
    Error::Misuse { object: OBJECT, field, expected: expected.to_string(), got: got.to_string() }
}
