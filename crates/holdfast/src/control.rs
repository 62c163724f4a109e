//! The control socket `DIR/control.sock`: how commands with `--data` speak to the service that holds the folder.
//!
//! One line of JSON each way per connection: `{"verb": …, "args": …}` in, `{"ok": …}` or `{"error": {"class", "message",
//! "hint"}}` out. The socket is made closed to others and then moved to its name; whoever connects must also be the same
//! user, or root.

use std::{
    fs::{self, File},
    io,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use model::Class;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    data::DataFolder,
    error::{Error, Result, class_of_word, class_word},
    operator::{Operator, Question},
};

/// The longest question.
const QUESTION_BYTES_MAX: u64 = 64 << 10;
/// How long a connection may take to say its question.
const PATIENCE: Duration = Duration::from_secs(10);

/// The listening socket; gone when dropped.
pub struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Listens. The caller holds the folder's lock, so a socket that is there was left by a process that is gone.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn listen(data: &DataFolder, operator: Arc<Operator>) -> Result<Self> {
        let (path, made) = (data.control_socket(), data.keys().join("control.sock"));
        let failed = |error: io::Error| Error::io("listening at", &path, &error);
        drop(fs::remove_file(&made));
        let folder = File::open(data.keys()).map_err(failed)?;
        let listener = UnixListener::bind(beside(&folder)).map_err(failed)?;
        fs::set_permissions(&made, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        fs::rename(&made, &path).map_err(failed)?;
        let task = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let operator = Arc::clone(&operator);
                        tokio::spawn(async move { drop(converse(stream, &operator).await) });
                    }
                    // Out of descriptors: the next one may find one.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        Ok(Self { path, task })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        drop(fs::remove_file(&self.path));
    }
}

/// The socket's path through an open folder: a socket's address holds 107 bytes, a data folder's path may be longer.
fn beside(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/control.sock", folder.as_raw_fd()))
}

async fn converse(mut stream: UnixStream, operator: &Operator) -> io::Result<()> {
    let caller = stream.peer_cred()?.uid();
    if caller != 0 && caller != rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let mut line = String::new();
    let (reading, mut writing) = stream.split();
    let mut reading = BufReader::new(reading.take(QUESTION_BYTES_MAX));
    match timeout(PATIENCE, reading.read_line(&mut line)).await {
        Ok(read) => read?,
        Err(_) => return Ok(()),
    };
    let answered = match serde_json::from_str::<Question>(&line) {
        Ok(question) => operator.answer(question).await,
        Err(error) => Err(Error::refused(format!("the question is not understood: {error}"))
            .hint("command and service may be of different versions")),
    };
    let answer = match answered {
        Ok(value) => json!({"ok": value}),
        Err(error) => {
            json!({"error": {"class": class_word(error.class), "message": error.message, "hint": error.hint, "code": error.code}})
        }
    };
    writing.write_all(format!("{answer}\n").as_bytes()).await
}

/// Asks the service that holds a folder; `None` when none does.
///
/// # Errors
/// As the service says; Retry when it stops before it answers.
pub async fn ask(root: &Path, question: &Question) -> Result<Option<Value>> {
    let failed = |error: io::Error| Error::io("asking the service at", root, &error);
    let folder = match File::open(root) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut stream = match UnixStream::connect(beside(&folder)).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let line = serde_json::to_string(question).map_err(|error| Error::new(Class::Bug, error))?;
    let mut answer = String::new();
    stream.write_all(format!("{line}\n").as_bytes()).await.map_err(failed)?;
    BufReader::new(stream).read_line(&mut answer).await.map_err(failed)?;
    let mut answer: Value = serde_json::from_str(&answer).map_err(|_| {
        Error::new(Class::Retry, "the service ended the conversation without an answer")
            .hint("it may be stopping; its log says more")
    })?;
    if let Some(error) = answer.get("error") {
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        return Err(Error {
            class: class_of_word(&text("class").unwrap_or_default()),
            message: text("message").unwrap_or_default(),
            hint: text("hint"),
            code: text("code"),
        });
    }
    Ok(Some(answer["ok"].take()))
}
