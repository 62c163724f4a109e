//! The one writing connection and its transaction.

use crate::{
    connection::{Role, open_file},
    error::{Error, Result},
    log,
    tx::Tx,
};
use rusqlite::{Connection, wal::CheckpointMode};
use std::path::PathBuf;

/// Unmerged pages in the write-ahead log from which on it is merged into the database: 16 MiB of 4 KiB pages. Smaller
/// means more syncs, larger means slower reads and a slower start.
const CHECKPOINT_PAGES: i32 = 4096;
/// From here on `begin` merges first, in case transactions follow each other without a pause.
const CHECKPOINT_PAGES_MAX: i32 = 2 * CHECKPOINT_PAGES;

/// Changes the database, one transaction at a time. The transaction stays open between closures until it is committed
/// or rolled back; readers see nothing of it before the commit.
pub struct Writer {
    conn: Connection,
    /// The database's file, or `None` in memory.
    path: Option<PathBuf>,
    /// A commit failed: see [`Writer::recover`].
    failed: bool,
    /// Commits so far: says whether a copy of the committed content is current.
    commits: u64,
    /// Frames in the log after the last commit.
    logged: u32,
}

impl Writer {
    pub(crate) fn new(conn: Connection, path: Option<PathBuf>) -> Self {
        Self { conn, path, failed: false, commits: 0, logged: 0 }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Bug if one is open; after a commit that failed, Exhausted or Retry until the disk takes a commit again.
    pub fn begin(&mut self) -> Result<()> {
        if self.is_open() {
            return Err(Error::AlreadyOpen);
        }
        if self.failed {
            self.recover()?;
        }
        self.merge_log(CHECKPOINT_PAGES_MAX);
        self.statement("BEGIN IMMEDIATE")
    }

    /// Runs `f` as a part of the open transaction: all of it, or on `Err` nothing of it.
    ///
    /// # Errors
    /// What `f` returns. A full or failing disk may roll the whole transaction back: see [`Writer::is_open`].
    pub fn savepoint<T, E: From<Error>>(
        &mut self,
        f: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        if !self.is_open() {
            return Err(Error::NotOpen.into());
        }
        self.statement("SAVEPOINT part")?;
        let result = f(&mut Tx::new(&self.conn));
        match result {
            Ok(value) => self.statement("RELEASE part").map(|()| value).map_err(E::from),
            Err(error) => {
                if self.is_open() {
                    let undone = self.statement("ROLLBACK TO part").and_then(|()| self.statement("RELEASE part"));
                    if undone.is_err() {
                        self.rollback();
                    }
                }
                Err(error)
            }
        }
    }

    /// Makes the transaction visible. It is durable after [`crate::Catalogue::sync`].
    ///
    /// # Errors
    /// Exhausted if the disk is full, Retry if it failed or no transaction is open. Nobody sees anything of the
    /// transaction then, no transaction is open, and the next one may succeed without a restart. If the machine stops
    /// before the next [`Writer::begin`] succeeds, the transaction may turn out to have been kept after all.
    pub fn commit(&mut self) -> Result<()> {
        if !self.is_open() {
            return Err(Error::NotOpen);
        }
        let result = self.statement("COMMIT");
        match result {
            Ok(()) => self.commits += 1,
            Err(_) => {
                self.failed = true;
                self.rollback();
            }
        }
        result
    }

    /// Ends the open transaction, if there is one, with nothing of it kept.
    pub fn rollback(&mut self) {
        if self.is_open() && self.statement("ROLLBACK").is_err() {
            self.failed = true;
        }
    }

    /// Whether a transaction is open.
    pub fn is_open(&self) -> bool {
        !self.conn.is_autocommit()
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// What is due between transactions.
    pub(crate) fn idle(&mut self) {
        if !self.is_open() {
            self.merge_log(CHECKPOINT_PAGES);
        }
    }

    /// Merges the whole log and cuts it off; for closing.
    pub(crate) fn close(mut self) {
        self.rollback();
        // A failure leaves the log as it is: the next opening reads it.
        let _ = self.conn.wal_checkpoint_v2(None::<&str>, CheckpointMode::TRUNCATE);
    }

    /// Moves the log's pages into the database if there are at least `pages` of them. A failure is tried again later:
    /// the log stays complete until its pages are synced in the database.
    fn merge_log(&mut self, pages: i32) {
        if self.path.is_none() {
            return;
        }
        if let Ok((logged, merged)) = self.conn.wal_checkpoint_v2(None::<&str>, CheckpointMode::NOOP) {
            self.logged = u32::try_from(logged).unwrap_or(0);
            if logged - merged >= pages {
                let _ = self.conn.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE);
            }
        }
    }

    /// Writes the log's frames again after a sync of theirs failed.
    pub(crate) fn write_log_anew(&self) -> Result<()> {
        self.path.as_deref().map_or(Ok(()), |path| log::write_anew(path, self.logged))
    }

    /// Makes sure that a transaction whose commit failed is gone for good, before anything is built on that.
    ///
    /// The pages of a commit that failed halfway may lie in the log all the same, and a crash would bring them back. So a
    /// small transaction is written over them, through a new connection that believes nothing about the file; what the log
    /// holds behind it is cut off by its running checksum.
    fn recover(&mut self) -> Result<()> {
        if let Some(path) = &self.path {
            self.conn = open_file(path, Role::Writer)?;
            self.statement("BEGIN IMMEDIATE")?;
            let sql = "INSERT INTO meta (name, number) VALUES ('commits failed', 1)
                       ON CONFLICT (name) DO UPDATE SET number = number + 1";
            let written = self.statement(sql).and_then(|()| self.statement("COMMIT"));
            if written.is_err() {
                self.rollback();
                return written;
            }
            self.commits += 1;
        }
        self.failed = false;
        Ok(())
    }

    fn statement(&self, sql: &str) -> Result<()> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("open", &self.is_open()).field("commits", &self.commits).finish_non_exhaustive()
    }
}
