//! A user's files brought home from a recovery kit and any surviving targets, with no operator, server or catalogue.
//!
//! [`Rescue::open`] walks the way that `docs/format.md` describes: the kit's identity opens the account's *envelope*;
//! its key opens *snapshots* and *journal*; folded they give the tree, each file's *segments*, and (open text) the *packs*
//! where these lie. [`Rescue::read`] then brings one version's bytes, and [`home`] writes a whole tree into a folder.
//!
//! Two rules hold everywhere:
//! - *Damage is a finding, not an error.* Whatever is missing or wrong, the next copy, lane, place or guess is tried, and what
//!   could not be read is named to the byte, with what would help.
//! - *Believe nothing that does not prove itself*: copied objects have their hash, the account's records their tag, lanes the
//!   roots in records, frames their tags, files their BLAKE3 and CRC. Where records are lost, the tags alone decide.
//!
//! [`access`] says which places are read, and with which login. Reading runs under any executor: no task of its own, and targets
//! only as `fleet::Target`; clock and waiting are what `model::world` brings. Nothing is ever changed at a target. This crate
//! compiles without catalogue, store, service and gateway: that is the promise.

pub mod access;
mod calendar;
mod error;
mod finding;
pub mod home;
mod keys;
mod lanes;
mod outcome;
mod patience;
mod places;
mod reach;
mod read;
mod records;
mod run;
mod scan;
mod sources;
mod subsets;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use fleet::target::Target;
use format::{AccountKey, AccountState, AddressBook, Kit, KitAddress, replay::Cut};
use model::{
    entry::{EntryRow, Kind, Version},
    id::PackId,
};
use tokio::sync::OnceCell;

pub use access::Access;
pub use error::{Error, Result};
pub use finding::{Finding, ScopeWord};
pub use outcome::{MissingLane, Outcome, Unreadable, Why};
pub use read::Sink;

use crate::{
    lanes::Lanes,
    places::Places,
    records::{Reading, Recalled},
    scan::{Scanned, scan},
    sources::Sources,
};

/// Packs kept open: what was learned of their shards is worth keeping, but not for all packs of a cluster.
const OPEN_PACKS_MAX: usize = 64;
/// Where files are put whose folder's record is lost.
pub const FOUND: &str = "(without a folder)";
/// Where files are put that were acknowledged before a rebuild which could not read them.
pub const EARLIER: &str = "(from an earlier life)";

/// A folder or a file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its names from the root down.
    pub path: Vec<String>,
    /// Its row.
    pub entry: EntryRow,
    /// For a file, what it holds; `None` for a folder, and for a file whose content no record tells.
    pub version: Option<Version>,
}

/// An account's tree, ready to be read.
pub struct Rescue {
    sources: Sources,
    key: AccountKey,
    book: Option<AddressBook>,
    tree: Vec<Item>,
    places: Places,
    packs: Mutex<BTreeMap<PackId, Arc<Lanes>>>,
    scanned: OnceCell<Scanned>,
}

impl Rescue {
    /// Finds the account's key, its records and its tree on `targets`: address and driver of each.
    ///
    /// # Errors
    /// Missing: no target can be read, or none has an envelope. Refused: the kit is of another service or account, or opens
    /// none of the account's envelopes.
    pub async fn open(kit: &Kit, targets: Vec<(String, Arc<dyn Target>)>) -> Result<Self> {
        let sources = sources(kit, targets).await?;
        let opened = keys::account_key(kit, &sources).await?;
        let book = keys::address_book(kit, &sources).await;
        let reading = Reading { sources: &sources, cluster: kit.cluster, account: kit.account, key: &opened.key };
        let Recalled { account, late, places } = reading.recall().await;
        if opened.newest > opened.generation {
            let since_us = account.kits.get(&kit.kit).and_then(|row| row.value.revoked_us);
            sources.note(Finding::KitRevoked { since_us, opened: opened.generation, newest: opened.newest });
        }
        let mut tree = grow(&account, &sources);
        tree.extend(late.into_iter().map(|(entry, version)| aside(EARLIER, entry, Some(version))));
        Ok(Self { sources, key: opened.key, book, tree, places, packs: Mutex::default(), scanned: OnceCell::new() })
    }

    /// The tree: folders before what is in them, sorted by path; what lies in the trash is not in it. Then files that have no
    /// place in it, in [`FOUND`] and [`EARLIER`].
    pub fn tree(&self) -> &[Item] {
        &self.tree
    }

    /// What was noticed so far, targets first, each thing once.
    pub fn findings(&self) -> Vec<Finding> {
        self.sources.findings()
    }

    /// Addresses of the targets that are read.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.sources.all().iter().map(|source| source.address.as_str())
    }

    /// An open pack, if records know it.
    fn lanes(&self, pack: PackId) -> Option<Arc<Lanes>> {
        self.open_pack(pack, || self.places.pack(pack))
    }

    /// An open pack, if records or shards know it.
    fn lanes_with(&self, pack: PackId, scanned: &Scanned) -> Option<Arc<Lanes>> {
        self.open_pack(pack, || self.places.pack(pack).or_else(|| scanned.pack(pack)))
    }

    fn open_pack(&self, pack: PackId, known: impl FnOnce() -> Option<places::KnownPack>) -> Option<Arc<Lanes>> {
        let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = packs.get(&pack) {
            return Some(Arc::clone(open));
        }
        let lanes = Arc::new(Lanes::open(pack, known()?)?);
        if packs.len() >= OPEN_PACKS_MAX {
            packs.clear();
        }
        packs.insert(pack, Arc::clone(&lanes));
        Some(lanes)
    }

    async fn scanned(&self) -> &Scanned {
        self.scanned.get_or_init(|| scan(&self.sources, &self.places)).await
    }
}

impl std::fmt::Debug for Rescue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rescue").field("items", &self.tree.len()).finish_non_exhaustive()
    }
}

/// Addresses that the kit, and the newest address book that it opens on `targets`, name; those of the book first, each once.
/// Whoever can open more of them gives them to [`Rescue::open`] too.
pub async fn known_addresses(kit: &Kit, targets: Vec<(String, Arc<dyn Target>)>) -> Vec<KitAddress> {
    let sources = Sources::open(targets, kit.cluster, kit.account).await;
    let book = keys::address_book(kit, &sources).await;
    let of_book = book.into_iter().flat_map(|book| book.entries).map(|entry| KitAddress {
        provider: entry.provider,
        driver: entry.driver,
        address: entry.address,
    });
    let mut seen = BTreeSet::new();
    let mut addresses: Vec<_> = of_book.chain(kit.addresses.iter().cloned()).collect();
    addresses.retain(|known| seen.insert((known.driver.clone(), known.address.clone())));
    addresses
}

async fn sources(kit: &Kit, targets: Vec<(String, Arc<dyn Target>)>) -> Result<Sources> {
    let given = targets.len();
    let sources = Sources::open(targets, kit.cluster, kit.account).await;
    if sources.all().is_empty() {
        let why = sources.findings().into_iter().filter_map(|finding| match finding {
            Finding::TargetDown { target, reason } => Some(format!("{target}: {reason}")),
            _ => None,
        });
        let other = sources.findings().into_iter().find_map(|finding| match finding {
            Finding::OtherCluster { cluster, .. } => Some(cluster),
            _ => None,
        });
        return Err(match other {
            Some(got) => Error::OtherCluster { expected: kit.cluster, got },
            None => Error::NoTargets { given, why: why.collect() },
        });
    }
    Ok(sources)
}

/// The tree as paths, and beside it the files whose folders are lost.
fn grow(account: &AccountState, sources: &Sources) -> Vec<Item> {
    let tree = account.tree();
    let mut items: Vec<Item> = tree
        .items
        .iter()
        .map(|item| Item {
            path: item.path.split('/').map(str::to_owned).collect(),
            entry: item.entry.clone(),
            version: item.version.cloned(),
        })
        .collect();
    for lost in &tree.lost {
        let Some(row) = account.entries.get(&lost.entry) else { continue };
        let why = match lost.why {
            Cut::NoParent(folder) => format!("the record of its folder {folder} is missing"),
            Cut::ParentIsFile(entry) => format!("what should be its folder, {entry}, is a file"),
            Cut::Cycle => "its folder lies in itself".to_owned(),
        };
        sources.note(Finding::Tree { what: format!("\"{}\" is put into \"{FOUND}\": {why}", row.value.name) });
        if row.value.kind == Kind::File {
            let version = row.value.current.and_then(|id| account.versions.get(&id)).map(|row| row.value.clone());
            items.push(aside(FOUND, row.value.clone(), version));
        }
    }
    items
}

/// A file that has no place in the tree, in a folder of its own; its id keeps it apart from its like.
fn aside(folder: &str, entry: EntryRow, version: Option<Version>) -> Item {
    let name = format!("{} {}", &entry.id.to_string()[..8], entry.name);
    Item { path: vec![folder.to_owned(), name], entry, version }
}
