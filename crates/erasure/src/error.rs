//! What can be wrong with a request for a code or a rebuild.

use crate::LANES_MAX;

/// Why a code or a rebuild cannot be had. Nothing was computed and no buffer was touched.
///
/// Buffers of wrong shape are the caller's broken invariant, not an error: those calls assert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// k is 0, or k + m exceeds [`LANES_MAX`].
    Scheme {
        /// Data lanes asked for.
        k: u8,
        /// Parity lanes asked for.
        m: u8,
    },
    /// A rebuild takes exactly k lanes.
    HaveCount {
        /// k.
        expected: u8,
        /// Lanes named.
        got: usize,
    },
    /// No lane has this number: [`LANES_MAX`] or more.
    NoSuchLane {
        /// The number.
        lane: u8,
    },
    /// A lane was named twice among those to rebuild from; two makes of one lane count as one.
    LaneTwice {
        /// The lane.
        lane: u8,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Scheme { k, m } => write!(
                f,
                "no code for {k}+{m}: choose at least 1 data lane, and at most {LANES_MAX} lanes of data and parity"
            ),
            Self::HaveCount { expected, got } => {
                write!(f, "a rebuild reads exactly {expected} lanes, {got} were named: name any {expected} good ones")
            }
            Self::NoSuchLane { lane } => {
                write!(f, "there is no lane {lane}: lanes are numbered 0 to {}", LANES_MAX - 1)
            }
            Self::LaneTwice { lane } => {
                write!(f, "lane {lane} was named twice: a rebuild needs distinct lanes, name another one instead")
            }
        }
    }
}

impl std::error::Error for Error {}
