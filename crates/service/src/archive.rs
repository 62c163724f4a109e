//! What a folder holds, all of it, for whoever takes it home in one piece.

use std::sync::Arc;

use catalogue::{
    Tx,
    entries::{self, Listed},
    versions,
};
use model::{
    entry::{Kind, Version},
    id::{AccountId, EntryId, VersionId},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Service,
    error::{Error, Result},
    paths::Path,
    places::Place,
    tree,
    walk::Walk,
};

/// The most entries of one archive, and the most bytes of their paths. With them an archive takes some 35 MiB at most, and
/// [`AT_ONCE`] of them are under way at a time.
pub const ARCHIVE_ENTRIES_MAX: usize = 100_000;
const PATH_BYTES_MAX: usize = 8 << 20;
/// The longest path that a zip's header can name, with the slash of a folder.
const PATH_BYTES_EACH_MAX: usize = 65_534;
/// Archives under way at a time; who asks for more is told to come again.
const AT_ONCE: usize = 8;
/// One entry of an archive, in the order of a walk: a folder comes before what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// The names that lead to it from the archived folder on, with slashes between.
    pub path: String,
    /// For a file: its current version. A folder has none.
    pub version: Option<VersionId>,
    /// Plaintext bytes.
    pub size: u64,
    /// CRC-32 of them.
    pub crc32: u32,
    /// BLAKE3 of them.
    pub blake3: [u8; 32],
    /// Modification time.
    pub modified_us: i64,
}

/// What goes into an archive, as long as it fits.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    entries: Vec<Archived>,
    path_bytes: usize,
}

impl Gathered {
    /// Whether an entry has this path.
    pub fn has(&self, path: &str) -> bool {
        self.entries.iter().any(|entry| entry.path == path)
    }

    /// Takes one more.
    ///
    /// # Errors
    /// [`Error::ArchiveTooLarge`].
    pub fn add(&mut self, path: String, listed: &Listed) -> Result<()> {
        let (entry, version) = (&listed.entry, listed.version.as_ref());
        self.path_bytes += path.len();
        if self.entries.len() >= ARCHIVE_ENTRIES_MAX
            || self.path_bytes > PATH_BYTES_MAX
            || path.len() > PATH_BYTES_EACH_MAX
        {
            return Err(Error::ArchiveTooLarge);
        }
        self.entries.push(Archived {
            path,
            version: version.map(|version| version.id),
            size: version.map_or(0, |version| version.size),
            crc32: version.map_or(0, |version| version.crc32),
            blake3: version.map_or([0; 32], |version| version.blake3),
            modified_us: version.map_or(entry.modified_us, |version| version.modified_us),
        });
        Ok(())
    }
}

/// A folder's content as it was at one moment.
#[derive(Debug)]
pub struct Archive {
    /// The folder's name; empty for the whole tree.
    pub name: String,
    /// The folder.
    pub folder: EntryId,
    /// All that is in it.
    pub entries: Vec<Archived>,
    /// What the list of checksums is called that goes with it, if one does.
    pub sums: Option<String>,
    place: Place,
    _room: OwnedSemaphorePermit,
}

/// Room for archives under way.
#[derive(Clone)]
pub(crate) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Places {
    fn take(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| Error::ArchivesBusy)
    }
}

impl Archive {
    pub(crate) fn new(name: String, folder: EntryId, all: Gathered, place: Place, room: OwnedSemaphorePermit) -> Self {
        Self { name, folder, entries: all.entries, sums: None, place, _room: room }
    }

    /// The same with a list of checksums of this name.
    pub(crate) fn with_sums(self, name: String) -> Self {
        Self { sums: Some(name), ..self }
    }

    /// Names this very content: another name, version or time in it, and it is another.
    pub fn fingerprint(&self) -> String {
        let mut print = blake3::Hasher::new();
        for entry in &self.entries {
            print.update(entry.path.as_bytes()).update(b"/");
            print.update(&entry.version.unwrap_or_default().0).update(&entry.modified_us.to_le_bytes());
        }
        print.finalize().to_hex()[..32].to_owned()
    }
}

impl Service {
    /// Room for one more archive under way.
    pub(crate) fn room_for_archive(&self) -> Result<OwnedSemaphorePermit> {
        self.archives.take()
    }

    /// What the folder at `path` holds; only those of its entries that `only` names, if it names some.
    ///
    /// # Errors
    /// Missing if there is none, or a name that is not in it; [`Error::ArchiveTooLarge`].
    pub async fn archive(&self, place: impl Into<Place>, path: Path, only: Vec<String>) -> Result<Archive> {
        let (place, room) = (place.into(), self.room_for_archive()?);
        self.look(move |tx| {
            let top = place.sees(tx)?;
            let folder = tree::folder(tx, &top, path.names())?;
            let shared = top.row.map(|row| row.name);
            let name = path.names().last().cloned().or(shared).unwrap_or_default();
            let all = gather(tx, top.account, folder, only)?;
            Ok(Archive::new(name, folder, all, place, room))
        })
        .await
    }

    /// The version of one file of an archive, and who may read it. Asked before each file: an archive goes on for hours, and
    /// its link or account may end meanwhile.
    ///
    /// # Errors
    /// Missing if it was erased since; what ended the place.
    pub async fn archived(&self, archive: &Archive, index: usize) -> Result<(Place, Version)> {
        let missing = || Error::Missing { path: "a file of the archive".to_owned() };
        let id = archive.entries.get(index).and_then(|entry| entry.version).ok_or_else(missing)?;
        let place = archive.place.renewed(self.store.now().wall_us);
        let asked = place.clone();
        let find = move |tx: &Tx<'_>| {
            let top = asked.sees(tx)?;
            let Some(version) = versions::get(tx, top.account, id)? else { return Ok(None) };
            Ok(if tree::is_below(tx, &top, version.entry)? { Some(version) } else { None })
        };
        let version = self.look(find).await?.ok_or_else(missing)?;
        Ok((place, version))
    }
}

fn gather(tx: &Tx<'_>, account: AccountId, top: EntryId, only: Vec<String>) -> Result<Gathered> {
    if let Some(absent) = absent(tx, account, top, &only)? {
        return Err(Error::Missing { path: format!("/{absent}") });
    }
    let (mut walk, mut all) = (Walk::of(account, top, only), Gathered::default());
    while let Some((path, listed)) = walk.next(tx)? {
        // A file whose first bytes are still on their way has no version yet.
        if listed.entry.kind == Kind::Folder || listed.version.is_some() {
            all.add(path, &listed)?;
        }
    }
    Ok(all)
}

/// The first of `only` that is not in the folder.
fn absent<'n>(tx: &Tx<'_>, account: AccountId, folder: EntryId, only: &'n [String]) -> Result<Option<&'n String>> {
    for name in only {
        if entries::child(tx, account, folder, name)?.is_none() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
