//! One service on real servers of real protocols: two folders, OpenSSH, Apache and rclone, each server behind a network that a
//! test can slow, stall, cut or lead elsewhere.
//!
//! Every story ends alike: what was acknowledged is read back byte for byte, nothing was deleted by surprise, and the fleet's
//! report has said at each step what is so.
//!
//! - `fleet` starts the firms and the service, sends files, and reads back what was acknowledged;
//! - `founded` is the exception, a service on three buckets and no folder, without a network in between;
//! - `reenacted` plays the story of `holdfast reenact` on these servers, and finds them as they were;
//! - `alone`: three firms speak one protocol, and no folder is left to lean on;
//! - `growth` grows a fleet, loses a firm, and brings the service back on an empty machine;
//! - `closed`: a firm refuses the login; `unopened`: a record of one cannot be used;
//! - `emptied`: a firm holds nothing, or what it held before; `lying`: one drops what it acknowledged;
//! - `leaving`: a firm is left by a date; `served`: what firms say, what drills find, and what is certified;
//! - `slow`: a firm is slow, or silent; `one_left`: all firms but one are gone; `clock`: a firm's clock is wrong.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

#[path = "../common/mod.rs"]
mod common;
mod fleet;

mod alone;
mod clock;
mod closed;
mod emptied;
mod founded;
mod growth;
mod leaving;
mod lying;
mod one_left;
mod reenacted;
mod served;
mod slow;
mod unopened;
