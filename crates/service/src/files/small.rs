//! Small pictures of files, kept like files: sealed, spread, journalled.
//!
//! A small picture is an entry whose parent is the file that it was made of, so it has no path, goes where its file goes and is
//! erased with it. Its name says the version and the size. Nothing depends on one: what cannot be kept is made anew.

use bytes::Bytes;
use catalogue::{Tx, entries, limits::used_bytes, versions};
use futures_util::{TryStreamExt, stream};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, Version},
    id::{AccountId, EntryId, VersionId},
    units,
};
use store::{Draft, Expect, Received};

use crate::{
    Service,
    error::{Error, Result},
    limits,
    places::Place,
    tree::Stamp,
};

/// The media type of all of them.
const MEDIA_TYPE: &str = "image/jpeg";
/// Pictures of one file that are looked through for those of versions that are gone.
const PAGE: usize = 64;
/// What pictures leave free of a quota: its last tenth is for what somebody sends.
const ROOM_LEFT: u64 = 10;

impl Service {
    /// The small picture of a version that was kept, whose longer side has at most `side` pixels. Whoever asks was let see the
    /// version.
    ///
    /// # Errors
    /// As for reading a file.
    pub async fn kept_picture(&self, place: &Place, version: &Version, side: u32) -> Result<Option<Bytes>> {
        let account = place.account();
        let (file, name) = (version.entry, name_of(version.id, side));
        let found = self.look(move |tx| kept(tx, account, file, &name)).await?;
        let Some(picture) = found.filter(|picture| picture.size <= units::SMALL_FILE_BYTES_MAX) else {
            return Ok(None);
        };
        let size = picture.size;
        let mut whole = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        let mut pieces = self.store.open_version(account, picture, 0..size).await?;
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(Some(whole.into()))
    }

    /// Keeps a small picture of a version, unless it is there, the version is gone, or the account has little room left.
    ///
    /// # Errors
    /// As for writing a file.
    pub async fn keep_picture(&self, place: &Place, version: &Version, side: u32, picture: Bytes) -> Result<()> {
        let bytes = picture.len() as u64;
        if bytes == 0 || bytes > units::SMALL_FILE_BYTES_MAX {
            return Ok(());
        }
        let account = place.account();
        let of = Of { account, file: version.entry, version: version.id, name: name_of(version.id, side) };
        let asked = of.clone();
        if !self.look(move |tx| asked.is_wanted(tx, bytes)).await? {
            return Ok(());
        }
        let body = stream::iter([Ok(picture)]);
        let expect = Expect { bytes: Some(bytes), ..Expect::default() };
        let received = self.store.receive(account, body, expect).await?;
        let stamp = Stamp::of(&self.store);
        self.store.commit(move |tx, draft| of.keep(tx, draft, received, &stamp)).await
    }
}

/// What a small picture is of.
#[derive(Clone)]
struct Of {
    account: AccountId,
    file: EntryId,
    version: VersionId,
    /// Its own name below the file.
    name: String,
}

impl Of {
    fn is_wanted(&self, tx: &Tx<'_>, bytes: u64) -> Result<bool> {
        let file = entries::get(tx, self.account, self.file)?;
        let has_place = file.is_some_and(|row| row.kind == Kind::File && row.trashed.is_none());
        if !has_place || versions::get(tx, self.account, self.version)?.is_none() {
            return Ok(false);
        }
        if entries::child(tx, self.account, self.file, &self.name)?.is_some() {
            return Ok(false);
        }
        let Some(limit) = limits::in_force(tx, self.account)?.space_bytes else { return Ok(true) };
        Ok(used_bytes(tx, self.account)?.saturating_add(bytes) <= limit - limit / ROOM_LEFT)
    }

    fn keep(&self, tx: &mut Tx<'_>, draft: &mut Draft, received: Received, stamp: &Stamp) -> Result<()> {
        // Somebody may have kept the same meanwhile, or erased the file.
        if !self.is_wanted(tx, received.size)? {
            return Ok(());
        }
        self.end_outdated(tx, draft)?;
        let (entry, version) = (EntryId::random(stamp.store.entropy()), VersionId::random(stamp.store.entropy()));
        let scope = Scope::Account(self.account);
        draft.received(self.account, &received);
        draft.change(
            scope,
            Change::Version(Version {
                id: version,
                entry,
                size: received.size,
                modified_us: stamp.wall_us,
                made_us: stamp.wall_us,
                media_type: MEDIA_TYPE.to_owned(),
                blake3: received.blake3,
                crc32: received.crc32,
                sha256: received.sha256,
                key: received.key,
                content: received.content,
                replaced: None,
            }),
        );
        let (parent, name) = (self.file, self.name.clone());
        let (modified_us, current) = (stamp.wall_us, Some(version));
        let row = EntryRow { id: entry, parent, name, kind: Kind::File, modified_us, trashed: None, current };
        draft.change(scope, Change::Entry(row));
        Ok(())
    }

    /// Ends pictures of versions that are gone: a file that gets new versions for years keeps no more pictures than versions.
    fn end_outdated(&self, tx: &Tx<'_>, draft: &mut Draft) -> Result<()> {
        let scope = Scope::Account(self.account);
        for row in entries::children(tx, self.account, self.file, "", PAGE)? {
            let of = row.name.split_once('-').and_then(|(version, _)| VersionId::parse(version).ok());
            let is_there = match of {
                Some(version) => versions::get(tx, self.account, version)?.is_some(),
                None => false,
            };
            if !is_there {
                for version in versions::ids_of_entry(tx, self.account, row.id, VersionId::default(), PAGE)? {
                    draft.change(scope, Change::VersionGone(version));
                }
                draft.change(scope, Change::EntryGone(row.id));
            }
        }
        Ok(())
    }
}

fn name_of(version: VersionId, side: u32) -> String {
    format!("{version}-{side}")
}

fn kept(tx: &Tx<'_>, account: AccountId, file: EntryId, name: &str) -> Result<Option<Version>> {
    let Some(row) = entries::child(tx, account, file, name)? else { return Ok(None) };
    Ok::<_, Error>(versions::current(tx, account, row.id)?)
}
