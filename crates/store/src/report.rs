//! What the operator and the listing are told: where files stand, and what would be if a provider were gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use catalogue::objects::ObjectKind;
use model::{
    Scheme,
    entry::Content,
    fleet::TargetState,
    id::{ClusterId, ObjectId, PackId, ProviderId, SegmentId, TargetId, VersionId},
    orders::Evacuation,
    world::BoxFuture,
};
use plan::{Forecast, Ladder, Topology, object_state, pack_state};

use crate::{Inner, Store, error::Result, fleet_state::Live, spending::Spending, view::Torn};
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
    /// Up while one of its targets is.
    pub state: TargetState,
    /// Its targets.
    pub targets: Vec<TargetReport>,
    /// What it was asked for this month, and what that costs.
    pub spending: Spending,
    /// The last drill without it since the start.
    pub last_drill: Option<crate::DrillReport>,
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
    /// Files that one provider's loss may end, or that are gone.
    pub files_below_safe: u64,
    /// Files that are not settled.
    pub files_below_settled: u64,
    /// Files that cannot be read now.
    pub files_unreadable: u64,
    /// Packs below safe.
    pub packs_below_safe: u64,
    /// Packs below settled.
    pub packs_below_settled: u64,
    /// Copied objects (journal, snapshots, envelopes) below safe.
    pub records_below_safe: u64,
    /// Copied objects below settled.
    pub records_below_settled: u64,
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

/// What would be if providers were gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhatIfReport {
    /// Files that could not be read.
    pub files_unreadable: u64,
    /// Files that another loss could end.
    pub files_below_safe: u64,
    /// Files that were not settled.
    pub files_below_settled: u64,
    /// Packs and copied objects by margin: `packs_by_margin[c]` have margin c.
    pub packs_by_margin: Vec<u64>,
    /// Packs that could not be read.
    pub packs_unreadable: u64,
    /// Copied objects that could not be read.
    pub records_unreadable: u64,
    /// Names of the providers at which a second target would let copied objects be settled even so.
    pub second_target_helps: Vec<String>,
}

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The lower of its bytes' and its records' step.
    pub ladder: Ladder,
    /// When the oldest of its lanes was last read and right, if all were.
    pub proven_us: Option<i64>,
}

/// All packs and objects that do not stand as they should, and a census.
struct Survey {
    packs: BTreeMap<PackId, (Ladder, Option<Torn>)>,
    objects: BTreeMap<ObjectId, Ladder>,
    census: plan::Census,
    key_copies: u64,
    journal_objects: u64,
}

impl Inner {
    async fn survey(&self, topology: &Topology) -> Result<Survey> {
        let mut survey = Survey {
            packs: BTreeMap::new(),
            objects: BTreeMap::new(),
            census: plan::Census::default(),
            key_copies: u64::MAX,
            journal_objects: 0,
        };
        let mut after = PackId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::packs::pack_views(tx, after, 500)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for pack in &page {
                let view = crate::view::of_pack(pack);
                survey.census.add_pack(&view, topology);
                let state = pack_state(&view, topology);
                if state < Ladder::Settled {
                    survey.packs.insert(pack.id, (state, Torn::of(pack, topology)));
                }
            }
        }
        let spare = self.spare_journal().await?;
        let mut after = ObjectId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::objects::views(tx, after, 500)).await?;
            let Some(last) = page.last() else { break };
            after = last.object.id;
            for found in page.iter().filter(|found| found.object.released.is_none()) {
                if spare.contains(&found.object.id) {
                    survey.journal_objects += 1;
                    continue;
                }
                let view = crate::view::of_object(found);
                survey.census.add_object(&view, topology);
                let state = object_state(&view, topology);
                if state < Ladder::Settled {
                    survey.objects.insert(view.id, state);
                }
                match found.object.kind {
                    ObjectKind::Envelope => {
                        let good = plan::Spread::of_object(&view, topology).distinct() as u64;
                        survey.key_copies = survey.key_copies.min(good);
                    }
                    ObjectKind::Journal => survey.journal_objects += 1,
                    _ => {}
                }
            }
        }
        Ok(survey)
    }

    /// A target as it is seen now.
    pub(crate) fn target_report(&self, live: &Live) -> TargetReport {
        let ours = live.row.state != TargetState::Retired;
        TargetReport {
            id: live.row.id,
            address: live.row.address.clone(),
            state: live.state,
            free_bytes: live.free_bytes,
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
        EvacuationReport {
            order,
            forecast: said.map(|(forecast, _)| forecast),
            packs_left: ahead.packs,
            objects_left: ahead.objects,
            bytes_left: ahead.bytes,
            unproven: unproven.filter(|_| order.evacuated.is_none()),
        }
    }

    /// The providers by name.
    fn provider_reports(&self, mut spending: BTreeMap<ProviderId, Spending>) -> Vec<ProviderReport> {
        let targets = self.fleet.all();
        let mut drills = self.last_drills();
        let mut reports: Vec<_> = (self.fleet.providers().into_iter())
            .map(|row| {
                let own =
                    targets.iter().filter(|live| live.row.provider == row.id).map(|live| self.target_report(live));
                let own: Vec<_> = own.collect();
                let state = own.iter().map(|target| target.state).min().unwrap_or(TargetState::Down);
                let spending = spending.remove(&row.id).unwrap_or_default();
                let last_drill = drills.remove(&row.id);
                ProviderReport { id: row.id, name: row.name, state, targets: own, spending, last_drill }
            })
            .collect();
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        reports
    }

    /// The versions that use what is in these packs and journal objects, each with its lowest step.
    async fn files_of(&self, survey: &Survey) -> Result<BTreeMap<VersionId, Ladder>> {
        let (packs, objects) = (survey.packs.clone(), survey.objects.clone());
        Ok(self
            .catalogue
            .read(move |tx| {
                let mut files: BTreeMap<VersionId, Ladder> = BTreeMap::new();
                let mut lower = |tx: &mut catalogue::Tx<'_>, segment: SegmentId, state: Ladder| {
                    for user in catalogue::segments::users(tx, segment)? {
                        let known = files.entry(user.user).or_insert(state);
                        *known = (*known).min(state);
                    }
                    Ok::<_, catalogue::Error>(())
                };
                for (pack, (state, torn)) in packs {
                    for occupant in catalogue::segments::of_pack(tx, pack)? {
                        let state = torn.as_ref().map_or(state, |torn| torn.state_of(&occupant.location));
                        lower(tx, occupant.location.segment, state)?;
                    }
                }
                let mut after = None;
                loop {
                    let page = catalogue::segments::oldest_journalled(tx, after, 1_000, u64::MAX)?;
                    let Some((last, _)) = page.last() else { break };
                    after = Some((last.epoch, last.seq, last.offset));
                    for (row, _) in &page {
                        if let Some(state) = objects.get(&row.object) {
                            lower(tx, row.segment, *state)?;
                        }
                    }
                }
                Ok(files)
            })
            .await?)
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
            let topology = inner.fleet.topology(inner.now_us());
            let survey = inner.survey(&topology).await?;
            let files = inner.files_of(&survey).await?;
            let below = |step: Ladder| files.values().filter(|state| **state < step).count() as u64;
            let (kits_untested, unpacked_files) = self
                .read(|tx| Ok((catalogue::accounts::kits_untested(tx)?, catalogue::segments::journalled_total(tx)?.0)))
                .await?;
            let (month, spending) = inner.spending().await?;
            let providers = inner.provider_reports(spending);
            let mut findings = inner.upkeep.findings();
            let records = survey.census.objects.below_settled;
            findings.extend(lone_firms(records, &inner.second_target_helps(&topology)));
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
                files_below_safe: below(Ladder::Safe),
                files_below_settled: below(Ladder::Settled),
                files_unreadable: files.values().filter(|state| **state == Ladder::Unreadable).count() as u64,
                packs_below_safe: survey.census.packs.below_safe,
                packs_below_settled: survey.census.packs.below_settled,
                records_below_safe: survey.census.objects.below_safe,
                records_below_settled: survey.census.objects.below_settled,
                key_copies: if survey.key_copies == u64::MAX { 0 } else { survey.key_copies },
                kits_untested,
                operator_kit: self.operator_kit().await?,
                journal_objects: survey.journal_objects,
                unpacked_files,
                jobs: inner.upkeep.jobs.report(inner.now_us()),
                findings,
            })
        })
    }

    /// What would be if these providers, and all that have an owner in common with them, wiped everything now.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn what_if<'a>(&'a self, providers: &'a [ProviderId]) -> BoxFuture<'a, Result<WhatIfReport>> {
        Box::pin(async move {
            let inner = &self.0;
            let domains = inner.fleet.domains();
            let gone: BTreeSet<ProviderId> =
                providers.iter().map(|provider| domains.get(provider).copied().unwrap_or(*provider)).collect();
            let topology = inner.fleet.topology(inner.now_us()).without(&gone);
            let survey = inner.survey(&topology).await?;
            let files = inner.files_of(&survey).await?;
            let below = |step: Ladder| files.values().filter(|state| **state < step).count() as u64;
            Ok(WhatIfReport {
                files_unreadable: files.values().filter(|state| **state == Ladder::Unreadable).count() as u64,
                files_below_safe: below(Ladder::Safe),
                files_below_settled: below(Ladder::Settled),
                packs_by_margin: survey.census.packs.margins.clone(),
                packs_unreadable: survey.census.packs.unreadable,
                records_unreadable: survey.census.objects.unreadable,
                second_target_helps: inner.second_target_helps(&topology),
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
