//! A name that nothing has yet, for files from people who cannot see what is there.

use catalogue::{Tx, entries};

use crate::{
    error::{Error, Result},
    paths::{NAME_BYTES_MAX, Path},
    places::Top,
    tree,
};

/// Names that are tried; who sends that many of one name has to think of another.
const TRIES: u32 = 10_000;

/// `path`, or with "name (2).ext", "name (3).ext", … where something is there already.
///
/// # Errors
/// Conflict where the path leads through a file, or every name tried is taken.
pub(crate) fn vacant(tx: &Tx<'_>, top: &Top, path: &Path) -> Result<Path> {
    let (folders, name) = path.split()?;
    let parent = match tree::folder(tx, top, folders) {
        Ok(parent) => parent,
        // It will be made, and is empty then.
        Err(Error::Missing { .. }) => return Ok(path.clone()),
        Err(error) => return Err(error),
    };
    if entries::child(tx, top.account, parent, name)?.is_none() {
        return Ok(path.clone());
    }
    for number in 2..TRIES {
        let other = numbered(name, number);
        if entries::child(tx, top.account, parent, &other)?.is_none() {
            let mut names = folders.to_vec();
            names.push(other);
            return Ok(Path::from_names(&names)?);
        }
    }
    Err(Error::Exists { path: path.to_string() })
}

/// `name` with a number before its ending, shortened where it would be too long.
fn numbered(name: &str, number: u32) -> String {
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
            assert_eq!(numbered(name, 2), wanted);
        }
        let long = numbered(&("ä".repeat(126) + ".jpg"), 10);
        assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("ä (10).jpg"), "{long}");
    }
}
