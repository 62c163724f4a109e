//! Which firms count as one: labels that are constraints, set by a person.
//!
//! A constraint is a row that is journalled, as it decides where bytes lie. It is counted from the moment at which it is
//! recorded: [`FleetState`](crate::fleet_state) makes every topology with it, so what was safe under fewer constraints may be
//! at risk the moment after, and repair, which is woken, makes what is missing. Nothing is deleted because of it. The rule
//! itself, and what is refused, is [`plan::domains`](mod@plan::domains).

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Change, Scope,
    fleet::{ConstraintRow, ProviderRow},
    id::ProviderId,
    world::BoxFuture,
};

use crate::{Draft, Inner, Store, error::Result, ledger, orders::OrderError};

/// What labels of prices begin with: they say nothing of who vanishes together.
const PRICES: &str = "price.";

/// Which firms count as one, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// The labels that keep providers apart, the owner's first, each with the names of providers whose value of it nobody gave.
    pub labels: Vec<(String, Vec<String>)>,
    /// Providers that count as one, group by group, by name.
    pub groups: Vec<Vec<String>>,
}

/// The labels that keep providers apart, beside their owner.
///
/// # Errors
/// As for every reading.
pub fn constraints(tx: &catalogue::Tx<'_>) -> catalogue::Result<BTreeSet<String>> {
    let rows = catalogue::fleet::constraints(tx)?.into_iter();
    Ok(rows.filter(|row| row.holds).map(|row| row.label).collect())
}

impl Store {
    /// Which firms count as one now.
    pub fn constraints(&self) -> Constraints {
        let fleet = &self.0.fleet;
        let (rows, held) = (fleet.providers(), fleet.constraints());
        let unknown = |label: &str| {
            let says =
                |row: &ProviderRow| row.labels.iter().any(|(name, value)| name == label && !value.trim().is_empty());
            let mut names: Vec<_> = rows.iter().filter(|row| !says(row)).map(|row| row.name.clone()).collect();
            names.sort_unstable();
            names
        };
        let labels = std::iter::once(plan::OWNER.to_owned()).chain(held);
        let labels = labels.map(|label| (label.clone(), unknown(&label))).collect();
        Constraints { labels, groups: plan::groups(&rows, &fleet.domains()) }
    }

    /// Makes a label a constraint, or makes it none any more; whether that changed anything.
    ///
    /// # Errors
    /// [`OrderError::BadConstraint`]; [`OrderError::Last`] if too few firms would be left; [`crate::Error::Unsafe`].
    pub fn set_constraint(&self, label: String, holds: bool) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let inner = &self.0;
            let (rows, mut held) = (inner.fleet.providers(), inner.fleet.constraints());
            check_constraint(&rows, &label, holds)?;
            let changes = if holds { held.insert(label.clone()) } else { held.remove(&label) };
            if !changes {
                return Ok(false);
            }
            inner.may_group(&rows, &held)?;
            let row = ConstraintRow { label, holds, changed_us: self.now().wall_us };
            let recorded = row.clone();
            self.commit(move |tx, draft| draft_constraint(tx, draft, recorded)).await?;
            inner.fleet.set_constraint(row);
            inner.regrouped();
            Ok(true)
        })
    }
}

/// Adds a constraint's row to what is committed, with its entry in the ledger.
pub(crate) fn draft_constraint(tx: &catalogue::Tx<'_>, draft: &mut Draft, row: ConstraintRow) -> Result<()> {
    let (what, verb) = match row.holds {
        true => ("constraint.added", "constraint added"),
        false => ("constraint.removed", "constraint removed"),
    };
    ledger::note(tx, draft, what, &[("label", row.label.clone())], row.changed_us)?;
    draft.audit(None, verb, row.label.clone());
    draft.change(Scope::Cluster, Change::Constraint(row));
    Ok(())
}

/// Refuses what can be no constraint: the owner, which always is one, prices, and a label that no provider has, most likely a
/// slip of the pen that would tie nobody.
pub(crate) fn check_constraint(rows: &[ProviderRow], label: &str, holds: bool) -> std::result::Result<(), OrderError> {
    let bad = |why: String| Err(OrderError::BadConstraint { label: label.to_owned(), why });
    if label == plan::OWNER {
        return bad("providers of one owner always count as one".to_owned());
    }
    if label.starts_with(PRICES) {
        return bad("prices say nothing of who vanishes together".to_owned());
    }
    let given = |(name, value): &&(String, String)| !name.starts_with(PRICES) && !value.trim().is_empty();
    let known: BTreeSet<_> =
        rows.iter().flat_map(|row| row.labels.iter().filter(given)).map(|(name, _)| name).collect();
    if !holds || known.iter().any(|name| *name == label) {
        return Ok(());
    }
    let known: Vec<_> = known.into_iter().map(String::as_str).collect();
    let known = if known.is_empty() { "no labels at all".to_owned() } else { known.join(", ") };
    bad(format!("no provider has it; they have {known}"))
}

impl Inner {
    /// Whether firms may be grouped by these rows and labels.
    pub(crate) fn may_group(&self, rows: &[ProviderRow], constraints: &BTreeSet<String>) -> Result<()> {
        let before = self.fleet.topology(self.now_us());
        let domains = plan::domains(rows, constraints);
        let after = self.fleet.grouped(&before, &domains);
        let groups = plan::groups(rows, &domains);
        plan::may_group(&before, &after, groups.clone()).map_err(OrderError::Last)?;
        if self.scheme_now(&before).is_err() {
            return Ok(());
        }
        // Some firms may be down: with those that are up new bytes must still be safe.
        match (self.scheme_now(&after), after.healthy_providers().len()) {
            (Ok(_), _) => Ok(()),
            (Err(_), left @ 0..2) => Err(OrderError::Last(plan::Error::TooFewGroups { left, groups }).into()),
            (Err(error), _) => Err(error),
        }
    }

    /// Looks at everything anew: other firms than before count as one.
    pub(crate) fn regrouped(&self) {
        self.upkeep.tallies.forget();
        self.upkeep.evacuating.look_again();
        self.upkeep.wake();
    }
}

impl crate::fleet_state::FleetState {
    /// A topology of this fleet with other failure domains.
    pub(crate) fn grouped(
        &self,
        topology: &plan::Topology,
        domains: &BTreeMap<ProviderId, ProviderId>,
    ) -> plan::Topology {
        let own: BTreeMap<_, _> = self.all().into_iter().map(|live| (live.row.id, live.row.provider)).collect();
        topology.grouped(|target| own.get(&target).map(|provider| domains.get(provider).copied().unwrap_or(*provider)))
    }
}
