//! A folder of its own for one test, removed at its end.
#![allow(clippy::disallowed_methods, reason = "a test's own folder is no target")]

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// A new, empty folder in the system's place for temporary files. Dropping it removes it with all it holds.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes the folder. `label` says in its name which test it is for.
    ///
    /// # Errors
    /// Those of making a folder.
    pub fn new(label: &str) -> std::io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        loop {
            let n = MADE.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("holdfast-{label}-{}-{n}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                // Left by an earlier process with the same number.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
