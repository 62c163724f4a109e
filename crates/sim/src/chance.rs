//! Chance from the seed, in the forms that actors ask for.

use std::sync::Arc;

use model::world::Entropy;
use testkit::world::SeededEntropy;

/// A stream of chance. Clones draw from the same stream.
#[derive(Clone)]
pub struct Chance(Arc<SeededEntropy>);

impl Chance {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(SeededEntropy::new(seed)))
    }

    /// A stream of its own, so that what one part draws does not shift what another one gets.
    pub fn fork(seed: u64, part: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(part.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Self::new(u64::from_le_bytes(first))
    }

    /// A number below `bound` (0 when that is 0).
    pub fn below(&self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True once in `times` on average.
    pub fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of `items`.
    pub fn pick<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { items.get(self.below(items.len() as u64) as usize) }
    }

    /// The same stream as an [`Entropy`].
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        self.0.clone()
    }
}
