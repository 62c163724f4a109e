//! A server under measurement: the trial service or the floor, each a process of its own.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Bench, client::Client};

const START_WAIT: Duration = Duration::from_secs(300);
const STOP_WAIT: Duration = Duration::from_secs(60);
/// Between two looks at a server that is busy.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Account of the trial service.
pub const ACCOUNT: &str = "owner";

/// A running server. Killed when dropped.
pub struct Server {
    /// How reports call it.
    pub name: &'static str,
    /// Its data folder.
    pub data: PathBuf,
    child: Child,
    address: SocketAddr,
    token: Option<String>,
    /// Stands before the path of every file.
    prefix: &'static str,
}

/// What the service says of its own state.
pub struct FleetState {
    /// Files that are not settled yet.
    pub files_below_settled: u64,
    /// Journal objects not released yet; `None` when the service does not say.
    pub journal_objects: Option<u64>,
}

impl Server {
    /// Starts the floor.
    ///
    /// # Errors
    /// When it does not start.
    pub fn sink(data: PathBuf) -> Result<Server> {
        let mut command = Command::new(env::current_exe()?);
        command.arg("sink").arg("--dir").arg(&data);
        Server::start("floor", command, data, "/")
    }

    /// Starts the trial service on a data folder, new or used, and takes a token.
    ///
    /// # Errors
    /// When it does not start, or gives no token.
    pub fn holdfast(bench: &Bench<'_>, data: PathBuf) -> Result<Server> {
        Server::holdfast_with(bench, data, &[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// As [`Server::holdfast`].
    pub fn holdfast_with(bench: &Bench<'_>, data: PathBuf, arguments: &[&str]) -> Result<Server> {
        let mut command = Command::new(bench.workspace.program("holdfast"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments).arg("--data").arg(&data);
        let mut server = Server::start("holdfast", command, data, "/api/v1/files/")?;
        let token = bench.holdfast(&["token", "create", "--account", ACCOUNT, "--data"], &[&server.data])?;
        server.token = Some(token.trim().to_owned());
        Ok(server)
    }

    fn start(name: &'static str, mut command: Command, data: PathBuf, prefix: &'static str) -> Result<Server> {
        let log = data.with_extension("log");
        let stderr = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        let stdout = stderr.try_clone()?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let output = child.stdout.take().context("a child without output")?;
        let address = announced(output, stdout);
        let mut server =
            Server { name, data, child, address: SocketAddr::from(([127, 0, 0, 1], 0)), token: None, prefix };
        server.address = address.with_context(|| format!("{name} did not start; see {}", log.display()))?;
        Ok(server)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A new connection.
    ///
    /// # Errors
    /// When it is gone.
    pub fn connect(&self) -> Result<Client> {
        Client::connect(self.address, self.token.as_deref())
    }

    /// Where a file is found.
    pub fn path(&self, file: &str) -> String {
        format!("{}{file}", self.prefix)
    }

    /// Asks the service for its state.
    ///
    /// # Errors
    /// When it does not answer, or not with the state of a fleet.
    pub fn fleet_state(&self, client: &mut Client) -> Result<FleetState> {
        let state: Value = serde_json::from_slice(&client.document("/api/v1/fleet")?)?;
        let files_below_settled = state["files_below_settled"].as_u64().context("no files_below_settled")?;
        Ok(FleetState { files_below_settled, journal_objects: state["journal_objects"].as_u64() })
    }

    /// Waits until the service says what is hoped for; `look` is called with every answer.
    ///
    /// # Errors
    /// When it does not within `limit`.
    pub fn wait_until(&self, limit: Duration, mut look: impl FnMut(&FleetState) -> Result<bool>) -> Result<()> {
        let (mut client, started) = (self.connect()?, Instant::now());
        while !look(&self.fleet_state(&mut client)?)? {
            ensure!(started.elapsed() < limit, "{} is not there after {} s", self.name, limit.as_secs());
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Waits until every file is settled, and the journal is released if the service says how much of it there is.
    ///
    /// # Errors
    /// When it does not come to rest.
    pub fn wait_released(&self) -> Result<()> {
        self.wait_until(Duration::from_secs(1800), |state| {
            Ok(state.files_below_settled == 0 && state.journal_objects.unwrap_or(0) == 0)
        })
    }

    /// Asks the server to end, waits until it has, and gives back its data folder.
    ///
    /// # Errors
    /// When it does not end in time, or badly.
    pub fn stop(mut self) -> Result<PathBuf> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_WAIT {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success() || self.token.is_none(), "{} ended with {status}", self.name);
                return Ok(self.data.clone());
            }
            thread::sleep(LOOK_EVERY);
        }
        bail!("{} did not end within {} s", self.name, STOP_WAIT.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bench<'_> {
    /// Runs a command of `holdfast` and returns what it prints. `paths` follow the arguments.
    ///
    /// # Errors
    /// When the command fails.
    pub fn holdfast(&self, arguments: &[&str], paths: &[&Path]) -> Result<String> {
        printed(Command::new(self.workspace.program("holdfast")).args(arguments).args(paths))
    }

    /// Makes a recovery kit of the account on a running service.
    ///
    /// # Errors
    /// When the command fails.
    pub fn make_kit(&self, server: &Server) -> Result<PathBuf> {
        let kit = server.data.with_extension("kit");
        let arguments = ["kit", "make", "--account", ACCOUNT, "--data"];
        self.holdfast(&arguments, &[&server.data, Path::new("--out"), &kit])?;
        Ok(kit)
    }

    /// Brings a user's tree home with the kit and the targets alone, into a new folder.
    ///
    /// # Errors
    /// When the rescue fails.
    pub fn rescue(&self, kit: &Path, data: &Path) -> Result<PathBuf> {
        let out = data.with_extension("rescued");
        let mut command = Command::new(self.workspace.program("holdfast-rescue"));
        command.arg("--kit").arg(kit).arg("--out").arg(&out);
        for provider in providers(data)? {
            command.arg("--target").arg(provider);
        }
        printed(&mut command)?;
        Ok(out)
    }
}

/// The folders of the six trial providers, in order of their names.
///
/// # Errors
/// When there are none.
pub fn providers(data: &Path) -> Result<Vec<PathBuf>> {
    let folder = data.join("providers");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut providers = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    providers.sort();
    Ok(providers)
}

fn printed(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Waits for the line that says where the server listens; all lines go to the log, also later ones.
fn announced(output: ChildStdout, mut log: File) -> Result<SocketAddr> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("listening on http://") {
                // Only the first line is waited for.
                let _ = sender.send(rest.split_whitespace().next().unwrap_or_default().to_owned());
            }
            if writeln!(log, "{line}").is_err() {
                break;
            }
        }
    });
    let address = receiver.recv_timeout(START_WAIT).context("it did not say where it listens")?;
    address.trim_end_matches('/').parse().with_context(|| format!("`{address}` is no address"))
}
