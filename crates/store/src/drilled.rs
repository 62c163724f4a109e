//! What drills found, over restarts; and drills on a schedule.
//!
//! The last drill of each provider is kept in the catalogue, in the commit that notes it in the ledger; with it when one passed
//! last, for the users' line. It counts for the firms that it was held without: one that is tied to another since, by a label or
//! a constraint, is not proven any more until a drill was held without both.
//!
//! If the operator wants it, a drill with a sample begins by itself once in so long, at the provider whose last one is oldest. It
//! runs beside the rounds: reading a sample takes longer than looks at targets may wait. One that finds holes did not end well;
//! another provider is tried a day later.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use catalogue::upkeep::{self, DrillRow};
use model::{fleet::TargetState, id::ProviderId, units::ServiceTime};
use plan::{
    drills::{next_drill, proven_since},
    scrub::rung_is_due,
};

use crate::{DrillReport, Inner, Store, error::Result, fleet_state::Live, kinds::JobKind, locked, schedule::Ended};

/// After a drill that did not end well the next one waits for so long, in seconds.
const AGAIN_S: u64 = 24 * 3_600;

/// The last drill of each provider.
#[derive(Default)]
pub(crate) struct Drills {
    /// Held by the one that runs.
    pub running: tokio::sync::Mutex<()>,
    last: Mutex<BTreeMap<ProviderId, DrillRow>>,
    /// When one began by itself since the start.
    began: Mutex<Option<ServiceTime>>,
}

impl Drills {
    /// What is kept of a drill that ended now.
    pub fn row(&self, provider: ProviderId, report: &DrillReport) -> DrillRow {
        let line = |text: &String| text.replace(['\n', '\r'], " ");
        let before = locked(&self.last).get(&provider).and_then(|row| row.passed.clone());
        DrillRow {
            provider,
            at_us: report.at_us,
            without: report.without.clone(),
            complete: report.complete,
            packs: (report.packs, report.packs_unreadable),
            records: (report.records, report.records_unreadable),
            files_unreadable: report.files_unreadable,
            bytes: report.bytes,
            holes: report.holes.iter().map(line).collect(),
            away: report.away.iter().map(line).collect(),
            passed: if report.passed() { Some((report.at_us, report.without.clone())) } else { before },
        }
    }

    pub fn keep(&self, row: DrillRow) {
        locked(&self.last).insert(row.provider, row);
    }
}

/// The providers that count as one with this one, itself among them, as far as they have targets that may hold something.
pub(crate) fn group_of(
    provider: ProviderId,
    domains: &BTreeMap<ProviderId, ProviderId>,
    targets: &[Live],
) -> BTreeSet<ProviderId> {
    let is_kept = |live: &&Live| !matches!(live.state, TargetState::Lost | TargetState::Retired);
    let of = |id: &ProviderId| *domains.get(id).unwrap_or(id);
    let kept = targets.iter().filter(is_kept).map(|live| live.row.provider);
    kept.filter(|id| of(id) == of(&provider)).collect()
}

fn report(row: &DrillRow, group: &BTreeSet<ProviderId>) -> DrillReport {
    DrillReport {
        at_us: row.at_us,
        complete: row.complete,
        without: row.without.clone(),
        still_holds: group.is_subset(&row.without),
        packs: row.packs.0,
        packs_unreadable: row.packs.1,
        records: row.records.0,
        records_unreadable: row.records.1,
        files_unreadable: row.files_unreadable,
        bytes: row.bytes,
        holes: row.holes.clone(),
        away: row.away.clone(),
    }
}

impl Inner {
    /// Takes up what the drills before this start found.
    pub(crate) async fn load_drills(&self) -> Result<()> {
        let rows = self.catalogue.read(|tx| upkeep::drills(tx)).await?;
        rows.into_iter().for_each(|row| self.upkeep.drills.keep(row));
        Ok(())
    }

    /// The last drill of each provider.
    pub(crate) fn last_drills(&self) -> BTreeMap<ProviderId, DrillReport> {
        let (targets, domains) = (self.fleet.all(), self.fleet.domains());
        let of = |id: &ProviderId, row| (*id, report(row, &group_of(*id, &domains, &targets)));
        locked(&self.upkeep.drills.last).iter().map(|(id, row)| of(id, row)).collect()
    }

    /// For each provider with a target that may hold something, when the last drill was that was held without all that count as one
    /// with it today: its own, or that of one of those. `of` says when a drill was and where nothing was read in it.
    fn of_drilled(
        &self,
        of: impl Fn(&DrillRow) -> Option<(i64, &BTreeSet<ProviderId>)>,
    ) -> Vec<(ProviderId, Option<i64>)> {
        let (targets, domains) = (self.fleet.all(), self.fleet.domains());
        let last = locked(&self.upkeep.drills.last);
        let groups = domains.keys().map(|id| (*id, group_of(*id, &domains, &targets)));
        let when = |group: &BTreeSet<_>| {
            let held = last.values().filter_map(&of).filter(|(_, without)| group.is_subset(without));
            held.map(|(us, _)| us).max()
        };
        groups.filter(|(id, group)| group.contains(id)).map(|(id, group)| (id, when(&group))).collect()
    }

    /// Begins a drill if one is wanted and due, and does not wait for it.
    pub(crate) fn drill_if_due(self: &Arc<Self>) {
        let (now, schedule) = (self.service_time(), &self.upkeep.schedule);
        let Some(every_s) = self.settings.drill_every_s else { return };
        let began = *locked(&self.upkeep.drills.began);
        let rested = began.is_none_or(|began| rung_is_due(began, now, AGAIN_S.min(every_s)));
        if !rested || !rung_is_due(schedule.since(JobKind::Drill, now), now, every_s) {
            return;
        }
        let Some(provider) = next_drill(self.of_drilled(|row| Some((row.at_us, &row.without)))) else { return };
        if !schedule.begin(JobKind::Drill, now, self.now_us()) {
            return;
        }
        *locked(&self.upkeep.drills.began) = Some(now);
        let store = Store(self.clone());
        self.world.timer.spawn(Box::pin(async move {
            let ended = match store.drill(provider, Some(store.0.settings.drill_sample)).await {
                Ok(report) if report.passed() => Ended::Well,
                Ok(report) => Ended::Failed(format!(
                    "without {}: {} packs and {} records cannot be read",
                    store.0.provider_name(provider),
                    report.packs_unreadable,
                    report.records_unreadable
                )),
                Err(error) => Ended::Failed(error.to_string()),
            };
            store.0.upkeep.schedule.end(JobKind::Drill, ended, store.now().wall_us, store.service_time());
        }));
    }

    /// What a provider is called; nothing if there is none.
    pub(crate) fn provider_name(&self, provider: ProviderId) -> String {
        self.fleet.providers().into_iter().find(|row| row.id == provider).map_or_else(String::new, |row| row.name)
    }
}

impl Store {
    /// Since when a drill without each of the providers, and without all that count as one with it, has passed, with nothing
    /// unreadable: the oldest of the last that did, in microseconds since 1970. `None` if one never did.
    pub fn proven_since(&self) -> Option<i64> {
        let passed = self.0.of_drilled(|row| row.passed.as_ref().map(|(us, without)| (*us, without)));
        proven_since(passed.into_iter().map(|(_, passed_us)| passed_us))
    }
}
