//! What firms have in common beside what ties them: a country, a card, a network, a disk. They may vanish together for such a
//! reason, and it is said; it counts in no margin unless it is made a constraint ([`mod@crate::domains`]).

use std::collections::BTreeMap;

use model::{fleet::ProviderRow, id::ProviderId};

use crate::domains::value_of;

/// The labels that say so, and what people call them.
const LABELS: [(&str, &str); 5] = [
    ("country", "country"),
    ("payment", "means of payment"),
    ("credential", "login"),
    ("network", "network"),
    ("disk", "disk"),
];

/// One warning for each label of a provider that another firm has with the same value. Firms that are one by `domains` count
/// as one already.
pub fn shared_labels(
    providers: &[ProviderRow],
    domains: &BTreeMap<ProviderId, ProviderId>,
    id: ProviderId,
) -> Vec<String> {
    let label = |row: &ProviderRow, name: &str| {
        row.labels.iter().find(|(label, _)| label == name).and_then(|(_, value)| value_of(value))
    };
    let Some(own) = providers.iter().find(|row| row.id == id) else { return Vec::new() };
    let domain = |id: ProviderId| domains.get(&id).copied().unwrap_or(id);
    let is_other = |row: &&ProviderRow| domain(row.id) != domain(id);
    let mut found = Vec::new();
    for (name, said) in LABELS {
        let Some(value) = label(own, name) else { continue };
        let same = |row: &&ProviderRow| label(row, name).as_ref() == Some(&value);
        let others: Vec<_> = providers.iter().filter(is_other).filter(same).map(|row| row.name.as_str()).collect();
        if !others.is_empty() {
            let shown = own.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value.trim());
            found.push(format!("the same {said} ({shown}) as {}", others.join(", ")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{ProviderId, ProviderRow, shared_labels};
    use crate::domains::domains;

    #[test]
    fn what_is_shared_is_said_and_owners_are_left_to_the_margin() {
        let row = |n: u8, labels: &[(&str, &str)]| ProviderRow {
            id: ProviderId([n; 16]),
            name: format!("firm {n}"),
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let all = [
            row(1, &[("country", "NL"), ("owner", "A"), ("payment", "card 1")]),
            row(2, &[("country", "NL"), ("owner", "A")]),
            row(3, &[("country", "NL"), ("payment", "card 1")]),
            row(4, &[("country", ""), ("payment", "card 2")]),
        ];
        let tied =
            |constraints: &[&str]| domains(&all, [], &constraints.iter().map(|label| (*label).to_owned()).collect());
        let said = |n: usize| shared_labels(&all, &tied(&[]), all[n].id);
        assert_eq!(said(0), ["the same country (NL) as firm 3", "the same means of payment (card 1) as firm 3"]);
        assert_eq!(said(2)[0], "the same country (NL) as firm 1, firm 2");
        assert!(said(3).is_empty());
        let by_country = shared_labels(&all, &tied(&["country"]), all[0].id);
        assert!(by_country.is_empty(), "they are one firm now, not several that share something: {by_country:?}");
    }
}
