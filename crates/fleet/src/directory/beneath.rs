//! Opening names beneath a folder without ever following a symbolic link, not even in the middle of a name.
//!
//! A target's folder is touched by others than us. A link planted there must not lead a read to foreign files, nor a write
//! or a deletion out of the root. Everything here answers with the bare [`Errno`]: `LOOP` stands for "a link is in the way".
//!
//! Source: openat2(2), `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`, Linux 5.6.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags},
    io::{Errno, Result},
};

/// Flags to open a folder whose entries are read or which is synced.
pub(super) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// Opens the root itself. A root given as a link is the operator's choice and is followed.
pub(super) fn open_root(root: &Path) -> Result<OwnedFd> {
    rustix::fs::open(root, FOLDER | OFlags::CLOEXEC, Mode::empty())
}

/// Opens `name` (relative, parts separated by slashes, none of them `..`) beneath `root`.
pub(super) fn open(root: impl AsFd, name: &str, flags: OFlags) -> Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(&root, name, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
        // An old kernel does not know the call, an old sandbox forbids it.
        Err(Errno::NOSYS | Errno::PERM) => open_stepwise(root, name, flags),
        other => other,
    }
}

/// As [`open`], one part at a time: slower, for kernels without openat2.
fn open_stepwise(root: impl AsFd, name: &str, flags: OFlags) -> Result<OwnedFd> {
    let mut at = open_part(&root, ".", FOLDER)?;
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let next = open_part(&at, part, if last { flags } else { FOLDER })?;
        if last {
            return Ok(next);
        }
        at = next;
    }
    Ok(at)
}

/// Opens one part of a name; a link is `LOOP`, also where the kernel says only that it is no folder.
pub(super) fn open_part(at: impl AsFd, part: &str, flags: OFlags) -> Result<OwnedFd> {
    match rustix::fs::openat(&at, part, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOTDIR) if kind(&at, part) == Ok(FileType::Symlink) => Err(Errno::LOOP),
        other => other,
    }
}

/// What lies under one part of a name, a link taken as itself.
pub(super) fn kind(at: impl AsFd, part: &str) -> Result<FileType> {
    let stat = rustix::fs::statat(at, part, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

/// The entries of a folder with names in UTF-8, `.` and `..` left out; unsorted. Other names are never ours.
pub(super) fn entries(folder: OwnedFd) -> Result<Vec<(String, FileType)>> {
    let mut found = Vec::new();
    for entry in Dir::new(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().to_str()
            && name != "."
            && name != ".."
        {
            found.push((name.to_owned(), entry.file_type()));
        }
    }
    Ok(found)
}

/// The first name in a folder that is wanted, for people: what is not UTF-8 in it is replaced.
pub(super) fn first_entry(folder: OwnedFd, wanted: impl Fn(&str) -> bool) -> Result<Option<String>> {
    for entry in Dir::new(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." && wanted(&name) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// What to call a thing that is not a plain file.
pub(super) fn describe(kind: FileType) -> &'static str {
    match kind {
        FileType::Symlink => "a symbolic link",
        FileType::Directory => "a folder",
        FileType::RegularFile => "a plain file",
        _ => "a device, pipe or socket",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    #![allow(clippy::disallowed_methods, reason = "the test plays the others who touch a target's folder")]

    use std::{fs, os::unix::fs::symlink};

    use rustix::fs::OFlags;
    use rustix::io::Errno;

    use super::{FOLDER, open, open_root, open_stepwise};

    /// Both ways of opening must judge every name alike.
    #[test]
    fn links_are_never_followed_with_or_without_openat2() {
        let root = std::env::temp_dir().join(format!("holdfast-beneath-{}", std::process::id()));
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/file"), b"x").unwrap();
        symlink("/etc", root.join("out")).unwrap();
        symlink("b", root.join("a/link")).unwrap();
        symlink("b/file", root.join("a/leaf")).unwrap();
        let folder = open_root(&root).unwrap();
        let cases = [
            ("a/b/file", OFlags::RDONLY, Ok(())),
            ("a/b", FOLDER, Ok(())),
            ("a/none", OFlags::RDONLY, Err(Errno::NOENT)),
            ("a/none/file", OFlags::RDONLY, Err(Errno::NOENT)),
            ("a/b/file/deeper", OFlags::RDONLY, Err(Errno::NOTDIR)),
            ("out/passwd", OFlags::RDONLY, Err(Errno::LOOP)),
            ("a/link/file", OFlags::RDONLY, Err(Errno::LOOP)),
            ("a/link", FOLDER, Err(Errno::LOOP)),
            ("a/leaf", OFlags::RDONLY, Err(Errno::LOOP)),
        ];
        for (name, flags, expected) in cases {
            assert_eq!(open(&folder, name, flags).map(drop), expected, "{name}");
            assert_eq!(open_stepwise(&folder, name, flags).map(drop), expected, "{name}, stepwise");
        }
        fs::remove_dir_all(&root).unwrap();
    }
}
