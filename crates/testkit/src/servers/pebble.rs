//! Pebble, an authority that gives certificates by ACME and is trusted by nobody: each start has a root of its own.
#![allow(clippy::disallowed_methods, reason = "a test prepares a server's folder")]

use std::{fs, io, path::Path, process::Command};

use crate::server::Server;

/// The program's name, for `server::skip`.
pub const PROGRAM: &str = "pebble";
/// In the server's folder: what its own interface shows, and whoever asks it must trust.
pub const CERTIFICATE: &str = "certificate.pem";
/// The path of what it can do.
pub const DIRECTORY: &str = "/dir";

/// Starts it. Challenges are asked for at `http_port` of the name in question; one nonce in five is refused, as real ones are now
/// and then.
///
/// # Errors
/// Those of `Server::start`; openssl is not there.
pub fn start(http_port: u16) -> io::Result<Server> {
    Server::start(PROGRAM, |command, port, folder| arrange(command, port, http_port, folder))
}

fn arrange(command: &mut Command, port: u16, http_port: u16, folder: &Path) -> io::Result<()> {
    self_signed(folder, "localhost", 30)?;
    let root = folder.display();
    let config = format!(
        "{{\"pebble\": {{\"listenAddress\": \"127.0.0.1:{port}\", \"managementListenAddress\": \"\", \
         \"certificate\": \"{root}/{CERTIFICATE}\", \"privateKey\": \"{root}/key.pem\", \"httpPort\": {http_port}, \
         \"tlsPort\": 1, \"ocspResponderURL\": \"\", \"externalAccountBindingRequired\": false}}}}"
    );
    fs::write(folder.join("config.json"), config)?;
    command.arg("-config").arg(folder.join("config.json"));
    command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "20").env("PEBBLE_AUTHZREUSE", "0");
    Ok(())
}

/// Makes `certificate.pem` for a name, and `key.pem`, in a folder.
///
/// # Errors
/// If openssl is not there, or fails.
pub fn self_signed(folder: &Path, name: &str, days: u32) -> io::Result<()> {
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=test",
    ]);
    openssl.args(["-days", &days.to_string(), "-addext", &format!("subjectAltName=DNS:{name}")]);
    // A client that checks names wants it to be no authority.
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    let output =
        openssl.arg("-keyout").arg(folder.join("key.pem")).arg("-out").arg(folder.join(CERTIFICATE)).output()?;
    if output.status.success() { Ok(()) } else { Err(io::Error::other(String::from_utf8_lossy(&output.stderr))) }
}
