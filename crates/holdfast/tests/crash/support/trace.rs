//! The server's system calls as `strace` writes them down.
//!
//! A call has a line where it began and one where it ended; other threads' lines lie between. What must have happened
//! before something is asked of ends, what must not have happened yet of beginnings.
//!
//! Source: strace(1), `-f`, `-y`, `-yy`; an interrupted line ends in `<unfinished ...>` and goes on in `<... resumed>`.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// What is watched: everything that changes or syncs files, and what is sent to clients.
const CALLS: &str = "openat,mkdir,mkdirat,write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,sync_file_range,\
                     rename,renameat,renameat2,link,linkat,unlink,unlinkat,sendto,sendmsg";

/// One system call.
#[derive(Clone, Debug)]
pub struct Event {
    /// Line on which it began and line on which it ended.
    pub begun: usize,
    pub ended: usize,
    pub call: Call,
    /// Its error, if it failed.
    pub error: Option<String>,
    /// The failure was played by the tracer.
    pub injected: bool,
}

/// What a call does, with whole paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A file was opened that may not have been there.
    Create {
        path: String,
    },
    /// A file that was there was opened to be written.
    Open {
        path: String,
    },
    MakeFolder {
        path: String,
    },
    Write {
        path: String,
        bytes: u64,
    },
    /// fsync or fdatasync, of a file or a folder.
    Sync {
        path: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Unlink {
        path: String,
    },
    /// The first bytes that went to the client at `peer`.
    Send {
        peer: String,
        head: String,
    },
}

/// The launcher that traces a server into `file`; `more` are further options. The server stays our own child.
pub fn tracer(file: &Path, more: &[&str]) -> Vec<OsString> {
    let trace = format!("trace={CALLS}");
    let mut words: Vec<OsString> =
        ["strace", "-D", "-f", "-yy", "-q", "-s", "24", "--seccomp-bpf", "-e", "signal=none"]
            .iter()
            .map(OsString::from)
            .collect();
    words.extend(["-e", &trace].map(OsString::from));
    words.extend(more.iter().map(OsString::from));
    words.push("-o".into());
    words.push(file.into());
    words
}

/// Whether this machine lets us trace.
pub fn can_trace(story: &str) -> bool {
    !super::skip(story, "strace", &["-f", "--seccomp-bpf", "-o", "/dev/null", "true"])
}

/// Whether this machine lets us attach to a process that is running.
pub fn can_attach(story: &str) -> bool {
    let script = "sleep 9 & timeout 0.5 strace -q -o /dev/null -p $!; code=$?; kill $!; test $code = 124";
    !super::skip(story, "sh", &["-c", script])
}

/// While this lives, every fsync and fdatasync of a process fails with EIO.
pub struct Failing {
    tracer: Child,
    file: PathBuf,
}

impl Failing {
    /// Begins; returns once the tracer has all threads.
    pub fn attach(process: u32, file: &Path) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO", "-o"]);
        command.arg(file).args(["-p", &process.to_string()]).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut tracer = command.spawn().unwrap();
        let mut lines = BufReader::new(tracer.stderr.take().unwrap()).lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        assert!(first.contains("attached"), "strace said: {first}");
        // It says more when threads begin, and must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { tracer, file: file.to_owned() }
    }

    /// How many syncs failed so far.
    pub fn failed(&self) -> usize {
        fs::read_to_string(&self.file).unwrap().matches("INJECTED").count()
    }

    /// Ends it; the process goes on. How many syncs failed.
    pub fn detach(mut self) -> usize {
        kill_process(Pid::from_child(&self.tracer), Signal::TERM).unwrap();
        self.tracer.wait().unwrap();
        self.failed()
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        drop(self.tracer.kill());
        drop(self.tracer.wait());
    }
}

/// Reads the trace of a server that was killed.
pub fn read(file: &Path) -> Vec<Event> {
    parse(&fs::read_to_string(file).unwrap())
}

/// All calls in the order of their ends.
pub fn parse(text: &str) -> Vec<Event> {
    let mut begun: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut events = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(head) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, (at, head));
        } else if let Some(tail) = rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            if let Some((first, head)) = begun.remove(thread) {
                events.extend(event(&format!("{head}{}", tail.1), first, at));
            }
        } else {
            events.extend(event(rest, at, at));
        }
    }
    events
}

fn event(text: &str, begun: usize, ended: usize) -> Option<Event> {
    let (name, rest) = text.split_once('(')?;
    let (args, result) = rest.rsplit_once(" = ")?;
    let args = args.trim_end().strip_suffix(')')?;
    let error = result.strip_prefix("-1 ").map(|error| error.split(' ').next().unwrap_or_default().to_owned());
    let injected = result.contains("INJECTED");
    let bytes = || result.split(|c: char| !c.is_ascii_digit()).next().and_then(|count| count.parse().ok()).unwrap_or(0);
    let (handles, words) = (handles(args), quoted(args));
    let handle = |at: usize| handles.get(at).cloned().unwrap_or_default();
    let word = |at: usize| words.get(at).cloned().unwrap_or_default();
    // A path that begins at a folder's handle, or by itself.
    let path = |folder: usize, name: usize| join(&handle(folder), &word(name));
    let call = match name {
        "openat" if args.contains("O_CREAT") => Call::Create { path: path(0, 0) },
        "openat" if args.contains("O_RDWR") || args.contains("O_WRONLY") => Call::Open { path: path(0, 0) },
        "mkdir" => Call::MakeFolder { path: word(0) },
        "mkdirat" => Call::MakeFolder { path: path(0, 0) },
        "write" | "writev" | "sendto" | "sendmsg" if handle(0).contains("->") => {
            let peer = handle(0).split("->").nth(1)?.trim_end_matches(']').to_owned();
            Call::Send { peer, head: word(0) }
        }
        "write" | "writev" | "pwrite64" | "pwritev" => Call::Write { path: handle(0), bytes: bytes() },
        // A changed length is a change of the file, too.
        "ftruncate" => Call::Write { path: handle(0), bytes: 0 },
        "fsync" | "fdatasync" => Call::Sync { path: handle(0) },
        "rename" | "link" => Call::Rename { from: word(0), to: word(1) },
        "renameat" | "renameat2" | "linkat" => Call::Rename { from: path(0, 0), to: path(1, 1) },
        "unlink" => Call::Unlink { path: word(0) },
        "unlinkat" => Call::Unlink { path: path(0, 0) },
        _ => return None,
    };
    Some(Event { begun, ended, call, error, injected })
}

/// What the handles among the arguments are open on: `12</a/path>`, `AT_FDCWD</here>`, `9<TCP:[...->...]>`.
fn handles(args: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = outside_quotes(args);
    while let Some(start) = rest.find('<') {
        let tail = rest.split_off(start + 1);
        // The arrow inside a connection's name is not its end.
        let end = tail.match_indices('>').map(|(at, _)| at).find(|at| *at == 0 || tail.as_bytes()[at - 1] != b'-');
        let Some(end) = end else { break };
        // Devices carry their number behind the path.
        found.push(tail[..end].split('<').next().unwrap_or_default().trim_end_matches(" (deleted)").to_owned());
        rest = tail[end + 1..].to_owned();
    }
    found
}

fn outside_quotes(args: &str) -> String {
    args.split('"').step_by(2).collect()
}

/// The strings among the arguments. The paths of these tests hold no quotes.
fn quoted(args: &str) -> Vec<String> {
    args.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn join(folder: &str, name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { format!("{folder}/{name}") }
}
