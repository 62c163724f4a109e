//! `holdfast rebuild`: a working catalogue from what the targets say.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use catalogue::Catalogue;
use fleet::Roster;
use format::Identity;
use model::Class;
use store::{Opening, RebuildReport, Settings};

use super::serve::shell;
use crate::{
    assemble::{folder_driver, one_disk},
    client::batch::line,
    config::{Provider, fleet_text, plain_path},
    data::{DataFolder, read_identity, sync_folder, write_private},
    error::{Error, Result},
    world,
};

/// Makes the catalogue again from surviving targets and the service identity.
#[derive(clap::Args)]
pub struct Args {
    /// New data folder; must hold no service.
    #[arg(long, value_name = "NEWDIR")]
    data: PathBuf,
    /// The service identity, or the copy of it that was kept elsewhere.
    #[arg(long, value_name = "FILE")]
    service_identity: PathBuf,
    /// Folders of the surviving targets.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    target: Vec<PathBuf>,
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
    let identity = read_identity(&args.service_identity)?;
    let here = std::env::current_dir().map_err(|error| Error::io("reading", Path::new("."), &error))?;
    let paths: Vec<PathBuf> = args.target.iter().map(|path| plain_path(&here, path)).collect();
    if let Some(missing) = paths.iter().find(|path| !path.is_dir()) {
        return Err(Error::new(Class::Missing, format!("the folder {} does not exist", missing.display()))
            .hint("name the folders of the targets that can be read; leave out the others"));
    }
    let own_keys = data.keys().exists();
    if own_keys && data.identity()?.recipient() != identity.recipient() {
        return Err(Error::new(Class::Conflict, format!("{} keeps another service identity", data.keys().display()))
            .hint("rebuild into a new, empty folder"));
    }
    write_private(&data.founding_mark(), b"")?;
    let report = match fill(&data, identity, &paths, &args.without).await {
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

/// Fills the data folder: keys, catalogue, configuration.
async fn fill(data: &DataFolder, identity: Identity, paths: &[PathBuf], without: &[String]) -> Result<RebuildReport> {
    let world = world::real();
    let driver = |path: &PathBuf| (path.display().to_string(), folder_driver(path, &world));
    let drivers = paths.iter().map(driver).collect();
    if !data.identity_file().exists() {
        data.keep_identity(&identity)?;
    }
    data.make_private(&data.catalogue())?;
    let catalogue = Catalogue::open(&data.catalogue().join(catalogue::FILE_NAME))?;
    let (roster, settings) = (Roster::default(), Settings::default());
    let opening = Opening { world, catalogue: catalogue.clone(), roster, service: identity, settings };
    let (store, report) = store::rebuild(opening, drivers, without).await?;
    store.stop().await;
    let (providers, targets) =
        catalogue.read(|tx| Ok((catalogue::fleet::providers(tx)?, catalogue::fleet::targets(tx)?))).await?;
    let trial = one_disk(&targets);
    let described = providers.into_iter().map(|row| {
        let paths =
            targets.iter().filter(|target| target.provider == row.id).map(|target| PathBuf::from(&target.address));
        Provider { name: row.name, labels: row.labels, paths: paths.collect() }
    });
    if !data.config_file().exists() {
        let described: Vec<Provider> = described.collect();
        write_private(&data.config_file(), fleet_text(trial, &described).as_bytes())?;
    }
    Ok(report)
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
