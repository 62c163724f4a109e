//! The files that are played with: found, sent, and compared byte for byte with what comes back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use service::{Caller, Put, Service};
use tokio::{fs::File, io::AsyncReadExt};

use crate::{
    client::upload::modified_us,
    error::{Error, Result},
};

/// Bytes read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// A file of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it lies.
    pub path: PathBuf,
    /// Its names from the top of the tree down.
    pub names: Vec<String>,
    /// Its size.
    pub bytes: u64,
    modified_us: i64,
}

impl Source {
    /// Its path in the tree.
    pub fn name(&self) -> String {
        self.names.join("/")
    }

    /// Where it comes to lie below `folder`.
    pub fn below(&self, folder: &Path) -> PathBuf {
        self.names.iter().fold(folder.to_owned(), |path, name| path.join(name))
    }
}

/// All plain files below a folder, and what was left out, with the reason.
///
/// # Errors
/// As the operating system says.
pub fn walk(root: &Path) -> Result<(Vec<Source>, Vec<String>)> {
    let (mut files, mut left_out) = (Vec::new(), Vec::new());
    let mut folders = vec![(root.to_owned(), Vec::new())];
    while let Some((folder, above)) = folders.pop() {
        let reading = |error| Error::io("reading", &folder, &error);
        for entry in fs::read_dir(&folder).map_err(reading)? {
            let path = entry.map_err(reading)?.path();
            let metadata = fs::symlink_metadata(&path).map_err(|error| Error::io("reading", &path, &error))?;
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                left_out.push(format!("{}: its name is not UTF-8", path.display()));
                continue;
            };
            let names: Vec<String> = above.iter().cloned().chain([name.to_owned()]).collect();
            if metadata.is_dir() {
                folders.push((path, names));
            } else if metadata.is_file() {
                files.push(Source { names, bytes: metadata.len(), modified_us: modified_us(&metadata), path });
            } else {
                left_out.push(format!("{}: not a plain file", path.display()));
            }
        }
    }
    files.sort_by(|a, b| a.names.cmp(&b.names));
    Ok((files, left_out))
}

/// Sends a file; when this returns it is acknowledged.
///
/// # Errors
/// As the service says.
pub async fn send(service: &Service, caller: &Caller, source: &Source) -> Result<()> {
    let put = Put { modified_us: Some(source.modified_us), ..Put::default() };
    let body = Box::pin(chunks(open(&source.path).await?));
    service.put(caller, path_of(source)?, body, put).await.map(drop).map_err(Error::from)
}

/// Whether what the service gives is the source, byte for byte.
///
/// # Errors
/// As the service says.
pub async fn is_kept(service: &Service, caller: &Caller, source: &Source) -> Result<bool> {
    let file = service.find(caller, path_of(source)?).await?;
    let all = 0..file.version.size;
    let reading = service.read(caller, file.version, all).await?;
    equals(source, reading.map(|chunk| chunk.map_err(Error::from))).await
}

/// Whether the file at `path` is the source, byte for byte.
///
/// # Errors
/// As the operating system says.
pub async fn is_at(path: &Path, source: &Source) -> Result<bool> {
    let reading = chunks(open(path).await?).map(|chunk| chunk.map_err(|error| Error::io("reading", path, &error)));
    equals(source, Box::pin(reading)).await
}

async fn equals(source: &Source, mut content: impl Stream<Item = Result<Bytes>> + Unpin) -> Result<bool> {
    let mut file = open(&source.path).await?;
    let mut expected = Vec::new();
    while let Some(chunk) = content.next().await {
        let chunk = chunk?;
        expected.clear();
        let wanted = (&mut file).take(chunk.len() as u64).read_to_end(&mut expected).await;
        wanted.map_err(|error| Error::io("reading", &source.path, &error))?;
        if expected != chunk {
            return Ok(false);
        }
    }
    let more = file.read(&mut [0]).await.map_err(|error| Error::io("reading", &source.path, &error))?;
    Ok(more == 0)
}

async fn open(path: &Path) -> Result<File> {
    File::open(path).await.map_err(|error| Error::io("reading", path, &error))
}

fn chunks(file: File) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::try_unfold(file, |mut file| async move {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        let read = file.read_buf(&mut chunk).await?;
        Ok((read > 0).then(|| (chunk.freeze(), file)))
    })
}

fn path_of(source: &Source) -> Result<service::paths::Path> {
    Ok(service::paths::Path::from_names(&source.names).map_err(service::Error::from)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::{is_at, walk};
    use crate::scratch::Scratch;

    #[test]
    fn only_plain_files_are_found_with_their_folders() {
        let scratch = Scratch::new("reenact-walk");
        fs::create_dir(scratch.path().join("b")).unwrap();
        fs::write(scratch.path().join("b/two"), b"22").unwrap();
        fs::write(scratch.path().join("a"), b"").unwrap();
        std::os::unix::fs::symlink("a", scratch.path().join("link")).unwrap();
        let (files, left_out) = walk(scratch.path()).unwrap();
        let found: Vec<_> = files.iter().map(|file| (file.name(), file.bytes)).collect();
        assert_eq!(found, [("a".to_owned(), 0), ("b/two".to_owned(), 2)]);
        assert_eq!(left_out.len(), 1, "{left_out:?}");
    }

    #[tokio::test]
    async fn any_difference_is_seen() {
        let scratch = Scratch::new("reenact-compare");
        let (source, other) = (scratch.path().join("s/f"), scratch.path().join("other"));
        fs::create_dir(scratch.path().join("s")).unwrap();
        let content = vec![7; 300_000];
        fs::write(&source, &content).unwrap();
        let (files, _) = walk(&scratch.path().join("s")).unwrap();
        let mut changed = content.clone();
        changed[299_999] = 8;
        let longer = [&content[..], b"x"].concat();
        for (there, same) in
            [(&content[..], true), (&changed, false), (&content[..299_999], false), (&longer, false), (b"", false)]
        {
            fs::write(&other, there).unwrap();
            assert_eq!(is_at(&other, &files[0]).await.unwrap(), same, "{} bytes", there.len());
        }
    }
}
