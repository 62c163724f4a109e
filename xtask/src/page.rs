//! The page's own tests: types by svelte-check, stories in Chromium against the built service.
//!
//! Node is there wherever the page was built. Packages come from the npm registry by the lock files in `web/` and
//! `web/e2e/`; nothing of theirs runs while they are installed.

use std::process::Command;

use anyhow::Result;

use crate::{
    packages::CHROMIUM,
    suite::{Run, succeeds},
};

/// Checks the types, then plays the stories, two at a time: a browser and a service leave half of two cores idle.
///
/// # Errors
/// When Node or npm cannot be run.
pub fn run(run: &Run<'_>) -> Result<bool> {
    let web = run.workspace.root.join("web");
    let stories = web.join("e2e");
    let install = |folder| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
        succeeds(&mut npm)
    };
    if !install(&web)? || !succeeds(Command::new("npm").args(["run", "--silent", "check"]).current_dir(&web))? {
        return Ok(false);
    }
    if run.skips(CHROMIUM, "the stories of the page")? {
        return Ok(true);
    }
    let program = run.workspace.target.join("release/holdfast");
    let mut node = Command::new("node");
    node.args(["--test", "--test-concurrency=2", "--test-reporter=spec"]).current_dir(&stories);
    Ok(install(&stories)? && succeeds(node.env("HOLDFAST_PROGRAM", program))?)
}
