//! A digest of a plaintext that can be put down at any byte and taken up again: BLAKE3 and CRC-32 together.
//!
//! An upload that goes on tomorrow, in another process, must end with the hash of the whole file without reading what was sealed
//! today. BLAKE3 is a tree over chunks of 1 KiB, so complete subtrees can be kept as 32 bytes each: here one per 64 KiB,
//! merged as soon as two of equal size stand side by side, which leaves at most one for each bit of the length. Only what
//! does not fill a subtree yet is kept as it is.
//!
//! Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", sections 2.1 and 5.1.2.

use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use crate::{
    error::Result,
    wire::{Reader, put_hash},
};

const MAGIC: &[u8; 8] = b"HFdigest";
const OBJECT: &str = "digest";
/// 64 chunks: enough for the widest vectors to run full.
const SUBTREE_BYTES: usize = 65_536;

/// BLAKE3 and CRC-32 (IEEE) of the bytes so far.
#[derive(Clone, Debug)]
pub struct Running {
    crc: crc32fast::Hasher,
    /// Bytes in complete subtrees.
    settled_bytes: u64,
    /// Complete subtrees left of `tail`, each smaller than the one before: one for each bit set in their number.
    subtrees: Vec<[u8; 32]>,
    /// At most one subtree's bytes. A full one stays here until more comes: only then it is known not to be the root.
    tail: Vec<u8>,
}

impl Default for Running {
    fn default() -> Self {
        Self::new()
    }
}

impl Running {
    /// The digest of nothing yet.
    pub fn new() -> Self {
        Self { crc: crc32fast::Hasher::new(), settled_bytes: 0, subtrees: Vec::new(), tail: Vec::new() }
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.settled_bytes + self.tail.len() as u64
    }

    /// Takes in more bytes. Whole subtrees are hashed where they lie; at most 64 KiB at each end are copied.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.crc.update(bytes);
        while !bytes.is_empty() {
            if self.tail.len() == SUBTREE_BYTES {
                let tail = std::mem::take(&mut self.tail);
                self.settle(&tail);
                self.tail = tail;
                self.tail.clear();
            }
            while self.tail.is_empty() && bytes.len() > SUBTREE_BYTES {
                let (subtree, rest) = bytes.split_at(SUBTREE_BYTES);
                self.settle(subtree);
                bytes = rest;
            }
            let (fill, rest) = bytes.split_at(bytes.len().min(SUBTREE_BYTES - self.tail.len()));
            self.tail.extend_from_slice(fill);
            bytes = rest;
        }
    }

    /// The state as bytes, at most 68 KiB.
    pub fn save(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + self.subtrees.len() * 32 + self.tail.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&crate::FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.settled_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.crc.clone().finalize().to_le_bytes());
        for subtree in &self.subtrees {
            bytes.extend_from_slice(subtree);
        }
        bytes.extend_from_slice(&self.tail);
        put_hash(&mut bytes);
        bytes
    }

    /// Takes up a saved state.
    ///
    /// # Errors
    /// Damaged, or refused if its format is newer.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open_hashed(OBJECT, MAGIC, bytes)?;
        let settled_bytes = reader.u64("settled_bytes")?;
        let crc = reader.u32("crc32")?;
        if !settled_bytes.is_multiple_of(SUBTREE_BYTES as u64) {
            return Err(reader.value("settled_bytes", "a multiple of 65536", settled_bytes));
        }
        let count = (settled_bytes / SUBTREE_BYTES as u64).count_ones();
        let subtrees = (0..count).map(|_| reader.array("subtrees")).collect::<Result<Vec<[u8; 32]>>>()?;
        let left = reader.left();
        if left > SUBTREE_BYTES || (left == 0 && settled_bytes > 0) {
            return Err(reader.value("tail", "1 to 65536 bytes", left));
        }
        let mut tail = Vec::with_capacity(SUBTREE_BYTES);
        tail.extend_from_slice(reader.take("tail", left)?);
        let crc = crc32fast::Hasher::new_with_initial_len(crc, settled_bytes + left as u64);
        Ok(Self { crc, settled_bytes, subtrees, tail })
    }

    /// BLAKE3 and CRC-32 of all bytes.
    pub fn finish(mut self) -> ([u8; 32], u32) {
        let crc = self.crc.finalize();
        let Some(mut left) = self.subtrees.pop() else {
            return (*blake3::hash(&self.tail).as_bytes(), crc);
        };
        let mut right = subtree_hash(self.settled_bytes, &self.tail);
        while let Some(next) = self.subtrees.pop() {
            right = merge_subtrees_non_root(&left, &right, Mode::Hash);
            left = next;
        }
        (*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes(), crc)
    }

    /// Adds a full subtree that more bytes follow.
    fn settle(&mut self, subtree: &[u8]) {
        let mut hash = subtree_hash(self.settled_bytes, subtree);
        self.settled_bytes += SUBTREE_BYTES as u64;
        let mut count = self.settled_bytes / SUBTREE_BYTES as u64;
        while count.is_multiple_of(2) {
            let left = self.subtrees.pop().expect("an even number of subtrees has a left neighbour");
            hash = merge_subtrees_non_root(&left, &hash, Mode::Hash);
            count /= 2;
        }
        self.subtrees.push(hash);
    }
}

fn subtree_hash(offset: u64, bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(offset);
    hasher.update(bytes);
    hasher.finalize_non_root()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

    use super::{Running, SUBTREE_BYTES};

    fn sample(count: usize) -> Vec<u8> {
        (0..count).map(|index| (index % 251) as u8).collect()
    }

    fn check(bytes: &[u8], pieces: &[usize], save: bool) {
        let mut running = Running::new();
        let mut rest = bytes;
        for piece in pieces.iter().copied().chain([usize::MAX]) {
            let (now, after) = rest.split_at(piece.min(rest.len()));
            running.update(now);
            rest = after;
            if save {
                running = Running::load(&running.save()).unwrap();
            }
        }
        assert_eq!(running.bytes(), bytes.len() as u64);
        assert_eq!(running.finish(), (*blake3::hash(bytes).as_bytes(), crc32fast::hash(bytes)), "{}", bytes.len());
    }

    #[test]
    fn equals_blake3_around_every_boundary() {
        let bytes = sample(17 * SUBTREE_BYTES + 9);
        for subtrees in [0, 1, 2, 3, 4, 7, 8, 9, 16, 17] {
            for near in [-1025_i64, -1024, -1, 0, 1, 1023, 1024, 1025] {
                let count = subtrees * SUBTREE_BYTES as i64 + near;
                if let Some(bytes) = usize::try_from(count).ok().and_then(|count| bytes.get(..count)) {
                    check(bytes, &[], false);
                    check(bytes, &[1, SUBTREE_BYTES, 3 * SUBTREE_BYTES, 5], true);
                }
            }
        }
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let mut running = Running::new();
        running.update(&sample(3 * SUBTREE_BYTES + 100));
        let saved = running.save();
        for at in (0..saved.len()).step_by(977).chain(0..120) {
            let mut damaged = saved.clone();
            damaged[at] ^= 1;
            assert!(Running::load(&damaged).is_err(), "byte {at}");
        }
        assert!(Running::load(&saved[..saved.len() - 1]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pieces_do_not_matter(
            count in 0..400_000_usize,
            pieces in prop::collection::vec(0..100_000_usize, 0..8),
            save in any::<bool>(),
        ) {
            check(&sample(count), &pieces, save);
            prop_assert_eq!(0, 0);
        }
    }
}
