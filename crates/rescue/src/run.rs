//! Runs of lane bytes in blocks of 64 KiB, each block good or bad.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use bytes::Bytes;
use format::HashList;
use model::units::HASH_BLOCK_BYTES;

/// The grain of a lane's hashes.
pub(crate) const BLOCK: u64 = HASH_BLOCK_BYTES as u64;

/// A run of one lane's bytes, of which some blocks may be bad.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
    /// Blocks of the lane that are not to be believed.
    pub(crate) bad: BTreeSet<u64>,
}

impl Run {
    /// A part of it, if all of that is there and good.
    pub(crate) fn slice(&self, range: Range<u64>) -> Option<&[u8]> {
        if self.bad.range(range.start / BLOCK..range.end.div_ceil(BLOCK)).next().is_some() {
            return None;
        }
        let start = range.start.checked_sub(self.start)? as usize;
        self.bytes.get(start..start + (range.end - range.start) as usize)
    }

    /// A block row's bytes for the decoder: cut where the lane ends, as zeros follow there.
    pub(crate) fn rows(&self, rows: &Range<u64>) -> &[u8] {
        let len = self.bytes.len() as u64;
        let start = (rows.start * BLOCK).saturating_sub(self.start).min(len);
        let end = (rows.end * BLOCK).saturating_sub(self.start).min(len);
        &self.bytes[start as usize..end as usize]
    }

    /// Puts good bytes where block rows were bad. Bytes that are missing count as zeros.
    pub(crate) fn patch(&mut self, rows: &Range<u64>, good: &[u8]) {
        let at = (rows.start * BLOCK - self.start) as usize;
        let mut bytes = Vec::with_capacity(self.bytes.len().max(at + good.len()));
        bytes.extend_from_slice(&self.bytes);
        bytes.resize(bytes.len().max(at + good.len()), 0);
        bytes[at..at + good.len()].copy_from_slice(good);
        self.bytes = bytes.into();
        self.bad.retain(|block| !rows.contains(block));
    }
}

/// Runs by lane.
pub(crate) type Runs = BTreeMap<u8, Run>;

/// The whole blocks around all ranges; `None` if there is none.
pub(crate) fn hull(ranges: &BTreeMap<u8, Range<u64>>) -> Option<Range<u64>> {
    let start = ranges.values().map(|range| range.start).min()?;
    let end = ranges.values().map(|range| range.end).max()?;
    Some(start / BLOCK * BLOCK..end.div_ceil(BLOCK) * BLOCK)
}

/// The blocks that a range touches.
pub(crate) fn blocks(range: &Range<u64>) -> Range<u64> {
    range.start / BLOCK..range.end.div_ceil(BLOCK)
}

/// Whether `bytes`, which are `range` of a lane and start at a block, have block `block` right.
pub(crate) fn is_block(list: &HashList, block: u64, bytes: &[u8], range: &Range<u64>) -> bool {
    let start = (block * BLOCK - range.start) as usize;
    let end = bytes.len().min(start + HASH_BLOCK_BYTES);
    list.check(block as usize, &bytes[start..end])
}

/// The good blocks of two runs of the same lane and range, each as far as the lane goes.
pub(crate) fn better(mut old: Run, new: Run) -> Run {
    if new.bad.is_subset(&old.bad) {
        return new;
    }
    let repaired: Vec<u64> = old.bad.difference(&new.bad).copied().collect();
    for block in repaired {
        old.patch(&(block..block + 1), new.rows(&(block..block + 1)));
    }
    old
}
