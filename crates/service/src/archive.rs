//! What a folder holds, all of it, for whoever takes it home in one piece.

use std::sync::Arc;

use catalogue::{Tx, entries, versions};
use model::{
    entry::{Kind, Version},
    id::{AccountId, EntryId, VersionId},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Caller, Link, Service,
    error::{Error, Result},
    paths::Path,
    tree,
};

/// The most entries of one archive, and the most bytes of their paths. With them an archive takes some 30 MiB at most, and
/// [`AT_ONCE`] of them are under way at a time.
pub const ARCHIVE_ENTRIES_MAX: usize = 100_000;
const PATH_BYTES_MAX: usize = 8 << 20;
/// The longest path that a zip's header can name, with the slash of a folder.
const PATH_BYTES_EACH_MAX: usize = 65_534;
/// Archives under way at a time; who asks for more is told to come again.
const AT_ONCE: usize = 8;
/// Entries read at a time.
const PAGE: usize = 1_000;

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
    /// Modification time.
    pub modified_us: i64,
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
    account: AccountId,
    /// The link that shows it, if one does.
    code: Option<[u8; 16]>,
    _place: OwnedSemaphorePermit,
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
    /// What the folder at `path` holds; only those of its entries that `only` names, if it names some.
    ///
    /// # Errors
    /// Missing if there is none, or a name that is not in it; [`Error::ArchiveTooLarge`].
    pub async fn archive(&self, caller: &Caller, path: Path, only: Vec<String>) -> Result<Archive> {
        let (account, place) = (caller.account, self.archives.take()?);
        self.look(move |tx| {
            let folder = tree::folder(tx, account, path.names())?;
            let name = path.names().last().cloned().unwrap_or_default();
            let entries = gather(tx, account, folder, &only)?;
            Ok(Archive { name, folder, entries, account, code: None, _place: place })
        })
        .await
    }

    /// What the folder holds that a link shows, or one at `path` in it.
    ///
    /// # Errors
    /// As [`Service::archive`].
    pub async fn linked_archive(&self, link: &Link, path: Path) -> Result<Archive> {
        let (account, top, place) = (link.account(), link.entry.clone(), self.archives.take()?);
        let code = Some(link.row.code);
        self.look(move |tx| {
            let row = crate::shares::below(tx, account, top, &path)?;
            match row.kind {
                Kind::Folder => {
                    let entries = gather(tx, account, row.id, &[])?;
                    Ok(Archive { name: row.name, folder: row.id, entries, account, code, _place: place })
                }
                Kind::File => Err(Error::NotAFolder { path: path.to_string() }),
            }
        })
        .await
    }

    /// The version of one file of an archive, and who may read it. Asked before each file: an archive goes on for hours, and
    /// its link or account may end meanwhile.
    ///
    /// # Errors
    /// Missing if it was erased since; those of [`Service::link`], and [`Error::Suspended`].
    pub async fn archived(&self, archive: &Archive, index: usize) -> Result<(Caller, Version)> {
        let account = archive.account;
        if let Some(code) = archive.code {
            self.live_link(code).await?;
        }
        let missing = || Error::Missing { path: "a file of the archive".to_owned() };
        let id = archive.entries.get(index).and_then(|entry| entry.version).ok_or_else(missing)?;
        let find = move |tx: &Tx<'_>| {
            crate::tokens::role_of(tx, account)?;
            Ok(versions::get(tx, account, id)?)
        };
        let version = self.look(find).await?.ok_or_else(missing)?;
        Ok((Caller { account, role: model::account::Role::User, session: None }, version))
    }
}

fn gather(tx: &Tx<'_>, account: AccountId, top: EntryId, only: &[String]) -> Result<Vec<Archived>> {
    if let Some(absent) = absent(tx, account, top, only)? {
        return Err(Error::Missing { path: format!("/{absent}") });
    }
    let mut found = Vec::new();
    let mut path_bytes = 0;
    // Each folder that is still to be read, and the path that leads to it; the one to read next is the last.
    let mut waiting = vec![(top, String::new())];
    while let Some((folder, above)) = waiting.pop() {
        let mut after = String::new();
        loop {
            let page = entries::list(tx, account, folder, &after, PAGE)?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.entry.name);
            for listed in page {
                let (entry, version) = (listed.entry, listed.version);
                let wanted = folder != top || only.is_empty() || only.contains(&entry.name);
                // A file whose first bytes are still on their way has no version yet.
                if !wanted || (entry.kind == Kind::File && version.is_none()) {
                    continue;
                }
                let path = if above.is_empty() { entry.name } else { format!("{above}/{}", entry.name) };
                path_bytes += path.len();
                if found.len() >= ARCHIVE_ENTRIES_MAX || path_bytes > PATH_BYTES_MAX || path.len() > PATH_BYTES_EACH_MAX
                {
                    return Err(Error::ArchiveTooLarge);
                }
                if entry.kind == Kind::Folder {
                    waiting.push((entry.id, path.clone()));
                }
                found.push(Archived {
                    path,
                    version: version.as_ref().map(|version| version.id),
                    size: version.as_ref().map_or(0, |version| version.size),
                    crc32: version.as_ref().map_or(0, |version| version.crc32),
                    modified_us: version.as_ref().map_or(entry.modified_us, |version| version.modified_us),
                });
            }
        }
    }
    Ok(found)
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
