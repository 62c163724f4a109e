//! What a person said of the fleet in an earlier life, and nobody knew at the rebuild.
//!
//! A constraint of which this life says nothing holds again: it only ever takes comfort away. Where it would leave too few
//! firms by now, and for orders of targets, of which nobody can tell whether they are wanted still, it is told what was said
//! and how to say it again. What this life says of the same label or target counts, as for all late records.

use catalogue::Tx;
use format::replay::{ClusterState, Row};
use model::fleet::TargetState;

use crate::{
    Draft,
    error::Result,
    ground::{Ground, Rules},
};

use super::{Brought, Moment};

/// Orders that are told at most: a person reads them.
const TOLD_MAX: usize = 50;

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
    let is_new = |label: &String| known.iter().all(|row| row.label != *label);
    let holding = late.constraints.values().filter(|row| row.value.holds && is_new(&row.value.label));
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
            Err(error) => brought.told.push(format!(
                "before the rebuild firms with the same {label} counted as one, now they do not: {error}; `holdfast \
                 constraint add {label}` says it again"
            )),
        }
    }
    let done = ground.differences(&rules, moment.now.wall_us);
    for row in done.constraints {
        crate::constraints::draft_constraint(tx, draft, row.clone())?;
        brought.constraints.push(row);
    }
    let mut left = 0;
    for Row { value, .. } in late.orders.values() {
        let row = ground.targets.iter().find(|row| row.id == value.target && row.state != TargetState::Retired);
        let (Some(row), None) = (row, ground.rules.orders.get(&value.target)) else { continue };
        let said = [
            value.cordoned.then_some("to take no new shards"),
            value.evacuation.map(|_| "to be left by a date"),
            value.retirement.map(|_| "to be retired"),
        ];
        let said: Vec<_> = said.into_iter().flatten().collect();
        if said.is_empty() {
            continue;
        }
        if brought.told.len() >= TOLD_MAX {
            left += 1;
            continue;
        }
        let address = &row.address;
        let said = said.join(" and ");
        brought
            .told
            .push(format!("before the rebuild {address} was {said}, now it is not; order it again if it should be"));
    }
    if left > 0 {
        brought.told.push(format!("{left} more targets had orders before the rebuild that they have not now"));
    }
    Ok(())
}
