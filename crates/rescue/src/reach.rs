//! One place of a segment, opened: how its sealed bytes are got from there, window by window.
//!
//! A window is what is fetched at once: one column of a pack (a cell of every data lane), so that a lost lane is made from
//! reads that are needed anyway, and so that memory stays the same however long the file is.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use bytes::Bytes;
use format::shard::striped;
use model::{pack::Location, units::FRAME_BYTES};

use crate::{lanes::Lanes, places::Place, run::Runs, sources::Sources};

/// Bytes fetched at once where there are no columns, or very small ones.
const WINDOW_BYTES_MIN: u64 = 1 << 20;
/// The most that is fetched at once: a wider column is fetched in pieces.
const WINDOW_BYTES_MAX: u64 = 12 << 20;
/// What all windows on their way may hold together.
const AHEAD_BYTES: u64 = 12 << 20;

/// A place that can be read.
#[derive(Clone)]
pub(crate) enum Reach {
    Packed { lanes: Arc<Lanes>, location: Location },
    Payload { object: String, source: usize, offset: u64 },
}

/// What was fetched from a place.
pub(crate) enum Gathered {
    Lanes(Runs),
    Payload { start: u64, bytes: Bytes },
}

/// How much is asked of what is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Frame tags will tell; hashes only where a lane is lost.
    Tags,
    /// Every block by its hash, damaged ones made again.
    Hashes,
}

impl Reach {
    /// `None` where a place cannot hold a segment of `sealed_bytes`.
    pub(crate) fn of(place: &Place, lanes: Option<Arc<Lanes>>, sealed_bytes: u64) -> Option<Self> {
        match (place, lanes) {
            (Place::Packed { location, .. }, Some(lanes)) => {
                let sound = location.bytes == sealed_bytes
                    && location.offset.checked_add(location.bytes).is_some()
                    && location.lane.is_none_or(|lane| lane < lanes.shape.k);
                sound.then_some(Self::Packed { lanes, location: *location })
            }
            (Place::Payload { object, source, offset, bytes }, _) => (*bytes == sealed_bytes).then(|| Self::Payload {
                object: object.clone(),
                source: *source,
                offset: *offset,
            }),
            (Place::Packed { .. }, None) => None,
        }
    }

    pub(crate) fn lanes(&self) -> Option<&Arc<Lanes>> {
        match self {
            Self::Packed { lanes, .. } => Some(lanes),
            Self::Payload { .. } => None,
        }
    }

    /// Cuts a segment of `frames` frames into windows: runs of whole frames, each ending near the end of a column.
    pub(crate) fn windows(&self, frames: u64) -> impl Iterator<Item = Range<u64>> + use<> {
        let (offset, column) = match self {
            Self::Packed { lanes, location } if location.lane.is_none() => {
                (location.offset, u64::from(lanes.shape.k) * u64::from(lanes.shape.cell_bytes))
            }
            _ => (0, WINDOW_BYTES_MIN),
        };
        // Small columns several at a time, wide ones in pieces.
        let step =
            if column < WINDOW_BYTES_MIN { WINDOW_BYTES_MIN / column * column } else { column.min(WINDOW_BYTES_MAX) };
        let frame = FRAME_BYTES as u64;
        let mut next = 0;
        std::iter::from_fn(move || {
            if next >= frames {
                return None;
            }
            let column_end = ((offset + next * frame) / step + 1) * step - offset;
            let end = (column_end / frame).clamp(next + 1, frames);
            let window = next..end;
            next = end;
            Some(window)
        })
    }

    /// How many windows may be on their way at once.
    pub(crate) fn ahead(&self) -> usize {
        let window = match self {
            Self::Packed { lanes, location } if location.lane.is_none() => {
                u64::from(lanes.shape.k) * u64::from(lanes.shape.cell_bytes)
            }
            _ => WINDOW_BYTES_MIN,
        };
        (AHEAD_BYTES / window.clamp(WINDOW_BYTES_MIN, AHEAD_BYTES)).clamp(1, 3) as usize
    }

    /// Which range of which lane a range of the segment's sealed bytes takes. In every lane it is one run.
    pub(crate) fn ranges(&self, sealed: &Range<u64>) -> BTreeMap<u8, Range<u64>> {
        let Self::Packed { lanes, location } = self else { return BTreeMap::new() };
        let (start, len) = (location.offset + sealed.start, sealed.end - sealed.start);
        if let Some(lane) = location.lane {
            return [(lane, start..start + len)].into();
        }
        let mut ranges: BTreeMap<u8, Range<u64>> = BTreeMap::new();
        for piece in striped(lanes.shape.k, u64::from(lanes.shape.cell_bytes), start, len) {
            let end = piece.lane_offset + piece.len;
            ranges.entry(piece.lane).and_modify(|range| range.end = end).or_insert(piece.lane_offset..end);
        }
        ranges
    }

    /// Fetches a range of the segment's sealed bytes. What could not be had is missing from what is returned.
    pub(crate) async fn fetch(&self, sources: &Sources, sealed: Range<u64>, trust: Trust) -> Gathered {
        match self {
            Self::Packed { lanes, .. } => {
                let ranges = self.ranges(&sealed);
                if trust == Trust::Tags
                    && let Some(runs) = lanes.plain(sources, &ranges).await
                {
                    return Gathered::Lanes(runs);
                }
                Gathered::Lanes(lanes.proven(sources, &ranges).await)
            }
            Self::Payload { object, source, offset } => {
                let read = sources.read(*source, object, offset + sealed.start..offset + sealed.end).await;
                let bytes = read.unwrap_or_else(|error| {
                    sources.note_failed(*source, object, &error);
                    Bytes::new()
                });
                Gathered::Payload { start: sealed.start, bytes }
            }
        }
    }

    /// Copies a range of the segment's sealed bytes out of what was fetched; false if not all of it is there.
    pub(crate) fn copy(&self, gathered: &Gathered, sealed: &Range<u64>, out: &mut Vec<u8>) -> bool {
        out.clear();
        match (self, gathered) {
            (Self::Packed { lanes, location }, Gathered::Lanes(runs)) => {
                let (start, len) = (location.offset + sealed.start, sealed.end - sealed.start);
                let mut take = |lane: u8, range: Range<u64>| {
                    let slice = runs.get(&lane).and_then(|run| run.slice(range));
                    slice.inspect(|slice| out.extend_from_slice(slice)).is_some()
                };
                match location.lane {
                    Some(lane) => take(lane, start..start + len),
                    None => striped(lanes.shape.k, u64::from(lanes.shape.cell_bytes), start, len)
                        .all(|piece| take(piece.lane, piece.lane_offset..piece.lane_offset + piece.len)),
                }
            }
            (Self::Payload { .. }, Gathered::Payload { start, bytes }) => {
                let from = (sealed.start - start) as usize;
                let slice = bytes.get(from..from + (sealed.end - sealed.start) as usize);
                slice.inspect(|slice| out.extend_from_slice(slice)).is_some()
            }
            _ => false,
        }
    }
}
