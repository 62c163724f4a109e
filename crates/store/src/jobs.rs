//! Work in hand, for people: what upkeep is at, how far it is, and how long it still takes.

use std::{collections::BTreeMap, sync::Mutex};

use crate::{locked, report::JobReport};

#[derive(Clone, Copy)]
struct Job {
    started_us: u64,
    done_bytes: u64,
    total_bytes: u64,
}

impl Job {
    /// Bytes a second so far, if that can be said.
    fn rate(&self, now_us: u64) -> Option<u64> {
        let elapsed_us = now_us.saturating_sub(self.started_us);
        let says = self.done_bytes >= RATED_BYTES_MIN && elapsed_us >= RATED_S_MIN * 1_000_000;
        let rate = u128::from(self.done_bytes) * 1_000_000 / u128::from(elapsed_us.max(1));
        says.then(|| u64::try_from(rate).unwrap_or(u64::MAX))
    }
}

/// A job that moved less, or ended sooner, says nothing of how fast such jobs are.
const RATED_BYTES_MIN: u64 = 1 << 20;
const RATED_S_MIN: u64 = 2;

/// All jobs that run now, one of each kind, and how fast those were that ended.
#[derive(Default)]
pub(crate) struct Jobs {
    running: Mutex<BTreeMap<&'static str, Job>>,
    /// Bytes a second.
    rates: Mutex<BTreeMap<&'static str, u64>>,
}

impl Jobs {
    /// Says how many bytes are still ahead of a job; begins it, unless it runs.
    pub fn expect(&self, kind: &'static str, left_bytes: u64, now_us: u64) {
        let mut jobs = locked(&self.running);
        let job = jobs.entry(kind).or_insert(Job { started_us: now_us, done_bytes: 0, total_bytes: 0 });
        job.total_bytes = job.done_bytes.saturating_add(left_bytes);
    }

    /// Notes that so many bytes more are done, if such a job runs.
    pub fn did(&self, kind: &'static str, bytes: u64) {
        if let Some(job) = locked(&self.running).get_mut(kind) {
            job.done_bytes = job.done_bytes.saturating_add(bytes);
        }
    }

    /// The job is over, done or not.
    pub fn end(&self, kind: &'static str, now_us: u64) {
        let ended = locked(&self.running).remove(kind);
        if let Some(rate) = ended.and_then(|job| job.rate(now_us)) {
            locked(&self.rates).insert(kind, rate);
        }
    }

    /// Bytes a second that a job of this kind moves, or moved when one ran last; `None` if none did since the start.
    pub fn rate(&self, kind: &'static str, now_us: u64) -> Option<u64> {
        let running = locked(&self.running).get(kind).and_then(|job| job.rate(now_us));
        running.or_else(|| locked(&self.rates).get(kind).copied())
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
        locked(&self.running).iter().map(report).collect()
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
        assert_eq!(jobs.rate("repair", 11_000_000), None, "so little says nothing");
        jobs.end("repair", 11_000_000);
        assert!(jobs.report(11_000_000).is_empty());
        assert_eq!(jobs.rate("repair", 11_000_000), None);
    }

    #[test]
    fn how_fast_the_last_job_was_is_known_until_the_next() {
        let jobs = Jobs::default();
        jobs.expect("repair", 100 << 20, 0);
        jobs.did("repair", 40 << 20);
        assert_eq!(jobs.rate("repair", 10_000_000), Some(4 << 20), "while it runs");
        jobs.end("repair", 20_000_000);
        assert_eq!(jobs.rate("repair", 90_000_000), Some(2 << 20));
        jobs.expect("repair", 1, 90_000_000);
        jobs.end("repair", 91_000_000);
        assert_eq!(jobs.rate("repair", 91_000_000), Some(2 << 20), "a trifle does not change it");
        assert_eq!(jobs.rate("scrub", 91_000_000), None);
    }
}
