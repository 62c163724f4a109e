//! Shares: links to an entry for other people.

use crate::id::{EntryId, ShareId};

/// A link to one file or folder. It follows the entry, not its path, and stays as a row when it has ended.
#[derive(Clone, PartialEq, Eq)]
pub struct ShareRow {
    /// Its id, for its owner.
    pub id: ShareId,
    /// What it shows: a file, or a folder with everything in it.
    pub entry: EntryId,
    /// The secret in its address. Kept as it is: its owner wants to copy the address again.
    pub code: [u8; 16],
    /// The password's hash as a PHC string, if it takes one.
    pub password: Option<String>,
    /// From when on it opens nothing.
    pub expires_us: Option<i64>,
    /// How many whole downloads it is good for.
    pub downloads_max: Option<u64>,
    /// Whole downloads so far, counted by completed bytes.
    pub downloads: u64,
    /// When it was made.
    pub made_us: i64,
    /// Since when its owner has ended it.
    pub ended_us: Option<i64>,
}

impl std::fmt::Debug for ShareRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShareRow").field("id", &self.id).field("entry", &self.entry).finish_non_exhaustive()
    }
}
