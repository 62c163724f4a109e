//! Real servers of other makers as child processes: each test starts its own, on loopback, in a folder of its own.
//!
//! A test asks [`skip`] first, then [`Server::start`]s. Dropping a [`Server`] kills the process and removes its folder. Ports
//! lie below the range that the system gives to outgoing connections (from 32768), so nobody is given one meanwhile; of two
//! tests that guess the same port, one server fails to bind, and is started again on another.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start, wait for and end other programs")]

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::Duration,
};

use crate::scratch::Scratch;

const PORTS: std::ops::Range<u16> = 20_000..32_000;
const STARTS: usize = 5;
/// Looks at the port, 25 ms apart: the limit only keeps a broken program from hanging the test.
const LOOKS: usize = 2_400;

/// True if `story` cannot be told because `program` is not there; says so aloud, and in the list that `cargo xtask test`
/// counts at its end.
///
/// # Panics
/// If that list cannot be written.
pub fn skip(story: &str, program: &str) -> bool {
    let unwanted = std::env::var("HOLDFAST_TEST_SKIP").unwrap_or_default();
    if !unwanted.split(',').any(|name| name == program) && find(program).is_some() {
        return false;
    }
    eprintln!("SKIPPED: {story} needs `{program}`");
    if let Some(list) = std::env::var_os("HOLDFAST_TEST_SKIPPED") {
        let mut list =
            OpenOptions::new().create(true).append(true).open(list).expect("the list of skips can be written");
        writeln!(list, "{story}: `{program}` is not here").expect("the list of skips can be written");
    }
    true
}

/// Where a program lies: in the test run's own Python environment, on the path, or where daemons are kept.
pub fn find(program: &str) -> Option<std::path::PathBuf> {
    let venv = std::env::var_os("HOLDFAST_TEST_VENV").map(|venv| Path::new(&venv).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = venv.into_iter().chain(std::env::split_paths(&path)).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A running server.
pub struct Server {
    child: Child,
    port: u16,
    folder: Scratch,
}

impl Server {
    /// Starts `program` (a name, found as by [`find`]). `arrange` is given the command, a port and an empty folder, writes
    /// what the server needs into the folder, and adds the arguments; the server must stay in the foreground. Its output goes
    /// to `log` in the folder. Returns once the port takes connections.
    ///
    /// # Errors
    /// When the program is missing or never listens; the message ends with its output.
    pub fn start(
        program: &str,
        mut arrange: impl FnMut(&mut Command, u16, &Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        let found = find(program).ok_or_else(|| io::Error::other(format!("{program} is not on this machine")))?;
        let mut last = None;
        for _ in 0..STARTS {
            let (port, folder) = (free_port()?, Scratch::new("server")?);
            let mut command = Command::new(&found);
            arrange(&mut command, port, folder.path())?;
            let log = File::create(folder.path().join("log"))?;
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
            let mut server = Self { child: command.spawn()?, port, folder };
            match server.wait_until_it_listens() {
                Ok(()) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("never started")))
    }

    fn wait_until_it_listens(&mut self) -> io::Result<()> {
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended with {status}: {}", self.log())));
            }
            if TcpStream::connect(self.address()).is_ok() {
                return Ok(());
            }
            thread::park_timeout(Duration::from_millis(25));
        }
        Err(io::Error::other(format!("the server never listened: {}", self.log())))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The port it listens at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder, as `arrange` was given it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote to its output so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// Makes one request of HTTP with these header lines; returns status and body. For what tests do behind a driver's back.
    ///
    /// # Errors
    /// Those of the connection; an answer that is none.
    pub fn request(&self, method: &str, path: &str, lines: &[&str]) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.address())?;
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let fixed = "Host: localhost\r\nContent-Length: 0\r\nConnection: close";
        stream.write_all(format!("{method} {path} HTTP/1.1\r\n{lines}{fixed}\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let (status, (_, body)) = status
            .zip(answer.split_once("\r\n\r\n"))
            .ok_or_else(|| io::Error::other(format!("no answer of HTTP: {answer}")))?;
        Ok((status, body.to_owned()))
    }

    /// Ends it at once, as a power cut would; its folder stays until the value is dropped.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    let first = (std::process::id() % u32::from(span)) as u16;
    for _ in 0..span {
        let port = PORTS.start + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(7)) % span;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no port is free"))
}
