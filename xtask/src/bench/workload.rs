//! What is measured: one file per story, each on a data folder of its own.

mod console;
mod folder;
mod large;
mod lost;
mod memory;
mod paced;
mod photos;
mod probes;
mod rebuild;
mod repair;
mod requests;
mod resumed;
mod small;
mod zip;

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;

use super::{Bench, report::Report};

/// A story that is measured.
#[derive(Clone, Copy, ValueEnum)]
pub enum Workload {
    /// 1 GiB up and down, 64 KiB ranges, disk use, the worst pair of providers gone, rescue
    Large,
    /// 20,000 files of 16 KiB up and, after a restart, down, over 8 connections
    Small,
    /// A provider wiped while the service runs, until all is settled again
    Repair,
    /// Repair and evacuation under a bandwidth limit: how much of it they use
    Paced,
    /// The catalogue of 100,000 files from the targets alone, and their rescue
    Rebuild,
    /// Memory: 64 uploads of 64 MiB at once, and idle
    Memory,
    /// Requests of an all-S3 fleet: small files, 1 GiB, an idle hour
    Requests,
    /// Pages of a folder of 100,000 files, and a search, alone and beside 99 copies of it
    Folder,
    /// 1 GiB by PUT and by a resumable upload
    Resumed,
    /// 1,769 buckets looked at: how long a round takes, and how evenly it comes
    Probes,
    /// Small pictures of 1,000 photos of 12 megapixels
    Photos,
    /// A folder of 10 GiB as one zip
    Zip,
    /// The operator's first look at 1,769 servers and a million packs (generated rows)
    Console,
}

impl Workload {
    /// Whether it measures time or memory, for which pages have to be warm.
    pub fn wants_warm_memory(self) -> bool {
        !matches!(self, Workload::Requests | Workload::Probes | Workload::Console | Workload::Paced)
    }

    /// Runs it, and adds what it finds to the report.
    ///
    /// # Errors
    /// When a server does not do what is due.
    pub fn run(self, bench: &Bench<'_>, report: &mut Report) -> Result<()> {
        match self {
            Workload::Large => large::run(bench, report),
            Workload::Small => small::run(bench, report),
            Workload::Repair => repair::run(bench, report),
            Workload::Paced => paced::run(bench, report),
            Workload::Rebuild => rebuild::run(bench, report),
            Workload::Memory => memory::run(bench, report),
            Workload::Requests => requests::run(bench, report),
            Workload::Folder => folder::run(bench, report),
            Workload::Resumed => resumed::run(bench, report),
            Workload::Probes => probes::run(bench, report),
            Workload::Photos => photos::run(bench, report),
            Workload::Zip => zip::run(bench, report),
            Workload::Console => console::run(bench, report),
        }
    }
}

/// All workloads, in order.
pub fn all() -> Vec<Workload> {
    Workload::value_variants().to_vec()
}

impl fmt::Display for Workload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| out.write_str(value.get_name()))
    }
}
