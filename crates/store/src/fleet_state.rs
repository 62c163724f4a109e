//! What is believed of the providers and their targets at this moment.
//!
//! The rows are journalled; the live state is not: it is found out again by probing. Decisions read it as a
//! [`plan::Topology`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::RwLock,
};

use bytes::Bytes;
use model::{
    fleet::{ConstraintRow, ProviderRow, TargetRow, TargetState},
    id::{ProviderId, TargetId},
    orders::TargetOrders,
};
use plan::{Budget, Money, Price, TargetView, Topology, UsedUp};
use tokio::sync::mpsc;

/// A disk that fails again within this time has not failed in passing, in microseconds.
const PASSING_US: u64 = 10_000_000;

/// So long a target that dropped what it had acknowledged gets nothing new, in microseconds: an hour, so that repair goes
/// elsewhere, and a firm that mended its disk is found out to have done so by the next thing it is given.
const DROPS_US: u64 = 3_600_000_000;
const DROPS: &str = "it acknowledged what it then did not have; nothing new goes there for an hour: ask the firm, what it kept is still read";

/// A target's row and what is seen of it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub row: TargetRow,
    /// What a person ordered of it.
    pub orders: TargetOrders,
    pub state: TargetState,
    /// Monotonic time at which `state` began.
    pub since_us: u64,
    pub free_bytes: Option<u64>,
    /// Why it is not up, for people.
    pub note: String,
    /// The marker it should carry.
    pub marker: Option<Bytes>,
    /// It was away, or keeps failing: it is up again only when it has written a marker of the next generation.
    pub must_mark: bool,
    /// It was seen without its marker, or was away for long: its names are compared with the records before it counts again.
    pub unmarked: bool,
    /// Monotonic time at which something was found missing that it had just acknowledged.
    dropped_us: Option<u64>,
    /// The generation that the catalogue knows; `row` may be ahead of it.
    pub recorded: u64,
    /// Monotonic time of the last look at it.
    seen_us: u64,
    /// Monotonic time of the last failure of its disk.
    failed_us: Option<u64>,
}

impl Live {
    /// Whether it is time to look at it again: always, but for one that is up and wants to be left in peace for so long.
    pub fn is_due(&self, every_s: u64, now_us: u64) -> bool {
        self.state != TargetState::Up || plan::look::is_due(self.row.id, every_s * 1_000_000, self.seen_us, now_us)
    }

    /// Whether it lately dropped what it had acknowledged.
    fn drops(&self, now_us: u64) -> bool {
        self.dropped_us.is_some_and(|at| now_us.saturating_sub(at) < DROPS_US)
    }
}

/// All providers and targets. Shared; reads copy.
#[derive(Debug)]
pub(crate) struct FleetState {
    inner: RwLock<Inner>,
    /// Targets to be looked at again soon.
    again: mpsc::UnboundedSender<TargetId>,
}

#[derive(Debug, Default)]
struct Inner {
    providers: BTreeMap<ProviderId, ProviderRow>,
    /// What is asked for a GB that is fetched, where that is known.
    gb_out: BTreeMap<ProviderId, Money>,
    /// What upkeep may ask of those that have a budget.
    budgets: BTreeMap<ProviderId, Budget>,
    /// Those whose budget of the month is used up.
    spent: BTreeMap<ProviderId, UsedUp>,
    targets: BTreeMap<TargetId, Live>,
    /// Labels that keep providers apart, beside their owner.
    constraints: BTreeSet<String>,
}

impl Inner {
    fn domains(&self) -> BTreeMap<ProviderId, ProviderId> {
        let targets = self.targets.values().map(|live| (live.row.provider, live.row.state));
        plan::domains(self.providers.values(), targets, &self.constraints)
    }
}

impl FleetState {
    /// Knows nothing yet. Targets whose disk failed in passing are sent to `again`.
    pub fn new(again: mpsc::UnboundedSender<TargetId>) -> Self {
        Self { inner: RwLock::default(), again }
    }

    /// Takes a provider's row.
    pub fn set_provider(&self, row: ProviderRow) {
        self.write(|inner| {
            match Price::of_labels(&row.labels).gb_out {
                Some(asked) => inner.gb_out.insert(row.id, asked),
                None => inner.gb_out.remove(&row.id),
            };
            match Budget::of_labels(&row.labels) {
                none if none == Budget::default() => inner.budgets.remove(&row.id),
                budget => inner.budgets.insert(row.id, budget),
            };
            inner.providers.insert(row.id, row);
        });
    }

    /// Takes a target's row as it is recorded; what is seen of it stays.
    pub fn set_target(&self, row: TargetRow, marker: Option<Bytes>, now_us: u64) {
        self.write(|inner| match inner.targets.get_mut(&row.id) {
            Some(live) => {
                live.recorded = row.generation;
                live.row = row;
                live.marker = marker.or(live.marker.take());
            }
            None => {
                let state = match row.state {
                    TargetState::Lost | TargetState::Retired => row.state,
                    _ => TargetState::Down,
                };
                let note = "not looked at yet".to_owned();
                let live = Live {
                    recorded: row.generation,
                    orders: TargetOrders::none(row.id),
                    row,
                    state,
                    since_us: now_us,
                    free_bytes: None,
                    note,
                    marker,
                    must_mark: false,
                    unmarked: false,
                    dropped_us: None,
                    seen_us: 0,
                    failed_us: None,
                };
                inner.targets.insert(live.row.id, live);
            }
        });
    }

    /// Takes whether a label keeps providers apart.
    pub fn set_constraint(&self, row: ConstraintRow) {
        self.write(
            |inner| if row.holds { inner.constraints.insert(row.label) } else { inner.constraints.remove(&row.label) },
        );
    }

    /// The labels that keep providers apart, beside their owner.
    pub fn constraints(&self) -> BTreeSet<String> {
        self.read(|inner| inner.constraints.clone())
    }

    /// Takes what was ordered of a target.
    pub fn set_orders(&self, orders: TargetOrders) {
        self.change(orders.target, |live| live.orders = orders);
    }

    /// Notes the marker that is there now. Its generation counts from here on; to record it is left to the caller.
    pub fn carries(&self, target: TargetId, marker: Bytes, generation: u64) {
        self.change(target, |live| {
            live.marker = Some(marker);
            live.row.generation = live.row.generation.max(generation);
        });
    }

    /// It wrote the marker that it had to.
    pub fn marked(&self, target: TargetId) {
        self.change(target, |live| live.must_mark = false);
    }

    /// It may only come back with a new marker.
    pub fn must_mark(&self, target: TargetId) {
        self.change(target, |live| live.must_mark = true);
    }

    /// It carries no marker, or was away for long.
    pub fn must_compare(&self, target: TargetId) {
        self.change(target, |live| live.unmarked = true);
    }

    /// Its names were compared with the records.
    pub fn compared(&self, target: TargetId) {
        self.change(target, |live| live.unmarked = false);
    }

    /// The catalogue knows this generation.
    pub fn recorded(&self, target: TargetId, generation: u64) {
        self.change(target, |live| live.recorded = live.recorded.max(generation));
    }

    /// Notes what was just seen; the time of the last change of state is kept.
    pub fn saw(&self, target: TargetId, state: TargetState, free_bytes: Option<u64>, note: &str, now_us: u64) {
        self.change(target, |live| {
            if live.state != state {
                live.state = state;
                live.since_us = now_us;
            }
            live.seen_us = now_us;
            live.free_bytes = free_bytes;
            live.note = if note.is_empty() && live.drops(now_us) { DROPS.to_owned() } else { note.to_owned() };
        });
    }

    /// What it acknowledged was asked for at once, and is not there. It gets nothing new for a while.
    pub fn dropped(&self, target: TargetId, now_us: u64) {
        self.change(target, |live| {
            live.dropped_us = Some(now_us);
            live.note = DROPS.to_owned();
        });
    }

    /// Believes a target to be down, because an operation on it failed so. One whose disk failed is looked at again soon: a
    /// single failed sync is no reason to do without it for long.
    pub fn failed(&self, target: TargetId, error: &fleet::Error, now_us: u64) {
        let mut look_again = false;
        self.change(target, |live| match error {
            fleet::Error::Full { .. } => live.free_bytes = Some(0),
            fleet::Error::Down { .. } | fleet::Error::Timeout { .. } | fleet::Error::Io { .. }
                if live.state == TargetState::Up =>
            {
                look_again = matches!(error, fleet::Error::Io { .. });
                let lately = live.failed_us.is_some_and(|before| now_us.saturating_sub(before) < PASSING_US);
                live.must_mark |= lately || !look_again;
                live.failed_us = Some(now_us);
                live.state = TargetState::Down;
                live.since_us = now_us;
                live.free_bytes = None;
                live.note = error.to_string();
            }
            _ => {}
        });
        if look_again {
            // Nobody looks any more when the store is being closed.
            let _ = self.again.send(target);
        }
    }

    /// One target.
    pub fn live(&self, target: TargetId) -> Option<Live> {
        self.read(|inner| inner.targets.get(&target).cloned())
    }

    /// What is believed of a target now.
    pub fn state(&self, target: TargetId) -> Option<TargetState> {
        self.read(|inner| inner.targets.get(&target).map(|live| live.state))
    }

    /// What is asked for a GB that is fetched from a target, where that is known.
    pub fn gb_out(&self, target: TargetId) -> Option<Money> {
        self.read(|inner| inner.gb_out.get(&inner.targets.get(&target)?.row.provider).copied())
    }

    /// The providers that have a budget, and which.
    pub fn budgets(&self) -> BTreeMap<ProviderId, Budget> {
        self.read(|inner| inner.budgets.clone())
    }

    /// Takes the providers whose budget of the month is used up.
    pub fn set_spent(&self, spent: BTreeMap<ProviderId, UsedUp>) {
        self.write(|inner| inner.spent = spent);
    }

    /// Those whose budget of the month is used up, as of the last look.
    pub fn spent(&self) -> BTreeMap<ProviderId, UsedUp> {
        self.read(|inner| inner.spent.clone())
    }

    /// Bytes a second that upkeep may move at a provider, for each of these targets whose provider has such a limit.
    pub fn limits(&self, moved: &[(TargetId, u64)]) -> Vec<(ProviderId, u64, u64)> {
        self.read(|inner| {
            if inner.budgets.is_empty() {
                return Vec::new();
            }
            let limit = |(target, bytes): &(TargetId, u64)| {
                let provider = inner.targets.get(target)?.row.provider;
                Some((provider, inner.budgets.get(&provider)?.bytes_per_s?, *bytes))
            };
            moved.iter().filter_map(limit).collect()
        })
    }

    /// All targets, by id.
    pub fn all(&self) -> Vec<Live> {
        self.read(|inner| inner.targets.values().cloned().collect())
    }

    /// All providers, by id.
    pub fn providers(&self) -> Vec<ProviderRow> {
        self.read(|inner| inner.providers.values().cloned().collect())
    }

    /// The failure domain of each provider.
    pub fn domains(&self) -> BTreeMap<ProviderId, ProviderId> {
        self.read(Inner::domains)
    }

    /// Whether firms still count as one as they do in a topology that was taken earlier.
    pub fn is_grouped_as(&self, topology: &Topology) -> bool {
        let same = |id, domain| topology.target(id).is_none_or(|view| view.provider == domain);
        self.looks().into_iter().all(|(id, domain, _)| same(id, domain))
    }

    /// Each target, its failure domain and its state, by target: what a census is good for.
    pub fn looks(&self) -> Vec<(TargetId, ProviderId, TargetState)> {
        self.read(|inner| {
            let domains = inner.domains();
            let domain = |row: &TargetRow| domains.get(&row.provider).copied().unwrap_or(row.provider);
            inner.targets.values().map(|live| (live.row.id, domain(&live.row), live.state)).collect()
        })
    }

    /// The view that decisions are made on. Its providers are failure domains.
    pub fn topology(&self, now_us: u64) -> Topology {
        self.read(|inner| {
            let domains = inner.domains();
            Topology::new(inner.targets.values().map(|live| TargetView {
                id: live.row.id,
                provider: domains.get(&live.row.provider).copied().unwrap_or(live.row.provider),
                state: live.state,
                cordoned: live.drops(now_us) || live.orders.cordoned,
                leaving: live.orders.leaves(),
                spent: inner.spent.contains_key(&live.row.provider),
                free_bytes: live.free_bytes,
                away_s: match live.state {
                    TargetState::Up => 0,
                    _ => now_us.saturating_sub(live.since_us) / 1_000_000,
                },
            }))
        })
    }

    fn change(&self, target: TargetId, f: impl FnOnce(&mut Live)) {
        self.write(|inner| inner.targets.get_mut(&target).map(f));
    }

    fn read<T>(&self, f: impl FnOnce(&Inner) -> T) -> T {
        f(&self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn write<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.write().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use model::{
        fleet::{TargetRow, TargetState},
        id::{ProviderId, TargetId},
    };
    use tokio::sync::mpsc;

    use super::FleetState;

    #[test]
    fn a_target_that_is_up_is_left_in_peace_and_one_that_is_not_is_looked_at() {
        let fleet = FleetState::new(mpsc::unbounded_channel().0);
        let id = TargetId([1; 16]);
        let (provider, state) = (ProviderId([1; 16]), TargetState::Up);
        fleet.set_target(
            TargetRow { id, provider, address: String::new(), driver: String::new(), generation: 1, state },
            None,
            0,
        );
        let due = |every_s, now_s: u64| fleet.live(id).map(|live| live.is_due(every_s, now_s * 1_000_000));
        assert_eq!(due(60, 1), Some(true), "it was never looked at");
        fleet.saw(id, TargetState::Up, None, "", 10_000_000);
        // Its own moment comes once in each minute, and within one.
        assert_eq!((due(60, 10), due(60, 70), due(0, 10)), (Some(false), Some(true), Some(true)));
        let down = fleet::Error::Down { target: String::new(), reason: String::new() };
        fleet.failed(id, &down, 20_000_000);
        assert_eq!(due(60, 21), Some(true));
    }
}
