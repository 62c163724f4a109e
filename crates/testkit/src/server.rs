//! Real servers of other makers as child processes: each test starts its own, on loopback, in a folder of its own.
//!
//! A test asks [`skip`] first, then [`Server::start`]s. Dropping a [`Server`] kills the process and removes its folder. Ports
//! lie below the range that the system gives to outgoing connections (from 32768), so nobody is given one meanwhile. A port is
//! claimed from the other tests of this machine before a server is started on it and until the server has ended: of two servers
//! that were given the same one, the loser's test would talk to the winner before its own server gives up.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start, wait for and end other programs")]

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr as LocalAddr, UnixListener},
    },
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
    skipped(story, &format!("`{program}` is not here"));
    true
}

/// Says aloud that `story` is not told and `why`, and adds it to the list.
///
/// # Panics
/// If that list cannot be written.
pub fn skipped(story: &str, why: &str) {
    eprintln!("SKIPPED: {story}: {why}");
    if let Some(list) = std::env::var_os("HOLDFAST_TEST_SKIPPED") {
        let mut list =
            OpenOptions::new().create(true).append(true).open(list).expect("the list of skips can be written");
        writeln!(list, "{story}: {why}").expect("the list of skips can be written");
    }
}

/// Where a program lies: in the test run's own Python environment, among the tools of the long suite, on the path, or where daemons
/// are kept.
pub fn find(program: &str) -> Option<std::path::PathBuf> {
    let own = ["HOLDFAST_TEST_VENV", "HOLDFAST_TEST_TOOLS"].into_iter().filter_map(std::env::var_os);
    let own = own.map(|folder| Path::new(&folder).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = own.chain(std::env::split_paths(&path)).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A running server.
pub struct Server {
    child: Child,
    port: Port,
    folder: Scratch,
}

/// A port that no other test is given while this value lives.
struct Port {
    number: u16,
    /// Ends with the process, however that ends.
    _claim: UnixListener,
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
            let (port, folder) = (Port::claim()?, Scratch::new("server")?);
            let mut command = Command::new(&found);
            arrange(&mut command, port.number, folder.path())?;
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
        SocketAddr::from(([127, 0, 0, 1], self.port.number))
    }

    /// The port it listens at.
    pub fn port(&self) -> u16 {
        self.port.number
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

impl Port {
    /// A port that was free a moment ago and that nobody else has claimed. The claim is a name of the kind that lies in no
    /// folder: the system knows it as long as the socket is open, among the same processes that share the ports.
    fn claim() -> io::Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let span = PORTS.end - PORTS.start;
        let first = (std::process::id() % u32::from(span)) as u16;
        for _ in 0..span {
            let number = PORTS.start + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(7)) % span;
            let name = LocalAddr::from_abstract_name(format!("holdfast-test-port-{number}"))?;
            let Ok(claim) = UnixListener::bind_addr(&name) else { continue };
            if TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Ok(Self { number, _claim: claim });
            }
        }
        Err(io::Error::other("no port is free"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_is_given_a_port_before_its_server_listens() {
        let first = Port::claim().expect("a port");
        let name = LocalAddr::from_abstract_name(format!("holdfast-test-port-{}", first.number)).expect("a name");
        assert!(UnixListener::bind_addr(&name).is_err(), "claimed twice");
        drop(first);
        UnixListener::bind_addr(&name).expect("free again");
    }
}
