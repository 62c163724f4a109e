//! The doors from outside: a real store over six providers in memory, a real socket, requests written by hand.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests: failures should panic, sockets are real")]

mod about;
mod access;
mod archives;
mod between;
mod conditions;
mod connection;
mod desk;
mod files;
mod grants;
mod http;
mod leaving;
mod ledger;
mod links;
mod lost;
mod mail;
mod oidc;
mod openapi;
mod operator;
mod passkeys;
mod pictures;
mod plans;
mod quick;
mod quota;
mod refused;
mod requests;
mod rights;
mod scopes;
mod search;
mod second;
mod shapes;
mod told;
mod tree;
mod uploads;
mod webhooks;
mod world;
