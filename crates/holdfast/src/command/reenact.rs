//! `holdfast reenact`: the story of 2012 to 2017 on real files, with the other ending.
//!
//! A file host had 1,103 servers at Carpathia, 630 at LeaseWeb and 36 at Cogent. In 2012 it was shut down; in 2013 LeaseWeb
//! wiped its servers unasked; the rest aged for years until nobody could read them. Here the same fleet (each server a
//! folder) takes real files. One firm wipes everything in the middle of the work, the operator disappears with catalogue and
//! keys, and the files go home with a kit. Every file that was acknowledged is compared with its source after either blow.
//!
//! The same is played on a fleet that the person names, of real firms: there one firm is fenced off instead, and everything that was
//! written is taken away again at the end.
//!
//! [`firms`] has the folders and the service on them, [`given`] a fleet that was named, [`blow`] takes the firm away, [`traffic`] are
//! the people who send and read, [`tree`] the files, [`scene`] the play's folder and its time.

mod blow;
mod firms;
mod given;
mod scene;
mod traffic;
mod tree;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use fleet::Target;
use format::Kit;
use model::{fleet::TargetState, units::INLINE_FILE_BYTES_MAX};
use rescue::Rescue;
use store::{FleetReport, Store};

use self::{
    firms::{FIRMS, LEASEWEB, Lying, Stage},
    given::Given,
    scene::{Scene, Timeline},
    traffic::{Traffic, compare},
};
use super::{fleet::bytes, serve::stop_signal};
use crate::{
    assemble::folder_driver,
    error::{Error, Result},
};

/// Small files reach packs within seconds; if nothing does in this time, something is wrong.
const SHARDS_WAIT_MS: u64 = 60_000;
/// The other process has begun to wipe after this long at most.
const WIPE_BEGINS_MS: u64 = 5_000;
/// Repair that gets nowhere for so long is given up.
const REPAIR_WAIT_MS: u64 = 120_000;
/// Differences printed of each comparison.
const NAMED_MAX: usize = 10;

/// Plays the story of 2012 to 2017 on the files of a folder: a firm wipes everything, then the operator is gone.
///
/// The files are only read. Exit code 0 says that every acknowledged file was equal to its source after the wipe and
/// again after the rescue, that shards did lie at the firm that wiped, and that no file was refused.
///
/// With --fleet it is played on real firms. Places that hold anything are refused. The firm that goes is fenced off, not wiped, and
/// at the end everything that the play wrote is removed. Requests and bytes are billed as by any service.
#[derive(clap::Args)]
pub struct Args {
    /// A folder of files to play with; nothing in it may change meanwhile.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// How many of the story's servers one folder stands for: 1 plays all 1,769; 18 leaves the smallest firm the two that
    /// copies on two firms need.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=18), conflicts_with = "fleet")]
    servers_in: u16,
    /// Plays on the providers and targets of a configuration file instead of folders of its own.
    #[arg(long, value_name = "FILE")]
    fleet: Option<PathBuf>,
    /// The provider of that file that goes [default: the second].
    #[arg(long, value_name = "PROVIDER", requires = "fleet")]
    lose: Option<String>,
    /// Also deletes what the play wrote at that provider, and only that, as soon as it is fenced off.
    #[arg(long, requires = "fleet")]
    wipe: bool,
    /// Where the play's own folder is made; it needs room for about five times FOLDER, with --fleet once.
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Keeps the play's folder, and what it wrote at the places of --fleet.
    #[arg(long)]
    keep: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let real = |path: &Path| fs::canonicalize(path).map_err(|error| Error::io("reading", path, &error));
    let folder = real(&args.folder)?;
    let above = real(&args.work.unwrap_or_else(std::env::temp_dir))?;
    if above.starts_with(&folder) {
        return Err(Error::refused(format!("the play would take place inside {}", folder.display()))
            .hint("name another place with --work"));
    }
    let (files, left_out) = tree::walk(&folder)?;
    if files.iter().all(|file| file.bytes <= INLINE_FILE_BYTES_MAX) {
        return Err(Error::refused(format!("no file in {} is larger than 2 KiB", folder.display()))
            .hint("smaller ones lie in records, and no shard would lie at the firm that wipes; name another folder"));
    }
    let root = above.join(format!("holdfast-reenact-{}", std::process::id()));
    let timeline = Timeline::start();
    let given = match &args.fleet {
        Some(file) => Some(Arc::new(Given::look(file, args.lose, &[root.clone(), folder], &timeline.world).await?)),
        None => None,
    };
    fs::create_dir(&root).map_err(|error| Error::io("making the folder", &root, &error))?;
    let scene = Scene { root, keep: args.keep };
    left_out.iter().for_each(|what| timeline.tell(&format!("left out: {what}")));
    let (traffic, root) = (Traffic::of(files), scene.root.clone());
    let mut play = Play { timeline, root, traffic, given, wipe: args.wipe, equal: true };
    let stopped = stop_signal()?;
    let played = tokio::select! {
        played = play.all(usize::from(args.servers_in)) => played,
        () = stopped => Err(Error::new(model::Class::Retry, "the play was stopped")),
    };
    match (&play.given, args.keep) {
        (Some(given), true) => given.keep(&play.timeline),
        (Some(given), false) if !given.clear(&play.timeline).await => return played.and(Ok(ExitCode::FAILURE)),
        _ => {}
    }
    played
}

/// The play as far as it is.
struct Play {
    timeline: Timeline,
    root: PathBuf,
    traffic: Arc<Traffic>,
    /// The fleet that was named.
    given: Option<Arc<Given>>,
    /// Whether what was written at its firm that goes is deleted.
    wipe: bool,
    /// Whether every comparison so far found every acknowledged file equal.
    equal: bool,
}

impl Play {
    async fn all(&mut self, servers_in: usize) -> Result<ExitCode> {
        let stage = self.found(servers_in).await?;
        let lying = self.wipe(&stage).await?;
        self.repair(&stage).await?;
        self.end_operator(stage).await?;
        self.rescue().await?;
        Ok(self.verdict(lying))
    }

    /// The firm that goes.
    fn lost(&self) -> &str {
        self.given.as_ref().map_or(LEASEWEB, |given| &given.lost)
    }

    fn kit_file(&self) -> PathBuf {
        self.root.join("kit.txt")
    }

    /// 2012: the fleet as it was; the kit is made before the first file.
    async fn found(&self, servers_in: usize) -> Result<Stage> {
        let world = self.timeline.world.clone();
        let (firms, stage) = match &self.given {
            Some(given) => {
                (format!("places at real firms ({})", given.told()), Stage::on(&self.root, given, world).await?)
            }
            None => {
                let firms = FIRMS.map(|firm| format!("{} {}", firm.name, firm.folders(servers_in))).join(", ");
                let stage = Stage::found(&self.root, servers_in, world).await?;
                (format!("the servers of three firms ({firms})"), stage)
            }
        };
        let scheme = scheme(&stage.store.fleet_report().await?);
        self.timeline.tell(&format!("a service on {firms}, scheme {scheme}"));
        stage.make_kit(&self.kit_file()).await?;
        self.timeline.tell("a recovery kit is made, before the first file");
        Ok(stage)
    }

    /// 2013: one firm wipes all of its servers while people send and read. What lay there.
    async fn wipe(&mut self, stage: &Stage) -> Result<Lying> {
        let (traffic, all) = (Arc::clone(&self.traffic), self.traffic.files.len());
        let total = traffic.files.iter().map(|file| file.bytes).sum();
        self.timeline.tell(&format!("{all} files ({}) are sent, {} at once", bytes(total), traffic::AT_ONCE));
        let people = traffic.begin(&stage.service, stage.caller, &self.timeline.world);
        let half = all.div_ceil(2);
        traffic.let_go(half);
        while !traffic.is_through(half) {
            stage.pause(20).await;
        }
        let lying = self.wait_for_shards(stage).await?;
        let before = traffic.count();
        self.timeline.tell(&format!(
            "{} files ({}) are acknowledged; {}",
            before.files,
            bytes(before.bytes),
            margin(&stage.store).await?
        ));
        self.timeline.tell(&format!(
            "at {} lie {} shards ({}) and {} copies of records",
            self.lost(),
            lying.shards,
            bytes(lying.shard_bytes),
            lying.copies
        ));
        traffic.let_go(half + (all - half).div_ceil(2));
        self.strike(stage).await?;
        traffic.end(people).await;
        self.tell_traffic();
        let (service, caller) = (stage.service.clone(), stage.caller);
        let unequal = compare(&traffic, move |source| {
            let service = service.clone();
            async move { tree::is_kept(&service, &caller, &source).await }
        });
        let unequal = unequal.await;
        let when =
            self.given.as_ref().map_or_else(|| "after the wipe".to_owned(), |given| format!("without {}", given.lost));
        self.compared(&when, &unequal);
        Ok(lying)
    }

    /// Until something lies at the firm that will wipe, there is nothing to show.
    async fn wait_for_shards(&self, stage: &Stage) -> Result<Lying> {
        let deadline_ms = self.timeline.elapsed_ms() + SHARDS_WAIT_MS;
        loop {
            let late = self.timeline.elapsed_ms() > deadline_ms;
            match &self.given {
                // A listing is a request that somebody pays for, so a shard has to be on its way first.
                Some(given) if late || given.has_shards() => {
                    let lying = given.lying().await?;
                    if lying.shards > 0 || late {
                        return Ok(lying);
                    }
                    stage.pause(1_000).await;
                }
                Some(_) => {}
                None => {
                    let lying = stage.lying_at(LEASEWEB);
                    if lying.shards > 0 || late {
                        return Ok(lying);
                    }
                }
            }
            stage.pause(200).await;
        }
    }

    fn tell_traffic(&mut self) {
        let count = self.traffic.count();
        self.timeline.tell(&format!(
            "all is sent: {} files ({}) are acknowledged, {} were sent again; {} reads ({}) meanwhile",
            count.files,
            bytes(count.bytes),
            count.sent_again,
            count.reads,
            bytes(count.read_bytes)
        ));
        let troubles = self.traffic.troubles();
        self.name("not acknowledged", &troubles.refused.into_values().collect::<Vec<_>>());
        self.name("read failed", &troubles.failed_reads);
        self.name("other bytes were read", &troubles.wrong_reads);
        self.equal &= troubles.wrong_reads.is_empty();
    }

    /// The firms that remain make again what is missing, unasked.
    async fn repair(&self, stage: &Stage) -> Result<()> {
        let mut last = (u64::MAX, 0);
        let mut deadline_ms = self.timeline.elapsed_ms() + REPAIR_WAIT_MS;
        loop {
            let report = stage.store.fleet_report().await?;
            let left = report.files_below_settled + report.packs_below_settled + report.records_below_settled;
            if left == 0 && is_noticed(&report, self.lost()) {
                let scheme = scheme(&report);
                let margin = margin(&stage.store).await?;
                let firms = match report.providers.len() - 1 {
                    2 => "two".to_owned(),
                    more => more.to_string(),
                };
                self.timeline.tell(&format!("everything is settled on {firms} firms, scheme {scheme}; {margin}"));
                return Ok(());
            }
            let done = report.jobs.iter().map(|job| job.done_bytes).sum();
            if (left, done) != last {
                (last, deadline_ms) = ((left, done), self.timeline.elapsed_ms() + REPAIR_WAIT_MS);
            }
            if self.timeline.elapsed_ms() > deadline_ms {
                self.name("upkeep says", &report.findings);
                return Err(Error::new(
                    model::Class::Retry,
                    format!(
                        "repair got nowhere for {} s: {} packs and {} records are not settled",
                        REPAIR_WAIT_MS / 1_000,
                        report.packs_below_settled,
                        report.records_below_settled
                    ),
                ));
            }
            stage.pause(250).await;
        }
    }

    /// 2017: the operator is gone, and with it every record of what lies where.
    async fn end_operator(&self, stage: Stage) -> Result<()> {
        stage.end().await?;
        self.timeline.tell("the operator is gone: catalogue and keys are deleted");
        Ok(())
    }

    /// The person takes the kit to the firms that remain.
    async fn rescue(&mut self) -> Result<()> {
        let home = self.root.join("home");
        let file = self.kit_file();
        let page = fs::read_to_string(&file).map_err(|error| Error::io("reading the kit", &file, &error))?;
        let kit = Kit::parse(&page)?;
        let open = |known: &format::KitAddress| {
            let driver: Arc<dyn Target> = match &self.given {
                Some(given) => given.open_for_rescue(&known.address, &self.timeline.world),
                None => folder_driver(Path::new(&known.address), &self.timeline.world),
            };
            (known.address.clone(), driver)
        };
        let said = |error: rescue::Error| Error::new(error.class(), error);
        let rescue = Rescue::open(&kit, kit.addresses.iter().map(open).collect()).await.map_err(said)?;
        let report = rescue::home::bring(&rescue, &home, &mut |_| {}).await.map_err(said)?;
        self.timeline.tell(&format!(
            "the kit alone brought {} files ({}) home from {} servers; {} are not whole",
            report.written,
            bytes(report.bytes),
            rescue.targets().count(),
            report.lost.len()
        ));
        let unequal = compare(&self.traffic, move |source| {
            let path = source.below(&home);
            async move { tree::is_at(&path, &source).await }
        });
        let unequal = unequal.await;
        self.compared("after the rescue", &unequal);
        Ok(())
    }

    fn compared(&mut self, when: &str, unequal: &[String]) {
        let count = self.traffic.count();
        let equal = count.files - unequal.len();
        self.timeline.tell(&format!(
            "{when}: {equal} of {} acknowledged files are equal to their source ({})",
            count.files,
            bytes(count.bytes)
        ));
        self.name("lost", unequal);
        self.equal &= unequal.is_empty();
    }

    /// Names the first few of what went wrong.
    fn name(&self, what: &str, names: &[String]) {
        names.iter().take(NAMED_MAX).for_each(|name| self.timeline.tell(&format!("{what}: {name}")));
        if names.len() > NAMED_MAX {
            self.timeline.tell(&format!("{what}: and {} more", names.len() - NAMED_MAX));
        }
    }

    fn verdict(&self, lying: Lying) -> ExitCode {
        let (files, all) = (self.traffic.count().files, self.traffic.files.len());
        if lying.shards == 0 {
            self.timeline.tell(&format!("nothing was shown: no shard lay at {} when it went", self.lost()));
        } else if !self.equal {
            self.timeline.tell("files were lost");
        } else if files < all {
            self.timeline.tell(&format!("nothing was lost, but {} files were never acknowledged", all - files));
        } else {
            self.timeline
                .tell(&format!("nothing was lost: {files} files survived a firm, the catalogue and the operator"));
            return ExitCode::SUCCESS;
        }
        ExitCode::FAILURE
    }
}

/// Whether the service knows by itself that the firm is gone.
fn is_noticed(report: &FleetReport, lost: &str) -> bool {
    report.providers.iter().all(|provider| (provider.name == lost) == (provider.state != TargetState::Up))
}

fn scheme(report: &FleetReport) -> String {
    report.scheme.map_or_else(|| "none".to_owned(), |scheme| scheme.to_string())
}

/// Packs, and how many firms the worst of them can lose now, for people.
async fn margin(store: &Store) -> Result<String> {
    let now = store.what_if(&[]).await?;
    let packs: u64 = now.packs_by_margin.iter().sum();
    let worst = now.packs_by_margin.iter().position(|count| *count > 0).unwrap_or(0);
    Ok(format!("{packs} packs, margin {worst}"))
}
