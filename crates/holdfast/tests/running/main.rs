//! What it takes to run the service for real, tried on the real program.
//!
//! - `monitor`: numbers for Prometheus, the rules and the dashboard that use them, the log;
//! - `tls`: TLS that ends in the service, with certificates from files and from an authority;
//! - `doctor`: what `holdfast doctor` finds;
//! - `unit`: what systemd says of the unit;
//! - `upgraded`: a data folder of an earlier release.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

#[path = "../common/mod.rs"]
mod common;

mod doctor;
mod monitor;
mod tls;
mod unit;
mod upgraded;

use std::path::PathBuf;

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().unwrap()
}
