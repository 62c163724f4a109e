//! Which firms count as one: labels that are constraints, set by a person.
//!
//! A constraint is a row that is journalled, as it decides where bytes lie. It is given like any other order
//! ([`crate::orders`]). It is counted from the moment at which it is
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

use crate::{
    Draft, Inner, Store,
    error::Result,
    ground::{Ground, Moment},
    ledger,
    orders::OrderError,
};

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
            let order = move |ground: &Ground, _: &Moment<'_>| ground.constrain(&ground.rules, &label, holds);
            let done = self.0.order(Vec::new(), order).await?;
            Ok(!done.constraints.is_empty())
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
    /// Looks at everything anew if other firms count as one than in these failure domains.
    pub(crate) fn regroup_since(&self, before: &BTreeMap<ProviderId, ProviderId>) {
        if *before != self.fleet.domains() {
            self.upkeep.tallies.forget();
            self.upkeep.evacuating.look_again();
            self.upkeep.wake();
        }
    }
}
