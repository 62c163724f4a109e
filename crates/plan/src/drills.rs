//! Which firm is drilled next, and since when all are known to be dispensable.

use model::id::ProviderId;

/// The provider whose turn it is: one that never was, else the one whose last drill is oldest.
pub fn next_drill(last: impl IntoIterator<Item = (ProviderId, Option<i64>)>) -> Option<ProviderId> {
    last.into_iter().min_by_key(|(provider, at_us)| (*at_us, *provider)).map(|(provider, _)| provider)
}

/// Since when every provider is proven to be dispensable: the oldest of the drills that passed last. `None` if one never passed,
/// and where there is none.
pub fn proven_since(passed: impl IntoIterator<Item = Option<i64>>) -> Option<i64> {
    passed.into_iter().min().flatten()
}

#[cfg(test)]
mod tests {
    use model::id::ProviderId;

    use super::{next_drill, proven_since};

    #[test]
    fn who_never_was_comes_first_then_the_oldest() {
        let firm = |n| ProviderId([n; 16]);
        assert_eq!(next_drill([]), None);
        assert_eq!(next_drill([(firm(1), Some(5)), (firm(2), Some(4))]), Some(firm(2)));
        assert_eq!(next_drill([(firm(1), Some(5)), (firm(3), None), (firm(2), None)]), Some(firm(2)));
    }

    #[test]
    fn one_that_never_passed_leaves_nothing_proven() {
        assert_eq!(proven_since([]), None);
        assert_eq!(proven_since([Some(7), Some(3)]), Some(3));
        assert_eq!(proven_since([Some(7), None, Some(3)]), None);
    }
}
