//! The driver for a folder on a file system of this machine: own disks, mounted ones, and the whole trial service.
//!
//! ```text
//! <root>/holdfast-target      the marker
//! <root>/<name of object>     slashes in the name are folders
//! <root>/tmp/<n>-<process>    half-written files, swept before the first write of a new process
//! <root>/aside/<name>-<n>     bad objects, for a person to look at
//! ```
//!
//! An object is written under `tmp/`, synced, renamed to a free name, and its folder is synced; only then is it there. One
//! process at a time writes to a root (its sweep would take another's half-written files; those then fail, nothing more).
//! Folders that became empty stay: removing them would race with those who are about to use them.
//!
//! - `beneath` opens names without following links, `place` does the checks and makes folders, `incoming` is a file on
//!   its way in, `listing` the sorted walk.
//! - All that blocks runs on the runtime's blocking threads: one hop per call.

mod beneath;
mod incoming;
mod listing;
mod place;

use std::{ops::Range, os::fd::OwnedFd, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::{
    fs::{AtFlags, FileType},
    io::Errno,
};
use tokio::task::spawn_blocking;

use self::{incoming::Incoming, listing::Walk, place::Place};
use crate::{
    lock, marker,
    target::{
        Abilities, DeleteTicket, Error, ObjectName, ObjectWriter, Page, Probe, Result, Target, folders_above, is_own,
    },
};

/// A folder as a target.
pub struct Directory {
    place: Arc<Place>,
}

impl Directory {
    /// Names the folder. Nothing is looked at and nothing is made; a missing folder is [`Error::Down`] at use.
    pub fn open(root: PathBuf) -> Self {
        Self { place: Arc::new(Place::new(root)) }
    }

    /// Removes half-written files of an earlier process and returns how many; the first write does the same by itself.
    ///
    /// # Errors
    /// [`Error::Down`] as for every change, [`Error::Io`].
    pub async fn sweep_tmp(&self) -> Result<u64> {
        self.hop(|place| {
            let root = place.root_for_change()?;
            let tmp = place.folder(&root, place::TMP)?;
            incoming::sweep_once(place, &tmp)
        })
        .await
    }

    /// Runs `work` where it may block.
    async fn hop<T: Send + 'static>(&self, work: impl FnOnce(&Arc<Place>) -> Result<T> + Send + 'static) -> Result<T> {
        hop(&self.place, work).await
    }
}

async fn hop<T: Send + 'static>(
    place: &Arc<Place>,
    work: impl FnOnce(&Arc<Place>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let owned = Arc::clone(place);
    match spawn_blocking(move || work(&owned)).await {
        Ok(result) => result,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(place.down("the program is stopping")),
        },
    }
}

#[async_trait]
impl Target for Directory {
    fn address(&self) -> &str {
        &self.place.address
    }

    fn abilities(&self) -> Abilities {
        Abilities::DISK
    }

    async fn probe(&self) -> Result<Probe> {
        self.hop(|place| {
            let root = place.open_root()?;
            let marker = place.marker(&root)?;
            let space = rustix::fs::fstatvfs(&root).map_err(|errno| {
                place.down(format!("its file system does not answer: {}", std::io::Error::from(errno)))
            })?;
            Ok(Probe { marker, free_bytes: Some(space.f_bavail.saturating_mul(space.f_frsize)) })
        })
        .await
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        self.place.expect(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        let present = present.cloned();
        self.hop(move |place| {
            let _turn = lock(&place.marking);
            let root = place.open_root()?;
            let found = place.marker(&root)?;
            let empty =
                found.is_some() || list(place, &root, &Walk { prefix: "", after: None, limit: 1 })?.objects.is_empty();
            marker::permits_replacing(&place.address, present.as_ref(), found.as_ref(), empty)?;
            let mut incoming = Incoming::begin(place, &root, 0)?;
            incoming.append(std::slice::from_ref(&marker))?;
            incoming.publish_marker(&root)?;
            place.expect(Some(marker));
            Ok(())
        })
        .await
    }

    async fn create(&self, name: &ObjectName, bytes_hint: u64) -> Result<Box<dyn ObjectWriter>> {
        let object = name.clone();
        let incoming = self
            .hop(move |place| {
                let root = place.root_for_change()?;
                // Told early, before the bytes are sent; the rename decides.
                match place.open_object(&root, &object, place::LOOK) {
                    Ok(_) => Err(place.exists(&object)),
                    Err(Error::Missing { .. }) => Incoming::begin(place, &root, bytes_hint),
                    Err(other) => Err(other),
                }
            })
            .await?;
        Ok(Box::new(DirectoryWriter { place: Arc::clone(&self.place), name: name.clone(), incoming: Some(incoming) }))
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        let (name, pieces) = (name.clone(), pieces.to_vec());
        self.hop(move |place| {
            let root = place.root_for_change()?;
            let mut incoming = Incoming::begin(place, &root, 0)?;
            incoming.append(&pieces)?;
            incoming.publish(&name)
        })
        .await
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        let name = name.clone();
        self.hop(move |place| {
            let root = place.open_root()?;
            match place.open_object(&root, &name, place::READ) {
                Ok((file, bytes)) => read_range(place, &file, bytes, &name, range),
                Err(missing @ Error::Missing { .. }) => place.check_absence(&root).and(Err(missing)),
                Err(other) => Err(other),
            }
        })
        .await
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        let name = name.clone();
        self.hop(move |place| {
            let root = place.open_root()?;
            match place.open_object(&root, &name, place::LOOK) {
                Ok((_, bytes)) => Ok(Some(bytes)),
                Err(Error::Missing { .. }) => place.check_absence(&root).map(|()| None),
                Err(other) => Err(other),
            }
        })
        .await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        self.hop(move |place| {
            let root = place.open_root()?;
            place.check_absence(&root)?;
            list(place, &root, &Walk { prefix: &prefix, after: after.as_ref().map(ObjectName::as_str), limit })
        })
        .await
    }

    async fn occupant(&self) -> Result<Option<String>> {
        self.hop(|place| {
            let root = place.open_root()?;
            let first =
                beneath::first_entry(root, |name| !is_own(name)).map_err(|errno| place.failed("list", errno))?;
            Ok(first)
        })
        .await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        let name = name.clone();
        self.hop(move |place| set_aside(place, &name)).await
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        let name = ticket.name.clone();
        self.hop(move |place| delete(place, &name)).await
    }

    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()> {
        let (marker, folders) = (marker.clone(), folders_above(names));
        self.hop(move |place| leave(place, &marker, &folders)).await
    }
}

fn list(place: &Place, root: &OwnedFd, walk: &Walk<'_>) -> Result<Page> {
    walk.run(root).map_err(|errno| place.failed("list", errno))
}

/// Reads exactly `range` of a file of `bytes` bytes, into memory that is not cleared first.
fn read_range(place: &Place, file: &OwnedFd, bytes: u64, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
    let short = |got| Error::Short { target: place.address.clone(), name: name.to_string(), expected: range.end, got };
    if range.end > bytes {
        return Err(short(bytes));
    }
    let wanted =
        usize::try_from(range.end.saturating_sub(range.start)).map_err(|_| place.failed("read", Errno::FBIG))?;
    let mut buffer = Vec::with_capacity(wanted);
    while buffer.len() < wanted {
        let at = range.start + buffer.len() as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut buffer), at) {
            Ok(0) => return Err(short(at)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(place.failed("read", errno)),
        }
    }
    buffer.truncate(wanted);
    Ok(Bytes::from(buffer))
}

/// Opens the folder that holds `name`, `None` if there is none.
fn holder(place: &Place, root: &OwnedFd, path: &str) -> Result<Option<OwnedFd>> {
    match beneath::open(root, if path.is_empty() { "." } else { path }, beneath::FOLDER) {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(Errno::LOOP) => {
            let what = beneath::describe(FileType::Symlink);
            Err(Error::NotAnObject { target: place.address.clone(), name: path.to_owned(), what })
        }
        Err(errno) => Err(place.failed("open folder", errno)),
    }
}

/// Moves whatever lies under the name, a link or a device too, but never a folder: others' objects may be in it.
fn set_aside(place: &Place, name: &ObjectName) -> Result<()> {
    let root = place.root_for_change()?;
    let (path, leaf) = place::split(name.as_str());
    let from = holder(place, &root, path)?.ok_or_else(|| place.missing(name))?;
    match beneath::kind(&from, leaf) {
        Ok(FileType::Directory) => {
            return Err(Error::NotAnObject { target: place.address.clone(), name: name.to_string(), what: "a folder" });
        }
        Ok(_) => {}
        Err(Errno::NOENT) => return Err(place.missing(name)),
        Err(errno) => return Err(place.failed("stat", errno)),
    }
    let aside = if path.is_empty() { place::ASIDE.to_owned() } else { format!("{}/{path}", place::ASIDE) };
    let to = place.folder(&root, &aside)?;
    let mut n = 0_u64;
    while let Err(errno) = incoming::move_new(&from, leaf, &to, &format!("{leaf}-{n}")) {
        match errno {
            Errno::EXIST => n += 1,
            Errno::NOENT => return Err(place.missing(name)),
            other => return Err(place.failed("rename", other)),
        }
    }
    // The new name first: a power cut may show the object twice, never not at all.
    rustix::fs::fsync(&to).and_then(|()| rustix::fs::fsync(&from)).map_err(|errno| place.failed("sync folder", errno))
}

/// Unlinks without a sync: an object that a power cut brings back is one that no record wants, and is reclaimed again.
fn delete(place: &Place, name: &ObjectName) -> Result<()> {
    let root = place.root_for_change()?;
    let (path, leaf) = place::split(name.as_str());
    let Some(folder) = holder(place, &root, path)? else { return Ok(()) };
    match beneath::kind(&folder, leaf) {
        Ok(FileType::RegularFile) => {}
        Ok(other) => {
            let what = beneath::describe(other);
            return Err(Error::NotAnObject { target: place.address.clone(), name: name.to_string(), what });
        }
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(place.failed("stat", errno)),
    }
    match rustix::fs::unlinkat(&folder, leaf, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(place.failed("delete", errno)),
    }
}

/// Folders go if the system finds them empty; the marker goes last, so that whoever is cut off may do it again.
fn leave(place: &Place, ours: &Bytes, folders: &[String]) -> Result<()> {
    let _turn = lock(&place.marking);
    let root = place.open_root()?;
    let first = list(place, &root, &Walk { prefix: "", after: None, limit: 1 })?;
    marker::permits_leaving(&place.address, ours, place.marker(&root)?.as_ref(), first.objects.first())?;
    for folder in folders {
        let (path, leaf) = place::split(folder);
        let Some(above) = holder(place, &root, path)? else { continue };
        match rustix::fs::unlinkat(&above, leaf, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
            Err(errno) => return Err(place.failed("remove folder", errno)),
        }
    }
    place.expect(None);
    rustix::fs::unlinkat(&root, place::MARKER, AtFlags::empty()).map_err(|errno| place.failed("remove marker", errno))
}

struct DirectoryWriter {
    place: Arc<Place>,
    name: ObjectName,
    /// `None` after an error: the file is removed and nothing more is taken.
    incoming: Option<Incoming>,
}

impl DirectoryWriter {
    fn take(&mut self) -> Result<Incoming> {
        // CANCELED, as an earlier call failed or was dropped halfway.
        self.incoming.take().ok_or_else(|| self.place.failed("write to an abandoned object", Errno::CANCELED))
    }
}

#[async_trait]
impl ObjectWriter for DirectoryWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut incoming = self.take()?;
        let written = hop(&self.place, move |_| incoming.append(&[bytes]).map(|()| incoming)).await?;
        self.incoming = Some(written);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        let incoming = self.take()?;
        let name = self.name.clone();
        hop(&self.place, move |_| incoming.publish(&name)).await
    }
}

impl Drop for DirectoryWriter {
    fn drop(&mut self) {
        // Removing a long file blocks, so not here if it can be elsewhere.
        if let (Some(incoming), Ok(runtime)) = (self.incoming.take(), tokio::runtime::Handle::try_current()) {
            drop(runtime.spawn_blocking(move || drop(incoming)));
        }
    }
}
