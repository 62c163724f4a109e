//! The three firms of the story, their servers as folders, and the service that runs on them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use catalogue::Catalogue;
use fleet::{Roster, Target};
use format::{Identity, Kit, KitAddress};
use futures_util::future::try_join_all;
use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ProviderId, TargetId},
    world::World,
};
use service::{Caller, Service};
use store::{Opening, Settings, Store};

use super::given::Given;
use crate::{
    assemble::{FIRST_ACCOUNT, folder_driver},
    data::{DataFolder, Held, write_private},
    error::{Error, Result},
};

/// Servers are opened by so many tasks at once.
const OPENED_AT_ONCE: usize = 24;
/// `rm` may find a folder that is written to at that moment not empty; then it is sent again.
const WIPES_MAX: usize = 20;

/// A hosting firm.
pub struct Firm {
    /// Its name here.
    pub name: &'static str,
    /// Servers that the story's host rented there.
    pub servers: usize,
}

/// Where the host of the story had its servers in January 2012; the second firm wiped its share in February 2013.
pub const FIRMS: [Firm; 3] = [
    Firm { name: "carpathia", servers: 1_103 },
    Firm { name: "leaseweb", servers: 630 },
    Firm { name: "cogent", servers: 36 },
];
/// The one that wipes.
pub const LEASEWEB: &str = FIRMS[1].name;

impl Firm {
    /// Folders that play its servers when each stands for `servers_in`.
    pub fn folders(&self, servers_in: usize) -> usize {
        self.servers.div_ceil(servers_in)
    }
}

/// What lies at a firm, counted on its disks and not in our books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lying {
    /// Shards of packs.
    pub shards: u64,
    /// Bytes of these.
    pub shard_bytes: u64,
    /// Copies of journal objects, snapshots, keys, address books and checkpoints.
    pub copies: u64,
}

impl Lying {
    /// Counts something that lies in `kind`, the first part of its name. Markers, manuals and what is being written are nobody's
    /// bytes.
    pub fn count(&mut self, kind: &str, bytes: u64) {
        match kind {
            "shards" => {
                self.shards += 1;
                self.shard_bytes += bytes;
            }
            "journal" | "snapshots" | "envelopes" | "addresses" | "ledger" => self.copies += 1,
            _ => {}
        }
    }
}

/// A running service and its folders.
pub struct Stage {
    /// The store.
    pub store: Store,
    /// Its rules.
    pub service: Service,
    /// The person whose files these are.
    pub caller: Caller,
    world: World,
    data: DataFolder,
    root: PathBuf,
    _held: Held,
}

impl Stage {
    /// Makes the folders below `root` and founds a service on them.
    ///
    /// # Errors
    /// As the operating system and the store say.
    pub async fn found(root: &Path, servers_in: usize, world: World) -> Result<Self> {
        let (mut providers, mut rows) = (Vec::new(), Vec::new());
        for firm in &FIRMS {
            let provider = ProviderId::random(&*world.entropy);
            providers.push(ProviderRow { id: provider, name: firm.name.to_owned(), labels: Vec::new() });
            for number in 1..=firm.folders(servers_in) {
                rows.push(server(provider, &root.join(firm.name).join(format!("{number:04}")), &world)?);
            }
        }
        // One server of each firm founds the service; the others join, many at once.
        let (first, others): (Vec<_>, Vec<_>) =
            providers.iter().fold((Vec::new(), rows), |(mut first, mut others), provider| {
                let at = others.iter().position(|row| row.provider == provider.id);
                first.extend(at.map(|at| others.remove(at)));
                (first, others)
            });
        let opened = first.into_iter().map(|row| {
            let driver = folder_driver(Path::new(&row.address), &world);
            (row, driver)
        });
        let settings = Settings { pack_after_s: 1, down_wait_s: 2, upkeep_every_ms: 500, ..Settings::trial() };
        let founded = Founded::on(root, providers, opened.collect(), settings, &world).await?;
        let store = &founded.store;
        let joining = others.chunks(others.len().div_ceil(OPENED_AT_ONCE).max(1)).map(|rows| {
            let opened = rows.iter().map(|row| (row.clone(), folder_driver(Path::new(&row.address), &world))).collect();
            store.grow(Vec::new(), Vec::new(), opened)
        });
        try_join_all(joining).await?;
        founded.open(root, world).await
    }

    /// Founds a service on a fleet that was named, with its own folder below `root`.
    ///
    /// # Errors
    /// As the operating system and the store say.
    pub async fn on(root: &Path, given: &Given, world: World) -> Result<Self> {
        let settings = given.settings.clone();
        let founded = Founded::on(root, given.providers.clone(), given.opened().collect(), settings, &world).await?;
        founded.open(root, world).await
    }

    /// Makes a kit as `holdfast kit make` does and writes it to `file`.
    ///
    /// # Errors
    /// As the service says.
    pub async fn make_kit(&self, file: &Path) -> Result<()> {
        let identity = Identity::generate();
        let new = self.service.add_kit(&self.caller, identity.recipient()).await?;
        let addresses = new.addresses.into_iter();
        let kit = Kit {
            format_version: format::FORMAT_VERSION,
            cluster: new.cluster,
            account: new.account,
            kit: new.kit.id,
            identity,
            addresses: addresses.map(|(provider, driver, address)| KitAddress { provider, driver, address }).collect(),
            made_us: self.world.clock.now().wall_us,
        };
        write_private(file, kit.to_text().as_bytes())
    }

    /// What lies at a firm now.
    pub fn lying_at(&self, firm: &str) -> Lying {
        let mut found = Lying::default();
        for server in names_in(&self.root.join(firm)) {
            for kind in names_in(&server) {
                let Some(name) = kind.file_name().and_then(|name| name.to_str()) else { continue };
                count(&kind, &mut |bytes| found.count(name, bytes));
            }
        }
        found
    }

    /// Servers of a firm that are still there.
    pub fn servers_of(&self, firm: &str) -> usize {
        names_in(&self.root.join(firm)).len()
    }

    /// Another process begins to wipe a firm, all its folders at once.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn begin_wipe(&self, firm: &str) -> Result<Child> {
        let path = self.root.join(firm);
        let mut command = Command::new("rm");
        command.arg("-rf").arg("--").arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map_err(|error| Error::io("starting rm -rf on", &path, &error))
    }

    /// Waits until that process has ended and nothing of the firm is left.
    ///
    /// # Errors
    /// As the operating system says, or if something is left after many tries.
    pub async fn end_wipe(&self, firm: &str, mut wiping: Child) -> Result<()> {
        let path = self.root.join(firm);
        for _ in 0..WIPES_MAX {
            while wiping.try_wait().map_err(|error| Error::io("waiting for rm -rf on", &path, &error))?.is_none() {
                self.pause(2).await;
            }
            if !path.exists() {
                return Ok(());
            }
            wiping = self.begin_wipe(firm)?;
        }
        Err(Error::io("wiping", &path, &io::Error::from(io::ErrorKind::DirectoryNotEmpty)))
    }

    /// Ends the operator: the service stops, its catalogue and keys are deleted.
    ///
    /// # Errors
    /// As the operating system says.
    pub async fn end(self) -> Result<()> {
        self.store.stop().await;
        let root = self.data.root().to_owned();
        drop(self);
        fs::remove_dir_all(&root).map_err(|error| Error::io("removing", &root, &error))
    }

    /// Waits.
    pub async fn pause(&self, ms: u64) {
        self.world.timer.sleep(ms * 1_000).await;
    }
}

/// A cluster that was just founded, and the folder of its operator.
struct Founded {
    store: Store,
    data: DataFolder,
    held: Held,
}

impl Founded {
    async fn on(
        root: &Path,
        providers: Vec<ProviderRow>,
        opened: Vec<(TargetRow, Arc<dyn Target>)>,
        settings: Settings,
        world: &World,
    ) -> Result<Self> {
        let data = DataFolder::at(&root.join("operator"))?;
        let held = data.hold(true)?;
        let identity = Identity::generate();
        data.keep_identity(&identity)?;
        data.make_private(&data.catalogue())?;
        let roster = Roster::default();
        let rows = opened.into_iter().map(|(row, driver)| {
            roster.insert(row.id, driver);
            row
        });
        let rows = rows.collect();
        let catalogue = Catalogue::open(&data.catalogue().join(catalogue::FILE_NAME))?;
        let opening = Opening { world: world.clone(), catalogue, roster, service: identity, settings };
        let store = Store::found(opening, providers, rows).await?;
        Ok(Self { store, data, held })
    }

    /// Makes the first account and begins to work.
    async fn open(self, root: &Path, world: World) -> Result<Stage> {
        let Self { store, data, held } = self;
        let account = store.make_account(FIRST_ACCOUNT, true).await?.id;
        store.start();
        let (service, caller) = (Service::new(store.clone()), Caller::at_the_machine(account));
        Ok(Stage { store, service, caller, world, data, root: root.to_owned(), _held: held })
    }
}

/// Makes a server's folder and its row.
fn server(provider: ProviderId, path: &Path, world: &World) -> Result<TargetRow> {
    fs::create_dir_all(path).map_err(|error| Error::io("making the folder", path, &error))?;
    Ok(TargetRow {
        id: TargetId::random(&*world.entropy),
        provider,
        address: path.display().to_string(),
        driver: "dir".to_owned(),
        generation: 1,
        state: TargetState::Up,
    })
}

/// What is in a folder; nothing if it is gone.
fn names_in(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Tells the size of each file below a folder.
fn count(folder: &Path, tell: &mut dyn FnMut(u64)) {
    for path in names_in(folder) {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => count(&path, tell),
            Ok(metadata) => tell(metadata.len()),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FIRMS;

    #[test]
    fn proportions_of_the_story() {
        let folders = |servers_in| FIRMS.map(|firm| firm.folders(servers_in));
        assert_eq!(folders(1), [1_103, 630, 36]);
        assert_eq!(folders(16), [69, 40, 3]);
        assert_eq!(folders(usize::MAX), [1, 1, 1]);
    }
}
