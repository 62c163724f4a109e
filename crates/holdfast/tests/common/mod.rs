//! A real server in a folder of its own, the real commands, and a plain HTTP client for what they do not show.
#![allow(dead_code, clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use rustix::process::{Pid, Signal, kill_process};

pub mod hooked;

/// A folder that goes away with the test.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("holdfast-test-{}-{number}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(fs::canonicalize(path).unwrap())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The program with a clean environment.
pub fn holdfast(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(args).env_remove("HOLDFAST_URL").env_remove("HOLDFAST_TOKEN").stdin(Stdio::null());
    // Nor is whoever runs the tests signed in anywhere.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command
}

/// What a command wrote, for assertions.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command that must succeed; its standard output.
pub fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A running server.
pub struct Server {
    child: Child,
    pub data: PathBuf,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// What it says of its page: the address that claims the service, until somebody has.
    pub page: String,
    /// What it says otherwise.
    pub out: Said,
    /// Its log.
    pub log: Said,
}

/// Lines of a program, as they come.
#[derive(Clone, Default)]
pub struct Said(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Said {
    fn add(&self, line: String) {
        self.0.0.lock().unwrap().push(line);
        self.0.1.notify_all();
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits for a line like this one.
    pub fn wait(&self, is_it: impl Fn(&str) -> bool) -> String {
        let mut lines = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = lines.iter().find(|line| is_it(line)) {
                return found.clone();
            }
            lines = self.0.1.wait(lines).unwrap();
        }
    }
}

impl Server {
    /// Starts a trial service, or the one that the folder holds, on a free port.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub fn start_with(data: &Path, more: &[&str]) -> Self {
        Self::start_at(data, "127.0.0.1:0", more)
    }

    /// Starts it where the programs of others are those of one folder.
    pub fn start_on_path(data: &Path, path: &Path) -> Self {
        let mut command = holdfast(&["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(data).env("PATH", path);
        Self::started(data, command)
    }

    /// Starts it where one certificate alone is trusted.
    pub fn start_trusting(data: &Path, certificate: &Path, more: &[&str]) -> Self {
        let mut command = holdfast(&["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(data).args(more).env("SSL_CERT_FILE", certificate);
        Self::started(data, command)
    }

    /// Starts it where an earlier one listened.
    pub fn start_again(data: &Path, url: &str) -> Self {
        Self::start_at(data, url.strip_prefix("http://").unwrap(), &[])
    }

    fn start_at(data: &Path, address: &str, more: &[&str]) -> Self {
        let mut command = holdfast(&["serve", "--listen", address, "--data"]);
        command.arg(data).args(more);
        Self::started(data, command)
    }

    fn started(data: &Path, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            match lines.next() {
                Some(line) => {
                    if let Some(url) = line.unwrap().strip_prefix("listening on ") {
                        break url.to_owned();
                    }
                }
                None => {
                    let mut said = String::new();
                    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                    panic!("the server did not start ({}): {said}", child.wait().unwrap());
                }
            }
        };
        let said = lines.next().unwrap().unwrap();
        let page = said.strip_prefix("page: ").unwrap().split(' ').next().unwrap().to_owned();
        // What it says later must find a reader.
        let (out, log) = (Said::default(), Said::default());
        let heard = out.clone();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| heard.add(line)));
        let errors = BufReader::new(child.stderr.take().unwrap());
        let heard = log.clone();
        std::thread::spawn(move || {
            errors.lines().map_while(Result::ok).for_each(|line| {
                eprintln!("server: {line}");
                heard.add(line);
            });
        });
        Self { child, data: data.to_owned(), url, page, out, log }
    }

    /// A token of the account that every service starts with.
    pub fn token(&self) -> String {
        let mut command = holdfast(&["token", "create", "--account", "owner", "--data"]);
        command.arg(&self.data);
        let said = succeed(command);
        let token = said.trim().to_owned();
        assert_eq!(said, format!("{token}\n"), "the token and nothing else");
        token
    }

    /// A client command with address and token set, and its state in the data folder's neighbour.
    pub fn client(&self, token: &str, args: &[&str]) -> Command {
        let mut command = holdfast(args);
        command.env("HOLDFAST_URL", &self.url).env("HOLDFAST_TOKEN", token);
        command.env("XDG_STATE_HOME", self.data.with_extension("state"));
        command
    }

    /// Stops it as an operator does.
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "SIGTERM ends the service in good order: {status}");
    }

    /// Kills it as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal that does not end it.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a server that must refuse to start.
pub fn refused_start(data: &Path, more: &[&str]) -> Output {
    let mut command = holdfast(&["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(data).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    if first.starts_with("listening") {
        child.kill().unwrap();
        panic!("the server started");
    }
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    output
}

/// One answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

/// One request on a connection of its own, written byte by byte as `curl -T` would.
pub fn request(url: &str, token: &str, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !token.is_empty() {
        head += &format!("Authorization: Bearer {token}\r\n");
    }
    headers.iter().for_each(|header| head += &format!("{header}\r\n"));
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    // A refusal may come before the body is taken.
    drop(stream.write_all(body));
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head") + 4;
    let head = text(&all[..end]);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: all[end..].to_vec() }
}

/// Bytes that look random and are the same in every run.
pub fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// All files below a folder: path, bytes, modification time in microseconds. What a running server removes meanwhile is
/// not there.
pub fn tree(root: &Path) -> Vec<(PathBuf, Vec<u8>, u128)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(entries) = there(fs::read_dir(&folder)) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let Some(metadata) = there(entry.metadata()) else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
                continue;
            }
            if !metadata.is_file() {
                continue;
            }
            let modified = metadata.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
            let path = entry.path().strip_prefix(root).unwrap().to_owned();
            let Some(bytes) = there(fs::read(entry.path())) else { continue };
            found.push((path, bytes, modified));
        }
    }
    found.sort();
    found
}

fn there<T>(looked: std::io::Result<T>) -> Option<T> {
    match looked {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        looked => Some(looked.unwrap()),
    }
}
