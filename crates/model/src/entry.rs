//! What an account's tree is made of: entries (folders and files), versions, segments.

use crate::{
    id::{EntryId, SegmentId, VersionId},
    units::ServiceTime,
};

/// The folder that every account starts with. It has no row of its own.
pub const ROOT: EntryId = EntryId([0; 16]);

/// Folder or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Holds entries.
    Folder,
    /// Has versions.
    File,
}

/// When something went to the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// On the clock that destruction runs on.
    pub at: ServiceTime,
    /// As people read it.
    pub wall_us: i64,
}

/// A folder or a file. Folders are rows: moving one changes one row, whatever is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Its id: stays the same when it is renamed or moved.
    pub id: EntryId,
    /// The folder it is in (or was in, while in the trash).
    pub parent: EntryId,
    /// Its name: 1 to 255 bytes of UTF-8, kept as sent; no `/`, no NUL, no control characters, not `.` or `..`.
    pub name: String,
    /// Folder or file.
    pub kind: Kind,
    /// Modification time that the owner sees, microseconds since 1970.
    pub modified_us: i64,
    /// Set while it lies in the trash: it then takes no name in its folder.
    pub trashed: Option<Trashed>,
    /// For a file: the version that readers get.
    pub current: Option<VersionId>,
}

/// One sealed run of frames that a version consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRef {
    /// Its id; where it lies is said by a [`crate::pack::Location`].
    pub id: SegmentId,
    /// The salt of its key.
    pub salt: [u8; 32],
    /// Plaintext bytes.
    pub plain_bytes: u64,
}

/// What a version's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The sealed bytes themselves: frames of one segment, as long as a small file needs.
    Inline {
        /// The segment's id and salt.
        segment: SegmentRef,
        /// Its frames.
        sealed: Vec<u8>,
    },
    /// The manifest: segments in order, never places.
    Segments(Vec<SegmentRef>),
}

/// An AES-KW wrapped file key (RFC 3394): 32 bytes of key, 8 of integrity.
pub type WrappedKey = [u8; 40];

/// One version of a file. Written once; only `sha256` and `replaced` change later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id; the HTTP `ETag`.
    pub id: VersionId,
    /// The file.
    pub entry: EntryId,
    /// Plaintext bytes.
    pub size: u64,
    /// Modification time as the sender gave it, else the time of arrival.
    pub modified_us: i64,
    /// When it arrived.
    pub made_us: i64,
    /// Media type as sent, or guessed from the name.
    pub media_type: String,
    /// BLAKE3 of the plaintext.
    pub blake3: [u8; 32],
    /// CRC-32 (IEEE) of the plaintext.
    pub crc32: u32,
    /// SHA-256 of the plaintext, once somebody sent or asked for it.
    pub sha256: Option<[u8; 32]>,
    /// The file key under the account's wrap key.
    pub key: WrappedKey,
    /// Where its bytes are, in the account's own terms.
    pub content: Content,
    /// Since when another version took its place.
    pub replaced: Option<ServiceTime>,
}

impl Version {
    /// The segments in order, inline or not.
    pub fn segments(&self) -> &[SegmentRef] {
        match &self.content {
            Content::Inline { segment, .. } => std::slice::from_ref(segment),
            Content::Segments(segments) => segments,
        }
    }
}
