//! A code: parity from data.

use std::sync::Arc;

use crate::{Error, Kernel, LANES_MAX, Rebuild, combination::Combination, field};

/// The code of a scheme k + m. Cloning is cheap; coefficients are computed once.
///
/// Lanes 0..k are data, k..k + m parity. *Which* bytes a parity lane has depends on k and its number only; m says no
/// more than how many of them [`Code::add`], [`Code::set`] and [`Code::encode`] make. Readers, who need none, may say
/// m = 0. Shapes: `parity.len() == m`, `parity[j]` belongs to lane k + j; a call with other shapes panics.
#[derive(Clone, Debug)]
pub struct Code(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    k: u8,
    m: u8,
    /// The coefficients of every parity lane there can be: LANES_MAX − k rows of k.
    rows: Box<[Vec<u8>]>,
    parity: Combination,
}

impl Code {
    /// The code of `k` data lanes and `m` parity lanes, with the machine's quickest kernel.
    ///
    /// # Errors
    ///
    /// [`Error::Scheme`] if `k` is 0 or `k + m` exceeds [`LANES_MAX`].
    pub fn new(k: u8, m: u8) -> Result<Self, Error> {
        Self::with_kernel(k, m, Kernel::best())
    }

    /// As [`Code::new`], with a kernel of the caller's choice; for comparisons.
    ///
    /// # Errors
    ///
    /// As [`Code::new`].
    pub fn with_kernel(k: u8, m: u8, kernel: Kernel) -> Result<Self, Error> {
        if k == 0 || k.checked_add(m).is_none_or(|lanes| lanes > LANES_MAX) {
            return Err(Error::Scheme { k, m });
        }
        let points: Vec<u8> = (0..k).collect();
        let rows: Box<[_]> = (k..LANES_MAX).map(|lane| field::interpolate(&points, lane)).collect();
        let parity = Combination::new(kernel, usize::from(k), &rows[..usize::from(m)]);
        Ok(Self(Arc::new(Inner { k, m, rows, parity })))
    }

    /// Data lanes.
    pub fn k(&self) -> u8 {
        self.0.k
    }

    /// Parity lanes that this code makes.
    pub fn m(&self) -> u8 {
        self.0.m
    }

    /// The kernel in use, for logs and benches.
    pub fn kernel_name(&self) -> &'static str {
        self.0.parity.kernel().name()
    }

    /// The coefficients of lane k + `row`, one for each data lane: parity = Σ coefficient\[i\] · data\[i\].
    ///
    /// They do not depend on m, and `row` may be m or more, up to the last lane there can be. Panics beyond that.
    pub fn parity_row(&self, row: u8) -> &[u8] {
        &self.0.rows[usize::from(row)]
    }

    /// Xors what a piece of data lane `lane` contributes into all parity lanes: `parity[j] ^= coefficient · data`.
    ///
    /// The buffers start at the same byte position as `data` and are at least as long; what of them lies beyond is not
    /// touched. After a [`Code::set`] of one lane and an `add` of each other, in any order and in pieces of any size,
    /// they hold the parity.
    pub fn add(&self, lane: u8, data: &[u8], parity: &mut [&mut [u8]]) {
        self.0.parity.add(usize::from(lane), data, parity);
    }

    /// As [`Code::add`] onto zeros, whatever the buffers hold; what of them lies beyond `data` becomes zero.
    ///
    /// For the first lane of a column: old buffers need no clearing.
    pub fn set(&self, lane: u8, data: &[u8], parity: &mut [&mut [u8]]) {
        self.0.parity.set(usize::from(lane), data, parity);
    }

    /// Makes all parity of a column from all of its data, overwriting `parity`.
    ///
    /// `data.len() == k`; all of `parity` is of one length, no data lane is longer, and a shorter one counts as
    /// extended by zeros.
    pub fn encode(&self, data: &[&[u8]], parity: &mut [&mut [u8]]) {
        self.0.parity.run(data, parity);
    }

    /// A plan to make the lanes `want` from the lanes `have`.
    ///
    /// Both are lane numbers below [`LANES_MAX`], data or parity alike; `have` are exactly k distinct ones. `want` may
    /// go beyond k + m: that is how a pack gets more parity.
    ///
    /// # Errors
    ///
    /// [`Error::HaveCount`], [`Error::LaneTwice`] or [`Error::NoSuchLane`] if the lanes are not so.
    pub fn plan_rebuild(&self, have: &[u8], want: &[u8]) -> Result<Rebuild, Error> {
        Rebuild::plan(self.0.k, self.0.parity.kernel(), have, want)
    }
}
