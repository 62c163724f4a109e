//! A tree, entry by entry, in an order that a path has a place in: names by their bytes, a folder before what is in it.
//!
//! So a walk goes on behind any path, also one that is not there any more, and what lies between two paths is the same
//! however often it is walked, as long as nothing changes.

use std::collections::VecDeque;

use catalogue::{
    Tx,
    entries::{self, Listed},
};
use model::{
    entry::Kind,
    id::{AccountId, EntryId},
};

use crate::error::Result;

/// Entries read at a time.
const PAGE: usize = 1_000;

/// Where a walk is. It holds one page of each folder on the way to there.
pub(crate) struct Walk {
    account: AccountId,
    frames: Vec<Frame>,
    /// Of the first folder, only these; empty: all.
    only: Vec<String>,
}

struct Frame {
    folder: EntryId,
    /// The names that lead to it, with slashes between; empty for the first.
    path: String,
    /// The last name that was read.
    after: String,
    page: VecDeque<Listed>,
}

impl Walk {
    /// All that is in a folder.
    pub fn of(account: AccountId, folder: EntryId, only: Vec<String>) -> Self {
        Self { account, frames: vec![Frame::new(folder, String::new(), String::new())], only }
    }

    /// What comes behind the path of these names.
    pub fn behind(tx: &Tx<'_>, account: AccountId, folder: EntryId, names: &[String]) -> Result<Self> {
        let mut walk = Self { account, frames: Vec::new(), only: Vec::new() };
        let (mut folder, mut path) = (folder, String::new());
        for name in names {
            walk.frames.push(Frame::new(folder, path.clone(), name.clone()));
            let Some(row) = entries::child(tx, account, folder, name)?.filter(|row| row.kind == Kind::Folder) else {
                return Ok(walk);
            };
            (folder, path) = (row.id, below(&path, name));
        }
        walk.frames.push(Frame::new(folder, path, String::new()));
        Ok(walk)
    }

    /// The next entry and its path from the first folder on; `None` behind the last.
    pub fn next(&mut self, tx: &Tx<'_>) -> Result<Option<(String, Listed)>> {
        while let Some(frame) = self.frames.last_mut() {
            let Some(listed) = frame.page.pop_front() else {
                frame.page = entries::list(tx, self.account, frame.folder, &frame.after, PAGE)?.into();
                match frame.page.back() {
                    Some(last) => frame.after.clone_from(&last.entry.name),
                    None => drop(self.frames.pop()),
                }
                continue;
            };
            if frame.path.is_empty() && !self.only.is_empty() && !self.only.contains(&listed.entry.name) {
                continue;
            }
            let path = below(&frame.path, &listed.entry.name);
            if listed.entry.kind == Kind::Folder {
                self.frames.push(Frame::new(listed.entry.id, path.clone(), String::new()));
            }
            return Ok(Some((path, listed)));
        }
        Ok(None)
    }
}

impl Frame {
    fn new(folder: EntryId, path: String, after: String) -> Self {
        Self { folder, path, after, page: VecDeque::new() }
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// Whether one path comes behind another in the order of a walk. A folder comes before what is in it, and a name with a
/// character that sorts before the slash comes behind what is in the folder that it begins like.
pub(crate) fn is_behind(path: &str, other: &[String]) -> bool {
    path.split('/').gt(other.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::is_behind;

    #[test]
    fn paths_have_an_order() {
        let names = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let order = ["a", "a/b", "a/b/c", "a/c", "a b", "b", "ä"];
        for (at, path) in order.iter().enumerate() {
            for (than, other) in order.iter().enumerate() {
                assert_eq!(is_behind(path, &names(other)), at > than, "{path} and {other}");
            }
        }
    }
}
