//! The tools of the long suite that are built here: `target/tools`, by `cargo install`, in the one version that is meant.
//!
//! Nothing outside that folder is touched but cargo's own store of downloads. What the build leaves is removed: it is many times as
//! large as the program.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A program that is built from crates.io.
struct Tool {
    /// The crate, which is the program's name too.
    name: &'static str,
    version: &'static str,
    /// As few as serve.
    features: &'static str,
    purpose: &'static str,
}

const TOOLS: [Tool; 1] = [Tool {
    name: "garage",
    version: "2.5.0",
    features: "bundled-libs,lmdb",
    purpose: "a target over S3 of its own kind (the build takes 15 minutes and 3 GB)",
}];

/// The programs.
pub fn programs() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name)
}

/// Name and version of each tool that is not there, with what it is for.
pub fn missing(folder: &Path) -> Vec<(String, &'static str)> {
    let lacks = TOOLS.iter().filter(|tool| !tool.is_there(folder));
    lacks.map(|tool| (format!("{} {}", tool.name, tool.version), tool.purpose)).collect()
}

/// The programs that are not there.
pub fn lacking(folder: &Path) -> Vec<&'static str> {
    TOOLS.iter().filter(|tool| !tool.is_there(folder)).map(|tool| tool.name).collect()
}

/// Builds what is missing, in the background's turn; what is still missing afterwards is for the caller to see.
pub fn build(folder: &Path) {
    for tool in TOOLS.iter().filter(|tool| !tool.is_there(folder)) {
        if let Err(error) = tool.build(folder) {
            println!("{} {} was not built: {error}. The tests that need it will be skipped.", tool.name, tool.version);
        }
    }
}

impl Tool {
    fn is_there(&self, folder: &Path) -> bool {
        let built = fs::read_to_string(self.mark(folder));
        built.is_ok_and(|built| built == self.made_of()) && folder.join("bin").join(self.name).is_file()
    }

    fn build(&self, folder: &Path) -> io::Result<()> {
        let mut install = Command::new("nice");
        install.args(["-n", "19", "cargo", "install", self.name, "--locked", "--force", "--no-default-features"]);
        install.args(["--version", self.version, "--features", self.features, "--root"]).arg(folder);
        let build = folder.join("build");
        install.env("CARGO_TARGET_DIR", &build).env_remove("RUSTFLAGS").stdin(Stdio::null());
        let status = install.status()?;
        drop(fs::remove_dir_all(&build));
        if !status.success() {
            return Err(io::Error::other(format!("cargo install ended with {status}")));
        }
        fs::write(self.mark(folder), self.made_of())
    }

    fn mark(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.made-of", self.name))
    }

    fn made_of(&self) -> String {
        format!("{} {} with {}\n", self.name, self.version, self.features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_whose_behaviour_is_written_down() {
        let targets = include_str!("../../docs/targets.md").to_lowercase();
        for tool in &TOOLS {
            let said = format!("{} {}", tool.name, tool.version);
            assert!(targets.contains(&said), "docs/targets.md does not know {said}");
        }
    }

    #[test]
    fn a_tool_of_another_version_is_not_the_one_that_is_meant() {
        let folder = std::env::temp_dir().join(format!("xtask-tools-{}", std::process::id()));
        fs::create_dir_all(folder.join("bin")).expect("a folder");
        let tool = &TOOLS[0];
        fs::write(folder.join("bin").join(tool.name), "").expect("a file");
        assert_eq!(lacking(&folder), [tool.name], "nobody knows what it was made of");
        fs::write(tool.mark(&folder), tool.made_of().replace(tool.version, "1.0.0")).expect("a file");
        assert_eq!(lacking(&folder), [tool.name], "an older one");
        fs::write(tool.mark(&folder), tool.made_of()).expect("a file");
        assert!(lacking(&folder).is_empty());
        fs::remove_dir_all(folder).expect("gone");
    }
}
