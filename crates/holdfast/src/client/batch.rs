//! Many files at a time: workers, progress while they run, and the count at the end.
//!
//! On a terminal one bar shows bytes, rate and time left; elsewhere each file gets a plain line; with `--json` each file
//! and the end get one JSON object per line. What failed is always said with its reason, and makes the exit code 1.

use std::{
    future::Future,
    io::{IsTerminal, Write, stderr, stdout},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use tokio::{
    sync::{Mutex as Turn, mpsc},
    task::JoinSet,
};

use super::{PARALLEL, http::Meter, path::shown};
use crate::error::{Error, Result};

/// The running count of one command.
pub struct Batch {
    /// What is done to a file, for people: `sent`, `fetched`.
    done: &'static str,
    style: Style,
    bar: ProgressBar,
    files: AtomicU64,
    bytes: AtomicU64,
    skipped: AtomicU64,
    failed: Mutex<Vec<(String, String)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Bar,
    Lines,
    Json,
}

impl Batch {
    /// Starts counting; `done` is what is said of a file that went through.
    pub fn start(done: &'static str, json: bool) -> Arc<Self> {
        let style = match (json, stderr().is_terminal()) {
            (true, _) => Style::Json,
            (false, true) => Style::Bar,
            (false, false) => Style::Lines,
        };
        let bar = ProgressBar::with_draw_target(
            Some(0),
            match style {
                Style::Bar => ProgressDrawTarget::stderr(),
                _ => ProgressDrawTarget::hidden(),
            },
        );
        let template = "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {wide_msg}";
        if let Ok(looks) = ProgressStyle::with_template(template) {
            bar.set_style(looks.progress_chars("=> "));
        }
        if style == Style::Bar {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        let zero = || AtomicU64::new(0);
        Arc::new(Self { done, style, bar, files: zero(), bytes: zero(), skipped: zero(), failed: Mutex::default() })
    }

    /// Adds to what is still to come.
    pub fn expect(&self, bytes: u64) {
        self.bar.inc_length(bytes);
    }

    /// The progress of one file.
    pub fn transfer(&self) -> Transfer {
        Transfer { bar: self.bar.clone(), shown: Arc::default() }
    }

    /// One file went through.
    pub fn done(&self, name: &str, bytes: u64) {
        let files = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bar.set_message(format!("{files} {}", self.done));
        match self.style {
            Style::Bar => {}
            Style::Lines => line(&format!("{} {} ({bytes} bytes)", self.done, shown(name))),
            Style::Json => line(&json!({"event": self.done, "path": name, "bytes": bytes}).to_string()),
        }
    }

    /// One file needs nothing.
    pub fn skipped(&self, name: &str, why: &str) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
        match self.style {
            Style::Bar => {}
            Style::Lines => line(&format!("skipped {} ({why})", shown(name))),
            Style::Json => line(&json!({"event": "skipped", "path": name, "why": why}).to_string()),
        }
    }

    /// One file did not go through; the others go on.
    pub fn failed(&self, name: &str, error: &Error) {
        let why = error.message.clone();
        match self.style {
            Style::Bar => self.bar.println(format!("failed {}: {why}", shown(name))),
            Style::Lines => line(&format!("failed {}: {why}", shown(name))),
            Style::Json => line(&json!({"event": "failed", "path": name, "why": why}).to_string()),
        }
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), why));
    }

    /// Prints the count. The exit code is 1 if anything failed.
    pub fn finish(&self) -> ExitCode {
        self.bar.finish_and_clear();
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, bytes, skipped) = (
            self.files.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
            self.skipped.load(Ordering::Relaxed),
        );
        if self.style == Style::Json {
            let reasons: Vec<_> = failed.iter().map(|(path, why)| json!({"path": path, "why": why})).collect();
            line(
                &json!({"event": "end", self.done: files, "bytes": bytes, "skipped": skipped, "failed": reasons})
                    .to_string(),
            );
        } else {
            line(&format!("{files} {} ({bytes} bytes), {skipped} skipped, {} failed", self.done, failed.len()));
            if self.style == Style::Bar {
                failed.iter().for_each(|(path, why)| line(&format!("  failed {}: {why}", shown(path))));
            }
        }
        if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }
}

/// The progress of one file: a try that broke takes back what it had counted.
pub struct Transfer {
    bar: ProgressBar,
    /// Bytes of this file that the bar shows.
    shown: Arc<AtomicU64>,
}

impl Transfer {
    /// A meter that moves the bar.
    pub fn meter(&self) -> Meter {
        let (bar, shown) = (self.bar.clone(), Arc::clone(&self.shown));
        Arc::new(move |bytes| {
            shown.fetch_add(bytes, Ordering::Relaxed);
            bar.inc(bytes);
        })
    }

    /// Says how many bytes of the file are there, whatever was counted before.
    pub fn stand_at(&self, bytes: u64) {
        let before = self.shown.swap(bytes, Ordering::Relaxed);
        self.bar.set_position((self.bar.position() + bytes).saturating_sub(before));
    }
}

/// Prints a line; a reader that went away (`| head`) is no failure of ours.
pub fn line(text: &str) {
    drop(writeln!(stdout().lock(), "{text}"));
}

/// Runs `find`, which sends jobs, and [`PARALLEL`] workers, which do `act` on each, until there are no more.
///
/// # Errors
/// What `find` answers; workers report to the [`Batch`].
pub async fn in_parallel<J, F, A, W>(find: impl FnOnce(mpsc::Sender<J>) -> F, act: A) -> Result<()>
where
    J: Send + 'static,
    F: Future<Output = Result<()>>,
    A: Fn(J) -> W + Clone + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let (jobs, queue) = mpsc::channel(PARALLEL * 4);
    let queue = Arc::new(Turn::new(queue));
    let mut workers = JoinSet::new();
    for _ in 0..PARALLEL {
        let (queue, act) = (Arc::clone(&queue), act.clone());
        workers.spawn(async move {
            loop {
                let job = queue.lock().await.recv().await;
                match job {
                    Some(job) => act(job).await,
                    None => return,
                }
            }
        });
    }
    let found = find(jobs).await;
    while let Some(ended) = workers.join_next().await {
        if let Err(panic) = ended {
            return Err(Error::new(model::Class::Bug, format!("a transfer stopped unexpectedly: {panic}")));
        }
    }
    found
}
