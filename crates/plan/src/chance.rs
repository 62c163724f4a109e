//! Choices by chance, from entropy that is handed in, so that a run can be replayed.

use model::world::Entropy;

/// Draws after which a choice settles for a bias below 2⁻⁶⁴: entropy that always says the same must not hang us.
const DRAWS_MAX: usize = 64;

/// Chance drawn from someone else's entropy.
pub(crate) struct Chance<'a>(pub(crate) &'a dyn Entropy);

impl Chance<'_> {
    fn word(&self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number below `end`, all equally likely; 0 when `end` is 0.
    pub(crate) fn below(&self, end: u64) -> u64 {
        if end <= 1 {
            return 0;
        }
        let fair = u64::MAX - u64::MAX % end;
        let mut word = self.word();
        for _ in 0..DRAWS_MAX {
            if word < fair {
                break;
            }
            word = self.word();
        }
        word % end
    }

    /// An index, likely in proportion to its weight; all equally likely where no weight is above 0. `None` when empty.
    pub(crate) fn weighted(&self, weights: &[u64]) -> Option<usize> {
        let total = weights.iter().fold(0u64, |sum, weight| sum.saturating_add(*weight));
        if total == 0 {
            return (!weights.is_empty()).then(|| self.below(weights.len() as u64) as usize);
        }
        let mut left = self.below(total);
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return Some(index);
            }
            left -= weight;
        }
        weights.iter().rposition(|weight| *weight > 0)
    }

    /// Any order of `items`, all equally likely. Source: Fisher–Yates.
    pub(crate) fn shuffle<T>(&self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end as u64 + 1) as usize);
        }
    }
}
