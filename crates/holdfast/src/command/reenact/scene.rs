//! The play's own folder, and the time that has passed in it.

use std::{fs, path::PathBuf};

use model::world::World;

use crate::{client::batch::line, world};

/// The play's own folder.
pub struct Scene {
    /// Where it is.
    pub root: PathBuf,
    /// Whether it stays.
    pub keep: bool,
}

impl Drop for Scene {
    fn drop(&mut self) {
        if self.keep {
            line(&format!("kept: {}", self.root.display()));
        } else {
            line(&format!("clearing away {}", self.root.display()));
            drop(fs::remove_dir_all(&self.root));
        }
    }
}

/// Lines with the time since the start.
pub struct Timeline {
    /// Clock, chance and timer.
    pub world: World,
    started_us: u64,
}

impl Timeline {
    /// Begins now.
    pub fn start() -> Self {
        let world = world::real();
        Self { started_us: world.clock.now().monotonic_us, world }
    }

    /// Says something.
    pub fn tell(&self, text: &str) {
        line(&format!("{:>7.1} s  {text}", self.elapsed_ms() as f64 / 1e3));
    }

    /// Milliseconds since the start.
    pub fn elapsed_ms(&self) -> u64 {
        (self.world.clock.now().monotonic_us - self.started_us) / 1_000
    }
}
