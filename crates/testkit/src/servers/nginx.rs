//! nginx with its own WebDAV and the module dav-ext for PROPFIND, as on small storage servers.
#![allow(clippy::disallowed_methods, reason = "a test prepares a server's folder")]

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, process::Command};

use super::apache::make_folder;
use crate::server::Server;

/// The program's name, for `server::skip`.
pub const PROGRAM: &str = "nginx";
/// The module's file, which must be there as well.
pub const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so";
/// The folder within the server's that is served.
pub const SERVED: &str = "served";

/// Starts it with the login of `apache`.
///
/// # Errors
/// Those of `Server::start`.
pub fn start() -> io::Result<Server> {
    Server::start(PROGRAM, arrange)
}

fn arrange(command: &mut Command, port: u16, folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for part in [SERVED, "body", "other"] {
        make_folder(&folder.join(part))?;
    }
    // Base64 of SHA-1 of the password of `apache`.
    fs::write(folder.join("users"), "holdfast:{SHA}ctTzBnOQ58AEqIF3sWIz2I4FOqw=\n")?;
    let root = folder.display();
    let others: String =
        ["proxy", "fastcgi", "uwsgi", "scgi"].iter().map(|kind| format!("{kind}_temp_path {root}/other;\n")).collect();
    let text = format!(
        "load_module {MODULE};\ndaemon off;\nmaster_process off;\npid {root}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\nclient_body_temp_path {root}/body;\n{others}server {{\nlisten 127.0.0.1:{port};\n\
         root {root}/{SERVED};\nclient_max_body_size 0;\ndav_methods PUT DELETE MKCOL COPY MOVE;\n\
         dav_ext_methods PROPFIND OPTIONS;\ndav_access user:rw group:rw all:rw;\nauth_basic test;\n\
         auth_basic_user_file {root}/users;\n}}\n}}\n"
    );
    fs::write(folder.join("config"), text)?;
    command.arg("-c").arg(folder.join("config")).arg("-p").arg(folder).args(["-e", "stderr"]);
    Ok(())
}
