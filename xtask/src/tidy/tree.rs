//! What the rules look at: crates with their arrows, sources with their text, packages with their licences.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::{Workspace, list};

/// Everything the rules look at, read once.
#[derive(Default)]
pub struct Tree {
    /// Our crates.
    pub crates: Vec<Crate>,
    /// Text by path relative to the root: sources and manifests of our crates, and the documents in `docs/`.
    pub files: BTreeMap<String, String>,
    /// All packages of the build, ours included.
    pub packages: Vec<Package>,
}

/// One of our crates.
pub struct Crate {
    /// Its short name: `holdfast-store` is `store`.
    pub name: String,
    /// Its folder, relative to the root.
    pub folder: String,
    /// The files that cargo compiles; everything else is reached from them.
    pub roots: Vec<Root>,
    /// The crates of ours that it names.
    pub imports: Vec<Import>,
}

/// A file that cargo compiles by itself.
pub struct Root {
    /// Relative to the root of the workspace.
    pub path: String,
    /// An integration test, bench or example.
    pub test: bool,
}

/// An arrow to another crate of ours.
pub struct Import {
    /// Short name of the crate imported.
    pub name: String,
    /// Imported by tests only.
    pub dev: bool,
}

/// A package of the build.
pub struct Package {
    /// Name in the registry.
    pub name: String,
    /// Version.
    pub version: String,
    /// Licence expression of its manifest.
    pub licence: Option<String>,
}

impl Tree {
    /// Reads the workspace.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn load(workspace: &Workspace) -> Result<Tree> {
        let mut tree = Tree::default();
        let ours: Vec<&Value> =
            list(&workspace.metadata["packages"]).filter(|package| package["source"].is_null()).collect();
        for package in &ours {
            let member = read_crate(package, &ours, &workspace.root)?;
            collect(&workspace.root, &workspace.root.join(&member.folder), &mut tree.files)?;
            tree.crates.push(member);
        }
        collect(&workspace.root, &workspace.root.join("docs"), &mut tree.files)?;
        let built = built(&workspace.metadata);
        let packages = list(&workspace.metadata["packages"]);
        tree.packages =
            packages.filter(|package| built.contains(&package["id"].to_string())).map(read_package).collect();
        Ok(tree)
    }

    /// Path and text of every Rust source.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter(|(path, _)| path.ends_with(".rs")).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The crate that a path lies in.
    pub fn crate_of(&self, path: &str) -> Option<&Crate> {
        let inside = |member: &&Crate| path.strip_prefix(&member.folder).is_some_and(|rest| rest.starts_with('/'));
        self.crates.iter().find(inside)
    }
}

/// Ids (as JSON) of the packages that are really built. Cargo also names optional ones that some feature mentions weakly
/// (`ring?/alloc`) and none switches on; it never compiles those.
fn built(metadata: &Value) -> HashSet<String> {
    let by_id = |value: &Value| -> HashMap<String, Value> {
        list(value).map(|entry| (entry["id"].to_string(), entry.clone())).collect()
    };
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let mut waiting: Vec<String> = list(&metadata["workspace_members"]).map(Value::to_string).collect();
    let mut built = HashSet::new();
    while let Some(id) = waiting.pop() {
        let (Some(package), Some(node)) = (packages.get(&id), nodes.get(&id)) else { continue };
        if built.insert(id) {
            let uses = list(&node["deps"]).map(|edge| edge["pkg"].to_string());
            waiting.extend(uses.filter(|used| packages.get(used).is_some_and(|used| switches_on(package, node, used))));
        }
    }
    built
}

/// Whether `package`, with the features of its `node`, has `used` built.
fn switches_on(package: &Value, node: &Value, used: &Value) -> bool {
    let on: HashSet<&str> = list(&node["features"]).filter_map(Value::as_str).collect();
    let mut declared = list(&package["dependencies"]).filter(|dependency| dependency["name"] == used["name"]);
    declared.any(|dependency| {
        let name = dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap_or_default();
        let names = |text: &str| text == format!("dep:{name}") || text.starts_with(&format!("{name}/"));
        let switched = |feature: &&str| list(&package["features"][*feature]).filter_map(Value::as_str).any(names);
        dependency["optional"] != true || on.contains(name) || on.iter().any(switched)
    })
}

fn read_crate(package: &Value, ours: &[&Value], root: &Path) -> Result<Crate> {
    let manifest = Path::new(text(package, "manifest_path")?);
    let folder = manifest.parent().context("a manifest lies in a folder")?;
    let mut roots = Vec::new();
    for target in list(&package["targets"]) {
        let test = list(&target["kind"]).any(|kind| matches!(kind.as_str(), Some("test" | "bench" | "example")));
        roots.push(Root { path: relative(root, Path::new(text(target, "src_path")?)), test });
    }
    let mut imports = Vec::new();
    for dependency in list(&package["dependencies"]) {
        if ours.iter().any(|other| other["name"] == dependency["name"]) {
            let name = short(text(dependency, "name")?);
            imports.push(Import { name, dev: dependency["kind"] == "dev" });
        }
    }
    Ok(Crate { name: short(text(package, "name")?), folder: relative(root, folder), roots, imports })
}

fn read_package(package: &Value) -> Package {
    let own = |key: &str| package[key].as_str().map(str::to_owned);
    Package {
        name: own("name").unwrap_or_default(),
        version: own("version").unwrap_or_default(),
        licence: own("license"),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("cargo metadata: no {key}"))
}

fn short(package: &str) -> String {
    package.strip_prefix("holdfast-").unwrap_or(package).to_owned()
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// Adds the sources, manifests and documents below `folder`.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = relative(root, &path);
        if path.is_dir() {
            if !name.ends_with("/target") {
                collect(root, &path, files)?;
            }
        } else if name.ends_with(".rs") || name.ends_with("/Cargo.toml") || name.ends_with(".md") {
            files.insert(name, fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?);
        }
    }
    Ok(())
}
