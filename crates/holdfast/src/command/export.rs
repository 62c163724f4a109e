//! `holdfast export`: everything of an account, taken home, and again whenever wanted.
//!
//! `DIR/files` has folders and files with their times. `DIR/SHA256SUMS` lists them as `sha256sum -c` reads it, and
//! `DIR/manifest.jsonl` says of each its path in the service, version, size, time and SHA-256. Run again, it fetches what
//! changed and leaves the rest; broken off, it goes on. What was deleted in the service stays here unless `--prune` is said.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, PoisonError},
};

use model::Class;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::get::{Journey, make_folder, mirror};
use crate::{
    client::{
        api::{Api, Entry},
        batch::{Batch, line},
        path::RemotePath,
    },
    error::{Error, Result},
};

const FILES: &str = "files";
const MANIFEST: &str = "manifest.jsonl";
const SUMS: &str = "SHA256SUMS";

/// Takes everything of your account home: files, folders, times, and a list to check them by.
#[derive(clap::Args)]
pub struct Args {
    /// The folder to put it into; made if it is not there. The same one again fetches only what changed.
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// Reads every file in DIR and compares it with the list; asks the service nothing.
    #[arg(long, conflicts_with = "prune")]
    verify: bool,
    /// Also removes files from DIR that an earlier export brought and that the service no longer has.
    #[arg(long)]
    prune: bool,
    /// One JSON object per file, and one for the end.
    #[arg(long)]
    json: bool,
}

/// One file of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    /// Its path in the service.
    path: String,
    /// Its place below `DIR/files`, with slashes.
    file: String,
    /// The version that was fetched.
    version: Option<String>,
    /// Bytes.
    size: u64,
    /// When it was changed, as the service says.
    modified: Option<String>,
    /// SHA-256 of its bytes, as hex digits.
    sha256: String,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let before = read_manifest(&args.to.join(MANIFEST))?;
    if args.verify {
        return verify(&args.to, before, args.json);
    }
    let api = Api::from_environment()?;
    make_folder(&args.to, true)?;
    let files = args.to.join(FILES);
    let batch = Batch::start("fetched", args.json);
    let version = |row: &Row| Some((row.path.clone(), row.version.clone()?));
    let journey =
        Arc::new(Journey { known: before.values().filter_map(version).collect(), keeps: true, ..Journey::default() });
    let all = RemotePath::parse("/")?;
    let walked = mirror(&api, &batch, (all, None), files.clone(), Arc::clone(&journey)).await;
    // What came so far is listed also where the way broke off: the next run goes on from it.
    let met = std::mem::take(&mut *journey.met.lock().unwrap_or_else(PoisonError::into_inner));
    let mut rows = BTreeMap::new();
    for (path, place, entry) in met {
        match listed(&files, path, &place, &entry, &before) {
            Ok(Some(row)) => _ = rows.insert(row.file.clone(), row),
            // It failed, and was said to.
            Ok(None) => {}
            Err(error) => batch.failed(&place.display().to_string(), &error),
        }
    }
    let whole = walked.is_ok();
    let seen = std::mem::take(&mut *journey.seen.lock().unwrap_or_else(PoisonError::into_inner));
    let absent: Vec<Row> = before.values().filter(|row| !rows.contains_key(&row.file)).cloned().collect();
    for row in absent {
        let place = files.join(&row.file);
        // What could not be fetched this time is listed as it was, and is no more gone than what nobody looked for.
        let is_gone = whole && !seen.contains(&place);
        if !(is_gone && args.prune) {
            if place.is_file() {
                rows.insert(row.file.clone(), row);
            }
        } else if let Err(error) = fs::remove_file(&place)
            && error.kind() != io::ErrorKind::NotFound
        {
            batch.failed(&place.display().to_string(), &Error::io("removing", &place, &error));
        }
    }
    write_lists(&args.to, rows.values())?;
    walked?;
    Ok(batch.finish())
}

/// What is to be said of a file that was met; `None`: it is not here.
fn listed(
    files: &Path,
    path: String,
    place: &Path,
    entry: &Entry,
    before: &HashMap<String, Row>,
) -> Result<Option<Row>> {
    let size = entry.size.unwrap_or(0);
    match fs::symlink_metadata(place) {
        Ok(metadata) if metadata.is_file() && metadata.len() == size => {}
        _ => return Ok(None),
    }
    let file = place.strip_prefix(files).unwrap_or(place).to_string_lossy().into_owned();
    let row =
        Row { path, file, version: entry.etag.clone(), size, modified: entry.modified.clone(), sha256: String::new() };
    // Read again only what is new: the sum of what was fetched before stands, so that damage since then is found.
    let known = before.get(&row.file).filter(|known| known.version.is_some() && known.version == row.version);
    let sha256 = match known {
        Some(known) => known.sha256.clone(),
        None => sum_of(place)?,
    };
    Ok(Some(Row { sha256, ..row }))
}

/// SHA-256 of a file.
fn sum_of(path: &Path) -> Result<String> {
    let reading = |error: io::Error| Error::io("reading", path, &error);
    let mut file = File::open(path).map_err(reading)?;
    let (mut sum, mut piece) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece).map_err(reading)? {
            0 => break,
            got => sum.update(&piece[..got]),
        }
    }
    Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The list of an earlier export, by place; empty if there was none.
fn read_manifest(path: &Path) -> Result<HashMap<String, Row>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(Error::io("reading", path, &error)),
    };
    let mut rows = HashMap::new();
    for (number, text) in BufReader::new(file).lines().enumerate() {
        let text = text.map_err(|error| Error::io("reading", path, &error))?;
        let row: Row = serde_json::from_str(&text).map_err(|error| {
            let what = format!("line {} of {} cannot be read: {error}", number + 1, path.display());
            Error::new(Class::Damaged, what)
                .hint("remove that file: the next export makes it anew and fetches nothing twice")
        })?;
        rows.insert(row.file.clone(), row);
    }
    Ok(rows)
}

/// Writes both lists; each is there whole or as it was before.
fn write_lists<'r>(to: &Path, rows: impl Iterator<Item = &'r Row> + Clone) -> Result<()> {
    replace(&to.join(MANIFEST), rows.clone().map(|row| serde_json::to_string(row).unwrap_or_default()))?;
    // Source: coreutils `sha256sum`: a name with a backslash or a line break is escaped, and the line begins with one.
    let line = |row: &Row| {
        let name = format!("{FILES}/{}", row.file);
        let escaped = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        format!("{}{}  {escaped}", if escaped == name { "" } else { "\\" }, row.sha256)
    };
    replace(&to.join(SUMS), rows.map(line))
}

fn replace(path: &Path, lines: impl Iterator<Item = String>) -> Result<()> {
    let writing = |error: io::Error| Error::io("writing", path, &error);
    let new = path.with_extension("new");
    let mut file = BufWriter::new(File::create(&new).map_err(writing)?);
    for line in lines {
        writeln!(file, "{line}").map_err(writing)?;
    }
    let file = file.into_inner().map_err(|error| writing(error.into_error()))?;
    file.sync_all().map_err(writing)?;
    fs::rename(&new, path).map_err(writing)
}

/// Compares every file with the list.
fn verify(to: &Path, rows: HashMap<String, Row>, json: bool) -> Result<ExitCode> {
    if rows.is_empty() {
        return Err(Error::new(Class::Missing, format!("there is no list of an export in {}", to.display()))
            .hint("`holdfast export DIR` makes one"));
    }
    let batch = Batch::start("verified", json);
    let mut rows: Vec<Row> = rows.into_values().collect();
    rows.sort_by(|one, other| one.file.cmp(&other.file));
    for row in &rows {
        let place = to.join(FILES).join(&row.file);
        match sum_of(&place) {
            Ok(sum) if sum == row.sha256 => batch.done(&place.display().to_string(), row.size),
            Ok(_) => {
                let changed = Error::new(Class::Damaged, "it is not what was fetched: changed or damaged since")
                    .hint("if you did not change it, remove it and export again");
                batch.failed(&place.display().to_string(), &changed);
            }
            Err(error) => batch.failed(&place.display().to_string(), &error),
        }
    }
    if !json {
        line(&format!("{} files on the list", rows.len()));
    }
    Ok(batch.finish())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Row, read_manifest, write_lists};

    #[test]
    fn lists_are_read_back_and_names_are_escaped() {
        let to = testkit::scratch::Scratch::new("export-lists").unwrap();
        let row = |file: &str| Row {
            path: format!("/{file}"),
            file: file.to_owned(),
            version: Some("1".into()),
            size: 3,
            modified: None,
            sha256: "ab".repeat(32),
        };
        let rows = [row("a b"), row("back\\slash")];
        write_lists(to.path(), rows.iter()).unwrap();
        let read = read_manifest(&to.path().join("manifest.jsonl")).unwrap();
        assert_eq!((read.len(), &read["a b"]), (2, &rows[0]));
        let sums = std::fs::read_to_string(to.path().join("SHA256SUMS")).unwrap();
        let hash = "ab".repeat(32);
        assert_eq!(sums, format!("{hash}  files/a b\n\\{hash}  files/back\\\\slash\n"));
    }
}
