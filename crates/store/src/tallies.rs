//! Tallies that are kept: what was counted last of packs and copied objects, for whoever asks often.
//!
//! [`crate::report`] looks at everything when a person asks. A monitor asks every few seconds, and must cost nothing: it is told
//! what upkeep counted on its way, and how long ago. Packs are counted while repair sweeps over them, so nothing is read twice;
//! copied objects, which repair finds by an index, have a sweep of their own that rests between two passes. The census
//! ([`crate::census`]) is another thing: a walk of its own, made when a person looks and once an hour, which says what stands
//! below which step after each loss, and not how much margin is left. A monitor that had it made would cost a walk each time.

use std::sync::Mutex;

use catalogue::{objects::ObjectView, packs::PackView};
use model::{id::ProviderId, pack::MakeState};
use plan::{Margins, Spread, Tally, Topology, object_state, pack_state};

use crate::{Inner, error::Result, locked, sweep::Sweep};

/// Between two passes over the copied objects, in microseconds.
const REST_US: u64 = 60_000_000;

/// What was counted in one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many stand where.
    pub tally: Tally,
    /// What may still be lost, now and without each firm.
    pub margins: Margins,
    /// Makes and copies that count.
    pub shards: u64,
    /// Of those, never read back.
    pub never_verified: u64,
    /// Of the rest, when the one was read that was not read for longest; on the wall clock.
    pub oldest_verified_us: Option<i64>,
    /// Bytes that have to be made again until all is settled.
    pub lacking_bytes: u64,
}

impl Count {
    fn shard(&mut self, verified_us: Option<i64>) {
        self.shards += 1;
        match verified_us {
            None => self.never_verified += 1,
            Some(us) => self.oldest_verified_us = Some(self.oldest_verified_us.map_or(us, |oldest| oldest.min(us))),
        }
    }

    fn pack(&mut self, pack: &PackView, topology: &Topology, providers: &[ProviderId]) {
        let view = crate::view::of_pack(pack);
        let spread = Spread::of_pack(&view, topology);
        self.tally.count(pack_state(&view, topology), spread.margin());
        self.margins.add(&spread, providers.iter().copied());
        self.lacking_bytes += spread.lacks() * view.lane_bytes;
        let good = pack.makes.iter().filter(|make| make.finding.state == MakeState::Good);
        let counts = good.filter(|make| topology.counts_at(make.make.target).is_some());
        counts.for_each(|make| self.shard(make.finding.verified_us));
    }

    fn object(&mut self, object: &ObjectView, topology: &Topology, providers: &[ProviderId]) {
        let view = crate::view::of_object(object);
        let spread = Spread::of_object(&view, topology);
        self.tally.count(object_state(&view, topology), spread.margin());
        self.margins.add(&spread, providers.iter().copied());
        self.lacking_bytes += spread.lacks() * view.bytes;
        let good = object.copies.iter().filter(|copy| copy.finding.state == MakeState::Good);
        let counts = good.filter(|copy| topology.counts_at(copy.target).is_some());
        counts.for_each(|copy| self.shard(copy.finding.verified_us));
    }
}

/// A count with the moment at which it was whole, on the monotonic clock.
pub(crate) type Dated = (u64, Count);

/// One that is being made, if it was begun since all was forgotten, and the last one that was whole.
#[derive(Default)]
pub(crate) struct Pass(Mutex<(Option<Count>, Option<Dated>)>);

impl Pass {
    /// The last whole count.
    pub fn last(&self) -> Option<Dated> {
        locked(&self.0).1.clone()
    }

    /// Adds a page; `first` begins anew, `end` says that it was the last one.
    fn add(&self, first: bool, end: Option<u64>, add: impl FnOnce(&mut Count)) {
        let (begun, last) = &mut *locked(&self.0);
        if first {
            *begun = Some(Count::default());
        }
        let Some(count) = begun else { return };
        add(count);
        if let Some(now_us) = end {
            *last = begun.take().map(|count| (now_us, count));
        }
    }
}

/// What is not counted pack by pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rest {
    pub kits_untested: u64,
    pub unpacked_files: u64,
}

/// All that is kept.
#[derive(Default)]
pub(crate) struct Tallies {
    pub packs: Pass,
    pub objects: Pass,
    objects_sweep: Sweep<ObjectView>,
    pub rest: Mutex<Rest>,
}

impl Tallies {
    /// Takes back what was counted of firms that count otherwise now: not known is better than false comfort.
    pub fn forget(&self) {
        for pass in [&self.packs, &self.objects] {
            *locked(&pass.0) = (None, None);
        }
    }
}

fn providers(topology: &Topology) -> Vec<ProviderId> {
    let mut all: Vec<_> = topology.targets().map(|target| target.provider).collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl Inner {
    /// Counts a page of packs that somebody sweeps over anyway: `first` of a pass, or the `last` one.
    pub(crate) fn count_packs(&self, page: &[PackView], topology: &Topology, first: bool, last: bool) {
        let providers = providers(topology);
        self.upkeep.tallies.packs.add(first, last.then(|| self.now_us()), |count| {
            page.iter().for_each(|pack| count.pack(pack, topology, &providers));
        });
    }

    /// Counts the next share of the copied objects, or with `everything` all of them.
    pub(crate) async fn count_objects(&self, everything: bool) -> Result<()> {
        let tallies = &self.upkeep.tallies;
        let mut round = tallies.objects_sweep.round(everything);
        let rested = |(at_us, _): &Dated| self.now_us().saturating_sub(*at_us) >= REST_US;
        if !everything && round.is_at_start() && !tallies.objects.last().as_ref().is_none_or(rested) {
            return Ok(());
        }
        let topology = self.fleet.topology(self.now_us());
        let providers = providers(&topology);
        let spare = self.spare_journal().await?;
        let mut first = round.is_at_start();
        while let Some(page) = round.next_page(&self.catalogue).await? {
            let counted = page.iter().filter(|view| view.object.released.is_none() && !spare.contains(&view.object.id));
            tallies.objects.add(first, None, |count| {
                counted.for_each(|object| count.object(object, &topology, &providers));
            });
            first = false;
        }
        if !round.has_ended() {
            return Ok(());
        }
        tallies.objects.add(first, Some(self.now_us()), |_| {});
        let (kits_untested, unpacked_files) = self
            .catalogue
            .read(|tx| Ok((catalogue::accounts::kits_untested(tx)?, catalogue::segments::journalled_total(tx)?.0)))
            .await?;
        *locked(&tallies.rest) = Rest { kits_untested, unpacked_files };
        Ok(())
    }
}
