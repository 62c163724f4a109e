//! When a target is looked at that is up and wants to be left in peace in between.
//!
//! Time is cut into stretches of the wanted length, and a target is looked at once in each. Where its stretches begin is drawn from its
//! id. So a fleet of thousands that was opened in one moment is not due in one moment again and again: what is asked in a second is
//! its share, and no target waits for longer than a stretch.

use model::id::TargetId;

/// Whether a target that was last looked at `seen_us` is due `now_us` (both monotonic), if once in `every_us` is wanted. With 0 it
/// always is.
pub fn is_due(target: TargetId, every_us: u64, seen_us: u64, now_us: u64) -> bool {
    let [a, b, c, d, e, f, g, h, ..] = target.0;
    let drawn = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let Some(phase_us) = drawn.checked_rem(every_us) else { return true };
    // The sum of a monotonic time and a phase is far from the end of the type.
    let stretch = |at_us: u64| at_us.saturating_add(phase_us) / every_us;
    stretch(now_us) > stretch(seen_us)
}

#[cfg(test)]
mod tests {
    use model::id::TargetId;

    use super::is_due;

    const S: u64 = 1_000_000;

    fn target(number: u64) -> TargetId {
        let mut id = [0; 16];
        // Ids are random; these are spread as evenly as such are.
        id[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
        TargetId(id)
    }

    #[test]
    fn a_large_fleet_that_was_opened_at_once_is_looked_at_evenly_and_nobody_waits_longer() {
        let mut seen = vec![5 * S; 1_769];
        for round in 6..=600 {
            let mut looks = 0;
            for (number, seen_us) in seen.iter_mut().enumerate() {
                if is_due(target(number as u64), 60 * S, *seen_us, round * S) {
                    *seen_us = round * S;
                    looks += 1;
                }
                assert!(round * S - *seen_us <= 60 * S, "{number} was not looked at for more than a minute");
            }
            assert!(looks <= 60, "{looks} in second {round}; an even share is 30");
        }
    }

    #[test]
    fn what_wants_no_peace_is_always_due() {
        assert!(is_due(target(7), 0, 5, 5));
        assert!(!is_due(target(0), 60 * S, 61 * S, 119 * S));
        assert!(is_due(target(0), 60 * S, 61 * S, 120 * S));
    }
}
