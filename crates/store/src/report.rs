//! What the operator and the listing are told: how the fleet and what it holds stand.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use model::{
    Scheme,
    entry::Content,
    fleet::TargetState,
    id::{ClusterId, ObjectId, PackId, ProviderId, SegmentId, TargetId, VersionId},
    orders::Evacuation,
    world::BoxFuture,
};
use plan::{Forecast, Ladder, Topology, object_state, pack_state};

use crate::{
    Inner, Store,
    census::{Count, Without},
    error::Result,
    fleet_state::Live,
    spending::Spending,
    view::Torn,
};

/// A running piece of upkeep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReport {
    /// What it is.
    pub kind: &'static str,
    /// Bytes done.
    pub done_bytes: u64,
    /// Bytes in all, as planned.
    pub total_bytes: u64,
    /// For people.
    pub note: String,
    /// Seconds left, if that can be said.
    pub eta_s: Option<u64>,
}

/// A target as it is seen now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetReport {
    /// Its id.
    pub id: TargetId,
    /// Where it is.
    pub address: String,
    /// What is believed of it.
    pub state: TargetState,
    /// Free bytes, if it can tell.
    pub free_bytes: Option<u64>,
    /// Bytes of lanes and copies that lie there by the records.
    pub stored_bytes: u64,
    /// Why it is not up, or what is wrong with it while it is.
    pub note: String,
    /// It takes no new shards: a person ordered it, or it is being left.
    pub cordoned: bool,
    /// The order to move everything away, if one stands.
    pub evacuation: Option<EvacuationReport>,
    /// Its end was ordered: its shards leave the records.
    pub retiring: bool,
}

/// How far an evacuation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvacuationReport {
    /// The order.
    pub order: Evacuation,
    /// Whether the date is met, and what could help; `None` before the first look, and when it is over.
    pub forecast: Option<Forecast>,
    /// Whose budget is what the forecast is held by, by name, where the date is missed because of it.
    pub budget_of: Option<String>,
    /// Packs and copied objects that do not stand without its targets yet, as of the last look.
    pub packs_left: u64,
    /// Likewise.
    pub objects_left: u64,
    /// Bytes that are still read, written and read back for that.
    pub bytes_left: u64,
    /// Why it is not certified, when nothing is left to be moved.
    pub unproven: Option<String>,
}

/// A provider and its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderReport {
    /// Its id.
    pub id: ProviderId,
    /// Its name.
    pub name: String,
    /// What a person said of it: whose it is, where, how it is paid, its prices.
    pub labels: Vec<(String, String)>,
    /// Up while one of its targets is.
    pub state: TargetState,
    /// Its targets.
    pub targets: Vec<TargetReport>,
    /// What it was asked for this month, and what that costs.
    pub spending: Spending,
    /// The last drill without it.
    pub last_drill: Option<crate::DrillReport>,
    /// What its loss would do, with all that have its owner.
    pub without: Without,
}

/// Where everything stands.
#[derive(Clone, Debug)]
pub struct FleetReport {
    /// The cluster.
    pub cluster: ClusterId,
    /// The life of the catalogue.
    pub epoch: u64,
    /// The scheme that a pack written now gets; `None` when nothing can be written.
    pub scheme: Option<Scheme>,
    /// Providers share one disk.
    pub trial: bool,
    /// The calendar month that runs, for what the providers cost.
    pub month: plan::Month,
    /// Providers by name.
    pub providers: Vec<ProviderReport>,
    /// When what follows was counted, in microseconds since 1970.
    pub counted_us: i64,
    /// The fleet changed since, and it is counted again.
    pub is_stale: bool,
    /// How many providers may go, whichever they are; `None` when something lacks its k good lanes already, and when nothing is
    /// kept.
    pub margin: Option<usize>,
    /// Files that one provider's loss may end, or that are gone.
    pub files_below_safe: u64,
    /// Files that are not settled.
    pub files_below_settled: u64,
    /// Files that cannot be read now.
    pub files_unreadable: u64,
    /// Packs in all.
    pub packs: u64,
    /// `packs_by_margin[c]` have margin c; what lacks its k good lanes has none.
    pub packs_by_margin: Vec<u64>,
    /// Packs below safe.
    pub packs_below_safe: u64,
    /// Packs below settled.
    pub packs_below_settled: u64,
    /// Copied objects (journal, snapshots, envelopes) below safe.
    pub records_below_safe: u64,
    /// Copied objects below settled.
    pub records_below_settled: u64,
    /// Bytes that repair would read and write to settle everything.
    pub backlog_bytes: u64,
    /// Good copies of the envelope that has fewest.
    pub key_copies: u64,
    /// Kits that nobody has tested.
    pub kits_untested: u64,
    /// How old the operator's kit is.
    pub operator_kit: crate::KitAge,
    /// Journal objects that are not released yet.
    pub journal_objects: u64,
    /// Small files that wait to be packed.
    pub unpacked_files: u64,
    /// Upkeep that runs now.
    pub jobs: Vec<JobReport>,
    /// What upkeep could not do, for people.
    pub findings: Vec<String>,
}

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The lower of its bytes' and its records' step.
    pub ladder: Ladder,
    /// When the oldest of its lanes was last read and right, if all were.
    pub proven_us: Option<i64>,
}

impl Inner {
    /// A target as it is seen now.
    pub(crate) fn target_report(&self, live: &Live) -> TargetReport {
        let ours = live.row.state != TargetState::Retired;
        TargetReport {
            id: live.row.id,
            address: live.row.address.clone(),
            state: live.state,
            free_bytes: live.free_bytes,
            stored_bytes: self.counting.kept().and_then(|count| count.stored.get(&live.row.id).copied()).unwrap_or(0),
            note: live.note.clone(),
            cordoned: ours && (live.orders.cordoned || live.orders.leaves()),
            evacuation: live.orders.evacuation.map(|order| self.evacuation_report(order)),
            retiring: ours && live.orders.retirement.is_some(),
        }
    }

    fn evacuation_report(&self, order: Evacuation) -> EvacuationReport {
        let (said, unproven) = self.upkeep.evacuating.said(order.id);
        let said = said.filter(|_| order.evacuated.is_none());
        let ahead = said.map(|(_, ahead)| ahead).unwrap_or_default();
        let held_by = match said {
            Some((Forecast::Late { help, .. }, _)) => help.budget_of,
            _ => None,
        };
        let named = |id| self.fleet.providers().into_iter().find(|row| row.id == id).map(|row| row.name);
        EvacuationReport {
            order,
            forecast: said.map(|(forecast, _)| forecast),
            budget_of: held_by.and_then(named),
            packs_left: ahead.packs,
            objects_left: ahead.objects,
            bytes_left: ahead.bytes,
            unproven: unproven.filter(|_| order.evacuated.is_none()),
        }
    }

    /// The providers by name.
    fn provider_reports(&self, mut spending: BTreeMap<ProviderId, Spending>, count: &Count) -> Vec<ProviderReport> {
        let (targets, domains, mut drills) = (self.fleet.all(), self.fleet.domains(), self.last_drills());
        let mut reports: Vec<_> = (self.fleet.providers().into_iter())
            .map(|row| {
                let own =
                    targets.iter().filter(|live| live.row.provider == row.id).map(|live| self.target_report(live));
                let own: Vec<_> = own.collect();
                let state = own.iter().map(|target| target.state).min().unwrap_or(TargetState::Down);
                let spending = spending.remove(&row.id).unwrap_or_default();
                let domain = domains.get(&row.id).unwrap_or(&row.id);
                let without = count.without.get(domain).copied().unwrap_or_default();
                let last_drill = drills.remove(&row.id);
                let (id, name, labels) = (row.id, row.name, row.labels);
                ProviderReport { id, name, labels, state, targets: own, spending, last_drill, without }
            })
            .collect();
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        reports
    }
}

/// What the operator is told when records stay below settled because a firm has but one target.
fn lone_firms(records_below_settled: u64, firms: &[String]) -> Option<String> {
    let helps = (records_below_settled > 0 && !firms.is_empty()).then(|| firms.join(" and at "))?;
    Some(format!(
        "{records_below_settled} records (names, keys, journal) are not settled: while two firms are up each must keep two copies, \
         and a target keeps one; a second target helps at {helps} (`holdfast target add`), or a third firm"
    ))
}

impl Store {
    /// Where everything stands now.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn fleet_report(&self) -> BoxFuture<'_, Result<FleetReport>> {
        Box::pin(async move {
            let inner = &self.0;
            let (count, is_stale) = inner.counted().await?;
            let topology = inner.fleet.topology(inner.now_us());
            let (packs, records) = (&count.census.packs, &count.census.objects);
            let (kits_untested, unpacked_files) = self
                .read(|tx| Ok((catalogue::accounts::kits_untested(tx)?, catalogue::segments::journalled_total(tx)?.0)))
                .await?;
            let (month, spending) = inner.spending(inner.by_provider(&count.stored)).await?;
            let providers = inner.provider_reports(spending, &count);
            let mut findings = inner.upkeep.findings();
            findings.extend(lone_firms(records.below_settled, &inner.second_target_helps(&topology)));
            findings.extend(inner.paused_jobs());
            if let Some(error) = inner.newer_epoch() {
                findings.insert(0, error.to_string());
            }
            Ok(FleetReport {
                cluster: inner.cluster,
                epoch: inner.epoch(),
                scheme: inner.scheme_now(&topology).ok(),
                trial: inner.trial.load(Ordering::Acquire),
                month,
                providers,
                counted_us: count.counted_us,
                is_stale,
                margin: count.census.margin(),
                files_below_safe: count.files.below_safe,
                files_below_settled: count.files.below_settled,
                files_unreadable: count.files.unreadable,
                packs: packs.total,
                packs_by_margin: packs.margins.clone(),
                packs_below_safe: packs.below_safe,
                packs_below_settled: packs.below_settled,
                records_below_safe: records.below_safe,
                records_below_settled: records.below_settled,
                backlog_bytes: count.effort.read_bytes() + count.effort.write_bytes(),
                key_copies: if count.key_copies == u64::MAX { 0 } else { count.key_copies },
                kits_untested,
                operator_kit: self.operator_kit().await?,
                journal_objects: count.journal_objects,
                unpacked_files,
                jobs: inner.upkeep.jobs.report(inner.now_us()),
                findings,
            })
        })
    }

    /// The providers by name, for what-if questions.
    pub fn provider(&self, name: &str) -> Option<ProviderId> {
        self.0.fleet.providers().into_iter().find(|row| row.name == name).map(|row| row.id)
    }

    /// Where versions stand, in the order asked. A version that does not exist stands as *received*.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn standing<'a>(
        &'a self,
        account: model::id::AccountId,
        versions: &'a [VersionId],
    ) -> BoxFuture<'a, Result<Vec<Standing>>> {
        Box::pin(async move {
            let topology = self.0.fleet.topology(self.0.now_us());
            let versions = versions.to_vec();
            self.read(move |tx| {
                let mut places = Places { topology, packs: BTreeMap::new(), objects: BTreeMap::new() };
                let mut standing = Vec::with_capacity(versions.len());
                for id in versions {
                    let version = catalogue::versions::get(tx, account, id)?;
                    let mut parts = Vec::new();
                    for segment in version.iter().flat_map(|version| version.segments()) {
                        parts.push(match version.as_ref().map(|version| &version.content) {
                            Some(Content::Inline { .. }) => (Ladder::Settled, None),
                            _ => places.stands(tx, segment.id)?,
                        });
                    }
                    let ladder = parts.iter().map(|(state, _)| *state).min().unwrap_or(Ladder::Received);
                    let proven_us = parts.iter().map(|(_, proven_us)| *proven_us).min().flatten();
                    standing.push(Standing { ladder, proven_us: proven_us.filter(|_| ladder == Ladder::Verified) });
                }
                Ok(standing)
            })
            .await
        })
    }
}

/// Packs and journal objects that were looked at, for one listing.
struct Places {
    topology: Topology,
    packs: BTreeMap<PackId, Option<InPack>>,
    objects: BTreeMap<ObjectId, Ladder>,
}

struct InPack {
    state: Ladder,
    /// When the oldest of its lanes was last read and right, if all were.
    proven_us: Option<i64>,
    torn: Option<Torn>,
}

impl Places {
    /// Where a segment stands, and when that was last proved.
    fn stands(&mut self, tx: &mut catalogue::Tx<'_>, segment: SegmentId) -> catalogue::Result<(Ladder, Option<i64>)> {
        let Some(pack) = catalogue::segments::pack_of(tx, segment)? else {
            return Ok((self.in_journal(tx, segment)?, None));
        };
        if !self.packs.contains_key(&pack) {
            let found = catalogue::packs::view(tx, pack)?.map(|view| InPack {
                state: pack_state(&crate::view::of_pack(&view), &self.topology),
                proven_us: view.makes.iter().map(|make| make.finding.verified_us).min().flatten(),
                torn: Torn::of(&view, &self.topology),
            });
            self.packs.insert(pack, found);
        }
        let Some(Some(known)) = self.packs.get(&pack) else { return Ok((Ladder::Unreadable, None)) };
        let Some(torn) = &known.torn else { return Ok((known.state, known.proven_us)) };
        let placed = catalogue::segments::location(tx, segment)?;
        Ok((placed.map_or(known.state, |placed| torn.state_of(&placed.location)), None))
    }

    fn in_journal(&mut self, tx: &mut catalogue::Tx<'_>, segment: SegmentId) -> catalogue::Result<Ladder> {
        let Some(row) = catalogue::segments::journalled(tx, segment)? else { return Ok(Ladder::Unreadable) };
        if let Some(state) = self.objects.get(&row.object) {
            return Ok(*state);
        }
        let view = catalogue::objects::view(tx, row.object)?;
        let state =
            view.map_or(Ladder::Unreadable, |view| object_state(&crate::view::of_object(&view), &self.topology));
        self.objects.insert(row.object, state);
        Ok(state)
    }
}
