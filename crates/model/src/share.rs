//! What others may see or send: links for whoever has the address, grants to other accounts, and what guests report.

use crate::id::{AccountId, EntryId, GrantId, ReportId, ShareId};

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
    /// Whether it takes files into its folder instead of showing what is there; `downloads` then counts files received.
    pub receives: bool,
    /// What its owner says to whoever opens it; may be empty.
    pub words: String,
    /// Since when the operator keeps it from being opened.
    pub off_us: Option<i64>,
}

/// What one account lets another see or change: a file, or a folder with everything in it. It follows the entry, not its
/// path, and stays as a row when it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// What it shows.
    pub entry: EntryId,
    /// To whom.
    pub to: AccountId,
    /// Whether what is in the folder may be changed, too.
    pub writes: bool,
    /// When it was made.
    pub made_us: i64,
    /// Since when it has ended, by either side.
    pub ended_us: Option<i64>,
}

/// Why a guest reports a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It breaks the law.
    Illegal,
    /// It is somebody else's work.
    Copyright,
    /// It harms machines.
    Malware,
    /// As the words say.
    Other,
}

/// What a guest told the operator of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Its id.
    pub id: ReportId,
    /// Whose link.
    pub account: AccountId,
    /// Which.
    pub share: ShareId,
    /// Why.
    pub reason: Reason,
    /// What is wrong, in the guest's words.
    pub words: String,
    /// How to reach the guest, if they said so.
    pub contact: Option<String>,
    /// When it came.
    pub made_us: i64,
    /// Since when an operator calls it settled.
    pub settled_us: Option<i64>,
}

impl std::fmt::Debug for ShareRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShareRow").field("id", &self.id).field("entry", &self.entry).finish_non_exhaustive()
    }
}
