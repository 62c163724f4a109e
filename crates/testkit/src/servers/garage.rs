//! Garage, a server of S3 of its own kind: stories on it belong to the long suite, as it takes a while to build.
#![allow(clippy::disallowed_methods, reason = "a test prepares a server's folder")]

use std::{env, fs, io};

use super::rclone;
use crate::server::{Server, skip};

/// The program's name, for `server::skip`.
pub const PROGRAM: &str = "garage";
/// Name of the key.
pub const LOGIN: &str = rclone::LOGIN;
/// The key.
pub const SECRET: &str = rclone::SECRET;
/// The one bucket, empty at first.
pub const SERVED: &str = "shards";

/// True if `story` is not told: this is not the long suite, which names the folder of its tools, or the program is not there.
///
/// # Panics
/// As `server::skip`.
pub fn left_out(story: &str) -> bool {
    if env::var_os("HOLDFAST_TEST_TOOLS").is_none() {
        eprintln!("NOT TOLD: {story}: it belongs to the long suite, `cargo xtask test --long`");
        return true;
    }
    skip(story, PROGRAM)
}

/// Starts it as a cluster of one machine, with the bucket [`SERVED`] and a key to it.
///
/// # Errors
/// Those of `Server::start`.
pub fn start() -> io::Result<Server> {
    Server::start(PROGRAM, |command, port, folder| {
        let config = folder.join("garage.toml");
        // Nobody else belongs to its cluster, so any port will do for the others.
        let text = format!(
            "metadata_dir = \"{folder}/meta\"\ndata_dir = \"{folder}/data\"\ndb_engine = \"lmdb\"\nreplication_factor = 1\n\
             rpc_bind_addr = \"127.0.0.1:0\"\nrpc_public_addr = \"127.0.0.1:1\"\nrpc_secret = \"{secret}\"\n\
             [s3_api]\ns3_region = \"us-east-1\"\napi_bind_addr = \"127.0.0.1:{port}\"\n",
            folder = folder.display(),
            secret = "5e".repeat(32),
        );
        fs::write(&config, text)?;
        command.arg("-c").arg(config).args(["server", "--single-node", "--default-bucket"]);
        command.env("GARAGE_DEFAULT_ACCESS_KEY", LOGIN).env("GARAGE_DEFAULT_SECRET_KEY", SECRET);
        command.env("GARAGE_DEFAULT_BUCKET", SERVED);
        Ok(())
    })
}
