//! Apache's httpd with mod_dav, one of the two servers that most WebDAV offers are built on.
#![allow(clippy::disallowed_methods, reason = "a test prepares a server's folder")]

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use crate::server::Server;

/// The program's name, for `server::skip`.
pub const PROGRAM: &str = "apache2";
/// The user.
pub const LOGIN: &str = "holdfast";
/// The password.
pub const SECRET: &str = "a-secret-of-the-test";
/// The password after [`change_password`].
pub const OTHER_SECRET: &str = "another-secret-of-the-test";
/// The folder within the server's that is served, under `/dav`.
pub const SERVED: &str = "served";

const MODULES: &str = "/usr/lib/apache2/modules";
const NAMES: [&str; 10] = [
    "mpm_event",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_user",
    "auth_basic",
    "alias",
    "dav",
    "dav_fs",
    "dir",
];

/// Starts it with a login and WebDAV under `/dav`.
///
/// # Errors
/// Those of `Server::start`.
pub fn start() -> io::Result<Server> {
    Server::start(PROGRAM, arrange)
}

/// Makes a folder that the server may write to: one that the superuser started works as somebody else.
///
/// # Errors
/// Those of making a folder.
pub fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))
}

/// Gives the user [`OTHER_SECRET`] in place of [`SECRET`], from the next request on: what a client sends is refused with 401.
///
/// # Errors
/// Those of writing the file of users.
pub fn change_password(server: &Server) -> io::Result<()> {
    // Base64 of SHA-1 of the other password. The file is read at each request, so it is replaced at once.
    let (new, users) = (server.folder().join("users.new"), server.folder().join("users"));
    fs::write(&new, format!("{LOGIN}:{{SHA}}STvrk1sR/Cd92wdH1hsBYg+6uQ8=\n"))?;
    fs::rename(new, users)
}

fn arrange(command: &mut Command, port: u16, folder: &Path) -> io::Result<()> {
    let (served, own) = (folder.join(SERVED), folder.join("own"));
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    make_folder(&served)?;
    make_folder(&own)?;
    // Base64 of SHA-1 of the password above.
    fs::write(folder.join("users"), format!("{LOGIN}:{{SHA}}ctTzBnOQ58AEqIF3sWIz2I4FOqw=\n"))?;
    let mut text: String =
        NAMES.iter().map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n")).collect();
    if fs::metadata(&served)?.uid() == 0 {
        text.push_str("User nobody\nGroup nogroup\n");
    }
    let root = folder.display();
    text.push_str(&format!(
        "ServerRoot {root}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {root}/pid\nErrorLog /dev/stderr\n\
         DefaultRuntimeDir {root}/own\nDocumentRoot {root}/own\nDavLockDB {root}/own/locks\nAlias /dav {root}/{SERVED}\n\
         <Directory {root}/{SERVED}>\nDav On\nAuthType Basic\nAuthName test\nAuthUserFile {root}/users\n\
         Require valid-user\n</Directory>\n"
    ));
    fs::write(folder.join("config"), text)?;
    // One process, so that ending it ends all.
    command.arg("-X").arg("-f").arg(folder.join("config"));
    Ok(())
}
