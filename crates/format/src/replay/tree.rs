//! An account's rows as a tree of paths.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    entry::{EntryRow, Kind, ROOT, Version},
    id::EntryId,
};

use super::AccountState;

/// What an account's owner sees.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tree<'a> {
    /// Folders and files, folders before what is in them, sorted by path.
    pub items: Vec<TreeItem<'a>>,
    /// Entries that are neither in the trash nor reachable from the root: damage, to be reported.
    pub lost: Vec<Lost>,
}

/// One folder or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeItem<'a> {
    /// Its names from the root down, joined by `/`.
    pub path: String,
    /// Its row.
    pub entry: &'a EntryRow,
    /// For a file, the version that readers get. `None` for a folder, and for a file whose current version is missing.
    pub version: Option<&'a Version>,
}

/// An entry that no path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lost {
    /// The entry.
    pub entry: EntryId,
    /// Why.
    pub why: Cut,
}

/// Why no path leads to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// A folder above it has no row.
    NoParent(EntryId),
    /// What should be a folder above it is a file.
    ParentIsFile(EntryId),
    /// It is above itself.
    Cycle,
}

/// Where an entry's way up ends.
#[derive(Clone, Copy)]
enum Fate {
    Root,
    Trash,
    /// A small picture of a file: it has no path.
    Picture,
    Cut(Cut),
}

pub(super) fn grow(account: &AccountState) -> Tree<'_> {
    let mut fates = BTreeMap::new();
    let mut children: BTreeMap<EntryId, Vec<&EntryRow>> = BTreeMap::new();
    let mut tree = Tree::default();
    for row in account.entries.values() {
        match fate(account, row.value.id, &mut fates) {
            Fate::Root => children.entry(row.value.parent).or_default().push(&row.value),
            Fate::Trash | Fate::Picture => {}
            Fate::Cut(why) => tree.lost.push(Lost { entry: row.value.id, why }),
        }
    }
    let mut open = vec![(ROOT, String::new())];
    while let Some((folder, prefix)) = open.pop() {
        for entry in children.remove(&folder).unwrap_or_default() {
            let path = format!("{prefix}{}", entry.name);
            if entry.kind == Kind::Folder {
                open.push((entry.id, format!("{path}/")));
            }
            let current = entry.current.filter(|_| entry.kind == Kind::File);
            let version = current.and_then(|id| account.versions.get(&id)).map(|row| &row.value);
            tree.items.push(TreeItem { path, entry, version });
        }
    }
    tree.items.sort_by(|a, b| (&a.path, a.entry.id).cmp(&(&b.path, b.entry.id)));
    tree
}

/// Follows an entry up to the root, or to a fate that is known.
fn fate(account: &AccountState, entry: EntryId, fates: &mut BTreeMap<EntryId, Fate>) -> Fate {
    let mut way = BTreeSet::new();
    let mut at = entry;
    let end = loop {
        if at == ROOT {
            break Fate::Root;
        }
        let Some(row) = account.entries.get(&at).map(|row| &row.value) else {
            break Fate::Cut(Cut::NoParent(at));
        };
        if at != entry && row.kind == Kind::File {
            let below = account.entries.get(&entry).map(|row| &row.value);
            let is_picture = below.is_some_and(|below| below.kind == Kind::File && below.parent == at);
            break if is_picture { Fate::Picture } else { Fate::Cut(Cut::ParentIsFile(at)) };
        }
        if let Some(known) = fates.get(&at) {
            break *known;
        }
        if row.trashed.is_some() {
            way.insert(at);
            break Fate::Trash;
        }
        if !way.insert(at) {
            break Fate::Cut(Cut::Cycle);
        }
        at = row.parent;
    };
    way.into_iter().for_each(|on_the_way| _ = fates.insert(on_the_way, end));
    end
}
