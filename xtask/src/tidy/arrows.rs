//! Who may import whom.
//!
//! ```text
//!  row 5   holdfast (bin) ... + rescue        sim ... rows 0-3, rescue, testkit
//!  row 4      gateway ... service model       rescue ... fleet format erasure model       ui: imports nothing
//!  row 3        service
//!  row 2          store
//!  row 1   PURE: format  erasure  plan   |   I/O: fleet  catalogue
//!  row 0                                model
//! ```
//!
//! Downwards only; crates of one row never import each other. `testkit` may import rows 0 and 1 and is imported by tests
//! and by `sim` only. Tests may reach further down than their crate does, never sideways or up.

use super::{
    Finding,
    tree::{Crate, Import, Tree},
};

/// Row of each crate in the drawing; `testkit` and the tools stand beside it.
const ROWS: [(&str, u8); 13] = [
    ("model", 0),
    ("format", 1),
    ("erasure", 1),
    ("plan", 1),
    ("fleet", 1),
    ("catalogue", 1),
    ("store", 2),
    ("service", 3),
    ("gateway", 4),
    ("rescue", 4),
    ("ui", 4),
    ("holdfast", 5),
    ("sim", 5),
];

/// Crates without clock, chance, file, task and network.
pub const PURE: [&str; 4] = ["model", "format", "erasure", "plan"];

/// Finds forbidden arrows, crates that nobody drew, and manifests that escape the lints.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &tree.crates {
        let manifest = format!("{}/Cargo.toml", member.folder);
        if !matches!(member.name.as_str(), "testkit" | "xtask") && row(&member.name).is_none() {
            let fault = format!("the crate {} stands in no row", member.name);
            findings.push(Finding::new(
                &manifest,
                fault,
                "draw it in docs/ARCHITECTURE.md and xtask/src/tidy/arrows.rs",
            ));
        }
        for import in &member.imports {
            if let Err(reason) = may_import(member, import) {
                let kind = if import.dev { "its tests import" } else { "imports" };
                let fault = format!("{} {kind} {}: {reason}", member.name, import.name);
                findings.push(Finding::new(
                    &manifest,
                    fault,
                    "move the code down, or pass what is needed as an argument",
                ));
            }
        }
        if tree.files.get(&manifest).is_some_and(|text| !text.contains("[lints]\nworkspace = true")) {
            let fault = "does not take over the lints of the workspace";
            findings.push(Finding::new(&manifest, fault, "add `[lints]` with `workspace = true`"));
        }
    }
    findings
}

fn row(name: &str) -> Option<u8> {
    ROWS.iter().find(|(candidate, _)| *candidate == name).map(|(_, row)| *row)
}

fn may_import(from: &Crate, import: &Import) -> Result<(), &'static str> {
    let (from, to) = (from.name.as_str(), import.name.as_str());
    if to == "testkit" {
        return if import.dev || from == "sim" { Ok(()) } else { Err("testkit is for tests and sim only") };
    }
    let Some(to_row) = row(to) else { return Err("nobody imports a tool") };
    let from_row = match (from, row(from)) {
        ("testkit", _) => 2,
        (_, Some(row)) => row,
        (_, None) => return Err("tools import nothing of ours"),
    };
    if to_row >= from_row {
        return Err("arrows point downwards, never up or along a row");
    }
    let allowed = match from {
        _ if import.dev => true,
        "gateway" => matches!(to, "service" | "model"),
        "rescue" => matches!(to, "fleet" | "format" | "erasure" | "model"),
        "sim" => to_row <= 3 || to == "rescue",
        _ => true,
    };
    if allowed { Ok(()) } else { Err("this arrow is not drawn") }
}
