//! Requests over several connections at once, each timed.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};

use super::{client::Client, server::Server};

/// What a run of requests took.
pub struct Load {
    /// From the first request to the last answer.
    pub wall: Duration,
    /// One per request, shortest first.
    latencies: Vec<Duration>,
}

impl Load {
    /// Sends requests 0 to `count - 1` over `connections` connections; `request` does one.
    ///
    /// # Errors
    /// The first error of any request.
    pub fn run(
        server: &Server,
        connections: usize,
        count: u64,
        request: impl Fn(&mut Client, u64) -> Result<()> + Sync,
    ) -> Result<Load> {
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(server.connect()?);
        }
        let next = AtomicU64::new(0);
        let all = Mutex::new(Vec::new());
        let work = |mut client: Client| -> Result<()> {
            let mut latencies = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    break;
                }
                let sent = Instant::now();
                request(&mut client, index)?;
                latencies.push(sent.elapsed());
            }
            all.lock().map_err(|_| anyhow!("another connection panicked"))?.append(&mut latencies);
            Ok(())
        };
        let started = Instant::now();
        thread::scope(|scope| {
            let workers: Vec<_> = clients.into_iter().map(|client| scope.spawn(|| work(client))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a connection panicked"))?)
        })?;
        let wall = started.elapsed();
        let mut latencies = all.into_inner().map_err(|_| anyhow!("a connection panicked"))?;
        latencies.sort_unstable();
        Ok(Load { wall, latencies })
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.wall.as_secs_f64()
    }

    /// The latency in milliseconds that `share` of all requests do not exceed.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        let latency = self.latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        latency.as_secs_f64() * 1e3
    }
}
