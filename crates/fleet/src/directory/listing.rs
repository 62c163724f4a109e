//! A sorted walk over the objects of a folder tree. Everything here blocks.
//!
//! Names are ordered by their bytes as a whole, slashes included, so that a page can be continued from its last name on any
//! driver. That is why a folder is sorted as if its name ended in a slash: `a-b` comes before everything in `a/`.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::{AtFlags, FileType},
    io::{Errno, Result},
};

use super::beneath;
use crate::target::{Listed, ObjectName, Page};

/// What is asked for.
pub(super) struct Walk<'a> {
    pub(super) prefix: &'a str,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
}

impl Walk<'_> {
    /// Walks the objects beneath `root`. Folders that cannot hold a wanted name are not opened.
    pub(super) fn run(&self, root: impl AsFd) -> Result<Page> {
        let mut page = Page::default();
        let Some((base, _)) = self.prefix.rsplit_once('/') else {
            self.folder(beneath::open_part(root, ".", beneath::FOLDER)?, "", &mut page)?;
            return Ok(page);
        };
        // A prefix with odd parts (`..`, `tmp/`) is the beginning of no object's name.
        if ObjectName::parse(base).is_ok()
            && let Some(folder) = skip_gone(beneath::open(root, base, beneath::FOLDER))?
        {
            self.folder(folder, &format!("{base}/"), &mut page)?;
        }
        Ok(page)
    }

    /// Adds the objects of one folder and of those in it; `path` is empty or ends in a slash. Stops when the page is full
    /// and one more object is known to follow.
    fn folder(&self, folder: OwnedFd, path: &str, page: &mut Page) -> Result<()> {
        let at = beneath::open_part(&folder, ".", beneath::FOLDER)?;
        let mut wanted = Vec::new();
        for (name, kind) in beneath::entries(folder)? {
            let kind = if kind == FileType::Unknown { beneath::kind(&at, &name).unwrap_or(kind) } else { kind };
            let full = format!("{path}{name}");
            match (kind, ObjectName::parse(full)) {
                (FileType::RegularFile, Ok(object)) if self.wants_object(object.as_str()) => {
                    wanted.push(object.as_str().to_owned());
                }
                (FileType::Directory, Ok(folder)) => {
                    let key = format!("{folder}/");
                    if self.wants_folder(&key) {
                        wanted.push(key);
                    }
                }
                _ => {}
            }
        }
        wanted.sort_unstable();
        for key in wanted {
            if let Some(below) = key.strip_suffix('/') {
                if let Some(next) = skip_gone(beneath::open_part(&at, &below[path.len()..], beneath::FOLDER))? {
                    self.folder(next, &key, page)?;
                }
            } else if let Some(object) = look(&at, path, &key)? {
                if page.objects.len() == self.limit {
                    page.more = true;
                } else {
                    page.objects.push(object);
                }
            }
            if page.more {
                break;
            }
        }
        Ok(())
    }

    fn wants_object(&self, name: &str) -> bool {
        name.starts_with(self.prefix) && self.after.is_none_or(|after| name > after)
    }

    fn wants_folder(&self, key: &str) -> bool {
        (key.starts_with(self.prefix) || self.prefix.starts_with(key))
            && self.after.is_none_or(|after| key > after || after.starts_with(key))
    }
}

/// The object's length, `None` if it went away or became something else since the folder was read.
fn look(at: &OwnedFd, path: &str, name: &str) -> Result<Option<Listed>> {
    let Some(stat) = skip_gone(rustix::fs::statat(at, &name[path.len()..], AtFlags::SYMLINK_NOFOLLOW))? else {
        return Ok(None);
    };
    let plain = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let listed = |name| Listed { name, bytes: u64::try_from(stat.st_size).unwrap_or(0) };
    Ok(ObjectName::parse(name).ok().filter(|_| plain).map(listed))
}

/// What went away, or turned out to be a link or a file, is passed over; anything else is an error.
fn skip_gone<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(errno) => Err(errno),
    }
}
