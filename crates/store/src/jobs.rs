//! Work in hand, for people: what upkeep is at, how far it is, and how long it still takes.

use std::{collections::BTreeMap, sync::Mutex};

use crate::{locked, report::JobReport};

#[derive(Clone, Copy)]
struct Job {
    started_us: u64,
    done_bytes: u64,
    total_bytes: u64,
}

/// All jobs that run now, one of each kind.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<BTreeMap<&'static str, Job>>);

impl Jobs {
    /// Says how many bytes are still ahead of a job; begins it, unless it runs.
    pub fn expect(&self, kind: &'static str, left_bytes: u64, now_us: u64) {
        let mut jobs = locked(&self.0);
        let job = jobs.entry(kind).or_insert(Job { started_us: now_us, done_bytes: 0, total_bytes: 0 });
        job.total_bytes = job.done_bytes.saturating_add(left_bytes);
    }

    /// Notes that so many bytes more are done, if such a job runs.
    pub fn did(&self, kind: &'static str, bytes: u64) {
        if let Some(job) = locked(&self.0).get_mut(kind) {
            job.done_bytes = job.done_bytes.saturating_add(bytes);
        }
    }

    /// The job is over, done or not.
    pub fn end(&self, kind: &'static str) {
        locked(&self.0).remove(kind);
    }

    /// What runs, by kind.
    pub fn report(&self, now_us: u64) -> Vec<JobReport> {
        let report = |(kind, job): (&&'static str, &Job)| {
            // Work that turned up on the way is done, but was not expected.
            let total_bytes = job.total_bytes.max(job.done_bytes);
            let elapsed_s = now_us.saturating_sub(job.started_us) / 1_000_000;
            JobReport {
                kind,
                done_bytes: job.done_bytes,
                total_bytes,
                note: String::new(),
                eta_s: plan::forecast::seconds_left(job.done_bytes, total_bytes, elapsed_s),
            }
        };
        locked(&self.0).iter().map(report).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Jobs;

    #[test]
    fn a_job_is_forecast_from_its_rate_and_gone_at_its_end() {
        let jobs = Jobs::default();
        jobs.did("repair", 5);
        assert!(jobs.report(0).is_empty());
        jobs.expect("repair", 1_000, 1_000_000);
        assert_eq!(jobs.report(1_000_000)[0].eta_s, None);
        jobs.did("repair", 250);
        let seen = jobs.report(11_000_000).remove(0);
        assert_eq!((seen.done_bytes, seen.total_bytes, seen.eta_s), (250, 1_000, Some(30)));
        // More turns up: what was done stays done.
        jobs.expect("repair", 1_750, 11_000_000);
        let seen = jobs.report(11_000_000).remove(0);
        assert_eq!((seen.done_bytes, seen.total_bytes, seen.eta_s), (250, 2_000, Some(70)));
        jobs.end("repair");
        assert!(jobs.report(11_000_000).is_empty());
    }
}
