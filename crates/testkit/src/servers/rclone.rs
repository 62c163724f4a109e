//! rclone, which serves a folder as S3 and as WebDAV.
#![allow(clippy::disallowed_methods, reason = "a test prepares a server's folder")]

use std::{fs, io, path::Path};

use crate::server::Server;

/// The program's name, for `server::skip`.
pub const PROGRAM: &str = "rclone";
/// Name of the key, and of the user.
pub const LOGIN: &str = "holdfast";
/// The key, and the password.
pub const SECRET: &str = "a-secret-of-the-test";
/// The folder that is served, empty at first: a bucket, or a path. It remembers what is in it, so that changes behind its back are
/// seen late or never.
pub const SERVED: &str = "shards";
/// The folder in the server's own that holds [`SERVED`].
const ROOT: &str = "root";

/// Serves S3.
///
/// # Errors
/// Those of `Server::start`.
pub fn s3() -> io::Result<Server> {
    serve("s3", &["--auth-key", &format!("{LOGIN},{SECRET}")])
}

/// Serves the bucket of another such server as S3, to whoever knows `secret`: the firm has closed one key and given another.
///
/// # Errors
/// Those of `Server::start`.
pub fn s3_of(other: &Server, secret: &str) -> io::Result<Server> {
    let root = other.folder().join(ROOT);
    serve_root("s3", &["--auth-key", &format!("{LOGIN},{secret}")], Some(&root))
}

/// Serves WebDAV.
///
/// # Errors
/// Those of `Server::start`.
pub fn webdav() -> io::Result<Server> {
    serve("webdav", &["--user", LOGIN, "--pass", SECRET])
}

/// Serves WebDAV over TLS, with a certificate and its key in PEM files.
///
/// # Errors
/// Those of `Server::start`.
pub fn webdav_over_tls(certificate: &Path, key: &Path) -> io::Result<Server> {
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    serve("webdav", &["--user", LOGIN, "--pass", SECRET, "--cert", &certificate, "--key", &key])
}

fn serve(protocol: &str, options: &[&str]) -> io::Result<Server> {
    serve_root(protocol, options, None)
}

fn serve_root(protocol: &str, options: &[&str], root: Option<&Path>) -> io::Result<Server> {
    Server::start(PROGRAM, |command, port, folder| {
        let root = root.map_or_else(|| folder.join(ROOT), Path::to_owned);
        fs::create_dir_all(root.join(SERVED))?;
        command.args(["serve", protocol, "--addr", &format!("127.0.0.1:{port}")]);
        command.args(options).arg("--config").arg(folder.join("config")).arg(root);
        command.env("XDG_CACHE_HOME", folder);
        Ok(())
    })
}
