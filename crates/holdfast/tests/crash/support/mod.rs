//! What the stories share.

pub mod disk;
pub mod door;
pub mod server;
pub mod trace;
pub mod truth;

use std::{
    fs::OpenOptions,
    io::Write,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

pub use self::{door::Door, server::Server, truth::Truth};

/// Whether longer runs were asked for.
pub fn long() -> bool {
    std::env::var_os("HOLDFAST_TEST_LONG").is_some_and(|value| value == "1")
}

/// True if `story` cannot be told here; says so aloud, and in the list that the test run counts at its end.
pub fn skip(story: &str, program: &str, probe: &[&str]) -> bool {
    let unwanted = std::env::var("HOLDFAST_TEST_SKIP").unwrap_or_default();
    let works = || {
        let mut command = Command::new(program);
        command.args(probe).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !unwanted.split(',').any(|name| name == program) && works() {
        return false;
    }
    eprintln!("SKIPPED: {story} needs `{program} {}` to work", probe.join(" "));
    if let Some(list) = std::env::var_os("HOLDFAST_TEST_SKIPPED") {
        let mut list = OpenOptions::new().create(true).append(true).open(list).unwrap();
        writeln!(list, "{story}: `{program} {}` does not work here", probe.join(" ")).unwrap();
    }
    true
}

/// Waits for a condition; the limit only keeps a broken service from hanging the test.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_400 {
        if holds() {
            return;
        }
        thread::park_timeout(Duration::from_millis(25));
    }
    panic!("this never came true: {what}");
}

/// Chance that is the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number in `0..below`.
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The upper half is the better one.
        (self.0 >> 20) % below.max(1)
    }
}
