//! `holdfast get`: files and folders down.
//!
//! A local file with the same size and modification time is skipped. Bytes arrive in a hidden part file beside the
//! destination and take the name only when complete; a part file of the same version goes on where it stood. Names that
//! would lead out of the destination are refused one by one.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Component, Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hyper::{Method, StatusCode};
use model::Class;
use tokio::sync::mpsc::Sender;

use crate::{
    client::{
        api::{Api, Entry, Kind, file_url},
        batch::{Batch, Transfer, in_parallel},
        http::{Answer, Outgoing},
        path::{RemotePath, unfit},
        upload::modified_us,
    },
    error::{Error, Result},
};

/// Files above this size keep their part file for the next try.
const RESUMABLE_ABOVE: u64 = 1 << 20;
/// How often a broken download is taken up again before the file counts as failed.
const TRIES: u32 = 6;

/// Fetches a file or a folder with all that is in it.
#[derive(clap::Args)]
pub struct Args {
    /// File or folder in the service; `/` is everything.
    #[arg(value_name = "SRC")]
    source: String,
    /// Where to: the new name; a folder to put it into when it ends in a slash or in a dot, or for a file when it is a
    /// folder. So the same command again goes on where the first one stopped.
    #[arg(value_name = "DEST", default_value = ".")]
    destination: PathBuf,
    /// One JSON object per file, and one for the end.
    #[arg(long)]
    json: bool,
}

/// One file to fetch.
struct Job {
    entry: Entry,
    from: RemotePath,
    to: PathBuf,
    bytes: u64,
    modified_us: Option<i64>,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let source = RemotePath::parse(&args.source)?;
    let entry = if source.is_root() { None } else { Some(entry(&api, &source).await?) };
    let folder = entry.as_ref().is_none_or(|entry| entry.kind == Kind::Folder);
    let to = local_root(&source, folder, &args.destination)?;
    if args.destination.as_os_str().as_encoded_bytes().ends_with(b"/") {
        make_folder(&args.destination, true)?;
    }
    let batch = Batch::start("fetched", args.json);
    let what = match entry {
        Some(entry) if entry.kind == Kind::File => Some(entry),
        _ => None,
    };
    mirror(&api, &batch, (source, what), to, Arc::default()).await?;
    Ok(batch.finish())
}

/// Fetches a file, or a folder with all that is in it, as far as it is not there already.
pub(super) async fn mirror(
    api: &Api,
    batch: &Arc<Batch>,
    (source, file): (RemotePath, Option<Entry>),
    to: PathBuf,
    journey: Arc<Journey>,
) -> Result<()> {
    let worker = (api.clone(), Arc::clone(batch), Arc::clone(&journey));
    let finder = Finder { api: api.clone(), batch: Arc::clone(batch), journey };
    in_parallel(
        |jobs| async move {
            match file {
                Some(entry) => finder.file(&entry, source, to, &jobs).await,
                None => finder.walk(source, to, &jobs).await,
            }
        },
        move |job: Job| {
            let (api, batch, journey) = worker.clone();
            async move {
                match fetch(&api, &batch, &job).await {
                    Ok(()) => {
                        journey.meet(&job.from, &job.to, &job.entry);
                        batch.done(&job.to.display().to_string(), job.bytes);
                    }
                    Err(error) => batch.failed(&job.from.to_string(), &error),
                }
            }
        },
    )
    .await
}

/// What a caller knows of files that lie here from before, and is told of those that were met.
#[derive(Default)]
pub(super) struct Journey {
    /// The version that each path had when it was fetched last: another one is fetched again, whatever its size and time.
    pub known: HashMap<String, String>,
    /// Every file that is here now as the service has it, with its path there and its place here.
    pub met: Mutex<Vec<(String, PathBuf, Entry)>>,
    /// The places of all files that the service has, here or not.
    pub seen: Mutex<HashSet<PathBuf>>,
    /// Whether `met` and `seen` are wanted.
    pub keeps: bool,
}

impl Journey {
    fn is_same(&self, path: &RemotePath, entry: &Entry) -> bool {
        match (self.known.get(&path.to_string()), &entry.etag) {
            (Some(known), Some(etag)) => known == etag,
            _ => true,
        }
    }

    fn see(&self, to: &Path) {
        if self.keeps {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(to.to_owned());
        }
    }

    fn meet(&self, path: &RemotePath, to: &Path, entry: &Entry) {
        if self.keeps {
            let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
            met.push((path.to_string(), to.to_owned(), entry.clone()));
        }
    }
}

/// The line of the parent's listing that describes `path`.
async fn entry(api: &Api, path: &RemotePath) -> Result<Entry> {
    let entries = api.list(&path.parent()).await?.unwrap_or_default();
    let found = entries.into_iter().find(|entry| Some(entry.name.as_str()) == path.name());
    match found {
        Some(entry) if entry.kind == Kind::Folder || !path.folder => Ok(entry),
        Some(_) => Err(Error::new(Class::Missing, format!("{path} is a file, not a folder"))),
        None => Err(Error::new(Class::Missing, format!("there is nothing at {path}"))
            .hint(format!("`holdfast ls {}` shows what is there", path.parent()))),
    }
}

/// The local path that the source gets: in `destination`, or `destination` itself, which for a folder may be what an
/// earlier run of the same command made.
fn local_root(source: &RemotePath, folder: bool, destination: &Path) -> Result<PathBuf> {
    let text = destination.as_os_str().as_encoded_bytes();
    let as_folder = text.ends_with(b"/")
        || matches!(destination.components().next_back(), Some(Component::CurDir | Component::ParentDir));
    match source.name() {
        Some(name) if as_folder || (!folder && destination.is_dir()) => {
            match unfit(name) {
                None => Ok(destination.join(name)),
                Some(why) => Err(Error::refused(format!("'{name}' cannot be a local name: {why}"))
                    .hint("give DEST a name of its own")),
            }
        }
        _ => Ok(destination.to_owned()),
    }
}

/// Walks the service's folders and says what there is to fetch.
struct Finder {
    api: Api,
    batch: Arc<Batch>,
    journey: Arc<Journey>,
}

impl Finder {
    async fn walk(&self, from: RemotePath, to: PathBuf, jobs: &Sender<Job>) -> Result<()> {
        let mut folders = vec![(from, to, true)];
        while let Some((from, to, named)) = folders.pop() {
            match self.folder(&from, &to, named, jobs).await {
                Ok(below) => folders.extend(below),
                Err(error) if error.class == Class::Retry => return Err(error),
                Err(error) => self.batch.failed(&from.to_string(), &error),
            }
        }
        Ok(())
    }

    async fn folder(
        &self,
        from: &RemotePath,
        to: &Path,
        named: bool,
        jobs: &Sender<Job>,
    ) -> Result<Vec<(RemotePath, PathBuf, bool)>> {
        make_folder(to, named)?;
        let entries =
            self.api.list(from).await?.ok_or_else(|| Error::new(Class::Missing, format!("{from} is gone")))?;
        let mut below = Vec::new();
        for entry in entries {
            let path = from.join(&entry.name);
            if let Some(why) = unfit(&entry.name) {
                self.batch.failed(&path.to_string(), &Error::refused(format!("not written: {why}")));
            } else if entry.kind == Kind::Folder {
                below.push((path, to.join(&entry.name), false));
            } else if let Err(error) = self.file(&entry, path.clone(), to.join(&entry.name), jobs).await {
                self.batch.failed(&path.to_string(), &error);
            }
        }
        below.reverse();
        Ok(below)
    }

    async fn file(&self, entry: &Entry, from: RemotePath, to: PathBuf, jobs: &Sender<Job>) -> Result<()> {
        let (bytes, modified) = (entry.size.unwrap_or(0), entry.modified_us());
        self.journey.see(&to);
        match fs::symlink_metadata(&to) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(Error::new(Class::Conflict, format!("{} is a folder", to.display())));
            }
            Ok(metadata)
                if metadata.is_file()
                    && metadata.len() == bytes
                    && same_time(&metadata, modified)
                    && self.journey.is_same(&from, entry) =>
            {
                self.journey.meet(&from, &to, entry);
                self.batch.skipped(&to.display().to_string(), "there already, same size and time");
                return Ok(());
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("reading", &to, &error)),
        }
        self.batch.expect(bytes);
        drop(jobs.send(Job { entry: entry.clone(), from, to, bytes, modified_us: modified }).await);
        Ok(())
    }
}

/// Whether a local file has the modification time; a file system that keeps whole seconds is believed to the second.
fn same_time(metadata: &fs::Metadata, modified: Option<i64>) -> bool {
    let local = modified_us(metadata);
    modified.is_some_and(|remote| {
        local == remote || (local % 1_000_000 == 0 && remote.div_euclid(1_000_000) * 1_000_000 == local)
    })
}

/// Makes a folder. Below the destination a symbolic link is not followed: it could lead anywhere.
pub(super) fn make_folder(path: &Path, named: bool) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() || (named && path.is_dir()) => Ok(()),
        Ok(metadata) => {
            let what = if metadata.is_symlink() { "a symbolic link" } else { "a file" };
            Err(Error::new(Class::Conflict, format!("{} is {what}, a folder is needed there", path.display())))
        }
        Err(_) => fs::create_dir_all(path).map_err(|error| Error::io("making the folder", path, &error)),
    }
}

/// Fetches one file: tries go on from what the part file holds.
async fn fetch(api: &Api, batch: &Batch, job: &Job) -> Result<()> {
    let transfer = batch.transfer();
    let part = part_path(job);
    let mut tries = 0;
    loop {
        match attempt(api, job, &part, &transfer).await {
            Ok(()) => return Ok(()),
            Err(error) if error.class == Class::Retry && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(200 << tries)).await;
            }
            Err(error) => {
                if job.bytes <= RESUMABLE_ABOVE {
                    drop(fs::remove_file(&part.bytes));
                }
                return Err(error);
            }
        }
    }
}

/// The part file and, beside it, the `ETag` of the version that it is a part of.
struct Part {
    bytes: PathBuf,
    etag: PathBuf,
}

fn part_path(job: &Job) -> Part {
    let name = job.to.file_name().unwrap_or_default();
    let hash = &blake3::hash(name.as_encoded_bytes()).to_hex()[..16];
    Part {
        bytes: job.to.with_file_name(format!(".holdfast-{hash}.part")),
        etag: job.to.with_file_name(format!(".holdfast-{hash}.etag")),
    }
}

async fn attempt(api: &Api, job: &Job, part: &Part, transfer: &Transfer) -> Result<()> {
    let begun = begun(part);
    let mut request = api.request(Method::GET, &file_url(&job.from));
    if let Some((etag, bytes)) = &begun {
        request = request.header("range", format!("bytes={bytes}-")).header("if-range", etag);
    }
    let mut answer = match api.send(request, Outgoing::empty()).await {
        // The part is as long as the file, or longer: begin again.
        Err(error) if begun.is_some() && error.class == Class::Refused => {
            drop(fs::remove_file(&part.etag));
            api.send(api.request(Method::GET, &file_url(&job.from)), Outgoing::empty()).await?
        }
        other => other?,
    };
    let goes_on = answer.status == StatusCode::PARTIAL_CONTENT;
    let at = begun.filter(|_| goes_on).map_or(0, |(_, bytes)| bytes);
    let etag = answer.header("etag").map(str::to_owned);
    let length = answer.header("content-length").and_then(|text| text.parse::<u64>().ok());
    if !goes_on && job.bytes > RESUMABLE_ABOVE {
        remember(part, etag.as_deref())?;
    }
    transfer.stand_at(at);
    let written = receive(&mut answer, &part.bytes, at, transfer).await?;
    if length.is_some_and(|length| length != written) {
        return Err(Error::new(Class::Retry, "the transfer ended early"));
    }
    settle(job, part)
}

/// What an earlier try left: the version's `ETag` and the bytes that are there. A weak one cannot be continued.
fn begun(part: &Part) -> Option<(String, u64)> {
    let etag = fs::read_to_string(&part.etag).ok().filter(|etag| etag.starts_with('"'))?;
    let metadata =
        fs::symlink_metadata(&part.bytes).ok().filter(|metadata| metadata.is_file() && metadata.len() > 0)?;
    Some((etag, metadata.len()))
}

/// Starts a new part: its old bytes go before the new `ETag` is written.
fn remember(part: &Part, etag: Option<&str>) -> Result<()> {
    drop(fs::remove_file(&part.bytes));
    match etag {
        Some(etag) => fs::write(&part.etag, etag).map_err(|error| Error::io("writing", &part.etag, &error)),
        None => Ok(()),
    }
}

/// Writes the body after the `at` bytes that are there; answers how many came.
async fn receive(answer: &mut Answer, path: &Path, at: u64, transfer: &Transfer) -> Result<u64> {
    let writing = |error: io::Error| Error::io("writing", path, &error);
    let mut file = open_part(path, at).map_err(writing)?;
    let meter = transfer.meter();
    let mut written = 0;
    while let Some(bytes) = answer.chunk().await? {
        file.write_all(&bytes).map_err(writing)?;
        written += bytes.len() as u64;
        meter(bytes.len() as u64);
    }
    Ok(written)
}

/// Opens the part file for what follows its first `at` bytes; never through a symbolic link.
fn open_part(path: &Path, at: u64) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    if at == 0 {
        return OpenOptions::new().write(true).create(true).truncate(true).custom_flags(no_follow).open(path);
    }
    OpenOptions::new().append(true).custom_flags(no_follow).open(path)
}

/// Gives the complete part its time and its name.
fn settle(job: &Job, part: &Part) -> Result<()> {
    let naming = |error: io::Error| Error::io("writing", &job.to, &error);
    if let Some(modified_us) = job.modified_us {
        let file = OpenOptions::new().write(true).open(&part.bytes).map_err(naming)?;
        file.set_modified(system_time(modified_us)).map_err(naming)?;
    }
    fs::rename(&part.bytes, &job.to).map_err(naming)?;
    drop(fs::remove_file(&part.etag));
    Ok(())
}

fn system_time(us: i64) -> SystemTime {
    let span = Duration::from_micros(us.unsigned_abs());
    if us >= 0 { UNIX_EPOCH + span } else { UNIX_EPOCH - span }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::{local_root, system_time};
    use crate::client::path::RemotePath;

    #[test]
    fn destinations() {
        let folder = std::env::temp_dir();
        let path = |text: &str| RemotePath::parse(text).unwrap();
        let root =
            |source: &str, is_folder, destination: &Path| local_root(&path(source), is_folder, destination).unwrap();
        assert_eq!(root("a/b", false, &folder), folder.join("b"));
        assert_eq!(root("a/b", true, &folder), folder, "a folder's destination is its name, there or not");
        assert_eq!(root("a/b", true, Path::new(".")), Path::new("./b"));
        assert_eq!(root("a/b", true, Path::new("x/..")), Path::new("x/../b"));
        assert_eq!(root("a/b", false, Path::new("no-such-folder/x")), Path::new("no-such-folder/x"));
        assert_eq!(root("a/b", true, Path::new("no-such-folder/")), Path::new("no-such-folder/b"));
        assert_eq!(root("/", true, &folder), folder);
    }

    #[test]
    fn times_before_1970_are_kept() {
        assert_eq!(system_time(-1) + std::time::Duration::from_micros(1), std::time::UNIX_EPOCH);
    }
}
