//! What a process costs, read from outside: `/proc` of Linux.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// Clock ticks per second in `/proc/PID/stat`; Linux shows 100 to programs on every platform that we build for.
const TICKS_PER_S: f64 = 100.0;

/// What a process spent between two moments.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Wall time.
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu_s: f64,
    /// Most memory that it held at once, in bytes.
    pub peak_bytes: u64,
    /// Bytes that it handed to the disk; a page rewritten later counts again.
    pub written_bytes: u64,
}

/// A measurement that has begun.
pub struct Meter {
    pid: u32,
    started: Instant,
    cpu_s: f64,
    written_bytes: u64,
}

impl Meter {
    /// Begins to measure a process; its peak of memory is forgotten.
    ///
    /// # Errors
    /// When the process is gone, or belongs to somebody else.
    pub fn start(pid: u32) -> Result<Meter> {
        fs::write(format!("/proc/{pid}/clear_refs"), "5").context("cannot reset the peak of memory")?;
        Ok(Meter { pid, started: Instant::now(), cpu_s: cpu_s(pid)?, written_bytes: written_bytes(pid)? })
    }

    /// What the process has spent since.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn read(&self) -> Result<Cost> {
        Ok(Cost {
            wall: self.started.elapsed(),
            cpu_s: cpu_s(self.pid)? - self.cpu_s,
            peak_bytes: status_bytes(self.pid, "VmHWM")?,
            written_bytes: written_bytes(self.pid)? - self.written_bytes,
        })
    }
}

/// CPU time of this process's children that have ended.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn ended_children_cpu_s() -> Result<f64> {
    // Fields 16 and 17 are cutime and cstime. Source: proc_pid_stat(5).
    ticks("/proc/self/stat", 16)
}

/// Memory that a process holds now, in bytes.
///
/// # Errors
/// When the process is gone.
pub fn resident_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS")
}

/// The most memory that one of the children that a process has now held at once, in bytes; 0 when it has none.
pub fn children_peak_bytes(pid: u32) -> u64 {
    // One that ends meanwhile is not seen.
    let Ok(all) = fs::read_dir("/proc") else { return 0 };
    let pids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // Between fork and exec a child is its parent once more, with the parent's peak: it is not looked at before it is itself.
    let words = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).ok();
    let own = words(pid);
    let is_itself = |child| words(child).is_some_and(|words| !words.is_empty() && Some(&words) != own.as_ref());
    let peak = |child| (parent(child)? == pid && is_itself(child)).then(|| status_bytes(child, "VmHWM").ok())?;
    pids.filter_map(peak).max().unwrap_or(0)
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// Bytes that the files below `folder` take on the disk.
///
/// # Errors
/// When a folder cannot be listed.
pub fn disk_bytes(folder: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        // A file may be reclaimed between the listing and this look at it.
        let Ok(metadata) = entry.metadata() else { continue };
        total += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(total)
}

/// Memory that the machine can give, in bytes.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn available_memory() -> Result<u64> {
    field_bytes("/proc/meminfo", "MemAvailable")
}

/// The machine in one line: processors, memory, kernel, load.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn machine() -> Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let names: Vec<&str> = processors.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let name = names.first().map_or("unknown processor", |name| name.trim_start_matches(['\t', ' ', ':']));
    let memory_gib = field_bytes("/proc/meminfo", "MemTotal")? as f64 / super::GIB as f64;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!("{} × {name}, {memory_gib:.0} GiB, Linux {}, load {load} before", names.len(), kernel.trim()))
}

/// Bytes that a process has handed to the disk in its life.
///
/// # Errors
/// When the process is gone.
pub fn written_bytes(pid: u32) -> Result<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let value = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).context("no write_bytes")?;
    Ok(value.trim().parse()?)
}

fn cpu_s(pid: u32) -> Result<f64> {
    // Fields 14 and 15 are utime and stime.
    ticks(&format!("/proc/{pid}/stat"), 14)
}

/// Seconds in two neighbouring fields of a `stat` file; fields count from 1, and the name may hold spaces.
fn ticks(path: &str, field: usize) -> Result<f64> {
    let stat = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let (_, rest) = stat.rsplit_once(") ").context("no name in stat")?;
    let fields: Vec<f64> = rest.split(' ').skip(field - 3).take(2).filter_map(|text| text.parse().ok()).collect();
    Ok(fields.iter().sum::<f64>() / TICKS_PER_S)
}

fn status_bytes(pid: u32, name: &str) -> Result<u64> {
    field_bytes(&format!("/proc/{pid}/status"), name)
}

/// A `Name:   123 kB` line, in bytes.
fn field_bytes(path: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    let value = line.and_then(|line| line.split_whitespace().nth(1)).with_context(|| format!("no {name} in {path}"))?;
    Ok(value.parse::<u64>()? * 1024)
}
