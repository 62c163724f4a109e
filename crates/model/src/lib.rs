//! The nouns of Holdfast, with no behaviour beyond arithmetic.
//!
//! Read this crate first: every other crate speaks in these words. An [`Account`](account) owns a tree of
//! [`entries`](entry): folders and files. A file has [versions](entry::Version); a version's bytes are sealed
//! [`segments`](entry::SegmentRef). A segment lies in a [`pack`](pack::Pack), k data lanes and m parity lanes
//! ([`Scheme`](scheme::Scheme)), each lane stored as a *shard* on one [`target`](fleet::TargetRow) of one
//! [`provider`](fleet::ProviderRow). What changes is said by one enum, [`Change`](change::Change), and goes through one door,
//! `store::commit`.
//!
//! Invariants: no I/O, no clock, no randomness (they come in through [`world`]), and no serialisation: stored shapes
//! live in `format`, wire shapes in `gateway`, rows in `catalogue`.

pub mod about;
pub mod account;
pub mod change;
pub mod class;
pub mod entry;
pub mod fleet;
pub mod id;
pub mod latency;
pub mod leases;
pub mod ledger;
pub mod orders;
pub mod outgoing;
pub mod pack;
pub mod plans;
pub mod scheme;
pub mod share;
pub mod stage;
pub mod units;
pub mod ways;
pub mod world;

pub use change::{Change, Record, Scope};
pub use class::Class;
pub use scheme::Scheme;
