//! A name that nothing has yet, for files from people who cannot see what is there.

use catalogue::{Tx, entries};
use model::{
    entry::{EntryRow, Kind},
    id::EntryId,
};

use crate::{
    error::Result,
    paths::{NAME_BYTES_MAX, Path},
    places::Top,
    tree::Stamp,
};

/// Numbers that are tried; then chance is.
const TRIES: u32 = 100;

/// `path`, or with "name (2).ext", "name (3).ext", … where something is there already; a folder on the way whose name a file
/// has is numbered as well.
///
/// # Errors
/// As the catalogue says.
pub(crate) fn vacant(tx: &Tx<'_>, top: &Top, path: &Path, stamp: &Stamp) -> Result<Path> {
    let (folders, name) = path.split()?;
    let mut names = Vec::with_capacity(folders.len() + 1);
    let mut parent = Some(top.id);
    for folder in folders {
        let free = |row: Option<&EntryRow>| row.is_none_or(|row| row.kind == Kind::Folder);
        let (name, row) = named(tx, top, parent, folder, free, stamp)?;
        // Nothing is in a folder that will be made.
        parent = row.map(|row| row.id);
        names.push(name);
    }
    names.push(named(tx, top, parent, name, |row| row.is_none(), stamp)?.0);
    Ok(Path::from_names(&names)?)
}

/// The first of the names like `name` in a folder that `free` likes, and what has it.
fn named(
    tx: &Tx<'_>,
    top: &Top,
    parent: Option<EntryId>,
    name: &str,
    free: impl Fn(Option<&EntryRow>) -> bool,
    stamp: &Stamp,
) -> Result<(String, Option<EntryRow>)> {
    let Some(parent) = parent else { return Ok((name.to_owned(), None)) };
    for number in 1..TRIES {
        let other = if number == 1 { name.to_owned() } else { numbered(name, &number.to_string()) };
        let row = entries::child(tx, top.account, parent, &other)?;
        if free(row.as_ref()) {
            return Ok((other, row));
        }
    }
    Ok((numbered(name, &EntryId::random(stamp.store.entropy()).to_string()[..16]), None))
}

/// `name` with a number before its ending, shortened where it would be too long.
fn numbered(name: &str, number: &str) -> String {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 16 => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let tail = format!(" ({number}){ending}");
    let mut stem = stem.to_owned();
    while stem.len() + tail.len() > NAME_BYTES_MAX {
        stem.pop();
    }
    stem + &tail
}

#[cfg(test)]
mod tests {
    use super::{NAME_BYTES_MAX, numbered};

    #[test]
    fn numbers_stand_before_the_ending() {
        for (name, wanted) in [
            ("a.jpg", "a (2).jpg"),
            ("a", "a (2)"),
            (".profile", ".profile (2)"),
            ("a.tar.gz", "a.tar (2).gz"),
            ("a. what an ending that is none", "a. what an ending that is none (2)"),
        ] {
            assert_eq!(numbered(name, "2"), wanted);
        }
        let long = numbered(&("ä".repeat(126) + ".jpg"), "10");
        assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("ä (10).jpg"), "{long}");
    }
}
