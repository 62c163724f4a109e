//! What the catalogue says, followed row by row: the auditor's own copy, brought up to date at each look.
//!
//! It is read through `catalogue::rows_between`, revision by revision, so that a look costs what changed. After a restart
//! it is read anew: the catalogue may have fallen back.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Tx;
use model::{
    Change, Scope,
    entry::{Content, EntryRow, Kind, Version},
    id::{AccountId, EntryId, ObjectId, PackId, SegmentId, VersionId},
    pack::Make,
};

use crate::model::File;

/// A pack, as far as reading needs it.
#[derive(Clone, Debug)]
pub struct KnownPack {
    /// Data lanes.
    pub k: u8,
    /// Every make that counts.
    pub makes: Vec<Make>,
}

/// A copied object that is not released.
#[derive(Clone, Debug)]
pub struct KnownObject {
    /// Its name at every target that has it.
    pub name: String,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
}

/// The rows that matter to an auditor.
#[derive(Default)]
pub struct Mirror {
    cluster_to: u64,
    account_to: u64,
    /// Entries by id.
    pub entries: BTreeMap<EntryId, EntryRow>,
    /// Versions by id.
    pub versions: BTreeMap<VersionId, Version>,
    /// Packs by id.
    pub packs: BTreeMap<PackId, KnownPack>,
    /// Which pack each segment lies in.
    pub placed: BTreeMap<SegmentId, PackId>,
    /// Which journal object each unpacked segment lies in.
    pub journalled: BTreeMap<SegmentId, ObjectId>,
    /// Journal objects that were looked up.
    pub objects: BTreeMap<ObjectId, KnownObject>,
    /// Versions that came since the last look.
    pub fresh: Vec<VersionId>,
    /// Accounts that are gone for good.
    pub accounts_gone: BTreeSet<AccountId>,
    /// Packs whose end was seen.
    pub packs_gone: u64,
    /// Packs that got the shape of a larger fleet.
    pub packs_moved: u64,
    /// Segments that were seen whole in a lane.
    pub located_whole: u64,
    /// Segments that were seen striped.
    pub located_striped: u64,
    /// Looks at which something lay in the journal.
    pub seen_journalled: u64,
}

/// What one look brought.
type Rows = Vec<(Scope, u64, Change)>;

/// Reads what changed after these revisions.
fn changed(tx: &Tx<'_>, account: AccountId, after: (u64, u64)) -> catalogue::Result<(Rows, (u64, u64))> {
    let to =
        (catalogue::scopes::revision(tx, Scope::Cluster)?, catalogue::scopes::revision(tx, Scope::Account(account))?);
    let mut rows = Vec::new();
    for (scope, from, to) in [(Scope::Cluster, after.0, to.0), (Scope::Account(account), after.1, to.1)] {
        if to > from {
            catalogue::rows_between(tx, scope, from, to, |revision, change| {
                rows.push((scope, revision, change));
                Ok::<_, catalogue::Error>(())
            })?;
        }
    }
    Ok((rows, to))
}

impl Mirror {
    /// Brings the mirror up to date.
    ///
    /// # Errors
    /// The catalogue's.
    pub fn follow(&mut self, catalogue: &catalogue::Catalogue, account: AccountId) -> catalogue::Result<()> {
        let after = (self.cluster_to, self.account_to);
        let known: BTreeSet<ObjectId> = self.objects.keys().copied().collect();
        let look = move |tx: &mut Tx<'_>| {
            let (rows, to) = changed(tx, account, after)?;
            let waiting = catalogue::segments::oldest_journalled(tx, None, 100_000, u64::MAX)?;
            let journalled: BTreeMap<SegmentId, ObjectId> =
                waiting.iter().map(|(row, _)| (row.segment, row.object)).collect();
            let mut objects = BTreeMap::new();
            for id in journalled.values().filter(|id| !known.contains(id)) {
                if let Some(view) = catalogue::objects::view(tx, *id)? {
                    objects.insert(*id, KnownObject { name: view.object.name, hash: view.object.hash });
                }
            }
            Ok((rows, to, journalled, objects))
        };
        let (rows, to, journalled, objects) = at_once(catalogue.read(look))?;
        self.fresh.clear();
        for (_, _, change) in rows {
            self.apply(change);
        }
        (self.cluster_to, self.account_to) = to;
        self.seen_journalled += u64::from(!journalled.is_empty());
        self.journalled = journalled;
        self.objects.extend(objects);
        Ok(())
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Pack(pack) => {
                for location in &pack.locations {
                    self.placed.insert(location.segment, pack.id);
                    match location.lane {
                        Some(_) => self.located_whole += 1,
                        None => self.located_striped += 1,
                    }
                }
                self.packs.insert(pack.id, KnownPack { k: pack.k, makes: pack.makes });
            }
            Change::Makes { pack, makes } => {
                if let Some(known) = self.packs.get_mut(&pack) {
                    // Repair adds, surplus drops; only a move to the shape of a larger fleet does both at once.
                    let lanes = |makes: &[Make]| makes.iter().map(|make| make.lane).collect::<BTreeSet<_>>().len();
                    let is_new = |make: &Make| known.makes.iter().all(|old| old.make != make.make);
                    if lanes(&makes) < lanes(&known.makes) && makes.iter().any(is_new) {
                        self.packs_moved += 1;
                    }
                    known.makes = makes;
                }
            }
            Change::PackGone { pack, .. } => {
                self.packs.remove(&pack);
                self.packs_gone += 1;
            }
            Change::Entry(row) => {
                self.entries.insert(row.id, row);
            }
            Change::EntryGone(id) => {
                self.entries.remove(&id);
            }
            Change::Version(version) => {
                self.fresh.push(version.id);
                self.versions.insert(version.id, version);
            }
            Change::VersionGone(id) => {
                self.versions.remove(&id);
            }
            Change::Account(_) | Change::SignIn(_) | Change::Limits(_) | Change::Token(_) => {}
            Change::Report(_) | Change::About(_) | Change::Mail(_) | Change::Plan(_) => {}
            Change::Passkey(_) | Change::Identity(_) => {}
            Change::AccountGone { account, .. } => {
                self.accounts_gone.insert(account);
            }
            Change::Provider(_) | Change::Target(_) | Change::TargetOrders(_) | Change::Constraint(_) => {}
            Change::Lease(_) | Change::Notice(_) | Change::Ledger(_) => {}
            Change::Kit(_) | Change::Share(_) | Change::Grant(_) | Change::Webhook(_) => {}
        }
    }

    /// The files, in the words of the reference.
    pub fn files(&self) -> BTreeMap<EntryId, File> {
        files(self.entries.values(), self.versions.values())
    }

    /// Where one segment lies.
    pub fn place(&self, version: &Version, segment: SegmentId) -> Place<'_> {
        if matches!(version.content, Content::Inline { .. }) {
            return Place::Inline;
        }
        if let Some(pack) = self.placed.get(&segment)
            && let Some(known) = self.packs.get(pack)
        {
            return Place::Pack(*pack, known);
        }
        match self.journalled.get(&segment).and_then(|object| self.objects.get(object)) {
            Some(object) => Place::Journal(object),
            None => Place::Nowhere,
        }
    }
}

/// Where a segment lies.
pub enum Place<'a> {
    /// In its version's row.
    Inline,
    /// In a pack.
    Pack(PackId, &'a KnownPack),
    /// In a journal object.
    Journal(&'a KnownObject),
    /// No row says where.
    Nowhere,
}

/// Files in the words of the reference.
pub fn files<'a>(
    entries: impl Iterator<Item = &'a EntryRow>,
    versions: impl Iterator<Item = &'a Version>,
) -> BTreeMap<EntryId, File> {
    let mut of_entry: BTreeMap<EntryId, BTreeSet<VersionId>> = BTreeMap::new();
    for version in versions {
        of_entry.entry(version.entry).or_default().insert(version.id);
    }
    let files = entries.filter(|row| row.kind == Kind::File).map(|row| {
        let file = File {
            parent: row.parent,
            name: row.name.clone(),
            trashed: row.trashed.is_some(),
            current: row.current.unwrap_or_default(),
            versions: of_entry.remove(&row.id).unwrap_or_default(),
        };
        (row.id, file)
    });
    files.collect()
}

/// The result of a future that has nothing to wait for: a look at a catalogue in memory.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    use futures_util::FutureExt;
    future.now_or_never().expect("a look at a catalogue in memory waits for nothing")
}
