//! The bytes that are sent, made once and told apart by where they begin.

/// Random bytes that repeat; a file begins at an origin of its own within them.
pub struct Pattern {
    bytes: Vec<u8>,
}

impl Pattern {
    /// A prime near 16 MiB, so that no two files of a bench repeat in step.
    const LENGTH: usize = 16_777_213;

    /// Makes the bytes. They are the same in every run, and do not compress.
    pub fn new() -> Pattern {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut bytes = Vec::with_capacity(Self::LENGTH + 8);
        while bytes.len() < Self::LENGTH {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
        }
        bytes.truncate(Self::LENGTH);
        Pattern { bytes }
    }

    /// What file number `file` holds from `offset` on: at most `length` bytes, at least one if any is wanted.
    pub fn piece(&self, file: u64, offset: u64, length: u64) -> &[u8] {
        let period = self.bytes.len() as u64;
        let start = ((file % period) * 65_537 + offset) % period;
        let end = (start + length).min(period);
        &self.bytes[start as usize..end as usize]
    }

    /// Whether `bytes` are those of file number `file` from `offset` on.
    pub fn matches(&self, file: u64, mut offset: u64, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let due = self.piece(file, offset, bytes.len() as u64);
            if due != &bytes[..due.len()] {
                return false;
            }
            offset += due.len() as u64;
            bytes = &bytes[due.len()..];
        }
        true
    }
}
