//! OpenSSH's server with its own SFTP, for the user who runs the test, by key.
//!
//! Debian: `openssh-server`. As root it wants `/run/sshd`, which is made if it is missing.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start and arrange other programs")]

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::server::{Server, find};

/// The program to look for.
pub const PROGRAM: &str = "sshd";

/// A running server and who may log in.
pub struct Sshd {
    server: Server,
    /// The user who runs the test.
    pub user: String,
    /// The public host key, as a line.
    pub host_key: String,
    /// The private key that is let in, in OpenSSH's text form.
    pub private_key: String,
}

impl Sshd {
    /// Starts a server. `sftp_options` are those of `internal-sftp`, such as `-R` for one that changes nothing.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start(sftp_options: &str) -> io::Result<Self> {
        let modern = has_penalties();
        let server = Server::start(PROGRAM, |command, port, folder| {
            key(&folder.join("host_key"), "")?;
            key(&folder.join("client_key"), "")?;
            fs::rename(folder.join("client_key.pub"), folder.join("authorized_keys"))?;
            let _ = fs::create_dir_all("/run/sshd");
            let config = folder.join("config");
            let within = folder.display();
            let mut lines = format!(
                "ListenAddress 127.0.0.1:{port}\nHostKey {within}/host_key\nAuthorizedKeysFile {within}/authorized_keys\n\
                 StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication yes\nLogLevel VERBOSE\n\
                 MaxStartups 1000\nSubsystem sftp internal-sftp {sftp_options}\n"
            );
            if modern {
                // The test's look at the port would count as an attack.
                lines.push_str("PerSourcePenalties no\n");
            }
            fs::write(&config, lines)?;
            command.arg("-D").arg("-e").arg("-f").arg(config);
            Ok(())
        })?;
        let read = |name: &str| fs::read_to_string(server.folder().join(name));
        let (host_key, private_key) = (read("host_key.pub")?, read("client_key")?);
        Ok(Self { user: user()?, host_key, private_key, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Makes a new folder, to be used as a target.
    ///
    /// # Errors
    /// Those of making a folder.
    pub fn new_root(&self, name: &str) -> io::Result<PathBuf> {
        let root = self.server.folder().join(name);
        fs::create_dir(&root)?;
        Ok(root)
    }

    /// Lets in who has another key, and nobody else; returns that private key. Connections that stand go on, as they do at
    /// every such server: who closes an account ends them as well.
    ///
    /// # Errors
    /// As [`key`], and those of writing the list of keys.
    pub fn change_key(&self) -> io::Result<String> {
        let other = self.server.folder().join("other_key");
        key(&other, "")?;
        fs::rename(other.with_extension("pub"), self.server.folder().join("authorized_keys"))?;
        fs::read_to_string(other)
    }

    /// What it wrote so far: who logged in, and how.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

/// Makes a key pair, `path` and `path.pub`, locked by `passphrase` unless that is empty.
///
/// # Errors
/// When `ssh-keygen` is missing or fails.
pub fn key(path: &Path, passphrase: &str) -> io::Result<()> {
    let mut command = Command::new("ssh-keygen");
    let status = command.args(["-q", "-t", "ed25519", "-C", "test", "-N", passphrase, "-f"]).arg(path).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("ssh-keygen ended with {status}"))) }
}

fn user() -> io::Result<String> {
    let output = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether this OpenSSH is 9.8 or later, which locks out addresses that knock without logging in.
fn has_penalties() -> bool {
    let Some(output) = find(PROGRAM).and_then(|program| Command::new(program).arg("-V").output().ok()) else {
        return false;
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let version = text.split("OpenSSH_").nth(1).unwrap_or_default();
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (9, 8)
}
