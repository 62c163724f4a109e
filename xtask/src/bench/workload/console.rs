//! The operator's first look at a large fleet. Its rows are generated beside the store, in `crates/store/benches/console.rs`: no
//! service could be given a million packs by uploads in the time that there is. What JSON and HTTP add is not in it.

use anyhow::{Context, Result, ensure};

use crate::bench::{Bench, report::Report};

/// The promise of the console's first view.
const FIRST_VIEW_MS: f64 = 50.0;

/// Runs the story.
///
/// # Errors
/// When the store's bench does not run, or says something else than it should.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let mut cargo = bench.workspace.cargo();
    let ran =
        cargo.args(["bench", "-p", "holdfast-store", "--bench", "console"]).output().context("cannot run cargo")?;
    ensure!(ran.status.success(), "the bench of the store failed: {}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let p99 = said.split("p99 ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|ms| ms.parse().ok());
    report.at_most("the fleet report: p99 ms", p99.with_context(|| format!("no p99 in: {said}"))?, FIRST_VIEW_MS);
    said.lines().for_each(|line| report.note(line));
    Ok(())
}
