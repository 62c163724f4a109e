//! What the firms were asked for, and what that costs.
//!
//! The drivers count ([`fleet::Traffic`]); here the counts become a provider's month. They are kept in memory and written to the
//! catalogue at most once a minute, and only when bytes of files or records moved, so that **an idle service writes nothing**: the
//! looks at markers of a quiet night are written with the next change, or when the service stops. A crash forgets what was not
//! written: a minute of work, or a night of looks. Requests count for the month in which they are written down.
//!
//! How much lies at a provider is added up from the records once an hour in which something moved, and taken to be the same
//! since. What a firm really keeps is a little more: headers, and what is deleted but not gone yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use catalogue::{
    Tx,
    traffic::{self, MonthRow, Stored},
};
use fleet::{Kind, Traffic};
use model::{
    fleet::TargetState,
    id::{ProviderId, TargetId},
};
use plan::{
    Budget, Cost, Month, Price, Topology, Usage, UsedUp,
    budget::{Limits, Narrow},
    cost::stored_between,
};

use crate::{Inner, Store, error::Result, locked};

/// Between two writings, and between two looks whether there is anything to write.
const WRITE_EVERY_US: u64 = 60_000_000;
/// Between two times that all records are added up.
const ADD_UP_EVERY_US: u64 = 3_600_000_000;
/// What looks at markers bring in a minute is far below this.
const MOVED_BYTES_MIN: u64 = 64 << 10;

/// What a provider was asked for in the month that runs, and what it asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Requests and bytes of this month; `None` where nobody counts.
    pub traffic: Option<Traffic>,
    /// Bytes of lanes and copies that lie there by the records.
    pub stored_bytes: u64,
    /// What it asks.
    pub price: Price,
    /// What that comes to.
    pub cost: Cost,
    /// What upkeep may ask of it.
    pub budget: Budget,
    /// Which budget of the month is used up: work that can wait leaves it alone.
    pub used_up: Option<UsedUp>,
}

impl Spending {
    /// Requests of this month by their kind's name; `None` where nobody counts.
    pub fn requests(&self) -> Option<Vec<(&'static str, u64)>> {
        self.traffic.map(|traffic| Kind::ALL.map(|kind| (kind.name(), traffic.of(kind))).to_vec())
    }
}

/// What was counted and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    /// What each target's driver said last.
    seen: BTreeMap<TargetId, Traffic>,
    unwritten: BTreeMap<ProviderId, Traffic>,
    /// All that was taken since it was looked whether there is anything to write, whoever took it.
    recent: Traffic,
    looked_us: u64,
    added_up_us: Option<u64>,
}

impl Inner {
    /// Takes what the drivers counted since this was asked last.
    pub(crate) fn take_counts(&self) {
        let targets = self.fleet.all();
        let books = &mut *locked(&self.books.0);
        for row in targets.iter().map(|live| &live.row) {
            let Some(now) = self.roster.get(row.id).and_then(|driver| driver.traffic()) else { continue };
            let more = now.since(&books.seen.insert(row.id, now).unwrap_or_default());
            books.unwritten.entry(row.provider).or_default().add(&more);
            books.recent.add(&more);
        }
    }

    /// Writes what was counted if that is due; with `at_the_end` whatever there is.
    pub(crate) async fn keep_books(self: &Arc<Self>, at_the_end: bool) -> Result<()> {
        let now_us = self.now_us();
        {
            let books = &mut *locked(&self.books.0);
            if !at_the_end && now_us.saturating_sub(books.looked_us) < WRITE_EVERY_US {
                return Ok(());
            }
            books.looked_us = now_us;
        }
        self.take_counts();
        self.look_at_budgets().await?;
        let (unwritten, adds_up) = {
            let books = &mut *locked(&self.books.0);
            let more = std::mem::take(&mut books.recent);
            let moved = more.in_bytes > 0 || more.out_bytes >= MOVED_BYTES_MIN;
            if !(moved || at_the_end) || books.unwritten.values().all(|traffic| *traffic == Traffic::default()) {
                return Ok(());
            }
            let due = books.added_up_us.is_none_or(|at_us| now_us.saturating_sub(at_us) >= ADD_UP_EVERY_US);
            (std::mem::take(&mut books.unwritten), due || at_the_end)
        };
        let (written, owners) = (unwritten.clone(), adds_up.then(|| self.owners()));
        let wall_us = self.world.clock.now().wall_us;
        let result = Store(self.clone()).commit(move |tx, _| write(tx, &written, owners.as_ref(), wall_us)).await;
        let books = &mut *locked(&self.books.0);
        match &result {
            Ok(()) if adds_up => books.added_up_us = Some(now_us),
            Ok(()) => {}
            Err(_) => unwritten.iter().for_each(|(id, traffic)| books.unwritten.entry(*id).or_default().add(traffic)),
        }
        result
    }

    /// Notes whose budget of the month is used up. Costs nothing where nobody has one.
    async fn look_at_budgets(&self) -> Result<()> {
        let spent = match self.fleet.budgets().values().any(Budget::is_monthly) {
            true => self.spending(BTreeMap::new()).await?.1,
            false => BTreeMap::new(),
        };
        let spent = spent.into_iter().filter_map(|(provider, spending)| Some((provider, spending.used_up?)));
        self.fleet.set_spent(spent.collect());
        Ok(())
    }

    /// The narrowest budget of bytes a second at the firms that are left in a topology, or at those that take what is moved.
    pub(crate) fn narrowest(&self, topology: &Topology, leaving: bool) -> Option<Narrow> {
        let budgets = self.fleet.budgets();
        let part = |live: &crate::fleet_state::Live| {
            let view = topology.target(live.row.id)?;
            let takes_part = if leaving { view.leaving && view.answers() } else { view.takes(0) };
            takes_part.then_some(live.row.provider)
        };
        let firms: BTreeSet<_> = self.fleet.all().iter().filter_map(part).collect();
        Narrow::of(firms.into_iter().map(|firm| (firm, budgets.get(&firm).and_then(|budget| budget.bytes_per_s))))
    }

    /// Bytes a second that upkeep may move in all, and at the firms of a topology, by failure domain.
    pub(crate) fn limits(&self, topology: &Topology) -> Limits {
        let (budgets, domains) = (self.fleet.budgets(), self.fleet.domains());
        let answers = |live: &crate::fleet_state::Live| topology.target(live.row.id).is_some_and(|view| view.answers());
        let firms: BTreeSet<_> =
            self.fleet.all().iter().filter(|live| answers(live)).map(|live| live.row.provider).collect();
        let limit = |firm| {
            let domain = domains.get(&firm).copied().unwrap_or(firm);
            (domain, budgets.get(&firm).and_then(|budget| budget.bytes_per_s))
        };
        Limits::new(self.settings.upkeep_bytes_per_s, firms.into_iter().map(limit))
    }

    /// The bytes at each provider, of those at each target; nothing at one whose targets were all given up.
    pub(crate) fn by_provider(&self, stored: &BTreeMap<TargetId, u64>) -> BTreeMap<ProviderId, u64> {
        let mut sums: BTreeMap<_, _> = self.fleet.providers().into_iter().map(|row| (row.id, 0)).collect();
        for (target, provider) in self.owners() {
            let bytes = stored.get(&target).copied().unwrap_or(0);
            sums.entry(provider).and_modify(|sum| *sum += bytes);
        }
        sums
    }

    /// Whose each target is, unless it was given up.
    fn owners(&self) -> BTreeMap<TargetId, ProviderId> {
        let kept = |state| !matches!(state, TargetState::Lost | TargetState::Retired);
        let all = self.fleet.all().into_iter().filter(|live| kept(live.state));
        all.map(|live| (live.row.id, live.row.provider)).collect()
    }

    /// What each provider was asked for in the month that runs, and what it costs.
    /// `lies`: the bytes at each provider.
    pub(crate) async fn spending(
        &self,
        lies: BTreeMap<ProviderId, u64>,
    ) -> Result<(Month, BTreeMap<ProviderId, Spending>)> {
        self.take_counts();
        let unwritten = locked(&self.books.0).unwritten.clone();
        let wall_us = self.world.clock.now().wall_us;
        let month = Month::of(wall_us);
        let providers = self.fleet.providers();
        let read = move |tx: &mut Tx<'_>| {
            let mut all = BTreeMap::new();
            for row in providers {
                let mut noted = traffic::of_month(tx, row.id, month.0)?;
                if let Some(before) = traffic::stored(tx, row.id)? {
                    noted.stored_kb_s += this_month(&before, month, wall_us);
                }
                let more = unwritten.get(&row.id);
                let stored_bytes = lies.get(&row.id).copied().unwrap_or(0);
                all.insert(row.id, spent(&noted, more, stored_bytes, month, &row.labels));
            }
            Ok(all)
        };
        Ok((month, self.catalogue.read(read).await?))
    }
}

fn this_month(before: &Stored, month: Month, wall_us: i64) -> u64 {
    let parts = stored_between(before.bytes, before.at_us, wall_us);
    parts.into_iter().filter(|(of, _)| *of == month).map(|(_, kb_s)| kb_s).sum()
}

fn spent(
    noted: &MonthRow,
    more: Option<&Traffic>,
    stored_bytes: u64,
    month: Month,
    labels: &[(String, String)],
) -> Spending {
    let (price, budget) = (Price::of_labels(labels), Budget::of_labels(labels));
    let mut traffic = Traffic { requests: noted.requests, in_bytes: noted.in_bytes, out_bytes: noted.out_bytes };
    let is_counted = more.is_some() || traffic != Traffic::default();
    if let Some(more) = more {
        traffic.add(more);
    }
    let usage = Usage {
        requests: traffic.total(),
        out_bytes: traffic.out_bytes,
        stored_bytes,
        stored_kb_s: noted.stored_kb_s,
        month_s: month.seconds(),
    };
    let mut cost = plan::cost(&price, &usage);
    if !is_counted {
        cost.so_far = None;
    }
    let used_up = budget.used_up(usage.requests, &cost);
    Spending { traffic: is_counted.then_some(traffic), stored_bytes, price, cost, budget, used_up }
}

/// The bytes at each provider; nothing at one whose targets were all given up.
fn add_up(tx: &Tx<'_>, owners: &BTreeMap<TargetId, ProviderId>) -> catalogue::Result<BTreeMap<ProviderId, u64>> {
    let mut sums: BTreeMap<_, _> = catalogue::fleet::providers(tx)?.into_iter().map(|row| (row.id, 0)).collect();
    for (target, bytes) in traffic::bytes_by_target(tx)? {
        if let Some(sum) = owners.get(&target).and_then(|provider| sums.get_mut(provider)) {
            *sum += bytes;
        }
    }
    Ok(sums)
}

/// Adds what was counted to the month, and with `owners` what was stored since the records were added up last.
fn write(
    tx: &mut Tx<'_>,
    counted: &BTreeMap<ProviderId, Traffic>,
    owners: Option<&BTreeMap<TargetId, ProviderId>>,
    wall_us: i64,
) -> Result<()> {
    for (provider, more) in counted {
        let Traffic { requests, in_bytes, out_bytes } = *more;
        let row = MonthRow { requests, in_bytes, out_bytes, stored_kb_s: 0 };
        traffic::add(tx, *provider, Month::of(wall_us).0, &row)?;
    }
    let Some(owners) = owners else { return Ok(()) };
    for (provider, bytes) in add_up(tx, owners)? {
        if let Some(before) = traffic::stored(tx, provider)? {
            for (month, stored_kb_s) in stored_between(before.bytes, before.at_us, wall_us) {
                traffic::add(tx, provider, month.0, &MonthRow { stored_kb_s, ..MonthRow::default() })?;
            }
        }
        traffic::set_stored(tx, provider, Stored { bytes, at_us: wall_us })?;
    }
    Ok(())
}
