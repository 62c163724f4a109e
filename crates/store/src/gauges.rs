//! What a monitor is told: numbers that are at hand, and how old they are. Nothing here walks the catalogue.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use fleet::Calls;
use model::{
    fleet::TargetState,
    id::{ProviderId, TargetId},
};

use crate::{
    Store, locked,
    repair::JOB,
    tallies::{Count, Dated},
};

/// A target as it is seen now.
#[derive(Clone, Debug)]
pub struct TargetGauges {
    /// Its id. Its address stays out: monitors show what they are told to many.
    pub id: TargetId,
    /// What is believed of it.
    pub state: TargetState,
    /// Free bytes, if it can tell.
    pub free_bytes: Option<u64>,
    /// What it was asked for since the start.
    pub calls: Calls,
}

/// A provider and its targets.
#[derive(Clone, Debug)]
pub struct ProviderGauges {
    /// Its name.
    pub name: String,
    /// How many more providers may go once this one is gone, for what has least; below 0: something cannot be read then.
    /// `None` until it was counted.
    pub margin: Option<i64>,
    /// Its targets, but for those that were given up.
    pub targets: Vec<TargetGauges>,
}

/// What was counted, and how long ago in seconds.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The count.
    pub count: Count,
    /// Its age.
    pub age_s: u64,
}

/// All that is at hand.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// The wall clock, microseconds since 1970.
    pub now_us: i64,
    /// Providers by name.
    pub providers: Vec<ProviderGauges>,
    /// Packs; `None` until all were counted once.
    pub packs: Option<Counted>,
    /// Copied objects (names, keys, journal).
    pub records: Option<Counted>,
    /// Kits that nobody has tested.
    pub kits_untested: u64,
    /// Small files that wait to be packed.
    pub unpacked_files: u64,
    /// Bytes that repair wrote since the start.
    pub repaired_bytes: u64,
    /// How long repair takes for what has to be made again; `None` while that cannot be said.
    pub backlog_s: Option<u64>,
    /// What upkeep could not do.
    pub findings: u64,
    /// Seconds since a round of upkeep ended; `None` before the first.
    pub upkeep_age_s: Option<u64>,
    /// Clocks are to be trusted; while they disagree nothing is destroyed.
    pub clocks_agree: bool,
    /// Another life of this cluster was seen: nothing is written any more.
    pub superseded: bool,
    /// Providers share one disk.
    pub trial: bool,
}

impl Gauges {
    /// Bytes that have to be made again until all is settled.
    pub fn backlog_bytes(&self) -> u64 {
        let lacking = |counted: &Option<Counted>| counted.as_ref().map_or(0, |counted| counted.count.lacking_bytes);
        lacking(&self.packs).saturating_add(lacking(&self.records))
    }
}

impl Store {
    /// What is at hand now.
    pub fn gauges(&self) -> Gauges {
        let inner = &self.0;
        let now = inner.world.clock.now();
        let age_s = |since_us: u64| now.monotonic_us.saturating_sub(since_us) / 1_000_000;
        let counted = |dated: Option<Dated>| dated.map(|(at_us, count)| Counted { count, age_s: age_s(at_us) });
        let upkeep = &inner.upkeep;
        let (packs, records) = (counted(upkeep.tallies.packs.last()), counted(upkeep.tallies.objects.last()));
        let rest = *locked(&upkeep.tallies.rest);
        let mut gauges = Gauges {
            now_us: now.wall_us,
            providers: inner.provider_gauges(&packs, &records),
            packs,
            records,
            kits_untested: rest.kits_untested,
            unpacked_files: rest.unpacked_files,
            repaired_bytes: upkeep.repaired.bytes(),
            backlog_s: None,
            findings: upkeep.findings().len() as u64,
            upkeep_age_s: Some(upkeep.round_us()).filter(|us| *us > 0).map(age_s),
            clocks_agree: self.clocks_agree(),
            superseded: inner.newer_epoch().is_some(),
            trial: inner.trial.load(Ordering::Acquire),
        };
        gauges.backlog_s = inner.backlog_s(gauges.backlog_bytes());
        gauges
    }
}

impl crate::Inner {
    /// At the rate of all repairs so far; before the first has ended, at that of the one that runs.
    fn backlog_s(&self, bytes: u64) -> Option<u64> {
        if bytes == 0 {
            return Some(0);
        }
        let known = self.upkeep.repaired.seconds_for(bytes);
        known.or_else(|| {
            let jobs = self.upkeep.jobs.report(self.now_us());
            let job = jobs.iter().find(|job| job.kind == JOB)?;
            let left = u128::from(job.total_bytes.saturating_sub(job.done_bytes).max(1));
            u64::try_from(u128::from(job.eta_s?) * u128::from(bytes) / left).ok()
        })
    }

    fn provider_gauges(&self, packs: &Option<Counted>, records: &Option<Counted>) -> Vec<ProviderGauges> {
        let domains = self.fleet.domains();
        let margin = |provider: ProviderId| {
            let domain = domains.get(&provider).copied().unwrap_or(provider);
            let of = |counted: &Option<Counted>| counted.as_ref()?.count.margins.without(domain);
            of(packs).into_iter().chain(of(records)).min()
        };
        let mut targets: BTreeMap<ProviderId, Vec<TargetGauges>> = BTreeMap::new();
        let kept = |state| !matches!(state, TargetState::Lost | TargetState::Retired);
        for live in self.fleet.all().into_iter().filter(|live| kept(live.state)) {
            let calls = self.roster.get(live.row.id).map(|driver| driver.calls()).unwrap_or_default();
            let (id, state, free_bytes) = (live.row.id, live.state, live.free_bytes);
            targets.entry(live.row.provider).or_default().push(TargetGauges { id, state, free_bytes, calls });
        }
        let gauges = |row: model::fleet::ProviderRow| {
            let targets = targets.remove(&row.id)?;
            Some(ProviderGauges { name: row.name, margin: margin(row.id), targets })
        };
        let mut all: Vec<_> = self.fleet.providers().into_iter().filter_map(gauges).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}
