//! Three firms that speak three protocols, a service on them and two folders, and who remembers what was acknowledged.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;
use testkit::{
    proxy::{Mode, Proxy},
    server::{Server as Other, skip},
    servers::{apache, rclone, sshd},
};

use crate::common::{Scratch, Server, holdfast, noise, request, text, tree};

/// The folders that are firms too.
pub const FOLDERS: [&str; 2] = ["amber", "birch"];
/// Looks at the fleet: the limit only keeps a broken service from hanging the test.
const LOOKS: usize = 2_400;
const PAUSE: Duration = Duration::from_millis(100);

/// A firm that is reached over a network.
pub struct Firm {
    pub name: &'static str,
    /// The network in between.
    pub proxy: Proxy,
    /// The folder that it keeps everything in.
    pub root: PathBuf,
    pub address: String,
    /// The text of the login.
    pub login: String,
}

impl Firm {
    /// It cannot be reached, from one moment to the next.
    pub fn vanish(&self) {
        self.proxy.set(Mode::Refuse);
        self.proxy.cut();
    }

    /// It can be reached again.
    pub fn come_back(&self) {
        self.proxy.set(Mode::Pass);
    }

    /// The names of everything that it keeps for us.
    pub fn names(&self) -> BTreeSet<PathBuf> {
        names(&self.root)
    }
}

/// The names of all objects in a target's folder.
pub fn names(root: &Path) -> BTreeSet<PathBuf> {
    let paths = tree(root).into_iter().map(|(path, _, _)| path);
    paths.filter(|path| !path.starts_with("tmp") && path != Path::new("holdfast-target")).collect()
}

/// Three firms that speak three protocols.
pub struct Firms {
    pub ssh: sshd::Sshd,
    pub dav: Other,
    pub s3: Other,
    pub all: [Firm; 3],
}

impl Firms {
    /// Starts them; `None` where a server of this story is not here.
    pub fn start(story: &str) -> Option<Self> {
        if [sshd::PROGRAM, apache::PROGRAM, rclone::PROGRAM].into_iter().any(|program| skip(story, program)) {
            return None;
        }
        let (ssh, dav, s3) = (sshd::Sshd::start("").unwrap(), apache::start().unwrap(), rclone::s3().unwrap());
        let network = |address: SocketAddr| Proxy::start(address).unwrap();
        let firm = |name, proxy: Proxy, root, address, login| Firm { name, proxy, root, address, login };
        let proxy = network(ssh.address());
        let root = ssh.new_root("shards").unwrap();
        let host_key = ssh.host_key.trim().replace(' ', "%20").replace('+', "%2B");
        let address = format!("sftp://{}@{}{}?host_key={host_key}", ssh.user, proxy.address(), root.display());
        let by_ssh = firm("box", proxy, root, address, key_login(&ssh.private_key));
        let proxy = network(dav.address());
        let root = dav.folder().join(apache::SERVED).join("holdfast");
        apache::make_folder(&root).unwrap();
        let address = format!("webdav+http://{}/dav/holdfast", proxy.address());
        let by_dav = firm("dav", proxy, root, address, dav_login(apache::SECRET));
        let proxy = network(s3.address());
        let root = s3.folder().join("root").join(rclone::SERVED);
        let address = format!("s3://{}?endpoint=http://{}", rclone::SERVED, proxy.address());
        let by_s3 = firm("bucket", proxy, root, address, s3_login(rclone::SECRET));
        Some(Self { ssh, dav, s3, all: [by_ssh, by_dav, by_s3] })
    }

    pub fn get(&self, name: &str) -> &Firm {
        self.all.iter().find(|firm| firm.name == name).unwrap()
    }
}

pub fn key_login(key: &str) -> String {
    format!("key={}\n", key.replace('\n', "\\n"))
}

pub fn dav_login(password: &str) -> String {
    format!("user={}\npassword={password}\n", apache::LOGIN)
}

pub fn s3_login(secret: &str) -> String {
    format!("access_key_id={}\nsecret_access_key={secret}\n", rclone::LOGIN)
}

pub fn on_data(data: &Path, args: &[&str]) -> Output {
    holdfast(args).arg("--data").arg(data).output().unwrap()
}

pub fn done(output: Output) -> String {
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

pub fn report(data: &Path) -> Value {
    serde_json::from_str(&done(on_data(data, &["fleet", "--json"]))).unwrap()
}

/// Waits for what the fleet says.
pub fn until(data: &Path, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..LOOKS {
        last = report(data);
        if holds(&last) {
            return last;
        }
        thread::park_timeout(PAUSE);
    }
    panic!("this never came true: {what}: {last}");
}

pub fn settled(report: &Value) -> bool {
    ["files_below_settled", "packs_below_settled", "records_below_settled"].iter().all(|count| report[*count] == 0)
}

/// What the fleet says of a firm's one target.
pub fn target<'a>(report: &'a Value, name: &str) -> &'a Value {
    let provider = report["providers"].as_array().unwrap().iter().find(|provider| provider["name"] == name);
    &provider.unwrap()["targets"][0]
}

pub fn is(report: &Value, name: &str, state: &str) -> bool {
    target(report, name)["state"] == state
}

/// How many firms are up.
pub fn up(report: &Value) -> usize {
    report["providers"].as_array().unwrap().iter().filter(|provider| provider["state"] == "up").count()
}

/// A service of two firms that are folders.
pub fn two_folders(scratch: &Scratch) -> Server {
    let config = scratch.join("fleet.toml");
    let mut lines = "[settings]\ndown_wait_s = 2\npack_after_s = 1\n".to_owned();
    for name in FOLDERS {
        fs::create_dir(scratch.join(name)).unwrap();
        lines += &format!("[[provider]]\nname = \"{name}\"\n[[provider.target]]\npath = \"{name}\"\n");
    }
    fs::write(&config, lines).unwrap();
    Server::start_with(&scratch.join("data"), &["--config", config.to_str().unwrap()])
}

pub fn join_all(scratch: &Scratch, data: &Path, firms: &Firms) {
    for Firm { name, address, login, .. } in &firms.all {
        done(on_data(data, &["provider", "add", name, "--label", "country=NL"]));
        let file = scratch.join(&format!("{name}.login"));
        fs::write(&file, login).unwrap();
        let said = done(on_data(data, &["target", "add", name, address, "--login", file.to_str().unwrap()]));
        assert!(said.contains("written, read back, listed and deleted"), "{said}");
        fs::remove_file(file).unwrap();
    }
}

/// A file that was sent and acknowledged.
#[derive(Clone, Debug)]
pub struct Sent {
    path: String,
    seed: u64,
    bytes: usize,
}

/// Sends a file; the answer's text if it was refused. A refusal must be one that is due: too few firms.
pub fn send(url: &str, token: &str, path: &str, seed: u64, bytes: usize) -> Result<Sent, String> {
    let path = format!("/api/v1/files/{path}");
    let answer = request(url, token, "PUT", &path, &[], &noise(seed, bytes));
    match answer.status {
        201 => Ok(Sent { path, seed, bytes }),
        503 => Err(text(&answer.body)),
        status => panic!("{path}: {status} {}", text(&answer.body)),
    }
}

/// Reads a file; the answer's text if that was refused.
pub fn read(url: &str, token: &str, sent: &Sent) -> Result<(), String> {
    let answer = request(url, token, "GET", &sent.path, &[], &[]);
    if answer.status != 200 {
        return Err(text(&answer.body));
    }
    assert_eq!(answer.body.len(), sent.bytes, "{} broke off", sent.path);
    assert!(answer.body == noise(sent.seed, sent.bytes), "{} is not what was sent", sent.path);
    Ok(())
}

/// A grown service, its firms, and all that it acknowledged.
pub struct Fleet {
    pub server: Server,
    pub firms: Firms,
    pub token: String,
    pub data: PathBuf,
    pub sent: Vec<Sent>,
    pub scratch: Scratch,
}

impl Fleet {
    /// Five firms that are up, with files on them, and all is settled; `None` where a server is not here.
    pub fn grown(story: &str) -> Option<Self> {
        let firms = Firms::start(story)?;
        let scratch = Scratch::new();
        let server = two_folders(&scratch);
        let (data, token) = (server.data.clone(), server.token());
        join_all(&scratch, &data, &firms);
        let mut fleet = Self { server, firms, token, data, sent: Vec::new(), scratch };
        fleet.put("before");
        fleet.until("five firms are up and all is settled", |report| settled(report) && up(report) == 5);
        Some(fleet)
    }

    /// Stops the service, lets something happen to its data folder, and starts it again with its settings.
    pub fn start_again(self, between: impl FnOnce(&Path)) -> Self {
        let Self { server, firms, token, data, sent, scratch } = self;
        server.stop();
        between(&data);
        let server = Server::start_with(&data, &["--config", scratch.join("fleet.toml").to_str().unwrap()]);
        Self { server, firms, token, data, sent, scratch }
    }

    pub fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        until(&self.data, what, holds)
    }

    pub fn firm(&self, name: &str) -> &Firm {
        self.firms.get(name)
    }

    /// Where a firm keeps everything, a folder or not.
    pub fn root(&self, name: &str) -> PathBuf {
        if FOLDERS.contains(&name) { self.scratch.join(name) } else { self.firm(name).root.clone() }
    }

    /// What every firm but one keeps, by name.
    pub fn kept_but_at(&self, victim: &str) -> Vec<(&'static str, BTreeSet<PathBuf>)> {
        let all = FOLDERS.into_iter().chain(self.firms.all.iter().map(|firm| firm.name));
        all.filter(|name| *name != victim).map(|name| (name, names(&self.root(name)))).collect()
    }

    /// No shard and no envelope that was kept then is gone now: what nobody needs any more waits a day. Journal objects and
    /// snapshots go as soon as newer ones say the same.
    pub fn still_keeps(&self, then: &[(&'static str, BTreeSet<PathBuf>)]) {
        for (name, then) in then {
            let now = names(&self.root(name));
            // What rclone calls so is not whole yet, and gets its name when it is.
            let whole = |path: &PathBuf| !path.to_string_lossy().contains(".rclone_temp");
            let lasting =
                |path: &&PathBuf| whole(path) && ["shards", "envelopes"].iter().any(|first| path.starts_with(first));
            let gone: Vec<_> = then.difference(&now).filter(lasting).collect();
            assert!(gone.is_empty(), "deleted at {name}: {gone:?}");
        }
    }

    /// Sends one file of each kind: a row, a record, a pack, a larger one.
    pub fn put(&mut self, folder: &str) {
        for (name, bytes) in [("row", 900), ("record", 40_000), ("pack", 3_000_000), ("larger", 9_000_001)] {
            let (path, seed) = (format!("{folder}/{name}"), self.sent.len() as u64 + 1);
            let sent = send(&self.server.url, &self.token, &path, seed, bytes);
            self.sent.push(sent.unwrap_or_else(|refusal| panic!("{path} is refused: {refusal}")));
        }
    }

    /// Reads back all that was acknowledged.
    pub fn check(&self) {
        for sent in &self.sent {
            read(&self.server.url, &self.token, sent)
                .unwrap_or_else(|refusal| panic!("{} cannot be read: {refusal}", sent.path));
        }
    }

    /// Sends small and large files until it is told to stop.
    pub fn keep_sending(&self, folder: &str) -> Sending {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (url, token, folder) = (self.server.url.clone(), self.token.clone(), folder.to_owned());
        let told = (Arc::clone(&stop), Arc::clone(&count));
        let thread = thread::spawn(move || {
            let (mut kept, mut refused) = (Vec::new(), Vec::new());
            for number in 0.. {
                if told.0.load(Ordering::Relaxed) {
                    break;
                }
                let bytes = [900, 40_000, 1_200_000, 2_500_001][number % 4];
                match send(&url, &token, &format!("{folder}/{number}"), 1_000 + number as u64, bytes) {
                    Ok(sent) => kept.push(sent),
                    Err(refusal) => refused.push(refusal),
                }
                told.1.store(kept.len(), Ordering::Relaxed);
                // A client has something else to do as well.
                thread::park_timeout(PAUSE);
            }
            (kept, refused)
        });
        Sending { stop, count, thread: Some(thread) }
    }

    /// Enters a login, as an operator does.
    pub fn enter_login(&self, firm: &str, login: &str) -> Output {
        let file = self.scratch.join("login");
        fs::write(&file, login).unwrap();
        on_data(&self.data, &["target", "login", &self.firm(firm).address, "--login", file.to_str().unwrap()])
    }

    /// Reads everything at every firm: the answer as it is told.
    pub fn scrub(&self) -> Value {
        let answer = request(&self.server.url, &self.token, "POST", "/api/v1/fleet/scrub?wait=true", &[], &[]);
        assert_eq!(answer.status, 200, "{}", text(&answer.body));
        serde_json::from_slice(&answer.body).unwrap()
    }
}

/// Uploads that go on beside the story.
pub struct Sending {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    thread: Option<JoinHandle<(Vec<Sent>, Vec<String>)>>,
}

impl Sending {
    /// Waits until so many more were acknowledged.
    pub fn goes_on(&self, more: usize) {
        let first = self.count.load(Ordering::Relaxed);
        for _ in 0..LOOKS {
            if self.count.load(Ordering::Relaxed) >= first + more {
                return;
            }
            thread::park_timeout(PAUSE);
        }
        panic!("uploads do not go on");
    }

    /// What was acknowledged, and the refusals.
    pub fn end(mut self) -> (Vec<Sent>, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
