//! Measures the trial service beside the floor: `cargo xtask bench`.
//!
//! The floor is the [`sink`], the least an HTTP server can do that syncs file and folder before it answers. Both run as
//! processes of their own, on the same disk, in the same run, and are read from outside: CPU time, peak memory and bytes
//! written from `/proc`. The client is part of this process, so its cost is in no figure but the wall time.
//!
//! Compare CPU-seconds first: they hardly move with what else the machine does, wall time does. Memory is warmed before
//! anything is measured, because a virtual machine pays several times the price for the first touch of a page.

mod bucket;
mod client;
mod load;
mod meter;
mod pattern;
mod photo;
mod report;
mod server;
pub mod sink;
mod workload;

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::workspace::Workspace;
use pattern::Pattern;
use report::Report;
use workload::Workload;

/// One GiB.
pub const GIB: u64 = 1 << 30;
/// One MiB.
pub const MIB: u64 = 1 << 20;

/// Sizes are divided by this under `--quick`: enough to see that all works, too little to quote.
const QUICK: u64 = 16;

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct Options {
    /// Which workloads to run [default: all]
    workloads: Vec<Workload>,
    /// A sixteenth of every size: to see that all works, not to quote
    #[arg(long)]
    quick: bool,
}

/// What every workload is given.
pub struct Bench<'a> {
    workspace: &'a Workspace,
    /// Where data of servers lies; emptied before each workload.
    folder: PathBuf,
    /// What every size and count is divided by.
    divisor: u64,
    pattern: Pattern,
}

impl Bench<'_> {
    /// A size or count of the full bench, made smaller under `--quick`.
    pub fn scaled(&self, full: u64) -> u64 {
        full / self.divisor
    }

    /// A folder for one server, not there yet.
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Builds the programs, runs the workloads and prints the tables.
///
/// # Errors
/// When a program does not build or start, or an answer is not the one that was due.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let build =
        workspace.cargo().args(["build", "--release", "--workspace", "--bins"]).status().context("cannot run cargo")?;
    ensure!(build.success(), "the service does not build");
    let folder = workspace.target.join("bench");
    let divisor = if options.quick { QUICK } else { 1 };
    let bench = Bench { workspace, folder, divisor, pattern: Pattern::new() };
    let workloads = if options.workloads.is_empty() { workload::all() } else { options.workloads.clone() };
    let mut report = Report::new(&workloads, options.quick)?;
    for workload in workloads {
        empty(&bench.folder)?;
        if workload.wants_warm_memory() {
            eprintln!("warming memory");
            warm(&bench.folder, (8 * GIB / divisor).min(meter::available_memory()? / 2))?;
        }
        eprintln!("{workload}");
        workload.run(&bench, &mut report)?;
    }
    fs::remove_dir_all(&bench.folder)?;
    print!("{report}");
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Writes and reads so many bytes, so that the pages of this machine have been touched.
fn warm(folder: &Path, bytes: u64) -> Result<()> {
    let path = folder.join("warm");
    let mut buffer = vec![1_u8; usize::try_from(MIB)?];
    let mut file = File::create(&path)?;
    for _ in 0..bytes / MIB {
        file.write_all(&buffer)?;
    }
    file.sync_all()?;
    let mut file = File::open(&path)?;
    while file.read(&mut buffer)? > 0 {}
    fs::remove_file(&path)?;
    Ok(())
}
