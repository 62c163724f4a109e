//! A tree written into a folder of this computer: names, folders and times as they were.
//!
//! A file is written under [`PARTS`], synced, and only then gets its name, so that what has a name is whole. Running again goes
//! on: a file that is there with the right bytes is kept. Nothing that was there before is ever overwritten or removed; a
//! different file under the name stays, and the rescued one is put beside it.

#![allow(
    clippy::disallowed_methods,
    reason = "the user's own folder is where files go home to; no target is touched here"
)]

mod file;
mod name;
mod report;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use model::entry::{Kind, Version};

pub use self::report::{LostFile, Renamed, Report, Step};
use self::{
    file::{Part, at, hash_of, is_version, set_time},
    name::{beside, local, portable},
};
use crate::{
    Item, Outcome, Rescue, Sink, Unreadable, Why,
    error::{Error, Result},
};

/// Where files are before they are whole, in the folder that they go home to.
pub const PARTS: &str = ".holdfast-rescue";
/// Files up to this size are read while others are written.
const SMALL_BYTES: u64 = 1 << 20;
/// So many of them at once.
const SMALL_AHEAD: usize = 6;
/// Names tried beside one that is taken.
const BESIDE_MAX: u32 = 1_000;

/// Brings all files of `rescue` home to `folder`, which is made if it is missing; `tell` hears of each file.
///
/// # Errors
/// [`Error::Home`]: the folder refused (full, no permission). What came home stays, and a second run goes on from there.
pub async fn bring(rescue: &Rescue, folder: &Path, tell: &mut (dyn FnMut(Step<'_>) + Send)) -> Result<Report> {
    let mut home = Home::open(folder, rescue.tree())?;
    home.make_folders(rescue.tree())?;
    let mut files = rescue.tree().iter().filter(|item| item.entry.kind == Kind::File);
    let mut coming = FuturesOrdered::new();
    loop {
        while coming.len() < SMALL_AHEAD {
            let Some(item) = files.next() else { break };
            let at = home.wish(item)?;
            coming.push_back(prepare(rescue, item, at));
        }
        let Some((item, at, prepared)) = coming.next().await else { break };
        home.file(rescue, item, at, prepared?, tell).await?;
    }
    home.finish()
}

/// What is known of a file before its turn comes.
enum Prepared {
    /// It is there already.
    Kept,
    /// Small: its bytes.
    Read(Vec<u8>, Outcome),
    /// To be read when its turn comes.
    Large,
    /// No record tells what it holds.
    NoVersion,
}

async fn prepare<'a>(rescue: &Rescue, item: &'a Item, at: PathBuf) -> (&'a Item, PathBuf, Result<Prepared>) {
    let Some(version) = &item.version else { return (item, at, Ok(Prepared::NoVersion)) };
    let prepared = match is_version(&at, version) {
        Ok(true) => Ok(Prepared::Kept),
        Ok(false) if version.size <= SMALL_BYTES => match rescue.read_to_vec(version).await {
            Ok((plain, outcome)) => Ok(Prepared::Read(plain, outcome)),
            Err(error) => key_is_lost(error, version).map(|outcome| Prepared::Read(Vec::new(), outcome)),
        },
        Ok(false) => Ok(Prepared::Large),
        Err(error) => Err(error),
    };
    (item, at, prepared)
}

/// A version whose key does not open is one unreadable file; other errors end the run.
fn key_is_lost(error: Error, version: &Version) -> Result<Outcome> {
    match error {
        Error::FileKey { .. } => {
            Ok(Outcome { bytes: 0, unreadable: vec![Unreadable { range: 0..version.size, why: Why::Key }] })
        }
        other => Err(other),
    }
}

/// The folder that files go home to.
struct Home {
    root: PathBuf,
    parts: PathBuf,
    serial: u64,
    /// Where folders of the tree lie here.
    folders: BTreeMap<Vec<String>, PathBuf>,
    /// Times to be set when all is written, by folder.
    times: Vec<(PathBuf, i64)>,
    report: Report,
}

impl Home {
    fn open(root: &Path, tree: &[Item]) -> Result<Self> {
        fs::create_dir_all(root).map_err(|error| at("making", root, error))?;
        // The tree may have a folder of that name itself.
        let taken = |name: &String| tree.iter().any(|item| item.path.first() == Some(name));
        let mut parts = PARTS.to_owned();
        while taken(&parts) {
            parts.push('-');
        }
        let parts = root.join(parts);
        match fs::create_dir(&parts) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(at("making", &parts, error)),
            _ => {}
        }
        let mut home = Self {
            root: root.to_owned(),
            parts,
            serial: 0,
            folders: BTreeMap::new(),
            times: Vec::new(),
            report: Report::default(),
        };
        home.folders.insert(Vec::new(), root.to_owned());
        Ok(home)
    }

    fn make_folders(&mut self, tree: &[Item]) -> Result<()> {
        for item in tree.iter().filter(|item| item.entry.kind == Kind::Folder) {
            let path = self.folder(&item.path)?;
            self.times.push((path, item.entry.modified_us));
            self.report.folders += 1;
        }
        Ok(())
    }

    /// Where a folder of the tree lies here; made if it is missing.
    fn folder(&mut self, path: &[String]) -> Result<PathBuf> {
        if let Some(known) = self.folders.get(path) {
            return Ok(known.clone());
        }
        let Some((last, above)) = path.split_last() else { return Ok(self.root.clone()) };
        let above = self.folder(above)?;
        let made = self.named(path, &above, last, |place| match fs::create_dir(place) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // A link is not followed: what it leads to is nobody's tree.
                Ok(fs::symlink_metadata(place)?.is_dir())
            }
            other => other.map(|()| true),
        })?;
        self.folders.insert(path.to_vec(), made.clone());
        Ok(made)
    }

    /// Where a file would lie if nothing is in its way.
    fn wish(&mut self, item: &Item) -> Result<PathBuf> {
        let (last, above) =
            item.path.split_last().map_or((String::new(), &[][..]), |(last, above)| (last.clone(), above));
        Ok(self.folder(above)?.join(local(&last).as_ref()))
    }

    /// Finds a name for `last` in `above` that `take` takes: the name itself, then names beside it, each also in portable
    /// letters where the file system refuses it. `take` says `false` where something else is there.
    fn named(
        &mut self,
        path: &[String],
        above: &Path,
        last: &str,
        mut take: impl FnMut(&Path) -> io::Result<bool>,
    ) -> Result<PathBuf> {
        let wish = local(last);
        let mut why = (wish != last).then_some("this computer allows no such name");
        let mut base = wish.into_owned();
        let mut n = 0;
        while n < BESIDE_MAX {
            let place = above.join(beside(&base, n));
            match take(&place) {
                Ok(true) => {
                    if n > 0 {
                        why = Some("something else has its name here");
                    }
                    if let Some(why) = why {
                        self.report.renamed.push(Renamed { path: path.join("/"), to: place.clone(), why });
                    }
                    return Ok(place);
                }
                Ok(false) => n += 1,
                Err(error) if refuses_name(&error) && portable(last) != base => {
                    base = portable(last);
                    why = Some("this computer allows no such name");
                }
                Err(error) => return Err(at("putting", &place, error)),
            }
        }
        Err(at("putting", &above.join(last), ErrorKind::AlreadyExists.into()))
    }

    async fn file(
        &mut self,
        rescue: &Rescue,
        item: &Item,
        wish: PathBuf,
        prepared: Prepared,
        tell: &mut (dyn FnMut(Step<'_>) + Send),
    ) -> Result<()> {
        self.report.files += 1;
        let path = item.path.join("/");
        let size = item.version.as_ref().map_or(0, |version| version.size);
        let mut kept = false;
        let whole = match (&item.version, prepared) {
            (Some(_), Prepared::Kept) => {
                // It may have been put there by a run that was stopped before it set the time.
                set_time(&wish, item.entry.modified_us);
                (kept, self.report.kept) = (true, self.report.kept + 1);
                true
            }
            (Some(version), Prepared::Read(plain, outcome)) => {
                let mut part = self.part(version.size)?;
                part.write(&plain).map_err(|error| at("writing to", &part.path, error))?;
                self.place(item, version, part, outcome)?
            }
            (Some(version), Prepared::Large) => {
                let mut part = self.part(version.size)?;
                let outcome = match rescue.read(version, &mut part).await {
                    Ok(outcome) => outcome,
                    Err(error) => key_is_lost(error, version)?,
                };
                self.place(item, version, part, outcome)?
            }
            (_, Prepared::NoVersion) | (None, _) => {
                let unreadable = vec![Unreadable { range: 0..0, why: Why::NoVersion }];
                self.report.lost.push(LostFile { path: path.clone(), size, unreadable, kept_as: None });
                false
            }
        };
        tell(Step { path: &path, size, kept, whole });
        Ok(())
    }

    /// Begins a file among the parts.
    fn part(&mut self, size: u64) -> Result<Part> {
        self.serial += 1;
        Part::begin(self.parts.join(format!("{}.part", self.serial)), size)
    }

    /// Gives a part its name, or names it what it is: incomplete.
    fn place(&mut self, item: &Item, version: &Version, part: Part, outcome: Outcome) -> Result<bool> {
        let whole = outcome.is_whole();
        let (last, above) =
            item.path.split_last().map_or((String::new(), &[][..]), |(last, above)| (last.clone(), above));
        let above = self.folder(above)?;
        let path = part.path.clone();
        if !whole && outcome.bytes == 0 {
            drop(part);
            fs::remove_file(&path).map_err(|error| at("removing", &path, error))?;
            self.lose(item, version, outcome, None);
            return Ok(false);
        }
        part.finish(item.entry.modified_us).map_err(|error| at("syncing", &path, error))?;
        let hash = if whole { version.blake3 } else { hash_of(&path).map_err(|error| at("reading", &path, error))? };
        let name = if whole { last } else { name::incomplete(&last) };
        let mut written = false;
        let placed = self.named(&item.path, &above, &name, |place| {
            match fs::symlink_metadata(place) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(there) => {
                    return Ok(there.is_file()
                        && there.len() == version.size
                        && hash_of(place).is_ok_and(|got| got == hash));
                }
            }
            fs::rename(&path, place)?;
            written = true;
            Ok(true)
        })?;
        if written {
            (self.report.written, self.report.bytes) = (self.report.written + 1, self.report.bytes + outcome.bytes);
        } else {
            self.report.kept += 1;
            fs::remove_file(&path).map_err(|error| at("removing", &path, error))?;
        }
        if !whole {
            self.lose(item, version, outcome, Some(placed));
        }
        Ok(whole)
    }

    fn lose(&mut self, item: &Item, version: &Version, outcome: Outcome, kept_as: Option<PathBuf>) {
        let (path, unreadable) = (item.path.join("/"), outcome.unreadable);
        self.report.lost.push(LostFile { path, size: version.size, unreadable, kept_as });
    }

    /// Makes names durable and sets the times of folders, the deepest first.
    fn finish(mut self) -> Result<Report> {
        match fs::remove_dir_all(&self.parts) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(at("removing", &self.parts, error)),
            _ => {}
        }
        for folder in self.folders.values() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| at("syncing", folder, error))?;
        }
        while let Some((folder, modified_us)) = self.times.pop() {
            set_time(&folder, modified_us);
        }
        Ok(self.report)
    }
}

/// Whether another name may fare better.
fn refuses_name(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotFound
    )
}
