//! How a pack is coded: k data lanes, m parity lanes and the codec.

/// The only codec so far: systematic Reed–Solomon over GF(2⁸), Vandermonde-derived, Backblaze-compatible.
pub const CODEC_RS8: u8 = 1;

/// k data lanes and m parity lanes; written `4+2`.
///
/// k is fixed when a pack is written; m may grow later (elastic parity), up to [`Scheme::LANES_MAX`] lanes in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scheme {
    /// Data lanes, 1 or more.
    pub k: u8,
    /// Parity lanes.
    pub m: u8,
}

impl Scheme {
    /// The codec's limit on k + m.
    pub const LANES_MAX: u8 = 32;

    /// A scheme.
    pub const fn new(k: u8, m: u8) -> Self {
        Self { k, m }
    }

    /// k + m.
    pub const fn lanes(self) -> u8 {
        self.k + self.m
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+{}", self.k, self.m)
    }
}
