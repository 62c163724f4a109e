//! A file on its way in: written under `tmp/`, named only when it is whole and durable. Everything here blocks.
//!
//! Source: for why a file whose sync failed is thrown away, never synced again: Rebello et al., "Can Applications Recover
//! from fsync Failures?", USENIX ATC 2020.

use std::{
    io::IoSlice,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use bytes::Bytes;
use rustix::{
    fs::{AtFlags, FallocateFlags, FileType, Mode, OFlags, RenameFlags},
    io::Errno,
};

use super::{
    beneath,
    place::{self, MARKER, Place, TMP},
};
use crate::{
    lock,
    target::{ObjectName, Result},
};

/// The most pieces that one `writev` takes. Source: `UIO_MAXIOV` in writev(2).
const PIECES_MAX: usize = 1024;

/// A half-written file. Dropping it removes it.
pub(super) struct Incoming {
    place: Arc<Place>,
    tmp: OwnedFd,
    file: OwnedFd,
    /// Its name in `tmp/`; `None` once it has moved away.
    name: Option<String>,
    written_bytes: u64,
    reserved_bytes: u64,
}

impl Incoming {
    /// Starts a file, reserving `bytes_hint` bytes of disk where the file system can.
    pub(super) fn begin(place: &Arc<Place>, root: impl AsFd, bytes_hint: u64) -> Result<Self> {
        let tmp = place.folder(root, TMP)?;
        sweep_once(place, &tmp)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (name, file) = loop {
            let name = format!("{}-{}", place.next_serial(), std::process::id());
            match rustix::fs::openat(&tmp, &name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => break (name, file),
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(place.failed("create", errno)),
            }
        };
        let mut incoming =
            Self { place: Arc::clone(place), tmp, file, name: Some(name), written_bytes: 0, reserved_bytes: 0 };
        if bytes_hint > 0 {
            match rustix::fs::fallocate(&incoming.file, FallocateFlags::KEEP_SIZE, 0, bytes_hint) {
                Ok(()) => incoming.reserved_bytes = bytes_hint,
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
                Err(errno) => return Err(incoming.place.failed("reserve", errno)),
            }
        }
        Ok(incoming)
    }

    /// Appends the pieces, none of them copied.
    pub(super) fn append(&mut self, pieces: &[Bytes]) -> Result<()> {
        let mut slices: Vec<IoSlice<'_>> =
            pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| IoSlice::new(piece)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match rustix::io::writev(&self.file, &rest[..rest.len().min(PIECES_MAX)]) {
                Ok(written) => {
                    self.written_bytes += written as u64;
                    IoSlice::advance_slices(&mut rest, written);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.place.failed("write", errno)),
            }
        }
        Ok(())
    }

    /// Makes the file durable and then gives it its name; never takes the place of anything.
    pub(super) fn publish(mut self, name: &ObjectName) -> Result<()> {
        self.sync()?;
        // Looked at again only now: the marker may have changed while the bytes came in.
        let place = Arc::clone(&self.place);
        let root = place.root_for_change()?;
        let (path, leaf) = place::split(name.as_str());
        let folder = place.folder(&root, path)?;
        move_new(&self.tmp, self.tmp_name(), &folder, leaf).map_err(|errno| match errno {
            Errno::EXIST => place.exists(name),
            Errno::NOENT => place.down("the half-written file is gone, so the folder was wiped or replaced meanwhile"),
            other => place.failed("rename", other),
        })?;
        self.name = None;
        rustix::fs::fsync(&folder).map_err(|errno| {
            let _ = rustix::fs::unlinkat(&folder, leaf, AtFlags::empty());
            place.failed("sync folder", errno)
        })
    }

    /// Makes the file durable and puts it in the marker's place, in one step.
    pub(super) fn publish_marker(mut self, root: impl AsFd) -> Result<()> {
        self.sync()?;
        let place = Arc::clone(&self.place);
        rustix::fs::renameat(&self.tmp, self.tmp_name(), &root, MARKER)
            .map_err(|errno| place.failed("rename marker", errno))?;
        self.name = None;
        rustix::fs::fsync(&root).map_err(|errno| place.failed("sync root", errno))
    }

    fn sync(&self) -> Result<()> {
        if self.written_bytes < self.reserved_bytes {
            // Gives back what was reserved beyond the end.
            rustix::fs::ftruncate(&self.file, self.written_bytes)
                .map_err(|errno| self.place.failed("truncate", errno))?;
        }
        rustix::fs::fdatasync(&self.file).map_err(|errno| self.place.failed("sync", errno))
    }

    fn tmp_name(&self) -> &str {
        self.name.as_deref().expect("a file has its temporary name until it is published, and that consumes it")
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // What cannot be removed now is swept at the next start.
            let _ = rustix::fs::unlinkat(&self.tmp, name, AtFlags::empty());
        }
    }
}

/// Moves a file to a name that must be free.
pub(super) fn move_new(from: &OwnedFd, from_name: &str, to: &OwnedFd, to_name: &str) -> rustix::io::Result<()> {
    match rustix::fs::renameat_with(from, from_name, to, to_name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_new(from, from_name, to, to_name),
        other => other,
    }
}

/// As [`move_new`], for file systems without `RENAME_NOREPLACE`: a second name that must be free, then the first one goes.
fn link_new(from: &OwnedFd, from_name: &str, to: &OwnedFd, to_name: &str) -> rustix::io::Result<()> {
    rustix::fs::linkat(from, from_name, to, to_name, AtFlags::empty())?;
    // The object is there; a first name that stays is swept with the other leftovers.
    let _ = rustix::fs::unlinkat(from, from_name, AtFlags::empty());
    Ok(())
}

/// Removes what an earlier life left in `tmp/`, once and before the first file of this one is made. Returns how many.
pub(super) fn sweep_once(place: &Place, tmp: &OwnedFd) -> Result<u64> {
    let mut swept = lock(&place.swept);
    if *swept {
        return Ok(0);
    }
    let again = beneath::open_part(tmp, ".", beneath::FOLDER).map_err(|errno| place.failed("open tmp", errno))?;
    let mut removed = 0;
    for (name, kind) in beneath::entries(again).map_err(|errno| place.failed("list tmp", errno))? {
        if kind != FileType::Directory && rustix::fs::unlinkat(tmp, &name, AtFlags::empty()).is_ok() {
            removed += 1;
        }
    }
    *swept = true;
    Ok(removed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    #![allow(clippy::disallowed_methods, reason = "the test plays the others who touch a target's folder")]

    use std::fs;

    use rustix::io::Errno;

    use super::{link_new, move_new};
    use crate::directory::beneath;

    #[test]
    fn moving_never_replaces_with_or_without_renameat2() {
        let root = std::env::temp_dir().join(format!("holdfast-incoming-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let at = beneath::open_root(&root).unwrap();
        for (way, how) in [move_new, link_new].into_iter().enumerate() {
            let (new, taken) = (format!("new-{way}"), format!("taken-{way}"));
            fs::write(root.join(&new), b"new").unwrap();
            fs::write(root.join(&taken), b"old").unwrap();
            assert_eq!(how(&at, &new, &at, &taken), Err(Errno::EXIST));
            assert_eq!(fs::read(root.join(&taken)).unwrap(), b"old");
            how(&at, &new, &at, &format!("free-{way}")).unwrap();
            assert_eq!(fs::read(root.join(format!("free-{way}"))).unwrap(), b"new");
            assert!(!root.join(&new).exists());
        }
        fs::remove_dir_all(&root).unwrap();
    }
}
