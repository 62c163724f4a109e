//! Which folders a person may have meant.

use std::{
    fs,
    path::{Path, PathBuf},
};

use format::KitAddress;

/// What a folder has in it if it is a target, or the copy of one.
const SIGNS: [&str; 5] = ["holdfast-target", "shards", "journal", "snapshots", "envelopes"];
/// How deep targets are looked for in a folder that is none itself: `providers/<firm>/<server>`.
const DEPTH: usize = 2;

/// The targets in a folder: itself, or what lies in it; itself if there is none, so that it is told of.
pub fn targets_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    look(folder, DEPTH, &mut found);
    if found.is_empty() {
        found.push(folder.to_owned());
    }
    found
}

fn look(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    if SIGNS.iter().any(|sign| folder.join(sign).exists()) {
        found.push(folder.to_owned());
    } else if depth > 0 {
        let inside = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut inside: Vec<_> = inside.filter(|path| path.is_dir()).collect();
        inside.sort();
        inside.iter().for_each(|path| look(path, depth - 1, found));
    }
}

/// The addresses that are folders on this computer.
pub fn existing(addresses: &[KitAddress]) -> Vec<PathBuf> {
    let folders =
        addresses.iter().filter(|address| address.driver == "dir").map(|address| PathBuf::from(&address.address));
    folders.filter(|folder| folder.is_dir()).collect()
}

/// The same for two ways to name one folder.
pub fn real(folder: &Path) -> PathBuf {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}
