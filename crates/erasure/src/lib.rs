//! k data lanes and m parity lanes, there and back: Reed–Solomon over GF(2⁸) for up to 32 lanes.
//!
//! **One idea carries the crate.** At each byte position the k data bytes are the values of a polynomial of degree less
//! than k at the points 0, 1, …, k − 1, and *lane number n is the value of that polynomial at the point n*. So
//!
//! - any k lanes determine all lanes, and making a data lane again is the same work as making a parity lane;
//! - a parity lane depends only on k and its own number, never on m: lanes can be added to a pack years later without
//!   touching those that are there (*elastic parity*);
//! - each byte position stands alone: a range of a lost lane needs the same range of k others and nothing else, and a
//!   lane that ends early counts as zeros from there on.
//!
//! [`Code`] makes parity: all at once, or lane by lane as data arrives ([`Code::set`], then [`Code::add`]).
//! [`Rebuild`], planned once for a set of survivors, makes any lanes from k others. Both weigh lanes by coefficients
//! (`field::interpolate`) and add them up by the quickest [`Kernel`] that the machine has. Damage is not noticed
//! here: bytes must be verified by their hashes *before* they come in.
//!
//! The bytes are those of Backblaze's JavaReedSolomon, klauspost/reedsolomon and reed-solomon-erasure, which multiply a
//! Vandermonde matrix by the inverse of its top square: its rows are the same Lagrange coefficients (`naive` computes
//! them that way, and the tests compare). Pure: no I/O, clock or randomness; no dependency outside `std`.
//!
//! ```
//! # fn main() -> Result<(), erasure::Error> {
//! let code = erasure::Code::new(3, 2)?;
//! let data: [&[u8]; 3] = [b"provid", b"er one", b"gone"];
//! let (mut parity3, mut parity4) = ([0; 6], [0; 6]);
//! code.encode(&data, &mut [&mut parity3, &mut parity4]);
//!
//! // Lanes 0 and 2 are lost: make them from 1, 3 and 4.
//! let rebuild = code.plan_rebuild(&[1, 3, 4], &[0, 2])?;
//! let (mut lane0, mut lane2) = ([0; 6], [0; 6]);
//! rebuild.run(&[data[1], &parity3, &parity4], &mut [&mut lane0, &mut lane2]);
//! assert_eq!((&lane0, &lane2), (b"provid", b"gone\0\0"));
//! # Ok(())
//! # }
//! ```

mod code;
mod combination;
mod error;
mod field;
mod kernel;
#[cfg(test)]
mod naive;
mod rebuild;
#[cfg(target_arch = "x86_64")]
mod simd;
#[cfg(test)]
mod tests;

pub use code::Code;
pub use error::Error;
pub use kernel::Kernel;
pub use rebuild::Rebuild;

/// The most lanes, data and parity, that a pack can ever have; lanes are numbered below it.
///
/// The field would allow 256. Our widest scheme has 18; the rest is room for parity that is added later.
pub const LANES_MAX: u8 = 32;
