//! The kinds of upkeep: what each is for, how often it is done, and what it means when it is paused.
//!
//! One table, for the round that does them ([`crate::upkeep`]), for what is kept of them ([`crate::schedule`]), and for
//! people. A kind that has no line here is not done.

use model::Class;

use crate::Settings;

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;
/// What is done in each round is loud after this long: longer than any firm's bad hour, and four times as long as what a crash
/// may forget of when it ended ([`crate::schedule`]).
const ROUND_QUIET_S: u64 = DAY_S;

/// A kind of upkeep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobKind {
    /// Looks at targets.
    Probe,
    /// Takes back what came back.
    Returned,
    /// Ends uploads.
    Uploads,
    /// Makes again what is missing.
    Repair,
    /// Packs small files.
    Pack,
    /// Writes snapshots.
    Snapshot,
    /// Counts copied objects.
    Count,
    /// Signs the ledger.
    Checkpoint,
    /// Lets the journal go.
    Release,
    /// Destroys keys.
    Keys,
    /// Deletes what was let go.
    Released,
    /// Moves away from targets.
    Evacuate,
    /// Reads names.
    Listing,
    /// Reads a few blocks of everything.
    Sample,
    /// Reads everything.
    Scrub,
    /// Writes packs anew.
    Repack,
    /// Fills targets that joined.
    Fill,
    /// Deletes what is dead.
    Reclaim,
    /// Forgets targets.
    Retire,
    /// Keeps the books.
    Books,
    /// Reads without a firm.
    Drill,
}

/// What is said of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name, in commands and addresses.
    pub name: &'static str,
    /// What it does, in one line for people.
    pub what: &'static str,
    /// In how much time it is meant to have been through; 0: it is done in each round, or only when somebody asks.
    pub every_s: u64,
    /// So long after it last ended well people are told that it did not; [`u64::MAX`]: never.
    pub quiet_s: u64,
    /// What it means that it is paused; `None`: it cannot be.
    pub paused: Option<&'static str>,
}

/// Name, what it does, and what a pause means (empty: it cannot be paused), in the order of a round.
const KINDS: [(JobKind, &str, &str, &str); 21] = [
    (JobKind::Probe, "probe", "looks at every target: is it there, is it ours, is it as it was left", ""),
    (JobKind::Returned, "return", "compares what targets hold that came back, before it counts again", ""),
    (
        JobKind::Uploads,
        "uploads",
        "ends uploads that nobody went on with in their time",
        "unfinished uploads stay, and take room",
    ),
    (
        JobKind::Repair,
        "repair",
        "makes again what is missing or damaged, least margin first",
        "nothing is made again until it is resumed: with each firm that fails meanwhile the margin falls. New files \
                 are still written safely, and what is acknowledged can be read as long as enough is left",
    ),
    (
        JobKind::Pack,
        "pack",
        "moves small files from the journal into packs",
        "small files stay in the journal, which takes more room; they are safe there",
    ),
    (
        JobKind::Snapshot,
        "snapshot",
        "states where the journal led, so that a rebuild need not read all of it",
        "the journal grows, and a rebuild takes longer",
    ),
    (
        JobKind::Count,
        "count",
        "counts copied objects, for monitors",
        "the numbers of `/metrics` on copied objects grow old",
    ),
    (
        JobKind::Checkpoint,
        "checkpoint",
        "signs the ledger and gives every firm a copy",
        "what is noted in the ledger meanwhile is not signed at the firms",
    ),
    (
        JobKind::Release,
        "release",
        "lets journal objects go that packs and snapshots cover",
        "the journal grows; nothing is lost",
    ),
    (
        JobKind::Keys,
        "keys",
        "destroys the keys of accounts that were deleted, after their grace",
        "keys of deleted accounts stay until it is resumed: the promise to erase them in time is not kept",
    ),
    (
        JobKind::Released,
        "released",
        "deletes copied objects that were let go, after their grace",
        "journal objects and snapshots that nothing needs keep their room; nothing is lost",
    ),
    (
        JobKind::Evacuate,
        "evacuate",
        "moves everything away from targets that are to be left, and certifies it",
        "nothing moves away, whatever the date of the order",
    ),
    (
        JobKind::Sample,
        "sample",
        "reads a few blocks of each shard, drawn by chance",
        "a disk that goes bad is found only when files are read, or in a full read",
    ),
    (
        JobKind::Scrub,
        "scrub",
        "reads everything in full and checks it, suspects first",
        "damage is found only where somebody reads, and proofs grow old; suspects do not count again",
    ),
    (
        JobKind::Repack,
        "repack",
        "writes packs anew that are mostly dead",
        "dead bytes in living packs keep their room; nothing is lost",
    ),
    (
        JobKind::Fill,
        "fill",
        "brings old packs onto firms that joined",
        "firms that joined get new packs alone; nothing is lost",
    ),
    (
        JobKind::Reclaim,
        "reclaim",
        "deletes what a record says is dead, after its grace and within the budget",
        "nothing is deleted, and its room does not come back; that harms nothing",
    ),
    (
        JobKind::Listing,
        "listing",
        "reads the names at every target: what is missing or too short is bad, what nobody knows is reported",
        "what a firm lost is found only when it is read, and strays are not reported",
    ),
    (
        JobKind::Retire,
        "retire",
        "takes retired targets off the records, and forgets them",
        "targets that were ordered to be retired stay",
    ),
    (JobKind::Books, "books", "keeps what firms were asked for, the trend, and how upkeep stands", ""),
    (
        JobKind::Drill,
        "drill",
        "reads a sample without one firm, each time another, if the settings ask for it",
        "no drill begins by itself, and the proof that every firm may go grows old",
    ),
];

impl JobKind {
    /// All of them, in the order of a round.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|line| line.0)
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name() == name)
    }

    /// Its name, in commands and addresses.
    pub fn name(self) -> &'static str {
        self.said().0
    }

    /// What it is called among the jobs that say how far they are.
    pub(crate) fn progress(self) -> &'static str {
        match self {
            Self::Evacuate => crate::evacuate::JOB,
            Self::Fill => crate::fill::JOB,
            kind => kind.name(),
        }
    }

    /// What is to be known of it with these settings.
    pub fn about(self, settings: &Settings) -> About {
        let (name, what, paused) = self.said();
        let (every_s, quiet_s) = self.times(settings);
        About { name, what, every_s, quiet_s, paused: Some(paused).filter(|said| !said.is_empty()) }
    }

    /// In how much time it is meant to have been through, and after how much silence it is loud.
    fn times(self, settings: &Settings) -> (u64, u64) {
        match self {
            // These end well whenever nothing is due. A quarter more is time enough to read in full what fell due together.
            Self::Listing => (settings.listing_every_s, ROUND_QUIET_S),
            Self::Scrub => (settings.scrub_every_s, (settings.scrub_every_s / 4).max(ROUND_QUIET_S)),
            // This ends with each pass.
            Self::Sample => (settings.sample_every_s, settings.sample_every_s / 2 * 3),
            Self::Drill => settings.drill_every_s.map_or((0, u64::MAX), |every_s| (every_s, every_s / 2 * 3)),
            _ => (0, ROUND_QUIET_S),
        }
    }

    fn said(self) -> (&'static str, &'static str, &'static str) {
        let line = KINDS.iter().find(|line| line.0 == self);
        line.map_or(("", "", ""), |(_, name, what, paused)| (name, what, paused))
    }
}

/// Why a kind of upkeep was not paused or resumed. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// No such kind.
    #[error("there is no kind of upkeep called '{name}'; `holdfast job ls` lists them")]
    NoJob {
        /// What was asked for.
        name: String,
    },
    /// It cannot be paused.
    #[error(
        "'{name}' cannot be paused: without it nobody knows what the firms still hold, or what was done; nothing was changed"
    )]
    Needed {
        /// Its name.
        name: &'static str,
    },
}

impl JobError {
    /// How a reader acts on it.
    pub fn class(&self) -> Class {
        match self {
            Self::NoJob { .. } => Class::Missing,
            Self::Needed { .. } => Class::Refused,
        }
    }

    /// A stable name for programs; never reworded.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoJob { .. } => "no_job",
            Self::Needed { .. } => "job_needed",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::JobKind;
    use crate::Settings;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_all_is_said_of_it() {
        let settings = Settings::default();
        let names: BTreeSet<_> = JobKind::all().map(JobKind::name).collect();
        assert_eq!(names.len(), JobKind::all().count());
        for kind in JobKind::all() {
            let about = kind.about(&settings);
            assert_eq!(JobKind::named(about.name), Some(kind));
            assert!(!about.what.is_empty() && about.quiet_s > 0, "{about:?}");
            let needed = matches!(kind, JobKind::Probe | JobKind::Returned | JobKind::Books);
            assert_eq!(about.paused.is_none(), needed, "{about:?}");
        }
        assert_eq!(JobKind::named("dance"), None);
    }
}
