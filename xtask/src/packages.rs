//! The Debian packages that tests call, and how they come onto the machine.
//!
//! A package is there when what it brings is found, whoever put it there. [`install`] asks nobody: see [`crate::needs`].

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A package, by what tests call of it.
#[derive(Debug)]
pub struct Package {
    /// As apt knows it.
    pub name: &'static str,
    /// A program, or the whole path of a file that is none; as tests ask for it.
    pub brings: &'static str,
    /// What it is for.
    pub purpose: &'static str,
}

/// The browser of the page's tests, as package and as program.
pub const CHROMIUM: &str = "chromium";

const NEEDED: [Package; 15] = [
    package("curl", "curl", "speaks to the service as people do"),
    package("strace", "strace", "shows and breaks system calls: what is synced before it is acknowledged"),
    package("openssh-server", "sshd", "a target over SFTP"),
    package("openssh-client", "ssh-keygen", "makes keys for SFTP"),
    // Not apache2, which is the service around the same program.
    package("apache2-bin", "apache2", "a target over WebDAV"),
    package("nginx", "nginx", "a second target over WebDAV"),
    package(
        "libnginx-mod-http-dav-ext",
        "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so",
        "the other half of the WebDAV of nginx",
    ),
    package(CHROMIUM, CHROMIUM, "opens the page as people do"),
    package("fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "letters for it"),
    package("openssl", "openssl", "makes a certificate for a target over TLS"),
    package("libheif-examples", "heif-convert", "makes pictures of phones and reads them"),
    package("ffmpeg", "ffmpeg", "makes videos and takes stills of them"),
    package("prometheus", "promtool", "checks rules for a monitor, and the numbers that it is given"),
    package("systemd", "systemd-analyze", "checks the unit of the service"),
    package("pebble", "pebble", "gives certificates by ACME, as an authority does"),
];

/// Needed where no Python on the machine can make the folder of [`crate::venv`].
pub const PYTHON: Package = package("python3-venv", "python3", "makes the folder for tools from PyPI");

const fn package(name: &'static str, brings: &'static str, purpose: &'static str) -> Package {
    Package { name, brings, purpose }
}

/// Installs without recommendations. While it runs, packaged services are forbidden to start: exit status 101 of
/// `policy-rc.d` says so to Debian's maintainer scripts. A policy that is there already is left alone. What the packages
/// would have started at the next boot is disabled.
const INSTALL: &str = r#"
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
at_boot() { find /etc/systemd/system -path '*.wants/*' -type l 2>/dev/null || true; }
before=$(at_boot)
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends "$@"
at_boot | while read -r link; do
    case "$before" in *"$link"*) continue ;; esac
    systemctl disable "$(basename "$link")" || rm -f "$link"
done
"#;

/// The needed packages that are not there.
pub fn missing() -> Vec<&'static Package> {
    let folders = folders(&env::var_os("PATH").unwrap_or_default());
    NEEDED.iter().filter(|package| find(package.brings, &folders).is_none()).collect()
}

/// Where programs are looked for: `path`, then where daemons lie, as tests do.
pub fn folders(path: &OsStr) -> Vec<PathBuf> {
    env::split_paths(path).chain(["/usr/sbin".into(), "/usr/bin".into()]).collect()
}

/// The first file of that name in the folders; a whole path is taken as it is.
fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Installs as root, or through sudo where that works; what is still missing afterwards is for the caller to see.
pub fn install(packages: &[&Package]) {
    let names: Vec<&str> = packages.iter().map(|package| package.name).collect();
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("sh")
    } else if sudo_works() {
        let mut sudo = Command::new("sudo");
        sudo.arg("sh");
        sudo
    } else {
        println!("No right to install here. An administrator can:");
        println!("  apt-get install --no-install-recommends {}", names.join(" "));
        return;
    };
    let status = command.args(["-c", INSTALL, "sh"]).args(names).stdin(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        println!("The installation did not succeed; the tests that need it will be skipped.");
    }
}

/// Whether sudo works without a password, or somebody is there to type one.
fn sudo_works() -> bool {
    let quiet = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success()) || (Path::new("/usr/bin/sudo").exists() && io::stdin().is_terminal())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{tools, venv};

    #[test]
    fn a_program_is_found_on_the_path_and_a_file_where_it_is() {
        let here = env!("CARGO_MANIFEST_DIR");
        let check = |name: &str, path: &str, expected: Option<&str>| {
            let found = find(name, &folders(OsStr::new(path)));
            assert_eq!(found, expected.map(PathBuf::from), "{name} on {path}");
        };
        let manifest = format!("{here}/Cargo.toml");
        check("Cargo.toml", here, Some(&manifest));
        check("Cargo.toml", &format!("/nowhere:{here}"), Some(&manifest));
        check("Cargo.toml", "/nowhere", None);
        check("src", here, None);
        check(&manifest, "/nowhere", Some(&manifest));
        check("/nowhere/module.so", here, None);
        check("env", "/nowhere", Some("/usr/bin/env"));
    }

    /// What `testkit` says it calls, such as `pub const PROGRAM: &str = "sshd";`.
    #[test]
    fn whatever_the_servers_of_tests_call_is_provided() {
        let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/testkit/src/servers");
        let mut called = Vec::new();
        for file in fs::read_dir(servers).expect("testkit has servers") {
            let text = fs::read_to_string(file.expect("a folder").path()).expect("a module");
            let constants = text.lines().filter_map(|line| {
                let line = line.strip_prefix("pub const PROGRAM").or(line.strip_prefix("pub const MODULE"))?;
                line.split('"').nth(1).map(str::to_owned)
            });
            called.extend(constants);
        }
        assert!(called.len() > 5, "{called:?}");
        let provided: Vec<&str> =
            NEEDED.iter().map(|package| package.brings).chain(venv::programs()).chain(tools::programs()).collect();
        called.retain(|name| !provided.contains(&name.as_str()));
        assert!(called.is_empty(), "no package brings {called:?}");
    }
}
