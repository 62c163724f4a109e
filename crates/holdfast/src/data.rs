//! The data folder: what lies where, who may read it, and the lock that admits one process.
//!
//! ```text
//! DIR/lock                        held while a service or another command works on the folder
//! DIR/control.sock                commands with --data to a running service, for the owner only
//! DIR/holdfast.toml               the configuration, unless another one is named
//! DIR/last-config.toml            which configuration it was last served with, and the settings in it
//! DIR/catalogue/catalogue.sqlite
//! DIR/keys/service-identity.txt   opens every managed account; a copy belongs elsewhere
//! DIR/providers/<name>/           a trial's targets
//! DIR/founding                    there while a first start has not finished
//! ```

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use format::Identity;
use model::Class;
use rustix::fs::{FlockOperation, flock};

use crate::error::{Error, Result};

/// One data folder, by its absolute path.
#[derive(Clone, Debug)]
pub struct DataFolder {
    root: PathBuf,
}

/// The lock. Given back when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "keeps the lock")] File);

impl DataFolder {
    /// Names a folder; nothing is looked at.
    ///
    /// # Errors
    /// Refused: an empty path, or one that is not UTF-8.
    pub fn at(path: &Path) -> Result<Self> {
        let root = std::path::absolute(path).map_err(|error| Error::io("reading", path, &error))?;
        if root.to_str().is_none() {
            return Err(Error::refused(format!(
                "the path {} is not UTF-8; addresses of targets are kept as text",
                root.display()
            ))
            .hint("use a folder with another name"));
        }
        Ok(Self { root })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where programs that the service starts have their folders; nothing that lies there is kept.
    pub fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    /// The catalogue's folder.
    pub fn catalogue(&self) -> PathBuf {
        self.root.join("catalogue")
    }

    /// The keys' folder.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The service identity.
    pub fn identity_file(&self) -> PathBuf {
        self.keys().join("service-identity.txt")
    }

    /// The configuration that is used when none was ever named.
    pub fn config_file(&self) -> PathBuf {
        self.root.join("holdfast.toml")
    }

    /// What is remembered of the configuration that was used last.
    pub fn last_config(&self) -> PathBuf {
        self.root.join("last-config.toml")
    }

    /// The control socket.
    pub fn control_socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// The mark of a first start that has not finished.
    pub fn founding_mark(&self) -> PathBuf {
        self.root.join("founding")
    }

    /// Takes the lock; makes the folder if it is missing and `make` says so.
    ///
    /// # Errors
    /// Conflict: another process works on it. Missing: there is no such folder.
    pub fn hold(&self, make: bool) -> Result<Held> {
        if make {
            DirBuilder::new()
                .recursive(true)
                .create(&self.root)
                .map_err(|error| Error::io("making the folder", &self.root, &error))?;
        } else if !self.root.is_dir() {
            return Err(Error::new(Class::Missing, format!("there is no data folder {}", self.root.display()))
                .hint("--data names the folder that `holdfast serve` works on"));
        }
        let path = self.root.join("lock");
        let failed = |error: io::Error| Error::io("locking", &path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(self.in_use(&mut file)),
            Err(errno) => return Err(failed(errno.into())),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Held(file))
    }

    fn in_use(&self, lock: &mut File) -> Error {
        let mut holder = String::new();
        let process = match lock.read_to_string(&mut holder) {
            Ok(_) if holder.trim().parse::<u32>().is_ok() => format!(" (process {})", holder.trim()),
            _ => String::new(),
        };
        Error::new(
            Class::Conflict,
            format!("the data folder {} is in use by another process{process}", self.root.display()),
        )
        .hint("one process works on a data folder at a time: stop that one first, or use another folder with --data")
    }

    /// Makes a folder in here that only its owner may enter.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn make_private(&self, path: &Path) -> Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
                fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                    .map_err(|error| Error::io("closing to others", path, &error))
            }
            other => other.map_err(|error| Error::io("making the folder", path, &error)),
        }
    }

    /// Reads the service identity of this folder.
    ///
    /// # Errors
    /// Missing, or Damaged.
    pub fn identity(&self) -> Result<Identity> {
        read_identity(&self.identity_file())
    }

    /// Writes a service identity that is not there yet, durable before this answers.
    ///
    /// # Errors
    /// Conflict when there is one.
    pub fn keep_identity(&self, identity: &Identity) -> Result<()> {
        self.make_private(&self.keys())?;
        let text = format!(
            "# The service identity of a Holdfast service. Whoever has it can open every managed account.\n\
             # Keep a copy where no hosting firm of this service can reach it: with it and the targets alone,\n\
             # `holdfast rebuild` makes the catalogue again. Recipient: {}\n{}\n",
            identity.recipient(),
            identity.secret()
        );
        write_private(&self.identity_file(), text.as_bytes())
    }
}

/// Reads a service identity: the one line that is no comment.
///
/// # Errors
/// Missing, or Damaged.
pub fn read_identity(path: &Path) -> Result<Identity> {
    let text = fs::read_to_string(path).map_err(|error| {
        Error::io("reading the service identity", path, &error)
            .hint("it was written at the first start; a copy of it serves as well")
    })?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    Identity::parse(line).map_err(|error| {
        Error::new(Class::Damaged, format!("{} holds no service identity: {error}", path.display()))
            .hint("the line must start with AGE-SECRET-KEY-1; use the copy that was kept elsewhere")
    })
}

/// Writes a new file that only its owner may read, durable with its name; never replaces one.
///
/// # Errors
/// Conflict when something is there.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: io::Error| Error::io("writing", path, &error);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    sync_folder(path)
}

/// Writes a file that only its owner may read in the place of what is there: the old one or the new one is seen, never half.
///
/// # Errors
/// As the operating system says.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let half = path.with_extension("new");
    match fs::remove_file(&half) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("replacing", &half, &error)),
        _ => {}
    }
    write_private(&half, bytes)?;
    fs::rename(&half, path).map_err(|error| Error::io("replacing", path, &error))?;
    sync_folder(path)
}

/// Makes the name of `path` durable.
///
/// # Errors
/// As the operating system says.
pub fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| Error::io("syncing", folder, &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{fs, os::unix::fs::PermissionsExt};

    use format::Identity;
    use model::Class;

    use super::{DataFolder, read_identity, write_private};
    use crate::scratch::Scratch;

    #[test]
    fn one_process_at_a_time() {
        let scratch = Scratch::new("data-lock");
        let data = DataFolder::at(&scratch.path().join("d")).unwrap();
        assert_eq!(data.hold(false).unwrap_err().class, Class::Missing);
        let held = data.hold(true).unwrap();
        let error = data.hold(true).unwrap_err();
        assert_eq!(error.class, Class::Conflict);
        assert!(error.message.contains(&std::process::id().to_string()), "{}", error.message);
        drop(held);
        data.hold(true).unwrap();
    }

    #[test]
    fn the_identity_is_its_owners_alone_and_never_replaced() {
        let scratch = Scratch::new("data-identity");
        let data = DataFolder::at(scratch.path()).unwrap();
        let identity = Identity::generate();
        data.keep_identity(&identity).unwrap();
        assert_eq!(data.identity().unwrap().recipient(), identity.recipient());
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(data.keys()), mode(data.identity_file())), (0o700, 0o600));
        assert_eq!(data.keep_identity(&Identity::generate()).unwrap_err().class, Class::Conflict);
    }

    #[test]
    fn other_files_are_no_identity() {
        let scratch = Scratch::new("data-no-identity");
        let path = scratch.path().join("x");
        write_private(&path, b"# only a comment\nage1notasecret\n").unwrap();
        assert_eq!(read_identity(&path).unwrap_err().class, Class::Damaged);
    }
}
