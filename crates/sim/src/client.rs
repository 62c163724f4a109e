//! What clients do: the verbs of hosting, put together from the store's own.
//!
//! Each decides in the commit's closure as `service` would: a name that is taken, or an entry that is not there any more,
//! refuses the change. The sender of a body can be slow, cut it in odd pieces, and break off.

use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, Trashed, Version},
    id::{AccountId, EntryId, UploadId, VersionId},
    world::Timer,
};
use store::{Draft, Error, Expect, Received, Store};

use crate::{chance::Chance, exec::Time, model::Content};

/// How a body comes in.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bytes of a piece.
    pub piece_bytes: u64,
    /// Pause before each piece; 0 for none.
    pub pause_us: u64,
    /// After so many bytes the sender breaks off.
    pub breaks_at: Option<u64>,
}

impl Pace {
    /// Draws one for a body of `size` bytes.
    pub fn draw(chance: &Chance, size: u64) -> Self {
        let piece_bytes = *chance.pick(&[1_000, 10_007, 65_520, 65_536, 200_000]).unwrap_or(&65_536);
        // Small pieces of a large body cost much and find little.
        let piece_bytes = piece_bytes.max(size / 64);
        let pause_us = match chance.below(12) {
            0 => 2_500_000,
            1..=3 => chance.between(100, 40_000),
            _ => 0,
        };
        Self { piece_bytes, pause_us, breaks_at: None }
    }
}

/// The bytes of `content` from `from` on, at a sender's pace.
pub fn body(
    content: Content,
    from: u64,
    pace: Pace,
    time: Time,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    let pieces = stream::unfold(Some(from), move |at| {
        let time = time.clone();
        async move {
            let at = at?;
            if pace.pause_us > 0 {
                time.sleep(pace.pause_us).await;
            }
            if pace.breaks_at.is_some_and(|end| at >= from + end) {
                return Some((Err(io::ErrorKind::ConnectionReset.into()), None));
            }
            if at >= content.size {
                return None;
            }
            let end = (at + pace.piece_bytes).min(content.size);
            Some((Ok(Bytes::from(content.range(at, end))), Some(end)))
        }
    });
    Box::pin(pieces)
}

/// Who acts on which store.
#[derive(Clone)]
pub struct Client {
    /// The store.
    pub store: Store,
    /// Whose files.
    pub account: AccountId,
    /// Time, for senders.
    pub time: Time,
}

fn refused(what: &str) -> Error {
    Error::Setup { what: what.to_owned() }
}

/// A version of what was received.
fn version_of(received: &Received, id: VersionId, entry: EntryId, wall_us: i64) -> Version {
    Version {
        id,
        entry,
        size: received.size,
        modified_us: wall_us,
        made_us: wall_us,
        media_type: "application/octet-stream".into(),
        blake3: received.blake3,
        crc32: received.crc32,
        sha256: received.sha256,
        key: received.key,
        content: received.content.clone(),
        replaced: None,
    }
}

fn row(entry: EntryId, parent: EntryId, name: &str, current: VersionId, modified_us: i64) -> EntryRow {
    let (name, current) = (name.to_owned(), Some(current));
    EntryRow { id: entry, parent, name, kind: Kind::File, modified_us, trashed: None, current }
}

impl Client {
    /// Makes a folder in the root.
    pub async fn make_folder(&self, entry: EntryId, name: &str) -> Result<(), Error> {
        let account = self.account;
        let row = EntryRow {
            id: entry,
            parent: model::entry::ROOT,
            name: name.to_owned(),
            kind: Kind::Folder,
            modified_us: 0,
            trashed: None,
            current: None,
        };
        self.store
            .commit(move |_, draft| {
                draft.change(Scope::Account(account), Change::Entry(row));
                Ok(())
            })
            .await
    }

    /// Takes a body in.
    pub async fn send(&self, content: Content, pace: Pace, announced: bool) -> Result<Received, Error> {
        let expect = Expect { bytes: announced.then_some(content.size), ..Expect::default() };
        self.store.receive(self.account, body(content, 0, pace, self.time.clone()), expect).await
    }

    /// Makes a new file of what was received, and ends the upload that brought it.
    pub async fn make_file(
        &self,
        received: Received,
        (entry, version): (EntryId, VersionId),
        (parent, name): (EntryId, String),
        upload: Option<UploadId>,
    ) -> Result<(), Error> {
        let account = self.account;
        let wall_us = self.store.now().wall_us;
        self.store
            .commit(move |tx, draft| {
                if catalogue::entries::child(tx, account, parent, &name)?.is_some() {
                    return Err(refused("the name is taken"));
                }
                if let Some(upload) = upload {
                    draft.end_upload(tx, account, upload)?;
                }
                let made = version_of(&received, version, entry, wall_us);
                let scope = Scope::Account(account);
                draft.change(scope, Change::Entry(row(entry, parent, &name, version, wall_us)));
                draft.change(scope, Change::Version(made));
                draft.received(account, &received);
                Ok(())
            })
            .await
    }

    /// Puts a new version in the place of the current one.
    pub async fn overwrite(&self, received: Received, entry: EntryId, version: VersionId) -> Result<(), Error> {
        let account = self.account;
        let now = (self.store.now().wall_us, self.store.service_time());
        self.store
            .commit(move |tx, draft| {
                let mut row = known(tx, account, entry)?;
                let scope = Scope::Account(account);
                let old = row.current.map(|old| catalogue::versions::get(tx, account, old)).transpose()?.flatten();
                if let Some(old) = old {
                    draft.change(scope, Change::Version(Version { replaced: Some(now.1), ..old }));
                }
                row.current = Some(version);
                draft.change(scope, Change::Version(version_of(&received, version, entry, now.0)));
                draft.change(scope, Change::Entry(row));
                draft.received(account, &received);
                Ok(())
            })
            .await
    }

    /// Moves a file: one row changes.
    pub async fn rename(&self, entry: EntryId, parent: EntryId, name: String) -> Result<(), Error> {
        let account = self.account;
        self.store
            .commit(move |tx, draft| {
                if catalogue::entries::child(tx, account, parent, &name)?.is_some() {
                    return Err(refused("the name is taken"));
                }
                let row = known(tx, account, entry)?;
                draft.change(Scope::Account(account), Change::Entry(EntryRow { parent, name, ..row }));
                Ok(())
            })
            .await
    }

    /// Puts a file in the trash, or takes it out.
    pub async fn trash(&self, entry: EntryId, into: bool) -> Result<(), Error> {
        let account = self.account;
        let trashed = into.then(|| Trashed { at: self.store.service_time(), wall_us: self.store.now().wall_us });
        self.store
            .commit(move |tx, draft| {
                let row = known(tx, account, entry)?;
                if !into && catalogue::entries::child(tx, account, row.parent, &row.name)?.is_some() {
                    return Err(refused("the name is taken"));
                }
                draft.change(Scope::Account(account), Change::Entry(EntryRow { trashed, ..row }));
                Ok(())
            })
            .await
    }

    /// Ends a file and all its versions for good.
    pub async fn erase(&self, entry: EntryId) -> Result<(), Error> {
        let account = self.account;
        self.store
            .commit(move |tx, draft| {
                end_versions(tx, draft, account, entry, None)?;
                draft.change(Scope::Account(account), Change::EntryGone(entry));
                Ok(())
            })
            .await
    }

    /// Ends the versions that others took the place of.
    pub async fn forget_old(&self, entry: EntryId) -> Result<(), Error> {
        let account = self.account;
        self.store
            .commit(move |tx, draft| {
                let keep = known(tx, account, entry)?.current;
                end_versions(tx, draft, account, entry, keep)
            })
            .await
    }

    /// Reads a range of a version.
    pub async fn read(&self, version: VersionId, from: u64, to: u64) -> Result<Vec<u8>, Error> {
        let account = self.account;
        let found = self.store.read(move |tx| catalogue::versions::get(tx, account, version)).await?;
        let found = found.ok_or_else(|| refused("there is no such version"))?;
        let mut reading = self.store.open_version(account, found, from..to).await?;
        let mut all = Vec::new();
        while let Some(part) = reading.next().await {
            all.extend_from_slice(&part?);
        }
        Ok(all)
    }
}

fn known(tx: &catalogue::Tx<'_>, account: AccountId, entry: EntryId) -> Result<EntryRow, Error> {
    catalogue::entries::get(tx, account, entry)?.ok_or_else(|| refused("there is no such entry"))
}

fn end_versions(
    tx: &catalogue::Tx<'_>,
    draft: &mut Draft,
    account: AccountId,
    entry: EntryId,
    keep: Option<VersionId>,
) -> Result<(), Error> {
    for id in catalogue::versions::ids_of_entry(tx, account, entry, VersionId::default(), 1_000)? {
        if Some(id) != keep {
            draft.change(Scope::Account(account), Change::VersionGone(id));
        }
    }
    Ok(())
}
