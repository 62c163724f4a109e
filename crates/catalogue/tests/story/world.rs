//! What the stories share: a catalogue, ids in a row, rows with little typing.

use catalogue::{Catalogue, Error, Result, Tx, apply, bump_revision};
use model::{
    Change, Scope,
    account::AccountRow,
    entry::{Content, EntryRow, Kind, ROOT, SegmentRef, Trashed, Version},
    id::{AccountId, EntryId, MakeId, PackId, SegmentId, TargetId, VersionId},
    pack::{Location, Make, Pack},
    units::ServiceTime,
};
use std::{
    fs,
    future::Future,
    path::PathBuf,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// Runs a future on this thread: the catalogue needs no runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// A folder that is gone with its test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("holdfast-catalogue-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A catalogue with one account, and a counter that ids come from.
pub struct World {
    pub catalogue: Catalogue,
    pub account: AccountId,
    ids: u64,
}

impl World {
    pub fn new(catalogue: Catalogue) -> Self {
        let world = Self { catalogue, account: AccountId([7; 16]), ids: 0 };
        let row = AccountRow { id: world.account, name: "owner".into(), managed: true, made_us: 1 };
        world.commit(Scope::Cluster, vec![Change::Account(row)]).unwrap();
        world
    }

    /// The same world in another catalogue.
    pub fn with(&self, catalogue: Catalogue) -> Self {
        Self { catalogue, account: self.account, ids: self.ids }
    }

    /// 16 bytes never given before, in no order.
    pub fn id(&mut self) -> [u8; 16] {
        self.ids += 1;
        let mixed = self.ids.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&mixed.to_be_bytes());
        id[8..].copy_from_slice(&self.ids.to_le_bytes());
        id
    }

    pub fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    /// One transaction.
    pub fn write<T: Send + 'static>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        wait(self.catalogue.writer(move |writer| {
            writer.begin()?;
            match writer.savepoint(f) {
                Ok(value) => writer.commit().map(|()| value),
                Err(error) => {
                    writer.rollback();
                    Err(error)
                }
            }
        }))
        .unwrap()
    }

    /// Commits changes as the next revision of a scope; the revision.
    pub fn commit(&self, scope: Scope, changes: Vec<Change>) -> Result<u64> {
        self.write(move |tx| {
            let revision = bump_revision(tx, scope)?;
            changes.iter().try_for_each(|change| apply(tx, scope, revision, change))?;
            Ok(revision)
        })
    }

    /// Commits changes of the account.
    pub fn change(&self, changes: Vec<Change>) -> u64 {
        self.commit(self.scope(), changes).unwrap()
    }

    /// Commits changes of the cluster.
    pub fn cluster(&self, changes: Vec<Change>) -> u64 {
        self.commit(Scope::Cluster, changes).unwrap()
    }

    pub fn read<T: Send + 'static>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static) -> T {
        wait(self.catalogue.read(f)).unwrap()
    }

    /// A new folder, committed.
    pub fn folder(&mut self, parent: EntryId, name: &str) -> EntryRow {
        let row = folder_row(EntryId(self.id()), parent, name);
        self.change(vec![Change::Entry(row.clone())]);
        row
    }

    /// A new file with one segment of `bytes`, committed.
    pub fn file(&mut self, parent: EntryId, name: &str, bytes: u64) -> (EntryRow, Version) {
        let (entry, version) = self.file_rows(parent, name, bytes);
        self.change(vec![Change::Entry(entry.clone()), Change::Version(version.clone())]);
        (entry, version)
    }

    /// The rows of a new file.
    pub fn file_rows(&mut self, parent: EntryId, name: &str, bytes: u64) -> (EntryRow, Version) {
        let mut entry = EntryRow { kind: Kind::File, ..folder_row(EntryId(self.id()), parent, name) };
        let version = self.version_row(entry.id, bytes);
        entry.current = Some(version.id);
        (entry, version)
    }

    /// A new version's row, with a segment of its own.
    pub fn version_row(&mut self, entry: EntryId, bytes: u64) -> Version {
        let segment = SegmentRef { id: SegmentId(self.id()), salt: [3; 32], plain_bytes: bytes };
        Version {
            id: VersionId(self.id()),
            entry,
            size: bytes,
            modified_us: 11,
            made_us: 12,
            media_type: "text/plain".into(),
            blake3: [1; 32],
            crc32: u32::MAX,
            sha256: None,
            key: [2; 40],
            content: Content::Segments(vec![segment]),
            replaced: None,
        }
    }

    /// A pack 4+2 with whole segments one after the other in lane 0.
    pub fn pack_row(&mut self, segments: &[(SegmentId, u64)]) -> Pack {
        let mut offset = 0;
        let mut locations = Vec::new();
        for (segment, bytes) in segments {
            locations.push(Location { segment: *segment, lane: Some(0), offset, bytes: *bytes });
            offset += bytes;
        }
        locations.sort();
        let makes = (0..6).map(|lane| self.make(lane)).collect();
        Pack { id: PackId(self.id()), k: 4, codec: 1, cell_bytes: 4096, makes, locations }
    }

    /// A new make of a lane, on the lane's own target.
    pub fn make(&mut self, lane: u8) -> Make {
        Make { lane, make: MakeId(self.id()), target: TargetId([lane + 1; 16]), lane_bytes: 4096, root: [lane; 32] }
    }
}

pub fn folder_row(id: EntryId, parent: EntryId, name: &str) -> EntryRow {
    EntryRow { id, parent, name: name.into(), kind: Kind::Folder, modified_us: 10, trashed: None, current: None }
}

pub fn in_trash(row: &EntryRow, at: u64) -> EntryRow {
    EntryRow { trashed: Some(Trashed { at: ServiceTime(at), wall_us: 77 }), ..row.clone() }
}

pub fn is_name_taken<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::NameTaken { .. }))
}

/// The names in a folder, in pages of `rows`.
pub fn names(world: &World, parent: EntryId, rows: usize) -> Vec<String> {
    let account = world.account;
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found.last().cloned().unwrap_or_default();
        let page = world.read(move |tx| catalogue::entries::list(tx, account, parent, &after, rows));
        assert!(page.len() <= rows, "a page is never longer than asked");
        if page.is_empty() {
            return found;
        }
        found.extend(page.into_iter().map(|listed| listed.entry.name));
    }
}

pub const TOP: EntryId = ROOT;
