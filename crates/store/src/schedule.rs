//! How the kinds of upkeep stand: what runs, when each last ended well, what it failed with, what is paused.
//!
//! A kind *ended well* when it was done and nothing of it that is due was left. Kept of that are the two clocks and whether it
//! is paused, in the catalogue and nowhere else: a rebuild begins anew. **An idle service writes nothing**: what changed goes along
//! with another commit, once in a quarter of a day, and is written when the service stops; a pause, and a pass that took days, at
//! once. Silence is counted in service time, so that hours in which the service did not run are nobody's fault; service time is
//! saved with the same commits, so a crash makes nobody look silent who was not. `plan::notices` says when it is loud.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use catalogue::upkeep::{self, KindRow};
use model::{id::AccountId, units::ServiceTime, world::BoxFuture};

use crate::{
    Inner, Store,
    error::{Error, Result},
    kinds::{About, JobError, JobKind},
    ledger, locked,
    report::JobReport,
};

/// Between two times that what changed goes along with a commit.
const WRITE_EVERY_US: u64 = 6 * 3_600 * 1_000_000;
/// Who paused something, if it was no account.
const AT_THE_MACHINE: &str = "the operator at the machine";

/// How a kind of upkeep stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobStanding {
    /// What it is.
    pub about: About,
    /// Whether it runs now.
    pub runs: bool,
    /// How far it is, while it runs and where that can be said.
    pub progress: Option<JobReport>,
    /// When it last ended well, microseconds since 1970.
    pub ended_us: Option<i64>,
    /// When it failed last since the start, and with what.
    pub failed: Option<(i64, String)>,
    /// Since when it is paused, and by whom.
    pub paused: Option<(i64, String)>,
    /// Seconds of service time since it last ended well, or became known.
    pub quiet_s: u64,
}

/// How a kind ended, the best first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    /// Nothing that is due is left.
    Well,
    /// There is more; it goes on in the next round.
    More,
    /// Something of it could not be done.
    Failed(String),
}

#[derive(Clone, Debug, Default)]
struct Stand {
    row: KindRow,
    failed: Option<(i64, String)>,
    runs: bool,
    /// Something of it is not written yet.
    changed: bool,
}

/// How all kinds stand.
#[derive(Default)]
pub(crate) struct Schedule {
    stands: Mutex<BTreeMap<JobKind, Stand>>,
    /// When the first round of this process began, on the monotonic clock.
    born_us: OnceLock<u64>,
    written_us: Mutex<Option<u64>>,
    /// Something ended that does not end again soon.
    urgent: AtomicBool,
}

impl Schedule {
    fn with<T>(&self, kind: JobKind, now: ServiceTime, f: impl FnOnce(&mut Stand) -> T) -> T {
        let mut stands = locked(&self.stands);
        let new = || Stand {
            row: KindRow { kind: kind.name().to_owned(), known_at: now, ..KindRow::default() },
            // Since when it is known is kept over a restart: it counts until it has once ended well.
            changed: true,
            ..Stand::default()
        };
        f(stands.entry(kind).or_insert_with(new))
    }

    /// Begins a kind, unless it is paused.
    pub fn begin(&self, kind: JobKind, now: ServiceTime, now_us: u64) -> bool {
        self.born_us.get_or_init(|| now_us);
        self.with(kind, now, |stand| {
            stand.runs = stand.row.paused.is_none();
            stand.runs
        })
    }

    /// Whether a kind is paused.
    pub fn is_paused(&self, kind: JobKind) -> bool {
        locked(&self.stands).get(&kind).is_some_and(|stand| stand.row.paused.is_some())
    }

    /// When a kind last ended well, or became known.
    pub fn since(&self, kind: JobKind, now: ServiceTime) -> ServiceTime {
        self.with(kind, now, |stand| stand.row.ended.map_or(stand.row.known_at, |(_, at)| at))
    }

    /// Notes how a kind ended.
    pub fn end(&self, kind: JobKind, ended: Ended, wall_us: i64, now: ServiceTime) {
        self.with(kind, now, |stand| {
            stand.runs = false;
            match ended {
                Ended::Well => {
                    (stand.row.ended, stand.changed) = (Some((wall_us, now)), true);
                    self.urgent.fetch_or(matches!(kind, JobKind::Sample | JobKind::Drill), Ordering::Relaxed);
                }
                Ended::More => {}
                Ended::Failed(why) => stand.failed = Some((wall_us, why)),
            }
        });
    }

    /// What goes along with a commit now, if it is time.
    pub fn due(&self, now_us: u64) -> Vec<KindRow> {
        let due = |at_us: u64| now_us.saturating_sub(at_us) >= WRITE_EVERY_US;
        if locked(&self.written_us).is_none_or(due) { self.unwritten() } else { Vec::new() }
    }

    fn unwritten(&self) -> Vec<KindRow> {
        locked(&self.stands).values().filter(|stand| stand.changed).map(|stand| stand.row.clone()).collect()
    }

    /// These rows are in a commit.
    pub fn written(&self, rows: &[KindRow], now_us: u64) {
        if rows.is_empty() {
            return;
        }
        *locked(&self.written_us) = Some(now_us);
        for stand in locked(&self.stands).values_mut() {
            // What ended again meanwhile is written the next time.
            let same = |row: &KindRow| row.kind == stand.row.kind && row.ended == stand.row.ended;
            stand.changed &= !rows.iter().any(same);
        }
    }
}

/// One round on its way: the first thing that could not be done, and how what is at hand stands.
pub(crate) struct Round<'a> {
    inner: &'a Inner,
    pub first: Result<()>,
    at_hand: Option<(JobKind, Ended)>,
}

impl<'a> Round<'a> {
    pub fn new(inner: &'a Inner) -> Self {
        Self { inner, first: Ok(()), at_hand: None }
    }

    /// Ends what was at hand, and begins another kind, unless that is paused.
    pub fn begin(&mut self, kind: JobKind) -> bool {
        self.end();
        let begins = self.inner.upkeep.schedule.begin(kind, self.inner.service_time(), self.inner.now_us());
        self.at_hand = begins.then_some((kind, Ended::Well));
        begins
    }

    /// Ends what is at hand.
    pub fn end(&mut self) {
        if let Some((kind, ended)) = self.at_hand.take() {
            let (wall_us, now) = (self.inner.world.clock.now().wall_us, self.inner.service_time());
            self.inner.upkeep.schedule.end(kind, ended, wall_us, now);
        }
    }

    /// Notes how a part of what is at hand ended: the worst of them counts.
    pub fn keep(&mut self, what: &'static str, result: Result<Ended>) {
        let failed = result.as_ref().err().map(|error| format!("{what}: {error}"));
        self.inner.upkeep.finding(what, failed.clone());
        if let Some((_, worst)) = &mut self.at_hand {
            let ended = failed.map_or_else(|| result.as_ref().map_or(Ended::More, Ended::clone), Ended::Failed);
            *worst = ended.max(worst.clone());
        }
        if self.first.is_ok() {
            self.first = result.map(drop);
        }
    }
}

/// What is done as a whole or fails.
pub(crate) fn well<T>(result: Result<T>) -> Result<Ended> {
    result.map(|_| Ended::Well)
}

impl Inner {
    /// Takes up how the kinds stood when the service last ran.
    pub(crate) async fn load_schedule(&self) -> Result<()> {
        let rows = self.catalogue.read(|tx| upkeep::all(tx)).await?;
        let known = rows.into_iter().filter_map(|row| {
            let kind = JobKind::named(&row.kind)?;
            Some((kind, Stand { row, ..Stand::default() }))
        });
        *locked(&self.upkeep.schedule.stands) = known.collect();
        Ok(())
    }

    /// Writes what changed if that is urgent, or at the end.
    pub(crate) async fn keep_schedule(self: &Arc<Self>, at_the_end: bool) -> Result<()> {
        if !self.upkeep.schedule.urgent.swap(false, Ordering::Relaxed) && !at_the_end {
            return Ok(());
        }
        let rows = self.upkeep.schedule.unwritten();
        if rows.is_empty() {
            return Ok(());
        }
        let kept = rows.clone();
        let keep = move |tx: &mut catalogue::Tx<'_>, _: &mut crate::Draft| {
            kept.iter().try_for_each(|row| upkeep::set_ended(tx, row))?;
            Ok::<_, Error>(())
        };
        let kept = Store(self.clone()).commit(keep).await;
        match &kept {
            Ok(()) => self.upkeep.schedule.written(&rows, self.now_us()),
            Err(_) => self.upkeep.schedule.urgent.store(true, Ordering::Relaxed),
        }
        kept
    }

    /// What is paused, for people.
    pub(crate) fn paused_jobs(&self) -> Vec<String> {
        let stands = locked(&self.upkeep.schedule.stands);
        let paused = stands.iter().filter_map(|(kind, stand)| {
            let (since_us, by) = stand.row.paused.as_ref()?;
            let means = kind.about(&self.settings).paused.unwrap_or_default();
            let since = ledger::second(*since_us);
            Some(format!("the job {} is paused since {since} by {by}: {means} (`holdfast job resume`)", kind.name()))
        });
        paused.collect()
    }

    fn job_standing(&self, kind: JobKind) -> JobStanding {
        let now = self.service_time();
        let progress = self.upkeep.jobs.report(self.now_us()).into_iter().find(|job| job.kind == kind.progress());
        self.upkeep.schedule.with(kind, now, |stand| {
            let since = stand.row.ended.map_or(stand.row.known_at, |(_, at)| at);
            JobStanding {
                about: kind.about(&self.settings),
                runs: stand.runs || progress.is_some(),
                progress,
                ended_us: stand.row.ended.map(|(us, _)| us),
                failed: stand.failed.clone(),
                paused: stand.row.paused.clone(),
                quiet_s: now.0.saturating_sub(since.0),
            }
        })
    }
}

impl Store {
    /// How all kinds of upkeep stand, in the order of a round.
    pub fn jobs(&self) -> Vec<JobStanding> {
        JobKind::all().map(|kind| self.0.job_standing(kind)).collect()
    }

    /// What `plan::notices` has to know of them.
    pub fn jobs_seen(&self) -> Vec<plan::JobSeen> {
        let now_us = self.0.now_us();
        let born_us = self.0.upkeep.schedule.born_us.get().copied().unwrap_or(now_us);
        let seen = |standing: JobStanding| plan::JobSeen {
            kind: standing.about.name,
            quiet_s: standing.quiet_s,
            loud_after_s: standing.about.quiet_s,
            up_s: now_us.saturating_sub(born_us) / 1_000_000,
            paused: standing.paused.map(|(_, by)| by),
            failed: standing.failed.map(|(_, why)| why),
        };
        self.jobs().into_iter().map(seen).collect()
    }

    /// Pauses a kind of upkeep, or lets it go on; how it stands then. What runs now is not broken off. Who paused it first is
    /// remembered. `by`: the account that asks; `None`: somebody at the machine.
    ///
    /// # Errors
    /// [`JobError`]; [`Error::Unsafe`].
    pub fn pause_job(&self, name: &str, paused: bool, by: Option<AccountId>) -> BoxFuture<'_, Result<JobStanding>> {
        let kind = JobKind::named(name).ok_or_else(|| JobError::NoJob { name: name.to_owned() });
        Box::pin(async move {
            let kind = kind?;
            if paused && kind.about(&self.0.settings).paused.is_none() {
                return Err(JobError::Needed { name: kind.name() }.into());
            }
            let inner = &self.0;
            let row = inner.upkeep.schedule.with(kind, self.service_time(), |stand| stand.row.clone());
            if row.paused.is_some() != paused {
                let now_us = self.now().wall_us;
                let row = self.commit(move |tx, draft| note_pause(tx, draft, row, paused, by, now_us)).await?;
                inner.upkeep.schedule.with(kind, self.service_time(), |stand| stand.row.paused = row.paused);
                inner.upkeep.wake();
            }
            Ok(inner.job_standing(kind))
        })
    }
}

/// Keeps that a kind is paused, or is not any more; in the audit with who did it, and in the ledger.
fn note_pause(
    tx: &mut catalogue::Tx<'_>,
    draft: &mut crate::Draft,
    row: KindRow,
    paused: bool,
    by: Option<AccountId>,
    now_us: i64,
) -> Result<KindRow> {
    let account = match by {
        Some(id) => catalogue::accounts::all(tx)?.into_iter().find(|account| account.id == id),
        None => None,
    };
    let who = account.map_or_else(|| AT_THE_MACHINE.to_owned(), |account| account.name);
    let row = KindRow { paused: paused.then_some((now_us, who)), ..row };
    let (verb, what) = if paused { ("job paused", "job.paused") } else { ("job resumed", "job.resumed") };
    ledger::note(tx, draft, what, &[("job", row.kind.clone())], now_us)?;
    draft.audit(by, verb, row.kind.clone());
    upkeep::set_paused(tx, &row)?;
    Ok(row)
}
