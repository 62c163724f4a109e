//! The real server as a child process, also through a program that watches it or gives it small disks.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
};

use rustix::process::{Pid, Signal, kill_process};

use super::door::Door;
use crate::common::{holdfast, succeed};

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    data: PathBuf,
    /// `127.0.0.1:PORT`.
    address: String,
    /// What it said on standard error.
    said: Arc<Mutex<String>>,
    /// Ends when nobody can say more: the server and who watches it have ended.
    listener: Option<JoinHandle<()>>,
    wrapper: Vec<OsString>,
}

/// `holdfast` with arguments, run by `wrapper`, which must end in executing it: so the child is the program itself.
pub fn wrapped(wrapper: &[OsString], args: &[&str]) -> Command {
    let plain = holdfast(args);
    let Some((first, rest)) = wrapper.split_first() else { return plain };
    let mut command = Command::new(first);
    command.args(rest).arg(plain.get_program()).args(plain.get_args());
    command.env_remove("HOLDFAST_URL").env_remove("HOLDFAST_TOKEN").stdin(Stdio::null());
    command
}

/// A server on its way up.
pub struct Starting {
    pub child: Child,
    lines: mpsc::Receiver<String>,
    said: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
    data: PathBuf,
    wrapper: Vec<OsString>,
}

impl Starting {
    pub fn begin(wrapper: &[OsString], data: &Path) -> Self {
        let mut command = wrapped(wrapper, &["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).for_each(|line| drop(send.send(line))));
        let said = Arc::new(Mutex::new(String::new()));
        let (err, heard) = (BufReader::new(child.stderr.take().unwrap()), said.clone());
        let listener = std::thread::spawn(move || {
            err.lines().map_while(Result::ok).for_each(|line| *heard.lock().unwrap() += &(line + "\n"));
        });
        Self { child, lines, said, listener: Some(listener), data: data.to_owned(), wrapper: wrapper.to_vec() }
    }

    /// Whether it listens already; never waits.
    pub fn is_up(&self) -> bool {
        self.lines.try_recv().is_ok_and(|line| line.starts_with("listening on "))
    }

    /// Waits until it listens.
    pub fn listening(mut self) -> Server {
        loop {
            match self.lines.recv() {
                Ok(line) => {
                    if let Some(address) = line.strip_prefix("listening on http://") {
                        let Self { child, said, listener, data, wrapper, .. } = self;
                        return Server { child, data, address: address.to_owned(), said, listener, wrapper };
                    }
                }
                Err(_) => {
                    let status = self.child.wait().unwrap();
                    panic!("the server did not start ({status}): {}", self.said.lock().unwrap());
                }
            }
        }
    }
}

impl Server {
    pub fn start(data: &Path) -> Self {
        Starting::begin(&[], data).listening()
    }

    /// Starts it through a program that ends in executing it.
    pub fn start_through(wrapper: &[OsString], data: &Path) -> Self {
        Starting::begin(wrapper, data).listening()
    }

    /// A token of the first account, and where to show it.
    pub fn door(&self) -> Door {
        let args = ["token", "create", "--account", "owner", "--data", self.data.to_str().unwrap()];
        // Not through a tracer: its trace is the server's.
        let wrapper =
            if self.wrapper.first().is_some_and(|first| first == "nsenter") { &self.wrapper[..] } else { &[] };
        Door { address: self.address.clone(), token: succeed(wrapped(wrapper, &args)).trim().to_owned() }
    }

    /// The same token at this server's address.
    pub fn door_of(&self, earlier: &Door) -> Door {
        Door { address: self.address.clone(), token: earlier.token.clone() }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// As a power cut does, but that the page cache stays. Whoever watched has written everything down then.
    pub fn kill(mut self) {
        self.strike();
        self.child.wait().unwrap();
        self.listener.take().unwrap().join().unwrap();
    }

    /// Sends the signal and does not wait.
    pub fn strike(&mut self) {
        self.child.kill().unwrap();
    }

    /// As an operator does.
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "SIGTERM ends the service in good order: {status}\n{}", self.said());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("the server said:\n{}", self.said());
        }
    }
}
