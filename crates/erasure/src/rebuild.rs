//! A rebuild: any lanes from k others.

use crate::{Error, Kernel, LANES_MAX, combination::Combination, field};

/// How to make some lanes from k others; keep it for as long as both sets stay the same.
///
/// Made by [`Code::plan_rebuild`](crate::Code::plan_rebuild). Inputs and outputs are in the order in which the lanes
/// were named there, and are the same range of bytes of their lanes. A call with other numbers of them panics.
#[derive(Clone, Debug)]
pub struct Rebuild {
    have: Box<[u8]>,
    want: Box<[u8]>,
    lanes: Combination,
}

impl Rebuild {
    pub(crate) fn plan(k: u8, kernel: Kernel, have: &[u8], want: &[u8]) -> Result<Self, Error> {
        if have.len() != usize::from(k) {
            return Err(Error::HaveCount { expected: k, got: have.len() });
        }
        if let Some(&lane) = have.iter().chain(want).find(|&&lane| lane >= LANES_MAX) {
            return Err(Error::NoSuchLane { lane });
        }
        if let Some((_, &lane)) = have.iter().enumerate().find(|&(i, lane)| have[..i].contains(lane)) {
            return Err(Error::LaneTwice { lane });
        }
        let rows: Vec<_> = want.iter().map(|&lane| field::interpolate(have, lane)).collect();
        let lanes = Combination::new(kernel, have.len(), &rows);
        Ok(Self { have: have.into(), want: want.into(), lanes })
    }

    /// The lanes that are read.
    pub fn have(&self) -> &[u8] {
        &self.have
    }

    /// The lanes that are made.
    pub fn want(&self) -> &[u8] {
        &self.want
    }

    /// Makes a range of all wanted lanes from the same range of the others, overwriting `want`.
    ///
    /// All of `want` is of one length, no input is longer, and a shorter one counts as extended by zeros.
    pub fn run(&self, have: &[&[u8]], want: &mut [&mut [u8]]) {
        self.lanes.run(have, want);
    }

    /// Xors what a piece of input `i`, an index into [`Rebuild::have`], contributes into all wanted lanes.
    ///
    /// What of `want` lies beyond the piece is not touched. For inputs that come one after the other: one
    /// [`Rebuild::set`], then an `add` of each other input, in any order.
    pub fn add(&self, i: usize, piece: &[u8], want: &mut [&mut [u8]]) {
        self.lanes.add(i, piece, want);
    }

    /// As [`Rebuild::add`] onto zeros, whatever the buffers hold; what of them lies beyond the piece becomes zero.
    pub fn set(&self, i: usize, piece: &[u8], want: &mut [&mut [u8]]) {
        self.lanes.set(i, piece, want);
    }
}
