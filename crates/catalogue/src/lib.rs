//! All SQL of Holdfast: the database of names, owners, versions, packs, targets, and of work in hand.
//!
//! A [`Catalogue`] is one SQLite file with one writing thread and a few reading ones (or one in memory, on the caller's
//! thread, for the simulator). Work is sent to it as closures: [`Catalogue::read`] gives a closure one read transaction,
//! [`Catalogue::writer`] gives it the [`Writer`], whose transaction may stay open from one closure to the next: the
//! journal is the write-ahead log, so the store begins, fills its batch, puts the batch at the providers and commits only
//! then. Readers see nothing of it before. What is committed is durable after [`Catalogue::sync`], which runs beside the
//! writer and serves all who wait for it at once.
//!
//! Inside a transaction, [`Tx`] is passed to plain functions grouped by noun: [`entries::list`], [`packs::view`],
//! [`objects::thin`] and so on. Functions that change something take `&mut Tx`.
//!
//! Two kinds of tables:
//! - *journalled* ones say what exists; [`apply`] alone writes them, from [`model::Change`]s, live and in a rebuild. Each
//!   row keeps the revision that made it; the highest revision wins, and a tombstone beats every row up to its own
//!   revision. So a change may be applied again, late, or out of order.
//! - *local* ones say how work stands here: proofs, claims, uploads, copies, what is still to be packed. They are found
//!   again or begun again after a rebuild.
//!
//! The catalogue is expendable: whatever is in it that matters is at the providers as well.

mod apply;
mod before;
mod connection;
mod engine;
mod error;
mod log;
mod migrations;
mod tx;
mod writer;

pub mod access;
pub mod accounts;
pub mod audit;
pub mod day_traffic;
pub mod doomed;
pub mod entries;
pub mod fleet;
pub mod hooks;
pub mod intents;
pub mod jobs;
pub mod journal;
pub mod layers;
pub mod leases;
pub mod ledger;
pub mod limits;
pub mod logins;
pub mod mail;
pub mod meta;
pub mod objects;
pub mod orders;
pub mod packs;
pub mod plans;
pub mod rows;
pub mod scopes;
pub mod search;
pub mod segments;
pub mod shares;
pub mod shown;
pub mod space;
pub mod stage;
pub mod taken;
pub mod traffic;
pub mod trend;
pub mod upkeep;
pub mod uploads;
pub mod versions;
pub mod ways;

pub use apply::{apply, replay};
pub use connection::FILE_NAME;
pub use engine::Catalogue;
pub use error::{Error, Result};
pub use rows::{export, rows_between};
pub use scopes::bump_revision;
pub use tx::Tx;
pub use writer::Writer;
