//! A copy of the file before its schema is changed: what a newer program did can be undone by an older one.
//!
//! The copy lies beside the catalogue as `catalogue.before-N`, N being the schema that it has. It is whole and synced before the
//! first step of a migration runs; the last two are kept. To go back to an older program: stop the service, take
//! `catalogue.sqlite` with its `-wal` and `-shm` away, put the copy in its place. What was changed since then lies at the
//! providers, and a rebuild brings it.
#![expect(clippy::disallowed_methods, reason = "the catalogue's own files")]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::{
    connection::make_file,
    error::{Error, Result},
};

/// Copies that are kept.
const KEPT: usize = 2;
const NAME: &str = "catalogue.before-";

/// Copies the catalogue at `path`, which has schema `version`, beside itself.
///
/// # Errors
/// Retry or Exhausted if it cannot be copied: nothing was changed then.
pub(crate) fn keep(conn: &Connection, path: &Path, version: u64) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let copy = folder.join(format!("{NAME}{version}"));
    let half = folder.join(format!("{NAME}{version}.new"));
    let failed = |source: io::Error| Error::Copy { path: copy.display().to_string(), source };
    match fs::remove_file(&half) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // Made by us, so that it is its owner's alone; SQLite fills a file that is empty.
    make_file(&half)?;
    conn.execute("VACUUM INTO ?1", [half.to_string_lossy()])?;
    fs::File::open(&half).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(&half, &copy).map_err(failed)?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    // What is too old takes room, and does no harm.
    let mut older = copies(folder).unwrap_or_default();
    older.sort_unstable_by(|a, b| b.cmp(a));
    older.into_iter().skip(KEPT).for_each(|(_, path)| drop(fs::remove_file(path)));
    Ok(())
}

/// The copies that lie in a folder, with the schema that they have.
fn copies(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(version) = name.strip_prefix(NAME).and_then(|version| version.parse().ok()) {
            found.push((version, path));
        }
    }
    Ok(found)
}
