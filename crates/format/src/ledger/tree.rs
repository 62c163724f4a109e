//! The Merkle tree over the entries: one hash that stands for all of them in their order.
//!
//! Only its *frontier* is kept: the roots of the whole subtrees on its left, one for each bit of its size, so that another
//! entry costs a few hashes however many there are.
//!
//! Source: RFC 6962 section 2.1.

use super::sha256;

/// A tree of which only what is needed to let it grow is kept.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of whole subtrees, the largest first.
    peaks: Vec<[u8; 32]>,
}

impl Frontier {
    /// How many entries it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry's text.
    pub fn push(&mut self, text: &str) {
        let mut hash = sha256(&[&[0], text.as_bytes()]);
        let mut ones = self.size;
        while ones & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node(&left, &hash);
            ones >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The hash over all of it.
    pub fn root(&self) -> [u8; 32] {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return sha256(&[]) };
        peaks.fold(*last, |right, left| node(left, &right))
    }

    /// As bytes, to be gone on with later.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.size.to_le_bytes().as_slice(), self.peaks.as_flattened()].concat()
    }

    /// The inverse; `None` for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk()?;
        let (peaks, more) = rest.as_chunks::<32>();
        let size = u64::from_le_bytes(*size);
        (size >> 62 == 0 && more.is_empty() && peaks.len() == size.count_ones() as usize)
            .then(|| Self { size, peaks: peaks.to_vec() })
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha256(&[&[1], left, right])
}
