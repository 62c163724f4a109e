//! `holdfast put`: local files and folders up.
//!
//! A file that is there with the same size and modification time is skipped; one above 1 MiB is sent so that a broken
//! transfer goes on where it stood. Symbolic links and special files are left out and named.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use hyper::Method;
use model::Class;
use serde_json::json;
use tokio::sync::mpsc::Sender;

use crate::{
    client::{
        api::{Api, Entry, Found, Kind, file_url},
        batch::{Batch, in_parallel},
        http::Outgoing,
        path::RemotePath,
        upload::{self, Source},
    },
    error::{Error, Result},
};

/// Files above this size are sent by resumable uploads.
const RESUMABLE_ABOVE: u64 = 1 << 20;

/// Sends files and folders.
#[derive(clap::Args)]
pub struct Args {
    /// Files and folders to send; folders with all that is in them.
    #[arg(required = true, value_name = "SRC")]
    sources: Vec<PathBuf>,
    /// Where to: the new name; a folder to put it into when it ends in a slash, when several are sent, or for a file
    /// when it is a folder. So the same command again goes on where the first one stopped.
    #[arg(value_name = "DEST")]
    destination: String,
    /// One JSON object per file, and one for the end.
    #[arg(long)]
    json: bool,
}

/// What a worker does.
enum Job {
    Send { source: Source, to: RemotePath },
    Folder { to: RemotePath },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let destination = RemotePath::parse(&args.destination)?;
    let several = args.sources.len() > 1;
    let mut roots = Vec::new();
    for source in &args.sources {
        // A folder of that name may be what an earlier run of this command made.
        let into =
            destination.folder || several || (source.is_file() && api.find(&destination).await? == Found::Folder);
        roots.push((source.clone(), root(source, &destination, into)?));
    }
    let batch = Batch::start("sent", args.json);
    let finder = Finder { api: api.clone(), batch: Arc::clone(&batch) };
    let worker = (api, Arc::clone(&batch));
    in_parallel(
        |jobs| async move {
            for (source, to) in roots {
                finder.find(source, to, &jobs).await;
            }
            Ok(())
        },
        move |job| {
            let (api, batch) = worker.clone();
            async move { act(&api, &batch, job).await }
        },
    )
    .await?;
    Ok(batch.finish())
}

/// Where one source goes. `SRC/.` means what is in the folder, as for `cp`.
fn root(source: &Path, destination: &RemotePath, into: bool) -> Result<RemotePath> {
    let contents = source.as_os_str().as_encoded_bytes().ends_with(b"/.") || source.as_os_str() == ".";
    if !into || contents {
        return Ok(destination.clone());
    }
    match source.file_name() {
        Some(name) => Ok(destination.join(utf8(source, name)?)),
        None => {
            Err(Error::refused(format!("{} has no name to go by", source.display())).hint("name the folder itself"))
        }
    }
}

/// A local name as the service can keep it.
fn utf8<'a>(path: &Path, name: &'a std::ffi::OsStr) -> Result<&'a str> {
    name.to_str().ok_or_else(|| {
        Error::refused(format!("the name of {} is not UTF-8", path.display())).hint("rename it, then send it")
    })
}

/// Walks the sources and says what there is to do.
struct Finder {
    api: Api,
    batch: Arc<Batch>,
}

impl Finder {
    async fn find(&self, source: PathBuf, to: RemotePath, jobs: &Sender<Job>) {
        if let Err(error) = self.try_find(&source, &to, jobs).await {
            self.batch.failed(&source.display().to_string(), &error);
        }
    }

    /// A source that the person named: followed even if it is a symbolic link.
    async fn try_find(&self, source: &Path, to: &RemotePath, jobs: &Sender<Job>) -> Result<()> {
        let metadata = fs::metadata(source).map_err(|error| Error::io("reading", source, &error))?;
        if metadata.is_dir() {
            return self.walk(source.to_owned(), to.clone(), jobs).await;
        }
        if to.is_root() {
            return Err(Error::refused("a file cannot take the place of the root"));
        }
        let there = self.listing(&to.parent()).await?;
        self.consider(source, &metadata, to.clone(), there.get(to.name().unwrap_or_default()), jobs).await
    }

    /// Goes through a folder and all below it, one folder after the other.
    async fn walk(&self, source: PathBuf, to: RemotePath, jobs: &Sender<Job>) -> Result<()> {
        let mut folders = vec![(source, to)];
        while let Some((folder, to)) = folders.pop() {
            match self.folder(&folder, &to, jobs).await {
                Ok(below) => folders.extend(below),
                Err(error) if error.class == Class::Retry => return Err(error),
                Err(error) => self.batch.failed(&folder.display().to_string(), &error),
            }
        }
        Ok(())
    }

    /// Goes through one folder; answers the folders in it.
    async fn folder(&self, folder: &Path, to: &RemotePath, jobs: &Sender<Job>) -> Result<Vec<(PathBuf, RemotePath)>> {
        let reading = |error| Error::io("reading", folder, &error);
        let mut names: Vec<_> =
            fs::read_dir(folder).map_err(reading)?.collect::<std::io::Result<_>>().map_err(reading)?;
        names.sort_by_key(fs::DirEntry::file_name);
        let there = self.listing(to).await?;
        if names.is_empty() && !to.is_root() {
            drop(jobs.send(Job::Folder { to: to.clone() }).await);
        }
        let mut below = Vec::new();
        for entry in names {
            let path = entry.path();
            let looked = entry.metadata().map_err(|error| Error::io("reading", &path, &error));
            let considered = match (looked, utf8(&path, &entry.file_name())) {
                (Ok(metadata), Ok(name)) if metadata.is_dir() => {
                    below.push((path.clone(), to.join(name)));
                    Ok(())
                }
                (Ok(metadata), Ok(name)) => self.consider(&path, &metadata, to.join(name), there.get(name), jobs).await,
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
            if let Err(error) = considered {
                self.batch.failed(&path.display().to_string(), &error);
            }
        }
        below.reverse();
        Ok(below)
    }

    /// Decides about one thing that is not a folder.
    async fn consider(
        &self,
        path: &Path,
        metadata: &fs::Metadata,
        to: RemotePath,
        there: Option<&Entry>,
        jobs: &Sender<Job>,
    ) -> Result<()> {
        let name = path.display().to_string();
        if !metadata.is_file() {
            self.batch.skipped(&name, if metadata.is_symlink() { "a symbolic link" } else { "not a plain file" });
            return Ok(());
        }
        let source =
            Source { path: path.to_owned(), bytes: metadata.len(), modified_us: upload::modified_us(metadata) };
        let same = |entry: &Entry| {
            entry.kind == Kind::File
                && entry.size == Some(source.bytes)
                && entry.modified_us() == Some(source.modified_us)
        };
        if there.is_some_and(same) {
            self.batch.skipped(&name, "there already, same size and time");
            return Ok(());
        }
        self.batch.expect(source.bytes);
        drop(jobs.send(Job::Send { source, to }).await);
        Ok(())
    }

    /// What lies in a folder of the service, by name; nothing if there is no such folder yet.
    async fn listing(&self, folder: &RemotePath) -> Result<HashMap<String, Entry>> {
        let entries = self.api.list(folder).await?.unwrap_or_default();
        Ok(entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect())
    }
}

async fn act(api: &Api, batch: &Arc<Batch>, job: Job) {
    match job {
        Job::Send { source, to } => {
            let name = source.path.display().to_string();
            match send(api, batch, &source, &to).await {
                Ok(()) => batch.done(&name, source.bytes),
                Err(error) => batch.failed(&name, &error),
            }
        }
        Job::Folder { to } => match api.act(&to, &json!({"action": "mkdir"})).await {
            Ok(()) => batch.done(&format!("{to}/"), 0),
            // Something is there: a folder is what was wanted, a file is told by the find.
            Err(error) if error.class == Class::Conflict => match api.find(&to).await {
                Ok(Found::Folder) => batch.skipped(&format!("{to}/"), "there already"),
                Ok(_) => batch.failed(&format!("{to}/"), &error),
                Err(error) => batch.failed(&format!("{to}/"), &error),
            },
            Err(error) => batch.failed(&format!("{to}/"), &error),
        },
    }
}

async fn send(api: &Api, batch: &Arc<Batch>, source: &Source, to: &RemotePath) -> Result<()> {
    let transfer = batch.transfer();
    if source.bytes > RESUMABLE_ABOVE {
        return upload::send(api, source, to, &transfer).await;
    }
    let bytes = fs::read(&source.path).map_err(|error| Error::io("reading", &source.path, &error))?;
    if bytes.len() as u64 != source.bytes {
        return Err(Error::new(Class::Conflict, "it changed while it was sent; send it again"));
    }
    let request = api.request(Method::PUT, &file_url(to)).header("x-holdfast-modified", source.modified_us);
    api.send_all(request, Outgoing::bytes(bytes.into(), Some(transfer.meter()))).await.map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::root;
    use crate::client::path::RemotePath;

    #[test]
    fn destinations() {
        for (source, destination, into, expected) in [
            ("a/b.txt", "docs", true, "docs/b.txt"),
            ("a/b.txt", "docs", false, "docs"),
            ("photos/", "docs", true, "docs/photos"),
            ("photos/.", "docs", true, "docs"),
            (".", "docs", true, "docs"),
        ] {
            let path = root(Path::new(source), &RemotePath::parse(destination).unwrap(), into).unwrap();
            assert_eq!(path.plain(), expected, "{source}");
        }
        assert!(root(Path::new(".."), &RemotePath::parse("docs").unwrap(), true).is_err());
    }
}
