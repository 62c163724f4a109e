//! Small pictures, made in a child process: this program again, as `holdfast thumbnail`.
//!
//! A picture is bytes of a stranger, and a decoder that they break into holds nothing: the child has no environment, limits on
//! memory, processor time and files, and a pipe on either side. It is ended when it takes too long.

mod child;

use std::{
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use gateway::pictures::{NotMade, Pictures};
use model::world::BoxFuture;
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};

pub use child::{Args, run};

/// How long a picture may take, its bytes' way from the providers included.
const LIMIT: Duration = Duration::from_secs(30);
/// Pieces of the picture that wait for the child.
const PIECES: usize = 1;
/// How often a child that has said all is asked whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const XCPU: i32 = rustix::process::Signal::XCPU.as_raw();
const ABRT: i32 = rustix::process::Signal::ABORT.as_raw();
/// No small picture is larger.
const SMALL_BYTES_MAX: u64 = 4 << 20;

/// Makes small pictures by starting this program again.
pub struct Maker {
    program: PathBuf,
}

impl Maker {
    /// With the program that runs.
    ///
    /// # Errors
    /// If nobody knows where that is.
    pub fn new() -> io::Result<Self> {
        Ok(Self { program: std::env::current_exe()? })
    }
}

impl Pictures for Maker {
    fn small(
        &self,
        picture: BoxStream<'static, io::Result<Bytes>>,
        side: u32,
    ) -> BoxFuture<'_, Result<Bytes, NotMade>> {
        Box::pin(async move {
            match timeout(LIMIT, make(&self.program, picture, side)).await {
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

/// `None`: the child says that it is no picture, or died of it.
async fn make(
    program: &PathBuf,
    picture: BoxStream<'static, io::Result<Bytes>>,
    side: u32,
) -> io::Result<Option<Bytes>> {
    let mut command = Command::new(program);
    command.args(["thumbnail", "--side", &side.to_string()]).env_clear().current_dir("/");
    // The allocator sets memory aside before the child can limit itself, and would hand that out beyond the limit.
    command.env("MIMALLOC_ARENA_RESERVE", "0");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Running(command.spawn()?);
    let into = child.0.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let from = child.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (pieces, waiting) = mpsc::channel(PIECES);
    drop(spawn_blocking(move || hand_over(into, waiting)));
    let read = spawn_blocking(move || {
        let mut small = Vec::new();
        from.take(SMALL_BYTES_MAX).read_to_end(&mut small).map(|_| small)
    });
    feed(pieces, picture).await?;
    let small = read.await??;
    // Not waited for on a thread: one that does not end would keep that for ever.
    let status = loop {
        match child.0.try_wait()? {
            Some(status) => break status,
            None => tokio::time::sleep(LOOK_AGAIN).await,
        }
    };
    match (status.success(), status.code(), status.signal()) {
        (true, ..) if !small.is_empty() => Ok(Some(small.into())),
        (true, ..) => Ok(None),
        (_, Some(code), _) if code == i32::from(child::NO_PICTURE) => Ok(None),
        // Out of its own time or memory.
        (_, _, Some(XCPU | ABRT)) => Ok(None),
        _ => Err(io::Error::other(format!("the child ended with {status}"))),
    }
}

/// A child that does not outlive whoever waits for it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
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
