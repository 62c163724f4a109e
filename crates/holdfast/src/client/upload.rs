//! A resumable upload (tus 1.0) and what is remembered of it between runs.
//!
//! The address of an upload that has begun is kept in a small file of its own under the user's state folder, named after
//! what is sent and where to. A later run of the same command finds it, asks the service how much is safe, and goes on
//! from there; the file goes away when the upload is finished.
//! Source: tus resumable upload protocol 1.0.0, core, creation and expiration.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use hyper::{Method, http::request::Builder};
use model::Class;
use serde::{Deserialize, Serialize};

use super::{
    api::Api,
    batch::Transfer,
    http::{Answer, Outgoing},
    path::RemotePath,
};
use crate::error::{Error, Result};

/// How often a broken upload is taken up again before the file counts as failed.
const TRIES: u32 = 6;
/// How long an upload that was never finished is remembered.
const KEPT: Duration = Duration::from_secs(60 * 24 * 3_600);
/// Where uploads live; the only place that a remembered URL may point to.
const UPLOADS: &str = "/api/v1/uploads/";

/// One local file as it was seen when its turn came.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its modification time, microseconds since 1970.
    pub modified_us: i64,
}

/// What is remembered of an upload that has begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    /// The path part of the upload's URL.
    upload: String,
    /// The service, the source and the destination, for people who look into the folder.
    service: String,
    source: String,
    destination: String,
}

/// One file on its way to one destination.
struct Upload<'a> {
    api: &'a Api,
    source: &'a Source,
    destination: &'a RemotePath,
    transfer: &'a Transfer,
    memory: Memory,
    /// The path part of its URL, once it has begun.
    url: Option<String>,
}

/// Sends a file that may take several tries, the last of them perhaps in another run.
///
/// # Errors
/// As the service says; Conflict when the file changed while it was sent.
pub async fn send(api: &Api, source: &Source, destination: &RemotePath, transfer: &Transfer) -> Result<()> {
    let memory = Memory::of(api, source, destination);
    let url = memory.recall();
    let mut upload = Upload { api, source, destination, transfer, memory, url };
    let mut tries = 0;
    loop {
        match upload.attempt().await {
            Ok(()) => {
                upload.memory.forget();
                return Ok(());
            }
            Err(error) if error.class == Class::Retry && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(200 << tries)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

impl Upload<'_> {
    /// One try: finds or makes the upload, then sends what is missing.
    async fn attempt(&mut self) -> Result<()> {
        let (url, mut at) = match self.stand().await? {
            Some(known) => known,
            None => {
                let url = self.create().await?;
                self.memory.keep(self.api, self.source, self.destination, &url);
                (url, 0)
            }
        };
        self.url = Some(url.clone());
        loop {
            self.transfer.stand_at(at);
            let file =
                fs::File::open(&self.source.path).map_err(|error| Error::io("opening", &self.source.path, &error))?;
            let request = self
                .request(Method::PATCH, &url)
                .header("content-type", "application/offset+octet-stream")
                .header("upload-offset", at);
            let left = self.source.bytes.saturating_sub(at);
            let sent = self.api.send(request, Outgoing::file(file, at, left, self.transfer.meter())).await;
            let mut answer = sent.map_err(|error| match error.code.as_deref() {
                // Less was safe than we believed, or an older request of ours still ran: ask again where it stands.
                Some("upload_offset" | "upload_taken") => Error { class: Class::Retry, ..error },
                _ => error,
            })?;
            let reached = offset_of(&answer);
            answer.bytes().await?;
            match reached {
                Some(reached) if reached >= self.source.bytes => return unchanged(self.source),
                Some(reached) if reached > at => at = reached,
                _ => return Err(Error::new(Class::Retry, "the upload did not move on")),
            }
        }
    }

    fn request(&self, method: Method, url: &str) -> Builder {
        self.api.request(method, url).header("tus-resumable", "1.0.0")
    }

    /// URL and safe bytes of an upload that has begun; `None` when there is none or the service no longer knows it.
    async fn stand(&self) -> Result<Option<(String, u64)>> {
        let Some(url) = &self.url else { return Ok(None) };
        match self.api.send(self.request(Method::HEAD, url), Outgoing::empty()).await {
            Ok(mut answer) => {
                let offset = offset_of(&answer);
                answer.bytes().await?;
                Ok(offset.map(|offset| (url.clone(), offset)))
            }
            Err(error) if error.class == Class::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Announces the upload and answers its URL's path.
    async fn create(&self) -> Result<String> {
        let path = base64(self.destination.plain().as_bytes());
        let modified = base64(self.source.modified_us.to_string().as_bytes());
        let request = self
            .request(Method::POST, UPLOADS)
            .header("upload-length", self.source.bytes)
            .header("upload-metadata", format!("path {path},modified {modified}"));
        let mut answer = self.api.send(request, Outgoing::empty()).await?;
        let location = answer.header("location").map(str::to_owned);
        answer.bytes().await?;
        let location =
            location.ok_or_else(|| Error::new(Class::Bug, "the service began an upload without saying where"))?;
        let path = self.api.own_path(&location).filter(|path| path.starts_with(UPLOADS)).map(str::to_owned);
        path.ok_or_else(|| Error::new(Class::Bug, format!("the service began an upload elsewhere: {location}")))
    }
}

fn offset_of(answer: &Answer) -> Option<u64> {
    answer.header("upload-offset")?.parse().ok()
}

/// Makes sure that what was sent is what lies there now.
fn unchanged(source: &Source) -> Result<()> {
    let now = Source::look(&source.path)?;
    if now.bytes == source.bytes && now.modified_us == source.modified_us {
        Ok(())
    } else {
        Err(Error::new(Class::Conflict, "it changed while it was sent; send it again"))
    }
}

impl Source {
    /// Looks at a local file.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn look(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|error| Error::io("reading", path, &error))?;
        Ok(Self { path: path.to_owned(), bytes: metadata.len(), modified_us: modified_us(&metadata) })
    }
}

/// A file's modification time in microseconds since 1970, 0 where the system keeps none.
pub fn modified_us(metadata: &fs::Metadata) -> i64 {
    let Ok(modified) = metadata.modified() else { return 0 };
    match modified.duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        // Rounded down, as the times after 1970 are.
        Err(before) => -i64::try_from(before.duration().as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX),
    }
}

/// The one file that remembers one upload. Forgetting is harmless: the upload then starts anew.
struct Memory {
    file: Option<PathBuf>,
}

impl Memory {
    fn of(api: &Api, source: &Source, destination: &RemotePath) -> Self {
        let what = format!(
            "{}\n{}\n{}\n{}\n{}",
            api.url(),
            destination.encoded(),
            fs::canonicalize(&source.path).unwrap_or_else(|_| source.path.clone()).display(),
            source.bytes,
            source.modified_us
        );
        let name = &blake3::hash(what.as_bytes()).to_hex()[..32];
        Self { file: state_folder().map(|folder| folder.join("uploads").join(format!("{name}.json"))) }
    }

    fn recall(&self) -> Option<String> {
        let text = fs::read(self.file.as_ref()?).ok()?;
        let begun: Begun = serde_json::from_slice(&text).ok()?;
        begun.upload.starts_with(UPLOADS).then_some(begun.upload)
    }

    fn keep(&self, api: &Api, source: &Source, destination: &RemotePath, upload: &str) {
        let begun = Begun {
            upload: upload.to_owned(),
            service: api.url(),
            source: source.path.display().to_string(),
            destination: destination.plain(),
        };
        if let (Some(file), Ok(text)) = (&self.file, serde_json::to_vec_pretty(&begun))
            && let Some(folder) = file.parent()
        {
            sweep(folder);
            let beside = file.with_extension("tmp");
            drop(
                fs::create_dir_all(folder)
                    .and_then(|()| fs::write(&beside, text))
                    .and_then(|()| fs::rename(&beside, file)),
            );
        }
    }

    fn forget(&self) {
        if let Some(file) = &self.file {
            drop(fs::remove_file(file));
        }
    }
}

/// Removes what is older than any service keeps an unfinished upload.
fn sweep(folder: &Path) {
    let old = |entry: &fs::DirEntry| {
        let age = entry.metadata().and_then(|there| there.modified()).ok().and_then(|modified| modified.elapsed().ok());
        age.is_some_and(|age| age > KEPT)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(old).for_each(|entry| drop(fs::remove_file(entry.path())));
}

/// `$XDG_STATE_HOME/holdfast`, else `~/.local/state/holdfast`.
fn state_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(base.join("holdfast"))
}

/// Source: RFC 4648 section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_vectors_of_the_rfc() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
