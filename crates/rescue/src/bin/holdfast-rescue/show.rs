//! What people see.

use std::{
    io::{self, Write},
    path::Path,
};

use model::entry::Kind;
use rescue::{
    Finding, Item,
    access::Shut,
    home::{Report, Step},
};

/// Unreadable ranges of one file that are named one by one.
const RANGES_SHOWN: usize = 20;

/// Prints the tree: size and path, folders with a slash.
pub fn tree(items: &[Item], out: &mut impl Write) -> io::Result<()> {
    let (mut files, mut bytes) = (0_u64, 0_u64);
    for item in items {
        let path = item.path.join("/");
        match (item.entry.kind, &item.version) {
            (Kind::Folder, _) => writeln!(out, "{:>14}  {path}/", "")?,
            (Kind::File, Some(version)) => {
                writeln!(out, "{:>14}  {path}", version.size)?;
                bytes += version.size;
            }
            (Kind::File, None) => writeln!(out, "{:>14}  {path}", "?")?,
        }
        files += u64::from(item.entry.kind == Kind::File);
    }
    writeln!(out, "{files} files, {}", size(bytes))
}

/// Prints what was noticed; whether nothing of it is a loss.
pub fn findings(findings: &[Finding], out: &mut impl Write) -> io::Result<bool> {
    for finding in findings {
        let word = if finding.is_loss() { "missing" } else { "note" };
        writeln!(out, "{word}: {finding}")?;
    }
    Ok(!findings.iter().any(Finding::is_loss))
}

/// Prints where more lies.
pub fn shut(shut: &[Shut], out: &mut impl Write) -> io::Result<()> {
    shut.iter().try_for_each(|place| writeln!(out, "{place}"))
}

/// Prints how it ended, and every file that is not whole.
pub fn report(report: &Report, folder: &Path, out: &mut impl Write) -> io::Result<()> {
    for renamed in &report.renamed {
        writeln!(out, "renamed: {} lies at {}: {}", renamed.path, renamed.to.display(), renamed.why)?;
    }
    for lost in &report.lost {
        match &lost.kept_as {
            Some(place) => {
                writeln!(out, "not whole: {} ({}), the rest is {}", lost.path, size(lost.size), place.display())?
            }
            None => writeln!(out, "unreadable: {} ({})", lost.path, size(lost.size))?,
        }
        for unreadable in lost.unreadable.iter().take(RANGES_SHOWN) {
            let range = &unreadable.range;
            writeln!(out, "    bytes {} to {}: {}", range.start, range.end, unreadable.why)?;
        }
        if let Some(more) = lost.unreadable.len().checked_sub(RANGES_SHOWN).filter(|more| *more > 0) {
            writeln!(out, "    and {more} more ranges")?;
        }
    }
    let Report { files, folders, written, kept, bytes, lost, .. } = report;
    writeln!(
        out,
        "{files} files in {folders} folders: {written} brought home to {} ({}), {kept} were there already, {} unreadable",
        folder.display(),
        size(*bytes),
        lost.len()
    )?;
    if lost.is_empty() {
        return Ok(());
    }
    writeln!(out, "With a copy of one more firm, or a login there, run the same command again: it goes on from here.")
}

/// One line on a terminal that tells how far it is.
pub struct Progress {
    shown: bool,
    files: u64,
    bytes: u64,
    done_files: u64,
    done_bytes: u64,
    told_percent: u64,
}

impl Progress {
    pub fn new(items: &[Item], shown: bool) -> Self {
        let files = items.iter().filter(|item| item.entry.kind == Kind::File);
        let bytes = files.clone().filter_map(|item| item.version.as_ref()).map(|version| version.size).sum();
        Self { shown, files: files.count() as u64, bytes, done_files: 0, done_bytes: 0, told_percent: u64::MAX }
    }

    pub fn step(&mut self, step: &Step<'_>) {
        self.done_files += 1;
        self.done_bytes += step.size;
        // Files count like 64 KiB, so that many small ones are seen to go on.
        let weigh = |files: u64, bytes: u64| (files << 16).saturating_add(bytes);
        let percent =
            weigh(self.done_files, self.done_bytes).saturating_mul(100) / weigh(self.files, self.bytes).max(1);
        if self.shown && percent != self.told_percent {
            self.told_percent = percent;
            let (done, all) = (size(self.done_bytes), size(self.bytes));
            eprint!("\r{percent:3} %  {} of {} files, {done} of {all}   ", self.done_files, self.files);
        }
    }

    pub fn end(&self) {
        if self.shown && self.done_files > 0 {
            eprintln!();
        }
    }
}

/// `1.5 GiB`.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1 << 10 {
        return format!("{bytes} bytes");
    }
    let step = (bytes.ilog2() / 10).min(units.len() as u32);
    format!("{:.1} {}", bytes as f64 / (1_u64 << (10 * step)) as f64, units[step as usize - 1])
}
