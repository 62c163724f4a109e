//! The workspace as cargo sees it: where it lies, where it builds, what it consists of.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The workspace and what `cargo metadata` says of it.
pub struct Workspace {
    /// Folder of the root manifest.
    pub root: PathBuf,
    /// Where cargo builds; follows `CARGO_TARGET_DIR`.
    pub target: PathBuf,
    /// The whole answer of `cargo metadata`, for the platform of this machine.
    pub metadata: Value,
}

impl Workspace {
    /// Asks cargo for the workspace that this tool was built in.
    ///
    /// # Errors
    /// When cargo does not run, or cannot resolve the dependencies.
    pub fn load() -> Result<Workspace> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let output = cargo()
            .args(["metadata", "--format-version", "1", "--filter-platform", &host()?, "--manifest-path"])
            .arg(&manifest)
            .output()
            .context("cannot run cargo")?;
        ensure!(output.status.success(), "cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
        let path =
            |key: &str| metadata[key].as_str().map(PathBuf::from).with_context(|| format!("no {key} in metadata"));
        Ok(Workspace { root: path("workspace_root")?, target: path("target_directory")?, metadata })
    }

    /// The command `cargo`, run in the root of the workspace.
    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// A built program: `target/release/<name>`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// Whether the package of that name has a binary.
    pub fn has_binary(&self, package: &str) -> bool {
        list(&self.metadata["packages"])
            .filter(|candidate| candidate["name"] == package)
            .flat_map(|found| list(&found["targets"]))
            .any(|target| list(&target["kind"]).any(|kind| kind == "bin"))
    }
}

/// The items of a JSON array; none for anything else.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The platform of this machine, such as `x86_64-unknown-linux-gnu`.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}
