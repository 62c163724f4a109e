//! What an all-S3 fleet is asked for: requests by kind for small files, for a large one, and for an hour in which nothing happens.
//!
//! Six rclone servers play six firms. A service is founded on two folders, which are taken away before the first file, so that all
//! that is kept lies in buckets. The counts are the service's own (`GET /api/v1/fleet`), which a test of the driver compares with
//! what it does. Every figure is taken from rest to rest: packing, snapshots, the release of the journal and the first proof of
//! everything that was written are in it.

use std::{
    env, fs,
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::small::{download_all, upload_all};
use crate::{
    bench::{Bench, GIB, MIB, report::Report, server::Server},
    needs::venv_folder,
};

const FIRMS: usize = 6;
const FILES: u64 = 1_000;
const FILE_BYTES: u64 = 16 * 1024;
/// How long nothing is done: two looks at each marker, at one a minute.
const IDLE: Duration = Duration::from_secs(120);
const HOUR: Duration = Duration::from_secs(3_600);
/// Between two looks whether all is at rest: longer than rounds of upkeep are apart.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// What a look at six markers brings is far below this.
const STILL_BYTES: u64 = 64 << 10;
const REST_MAX: Duration = Duration::from_secs(1_200);
const KINDS: [&str; 6] = ["put", "part", "get", "head", "list", "delete"];

/// What the six firms were asked for: requests by kind, bytes sent there, bytes fetched.
#[derive(Clone, Copy)]
struct Asked([u64; 8]);

impl Asked {
    /// From the service's own report, and how many files and objects wait for upkeep. Over a new connection each time: the service
    /// ends those on which nothing is said.
    fn of(service: &Server) -> Result<(Self, u64)> {
        let report: Value = serde_json::from_slice(&service.connect()?.document("/api/v1/fleet")?)?;
        let mut sum = [0; 8];
        for provider in report["providers"].as_array().context("no providers")? {
            let spending = &provider["spending"];
            if !provider["name"].as_str().is_some_and(|name| name.starts_with("bucket")) {
                continue;
            }
            let counts = KINDS.iter().map(|kind| &spending["requests"][kind]);
            let counts = counts.chain([&spending["in_bytes"], &spending["out_bytes"]]);
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count.as_u64().with_context(|| format!("{} does not count: {spending}", service.name))?;
            }
        }
        let waits = ["journal_objects", "files_below_settled", "unpacked_files"];
        Ok((Self(sum), waits.iter().filter_map(|name| report[*name].as_u64()).sum()))
    }

    fn since(self, before: Self) -> Self {
        let mut more = self.0;
        more.iter_mut().zip(before.0).for_each(|(count, before)| *count -= before.min(*count));
        Self(more)
    }

    fn requests(self) -> u64 {
        self.0[..6].iter().sum()
    }

    fn bytes(self) -> u64 {
        self.0[6] + self.0[7]
    }

    fn add_to(self, report: &mut Report, what: &str) {
        let [.., sent, fetched] = self.0;
        let mib = |bytes: u64| format!("{:.1}", bytes as f64 / MIB as f64);
        let counts = self.0[..6].iter().map(u64::to_string);
        let cells =
            [what.to_owned()].into_iter().chain(counts).chain([self.requests().to_string(), mib(sent), mib(fetched)]);
        report.requests(cells.collect());
    }
}

/// Runs the story.
///
/// # Errors
/// When a server does not do what is due, or the fleet does not come to rest.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let Some(rclone) = find(&venv_folder(bench.workspace)) else {
        report.note("Requests were not counted: rclone is not on this machine.");
        return Ok(());
    };
    fs::create_dir_all(bench.place("firms"))?;
    let firms = (0..FIRMS)
        .map(|n| Firm::start(&rclone, &bench.place("firms").join(n.to_string())))
        .collect::<Result<Vec<_>>>()?;
    let service = all_s3(bench, &firms)?;
    let mut before = at_rest(&service)?;
    let mut count = |report: &mut Report, what: &str| -> Result<()> {
        let now = at_rest(&service)?;
        now.since(before).add_to(report, what);
        before = now;
        Ok(())
    };
    upload_all(bench, &service, FILES, FILE_BYTES, false)?;
    count(report, "1,000 files of 16 KiB up, 8 connections")?;
    download_all(bench, &service, FILES, FILE_BYTES)?;
    count(report, "the same down")?;
    let (bytes, path) = (bench.scaled(GIB), service.path("large"));
    service.connect()?.put(&path, &bench.pattern, 1, bytes)?;
    count(report, &format!("{} MiB up", bytes / MIB))?;
    service.connect()?.get(&path, &bench.pattern, 1, bytes, None)?;
    count(report, "the same down")?;

    let (before, started) = (Asked::of(&service)?.0, Instant::now());
    thread::sleep(IDLE);
    let idle = Asked::of(&service)?.0.since(before);
    let seconds = started.elapsed().as_secs_f64();
    idle.add_to(report, &format!("{seconds:.0} s of nothing"));
    let hour = idle.requests() as f64 * HOUR.as_secs_f64() / seconds;
    let probes = idle.0[2];
    report.at_most("idle: requests that are no look at a marker", (idle.requests() - probes) as f64, 0.0);
    report.note(format!(
        "An idle hour: {hour:.0} requests of all six firms, {probes} in {seconds:.0} s carried on; each marker is looked at once a minute \
         (`probe_every_s` of S3), which is 360 an hour."
    ));
    report.note(
        "Each row but the last is from rest to rest: it holds packing, snapshots, the release of the journal, the first proof of all that was \
         written, the deletion of what was released, and the looks at markers meanwhile.",
    );
    Ok(())
}

/// Waits until nothing waits and no content moves any more.
fn at_rest(service: &Server) -> Result<Asked> {
    let started = Instant::now();
    let (mut before, _) = Asked::of(service)?;
    loop {
        thread::sleep(LOOK_EVERY);
        let (now, waits) = Asked::of(service)?;
        if waits == 0 && now.since(before).bytes() < STILL_BYTES {
            return Ok(now);
        }
        ensure!(started.elapsed() < REST_MAX, "the fleet does not come to rest: {waits} files and objects wait");
        before = now;
    }
}

/// A service all of whose targets that are there are buckets.
fn all_s3(bench: &Bench<'_>, firms: &[Firm]) -> Result<Server> {
    let (data, config) = (bench.place("service"), bench.place("fleet.toml"));
    let mut text = "[settings]\nscheme = \"4+2\"\ndown_wait_s = 0\npack_after_s = 5\n".to_owned();
    let folders = ["first", "second"].map(|name| (name, bench.place(name)));
    for (name, folder) in &folders {
        fs::create_dir_all(folder)?;
        text += &format!("[[provider]]\nname = \"{name}\"\n[[provider.target]]\npath = \"{}\"\n", folder.display());
    }
    fs::write(&config, text)?;
    let service = Server::holdfast_with(bench, data, &["--config", &config.display().to_string()])?;
    let login = bench.place("login");
    fs::write(&login, format!("access_key_id={LOGIN}\nsecret_access_key={SECRET}\n"))?;
    for (n, firm) in firms.iter().enumerate() {
        let (name, address) = (format!("bucket-{n}"), format!("s3://{BUCKET}?endpoint=http://{}", firm.address));
        bench.holdfast(&["provider", "add", &name, "--data"], &[&service.data])?;
        let login = login.display().to_string();
        bench.holdfast(&["target", "add", &name, &address, "--login", &login, "--data"], &[&service.data])?;
    }
    folders.iter().try_for_each(|(_, folder)| fs::remove_dir_all(folder))?;
    Ok(service)
}

const LOGIN: &str = "holdfast";
const SECRET: &str = "a-secret-of-the-bench";
const BUCKET: &str = "shards";
const START_WAIT: Duration = Duration::from_secs(60);

/// A server of S3 in a process of its own. Ended when dropped.
struct Firm {
    child: Child,
    address: SocketAddr,
}

impl Firm {
    fn start(rclone: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join("root").join(BUCKET))?;
        // Free a moment ago; whoever takes it meanwhile makes the start fail, not the figures wrong.
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let log = File::create(folder.join("log"))?;
        let mut command = Command::new(rclone);
        command.args([
            "serve",
            "s3",
            "--addr",
            &address.to_string(),
            "--auth-key",
            &format!("{LOGIN},{SECRET}"),
            "--config",
        ]);
        command.arg(folder.join("config")).arg(folder.join("root")).env("XDG_CACHE_HOME", folder);
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        let mut firm = Self { child: child.with_context(|| format!("cannot start {}", rclone.display()))?, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = firm.child.try_wait()?;
            ensure!(
                ended.is_none() && started.elapsed() < START_WAIT,
                "rclone did not start; see {}",
                folder.display()
            );
            thread::sleep(Duration::from_millis(25));
        }
        Ok(firm)
    }
}

impl Drop for Firm {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where rclone lies: in the environment that `cargo xtask test` makes, or on the path.
fn find(venv: &Path) -> Option<PathBuf> {
    let named = env::var_os("HOLDFAST_TEST_VENV").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let folders =
        named.into_iter().chain([venv.to_owned()]).map(|venv| venv.join("bin")).chain(env::split_paths(&path));
    folders.map(|folder| folder.join("rclone")).find(|file| file.is_file())
}
