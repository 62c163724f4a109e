//! The way to a program of others: this program once more, as `holdfast convert`, which takes everything away that a picture has no
//! need of and then becomes that program.
//!
//! What it gets of a file lies in anonymous memory as long as the file is, with what was not read as a hole. Neither it nor what it
//! becomes writes to a disk: no file may have any bytes, and where a program insists on a name for its result, that is a link
//! to a pipe.

use std::{
    convert::Infallible,
    ffi::OsString,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::{
        fd::AsRawFd,
        unix::{fs::symlink, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use rustix::{
    fs::{MemfdFlags, memfd_create},
    process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit},
};

use super::kind::Kind;

/// Everything that the program may hold, the file not counted.
const MEMORY_BYTES_MAX: u64 = 1 << 30;
/// Seconds of a processor.
const CPU_S_MAX: u64 = 20;
/// Files and lines that it may have open.
const OPEN_MAX: u64 = 64;
/// Pixels of a frame of a video that is looked at: 8K has 33 million.
const FRAME_PIXELS_MAX: &str = "100000000";
/// What videos lie in. No list of addresses is among them, and nothing that names other files.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi";
/// What they are packed with; whatever else a player knows is not needed, and has faults.
const CODECS: &str = "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg4,msmpeg4,msmpeg4v2,mpeg1video,mpeg2video,\
                      h263,mjpeg,prores,dvvideo";
/// A still is no wider than a screen needs; its own shape where pixels are not square.
const SHAPE: &str = "scale=w='min(iw*sar,2048)':h='min(iw*sar,2048)/dar',setsar=1";
/// What a converter calls its result: the first of one or of several pictures.
const RESULTS: [&str; 2] = ["out.jpg", "out-1.jpg"];

/// Runs a program of others on a file on standard input; the service starts it for itself.
#[derive(clap::Args)]
#[command(hide = true)]
pub struct Args {
    /// What the file is.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Bytes of the whole file; of a long video only the ends come in.
    #[arg(long, value_name = "N")]
    size: u64,
    /// An empty folder of its own.
    #[arg(long, value_name = "DIR")]
    scratch: PathBuf,
    /// The program.
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// A command that shuts its own arguments' program off from everything else.
    #[arg(last = true)]
    walls: Vec<OsString>,
}

/// Becomes the program; returns if it cannot.
pub fn run(args: &Args) -> ExitCode {
    match become_it(args) {
        Ok(never) => match never {},
        Err(_) => ExitCode::FAILURE,
    }
}

fn become_it(args: &Args) -> io::Result<Infallible> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let large = fill(args.kind, args.size, io::stdin().lock())?;
    // One that stays open in the program, beside the three.
    let out = rustix::io::dup(io::stdout())?;
    let mut words = args.walls.clone();
    words.push(args.program.clone().into());
    words.extend(arguments(args.kind).map(OsString::from));
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().ok_or(io::ErrorKind::InvalidInput)?);
    command.args(words).env_clear().current_dir(&args.scratch).stdin(large).stderr(Stdio::null());
    if args.kind == Kind::Heif {
        for result in RESULTS {
            symlink(format!("/proc/self/fd/{}", out.as_raw_fd()), args.scratch.join(result))?;
        }
        // What it has to tell does not belong into the picture.
        command.stdout(Stdio::null());
    } else {
        drop(out);
    }
    for (resource, most) in [
        (Resource::Cpu, CPU_S_MAX),
        // A file may have a name, and not one byte.
        (Resource::Fsize, 0),
        (Resource::Nofile, OPEN_MAX),
        (Resource::Core, 0),
        (Resource::Data, MEMORY_BYTES_MAX),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Err(command.exec())
}

/// What came in, at its places in a file of the right length that lies on no disk.
fn fill(kind: Kind, size: u64, mut from: impl Read) -> io::Result<File> {
    let mut large = File::from(memfd_create("large", MemfdFlags::CLOEXEC)?);
    large.set_len(size)?;
    for range in kind.ranges(size) {
        large.seek(SeekFrom::Start(range.start))?;
        let wanted = range.end - range.start;
        if io::copy(&mut from.by_ref().take(wanted), &mut large)? < wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(large)
}

/// What the program is told: to read standard input as a file that can be sought in.
fn arguments(kind: Kind) -> impl Iterator<Item = &'static str> {
    let converter = ["/proc/self/fd/0", RESULTS[0]];
    let before = ["-nostdin", "-loglevel", "quiet", "-threads", "1", "-max_pixels", FRAME_PIXELS_MAX];
    let only = ["-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS, "-codec_whitelist", CODECS];
    let look = ["-probesize", "8M", "-analyzeduration", "2M", "-an", "-sn", "-dn", "-i", "file:/proc/self/fd/0"];
    // V is a video that is no picture of a cover.
    let still = ["-map", "0:V:0", "-frames:v", "1", "-filter_threads", "1", "-vf", SHAPE];
    let out = ["-c:v", "mjpeg", "-threads", "1", "-q:v", "3", "-f", "image2pipe", "pipe:1"];
    let player = [&before[..], &only, &look, &still, &out].concat();
    let words = if kind == Kind::Heif { converter.to_vec() } else { player };
    words.into_iter()
}

/// The commands that could shut a program off, the best one first, each with what it takes to see `scratch` and to start.
///
/// Within the first a program finds the system's own programs to read and nothing else of the machine; within either no network,
/// and no process but its own, which end with it.
pub fn walls(scratch: &Path) -> [Vec<OsString>; 2] {
    let words = |words: &str| words.split(' ').map(OsString::from).collect::<Vec<_>>();
    let mut bubble = words("bwrap --unshare-all --die-with-parent --ro-bind /usr /usr --proc /proc --dev /dev");
    for part in ["/bin", "/lib", "/lib64", "/etc/alternatives", "/etc/ld.so.cache"] {
        bubble.extend(["--ro-bind-try", part, part].map(OsString::from));
    }
    bubble.extend(["--ro-bind".into(), scratch.into(), "/scratch".into()]);
    bubble.extend(words("--chdir /scratch --"));
    [bubble, words("unshare --user --net --ipc --pid --fork --kill-child=KILL --")]
}
