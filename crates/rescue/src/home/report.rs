//! How a homecoming went: what was written, kept, renamed, and what is missing.

use std::path::PathBuf;

use crate::Unreadable;

/// What became of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files of the tree.
    pub files: u64,
    /// Folders of the tree.
    pub folders: u64,
    /// Files written now.
    pub written: u64,
    /// Files that were there already, with the right bytes.
    pub kept: u64,
    /// Bytes written now.
    pub bytes: u64,
    /// Things that have another name here than in the tree.
    pub renamed: Vec<Renamed>,
    /// Files that are not whole, or not there at all.
    pub lost: Vec<LostFile>,
}

impl Report {
    /// Whether every file came home whole.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty()
    }
}

/// A file or folder that has another name here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Its path in the tree.
    pub path: String,
    /// Where it lies here.
    pub to: PathBuf,
    /// Why.
    pub why: &'static str,
}

/// A file of which something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostFile {
    /// Its path in the tree.
    pub path: String,
    /// Its size.
    pub size: u64,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Where the rest of it lies, with zeros in place of what could not be read.
    pub kept_as: Option<PathBuf>,
}

/// One step on the way, for those who show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The file's path in the tree.
    pub path: &'a str,
    /// Its size.
    pub size: u64,
    /// Whether it was there already.
    pub kept: bool,
    /// Whether it came home whole.
    pub whole: bool,
}
