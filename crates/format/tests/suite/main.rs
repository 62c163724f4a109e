//! The format as its readers rely on it: round trips, named damage, mutations, and the vectors of `testdata/`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests: they panic, and they read testdata/")]

mod damage;
mod fuzz;
mod journal;
mod kit;
mod leases;
mod ledger;
mod orders;
mod plans;
mod record;
mod replay;
mod samples;
mod segment;
mod shard;
mod snapshot;
mod testdata;
mod tokens;
mod vectors;
