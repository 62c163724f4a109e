//! Bytes and what they mean: every shape that Holdfast stores, sealed and open, and back again.
//!
//! `docs/format.md` is the law and this crate obeys it. From the smallest thing up: [`segment`] seals a file's bytes in
//! frames of 64 KiB; [`shard`] lays sealed bytes on lanes with a hash for each 64 KiB; [`record`] writes a
//! [`model::Change`] as bytes; [`journal`] gathers sealed records, [`snapshot`] states where they led; [`replay`] folds both
//! into state; [`envelope`] and [`kit`] bring the [`keys`] home; [`marker`] and [`name`] say what lies where;
//! [`ledger`] chains and signs what was said and done, for people who trust nobody.
//!
//! Invariants: pure. No files, no clock, no chance but what comes in as `Entropy` (age alone draws its own, in [`envelope`]).
//! A decoder never panics and never allocates more than a small multiple of what it was given; hashes and tags are
//! checked before anything is believed.

pub mod digest;
pub mod envelope;
mod error;
pub mod fuzz;
pub mod journal;
pub mod keys;
pub mod kit;
pub mod ledger;
pub mod marker;
pub mod name;
pub mod record;
pub mod replay;
pub mod segment;
pub mod shard;
pub mod snapshot;
mod wire;

pub use envelope::{Address, AddressBook, Identity};
pub use error::{Error, Result};
pub use journal::{JournalBuilder, JournalHeader, JournalObject, RecordKey};
pub use keys::{AccountKey, ClusterKey, Key, KeySource, Keyring};
pub use kit::{Kit, KitAddress, OperatorKit, OperatorTarget};
pub use marker::Marker;
pub use name::FORMAT_MD_NAME;
pub use replay::{AccountState, ClusterState, State};
pub use segment::{SegmentOpener, SegmentSealer};
pub use shard::{HashList, LaneHasher, ShardHeader};
pub use snapshot::{LayerHeader, LayerName, LayerPart};

/// The version of the format that is written, and the newest that is read.
pub const FORMAT_VERSION: u32 = 1;
