//! Opening one SQLite connection the way all of ours are.

use crate::error::{Error, Result};
use rusqlite::{Connection, MAIN_DB, OpenFlags, config::DbConfig};
use std::{fs, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

/// What the database file is called.
pub const FILE_NAME: &str = "catalogue.sqlite";

/// Every statement of this crate stays prepared.
const STATEMENTS_MAX: usize = 512;
/// Holds the pages that one batch changes, so that a transaction does not spill into the log before its commit.
const WRITER_CACHE_KIB: i64 = 16 << 10;
/// Inner pages of the trees; the leaves come from the page cache of the system.
const READER_CACHE_KIB: i64 = 8 << 10;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Changes the database; there is one.
    Writer,
    /// Reads it; any attempt to change something fails.
    Reader,
}

/// Makes the file if it is missing, readable by its owner only (it holds names and wrapped keys), and syncs its folder.
#[expect(
    clippy::disallowed_methods,
    reason = "the catalogue's own file; SQLite would not set its mode, nor sync its folder"
)]
pub(crate) fn make_file(path: &Path) -> Result<()> {
    let make = || {
        if !path.exists() {
            fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?.sync_all()?;
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    make().map_err(|source| Error::Open { path: path.display().to_string(), source })
}

/// Opens a file that exists.
pub(crate) fn open_file(path: &Path, role: Role) -> Result<Connection> {
    // Each connection is used by one thread at a time: no mutex inside SQLite is needed.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    if role == Role::Writer {
        let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(Error::Value { what: "the catalogue's file system does not allow a write-ahead log" });
        }
    }
    // NORMAL: SQLite syncs its log before it merges it, so no power cut damages the file; the sync that makes a commit
    // durable is ours (`log`), beside the writing thread.
    conn.execute_batch(
        "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    settle(&conn, role)?;
    Ok(conn)
}

/// Opens a database in memory, empty or with the content of an image.
pub(crate) fn open_memory(image: Option<&[u8]>, role: Role) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // The memdb file system, unlike `:memory:`, keeps what is committed apart from the pages that a transaction changed.
    let mut conn = Connection::open_with_flags_and_vfs("catalogue", flags, c"memdb")?;
    if let Some(image) = image {
        conn.deserialize_read_exact(MAIN_DB, image, image.len(), role == Role::Reader)?;
    }
    let _: String = conn.query_row("PRAGMA journal_mode = MEMORY", [], |row| row.get(0))?;
    settle(&conn, role)?;
    // After `settle`, which sets the cache: no page of an open transaction may reach the committed bytes.
    conn.execute_batch("PRAGMA cache_spill = OFF; PRAGMA synchronous = OFF;")?;
    Ok(conn)
}

/// The settings that all connections share.
fn settle(conn: &Connection, role: Role) -> Result<()> {
    let (cache_kib, query_only) = match role {
        Role::Writer => (WRITER_CACHE_KIB, "OFF"),
        Role::Reader => (READER_CACHE_KIB, "ON"),
    };
    // secure_delete: an erased file's wrapped key does not linger in free pages.
    conn.execute_batch(&format!(
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;
         PRAGMA cache_size = -{cache_kib}; PRAGMA query_only = {query_only};"
    ))?;
    // Plans depend on the statement alone: without this, SQLite plans many of ours anew for each new parameter.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}
