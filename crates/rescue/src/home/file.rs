//! Single files of this computer: written, dated, compared.

#![allow(
    clippy::disallowed_methods,
    reason = "the user's own folder is where files go home to; no target is touched here"
)]

use std::{
    fs::{self, File, FileTimes, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::entry::Version;

use crate::{
    Sink,
    error::{Error, Result},
};

/// Bytes hashed at once of a file that is there already.
const HASH_BYTES: usize = 1 << 20;

/// A file on its way.
pub(super) struct Part {
    file: File,
    pub(super) path: PathBuf,
    size: u64,
    end: u64,
}

impl Part {
    /// Begins one that will have `size` bytes; what is there under that path is a part that an earlier run left.
    pub(super) fn begin(path: PathBuf, size: u64) -> Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|error| at("writing to", &path, error))?;
        Ok(Self { file, path, size, end: 0 })
    }

    /// Cuts it to its size, sets its time and syncs it.
    pub(super) fn finish(self, modified_us: i64) -> io::Result<()> {
        if self.end != self.size {
            self.file.set_len(self.size)?;
        }
        // A file system without such times still keeps the file.
        let _ = self.file.set_times(times(modified_us));
        self.file.sync_all()
    }
}

impl Sink for Part {
    fn write(&mut self, plain: &[u8]) -> io::Result<()> {
        self.file.write_all(plain)?;
        self.end += plain.len() as u64;
        Ok(())
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Current(bytes.try_into().map_err(io::Error::other)?))?;
        Ok(())
    }
}

/// Whether the version's bytes are there already.
pub(super) fn is_version(path: &Path, version: &Version) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() && there.len() == version.size => {
            let hash = hash_of(path).map_err(|error| at("reading", path, error))?;
            Ok(hash == version.blake3)
        }
        _ => Ok(false),
    }
}

pub(super) fn hash_of(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; HASH_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(*hasher.finalize().as_bytes()),
            count => hasher.update(&buffer[..count]),
        };
    }
}

/// Sets when it was modified, as far as the file system can.
pub(super) fn set_time(path: &Path, modified_us: i64) {
    if let Ok(file) = File::open(path) {
        let _ = file.set_times(times(modified_us));
    }
}

fn times(modified_us: i64) -> FileTimes {
    FileTimes::new().set_modified(time(modified_us))
}

fn time(wall_us: i64) -> SystemTime {
    let distance = Duration::from_micros(wall_us.unsigned_abs());
    let time = if wall_us < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    time.unwrap_or(UNIX_EPOCH)
}

/// What this computer refused, and where.
pub(super) fn at(verb: &'static str, place: &Path, source: io::Error) -> Error {
    Error::Home { verb, place: place.display().to_string(), source }
}
