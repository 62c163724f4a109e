//! Packages that must not come twice, and packages that must not come at all.
//!
//! Two versions of a heavy package double build time and binary, and often mean two worlds that do not fit together: two
//! runtimes, two databases, two cryptographies. Light ones (`syn`, `hashbrown`) may be doubled by those we depend on.

use std::collections::BTreeMap;

use super::{Finding, tree::Package};

const ONCE: [&str; 14] = [
    "age",
    "aws-lc-sys",
    "axum",
    "blake3",
    "clap",
    "hyper",
    "hyper-util",
    "libsqlite3-sys",
    "rusqlite",
    "rustix",
    "serde",
    "serde_json",
    "tokio",
    "tracing",
];

const NEVER: [(&str, &str); 4] = [
    ("openssl-sys", "aws-lc-rs is the one cryptography here, and builds without a system library"),
    ("native-tls", "aws-lc-rs is the one cryptography here"),
    ("ring", "aws-lc-rs is the one cryptography here, and faster"),
    ("reqwest", "hyper is here already"),
];

/// Finds doubled heavy packages, and unwanted ones.
pub fn check(packages: &[Package]) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let mut findings = Vec::new();
    for name in ONCE {
        if let Some(several) = versions.get(name).filter(|versions| versions.len() > 1) {
            let fault = format!("{name} comes in {} versions: {}", several.len(), several.join(", "));
            let remedy = format!("`cargo tree -i {name}` says who brings which; move them to one version");
            findings.push(Finding::new("Cargo.lock", fault, remedy));
        }
    }
    for (name, reason) in NEVER {
        if versions.contains_key(name) {
            let remedy = format!("{reason}; `cargo tree -i {name}` says who brings it");
            findings.push(Finding::new("Cargo.lock", format!("{name} is in the build"), remedy));
        }
    }
    findings
}
