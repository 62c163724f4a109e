//! Lane arithmetic: which bytes of which lanes a striped range is.
//!
//! Striped bytes alternate over the k data lanes cell by cell: cell 0 of lane 0, cell 0 of lane 1, …, cell 1 of lane 0, ….

/// A run of bytes in one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// The data lane.
    pub lane: u8,
    /// First byte in it.
    pub lane_offset: u64,
    /// How many.
    pub len: u64,
}

/// The pieces of `len` striped bytes from `offset`, in order. `k` is 1 or more; a range past 2⁶⁴ ends there.
pub fn striped(k: u8, cell_bytes: u64, offset: u64, len: u64) -> impl Iterator<Item = Piece> {
    let end = offset.saturating_add(len);
    let (k, cell_bytes) = (u64::from(k.max(1)), cell_bytes.max(1));
    let mut next = offset;
    std::iter::from_fn(move || {
        if next >= end {
            return None;
        }
        let (cell, inside) = (next / cell_bytes, next % cell_bytes);
        let len = (cell_bytes - inside).min(end - next);
        next += len;
        Some(Piece { lane: (cell % k) as u8, lane_offset: cell / k * cell_bytes + inside, len })
    })
}

/// How long each of the k data lanes is once `striped_bytes` are laid on them.
pub fn lane_lengths(k: u8, cell_bytes: u64, striped_bytes: u64) -> Vec<u64> {
    let (lanes, cell_bytes) = (u64::from(k.max(1)), cell_bytes.max(1));
    let (cells, rest) = (striped_bytes / cell_bytes, striped_bytes % cell_bytes);
    let (rows, lane_of_rest) = (cells / lanes, cells % lanes);
    let length = |lane: u64| match lane.cmp(&lane_of_rest) {
        std::cmp::Ordering::Less => (rows + 1) * cell_bytes,
        std::cmp::Ordering::Equal => rows * cell_bytes + rest,
        std::cmp::Ordering::Greater => rows * cell_bytes,
    };
    (0..lanes).map(length).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{lane_lengths, striped};

    /// Lays bytes one by one: (lane, offset in lane) of each.
    fn brute(k: u8, cell_bytes: u64, striped_bytes: u64) -> Vec<(u8, u64)> {
        let mut lengths = vec![0; usize::from(k)];
        let lay = |byte: u64| {
            let lane = byte / cell_bytes % u64::from(k);
            let offset = lengths[lane as usize];
            lengths[lane as usize] += 1;
            (lane as u8, offset)
        };
        (0..striped_bytes).map(lay).collect()
    }

    proptest! {
        #[test]
        fn pieces_equal_brute_force(k in 1..6_u8, cell in 1..9_u64, offset in 0..80_u64, len in 0..80_u64) {
            let laid = brute(k, cell, offset + len);
            let pieces = striped(k, cell, offset, len);
            let bytes: Vec<_> =
                pieces.flat_map(|piece| (0..piece.len).map(move |at| (piece.lane, piece.lane_offset + at))).collect();
            prop_assert_eq!(bytes, &laid[offset as usize..]);
            let lengths: Vec<_> = (0..k).map(|lane| laid.iter().filter(|byte| byte.0 == lane).count() as u64).collect();
            prop_assert_eq!(lane_lengths(k, cell, offset + len), lengths);
        }
    }

    #[test]
    fn ends_at_the_last_number() {
        assert_eq!(striped(4, 1 << 20, u64::MAX - 5, 100).map(|piece| piece.len).sum::<u64>(), 5);
    }
}
