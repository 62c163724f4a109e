//! The one command for all tests: `cargo xtask test`.
//!
//! Phases run in order, cheapest first, and the first that fails ends the run. Each prints its minutes, because a suite
//! that grows slow is a suite that is not run.
//!
//! A test that needs a program which is not on this machine is skipped, never silently: its name is in
//! `HOLDFAST_TEST_SKIP` (comma separated), and the test says so by adding one line to the file named by
//! `HOLDFAST_TEST_SKIPPED`. The lines are printed and counted at the end. Under `CI` a skip is a failure. Tools from PyPI are
//! in the folder named by `HOLDFAST_TEST_VENV`.
//!
//! The long suite tells more stories: on servers that are built first, in the folder named by `HOLDFAST_TEST_TOOLS`. Tests that need
//! one of them are silent in the short suite, and its absence is a failure of the long one.

use std::{
    env, fs,
    io::{ErrorKind, Write},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use crate::{needs, tidy, tools, workspace::Workspace};

/// Seeds of the simulated world in every run: as many as two cores play in five minutes, as all of a run is to take less
/// than thirty.
const SEEDS: u64 = 125;
/// How much more `--long` plays.
const LONG_FACTOR: u64 = 80;

/// Options of `cargo xtask test`.
#[derive(Args)]
pub struct Options {
    /// Install what is missing without asking
    #[arg(long)]
    yes: bool,
    /// Play eighty times the seeds, let tests do more rounds (they see HOLDFAST_TEST_LONG=1), and test with Garage too
    #[arg(long)]
    long: bool,
    /// Run this phase alone
    #[arg(long, value_name = "PHASE")]
    only: Option<Phase>,
}

/// Options of `cargo xtask sim`.
#[derive(Args)]
pub struct SimOptions {
    /// How many seeds to play [default: 125]
    #[arg(long, conflicts_with = "seed")]
    seeds: Option<u64>,
    /// Play this seed alone: a failing run printed it
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Phase {
    /// `cargo fmt --check`
    Format,
    /// `cargo xtask tidy`
    Tidy,
    /// Clippy, warnings are errors
    Clippy,
    /// Everything that is tested, binaries included
    Build,
    /// Unit, property, conformance and scenario tests, then the examples in the documentation
    Test,
    /// The page: its types, then stories in a real browser against the real service
    Page,
    /// Seeds of the simulated world
    Sim,
}

/// What every phase is given.
pub struct Run<'a> {
    /// Where everything lies.
    pub workspace: &'a Workspace,
    ci: bool,
    long: bool,
    /// Whether everything was built in this run.
    built: bool,
    /// Programs that are not there.
    skip: String,
    /// Where skipped tests leave a line.
    skipped: PathBuf,
}

/// Runs the phases; true when all of them passed.
///
/// # Errors
/// When cargo cannot be run, or the terminal cannot be asked.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    let phases: Vec<Phase> = match options.only {
        Some(phase) => vec![phase],
        None => Phase::value_variants().to_vec(),
    };
    let tested = phases.iter().any(|phase| matches!(phase, Phase::Test | Phase::Page));
    let skip = if tested { needs::provide(workspace, options.yes || ci, options.long)? } else { Vec::new() };
    let skipped = workspace.target.join("skipped-tests");
    forget(&skipped)?;
    let run =
        Run { workspace, ci, long: options.long, built: phases.contains(&Phase::Build), skip: skip.join(","), skipped };
    let mut times = Vec::new();
    for phase in phases {
        println!("\n=== {phase}");
        let started = Instant::now();
        let passed = run.phase(phase)?;
        times.push(format!("{phase} {}", minutes(started.elapsed())));
        println!("=== {phase}: {} min", minutes(started.elapsed()));
        if !passed {
            println!("\n{phase} failed. {}\nRun it alone: cargo xtask test --only {phase}", phase.hint());
            return Ok(false);
        }
    }
    println!("\nminutes: {}", times.join(", "));
    let complete = run.report_skips()?;
    println!("phases passed: {}", times.len());
    if ci && !complete {
        println!("but under CI a skipped test is a failure");
    }
    let whole = !options.long || tools::programs().all(|program| !skip.contains(&program));
    if !whole {
        println!("but without the tools of the long suite this was none");
    }
    Ok(whole && (complete || !ci))
}

/// Plays seeds of the simulated world; true when none found anything.
///
/// # Errors
/// When cargo cannot be run.
pub fn sim(workspace: &Workspace, options: &SimOptions) -> Result<bool> {
    succeeds(&mut match options.seed {
        Some(seed) => simulator(workspace, "--seed", seed),
        None => simulator(workspace, "--seeds", options.seeds.unwrap_or(SEEDS)),
    })
}

impl Run<'_> {
    fn phase(&self, phase: Phase) -> Result<bool> {
        match phase {
            Phase::Format => succeeds(self.workspace.cargo().args(["fmt", "--all", "--check"])),
            Phase::Tidy => tidy::run(self.workspace),
            Phase::Clippy => {
                let mut clippy = self.cargo(&["clippy", "--release", "--workspace", "--all-targets"]);
                succeeds(clippy.args(["--", "-D", "warnings"]))
            }
            // Benches are read by clippy, and built by whoever measures.
            Phase::Build => succeeds(&mut self.cargo(&[
                "build",
                "--release",
                "--workspace",
                "--lib",
                "--bins",
                "--tests",
                "--examples",
            ])),
            Phase::Test => {
                let mut tests = if self.has_nextest() {
                    self.cargo(&["nextest", "run", "--release", "--workspace"])
                } else {
                    self.cargo(&["test", "--release", "--workspace", "--all-targets"])
                };
                Ok(succeeds(&mut tests)? && succeeds(&mut self.cargo(&["test", "--release", "--workspace", "--doc"]))?)
            }
            Phase::Page => crate::page::run(self),
            Phase::Sim if !self.workspace.has_binary("holdfast-sim") => {
                println!("holdfast-sim has no binary: nothing to play");
                Ok(!self.ci)
            }
            Phase::Sim => {
                let seeds = if self.long { SEEDS * LONG_FACTOR } else { SEEDS };
                if !self.built {
                    return succeeds(&mut simulator(self.workspace, "--seeds", seeds));
                }
                // Asked for by its package alone, it would be built again: with fewer features of what it stands on.
                let mut built = Command::new(self.workspace.target.join("release/sim"));
                succeeds(built.args(["--seeds", &seeds.to_string()]))
            }
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.workspace.cargo();
        command.args(arguments).env("HOLDFAST_TEST_SKIP", &self.skip).env("HOLDFAST_TEST_SKIPPED", &self.skipped);
        command.env("HOLDFAST_TEST_VENV", needs::venv_folder(self.workspace));
        if self.ci {
            command.env("CARGO_INCREMENTAL", "0");
        }
        if self.long {
            command.env("HOLDFAST_TEST_LONG", "1");
            command.env("HOLDFAST_TEST_TOOLS", needs::tools_folder(self.workspace));
        }
        command
    }

    /// Whether tests cannot call this program; what is skipped for it is written down.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn skips(&self, program: &str, what: &str) -> Result<bool> {
        let skips = self.skip.split(',').any(|name| name == program);
        if skips {
            let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.skipped)?;
            writeln!(file, "{what}: no {program}")?;
        }
        Ok(skips)
    }

    fn has_nextest(&self) -> bool {
        let mut probe = self.workspace.cargo();
        let status = probe.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Prints what was skipped and why; true when nothing was.
    fn report_skips(&self) -> Result<bool> {
        let lines = match fs::read_to_string(&self.skipped) {
            Ok(lines) => lines,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context("cannot read the list of skipped tests"),
        };
        if self.skip.is_empty() && lines.is_empty() {
            return Ok(true);
        }
        println!("\nNOT EVERYTHING WAS TESTED: {} tests skipped, missing here: {}", lines.lines().count(), self.skip);
        lines.lines().for_each(|line| println!("  skipped: {line}"));
        Ok(false)
    }
}

impl Phase {
    fn hint(self) -> &'static str {
        match self {
            Phase::Format => "`cargo fmt --all` puts it right.",
            Phase::Tidy => "Each finding above names its remedy.",
            Phase::Clippy => "`cargo clippy --fix` puts some of it right; an exception needs a reason.",
            Phase::Build => "The first error above is the one to read.",
            Phase::Test => "`cargo nextest run --release NAME` repeats one test.",
            Phase::Page => {
                "`node --test web/e2e/NAME.test.mjs` repeats one story, with HOLDFAST_PROGRAM set to the service."
            }
            Phase::Sim => "The run printed its seed: `cargo xtask sim --seed SEED` repeats it exactly.",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| out.write_str(value.get_name()))
    }
}

fn simulator(workspace: &Workspace, option: &str, value: u64) -> Command {
    let mut command = workspace.cargo();
    command.args(["run", "--release", "--package", "holdfast-sim", "--", option, &value.to_string()]);
    command
}

/// Runs a command; whether it succeeded.
///
/// # Errors
/// When it cannot be run at all.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    Ok(status.success())
}

fn forget(path: &PathBuf) -> Result<()> {
    let removed = fs::remove_file(path);
    ensure!(
        removed.is_ok() || !path.exists(),
        "cannot remove {}, the list of tests skipped by the last run",
        path.display()
    );
    Ok(())
}

fn minutes(elapsed: Duration) -> String {
    format!("{:.1}", elapsed.as_secs_f64() / 60.0)
}
