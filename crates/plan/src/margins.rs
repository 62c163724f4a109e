//! How much more may be lost once a firm is gone: the margin of what has least, now and without each provider.
//!
//! A census counts how many packs stand where; this says which firm the fleet leans on. It is filled one by one, so that the
//! store need not hold all views at once.

use std::collections::BTreeMap;

use model::id::ProviderId;

use crate::margin::Spread;

/// The margin of something that cannot be read at all.
const UNREADABLE: i64 = -1;

/// The least margins of all that was added. One below 0 is something that cannot be read then.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Margins {
    now: Option<i64>,
    without: BTreeMap<ProviderId, i64>,
}

impl Margins {
    /// Adds one pack or copied object; `providers` are all whose loss is asked about, failure domains.
    pub fn add(&mut self, spread: &Spread, providers: impl IntoIterator<Item = ProviderId>) {
        let margin = |spread: &Spread| spread.margin().map_or(UNREADABLE, |margin| margin as i64);
        let here = margin(spread);
        self.now = Some(self.now.map_or(here, |least| least.min(here)));
        for provider in providers {
            let known = self.without.get(&provider).copied();
            // One provider costs one of the margin at most, so most of them need no second look.
            if known.is_some_and(|least| least <= (here - 1).max(UNREADABLE)) {
                continue;
            }
            let then = margin(&spread.without_one(provider));
            self.without.insert(provider, known.map_or(then, |least| least.min(then)));
        }
    }

    /// How many providers may go now, whichever they are; `None` before anything was added.
    pub fn now(&self) -> Option<i64> {
        self.now
    }

    /// How many more may go once this one is gone.
    pub fn without(&self, provider: ProviderId) -> Option<i64> {
        self.without.get(&provider).copied()
    }
}

#[cfg(test)]
mod tests {
    use model::id::ProviderId;

    use super::Margins;
    use crate::margin::Spread;

    fn provider(number: u8) -> ProviderId {
        ProviderId([number; 16])
    }

    /// Lane n at the n-th of these providers.
    fn spread(k: u8, at: &[u8]) -> Spread {
        Spread::new(k, (0..).zip(at.iter().map(|number| provider(*number))))
    }

    #[test]
    fn the_worst_pack_says_what_is_left_without_a_firm() {
        let check = |packs: &[Spread], now: i64, without: &[i64]| {
            for order in [false, true] {
                let mut margins = Margins::default();
                let mut packs = packs.to_vec();
                if order {
                    packs.reverse();
                }
                packs.iter().for_each(|pack| margins.add(pack, (1..=6).map(provider)));
                let found: Vec<i64> = (1..=6).filter_map(|number| margins.without(provider(number))).collect();
                assert_eq!((margins.now(), found.as_slice()), (Some(now), without));
            }
        };
        let whole = spread(4, &[1, 2, 3, 4, 5, 6]);
        check(std::slice::from_ref(&whole), 2, &[1; 6]);
        // One firm holds nothing of it: without it nothing changes.
        check(&[spread(4, &[1, 2, 3, 4, 5])], 1, &[0, 0, 0, 0, 0, 1]);
        check(&[whole.clone(), spread(4, &[1, 2, 3, 4, 5])], 1, &[0, 0, 0, 0, 0, 1]);
        // Two lanes at one firm: it alone is one too many.
        check(&[whole, spread(4, &[1, 1, 2, 3, 4])], 0, &[-1, 0, 0, 0, 0, 0]);
        check(&[spread(4, &[1, 2, 3])], -1, &[-1; 6]);
        assert_eq!(Margins::default().now(), None);
    }
}
