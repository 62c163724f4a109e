//! From a data folder and a configuration to an open store. The one place where the parts meet.
//!
//! A first start *founds* a cluster; every later one opens it and lets the fleet grow by what the configuration adds.
//! Order at a first start: the mark `founding`, the identity, the configuration, the store, then the mark goes. A start
//! that finds the mark was cut off before anything could have been stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use catalogue::Catalogue;
use fleet::{Directory, Meter, Retry, Roster, Target, TimeLimits, Timeout, Tries};
use format::{Identity, Marker};
use model::{Class, fleet::TargetRow, id::ClusterId, world::World};
use store::{Opening, Settings, Store};

use crate::{
    config::{self, Config},
    data::{DataFolder, Held, sync_folder, write_private},
    error::{Error, Result},
    far, firms,
    last_config::{Origin, remember},
    members::{self, Look, Members, Recorded},
    world,
};

/// The six providers of a trial.
const TRIAL_PROVIDERS: [&str; 6] = ["amber", "birch", "cedar", "delta", "ember", "fjord"];
/// The account that a first start makes.
pub const FIRST_ACCOUNT: &str = "owner";

/// An open store and what it was opened from.
pub struct Assembly {
    /// The store.
    pub store: Store,
    /// The data folder.
    pub data: DataFolder,
    /// Where its settings come from.
    pub origin: Origin,
    /// Whether this start founded the cluster.
    pub founded: bool,
    /// Providers that are recorded but not in the configuration.
    pub absent: Vec<String>,
    /// Firms that a first start was to stand on and that did not pass their trial: what was wrong, and the remedy.
    pub left_out: Vec<String>,
    /// Clock, chance and timer.
    pub world: World,
    _held: Held,
}

/// Opens the store of a data folder whose lock is held; founds it if it is new and `may_found`.
///
/// # Errors
/// Refused or Conflict with what does not fit; nothing was changed then.
pub async fn open(data: DataFolder, held: Held, config: Option<&Path>, may_found: bool) -> Result<Assembly> {
    if data.founding_mark().exists() {
        return Err(Error::new(
            Class::Conflict,
            format!("the first start on {} was cut off before anything was stored", data.root().display()),
        )
        .hint("remove that folder (and empty the target folders named in its configuration), then start again"));
    }
    let catalogue_file = data.catalogue().join(catalogue::FILE_NAME);
    let known = catalogue_file.exists();
    if !known && !may_found {
        return Err(Error::new(Class::Missing, format!("{} holds no service yet", data.root().display()))
            .hint("`holdfast serve --data DIR` makes one"));
    }
    let world = world::real();
    if known {
        let origin = Origin::of(&data, config)?;
        let catalogue = Catalogue::open(&catalogue_file)?;
        return reopen(data, held, origin, catalogue, world).await;
    }
    let config_file = config.map_or_else(|| data.config_file(), Path::to_owned);
    found(data, held, config_file, config.is_none(), world).await
}

/// Every later start.
async fn reopen(data: DataFolder, held: Held, origin: Origin, catalogue: Catalogue, world: World) -> Result<Assembly> {
    let service = data.identity()?;
    let recorded = recorded(&catalogue).await?;
    let logins = firms::logins(&catalogue, &service).await?;
    let kept = catalogue.read(|tx| store::fleet_is_kept(tx)).await?;
    let as_recorded = || Members { known: recorded.open(), ..Members::default() };
    let (settings, members) = match origin.file() {
        Some(file) if !kept => {
            let config = Config::read(file)?;
            let members = decide(&data, &config, &recorded, &world).await?;
            (config.settings, members)
        }
        // The fleet is what it was.
        _ => (origin.settings(&data)?, as_recorded()),
    };
    let roster = Roster::default();
    for row in &members.known {
        roster.insert(row.id, firms::recorded_driver(row, &logins, &world));
    }
    let settings = Settings { trial: one_disk(&members.known), ..settings };
    let opening = Opening { world: world.clone(), catalogue, roster, service, settings };
    let store = Store::open(opening).await?;
    let absent = members.absent.clone();
    let left_out = Vec::new();
    let assembly = Assembly { store, data, origin, founded: false, absent, left_out, world, _held: held };
    assembly.grow(members).await?;
    assembly.remember();
    Ok(assembly)
}

/// The first start.
async fn found(data: DataFolder, held: Held, config_file: PathBuf, own_config: bool, world: World) -> Result<Assembly> {
    let config = if own_config && !config_file.exists() {
        Config::parse(&config_file, &config::trial_text(&TRIAL_PROVIDERS))?
    } else {
        Config::read(&config_file)?
    };
    if config.providers.len() < 2 {
        return Err(Error::refused(
            "one provider alone can keep nothing safe: what is acknowledged must survive the loss of any one",
        )
        .hint("describe at least two providers; six or more are better"));
    }
    config.check_paths(&own_folders(&data))?;
    // Looked at before anything is made, so that a refusal leaves nothing behind.
    let looks = look_at(&data, config.providers.iter().flat_map(|provider| provider.paths.clone()).collect()).await?;
    if let Some((path, _)) = looks.iter().find(|(_, look)| matches!(look, Look::Marked(_))) {
        return Err(Error::new(Class::Conflict, format!("the folder {} is a target of a service already, but {} holds no catalogue", path.display(), data.root().display()))
            .hint("was the catalogue lost? `holdfast rebuild --data NEWDIR --service-identity FILE --target PATH...` makes it again from the targets"));
    }
    let members = members::compare(&Recorded::default(), &config.providers, &looks, |_| None, &*world.entropy)?;
    let roster = Roster::default();
    let firms = far::open_all(&config, &members.providers, &roster, &world).await?;
    write_private(&data.founding_mark(), b"")?;
    let service = match data.identity() {
        Ok(identity) => identity,
        Err(error) if error.class == Class::Missing => {
            let identity = Identity::generate();
            data.keep_identity(&identity)?;
            identity
        }
        Err(error) => return Err(error),
    };
    if own_config && !config_file.exists() {
        write_private(&config_file, config::trial_text(&TRIAL_PROVIDERS).as_bytes())?;
    }
    data.make_private(&data.catalogue())?;
    for row in &members.new {
        make_target_folder(&data, Path::new(&row.address))?;
        roster.insert(row.id, folder_driver(Path::new(&row.address), &world));
    }
    let catalogue = Catalogue::open(&data.catalogue().join(catalogue::FILE_NAME))?;
    let (rows, recipient) = (members.new.into_iter().chain(far::rows(&firms)).collect::<Vec<_>>(), service.recipient());
    let settings = Settings { trial: one_disk(&rows), ..config.settings };
    let opening = Opening { world: world.clone(), catalogue, roster, service, settings };
    let at_firms = far::rows(&firms).map(|row| row.id).collect();
    let (store, left_out) = Store::found_on_firms(opening, members.providers.clone(), rows, at_firms).await?;
    let left_out = far::left_out(&left_out, &members.providers, &data);
    far::keep_logins(&store, &firms, &recipient).await?;
    store.make_account(FIRST_ACCOUNT, true).await?;
    fs::remove_file(data.founding_mark()).map_err(|error| Error::io("removing", &data.founding_mark(), &error))?;
    sync_folder(&data.founding_mark())?;
    let origin = Origin::File(config_file);
    let absent = Vec::new();
    let assembly = Assembly { store, data, origin, founded: true, absent, left_out, world, _held: held };
    assembly.remember();
    Ok(assembly)
}

impl Assembly {
    /// Notes the file that is used, for a start that names none. A disk that cannot take it is no reason not to serve.
    fn remember(&self) {
        if let Some(Err(error)) = self.origin.file().map(|file| remember(&self.data, file)) {
            tracing::warn!(
                "name the configuration with --config at the next start too, it could not be noted: {error}"
            );
        }
    }

    /// Reads the configuration again and lets the fleet grow by what it adds. Settings stay until the next start.
    ///
    /// # Errors
    /// As [`open`]; the fleet is as it was then.
    pub async fn reload(&self) -> Result<Vec<String>> {
        if self.store.read(|tx| store::fleet_is_kept(tx)).await? {
            return Err(Error::refused("the fleet was changed by command, so the catalogue alone says who belongs to it")
                .hint("add to it with `holdfast provider add` and `holdfast target add`, or bring a file in with `holdfast fleet import FILE`"));
        }
        self.take_in(&self.origin.file().map_or_else(|| self.data.config_file(), Path::to_owned)).await
    }

    /// Brings a configuration file's providers and targets in, once: from then on the catalogue alone says who belongs to the
    /// fleet.
    ///
    /// # Errors
    /// As [`open`]; the fleet is as it was then.
    pub async fn import(&self, file: &Path) -> Result<Vec<String>> {
        let new = self.take_in(file).await?;
        self.store.keep_fleet().await?;
        Ok(new)
    }

    async fn take_in(&self, file: &Path) -> Result<Vec<String>> {
        let config = Config::read(file)?;
        let recorded = self
            .store
            .read(|tx| Ok((catalogue::fleet::providers(tx)?, catalogue::fleet::targets(tx)?)))
            .await
            .map(|(providers, targets)| Recorded { cluster: Some(self.store.cluster()), providers, targets })?;
        let members = decide(&self.data, &config, &recorded, &self.world).await?;
        for row in &members.known {
            if self.store.roster().get(row.id).is_none() {
                self.store.roster().insert(row.id, folder_driver(Path::new(&row.address), &self.world));
            }
        }
        let mut new: Vec<String> = members.new.iter().chain(&members.moved).map(|row| row.address.clone()).collect();
        self.grow(members).await?;
        new.extend(self.take_in_far(&config.providers).await?);
        Ok(new)
    }

    /// Records new providers and targets and opens the targets.
    async fn grow(&self, members: Members) -> Result<()> {
        if members.providers.is_empty() && members.moved.is_empty() && members.new.is_empty() {
            return Ok(());
        }
        for row in &members.new {
            make_target_folder(&self.data, Path::new(&row.address))?;
        }
        let opened =
            members.new.iter().map(|row| (row.clone(), folder_driver(Path::new(&row.address), &self.world))).collect();
        // The start has raised generations since the rows were read.
        let recorded = self.store.read(|tx| catalogue::fleet::targets(tx)).await?;
        let now = |row: TargetRow| match recorded.iter().find(|known| known.id == row.id) {
            Some(known) => TargetRow { address: row.address, ..known.clone() },
            None => row,
        };
        let moved = members.moved.into_iter().map(now).collect();
        Ok(self.store.grow(members.providers, moved, opened).await?)
    }
}

/// Looks at what is new in the configuration and decides.
async fn decide(data: &DataFolder, config: &Config, recorded: &Recorded, world: &World) -> Result<Members> {
    config.check_paths(&own_folders(data))?;
    let looks = look_at(data, members::unknown_paths(recorded, &config.providers)).await?;
    let mut there = BTreeMap::new();
    for row in &recorded.targets {
        if let Look::Marked(marker) = look(Path::new(&row.address)).await?
            && marker.target == row.id
        {
            there.insert(row.id, marker);
        }
    }
    members::compare(recorded, &config.providers, &looks, |row| there.get(&row.id).copied(), &*world.entropy)
}

async fn recorded(catalogue: &Catalogue) -> Result<Recorded> {
    Ok(catalogue
        .read(|tx| {
            Ok(Recorded {
                cluster: cluster_of(tx)?,
                providers: catalogue::fleet::providers(tx)?,
                targets: catalogue::fleet::targets(tx)?,
            })
        })
        .await?)
}

/// The cluster that a catalogue belongs to, `None` before it was founded.
fn cluster_of(tx: &catalogue::Tx<'_>) -> catalogue::Result<Option<ClusterId>> {
    let bytes = catalogue::meta::bytes(tx, "cluster")?;
    Ok(bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(ClusterId))
}

/// Folders that no target may touch.
pub fn own_folders(data: &DataFolder) -> [PathBuf; 2] {
    [data.catalogue(), data.keys()]
}

/// Looks at folders. One that is missing inside the data folder counts as empty: it is the operator's own disk anyway.
async fn look_at(data: &DataFolder, paths: Vec<PathBuf>) -> Result<BTreeMap<PathBuf, Look>> {
    let mut looks = BTreeMap::new();
    for path in paths {
        let found = match look(&path).await? {
            Look::Missing if path.starts_with(data.root()) => Look::Empty,
            found => found,
        };
        looks.insert(path, found);
    }
    Ok(looks)
}

/// Looks at one folder; changes nothing.
async fn look(path: &Path) -> Result<Look> {
    if !path.exists() {
        return Ok(Look::Missing);
    }
    if !path.is_dir() {
        return Ok(Look::Taken("it is no folder".to_owned()));
    }
    match Directory::open(path.to_owned()).probe().await {
        Ok(probe) => match probe.marker.map(|bytes| Marker::decode(&bytes)) {
            Some(Ok(marker)) => return Ok(Look::Marked(marker)),
            Some(Err(error)) => return Ok(Look::Taken(format!("its marker cannot be read: {error}"))),
            None => {}
        },
        Err(error) => return Ok(Look::Taken(error.to_string())),
    }
    let mut entries = fs::read_dir(path).map_err(|error| Error::io("reading", path, &error))?;
    // A fresh file system has one folder of its own.
    let foreign = entries.find_map(|entry| entry.ok().filter(|entry| entry.file_name() != "lost+found"));
    Ok(foreign.map_or(Look::Empty, |entry| Look::Taken(format!("it holds '{}'", entry.file_name().display()))))
}

/// Whether all targets lie on one disk, as far as this machine can tell: then everything shown says *trial*.
pub fn one_disk(rows: &[TargetRow]) -> bool {
    let devices: BTreeSet<u64> =
        rows.iter().filter_map(|row| fs::metadata(&row.address).ok()).map(|there| there.dev()).collect();
    devices.len() == 1 && rows.iter().all(|row| row.driver == members::FOLDER_DRIVER)
}

/// Makes the folder of a new target inside the data folder; elsewhere it is there, or was refused.
fn make_target_folder(data: &DataFolder, path: &Path) -> Result<()> {
    if path.is_dir() || !path.starts_with(data.root()) {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|error| Error::io("making the folder", path, &error))?;
    path.ancestors().take_while(|folder| folder.starts_with(data.root())).try_for_each(sync_folder)
}

/// A driver with its layers: each try is counted and has a limit, and what may be tried again is.
pub fn layered(driver: Arc<dyn Target>, world: &World) -> Arc<dyn Target> {
    let (counted, _) = Meter::over(driver, Arc::clone(&world.clock));
    let timed = Timeout::over(counted, TimeLimits::default(), Arc::clone(&world.timer));
    Retry::over(timed, Tries::default(), Arc::clone(&world.timer), Arc::clone(&world.entropy))
}

/// The driver of a folder with its layers.
pub fn folder_driver(path: &Path, world: &World) -> Arc<dyn Target> {
    layered(Arc::new(Directory::open(path.to_owned())), world)
}
