//! Making the write-ahead log durable, beside the thread that writes it.
//!
//! SQLite appends a committed transaction to its log and goes on; the syncs happen here, on a file descriptor and a
//! thread of their own, and one sync serves all who wait for it. So the next transaction is prepared while the last one
//! becomes durable. Whoever must not be answered before that waits for [`crate::Catalogue::sync`].
//!
//! A sync that failed is not repeated: the system may have dropped the pages and call them clean, and a second sync would
//! then succeed without them. Instead every frame of the log is read, checked against the log's running checksum, and
//! written again, by the thread that writes the log, before the next sync is believed.
//!
//! Source: "WAL-mode File Format", <https://www.sqlite.org/walformat.html>; for failing syncs: Rebello and others, "Can
//! Applications Recover from fsync Failures?", USENIX ATC 2020.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::error::{Error, Result};

/// The log's header: magic, version, page size, sequence, two salts, two checksums; four bytes each, big-endian.
const HEADER_BYTES: usize = 32;
/// A frame's header: page, size of the database, two salts, two checksums.
const FRAME_HEADER_BYTES: usize = 24;
/// Without its lowest bit, which says that checksums read their input as big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// The log of one database file.
pub(crate) struct Log {
    path: PathBuf,
    /// Opened at the first sync: the log is made with the first transaction. An open file reports each failed write-back
    /// once, also one that happened between two syncs.
    file: Option<File>,
    /// A sync failed, and nothing was made durable since.
    unsure: bool,
}

impl Log {
    /// Names the log of the database `path`.
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path_of(path), file: None, unsure: false }
    }

    /// Makes durable what the log holds. After a failure, `rewrite` is called first, to write the log's frames anew.
    pub(crate) fn sync(&mut self, rewrite: impl Fn() -> Result<()>) -> Result<()> {
        if !self.unsure && self.try_sync().is_ok() {
            return Ok(());
        }
        self.unsure = true;
        rewrite()?;
        self.try_sync().map_err(|source| Error::LogSync(Arc::new(source)))?;
        self.unsure = false;
        Ok(())
    }

    fn try_sync(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(open(&self.path)?),
        };
        file.sync_data()
    }
}

/// Where the log of the database `path` lies.
fn path_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

#[expect(clippy::disallowed_methods, reason = "the catalogue's own log")]
fn open(log: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(log)
}

/// Writes the frames of `database`'s log again, as they are. Nothing else may write to the log meanwhile.
///
/// # Errors
/// Retry if the disk fails; Damaged if fewer than `frames` are whole, as when the system lost what it could not write.
pub(crate) fn write_anew(database: &Path, frames: u32) -> Result<()> {
    let failed = |source| Error::LogSync(Arc::new(source));
    let file = open(&path_of(database)).map_err(failed)?;
    let whole = copy_onto_itself(&file).map_err(failed)?;
    if whole < frames { Err(Error::LogLost { whole, frames }) } else { Ok(()) }
}

/// Reads frame after frame and writes each where it was; how many there are up to the first that is not whole.
fn copy_onto_itself(file: &File) -> io::Result<u32> {
    let mut header = [0; HEADER_BYTES];
    if !fill(file, &mut header, 0)? || word(&header, 0) & !1 != MAGIC {
        return Ok(0);
    }
    let order = if word(&header, 0) & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
    let page_bytes = word(&header, 8) as usize;
    let mut sum = checksum(order, (0, 0), &header[..24]);
    if sum != (word(&header, 24), word(&header, 28)) || !(512..=65536).contains(&page_bytes) {
        return Ok(0);
    }
    file.write_all_at(&header, 0)?;
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes];
    let mut at = HEADER_BYTES as u64;
    let mut whole = 0;
    while fill(file, &mut frame, at)? && frame[8..16] == header[16..24] {
        sum = checksum(order, checksum(order, sum, &frame[..8]), &frame[FRAME_HEADER_BYTES..]);
        if sum != (word(&frame, 16), word(&frame, 20)) {
            break;
        }
        file.write_all_at(&frame, at)?;
        at += frame.len() as u64;
        whole += 1;
    }
    Ok(whole)
}

/// Fills the buffer from `at`; false at the end of the file.
fn fill(file: &File, buffer: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |four| u32::from_be_bytes(*four))
}

/// The log's checksum, carried on from `sum` over pairs of words.
fn checksum(order: fn([u8; 4]) -> u32, mut sum: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let (pairs, _) = bytes.as_chunks::<8>();
    for pair in pairs {
        let [a, b, c, d, e, f, g, h] = *pair;
        sum.0 = sum.0.wrapping_add(order([a, b, c, d])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(order([e, f, g, h])).wrapping_add(sum.0);
    }
    sum
}
