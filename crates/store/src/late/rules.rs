//! What a person said of the fleet in an earlier life, and nobody knew at the rebuild.
//!
//! A constraint of which this life says nothing holds again: it only ever takes comfort away. Where it would leave too few
//! firms by now, and for labels and orders, of which nobody can tell whether they are right still, it is told what was said
//! and how to say it again. What this life says of the same label or target counts, as for all late records.

use catalogue::Tx;
use format::replay::{ClusterState, Row};
use model::fleet::{ConstraintRow, TargetState};

use crate::{
    Draft,
    error::Result,
    ground::{Ground, Rules},
};

use super::{Brought, Moment};

/// Brings in constraints, and tells of the rest.
pub(crate) fn bring_in(
    tx: &mut Tx<'_>,
    draft: &mut Draft,
    late: &ClusterState,
    moment: &Moment,
    brought: &mut Brought,
) -> Result<()> {
    let ground = Ground::read(tx)?;
    let known = catalogue::fleet::constraints(tx)?;
    // A word of the earlier life that everybody knew is older than the one that only this target knows.
    let is_new = |late: &ConstraintRow| {
        known.iter().all(|row| row.label != late.label || (!row.holds && row.changed_us < late.changed_us))
    };
    let holding = late.constraints.values().filter(|row| row.value.holds && is_new(&row.value));
    let mut rules = ground.rules.clone();
    for Row { value, .. } in holding {
        let label = &value.label;
        let with = |rules: &Rules| -> std::result::Result<Rules, crate::OrderError> {
            let with = ground.constrain(rules, label, true)?;
            ground.may_be(&moment.topology, &with)?;
            Ok(with)
        };
        match with(&rules) {
            Ok(with) => rules = with,
            Err(error) => brought.tell(format!(
                "before the rebuild firms with the same {label} counted as one, now they do not: {error}; once that is \
                 mended, `holdfast constraint add {label}` says it again"
            )),
        }
    }
    let done = ground.differences(&rules, moment.now.wall_us);
    for row in done.constraints {
        crate::constraints::draft_constraint(tx, draft, row.clone())?;
        brought.constraints.push(row);
    }
    tell_labels(&ground, late, brought);
    tell_orders(&ground, late, brought);
    Ok(())
}

/// Labels that a provider had and has not now: whose it is, where, what it costs. Which of two values is right only a person knows.
fn tell_labels(ground: &Ground, late: &ClusterState, brought: &mut Brought) {
    for Row { value, .. } in late.providers.values() {
        let Some(row) = ground.providers.iter().find(|row| row.id == value.id) else { continue };
        let missing = value.labels.iter().filter(|label| !row.labels.contains(label));
        let missing: Vec<_> = missing.map(|(label, value)| format!("{label}={value}")).collect();
        if !missing.is_empty() {
            let (name, missing) = (&row.name, missing.join(", "));
            brought.tell(format!("before the rebuild {name} had {missing}, now it has not; say it again if it is so"));
        }
    }
}

/// Orders that a target had and has not now.
fn tell_orders(ground: &Ground, late: &ClusterState, brought: &mut Brought) {
    for Row { value, .. } in late.orders.values() {
        let row = ground.targets.iter().find(|row| row.id == value.target && row.state != TargetState::Retired);
        let (Some(row), now) = (row, ground.ordered(value.target)) else { continue };
        let said = [
            (value.cordoned && !now.cordoned).then_some("to take no new shards"),
            (value.evacuation.is_some() && now.evacuation.is_none()).then_some("to be left by a date"),
            (value.retirement.is_some() && now.retirement.is_none()).then_some("to be retired"),
        ];
        let said: Vec<_> = said.into_iter().flatten().collect();
        if !said.is_empty() {
            let (address, said) = (&row.address, said.join(" and "));
            brought.tell(format!(
                "before the rebuild {address} was {said}, now it is not; order it again if it should be"
            ));
        }
    }
}
