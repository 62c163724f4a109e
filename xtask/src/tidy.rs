//! The rules of the house that no compiler checks.
//!
//! A rule is a function from a [`Tree`] (manifests, sources and packages, read once) to [`Finding`]s, so that each rule
//! is tested on trees of three lines. All findings are printed, each with its place and its remedy; there are no
//! warnings: what is not worth failing for is not a rule.

mod arrows;
mod dependencies;
mod licences;
mod mask;
mod reach;
mod source;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;

use anyhow::Result;

use crate::workspace::Workspace;
use tree::Tree;

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// File, with the line where there is one, relative to the root.
    pub place: String,
    /// What is wrong.
    pub fault: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    fn new(place: impl Into<String>, fault: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { place: place.into(), fault: fault.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}\n    {}", self.place, self.fault, self.remedy)
    }
}

/// Checks the workspace and prints what it finds; true when that is nothing.
///
/// # Errors
/// When a source file cannot be read.
pub fn run(workspace: &Workspace) -> Result<bool> {
    let tree = Tree::load(workspace)?;
    let findings = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    let (crates, files) = (tree.crates.len(), tree.sources().count());
    match findings.len() {
        0 => println!("tidy: {crates} crates, {files} source files, {} packages: nothing found", tree.packages.len()),
        count => println!("tidy: {count} findings"),
    }
    Ok(findings.is_empty())
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = arrows::check(tree);
    findings.extend(source::check(tree));
    findings.extend(licences::check(&tree.packages));
    findings.extend(dependencies::check(&tree.packages));
    if !tree.files.contains_key("docs/format.md") {
        findings.push(Finding::new(
            "docs/format.md",
            "does not exist",
            "describe every stored byte there: bytes outlive code",
        ));
    }
    findings
}
