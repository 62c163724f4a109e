//! The simulated world: the real store and plan on played targets, time and chance.
//!
//! A seed decides everything: who acts, what fails, when the power goes out, and which of two things that happen at once
//! comes first. So a failing seed is a bug report. Read in this order: [`exec`] (one thread, virtual time), [`power`] and
//! [`disks`] (effects, faults, crashes), [`model`] (the reference), [`auditor`] (what must hold after each step), [`actors`]
//! and [`fate`] (what happens), [`run`] (one seed).
//!
//! No file here knows more of the store than its clients and its operator do, but for the auditor, who reads the
//! catalogue's rows to know where bytes should lie, and the disks to know where they do.
#![allow(clippy::missing_panics_doc, reason = "a world that cannot be played ends")]

pub mod actors;
pub mod auditor;
pub mod census;
pub mod chance;
pub mod client;
pub mod disks;
mod epilogue;
pub mod exec;
pub mod fate;
mod homecoming;
pub mod mirror;
pub mod model;
pub mod power;
pub mod run;
pub mod scenarios;
pub mod truth;
pub mod world;

pub use run::{Outcome, play};
pub use world::Parts;
