//! The answer of a bench: tables in Markdown, ready to be pasted with what they were made by.

use std::{fmt, process::Command};

use anyhow::Result;

use super::{MIB, load::Load, meter, meter::Cost, workload::Workload};

const COLUMNS: [&str; 9] =
    ["workload", "server", "rate", "server CPU", "wall s", "p50 ms", "p99 ms", "peak RSS MiB", "written per user byte"];

/// What an S3 fleet was asked for.
const REQUESTS: [&str; 10] =
    ["requests", "put", "part", "get", "head", "list", "delete", "in all", "MiB sent", "MiB fetched"];

/// Everything that a run has to say.
pub struct Report {
    command: String,
    machine: String,
    rows: Vec<[String; 9]>,
    requests: Vec<[String; 10]>,
    verdicts: Vec<[String; 3]>,
    notes: Vec<String>,
}

/// One line of measurements; what does not apply stays empty.
#[derive(Default)]
pub struct Row<'a> {
    /// What was done.
    pub workload: &'a str,
    /// Who did it: the service or the floor.
    pub server: &'a str,
    /// How much per second, with its unit.
    pub rate: String,
    /// CPU in the unit of the workload.
    pub cpu: String,
    /// What it cost.
    pub cost: Option<Cost>,
    /// Single requests.
    pub load: Option<&'a Load>,
    /// Bytes of the user that were moved in.
    pub user_bytes: Option<u64>,
}

impl Report {
    /// An empty report; notes the state of the machine.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn new(workloads: &[Workload], quick: bool) -> Result<Report> {
        let names: Vec<String> = workloads.iter().map(Workload::to_string).collect();
        let option = if quick { " --quick" } else { "" };
        let command = format!("cargo xtask bench {}{option}", names.join(" "));
        let notes =
            quick.then_some("A sixteenth of every size: these figures show that all works, and are not to be quoted.");
        let notes = notes.into_iter().map(str::to_owned).collect();
        Ok(Report {
            command,
            machine: meter::machine()?,
            rows: Vec::new(),
            requests: Vec::new(),
            verdicts: Vec::new(),
            notes,
        })
    }

    /// Adds a line of measurements.
    pub fn row(&mut self, row: &Row<'_>) {
        let from_cost = |show: fn(&Cost) -> String| row.cost.as_ref().map(show).unwrap_or_default();
        let from_load = |share| row.load.map(|load| format!("{:.2}", load.percentile_ms(share))).unwrap_or_default();
        let written = row.cost.zip(row.user_bytes).map(|(cost, user)| cost.written_bytes as f64 / user as f64);
        self.rows.push([
            row.workload.to_owned(),
            row.server.to_owned(),
            row.rate.clone(),
            row.cpu.clone(),
            from_cost(|cost| format!("{:.2}", cost.wall.as_secs_f64())),
            from_load(0.50),
            from_load(0.99),
            from_cost(|cost| format!("{:.0}", cost.peak_bytes as f64 / MIB as f64)),
            written.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        ]);
    }

    /// Adds a line of requests; its cells stand under [`REQUESTS`].
    pub fn requests(&mut self, cells: Vec<String>) {
        self.requests.extend(<[String; 10]>::try_from(cells));
    }

    /// Adds a figure that should be at most `limit`.
    pub fn at_most(&mut self, figure: &str, got: f64, limit: f64) {
        self.verdict(figure, got, &format!("≤ {limit:.2}"), got <= limit);
    }

    /// Adds a figure that should be at least `limit`.
    pub fn at_least(&mut self, figure: &str, got: f64, limit: f64) {
        self.verdict(figure, got, &format!("≥ {limit:.2}"), got >= limit);
    }

    /// Adds a remark below the tables.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    fn verdict(&mut self, figure: &str, got: f64, reach: &str, met: bool) {
        let got = if met { format!("{got:.2}") } else { format!("**{got:.2}** missed") };
        self.verdicts.push([figure.to_owned(), reach.to_owned(), got]);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "`{}` at {} on {}\n", self.command, commit(), self.machine)?;
        if !self.rows.is_empty() {
            table(out, &COLUMNS.map(str::to_owned), &self.rows)?;
        }
        if !self.requests.is_empty() {
            table(out, &REQUESTS.map(str::to_owned), &self.requests)?;
        }
        if !self.verdicts.is_empty() {
            writeln!(out)?;
            table(out, &["figure", "reach", "got"].map(str::to_owned), &self.verdicts)?;
        }
        if !self.notes.is_empty() {
            writeln!(out)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "- {note}"))
    }
}

/// Rows under a heading, in columns as wide as their longest cell.
fn table<const N: usize>(out: &mut fmt::Formatter<'_>, heading: &[String; N], rows: &[[String; N]]) -> fmt::Result {
    let mut widths = [3; N];
    for row in std::iter::once(heading).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut line = |cells: &[String; N]| {
        widths.iter().zip(cells).try_for_each(|(width, cell)| write!(out, "| {cell:width$} "))?;
        writeln!(out, "|")
    };
    line(heading)?;
    line(&widths.map(|width| "-".repeat(width)))?;
    rows.iter().try_for_each(line)
}

/// The commit that was measured, as far as git knows it.
fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let name = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    name.map_or_else(|| "an unknown commit".to_owned(), |name| String::from_utf8_lossy(&name).trim().to_owned())
}
