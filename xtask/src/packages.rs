//! The Debian packages that tests call, and how they come onto the machine.
//!
//! A package is named by the program it brings. Nothing is installed unasked: [`missing`] is printed first, [`install`]
//! runs after a yes. Who may not install still runs every other test.

use std::{
    env,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Result;

/// Program and package have the same name; beside it, what it is for.
const NEEDED: [(&str, &str); 2] = [
    ("curl", "speaks to the service as people do"),
    ("strace", "shows and breaks the system calls of the service: what is synced before it is acknowledged"),
];

/// Installs without recommendations. While it runs, packaged services are forbidden to start: exit status 101 of
/// `policy-rc.d` says so to Debian's maintainer scripts. A policy that is there already is left alone.
const INSTALL: &str = r#"
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends "$@"
"#;

/// The needed packages that are not there, each with what it is for.
pub fn missing() -> Vec<(&'static str, &'static str)> {
    let path = env::var_os("PATH").unwrap_or_default();
    let present = |name: &str| env::split_paths(&path).any(|folder| folder.join(name).is_file());
    NEEDED.into_iter().filter(|(name, _)| !present(name)).collect()
}

/// Says what would be installed and asks, unless `unasked`; true for yes.
///
/// # Errors
/// When the terminal cannot be read.
pub fn agreed(packages: &[(&str, &str)], unasked: bool) -> Result<bool> {
    println!("Tests need these Debian packages, installed with --no-install-recommends; no service is started:");
    for (name, purpose) in packages {
        println!("  {name:8} {purpose}");
    }
    if unasked {
        return Ok(true);
    }
    print!("Install them now? [y/N] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Installs as root, or through sudo where that works; what is still missing afterwards is for the caller to see.
pub fn install(packages: &[(&str, &str)]) {
    let names = packages.iter().map(|(name, _)| *name);
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("sh")
    } else if sudo_works() {
        let mut sudo = Command::new("sudo");
        sudo.arg("sh");
        sudo
    } else {
        let list: Vec<&str> = names.collect();
        println!("No right to install here. An administrator can: apt-get install {}", list.join(" "));
        return;
    };
    let status = command.args(["-c", INSTALL, "sh"]).args(names).stdin(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        println!("The installation did not succeed; the tests that need it will be skipped.");
    }
}

/// Whether sudo works without a password, or somebody is there to type one.
fn sudo_works() -> bool {
    let quiet = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success()) || (Path::new("/usr/bin/sudo").exists() && io::stdin().is_terminal())
}
