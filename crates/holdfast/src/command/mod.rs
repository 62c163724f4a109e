//! One file per command: its arguments, what it does, how it is printed.

pub mod account;
pub mod cp;
pub mod fleet;
pub mod get;
pub mod kit;
pub mod ls;
pub mod mkdir;
pub mod mv;
pub mod provider;
pub mod put;
pub mod rebuild;
pub mod reenact;
pub mod rm;
pub mod scrub;
pub mod serve;
pub mod share;
pub mod target;
pub mod token;
pub mod versions;
pub mod what_if;
