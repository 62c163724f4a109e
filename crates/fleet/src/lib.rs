//! All contact with targets: the [`Target`] trait, its drivers, and the layers around them.
//!
//! Read [`target`] first: it holds the rules that everything here keeps. Then:
//! - drivers: [`directory`] (a folder), [`object_store`] (S3), [`sftp`] (a folder at a server that speaks SSH), [`webdav`], [`memory`] (for tests and the simulator; a disk that can be wiped and restored);
//! - [`address`]: where a target is, as text, and the driver for it; [`login`]: what a firm wants to hear; [`closed`]: one that
//!   is known and cannot be opened;
//! - layers, each a target around a target: [`timeout`], [`retry`], [`limit`], [`meter`] share their shape through
//!   [`layer`]; [`faults`] misbehaves on purpose; [`noted`] knows what was written and takes it away again;
//! - [`traffic`]: requests and bytes, as a firm bills them; [`roster`]: which targets are open.
//!
//! A driver holds no policy: it neither retries nor waits. In a service the layers lie as `limit(retry(timeout(meter(driver))))`,
//! so that a wait for a turn is no timeout, and every try has a limit of its own and is counted.
//!
//! Invariants: markers are opaque bytes here; nothing reads a clock, draws a random number or sleeps but through
//! `model::world`; no file of the product is touched outside this crate, the catalogue and the binaries.

pub mod address;
pub mod closed;
pub mod directory;
pub mod faults;
pub mod layer;
pub mod limit;
pub mod login;
mod marker;
pub mod memory;
pub mod meter;
pub mod noted;
pub mod object_store;
pub mod retry;
pub mod roster;
pub mod sftp;
pub mod target;
pub mod timeout;
pub mod traffic;
pub mod webdav;
mod wire;

pub use address::Address;
pub use closed::Closed;
pub use directory::Directory;
pub use faults::{Fault, FaultControl, Faults, When};
pub use layer::Verb;
pub use limit::{Limit, Limits};
pub use login::{BadLogin, Login, Logins};
pub use memory::{Image, MemoryDisk, MemoryTarget};
pub use meter::{Calls, Meter, VerbCounts};
pub use noted::Noted;
pub use object_store::{ObjectStore, S3Address, S3Login};
pub use retry::{Retry, Tries};
pub use roster::Roster;
pub use sftp::{BadSetting, HostKey, Sftp, SftpAddress, SftpLogin, SftpTimes};
pub use target::{Abilities, DeleteTicket, Error, Listed, ObjectName, ObjectWriter, Page, Probe, Result, Target};
pub use timeout::{TimeLimits, Timeout};
pub use traffic::{Kind, Traffic};
pub use webdav::{WebDav, WebDavAddress, WebDavLogin};
pub use wire::{HttpOptions, Tls};

/// Takes a lock whose holder may have panicked: what these locks guard is whole between any two statements.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
