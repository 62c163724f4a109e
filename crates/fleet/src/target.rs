//! The one interface to a place that keeps shards.
//!
//! A target keeps *objects*: bytes under a name, written once, never replaced. Durability is the driver's duty: when
//! [`ObjectWriter::finish`] or [`Target::put`] returns `Ok`, the object survives a power cut, name and bytes. The single
//! exception to "written once" is the *marker*, which says whose target this is; it is replaced, atomically, by
//! [`Target::write_marker`] alone. `fleet` compares markers as opaque bytes and never looks inside.
//!
//! Rules that every driver keeps (the conformance suite in `testkit` asserts each):
//! - a missing root, or a marker other than the expected one, is [`Error::Down`]: never created, never read as *empty*;
//!   it forbids change, not reading: bytes that are there are returned, but as long as a marker is expected and another is
//!   found, "there is none" and listings are not believed and are [`Error::Down`] too;
//! - an object is seen under its name whole or not at all; a second write under a name is [`Error::Exists`] and harms
//!   nothing;
//! - a read returns exactly the bytes asked for, or an error;
//! - a writer that is dropped or aborted leaves nothing under the name;
//! - nothing is deleted without a [`DeleteTicket`].

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use model::Class;

use crate::{meter::Calls, traffic::Traffic};

/// First parts of names that belong to the drivers: the marker, half-written files, bad objects that were set aside.
pub const RESERVED: [&str; 3] = ["holdfast-target", "tmp", "aside"];

/// Whether something that lies at the top of a target is a driver's own, or a file system's: not somebody's.
pub(crate) fn is_own(name: &str) -> bool {
    RESERVED.contains(&name) || name == "lost+found"
}

/// What a name of an object may consist of, see [`ObjectName::parse`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName(String);

impl ObjectName {
    /// Takes a relative name of 1 to 512 bytes out of `[a-z0-9._/-]` without empty parts and parts that start with a dot.
    /// The first part is none of [`RESERVED`]: drivers keep their own things there.
    ///
    /// # Errors
    /// [`Error::BadName`].
    pub fn parse(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let good_byte = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'/' | b'-');
        let good = (1..=512).contains(&name.len())
            && name.bytes().all(good_byte)
            && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
            && name.split('/').next().is_some_and(|first| !RESERVED.contains(&first));
        if good { Ok(Self(name)) } else { Err(Error::BadName { name }) }
    }

    /// Whether `prefix` is the beginning of any name at all. Drivers ask before they send it to a server.
    pub(crate) fn may_begin_with(prefix: &str) -> bool {
        // Whatever it is, a letter after it makes it longer, and at a slash a whole part.
        prefix.is_empty() || Self::parse(prefix).is_ok() || Self::parse(format!("{prefix}x")).is_ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a target did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The target does not answer, its root is missing, or its marker is not the expected one.
    #[error("target {target} is down: {reason}; what it holds is left alone, other targets go on")]
    Down {
        /// Which target (address).
        target: String,
        /// Why it is believed to be down.
        reason: String,
    },
    /// No object has this name.
    #[error("{target} has no object {name}")]
    Missing {
        /// Which target.
        target: String,
        /// The name asked for.
        name: String,
    },
    /// An object with this name is there already; it was not touched.
    #[error("{target} already has an object {name}; it was not touched")]
    Exists {
        /// Which target.
        target: String,
        /// The name.
        name: String,
    },
    /// The object ends before the range asked for.
    #[error("{name} at {target} ends at {got} bytes, {expected} were asked for")]
    Short {
        /// Which target.
        target: String,
        /// The name.
        name: String,
        /// End of the range asked for.
        expected: u64,
        /// Where the object ends.
        got: u64,
    },
    /// No space left.
    #[error("target {target} is full; reads go on")]
    Full {
        /// Which target.
        target: String,
    },
    /// No answer in time.
    #[error("target {target} did not answer {verb} within {limit_ms} ms")]
    Timeout {
        /// Which target.
        target: String,
        /// The verb that was tried.
        verb: &'static str,
        /// The limit.
        limit_ms: u64,
    },
    /// Something at this place is not an object: a symlink, a device, a folder.
    #[error("{name} at {target} is not a plain object ({what}); it was not followed")]
    NotAnObject {
        /// Which target.
        target: String,
        /// The name.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// A name outside the allowed set.
    #[error("'{name}' is not an object name")]
    BadName {
        /// The text given.
        name: String,
    },
    /// What was configured is no address of a target; nothing was tried.
    #[error("'{address}' is no usable address of a target: {reason}")]
    BadAddress {
        /// The address given.
        address: String,
        /// What is wrong with it, and how it should be.
        reason: String,
    },
    /// Anything else that the operating system or the wire said. What was being written is abandoned.
    #[error("{verb} at {target} failed: {source}")]
    Io {
        /// Which target.
        target: String,
        /// What was being done.
        verb: &'static str,
        /// The cause.
        source: Arc<std::io::Error>,
    },
}

impl Error {
    /// How a reader acts on it.
    pub fn class(&self) -> Class {
        match self {
            Self::Down { .. } | Self::Timeout { .. } | Self::Io { .. } => Class::Retry,
            Self::Missing { .. } => Class::Missing,
            Self::Exists { .. } => Class::Conflict,
            Self::Short { .. } | Self::NotAnObject { .. } => Class::Damaged,
            Self::Full { .. } => Class::Exhausted,
            Self::BadAddress { .. } => Class::Refused,
            Self::BadName { .. } => Class::Bug,
        }
    }
}

/// What `fleet` answers.
pub type Result<T> = std::result::Result<T, Error>;

/// What a target can promise; margin counts on nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// After `Ok` the *name* survives a power cut too (the folder is synced, or the firm's service says so).
    pub durable_rename: bool,
    /// The server can compute a checksum of an object by itself.
    pub server_checksum: bool,
    /// The server itself refuses a second object under a name, however many write at once. Where it cannot, the driver looks
    /// first; names hold random bits, so two writers never mean the same one.
    pub no_clobber: bool,
    /// The server can forbid the deletion of an object until a date (S3 Object Lock).
    pub lock: bool,
    /// `probe` reports free space.
    pub free_space: bool,
    /// The longest object, in bytes.
    pub object_bytes_max: u64,
    /// What one writer holds in memory beyond the pieces that it was given, in bytes: the part of a multipart upload.
    pub part_bytes: u64,
    /// Firms of this kind bill each request, so few large ones are better than many small ones.
    pub billed_by_request: bool,
    /// How long it is left in peace, in seconds, while it is up and nothing else is wanted of it: far away each look costs a round
    /// trip, and at many firms money. What fails in between shows by itself.
    pub probe_every_s: u64,
}

impl Abilities {
    /// Those of a disk of our own: all that a file system gives.
    pub const DISK: Self = Self {
        durable_rename: true,
        server_checksum: false,
        no_clobber: true,
        lock: false,
        free_space: true,
        object_bytes_max: i64::MAX as u64,
        part_bytes: 0,
        billed_by_request: false,
        probe_every_s: 0,
    };
}

/// What a look at the target found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The marker's bytes, or `None` where the root is there but holds no marker.
    pub marker: Option<Bytes>,
    /// Free bytes, where the target can tell.
    pub free_bytes: Option<u64>,
}

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: ObjectName,
    /// Its length.
    pub bytes: u64,
}

/// A page of a listing, names ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects of this page.
    pub objects: Vec<Listed>,
    /// Whether more follow after the last one.
    pub more: bool,
}

/// The permission to delete one object, made from a recorded decision and counted against the delete budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteTicket {
    /// The object that may go.
    pub name: ObjectName,
    /// Why, for the log: `released`, `reclaimed`, `surplus`.
    pub reason: &'static str,
}

/// One object on its way in. Dropping it abandons the object: nothing appears under the name.
#[async_trait]
pub trait ObjectWriter: Send {
    /// Takes the next bytes. The driver holds at most a few such pieces.
    ///
    /// # Errors
    /// After any error the object is abandoned and must be written under a new name.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Lets the writer hold `Abilities::part_bytes` once more: one part is under way while the next one fills. Without this
    /// it holds one. Nothing to drivers that hold no parts.
    fn work_ahead(&mut self) {}

    /// Makes the object durable under its name.
    ///
    /// # Errors
    /// As [`Self::write`]; [`Error::Exists`] when the name was taken meanwhile.
    async fn finish(self: Box<Self>) -> Result<()>;
}

/// One addressable place that keeps objects. See the module's rules.
#[async_trait]
pub trait Target: Send + Sync {
    /// The address, for messages.
    fn address(&self) -> &str;

    /// What it can promise.
    fn abilities(&self) -> Abilities;

    /// The calls since it was opened, by verb; none where nobody counts.
    fn calls(&self) -> Calls {
        Calls::new()
    }

    /// What its firm was asked for since it was opened; `None` where nobody counts.
    fn traffic(&self) -> Option<Traffic> {
        None
    }

    /// Looks whether it answers, and whose it is. Never creates anything.
    async fn probe(&self) -> Result<Probe>;

    /// Says which marker every later change must find; `None` forbids all changes (and lets whoever only reads believe
    /// absence as well).
    fn expect_marker(&self, marker: Option<Bytes>);

    /// Replaces the marker if its present bytes are `present` (`None`: there is none, and the target holds no objects), and
    /// expects the new one from now on.
    ///
    /// # Errors
    /// [`Error::Down`] when something else is there.
    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()>;

    /// Starts an object of about `bytes_hint` bytes; 0 when unknown. The hint only reserves space.
    async fn create(&self, name: &ObjectName, bytes_hint: u64) -> Result<Box<dyn ObjectWriter>>;

    /// Puts a small object whole: as `create`, `write`, `finish`, in one step where the driver can.
    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        let mut writer = self.create(name, pieces.iter().map(|p| p.len() as u64).sum()).await?;
        for piece in pieces {
            writer.write(piece.clone()).await?;
        }
        writer.finish().await
    }

    /// Returns exactly the bytes of `range`; an empty range asks only whether the object reaches that far.
    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes>;

    /// Returns the length of an object, `None` where there is none.
    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>>;

    /// Lists objects whose name starts with `prefix` (text, need not end at a slash), after `after`, at most `limit`.
    /// Names ascending by bytes. The marker, set-aside objects and half-written ones are not listed; what is not an object
    /// name is passed over.
    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page>;

    /// The name of something that lies at the top, whatever it is called, the drivers' own things aside; `None` if nothing does.
    /// For who is about to take the place: what lies there belongs to somebody, also if it is no object.
    async fn occupant(&self) -> Result<Option<String>>;

    /// Moves a bad object out of the way, to `aside/<name>-<n>`, where only a person looks; its name is not reused.
    async fn set_aside(&self, name: &ObjectName) -> Result<()>;

    /// Deletes one object; a missing one is fine.
    async fn delete(&self, ticket: &DeleteTicket) -> Result<()>;

    /// Gives the place back. Takes away the marker, if `marker` are its bytes, what the driver made for itself, and the folders on the
    /// way to `names` in which nothing is left; no marker is expected any more. What was set aside stays, and what anybody else put
    /// there.
    ///
    /// # Errors
    /// [`Error::Down`] when another marker or any object is there: nothing was taken away then.
    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()>;
}

/// The folders that a driver with folders may have made on the way to these names, and those of its own, deepest first.
pub(crate) fn folders_above(names: &[ObjectName]) -> Vec<String> {
    let [_, tmp, aside] = RESERVED;
    let mut folders = BTreeSet::from([tmp.to_owned(), aside.to_owned()]);
    for name in names {
        for (end, _) in name.as_str().match_indices('/') {
            let folder = &name.as_str()[..end];
            if !folders.contains(folder) {
                folders.insert(format!("{aside}/{folder}"));
                folders.insert(folder.to_owned());
            }
        }
    }
    // A folder's name is the beginning of what lies in it.
    folders.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::{ObjectName, folders_above};

    #[test]
    fn a_folder_comes_after_what_lies_in_it() {
        let names = ["b/x/1", "b/x/2", "b/y", "top"].map(|name| ObjectName::parse(name).expect("a name"));
        assert_eq!(folders_above(&names), ["tmp", "b/x", "b", "aside/b/x", "aside/b", "aside"]);
    }

    #[test]
    fn names_stay_inside_the_target_and_off_the_drivers_own() {
        let long = "a".repeat(512);
        for good in ["a", "format.md", "shards/0f/aa-1.2_3", "tmpfile", "a/tmp", "a/holdfast-target", &long] {
            assert_eq!(ObjectName::parse(good).map(|name| name.to_string()).ok().as_deref(), Some(good));
        }
        let longer = "a".repeat(513);
        let outside =
            ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", ".hidden", "a/.b", "A", "a b", "a\0", "\u{e9}"];
        let reserved = ["tmp", "tmp/1", "aside/a", "holdfast-target", "holdfast-target/a"];
        for bad in outside.into_iter().chain(reserved).chain([longer.as_str()]) {
            assert!(ObjectName::parse(bad).is_err(), "{bad}");
        }
    }
}
