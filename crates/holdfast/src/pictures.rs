//! Small pictures, made in a child process: this program again, as `holdfast thumbnail`.
//!
//! A picture is bytes of a stranger, and a decoder that they break into holds nothing: the child has no environment, limits on
//! memory, processor time and files, and a pipe on either side. It is ended when it takes too long.
//!
//! Where our own decoders do not know a file, a program of others comes first if it is installed, through [`convert`]; what it
//! makes goes through the child like any picture. No byte that others made reaches a browser as it is.

mod child;
mod convert;
mod kind;
mod raw;
mod tools;

use std::{
    collections::HashSet,
    fs,
    io::{self, Read, Write},
    ops::Range,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use gateway::pictures::{Large, NotMade, Pictures};
use model::world::BoxFuture;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};

pub use child::{Args, run};
pub use convert::{Args as ConvertArgs, run as convert};
use kind::Kind;
use tools::Tools;

/// How long a picture may take, its bytes' way from the providers included.
const LIMIT: Duration = Duration::from_secs(30);
/// Pieces of the picture that wait for the child.
const PIECES: usize = 1;
/// How often a child that has said all is asked whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const XCPU: i32 = Signal::XCPU.as_raw();
const ABRT: i32 = Signal::ABORT.as_raw();
/// No small picture is larger.
const SMALL_BYTES_MAX: u64 = 4 << 20;

/// Makes small pictures by starting this program again.
pub struct Maker {
    program: PathBuf,
    tools: Tools,
    /// Holds a folder for each converter that runs.
    scratch: PathBuf,
    next: AtomicU64,
    groups: Arc<Groups>,
}

/// The first processes of the groups that run.
#[derive(Default)]
struct Groups(Mutex<HashSet<Pid>>);

impl Maker {
    /// With the program that runs, and the converters that are installed. `scratch` is a folder for them, made when it is needed;
    /// what lies there is removed.
    ///
    /// # Errors
    /// If nobody knows where the program is.
    pub fn new(scratch: PathBuf) -> io::Result<Self> {
        // A service that was killed left folders. One that is not there is fine, and one that stays does no harm.
        let _ = fs::remove_dir_all(&scratch);
        // Children begin elsewhere.
        let scratch = std::path::absolute(scratch)?;
        let tools = Tools::look(&std::env::var_os("PATH").unwrap_or_default());
        Ok(Self { program: std::env::current_exe()?, tools, scratch, next: AtomicU64::new(0), groups: Arc::default() })
    }

    /// Ends the converters that run, with all that they started: nobody waits for them any more.
    pub fn end(&self) {
        for first in self.groups.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // One that has ended is still there for whoever waits for it, so its number is nobody else's.
            let _ = kill_process_group(*first, Signal::KILL);
        }
        let _ = fs::remove_dir_all(&self.scratch);
    }

    /// Of which kinds there are small pictures, and what would add others.
    pub fn about(&self) -> String {
        self.tools.about()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).env_clear().current_dir("/").stderr(Stdio::null());
        // The allocator sets memory aside before the child can limit itself, and would hand that out beyond the limit.
        command.env("MIMALLOC_ARENA_RESERVE", "0");
        command
    }

    /// Starts what makes it: where the bytes go, where the small one comes from, and what is to be ended.
    fn start(&self, kind: Kind, size: u64, side: u32) -> io::Result<Started> {
        let mut child = self.command(&["thumbnail", "--side", &side.to_string()]);
        let program = self.tools.program(kind);
        if program.is_some() {
            child.arg("--upright");
        }
        let mut child = Running { child: child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?, group: None };
        let into = child.child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let from = child.child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let Some(program) = program else { return Ok(Started { into, from, child, converter: None }) };
        let folder = self.scratch.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir_all(&folder)?;
        let folder = Folder(folder);
        let mut command = self.command(&["convert", "--size", &size.to_string()]);
        command.args(["--kind", kind.name(), "--program"]).arg(program).arg("--scratch").arg(&folder.0);
        command.arg("--").args(self.tools.walls(&folder.0));
        // A group of its own, so that whatever it starts ends with it.
        let spawned = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::from(into)).spawn()?;
        self.groups.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Pid::from_child(&spawned));
        let mut converter = Running { child: spawned, group: Some((folder, Arc::clone(&self.groups))) };
        let into = converter.child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Started { into, from, child, converter: Some(converter) })
    }

    /// `None`: the child says that it is no picture, or died of it.
    async fn make(
        &self,
        kind: Kind,
        size: u64,
        bytes: BoxStream<'static, io::Result<Bytes>>,
        side: u32,
    ) -> io::Result<Option<Bytes>> {
        let Started { into, from, mut child, converter } = self.start(kind, size, side)?;
        let (pieces, waiting) = mpsc::channel(PIECES);
        drop(spawn_blocking(move || hand_over(into, waiting)));
        let read = spawn_blocking(move || {
            let mut small = Vec::new();
            from.take(SMALL_BYTES_MAX).read_to_end(&mut small).map(|_| small)
        });
        feed(pieces, bytes).await?;
        let small = read.await??;
        // Not waited for on a thread: one that does not end would keep that for ever.
        let status = loop {
            match child.child.try_wait()? {
                Some(status) => break status,
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
        };
        drop(converter);
        match (status.success(), status.code(), status.signal()) {
            (true, ..) if !small.is_empty() => Ok(Some(small.into())),
            (true, ..) => Ok(None),
            (_, Some(code), _) if code == i32::from(child::NO_PICTURE) => Ok(None),
            // Out of its own time or memory.
            (_, _, Some(XCPU | ABRT)) => Ok(None),
            _ => Err(io::Error::other(format!("the child ended with {status}"))),
        }
    }
}

impl Pictures for Maker {
    fn wanted(&self, large: &Large) -> Vec<Range<u64>> {
        self.tools.kind(&large.media_type).map(|kind| kind.ranges(large.size)).unwrap_or_default()
    }

    fn small(
        &self,
        large: Large,
        bytes: BoxStream<'static, io::Result<Bytes>>,
        side: u32,
    ) -> BoxFuture<'_, Result<Bytes, NotMade>> {
        Box::pin(async move {
            let Some(kind) = self.tools.kind(&large.media_type) else { return Err(NotMade::Never) };
            match timeout(LIMIT, self.make(kind, large.size, bytes, side)).await {
                Ok(Ok(Some(small))) => Ok(small),
                Ok(Ok(None)) => Err(NotMade::Never),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a small picture could not be made now");
                    Err(NotMade::Now)
                }
                Err(_) => Err(NotMade::Now),
            }
        })
    }
}

/// What makes one small picture.
struct Started {
    into: ChildStdin,
    from: ChildStdout,
    child: Running,
    converter: Option<Running>,
}

/// A converter's folder, which is gone when that is.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is removed at the next start.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A child that does not outlive whoever waits for it; or the first of a group that does not either, with its folder.
struct Running {
    child: Child,
    group: Option<(Folder, Arc<Groups>)>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Those that have ended already are fine. Before the first of a group is waited for, its number is nobody else's.
        if let Some((_, groups)) = &self.group {
            let first = Pid::from_child(&self.child);
            groups.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&first);
            let _ = kill_process_group(first, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends the picture on its way. A child that has seen enough takes no more.
async fn feed(pieces: mpsc::Sender<Bytes>, mut picture: BoxStream<'static, io::Result<Bytes>>) -> io::Result<()> {
    while let Some(piece) = picture.next().await {
        if pieces.send(piece?).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Writes what comes into the pipe, and closes it at the end.
fn hand_over(mut into: ChildStdin, mut waiting: mpsc::Receiver<Bytes>) {
    while let Some(piece) = waiting.blocking_recv() {
        if into.write_all(&piece).is_err() {
            return;
        }
    }
}
