//! Late records: changes of an earlier life that a rebuild did not know of, and that turn up afterwards.
//!
//! They were acknowledged, so they are not ignored; they are old, so they overwrite nothing. What they add is brought in
//! as changes of the present life: a file that is not there gets its place, or one beside it if its name is taken; a file
//! that is there keeps its content, and its late version lies beside it under a name that says so; what was deleted since
//! lies in the trash. Packs come with their makes suspect, so that each is read before it counts. What they took away or
//! renamed is not done again, only counted. A row is recognised by its id, so bringing in twice is bringing in once.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use catalogue::Tx;
use format::replay::{AccountState, At, ClusterState, PackState, Row};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, ROOT, Trashed, Version},
    fleet::ConstraintRow,
    id::{AccountId, EntryId, SegmentId, VersionId},
    pack::{MakeState, Pack},
    units::ServiceTime,
    world::{Entropy, Now},
};
use plan::{Ladder, Topology, pack_state};

use crate::{Draft, error::Result};

mod name;
mod rules;

use name::late_name;

/// Folders above an entry that are brought in with it at most.
const DEPTH_MAX: usize = 1_000;
/// Things that are told at most: a person reads them.
const TOLD_MAX: usize = 50;

/// What a returned target holds of earlier lives and nobody else told.
#[derive(Default)]
pub(crate) struct Late {
    pub cluster: ClusterState,
    pub accounts: BTreeMap<AccountId, AccountState>,
    /// Small files' sealed bytes, and whose they are.
    pub payloads: BTreeMap<SegmentId, (AccountId, Bytes)>,
}

impl Late {
    /// Takes a change as its record stated it.
    pub fn take(&mut self, scope: Scope, at: At, change: &Change) {
        match scope {
            Scope::Cluster => self.cluster.apply_at(at, change),
            Scope::Account(account) => self.accounts.entry(account).or_default().apply_at(at, change),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.cluster == ClusterState::default() && self.accounts.is_empty() && self.payloads.is_empty()
    }
}

/// What was brought in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Brought {
    pub accounts: usize,
    pub packs: usize,
    pub kits: usize,
    pub versions: usize,
    /// Entries of the ledger.
    pub entries: usize,
    /// Deletions that were not done again.
    pub not_repeated: usize,
    /// Labels that keep firms apart again.
    pub constraints: Vec<ConstraintRow>,
    /// What was not brought in and a person should know; how much more of it there is than anybody reads.
    pub told: Vec<String>,
    pub untold: usize,
}

impl Brought {
    pub fn add(&mut self, other: Self) {
        self.accounts += other.accounts;
        self.packs += other.packs;
        self.kits += other.kits;
        self.versions += other.versions;
        self.entries += other.entries;
        self.not_repeated += other.not_repeated;
        self.constraints.extend(other.constraints);
        other.told.into_iter().for_each(|said| self.tell(said));
        self.untold += other.untold;
    }

    /// Tells something to a person, or counts it.
    pub fn tell(&mut self, said: String) {
        match self.told.len() < TOLD_MAX {
            true => self.told.push(said),
            false => self.untold += 1,
        }
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The moment at which records are brought in.
#[derive(Clone)]
pub(crate) struct Moment {
    pub at: ServiceTime,
    pub now: Now,
    /// The life that is being lived.
    pub epoch: u64,
    pub topology: Topology,
}

/// Brings in accounts and packs.
pub(crate) fn bring_in_cluster(
    tx: &mut Tx<'_>,
    draft: &mut Draft,
    late: &ClusterState,
    moment: &Moment,
) -> Result<Brought> {
    let mut brought = Brought::default();
    for Row { value, .. } in late.accounts.values() {
        // One that is gone for good stays so, whatever an earlier life says.
        let is_gone = catalogue::accounts::gone(tx, value.id)?.is_some();
        if !is_gone && catalogue::accounts::by_id(tx, value.id)?.is_none() {
            let mut row = value.clone();
            if catalogue::accounts::by_name(tx, &row.name)?.is_some() {
                row.name = format!("{} ({})", row.name, row.id);
            }
            let name = row.name.clone();
            draft.change(Scope::Cluster, Change::Account(row));
            // No way in comes back: an address that opens again by itself is worse (decision 16).
            brought.tell(format!(
                "the account '{name}' is there again, without a way in; `holdfast account reset --data DIR '{name}'` gives \
                 its owner a new one"
            ));
            brought.accounts += 1;
        }
    }
    // What was rented and what was served is known by its id; what this life says of it counts.
    for Row { value, .. } in late.leases.values() {
        if catalogue::leases::get(tx, value.id)?.is_none() {
            draft.change(Scope::Cluster, Change::Lease(value.clone()));
        }
    }
    for Row { value, .. } in late.notices.values() {
        if catalogue::leases::notice(tx, value.id)?.is_none() {
            draft.change(Scope::Cluster, Change::Notice(value.clone()));
        }
    }
    brought.entries += crate::ledger::bring_in(tx, draft, late, moment.now.wall_us)?;
    rules::bring_in(tx, draft, late, moment, &mut brought)?;
    for account in late.account_tombs.keys() {
        brought.not_repeated += usize::from(catalogue::accounts::by_id(tx, *account)?.is_some());
    }
    for state in late.packs.values() {
        if catalogue::packs::gone(tx, state.pack.id)?.is_some() {
            continue;
        }
        if state.gone.is_some() {
            brought.not_repeated += usize::from(catalogue::packs::is_known(tx, state.pack.id)?);
            continue;
        }
        brought.packs += usize::from(bring_in_pack(tx, draft, state, &moment.topology)?);
    }
    Ok(brought)
}

/// Adds what a late record says of a pack: the pack itself, or makes that nobody names of one that falls short. Nothing of
/// it counts before it was read.
fn bring_in_pack(tx: &mut Tx<'_>, draft: &mut Draft, state: &PackState, topology: &Topology) -> Result<bool> {
    let id = state.pack.id;
    let known = catalogue::packs::view(tx, id)?;
    let state_of = |view: &catalogue::packs::PackView| pack_state(&crate::view::of_pack(view), topology);
    if known.as_ref().is_some_and(|view| state_of(view) >= Ladder::Settled) {
        return Ok(false);
    }
    let named: BTreeSet<_> = known.iter().flat_map(|view| &view.makes).map(|view| view.make.make).collect();
    let extra: Vec<_> = state.makes.iter().copied().filter(|make| !named.contains(&make.make)).collect();
    if extra.is_empty() {
        return Ok(false);
    }
    for make in &extra {
        let suspect = catalogue::packs::Finding { state: MakeState::Suspect, ..Default::default() };
        catalogue::packs::set_finding(tx, id, make.make, &suspect)?;
    }
    if known.is_none() {
        let mut locations = Vec::new();
        for location in &state.pack.locations {
            // A place that somebody else names stays the place, while it can be read.
            let elsewhere = match catalogue::segments::pack_of(tx, location.segment)? {
                Some(pack) => catalogue::packs::view(tx, pack)?,
                None => None,
            };
            if elsewhere.is_none_or(|pack| state_of(&pack) == Ladder::Unreadable) {
                locations.push(*location);
            }
        }
        let pack = Pack { locations, makes: extra.clone(), ..state.pack.clone() };
        draft.change(Scope::Cluster, Change::Pack(pack));
    }
    let makes = known.iter().flat_map(|view| &view.makes).map(|view| view.make).chain(extra).collect();
    draft.change(Scope::Cluster, Change::Makes { pack: id, makes });
    Ok(true)
}

/// Brings in the versions of one account that are not there, with the small files' bytes that lie nowhere.
pub(crate) fn bring_in_account(
    tx: &mut Tx<'_>,
    draft: &mut Draft,
    account: AccountId,
    late: &Late,
    moment: &Moment,
    entropy: &dyn Entropy,
) -> Result<Brought> {
    if catalogue::accounts::gone(tx, account)?.is_some() {
        return Ok(Brought::default());
    }
    let nothing = AccountState::default();
    let state = late.accounts.get(&account).unwrap_or(&nothing);
    let mut bringing =
        Bringing { account, late: state, moment, entropy, folders: BTreeMap::new(), taken: BTreeSet::new() };
    let mut brought = Brought::default();
    let mut by_entry: BTreeMap<EntryId, Vec<&Row<Version>>> = BTreeMap::new();
    let mut wanted: BTreeSet<SegmentId> = BTreeSet::new();
    for row in state.versions.values() {
        let id = row.value.id;
        let is_new =
            catalogue::versions::get(tx, account, id)?.is_none() && !catalogue::versions::is_gone(tx, account, id)?;
        if is_new && !is_picture(tx, account, state, row.value.entry)? {
            wanted.extend(row.value.segments().iter().map(|segment| segment.id));
            by_entry.entry(row.value.entry).or_default().push(row);
        }
    }
    for (entry, versions) in by_entry {
        brought.versions += versions.len();
        bringing.file(tx, draft, entry, versions)?;
    }
    let kits = catalogue::accounts::kits(tx, account)?;
    for Row { value, .. } in state.kits.values().filter(|row| row.value.revoked_us.is_none()) {
        if kits.iter().all(|kit| kit.id != value.id) {
            draft.change(Scope::Account(account), Change::Kit(value.clone()));
            brought.kits += 1;
        }
    }
    for id in state.version_tombs.keys() {
        brought.not_repeated += usize::from(catalogue::versions::get(tx, account, *id)?.is_some());
    }
    for (segment, (owner, sealed)) in &late.payloads {
        // A file that was copied to another account consists of the same segments.
        let is_used = || -> Result<bool> {
            Ok(catalogue::segments::users(tx, *segment)?.iter().any(|user| user.account == account))
        };
        if *owner != account && !wanted.contains(segment) && !is_used()? {
            continue;
        }

        let nowhere = catalogue::segments::pack_of(tx, *segment)?.is_none()
            && catalogue::segments::journalled(tx, *segment)?.is_none();
        if nowhere && (wanted.contains(segment) || catalogue::segments::is_live(tx, *segment)?) {
            draft.payload(account, *segment, sealed.clone());
        }
    }
    Ok(brought)
}

/// Whether a late entry is a small picture of a file: that is made anew and needs no place.
fn is_picture(tx: &Tx<'_>, account: AccountId, late: &AccountState, entry: EntryId) -> Result<bool> {
    let Some(row) = late.entries.get(&entry).map(|row| &row.value) else { return Ok(false) };
    let there = catalogue::entries::get(tx, account, row.parent)?.map(|row| row.kind);
    Ok(match there.or_else(|| late.entries.get(&row.parent).map(|row| row.value.kind)) {
        Some(kind) => kind == Kind::File,
        // Its file may be gone for good, and known to neither: then the name tells.
        None => row.name.split_once('-').is_some_and(|(version, side)| {
            VersionId::parse(version).is_ok() && side.parse::<u32>().is_ok() && row.parent != ROOT
        }),
    })
}

/// One account's tree while late files are put into it.
struct Bringing<'a> {
    account: AccountId,
    late: &'a AccountState,
    moment: &'a Moment,
    entropy: &'a dyn Entropy,
    /// Where the content of a late folder goes.
    folders: BTreeMap<EntryId, EntryId>,
    /// Names that were given in this commit.
    taken: BTreeSet<(EntryId, String)>,
}

impl Bringing<'_> {
    /// Puts a late file's versions where they belong.
    fn file(
        &mut self,
        tx: &mut Tx<'_>,
        draft: &mut Draft,
        entry: EntryId,
        mut versions: Vec<&Row<Version>>,
    ) -> Result<()> {
        versions.sort_by_key(|row| row.at);
        let Some(newest) = versions.last().map(|row| row.value.id) else { return Ok(()) };
        let late = self.late.entries.get(&entry).map(|row| &row.value);
        let is_among = |id: &VersionId| versions.iter().any(|row| row.value.id == *id);
        let current = late.and_then(|row| row.current).filter(is_among).unwrap_or(newest);
        let known = catalogue::entries::get(tx, self.account, entry)?;
        let gone = catalogue::entries::is_gone(tx, self.account, entry)?;
        let mut row = match (&known, late) {
            (Some(known), _) => known.clone(),
            (None, Some(late)) => late.clone(),
            (None, None) => EntryRow {
                id: entry,
                parent: ROOT,
                name: format!("file {entry}"),
                kind: Kind::File,
                modified_us: self.moment.now.wall_us,
                trashed: None,
                current: None,
            },
        };
        if known.is_some() || gone {
            row.id = EntryId::random(self.entropy);
        }
        if gone {
            row.trashed = Some(Trashed { at: self.moment.at, wall_us: self.moment.now.wall_us });
        }
        row.current = Some(current);
        row.parent = match known {
            Some(known) => known.parent,
            None => self.folder(tx, draft, row.parent)?,
        };
        if row.trashed.is_none() {
            row.name = self.free_name(tx, row.parent, &row.name)?;
        }
        for version in versions {
            let mut version = version.value.clone();
            version.entry = row.id;
            version.replaced = (version.id != current).then_some(version.replaced.unwrap_or(self.moment.at));
            draft.change(Scope::Account(self.account), Change::Version(version));
        }
        draft.change(Scope::Account(self.account), Change::Entry(row));
        Ok(())
    }

    /// The folder that stands for a late one: itself if it is there, one of the same name in its place, or a new one.
    fn folder(&mut self, tx: &mut Tx<'_>, draft: &mut Draft, id: EntryId) -> Result<EntryId> {
        // From the folder upwards to one that is there, then down again.
        let mut missing = Vec::new();
        let mut at = id;
        let mut place = loop {
            if let Some(known) = self.folders.get(&at) {
                break *known;
            }
            let there = catalogue::entries::get(tx, self.account, at)?;
            if there.is_some_and(|row| row.kind == Kind::Folder && row.trashed.is_none()) {
                break at;
            }
            match self.late.entries.get(&at).map(|row| &row.value) {
                Some(row) if row.kind == Kind::Folder && missing.len() < DEPTH_MAX => {
                    missing.push(row);
                    at = row.parent;
                }
                _ => break ROOT,
            }
        };
        for row in missing.into_iter().rev() {
            let same = catalogue::entries::child(tx, self.account, place, &row.name)?;
            let folder = match same.filter(|same| same.kind == Kind::Folder) {
                Some(same) => same.id,
                None => {
                    let fresh = catalogue::entries::get(tx, self.account, row.id)?.is_none()
                        && !catalogue::entries::is_gone(tx, self.account, row.id)?;
                    let folder = if fresh { row.id } else { EntryId::random(self.entropy) };
                    let name = self.free_name(tx, place, &row.name)?;
                    let row = EntryRow { id: folder, parent: place, name, trashed: None, ..row.clone() };
                    draft.change(Scope::Account(self.account), Change::Entry(row));
                    folder
                }
            };
            self.folders.insert(row.id, folder);
            place = folder;
        }
        Ok(place)
    }

    /// `name`, or a name like it that is free in the folder and says where it comes from.
    fn free_name(&mut self, tx: &Tx<'_>, parent: EntryId, name: &str) -> Result<String> {
        let mut free = name.to_owned();
        for number in 1_u64.. {
            let taken = catalogue::entries::child(tx, self.account, parent, &free)?.is_some();
            if !taken && self.taken.insert((parent, free.clone())) {
                break;
            }
            free = late_name(name, self.moment.epoch, number);
        }
        Ok(free)
    }
}
