//! Which firms count as one: those that may vanish together.
//!
//! Two companies of one owner close an account together, and are seized together. So do, if the operator says so, firms of one
//! country, firms that are paid by one card, firms whose machines hang on one network: a label is made a *constraint*, and
//! firms with the same value of it are one *failure domain*. It is transitive: a firm that shares its owner with one and its
//! country with another ties all three. Everything that counts firms counts domains, since a [`Topology`](crate::Topology) is
//! made with them; so placement, margin, repair, filling and what-if questions cannot disagree.
//!
//! Labels that are no constraint are warnings ([`mod@crate::shared`]). A firm without a value shares it with nobody: what is
//! not known ties no one. Nor does a firm that was left for good, with all of its targets retired or given up: nothing lies
//! there that could vanish. One that has no target yet ties like the others, as it is about to have one.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    fleet::{ProviderRow, TargetState},
    id::ProviderId,
};

use crate::{error::Error, view::Topology};

/// Nothing is safe on fewer.
const FIRMS_MIN: usize = 2;

/// The label that says who owns a provider: always a constraint.
pub const OWNER: &str = "owner";

/// The failure domain of each provider: itself, or the first by id of all that count as one with it by their owner or by a
/// label among `constraints`. Values are the same whatever their case and the spaces around them. `targets` are all that there
/// are, whose they are and what is recorded of them.
pub fn domains<'a>(
    providers: impl IntoIterator<Item = &'a ProviderRow> + Clone,
    targets: impl IntoIterator<Item = (ProviderId, TargetState)> + Clone,
    constraints: &BTreeSet<String>,
) -> BTreeMap<ProviderId, ProviderId> {
    let mut ties = Ties::default();
    let mut firsts: BTreeMap<(&str, String), ProviderId> = BTreeMap::new();
    let left = left_for_good(targets);
    for row in providers.clone() {
        ties.root(row.id);
        if left.contains(&row.id) {
            continue;
        }
        for (label, value) in &row.labels {
            if let Some(value) = value_of(value)
                && (label == OWNER || constraints.contains(label))
            {
                let first = *firsts.entry((label, value)).or_insert(row.id);
                ties.tie(first, row.id);
            }
        }
    }
    providers.into_iter().map(|row| (row.id, ties.root(row.id))).collect()
}

/// The firms that have targets of which none is kept.
fn left_for_good(targets: impl IntoIterator<Item = (ProviderId, TargetState)> + Clone) -> BTreeSet<ProviderId> {
    let is_over = |state| matches!(state, TargetState::Lost | TargetState::Retired);
    let over = targets.clone().into_iter().filter(|(_, state)| is_over(*state));
    let mut left: BTreeSet<_> = over.map(|(provider, _)| provider).collect();
    if !left.is_empty() {
        targets.into_iter().filter(|(_, state)| !is_over(*state)).for_each(|(provider, _)| _ = left.remove(&provider));
    }
    left
}

/// A label's value as it is compared; `None` where nothing is said.
pub(crate) fn value_of(value: &str) -> Option<String> {
    Some(value.trim().to_lowercase()).filter(|value| !value.is_empty())
}

/// Who is tied to whom, by way of the first of each group.
#[derive(Default)]
struct Ties(BTreeMap<ProviderId, ProviderId>);

impl Ties {
    fn root(&mut self, id: ProviderId) -> ProviderId {
        let up = *self.0.entry(id).or_insert(id);
        if up == id {
            return id;
        }
        let root = self.root(up);
        self.0.insert(id, root);
        root
    }

    fn tie(&mut self, one: ProviderId, other: ProviderId) {
        let (one, other) = (self.root(one), self.root(other));
        self.0.insert(one.max(other), one.min(other));
    }
}

/// The providers that count as one, group by group, by name; those that stand alone are left out.
pub fn groups<'a>(
    providers: impl IntoIterator<Item = &'a ProviderRow> + Clone,
    domains: &BTreeMap<ProviderId, ProviderId>,
) -> Vec<Vec<String>> {
    let mut of: BTreeMap<ProviderId, Vec<String>> = BTreeMap::new();
    for row in providers {
        of.entry(domains.get(&row.id).copied().unwrap_or(row.id)).or_default().push(row.name.clone());
    }
    let mut groups: Vec<_> = of.into_values().filter(|group| group.len() > 1).collect();
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort_unstable();
    groups
}

/// Whether firms may be grouped as in `after`: enough of them must be left that take shards, or there are no fewer than
/// `before`, when it was no better. Some firms may be down: what is written now must be safe on those that are up, too.
///
/// # Errors
/// [`Error::TooFewGroups`] with the `groups`, so that a person sees which firms fall together.
pub fn may_group(before: &Topology, after: &Topology, groups: Vec<Vec<String>>) -> Result<(), Error> {
    let firms = |topology: &Topology| {
        let stay = topology.targets().filter(|target| target.is_ours() && !target.leaving && !target.cordoned);
        stay.map(|target| target.provider).collect::<BTreeSet<_>>().len()
    };
    let up = |topology: &Topology| topology.healthy_providers().len();
    for (was, left) in [(firms(before), firms(after)), (up(before), up(after))] {
        if left < FIRMS_MIN && left < was {
            return Err(Error::TooFewGroups { left, groups });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use model::{
        fleet::{ProviderRow, TargetState},
        id::{ProviderId, TargetId},
    };

    use super::{domains, groups, may_group};
    use crate::{
        error::Error,
        view::{TargetView, Topology},
    };

    fn row(id: u8, labels: &[(&str, &str)]) -> ProviderRow {
        ProviderRow {
            id: ProviderId([id; 16]),
            name: format!("firm {id}"),
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    fn check(rows: &[ProviderRow], constraints: &[&str], expected: &[(u8, u8)]) {
        let constraints: BTreeSet<_> = constraints.iter().map(|label| (*label).to_owned()).collect();
        let expected: BTreeMap<_, _> =
            expected.iter().map(|(id, domain)| (ProviderId([*id; 16]), ProviderId([*domain; 16]))).collect();
        assert_eq!(domains(rows, [], &constraints), expected, "{constraints:?}");
        let mut turned: Vec<_> = rows.to_vec();
        turned.reverse();
        assert_eq!(domains(&turned, [], &constraints), expected, "whoever comes first");
    }

    #[test]
    fn one_owner_is_one_domain() {
        let rows = [
            row(1, &[("country", "NL")]),
            row(4, &[("owner", "Big Holding ")]),
            row(2, &[("owner", "big holding"), ("country", "NL")]),
            row(3, &[("owner", "")]),
            row(5, &[("owner", " ")]),
        ];
        check(&rows, &[], &[(1, 1), (2, 2), (3, 3), (4, 2), (5, 5)]);
    }

    #[test]
    fn what_constraints_tie_is_tied_along_every_chain() {
        let rows = [
            row(1, &[("country", "NL"), ("payment", "card 1")]),
            row(2, &[("country", "nl "), ("owner", "A")]),
            row(3, &[("owner", "A"), ("network", "AS1")]),
            row(4, &[("network", "AS1"), ("country", "")]),
            row(5, &[("country", ""), ("payment", "card 1")]),
            row(6, &[("disk", "NL")]),
        ];
        check(&rows, &[], &[(1, 1), (2, 2), (3, 2), (4, 4), (5, 5), (6, 6)]);
        check(&rows, &["country"], &[(1, 1), (2, 1), (3, 1), (4, 4), (5, 5), (6, 6)]);
        check(&rows, &["country", "network"], &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 5), (6, 6)]);
        check(&rows, &["payment", "network"], &[(1, 1), (2, 2), (3, 2), (4, 2), (5, 1), (6, 6)]);
        let all = BTreeSet::from(["country", "network", "payment", "disk"].map(str::to_owned));
        let names = |ids: [u8; 5]| ids.map(|id| format!("firm {id}")).to_vec();
        assert_eq!(
            groups(&rows, &domains(&rows, [], &all)),
            [names([1, 2, 3, 4, 5])],
            "a value of another label ties nobody"
        );
    }

    #[test]
    fn a_firm_that_was_left_for_good_ties_nobody() {
        use TargetState::{Down, Lost, Retired, Up};
        // Firm 2 shares its owner with one and its country with another.
        let rows =
            [row(1, &[("owner", "A")]), row(2, &[("owner", "A"), ("country", "NL")]), row(3, &[("country", "NL")])];
        let country = BTreeSet::from(["country".to_owned()]);
        for (states, groups) in [
            (&[][..], 1),
            (&[Up], 1),
            (&[Down], 1),
            (&[Retired], 3),
            (&[Lost], 3),
            (&[Lost, Retired], 3),
            (&[Retired, Down], 1),
        ] {
            let own = states.iter().map(|state| (ProviderId([2; 16]), *state));
            let others = [1, 3].map(|id| (ProviderId([id; 16]), Up));
            let found = domains(&rows, own.chain(others), &country);
            assert_eq!(found.values().collect::<BTreeSet<_>>().len(), groups, "{states:?}");
            assert_eq!(found.len(), 3, "each has one: {states:?}");
        }
    }

    #[test]
    fn a_grouping_that_leaves_one_firm_is_refused_by_name() {
        let fleet = |firms: &[u8]| {
            let target = |(number, firm): (u8, &u8)| TargetView::up(TargetId([number; 16]), ProviderId([*firm; 16]));
            Topology::new((0..).zip(firms).map(target))
        };
        let tied = vec![vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]];
        let before = fleet(&[1, 2, 3]);
        assert_eq!(may_group(&before, &fleet(&[1, 1, 3]), tied.clone()), Ok(()));
        let refused = may_group(&before, &fleet(&[1, 1, 1]), tied.clone());
        assert_eq!(refused, Err(Error::TooFewGroups { left: 1, groups: tied.clone() }));
        assert!(refused.is_err_and(|error| error.to_string().contains("a, b and c would be one firm")));
        let mut leaving: Vec<_> = fleet(&[1, 1, 3]).targets().cloned().collect();
        leaving[2].leaving = true;
        assert!(may_group(&before, &Topology::new(leaving), tied.clone()).is_err(), "who leaves is none of the two");
        assert_eq!(may_group(&fleet(&[1]), &fleet(&[1]), tied.clone()), Ok(()), "it makes nothing worse");
        let third_down = |firms: &[u8]| {
            let mut all: Vec<_> = fleet(firms).targets().cloned().collect();
            all[2].state = TargetState::Down;
            Topology::new(all)
        };
        assert!(may_group(&third_down(&[1, 2, 3]), &third_down(&[1, 1, 3]), tied).is_err(), "nothing could be written");
    }
}
