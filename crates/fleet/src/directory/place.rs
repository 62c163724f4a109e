//! What a [`Directory`](super::Directory) knows, and the checks before it acts. Everything here blocks.
//!
//! The root is opened anew for every operation: after a wipe, an unmount or a restored copy an old handle would still work
//! and lead to files that nobody can reach any more.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use rustix::{
    fs::{FileType, Mode, OFlags},
    io::Errno,
};

use super::beneath;
use crate::{
    lock, marker,
    target::{Error, ObjectName, RESERVED, Result},
};

/// The marker's file in the root.
pub(super) const MARKER: &str = RESERVED[0];
/// Where files are written before they get their name.
pub(super) const TMP: &str = RESERVED[1];
/// Where bad objects are moved.
pub(super) const ASIDE: &str = RESERVED[2];

/// To look at an object without opening what may be a device.
pub(super) const LOOK: OFlags = OFlags::PATH;
/// To read an object. Without NONBLOCK a pipe in its place would hang the reader for ever.
pub(super) const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);

/// Only the service's own user reads or writes here.
const FOLDER_MODE: Mode = Mode::RWXU;
/// A marker is a few hundred bytes; a file beyond this is none, whatever its name.
const MARKER_BYTES_MAX: usize = 64 << 10;
/// Folders that are remembered as durable; shards spread over some hundred.
const DURABLE_FOLDERS_MAX: usize = 1 << 16;

pub(super) struct Place {
    pub(super) address: String,
    root: PathBuf,
    expected: Mutex<Option<Bytes>>,
    /// Inode numbers of folders whose own name is known to be durable, by path. See [`Place::folder`].
    durable: Mutex<BTreeMap<String, u64>>,
    /// Held while folders are made.
    making: Mutex<()>,
    /// Held while the marker is replaced.
    pub(super) marking: Mutex<()>,
    /// Whether `tmp/` was swept.
    pub(super) swept: Mutex<bool>,
    serial: AtomicU64,
}

impl Place {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            address: root.display().to_string(),
            root,
            expected: Mutex::default(),
            durable: Mutex::default(),
            making: Mutex::default(),
            marking: Mutex::default(),
            swept: Mutex::default(),
            serial: AtomicU64::new(0),
        }
    }

    /// A number that no other call of this process gets.
    pub(super) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn expect(&self, marker: Option<Bytes>) {
        *lock(&self.expected) = marker;
    }

    /// Opens the root. Whatever keeps it from being opened, the target is down and nothing is made.
    pub(super) fn open_root(&self) -> Result<OwnedFd> {
        beneath::open_root(&self.root).map_err(|errno| match errno {
            Errno::NOENT => self.down("its folder is missing; it is not made anew, as it may only be unmounted"),
            Errno::NOTDIR => self.down("it is not a folder"),
            other => self.down(format!("its folder cannot be opened: {}", std::io::Error::from(other))),
        })
    }

    /// Opens the root for a change: the marker must be the expected one.
    pub(super) fn root_for_change(&self) -> Result<OwnedFd> {
        let root = self.open_root()?;
        self.check_marker(&root, marker::permits_change)?;
        Ok(root)
    }

    /// Checks that "there is none" may be said of the target in `root`.
    pub(super) fn check_absence(&self, root: impl AsFd) -> Result<()> {
        if lock(&self.expected).is_none() {
            return Ok(());
        }
        self.check_marker(root, marker::permits_absence)
    }

    fn check_marker(
        &self,
        root: impl AsFd,
        permits: fn(&str, Option<&Bytes>, Option<&Bytes>) -> Result<()>,
    ) -> Result<()> {
        let judge = || {
            let found = self.marker(&root)?;
            permits(&self.address, lock(&self.expected).as_ref(), found.as_ref())
        };
        judge().or_else(|_| {
            // Perhaps it is being replaced just now, by ourselves.
            let _turn = lock(&self.marking);
            judge()
        })
    }

    /// Reads the marker, `None` where there is none.
    pub(super) fn marker(&self, root: impl AsFd) -> Result<Option<Bytes>> {
        let unreadable = |errno| self.down(format!("its marker cannot be read: {}", std::io::Error::from(errno)));
        let file = match beneath::open_part(root, MARKER, READ) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(self.down("its marker is a symbolic link, which is not followed")),
            Err(errno) => return Err(unreadable(errno)),
        };
        let mut bytes = Vec::with_capacity(4096);
        loop {
            bytes.reserve(4096);
            match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)).map_err(unreadable)? {
                0 => return Ok(Some(Bytes::from(bytes))),
                _ if bytes.len() > MARKER_BYTES_MAX => return Err(self.down("its marker is too long to be one")),
                _ => {}
            }
        }
    }

    /// Opens an object and returns its length. `flags` is one of [`LOOK`] and [`READ`].
    pub(super) fn open_object(&self, root: impl AsFd, name: &ObjectName, flags: OFlags) -> Result<(OwnedFd, u64)> {
        let not_an_object = |kind| Error::NotAnObject {
            target: self.address.clone(),
            name: name.to_string(),
            what: beneath::describe(kind),
        };
        let file = beneath::open(&root, name.as_str(), flags).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR => self.missing(name),
            Errno::LOOP => not_an_object(FileType::Symlink),
            Errno::NXIO => not_an_object(FileType::Socket),
            other => self.failed("open", other),
        })?;
        let stat = rustix::fs::fstat(&file).map_err(|errno| self.failed("stat", errno))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((file, u64::try_from(stat.st_size).unwrap_or(0))),
            kind => Err(not_an_object(kind)),
        }
    }

    /// Opens `path` for entries to be added, making what is missing. On return its name, and that of every folder above it,
    /// survives a power cut.
    ///
    /// A folder that is found is not yet one that is durable: another writer may have made it a moment ago, or this service
    /// before it crashed. So each is synced into its parent once per process, and known by its inode number afterwards.
    pub(super) fn folder(&self, root: impl AsFd, path: &str) -> Result<OwnedFd> {
        if path.is_empty() {
            return beneath::open_part(root, ".", beneath::FOLDER).map_err(|errno| self.failed("open folder", errno));
        }
        if let Ok(folder) = beneath::open(&root, path, beneath::FOLDER)
            && lock(&self.durable).get(path) == Some(&self.inode(&folder)?)
        {
            return Ok(folder);
        }
        let _turn = lock(&self.making);
        let mut at =
            beneath::open_part(root, ".", beneath::FOLDER).map_err(|errno| self.failed("open folder", errno))?;
        let mut end = 0;
        for part in path.split('/') {
            end += part.len();
            at = self.step_into(&at, part, &path[..end])?;
            end += 1;
        }
        Ok(at)
    }

    /// Opens or makes the folder `part` in `at`, durably. `path` is its path from the root.
    fn step_into(&self, at: &OwnedFd, part: &str, path: &str) -> Result<OwnedFd> {
        let mut made = false;
        let folder = loop {
            match beneath::open_part(at, part, beneath::FOLDER) {
                Ok(folder) => break folder,
                Err(Errno::NOENT) if !made => {
                    lock(&self.durable).remove(path);
                    match rustix::fs::mkdirat(at, part, FOLDER_MODE) {
                        Ok(()) | Err(Errno::EXIST) => made = true,
                        Err(errno) => return Err(self.failed("make folder", errno)),
                    }
                }
                Err(Errno::LOOP | Errno::NOTDIR) => {
                    let what = beneath::kind(at, part).map_or("not a folder", beneath::describe);
                    return Err(Error::NotAnObject { target: self.address.clone(), name: path.to_owned(), what });
                }
                Err(errno) => return Err(self.failed("open folder", errno)),
            }
        };
        let inode = self.inode(&folder)?;
        if lock(&self.durable).get(path) != Some(&inode) {
            if let Err(errno) = rustix::fs::fsync(at) {
                // What could not be synced is not trusted to a second sync: the empty folder goes.
                let _ = rustix::fs::unlinkat(at, part, rustix::fs::AtFlags::REMOVEDIR);
                return Err(self.failed("sync folder", errno));
            }
            let mut durable = lock(&self.durable);
            if durable.len() >= DURABLE_FOLDERS_MAX {
                durable.clear();
            }
            durable.insert(path.to_owned(), inode);
        }
        Ok(folder)
    }

    fn inode(&self, folder: &OwnedFd) -> Result<u64> {
        Ok(rustix::fs::fstat(folder).map_err(|errno| self.failed("stat folder", errno))?.st_ino)
    }

    pub(super) fn down(&self, reason: impl Into<String>) -> Error {
        Error::Down { target: self.address.clone(), reason: reason.into() }
    }

    pub(super) fn missing(&self, name: &ObjectName) -> Error {
        Error::Missing { target: self.address.clone(), name: name.to_string() }
    }

    pub(super) fn exists(&self, name: &ObjectName) -> Error {
        Error::Exists { target: self.address.clone(), name: name.to_string() }
    }

    /// Says what the operating system's refusal means.
    pub(super) fn failed(&self, verb: &'static str, errno: Errno) -> Error {
        match errno {
            Errno::NOSPC | Errno::DQUOT => Error::Full { target: self.address.clone() },
            Errno::STALE | Errno::NOTCONN | Errno::NODEV | Errno::SHUTDOWN => {
                self.down(format!("it went away during {verb}: {}", std::io::Error::from(errno)))
            }
            other => Error::Io { target: self.address.clone(), verb, source: Arc::new(std::io::Error::from(other)) },
        }
    }
}

/// Splits an object's name into its folder (empty for the root) and the last part.
pub(super) fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}
