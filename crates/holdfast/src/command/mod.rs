//! One file per command: its arguments, what it does, how it is printed.

pub mod account;
pub mod cp;
pub mod du;
pub mod find;
pub mod fleet;
pub mod get;
pub mod kit;
pub mod login;
pub mod ls;
pub mod manual;
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
pub mod trash;
pub mod versions;
pub mod what_if;
