//! How the kinds of upkeep stand.

use serde::Serialize;
use service::JobStanding;
use utoipa::ToSchema;

use crate::api::word::Time;

/// All kinds of upkeep, in the order in which a round does them.
#[derive(Serialize, ToSchema)]
pub struct UpkeepJobs {
    jobs: Vec<UpkeepJob>,
}

/// A kind of upkeep.
#[derive(Serialize, ToSchema)]
pub struct UpkeepJob {
    kind: &'static str,
    /// What it does, for people.
    what: &'static str,
    /// In how much time it is meant to have been through; none: it is done in each round, or whenever somebody asks.
    every_s: Option<u64>,
    /// So long after it last ended well people are told; none: never.
    loud_after_s: Option<u64>,
    running: bool,
    /// While it runs, and where that can be said.
    progress: Option<JobProgress>,
    /// When nothing that is due was left.
    ended_well: Option<Time>,
    /// What it failed with last since the service started.
    failed: Option<JobFailure>,
    paused: Option<JobPause>,
    /// What a pause means, for people; none: it cannot be paused.
    pause_means: Option<&'static str>,
}

/// How far a kind of upkeep is.
#[derive(Serialize, ToSchema)]
struct JobProgress {
    done_bytes: u64,
    total_bytes: u64,
    eta_s: Option<u64>,
}

/// What a kind of upkeep failed with.
#[derive(Serialize, ToSchema)]
struct JobFailure {
    at: Time,
    why: String,
}

/// Since when a kind of upkeep waits.
#[derive(Serialize, ToSchema)]
struct JobPause {
    since: Time,
    /// The name of an account, or the operator at the machine.
    by: String,
}

/// How all kinds of upkeep stand.
pub fn upkeep_jobs(all: Vec<JobStanding>) -> UpkeepJobs {
    UpkeepJobs { jobs: all.into_iter().map(upkeep_job).collect() }
}

/// How a kind of upkeep stands.
pub fn upkeep_job(standing: JobStanding) -> UpkeepJob {
    let about = standing.about;
    let progress = |job: service::JobReport| JobProgress {
        done_bytes: job.done_bytes,
        total_bytes: job.total_bytes,
        eta_s: job.eta_s,
    };
    UpkeepJob {
        kind: about.name,
        what: about.what,
        every_s: Some(about.every_s).filter(|every_s| *every_s > 0),
        loud_after_s: Some(about.quiet_s).filter(|quiet_s| *quiet_s < u64::MAX),
        running: standing.runs,
        progress: standing.progress.map(progress),
        ended_well: standing.ended_us.map(Time),
        failed: standing.failed.map(|(at_us, why)| JobFailure { at: Time(at_us), why }),
        paused: standing.paused.map(|(since_us, by)| JobPause { since: Time(since_us), by }),
        pause_means: about.paused,
    }
}
