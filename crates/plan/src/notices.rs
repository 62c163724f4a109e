//! What people have to be told of before it is too late: leases that end, bills that fall due, targets that fail, kits that
//! would not bring the service back, upkeep that is silent. And how often they are told.
//!
//! A notice has a *cause*, and there is one open notice for each: it is raised when the cause turns up, told again at growing
//! intervals until a person takes note, and closed when the cause is gone. **Nothing is ever done to bytes because of a
//! notice, or because nobody answered it.**

use std::collections::BTreeMap;

use model::{
    fleet::TargetState,
    id::{LeaseId, ProviderId, TargetId},
    leases::{LeaseRow, LeaseState},
};

use crate::budget::UsedUp;

const DAY_US: i64 = 86_400_000_000;
const HOUR_US: i64 = 3_600_000_000;
/// So long before a lease has to be renewed or given up people are told, beside the days that the contract gives.
const LEASE_AHEAD_DAYS: i64 = 30;
/// So long before a payment falls due.
const PAYMENT_AHEAD_DAYS: i64 = 14;
/// A target that is away for less is the business of upkeep alone.
const DOWN_S: u64 = 6 * 3_600;
/// Nothing is said of silent upkeep before this process has been at it for so long: the first rounds have an hour.
const UP_S: u64 = 3_600;
/// Targets that a notice spells out.
const NAMED: usize = 5;
/// Waits between two tellings, in hours; the last one goes on.
const WAITS_H: [i64; 5] = [1, 6, 24, 48, 72];

/// A target as it is seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its id.
    pub id: TargetId,
    /// Whose it is.
    pub provider: ProviderId,
    /// Where it is.
    pub address: String,
    /// How it looks.
    pub state: TargetState,
    /// For how long it looks so.
    pub since_s: u64,
    /// Whether it answers without its marker.
    pub is_unmarked: bool,
}

/// What kits there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kits {
    /// Whether providers share one disk: then nobody has to keep a kit in a safe.
    pub trial: bool,
    /// Whether an operator's kit was made.
    pub operator_made: bool,
    /// Whether it holds every target and login of today.
    pub operator_current: bool,
    /// Accounts' kits that nobody has tested.
    pub untested: u64,
}

/// A kind of upkeep as it is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSeen {
    /// Its name.
    pub kind: &'static str,
    /// Seconds of service time since it last ended well, or became known.
    pub quiet_s: u64,
    /// After so many it is to be heard of.
    pub loud_after_s: u64,
    /// Seconds since the first round of this process began.
    pub up_s: u64,
    /// Who paused it, if somebody did.
    pub paused: Option<String>,
    /// What it failed with last since the start.
    pub failed: Option<String>,
}

/// Something that people have to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Names the trouble: `lease-ends 00…`.
    pub cause: String,
    /// The firm that it concerns.
    pub provider: Option<ProviderId>,
    /// The lease that it concerns.
    pub lease: Option<LeaseId>,
    /// The targets that it concerns.
    pub targets: Vec<TargetId>,
    /// By when something is to happen.
    pub deadline_us: Option<i64>,
    /// For people.
    pub text: String,
}

/// All that is due now.
pub fn due(
    leases: &[LeaseRow],
    targets: &[Seen],
    kits: Kits,
    jobs: &[JobSeen],
    spent: &BTreeMap<ProviderId, UsedUp>,
    now_us: i64,
) -> Vec<Due> {
    let mut found: Vec<Due> = leases.iter().flat_map(|row| of_lease(row, now_us)).collect();
    found.extend(of_targets(targets));
    found.extend(of_kits(kits));
    found.extend(jobs.iter().filter_map(of_job));
    found.extend(spent.iter().map(of_budget));
    found
}

fn of_budget((provider, why): (&ProviderId, &UsedUp)) -> Due {
    Due {
        cause: format!("budget-used-up {provider}"),
        provider: Some(*provider),
        lease: None,
        targets: Vec::new(),
        deadline_us: None,
        text: format!(
            "{why}: scrub, filling and repacking leave this firm alone until the next month; repair, evacuation, uploads and \
             readers go on. `holdfast provider budget` gives it another one"
        ),
    }
}

/// Whether a kind of upkeep did not end well for longer than it may. One that is paused counts like the others: a pause that
/// was forgotten is the quietest failure.
pub fn is_silent(job: &JobSeen) -> bool {
    job.up_s >= UP_S && job.quiet_s > job.loud_after_s
}

/// Whether the cause of a notice is still there though nothing is due: a service that has just begun says nothing of silent jobs
/// for a while, and a job that was silent before it still is.
pub fn still_stands(cause: &str, jobs: &[JobSeen]) -> bool {
    let kind = cause.strip_prefix("job-silent ");
    kind.is_some_and(|kind| {
        jobs.iter().any(|job| job.kind == kind && job.up_s < UP_S && job.quiet_s > job.loud_after_s)
    })
}

fn of_job(job: &JobSeen) -> Option<Due> {
    if !is_silent(job) {
        return None;
    }
    let kind = job.kind;
    let why = match (&job.paused, &job.failed) {
        (Some(by), _) => format!("it is paused by {by}; `holdfast job resume {kind}` lets it go on"),
        (None, Some(failed)) => format!("the last time it said: {failed}"),
        (None, None) => "`holdfast job ls` and `holdfast fleet` say more".to_owned(),
    };
    Some(Due {
        cause: format!("job-silent {kind}"),
        provider: None,
        lease: None,
        targets: Vec::new(),
        deadline_us: None,
        text: format!("the job {kind} did not end well for {}: {why}", spell(job.quiet_s)),
    })
}

/// A long time in words.
fn spell(s: u64) -> String {
    match s / 3_600 {
        hours @ 0..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

fn of_lease(row: &LeaseRow, now_us: i64) -> Vec<Due> {
    if row.state == LeaseState::Ended {
        return Vec::new();
    }
    let due = |what: &str, deadline_us, text| Due {
        cause: format!("{what} {}", row.id),
        provider: Some(row.provider),
        lease: Some(row.id),
        targets: row.servers.iter().flat_map(|server| server.targets.clone()).collect(),
        deadline_us: Some(deadline_us),
        text,
    };
    let mut found = Vec::new();
    let within = |at_us: i64, days: i64| now_us >= at_us.saturating_sub(days.saturating_mul(DAY_US));
    if let Some(end) = row.ends_us {
        let days = i64::from(row.notice_days).saturating_add(LEASE_AHEAD_DAYS);
        if now_us >= end {
            let text = format!(
                "the lease {:?} is over, and nobody ended it here: the firm may take its servers back at any time. Renew it, or \
                 move away what lies there, and say so with `holdfast lease set` or `lease end`",
                row.contract
            );
            found.push(due("lease-over", end, text));
        } else if within(end, days) {
            let text = format!(
                "the lease {:?} ends soon; a party that wants otherwise says so {} days before. Renew it, or move away what \
                 lies there",
                row.contract, row.notice_days
            );
            found.push(due("lease-ends", end, text));
        }
    }
    if let Some(paid) = row.paid_until_us.filter(|paid| within(*paid, PAYMENT_AHEAD_DAYS)) {
        let text = match now_us >= paid {
            true => format!(
                "the lease {:?} is not paid for any more: a firm that is not paid takes its servers back",
                row.contract
            ),
            false => format!("the next payment for the lease {:?} falls due", row.contract),
        };
        // Another cause than before: who took note that a bill is due has not heard that it was not paid.
        found.push(due(if now_us >= paid { "payment-over" } else { "payment" }, paid, text));
    }
    found
}

/// Targets by firm: six hundred that were wiped together are one notice.
fn of_targets(targets: &[Seen]) -> Vec<Due> {
    let mut firms: BTreeMap<ProviderId, (Vec<&Seen>, Vec<&Seen>)> = BTreeMap::new();
    for seen in targets.iter().filter(|seen| seen.state == TargetState::Down) {
        let (unmarked, away) = firms.entry(seen.provider).or_default();
        match seen.is_unmarked {
            true => unmarked.push(seen),
            false if seen.since_s >= DOWN_S => away.push(seen),
            false => {}
        }
    }
    let due = |what: &str, provider: ProviderId, targets: &[&Seen], text: &str| {
        let first: Vec<_> = targets.iter().take(NAMED).map(|seen| seen.address.as_str()).collect();
        let more = if targets.len() > NAMED { format!(" and {} more", targets.len() - NAMED) } else { String::new() };
        Due {
            cause: format!("{what} {provider}"),
            provider: Some(provider),
            lease: None,
            targets: targets.iter().map(|seen| seen.id).collect(),
            deadline_us: None,
            text: format!("{}{more} {text}", first.join(", ")),
        }
    };
    let mut found = Vec::new();
    for (provider, (unmarked, away)) in firms {
        if !unmarked.is_empty() {
            let text = "without its marker: emptied, or something else stands in its place. What lies there counts as down, and \
                 nothing of it is touched. Ask the firm";
            found.push(due("marker-lost", provider, &unmarked, text));
        }
        if !away.is_empty() {
            found.push(due("target-down", provider, &away, "did not answer for six hours or longer. Ask the firm"));
        }
    }
    found
}

fn of_kits(kits: Kits) -> Vec<Due> {
    let due = |what: &str, text: &str| Due {
        cause: what.to_owned(),
        provider: None,
        lease: None,
        targets: Vec::new(),
        deadline_us: None,
        text: text.to_owned(),
    };
    let mut found = Vec::new();
    if kits.trial {
        return found;
    }
    if !kits.operator_made {
        found.push(due(
            "operator-kit-missing",
            "no operator's kit was made: without it nobody brings the service back. `holdfast kit make --operator`",
        ));
    } else if !kits.operator_current {
        found.push(due(
            "operator-kit-old",
            "the fleet changed since the operator's kit was made. `holdfast kit make --operator`",
        ));
    }
    if kits.untested > 0 {
        found.push(due(
            "kits-untested",
            "some accounts have kits that nobody has tested. `holdfast kit test` shows whether one brings files home",
        ));
    }
    found
}

/// Whether people are told (again) of a notice that nobody took note of: they were told so many times, the last time then.
pub fn is_told_again(times: u32, told_us: i64, now_us: i64) -> bool {
    let Some(last) = (times as usize).checked_sub(1) else { return true };
    let wait_h = WAITS_H[last.min(WAITS_H.len() - 1)];
    now_us >= told_us.saturating_add(wait_h * HOUR_US)
}
