//! moto, a server in Python that plays the services of Amazon: S3 with conditions and object locks.

use std::io;

use crate::server::Server;

/// The program's name, for `server::skip`.
pub const PROGRAM: &str = "moto_server";

/// Starts it. It takes any login.
///
/// # Errors
/// Those of `Server::start`.
pub fn start() -> io::Result<Server> {
    Server::start(PROGRAM, |command, port, _| {
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        Ok(())
    })
}
