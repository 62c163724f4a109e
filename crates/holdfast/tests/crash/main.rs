//! Crash safety of the real program on a real file system: it is killed, its disks fill up and fail, its providers are
//! wiped and tampered with, and its system calls are watched.
//!
//! What every story asserts in the end is the same: whatever was acknowledged is read back equal, whatever was not is
//! either there whole or not there, and the service says so in words a person can act on.
//!
//! - `support` runs the server through `strace` or in a namespace of its own, speaks HTTP that may break off, keeps the
//!   reference of what was acknowledged, and models from a trace which files a power cut would leave.
//! - A story that needs a program or a right this machine lacks is skipped by `support::skip`, never silently.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

#[path = "../common/mod.rs"]
mod common;
mod support;

mod bad_input;
mod failed_fsync;
mod full_disk;
mod killed;
mod nothing_of_the_user;
mod power_cut;
mod unreadable;
mod uploads;
