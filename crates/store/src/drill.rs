//! Drill: what the forecast says would be left without a firm, proved by reading it without that firm.
//!
//! The firm is fenced off: nothing of a drill is read there, whatever is asked of it otherwise. A pack is proved when any k of
//! its lanes elsewhere are read whole, every block against the roots in its record, and each data lane that only the firm
//! holds comes out of the decoder with the root that its record has. A copied object is proved by one whole copy elsewhere.
//! What is found wrong on the way is repaired like anything that a read finds; what cannot be read is a *hole*, counted and
//! named, and files with it are counted.
//!
//! A sample is drawn by chance, so that many small drills see everything in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use catalogue::{objects::ObjectView, packs::PackView};
use format::shard::LaneHasher;
use model::{
    fleet::TargetState,
    id::{ObjectId, PackId, ProviderId, TargetId, VersionId},
    pack::MakeState,
    world::BoxFuture,
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    kinds::JobKind,
    lanes::place_of,
    locate::PackPlace,
    pacer::Work,
};

/// What a drill is called among the jobs.
const JOB: &str = "drill";
/// Bytes of a lane that are read, or made, at once.
const STEP_BYTES: u64 = 1 << 20;
/// Packs, or objects, that are read from the catalogue at once.
const PAGE: usize = 200;
/// Holes that are named; all of them are counted.
const NAMED_MAX: usize = 20;
/// Draws in a row that may bring nothing new before a sample is as large as it gets.
const VAIN_DRAWS_MAX: usize = 64;

/// What a drill found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrillReport {
    /// When it ended, microseconds since 1970.
    pub at_us: i64,
    /// Whether everything was read, or a sample.
    pub complete: bool,
    /// Where nothing was read: the provider and all that counted as one with it, as far as they had targets.
    pub without: BTreeSet<ProviderId>,
    /// Whether those are all that count as one with it by now. If not, it says nothing of what their loss would do.
    pub still_holds: bool,
    /// Packs that were asked for.
    pub packs: u64,
    /// Of those, how many cannot be read without the firm.
    pub packs_unreadable: u64,
    /// Copied objects that were asked for.
    pub records: u64,
    /// Of those, how many cannot be read without the firm.
    pub records_unreadable: u64,
    /// Versions of files that have bytes in what cannot be read.
    pub files_unreadable: u64,
    /// Bytes that were read and were right.
    pub bytes: u64,
    /// The first holes, in words.
    pub holes: Vec<String>,
    /// Providers of which no target answered when it began: what needs them is a hole as well.
    pub away: Vec<String>,
}

impl DrillReport {
    /// Whether all that was asked for could be read.
    pub fn passed(&self) -> bool {
        self.packs_unreadable == 0 && self.records_unreadable == 0
    }

    fn hole(&mut self, what: String) {
        if self.holes.len() < NAMED_MAX {
            self.holes.push(what);
        }
    }
}

/// A drill on its way.
struct Drill {
    /// Where nothing is read.
    fenced: BTreeSet<TargetId>,
    /// Journal objects that nothing needs any more; nobody keeps copies of them.
    spare: BTreeSet<ObjectId>,
    report: DrillReport,
    files: BTreeSet<VersionId>,
}

impl Store {
    /// Reads everything, or `sample` packs and as many copied objects, without one provider and all that have its owner.
    ///
    /// # Errors
    /// [`Error::Setup`] if another drill runs, a sample of nothing is asked for, or there is no such provider; the catalogue's own trouble. What cannot be read
    /// is a finding, not an error.
    pub fn drill(&self, provider: ProviderId, sample: Option<u64>) -> BoxFuture<'_, Result<DrillReport>> {
        Box::pin(async move {
            let busy =
                || Error::Setup { what: "another drill runs; wait for its end, one at a time is enough".to_owned() };
            if sample == Some(0) {
                let what = "a sample of nothing would prove nothing; ask for one or more, or for everything".to_owned();
                return Err(Error::Setup { what });
            }
            let _running = self.0.upkeep.drills.running.try_lock().map_err(|_| busy())?;
            let done = self.0.drill(provider, sample).await;
            self.0.upkeep.jobs.end(JOB, self.0.now_us());
            let report = done?;
            self.note_drill(provider, &report).await?;
            // What it found bad is made again soon.
            self.0.upkeep.wake();
            Ok(report)
        })
    }
}

impl Store {
    /// Notes in the ledger what a drill found, a proof, or a warning, that nobody can take back; and keeps it.
    async fn note_drill(&self, provider: ProviderId, report: &DrillReport) -> Result<()> {
        let name = self.0.provider_name(provider);
        let row = self.0.upkeep.drills.row(provider, report);
        let kept = row.clone();
        let (now_us, report) = (report.at_us, report.clone());
        self.commit(move |tx, draft| {
            let fields = [
                ("provider", name),
                ("complete", report.complete.to_string()),
                ("packs", report.packs.to_string()),
                ("packs-unreadable", report.packs_unreadable.to_string()),
                ("records", report.records.to_string()),
                ("records-unreadable", report.records_unreadable.to_string()),
                ("files-unreadable", report.files_unreadable.to_string()),
                ("bytes", report.bytes.to_string()),
                ("away", report.away.join(", ")),
            ];
            crate::ledger::note(tx, draft, "drill.done", &fields, now_us)?;
            Ok::<_, Error>(catalogue::upkeep::set_drill(tx, &kept)?)
        })
        .await?;
        self.0.upkeep.drills.keep(row);
        Ok(())
    }
}

impl Inner {
    async fn drill(self: &Arc<Self>, provider: ProviderId, sample: Option<u64>) -> Result<DrillReport> {
        let domains = self.fleet.domains();
        let Some(domain) = domains.get(&provider) else {
            return Err(Error::Setup { what: format!("there is no provider {provider}") });
        };
        let targets = self.fleet.all();
        let is_fenced = |target: &&crate::fleet_state::Live| domains.get(&target.row.provider) == Some(domain);
        let fenced = targets.iter().filter(is_fenced).map(|live| live.row.id).collect();
        let without = crate::drilled::group_of(provider, &domains, &targets);
        let report = DrillReport { complete: sample.is_none(), without, still_holds: true, ..DrillReport::default() };
        let mut drill = Drill { fenced, spare: self.spare_journal().await?, report, files: BTreeSet::new() };
        for row in self.fleet.providers() {
            let mut own = targets.iter().filter(|live| live.row.provider == row.id).peekable();
            if domains.get(&row.id) != Some(domain)
                && own.peek().is_some()
                && own.all(|live| live.state != TargetState::Up)
            {
                drill.report.away.push(row.name);
            }
        }
        match sample {
            None => self.drill_all(&mut drill).await?,
            Some(count) => self.drill_sample(&mut drill, count).await?,
        }
        drill.report.files_unreadable = drill.files.len() as u64;
        drill.report.at_us = self.world.clock.now().wall_us;
        Ok(drill.report)
    }

    async fn drill_all(self: &Arc<Self>, drill: &mut Drill) -> Result<()> {
        let (_, lane_bytes) = self.catalogue.read(|tx| catalogue::packs::makes_total(tx)).await?;
        self.upkeep.jobs.expect(JOB, lane_bytes, self.now_us());
        let mut after = PackId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::packs::pack_views(tx, after, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for view in &page {
                self.drill_pack(drill, view).await?;
            }
        }
        let mut after = ObjectId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::objects::views(tx, after, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.object.id;
            for view in &page {
                self.drill_object(drill, view).await?;
            }
        }
        Ok(())
    }

    async fn drill_sample(self: &Arc<Self>, drill: &mut Drill, count: u64) -> Result<()> {
        let (mut packs, mut vain) = (BTreeSet::new(), 0);
        while (packs.len() as u64) < count && vain < VAIN_DRAWS_MAX {
            // Ids are random: whoever follows one that is drawn is drawn too.
            let after = PackId::random(self.world.entropy.as_ref());
            let found = self.catalogue.read(move |tx| catalogue::packs::pack_views(tx, after, 1)).await?;
            let new: Vec<_> = found.into_iter().filter(|view| packs.insert(view.id)).collect();
            vain = if new.is_empty() { vain + 1 } else { 0 };
            for view in &new {
                self.drill_pack(drill, view).await?;
            }
        }
        let (mut objects, mut vain) = (BTreeSet::new(), 0);
        while (objects.len() as u64) < count && vain < VAIN_DRAWS_MAX {
            let after = ObjectId::random(self.world.entropy.as_ref());
            let found = self.catalogue.read(move |tx| catalogue::objects::views(tx, after, 1)).await?;
            let new: Vec<_> = found.into_iter().filter(|view| objects.insert(view.object.id)).collect();
            vain = if new.is_empty() { vain + 1 } else { 0 };
            for view in &new {
                self.drill_object(drill, view).await?;
            }
        }
        Ok(())
    }

    async fn drill_pack(self: &Arc<Self>, drill: &mut Drill, view: &PackView) -> Result<()> {
        if self.is_stopping() {
            return Err(Error::Stopping);
        }
        drill.report.packs += 1;
        let whole = place_of(view);
        let rest: Vec<_> =
            whole.makes.iter().filter(|(make, _)| !drill.fenced.contains(&make.target)).copied().collect();
        let rest = PackPlace { makes: Arc::new(rest), ..whole.clone() };
        let why = match self.prove_pack(&whole, &rest).await {
            Ok(bytes) => {
                drill.report.bytes += bytes;
                return Ok(());
            }
            Err(why) => why,
        };
        let pack = view.id;
        let current = self.catalogue.read(move |tx| catalogue::packs::view(tx, pack)).await?;
        if current.is_none_or(|current| current.revision != view.revision) {
            // It was rewritten, moved or given up meanwhile: what was read is not what counts now.
            return Ok(());
        }
        drill.report.packs_unreadable += 1;
        drill.report.hole(format!("pack {pack}: {why}"));
        let users = move |tx: &mut catalogue::Tx<'_>| {
            let mut files = Vec::new();
            for occupant in catalogue::segments::of_pack(tx, pack)? {
                files.extend(
                    catalogue::segments::users(tx, occupant.location.segment)?.into_iter().map(|user| user.user),
                );
            }
            Ok(files)
        };
        drill.files.extend(self.catalogue.read(users).await?);
        Ok(())
    }

    /// Reads a pack in what is left of it; bytes read, or why it cannot be.
    async fn prove_pack(&self, whole: &PackPlace, rest: &PackPlace) -> std::result::Result<u64, String> {
        let data = whole.makes.iter().filter(|(make, _)| make.lane < whole.k);
        let roots: BTreeMap<u8, (u64, [u8; 32])> =
            data.map(|(make, _)| (make.lane, (make.lane_bytes, make.root))).collect();
        let longest = whole.makes.iter().map(|(make, _)| make.lane_bytes).max().unwrap_or(0);
        // A data lane without any make is no longer known by a root; what k others give is taken for it.
        let absent: Vec<u8> = (0..whole.k).filter(|lane| self.good_make(rest, *lane).is_none()).collect();
        let mut hashers: Vec<LaneHasher> = absent.iter().map(|_| LaneHasher::new()).collect();
        let mut read = 0;
        let mut at = 0;
        while at < longest {
            let end = (at + STEP_BYTES).min(longest);
            let mut from: Vec<_> = (0..whole.k).filter_map(|lane| Some(self.good_make(rest, lane)?.target)).collect();
            let step = match absent.is_empty() {
                true => self.read_data_lanes(rest, &roots, at..end).await?,
                false => {
                    let want: Vec<_> = absent.iter().map(|lane| (*lane, at..end)).collect();
                    let (made, sources) = self.reconstruct_from(rest, &want).await?;
                    from = sources;
                    for ((lane, hasher), bytes) in absent.iter().zip(&mut hashers).zip(&made) {
                        let length = roots.get(lane).map_or(0, |(length, _)| *length);
                        hasher.update(&bytes[..length.saturating_sub(at).min(end - at) as usize]);
                    }
                    (end - at) * u64::from(whole.k)
                }
            };
            read += step;
            self.upkeep.jobs.did(JOB, step);
            let each = step / (from.len() as u64).max(1);
            let read: Vec<_> = from.into_iter().map(|target| (target, each)).collect();
            self.pace(Work::waits(JobKind::Drill), step, &read).await;
            at = end;
        }
        for (lane, hasher) in absent.iter().zip(hashers) {
            if let Some((_, root)) = roots.get(lane)
                && hasher.finish().root() != *root
            {
                return Err(format!("lane {lane}, made from others, is not what its record says"));
            }
        }
        Ok(read)
    }

    /// The same range of each data lane, checked; one that turns out bad is made from others, which proves it as well.
    async fn read_data_lanes(
        &self,
        rest: &PackPlace,
        roots: &BTreeMap<u8, (u64, [u8; 32])>,
        range: std::ops::Range<u64>,
    ) -> std::result::Result<u64, String> {
        let mut read = 0;
        for lane in 0..rest.k {
            let end = range.end.min(roots.get(&lane).map_or(0, |(length, _)| *length));
            let Some(make) = self.good_make(rest, lane).filter(|_| range.start < end) else { continue };
            read += end - range.start;
            if let Err(error) = self.read_lane_checked(rest.pack, &make, range.start..end).await {
                self.lane_failed(rest.pack, &make, &error);
                let others = rest.makes.iter().filter(|(other, _)| other.make != make.make).copied().collect();
                let others = PackPlace { makes: Arc::new(others), ..rest.clone() };
                self.reconstruct(&others, &[(lane, range.clone())]).await?;
            }
        }
        Ok(read)
    }

    async fn drill_object(self: &Arc<Self>, drill: &mut Drill, view: &ObjectView) -> Result<()> {
        if self.is_stopping() {
            return Err(Error::Stopping);
        }
        if view.object.released.is_some() || drill.spare.contains(&view.object.id) {
            return Ok(());
        }
        drill.report.records += 1;
        let (id, name) = (view.object.id, &view.object.name);
        for copy in view.copies.iter().filter(|copy| copy.finding.state != MakeState::Bad) {
            if drill.fenced.contains(&copy.target) {
                continue;
            }
            let Ok(bytes) = self.read_object(copy.target, name, 0..view.object.bytes).await else { continue };
            if blake3::hash(&bytes).as_bytes() == &view.object.hash {
                drill.report.bytes += bytes.len() as u64;
                self.upkeep.jobs.did(JOB, bytes.len() as u64);
                return Ok(());
            }
        }
        let current = self.catalogue.read(move |tx| catalogue::objects::view(tx, id)).await?;
        if current.is_some_and(|current| current.object.released.is_none()) {
            drill.report.records_unreadable += 1;
            drill.report.hole(format!("{name}: no whole copy is anywhere else"));
        }
        Ok(())
    }
}
