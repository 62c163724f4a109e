//! Files and folders of an account, by path.
//!
//! Writing a file makes the folders above it in the same commit. Two writers to one path both succeed, one after the
//! other, and each leaves a version, unless a condition ([`Matches`]) says otherwise.

mod change;
mod copy;
mod erase;
mod expire;
mod history;
mod keep;
mod read;
mod small;
mod vacant;

use bytes::Bytes;
use catalogue::{Tx, entries, versions};
use futures_util::Stream;
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, Version},
    id::{EntryId, VersionId},
    outgoing::EventKind,
};
use store::{Draft, Expect, Received};

pub use change::Transfer;
pub(crate) use change::last_trashed;
pub use erase::Deletion;
pub(crate) use keep::Reached;
pub(crate) use vacant::vacant;

pub use read::{File, Listed, Listing};

use crate::{
    Service,
    error::{Error, Result},
    hooks::{self, Happened},
    limits::{self, Room},
    media,
    paths::Path,
    places::{Place, Top},
    tree::{self, Stamp},
};

/// Bodies up to this size are cheaper to receive than to ask about first.
const ASK_FIRST_ABOVE_BYTES: u64 = 64 << 10;

/// Which versions a condition names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matches {
    /// Any version: something is there.
    Any,
    /// One of these.
    These(Vec<VersionId>),
}

impl Matches {
    /// Whether it names what is there now.
    pub fn holds(&self, current: Option<VersionId>) -> bool {
        match (self, current) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::These(versions), Some(current)) => versions.contains(&current),
        }
    }
}

/// What is said of a file that is written.
#[derive(Clone, Debug, Default)]
pub struct Put {
    /// What was announced of the bytes.
    pub expect: Expect,
    /// Write only over one of these.
    pub if_match: Option<Matches>,
    /// Write only if none of these is there.
    pub if_none_match: Option<Matches>,
    /// Modification time in microseconds since 1970; else the time of arrival.
    pub modified_us: Option<i64>,
    /// Media type; else a guess from the name.
    pub media_type: Option<String>,
}

/// A version that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub version: VersionId,
    /// The file's entry.
    pub entry: EntryId,
    /// Whether there was no file before.
    pub created: bool,
    /// SHA-256 of its bytes, if it was announced or wanted.
    pub sha256: Option<[u8; 32]>,
}

impl Put {
    /// Whether the conditions hold for what is there.
    fn check(&self, path: &Path, current: Option<VersionId>) -> Result<()> {
        let refused = self.if_match.as_ref().is_some_and(|wanted| !wanted.holds(current))
            || self.if_none_match.as_ref().is_some_and(|unwanted| unwanted.holds(current));
        if refused { Err(Error::Precondition { path: path.to_string() }) } else { Ok(()) }
    }

    fn is_worth_asking_first(&self) -> bool {
        let conditional = self.if_match.is_some() || self.if_none_match.is_some();
        conditional || self.expect.bytes.is_none_or(|bytes| bytes > ASK_FIRST_ABOVE_BYTES)
    }
}

impl Service {
    /// Writes a file: its bytes become a new version, safe when this returns.
    ///
    /// # Errors
    /// Refused for a bad name or body; Conflict where a folder or a file is in the way or a condition does not hold;
    /// Retry when too few providers answer. There is no new version then.
    pub async fn put<S>(&self, place: impl Into<Place>, path: Path, body: S, put: Put) -> Result<Made>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + Unpin,
    {
        path.split()?;
        if put.media_type.as_deref().is_some_and(|text| !media::is_media_type(text)) {
            return Err(Error::MediaType);
        }
        let place = place.into();
        let account = place.account();
        let mut room = Room::default();
        if put.is_worth_asking_first() || !place.is_own() {
            let (place, path, put) = (place.clone(), path.clone(), put.clone());
            let asked =
                self.look(move |tx| ask_first(tx, &place.changes(tx)?, &path, &put).map_err(|error| place.told(error)));
            room = asked.await?;
        }
        let (body, cut) = limits::cut(body, room);
        let received = self.store.receive(account, body, put.expect).await;
        self.whole(&place, &cut).await?;
        let received = received?;
        let stamp = Stamp::of(&self.store);
        self.store
            .commit(move |tx, draft| {
                // A body takes its time; who is suspended meanwhile gets nothing in.
                let top = place.changes(tx)?;
                add_version(tx, draft, &top, &path, &put, received, &stamp).map_err(|error| place.told(error))
            })
            .await
    }

    /// Runs `f` in a read transaction, with errors of ours.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.read(move |tx| Ok(f(tx))).await?
    }
}

/// What would refuse the commit, asked before the body is read; and how many bytes are taken.
fn ask_first(tx: &Tx<'_>, top: &Top, path: &Path, put: &Put) -> Result<Room> {
    match tree::at(tx, top, path) {
        Ok(found) => put.check(path, file(found.row()?, path)?.current)?,
        Err(Error::Missing { .. }) => put.check(path, None)?,
        Err(error) => return Err(error),
    }
    let bytes = put.expect.bytes.unwrap_or(0);
    limits::admit_file(tx, top.account, bytes)?;
    limits::admit(tx, top.account, bytes)?;
    Room::of(tx, top.account, 0, 0)
}

/// A file's row.
///
/// # Errors
/// Conflict if it is a folder.
pub(crate) fn file(row: EntryRow, path: &Path) -> Result<EntryRow> {
    match row.kind {
        Kind::File => Ok(row),
        Kind::Folder => Err(Error::IsAFolder { path: path.to_string() }),
    }
}

/// Puts a received body at `path` as a new version. The decision of every upload, whole or resumed.
pub(crate) fn add_version(
    tx: &mut Tx<'_>,
    draft: &mut Draft,
    top: &Top,
    path: &Path,
    put: &Put,
    received: Received,
    stamp: &Stamp,
) -> Result<Made> {
    let (folders, name) = path.split()?;
    let account = top.account;
    limits::admit_file(tx, account, received.size)?;
    limits::admit(tx, account, received.size)?;
    let scope = Scope::Account(account);
    let parent = tree::make_folders(tx, draft, top, folders, None, stamp)?;
    let there = entries::child(tx, account, parent, name)?.map(|row| file(row, path)).transpose()?;
    put.check(path, there.as_ref().and_then(|row| row.current))?;
    let old =
        there.as_ref().and_then(|row| row.current).map(|id| versions::get(tx, account, id)).transpose()?.flatten();
    let id = VersionId::random(stamp.store.entropy());
    let entry = there.as_ref().map_or_else(|| EntryId::random(stamp.store.entropy()), |row| row.id);
    let modified_us = put.modified_us.unwrap_or(stamp.wall_us);
    draft.received(account, &received);
    if let Some(old) = old {
        draft.change(scope, Change::Version(Version { replaced: Some(stamp.at), ..old }));
    }
    let (sha256, size) = (received.sha256, received.size);
    draft.change(
        scope,
        Change::Version(Version {
            id,
            entry,
            size: received.size,
            modified_us,
            made_us: stamp.wall_us,
            media_type: put.media_type.clone().unwrap_or_else(|| media::guess(name).to_owned()),
            blake3: received.blake3,
            crc32: received.crc32,
            sha256,
            key: received.key,
            content: received.content,
            replaced: None,
        }),
    );
    let row = EntryRow {
        id: entry,
        parent,
        name: name.to_owned(),
        kind: Kind::File,
        modified_us,
        trashed: None,
        current: Some(id),
    };
    draft.change(scope, Change::Entry(row));
    let what = Happened {
        kind: EventKind::FileStored,
        path: hooks::path_in(tx, top, path)?,
        size: Some(size),
        entry: Some(entry),
        version: Some(id),
        share: None,
    };
    hooks::happened(tx, stamp.store.entropy(), account, stamp.wall_us, &what)?;
    Ok(Made { version: id, entry, created: there.is_none(), sha256 })
}

#[cfg(test)]
mod tests {
    use model::id::VersionId;

    use super::Matches;

    #[test]
    fn conditions_name_what_is_there() {
        let (a, b) = (VersionId([1; 16]), VersionId([2; 16]));
        for (condition, current, expected) in [
            (Matches::Any, Some(a), true),
            (Matches::Any, None, false),
            (Matches::These(vec![a, b]), Some(b), true),
            (Matches::These(vec![a]), Some(b), false),
            (Matches::These(vec![]), Some(b), false),
            (Matches::These(vec![a]), None, false),
        ] {
            assert_eq!(condition.holds(current), expected, "{condition:?} {current:?}");
        }
    }
}
