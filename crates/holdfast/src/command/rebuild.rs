//! `holdfast rebuild`: a working catalogue from what the targets say.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use catalogue::Catalogue;
use fleet::{Address, Login, Logins, Roster, Target};
use format::{Identity, OperatorKit, envelope::seal_login};
use model::{Class, fleet::TargetRow, world::World};
use store::{Opening, RebuildReport, Settings};

use super::serve::shell;
use crate::{
    assemble::{layered, one_disk},
    client::batch::line,
    config::{Provider, fleet_text, plain_path},
    data::{DataFolder, read_identity, sync_folder, write_private},
    error::{Error, Result},
    members::FOLDER_DRIVER,
    world,
};

/// Makes the catalogue again from surviving targets and the service identity, or from the operator's kit, which names both.
#[derive(clap::Args)]
pub struct Args {
    /// New data folder; must hold no service.
    #[arg(long, value_name = "NEWDIR")]
    data: PathBuf,
    /// The operator's kit: service identity, and every target with its login. Targets that do not answer are passed over.
    #[arg(long, value_name = "FILE", required_unless_present = "service_identity")]
    kit: Option<PathBuf>,
    /// The service identity, or the copy of it that was kept elsewhere.
    #[arg(long, value_name = "FILE", conflicts_with = "kit")]
    service_identity: Option<PathBuf>,
    /// Surviving targets: folders, copies of disks, or addresses at firms; beside a kit, those that have moved since.
    #[arg(long, value_name = "ADDRESS", num_args = 1.., required_unless_present = "kit")]
    target: Vec<String>,
    /// File with the logins for addresses at firms: under each [address], or for all above the first, lines name=value.
    #[arg(long, value_name = "FILE")]
    logins: Option<PathBuf>,
    /// Providers that cannot be read now; needed when more than one is missing, because what only they know is left out.
    #[arg(long, value_name = "PROVIDER", num_args = 1..)]
    without: Vec<String>,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let data = DataFolder::at(&args.data)?;
    let _held = data.hold(true)?;
    if data.catalogue().exists() || data.founding_mark().exists() {
        let what = format!("{} holds a catalogue already; it was not touched", data.root().display());
        return Err(Error::new(Class::Conflict, what).hint("rebuild into a new, empty folder"));
    }
    let world = world::real();
    let (identity, mut sources) = match &args.kit {
        Some(file) => from_kit(file, &world)?,
        None => (read_identity(args.service_identity.as_deref().unwrap_or(Path::new("")))?, Vec::new()),
    };
    sources.extend(named(&args.target, args.logins.as_deref(), &world)?);
    let (sources, silent) = those_that_answer(sources, args.kit.is_some()).await?;
    let own_keys = data.keys().exists();
    if own_keys && data.identity()?.recipient() != identity.recipient() {
        return Err(Error::new(Class::Conflict, format!("{} keeps another service identity", data.keys().display()))
            .hint("rebuild into a new, empty folder"));
    }
    write_private(&data.founding_mark(), b"")?;
    let report = match fill(&data, identity, (sources, silent), world, &args.without).await {
        Ok(report) => report,
        Err(error) => {
            // What was begun here is ours; the targets are as they were.
            drop(fs::remove_dir_all(data.catalogue()));
            if !own_keys {
                drop(fs::remove_dir_all(data.keys()));
            }
            drop(fs::remove_file(data.founding_mark()));
            return Err(error);
        }
    };
    fs::remove_file(data.founding_mark()).map_err(|error| Error::io("removing", &data.founding_mark(), &error))?;
    sync_folder(&data.founding_mark())?;
    tell(&data, &report);
    Ok(ExitCode::SUCCESS)
}

/// A target that is read.
struct Source {
    address: String,
    login: Login,
    driver: Arc<dyn Target>,
}

impl Source {
    fn open(address: String, login: Login, world: &World) -> Result<Self> {
        let driver = layered(Address::parse(&address)?.open(&login, world)?, world);
        Ok(Self { address, login, driver })
    }
}

fn from_kit(file: &Path, world: &World) -> Result<(Identity, Vec<Source>)> {
    let page = fs::read_to_string(file).map_err(|error| Error::io("reading the kit", file, &error))?;
    let kit = OperatorKit::parse(&page).map_err(|error| {
        Error::new(error.class(), format!("{}: {error}", file.display())).hint(
            "the operator's kit is what `holdfast kit make --operator` wrote; a user's kit is for holdfast-rescue",
        )
    })?;
    let sources = kit.targets.into_iter().map(|target| Source::open(target.address, Login::new(target.login), world));
    Ok((kit.identity, sources.collect::<Result<_>>()?))
}

fn named(targets: &[String], logins: Option<&Path>, world: &World) -> Result<Vec<Source>> {
    let logins = match logins {
        Some(file) => {
            let text = fs::read_to_string(file).map_err(|error| Error::io("reading the logins", file, &error))?;
            Logins::parse(&text).map_err(|error| Error::refused(format!("{}: {error}", file.display())))?
        }
        None => Logins::default(),
    };
    let here = std::env::current_dir().map_err(|error| Error::io("reading", Path::new("."), &error))?;
    let open = |text: &String| match Address::parse(text)? {
        Address::Directory(path) => {
            let path = plain_path(&here, &path);
            if !path.is_dir() {
                return Err(Error::new(Class::Missing, format!("the folder {} does not exist", path.display()))
                    .hint("name the targets that can be read; leave out the others"));
            }
            Source::open(path.display().to_string(), Login::default(), world)
        }
        _ => Source::open(text.clone(), logins.for_address(text).clone(), world),
    };
    targets.iter().map(open).collect()
}

/// The targets that can be read. Of a kit some may be gone: how many may is for the rebuild to say. What a person named must
/// be there.
async fn those_that_answer(sources: Vec<Source>, may_be_gone: bool) -> Result<(Vec<Source>, Vec<Source>)> {
    let probes = futures_util::future::join_all(sources.iter().map(|source| source.driver.probe())).await;
    let (mut answering, mut silent) = (Vec::new(), Vec::new());
    for (source, probe) in sources.into_iter().zip(probes) {
        match probe {
            Ok(probe) if probe.marker.is_some() || !may_be_gone => answering.push(source),
            Ok(_) => {
                line(&format!("passed over: {} holds no marker; it may have been wiped", source.address));
                silent.push(source);
            }
            Err(error) if may_be_gone => {
                line(&format!("passed over: {error}"));
                silent.push(source);
            }
            Err(error) => return Err(Error::new(error.class(), error).hint("leave out what cannot be read now")),
        }
    }
    Ok((answering, silent))
}

/// Fills the data folder: keys, catalogue, configuration.
async fn fill(
    data: &DataFolder,
    identity: Identity,
    (sources, silent): (Vec<Source>, Vec<Source>),
    world: World,
    without: &[String],
) -> Result<RebuildReport> {
    if !data.identity_file().exists() {
        data.keep_identity(&identity)?;
    }
    let recipient = identity.recipient();
    data.make_private(&data.catalogue())?;
    let catalogue = Catalogue::open(&data.catalogue().join(catalogue::FILE_NAME))?;
    let (roster, settings) = (Roster::default(), Settings::default());
    let opening = Opening { world, catalogue: catalogue.clone(), roster, service: identity, settings };
    let drivers = sources.iter().map(|source| (source.address.clone(), source.driver.clone())).collect();
    let (store, report) = store::rebuild(opening, drivers, without).await?;
    let targets = by_their_addresses(&store, catalogue.read(|tx| catalogue::fleet::targets(tx)).await?).await?;
    // What logs in is in no journal: it comes from where this rebuild had it, also for those that come back later.
    for source in sources.into_iter().chain(silent).filter(|source| !source.login.is_empty()) {
        if let Some(row) = targets.iter().find(|row| row.address == source.address) {
            store.set_login(row.id, seal_login(row.id, &source.login.pairs(), &recipient)?, source.driver).await?;
        }
    }
    if targets.iter().any(|row| row.driver != FOLDER_DRIVER) {
        store.keep_fleet().await?;
    }
    store.stop().await;
    let providers = catalogue.read(|tx| catalogue::fleet::providers(tx)).await?;
    let trial = one_disk(&targets);
    let folders = |id| {
        let own = targets.iter().filter(move |target| target.provider == id && target.driver == FOLDER_DRIVER);
        own.map(|target| PathBuf::from(&target.address)).collect()
    };
    let described: Vec<Provider> = providers
        .into_iter()
        .map(|row| Provider { paths: folders(row.id), name: row.name, labels: row.labels, far: Vec::new() })
        .filter(|provider| !provider.paths.is_empty())
        .collect();
    if !data.config_file().exists() {
        write_private(&data.config_file(), fleet_text(trial, &described).as_bytes())?;
    }
    Ok(report)
}

/// Targets as they were recorded, with the driver that their address of today wants: a firm's copied disk is a folder.
async fn by_their_addresses(store: &store::Store, rows: Vec<TargetRow>) -> Result<Vec<TargetRow>> {
    let (mut all, mut moved) = (Vec::new(), Vec::new());
    for mut row in rows {
        let driver = Address::parse(&row.address)?.driver();
        if row.driver != driver {
            row.driver = driver.to_owned();
            moved.push(row.clone());
        }
        all.push(row);
    }
    if !moved.is_empty() {
        store.grow(Vec::new(), moved, Vec::new()).await?;
    }
    Ok(all)
}

fn tell(data: &DataFolder, report: &RebuildReport) {
    line(&format!(
        "rebuilt as epoch {}: {} accounts, {} entries, {} packs, from {} targets",
        report.epoch, report.accounts, report.entries, report.packs, report.targets_read
    ));
    for address in &report.targets_unread {
        line(&format!("not read: {address}; nothing is destroyed until it has been"));
    }
    report.findings.iter().for_each(|finding| line(&format!("finding: {finding}")));
    line(&format!("start it with: holdfast serve --data {}", shell(data.root())));
}
