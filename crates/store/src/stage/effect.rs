//! What staged changes would do: counted on the fleet as it is and as it would be, by the same walk as every report
//! ([`crate::census`]), so that what is shown is what is seen afterwards.
//!
//! *After* is the moment at which the changes are made: what a leaving target holds still counts then, and what firms that
//! count as one hold together does not count twice any more. What has to move until all is settled again is said beside it,
//! with the room and the cost that there would be when it has moved and what lies at targets that are left is deleted.

use std::collections::BTreeMap;

use model::{
    fleet::TargetState,
    id::{ProviderId, TargetId},
};
use plan::{Effort, Price, Topology, cost::MonthCost};

use crate::{
    Inner,
    census::{Count, QUICK_US, Without},
    error::Result,
    ground::{Ground, Rules},
};

/// What staged changes would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// As things are.
    pub before: Side,
    /// When the changes are made, before anything has moved but for room and cost.
    pub after: Side,
    /// Each firm: what its loss would do, now and then.
    pub firms: Vec<FirmEffect>,
    /// What has to move, an upper bound; what repair would do today anyway is in it.
    pub moves: Effort,
}

/// How the fleet stands on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// How many providers may go, whichever they are; `None` when something lacks bytes, and when nothing is kept.
    pub margin: Option<usize>,
    /// Firms that take new shards.
    pub firms: usize,
    /// Providers that count as one, group by group.
    pub groups: Vec<Vec<String>>,
    /// What a pack written now would get; `None`: nothing could be written.
    pub scheme: Option<model::Scheme>,
    /// Files, packs and copied objects.
    pub counts: Without,
    /// Room at targets that take new shards, as far as they say.
    pub free_bytes: u64,
    /// How many of them do not say.
    pub silent_targets: u64,
    /// What storing costs a month, by currency; `None` if a price is unknown.
    pub costs: Option<Vec<MonthCost>>,
    /// Whose price is unknown, by name.
    pub unpriced: Vec<String>,
}

/// What the loss of a firm would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirmEffect {
    /// Its name.
    pub name: String,
    /// As things are.
    pub before: Without,
    /// When the changes are made.
    pub after: Without,
}

/// What was counted last. It takes up to three walks over everything, so one at a time is made; and who looks again and again at
/// the same list gets what was counted, for as long as that took.
#[derive(Default)]
pub(crate) struct Looked(tokio::sync::Mutex<Option<Last>>);

/// An effect, of which list and fleet, and when it was counted, in microseconds of the monotonic clock.
struct Last {
    number: u64,
    fleet: Vec<(TargetId, ProviderId, TargetState)>,
    at_us: u64,
    took_us: u64,
    effect: Effect,
}

impl Last {
    /// Whether it still answers for this list.
    fn answers(&self, number: u64, fleet: &[(TargetId, ProviderId, TargetState)], now_us: u64) -> bool {
        let is_same = self.number == number && self.fleet == fleet;
        let age_us = now_us.saturating_sub(self.at_us);
        is_same && self.took_us > QUICK_US && age_us <= self.took_us
    }
}

impl Inner {
    /// What rules would do in the place of those of today, for the list of this number.
    pub(super) async fn effect(&self, number: u64, ground: &Ground, rules: &Rules) -> Result<Effect> {
        let mut last = self.looked.0.lock().await;
        let (fleet, at_us) = (self.fleet.looks(), self.now_us());
        if let Some(last) = last.as_ref().filter(|last| last.answers(number, &fleet, at_us)) {
            return Ok(last.effect.clone());
        }
        let effect = self.count_effect(ground, rules).await?;
        let took_us = self.now_us().saturating_sub(at_us);
        *last = Some(Last { number, fleet, at_us: self.now_us(), took_us, effect: effect.clone() });
        Ok(effect)
    }

    async fn count_effect(&self, ground: &Ground, rules: &Rules) -> Result<Effect> {
        let now = self.fleet.topology(self.now_us());
        let (before, after) = (ground.topology(&now, &ground.rules), ground.topology(&now, rules));
        let counted_before = self.count(before.clone(), domains(ground, &ground.rules)).await?;
        let counted_after = self.count(after.clone(), domains(ground, rules)).await?;
        let leaves = after.targets().any(|view| view.leaving && view.is_ours());
        let moves = match leaves {
            true => self.count(after.staying(), Vec::new()).await?.effort,
            false => counted_after.effort.clone(),
        };
        let stored = &counted_before.stored;
        let side = |topology: &Topology, rules: &Rules, count: &Count, moves: &Effort| {
            let (free_bytes, silent_targets) = room(topology, moves);
            let (costs, unpriced) = costs(ground, rules, topology, stored, moves);
            Side {
                margin: count.census.margin(),
                firms: topology.open_providers(0).len(),
                groups: plan::groups(&ground.providers, &ground.domains(rules)),
                scheme: self.scheme_now(topology).ok(),
                counts: all_of(count),
                free_bytes,
                silent_targets,
                costs,
                unpriced,
            }
        };
        Ok(Effect {
            before: side(&before, &ground.rules, &counted_before, &Effort::default()),
            after: side(&after, rules, &counted_after, &moves),
            firms: firms(ground, rules, &counted_before, &counted_after),
            moves,
        })
    }
}

fn domains(ground: &Ground, rules: &Rules) -> Vec<ProviderId> {
    let all: std::collections::BTreeSet<_> = ground.domains(rules).into_values().collect();
    all.into_iter().collect()
}

/// Everything, as it stands.
fn all_of(count: &Count) -> Without {
    let tally = |tally: &plan::Tally| plan::Counts {
        unreadable: tally.unreadable,
        below_safe: tally.below_safe,
        below_settled: tally.below_settled,
    };
    Without { files: count.files, packs: tally(&count.census.packs), records: tally(&count.census.objects) }
}

fn firms(ground: &Ground, rules: &Rules, before: &Count, after: &Count) -> Vec<FirmEffect> {
    let (was, is) = (ground.domains(&ground.rules), ground.domains(rules));
    let loss = |count: &Count, of: &BTreeMap<ProviderId, ProviderId>, id: &ProviderId| {
        count.without.get(of.get(id).unwrap_or(id)).copied().unwrap_or_default()
    };
    let kept = |id: ProviderId| {
        let state = |state| !matches!(state, model::fleet::TargetState::Retired | model::fleet::TargetState::Lost);
        ground.targets.iter().any(|row| row.provider == id && state(row.state))
    };
    let rows = ground.providers.iter().filter(|row| kept(row.id));
    let mut firms: Vec<_> = rows
        .map(|row| FirmEffect {
            name: row.name.clone(),
            before: loss(before, &was, &row.id),
            after: loss(after, &is, &row.id),
        })
        .collect();
    firms.sort_by(|one, other| one.name.cmp(&other.name));
    firms
}

/// Room at targets that take new shards, less what moves there; and how many of them do not say.
fn room(topology: &Topology, moves: &Effort) -> (u64, u64) {
    let open: Vec<_> = topology.targets().filter(|view| view.takes(0)).map(|view| view.free_bytes).collect();
    let free = open.iter().flatten().fold(0u64, |sum, free| sum.saturating_add(*free));
    (free.saturating_sub(moves.write_bytes()), open.iter().filter(|free| free.is_none()).count() as u64)
}

/// What storing costs a month when all has moved, and what lies at leaving targets is deleted. What moves to firms that count as
/// one is asked under the first one's price.
fn costs(
    ground: &Ground,
    rules: &Rules,
    topology: &Topology,
    stored: &BTreeMap<TargetId, u64>,
    moves: &Effort,
) -> (Option<Vec<MonthCost>>, Vec<String>) {
    let mut bytes: BTreeMap<ProviderId, u64> = BTreeMap::new();
    for row in &ground.targets {
        let stays = topology.target(row.id).is_some_and(|view| view.is_ours() && !view.leaving);
        if stays {
            let sum = bytes.entry(row.provider).or_default();
            *sum = sum.saturating_add(stored.get(&row.id).copied().unwrap_or(0));
        }
    }
    for (provider, share) in &moves.shares {
        let sum = bytes.entry(*provider).or_default();
        *sum = sum.saturating_add(share.write_bytes);
    }
    let priced: Vec<_> = ground
        .labelled(rules)
        .into_iter()
        .filter_map(|row| Some((Price::of_labels(&row.labels), *bytes.get(&row.id)?, row.name)))
        .collect();
    plan::cost::monthly(priced.iter().map(|(price, bytes, name)| (name.as_str(), price, *bytes)))
}

#[cfg(test)]
mod tests {
    use model::{
        fleet::TargetState,
        id::{ProviderId, TargetId},
    };

    use super::{Effect, Last};

    #[test]
    fn what_was_counted_answers_for_the_same_list_and_fleet_for_a_while() {
        let fleet = [(TargetId([1; 16]), ProviderId([2; 16]), TargetState::Up)];
        let last = Last { number: 7, fleet: fleet.to_vec(), at_us: 100, took_us: 1_000_000, effect: Effect::default() };
        assert!(last.answers(7, &fleet, 100) && last.answers(7, &fleet, 1_000_100));
        assert!(!last.answers(7, &fleet, 1_000_101), "it is old");
        assert!(!last.answers(8, &fleet, 100), "another list");
        assert!(!last.answers(7, &[(fleet[0].0, fleet[0].1, TargetState::Down)], 100), "a firm went down");
        let quick = Last { took_us: 1_000, ..last };
        assert!(!quick.answers(7, &fleet, 100), "what is quick is counted anew");
    }
}
