//! An SFTP server in memory that offers what a test wants and twists what a test wants twisted.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::{Buf, BytesMut};
use fleet::{HostKey, Sftp, SftpAddress, SftpLogin, SftpTimes};
use russh::{
    Channel, ChannelId,
    keys::PrivateKey,
    server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, run_stream},
};
use testkit::world::TokioTimer;

/// Made for this file with `ssh-keygen -t ed25519`.
const HOST_KEY: &str = include_str!("host_key");

/// What lies at a path.
#[derive(Clone)]
pub enum Node {
    Folder,
    File(Vec<u8>),
}

/// What the server can do.
#[derive(Clone, Copy)]
pub struct Offers {
    pub version: u32,
    pub channels: usize,
    /// Refuses to rename to a name that is taken.
    pub refuses: bool,
    pub hardlink: bool,
    pub statvfs: bool,
    /// The most bytes of one answer to a read.
    pub read_bytes: usize,
}

impl Offers {
    pub const NOTHING: Self =
        Self { version: 3, channels: 10, refuses: false, hardlink: false, statvfs: false, read_bytes: 1 << 15 };
}

/// Answers a request in another way; gets its number and what follows that.
type Twist = Box<dyn Fn(u32, &[u8]) -> Option<Vec<u8>> + Send>;

struct State {
    offers: Offers,
    files: Mutex<BTreeMap<String, Node>>,
    twist: Mutex<Option<(u8, Twist)>>,
    hang_up: AtomicBool,
    free_bytes: AtomicU64,
    connections: AtomicUsize,
    port: u16,
}

/// The running server. Clones are the same one.
#[derive(Clone)]
pub struct Liar {
    state: Arc<State>,
}

impl Liar {
    pub async fn start(offers: Offers) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let state = Arc::new(State {
            offers,
            files: Mutex::default(),
            twist: Mutex::default(),
            hang_up: AtomicBool::new(false),
            free_bytes: AtomicU64::new(1 << 30),
            connections: AtomicUsize::new(0),
            port: listener.local_addr().unwrap().port(),
        });
        let keys = vec![PrivateKey::from_openssh(HOST_KEY).unwrap()];
        let config = Arc::new(Config { keys, ..Config::default() });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                let served = Served { state: Arc::clone(&accepting), channels: BTreeMap::new() };
                let config = Arc::clone(&config);
                tokio::spawn(async move {
                    if let Ok(running) = run_stream(config, stream, served).await {
                        let _ = running.await;
                    }
                });
            }
        });
        Self { state }
    }

    pub fn target(&self, root: &str) -> Sftp {
        let address = SftpAddress {
            host: "127.0.0.1".to_owned(),
            port: self.state.port,
            user: "u".to_owned(),
            root: root.to_owned(),
        };
        let key = PrivateKey::from_openssh(HOST_KEY).unwrap().public_key().to_openssh().unwrap();
        let times = SftpTimes { connect_ms: 60_000, answer_ms: 60_000, silent_ms: 60_000, rest_ms: 1, rest_ms_max: 1 };
        let login = SftpLogin::password("secret");
        Sftp::new(address, login, HostKey::parse(&key).unwrap(), times, Arc::new(TokioTimer))
    }

    pub fn files(&self) -> MutexGuard<'_, BTreeMap<String, Node>> {
        self.state.files.lock().unwrap()
    }

    /// Answers requests of one kind otherwise, from now on.
    pub fn twist(&self, kind: u8, twist: impl Fn(u32, &[u8]) -> Option<Vec<u8>> + Send + 'static) {
        *self.state.twist.lock().unwrap() = Some((kind, Box::new(twist)));
    }

    /// Whether the channel ends after a twisted answer.
    pub fn hang_up_after(&self, hang_up: bool) {
        self.state.hang_up.store(hang_up, Ordering::Relaxed);
    }

    pub fn straighten(&self) {
        *self.state.twist.lock().unwrap() = None;
        self.hang_up_after(false);
    }

    pub fn set_free_bytes(&self, bytes: u64) {
        self.state.free_bytes.store(bytes, Ordering::Relaxed);
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

/// A packet with its length.
pub fn packet(kind: u8, id: u32, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(5 + body.len() as u32).to_be_bytes()[..], &[kind], &id.to_be_bytes(), &body].concat()
}

pub fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

pub fn status(id: u32, code: u32) -> Vec<u8> {
    packet(101, id, &[&code.to_be_bytes(), &string(b"words"), &string(b"")])
}

pub fn failure(id: u32, words: &str) -> Vec<u8> {
    packet(101, id, &[&4_u32.to_be_bytes(), &string(words.as_bytes()), &string(b"")])
}

fn attributes(node: &Node) -> Vec<u8> {
    let (bytes, mode) = match node {
        Node::Folder => (0, 0o040_700_u32),
        Node::File(bytes) => (bytes.len() as u64, 0o100_600),
    };
    [&5_u32.to_be_bytes()[..], &bytes.to_be_bytes(), &mode.to_be_bytes()].concat()
}

/// One connection.
struct Served {
    state: Arc<State>,
    channels: BTreeMap<ChannelId, Spoken>,
}

/// One channel.
#[derive(Default)]
struct Spoken {
    received: BytesMut,
    /// Open files by number, and whether a folder was read.
    open: BTreeMap<u32, (String, bool)>,
    opened: u32,
}

impl Handler for Served {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, _: &str) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        // Dropping the reply refuses the channel.
        if self.channels.len() < self.state.offers.channels {
            self.channels.insert(channel.id(), Spoken::default());
            reply.accept().await;
        }
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(channel)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), russh::Error> {
        let spoken = self.channels.get_mut(&channel).unwrap();
        spoken.received.extend_from_slice(data);
        while let Some(length) = spoken.received.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize) {
            if spoken.received.len() < 4 + length {
                break;
            }
            spoken.received.advance(4);
            let mut request = spoken.received.split_to(length);
            let kind = request.get_u8();
            if kind == 1 {
                session.data(channel, version(self.state.offers))?;
                continue;
            }
            let id = request.get_u32();
            let twisted = match &*self.state.twist.lock().unwrap() {
                Some((twisted, twist)) if *twisted == kind => twist(id, &request),
                _ => None,
            };
            let ends = twisted.is_some() && self.state.hang_up.load(Ordering::Relaxed);
            let answer = twisted.unwrap_or_else(|| spoken.answer(&self.state, kind, id, &mut request));
            session.data(channel, answer)?;
            if ends {
                session.eof(channel)?;
            }
        }
        Ok(())
    }
}

fn version(offers: Offers) -> Vec<u8> {
    let mut body = [&[2][..], &offers.version.to_be_bytes()].concat();
    for (name, offered) in [("hardlink@openssh.com", offers.hardlink), ("statvfs@openssh.com", offers.statvfs)] {
        if offered {
            body.extend([string(name.as_bytes()), string(b"1")].concat());
        }
    }
    [&(body.len() as u32).to_be_bytes()[..], &body].concat()
}

fn take(request: &mut BytesMut) -> Vec<u8> {
    let length = request.get_u32() as usize;
    request.split_to(length).to_vec()
}

fn path(request: &mut BytesMut) -> String {
    String::from_utf8(take(request)).unwrap()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Spoken {
    fn answer(&mut self, state: &State, kind: u8, id: u32, request: &mut BytesMut) -> Vec<u8> {
        let mut files = state.files.lock().unwrap();
        match kind {
            3 | 11 => self.open(&mut files, kind, id, request),
            4 => status(id, if self.open.remove(&handle(request)).is_some() { 0 } else { 4 }),
            5 => {
                let (path, _) = &self.open[&handle(request)];
                let (at, bytes) = (request.get_u64() as usize, request.get_u32() as usize);
                match files.get(path) {
                    Some(Node::File(file)) if at < file.len() => {
                        let end = file.len().min(at + bytes.min(state.offers.read_bytes));
                        packet(103, id, &[&string(&file[at..end])])
                    }
                    _ => status(id, 1),
                }
            }
            6 => {
                let (path, _) = &self.open[&handle(request)];
                let (at, bytes) = (request.get_u64() as usize, take(request));
                let Some(Node::File(file)) = files.get_mut(path) else { return status(id, 4) };
                file.resize(file.len().max(at + bytes.len()), 0);
                file[at..at + bytes.len()].copy_from_slice(&bytes);
                status(id, 0)
            }
            7 | 17 => files.get(&path(request)).map_or(status(id, 2), |node| packet(105, id, &[&attributes(node)])),
            12 => self.read_folder(&files, id, handle(request)),
            13 => match path(request) {
                path if matches!(files.get(&path), Some(Node::File(_))) => {
                    files.remove(&path);
                    status(id, 0)
                }
                _ => status(id, 2),
            },
            14 => match path(request) {
                path if files.contains_key(&path) => status(id, 4),
                path if !matches!(files.get(parent(&path)), Some(Node::Folder)) => status(id, 2),
                path => {
                    files.insert(path, Node::Folder);
                    status(id, 0)
                }
            },
            15 => match path(request) {
                path if !matches!(files.get(&path), Some(Node::Folder)) => status(id, 2),
                path if files.keys().any(|other| parent(other) == path) => status(id, 4),
                path => {
                    files.remove(&path);
                    status(id, 0)
                }
            },
            18 => moved(&mut files, id, request, state.offers.refuses, true),
            200 => match &take(request)[..] {
                b"hardlink@openssh.com" => moved(&mut files, id, request, true, false),
                b"statvfs@openssh.com" => {
                    let free = state.free_bytes.load(Ordering::Relaxed);
                    let fields = [1, 1, 1, 1, free, 0, 0, 0, 0, 0, 255_u64];
                    packet(201, id, &[&fields.map(u64::to_be_bytes).concat()])
                }
                _ => status(id, 8),
            },
            _ => status(id, 8),
        }
    }

    fn open(&mut self, files: &mut BTreeMap<String, Node>, kind: u8, id: u32, request: &mut BytesMut) -> Vec<u8> {
        let path = path(request);
        let creates = kind == 3 && request.get_u32() & 8 != 0;
        match files.get(&path) {
            Some(_) if creates => return status(id, 4),
            None if !creates || !matches!(files.get(parent(&path)), Some(Node::Folder)) => return status(id, 2),
            Some(Node::Folder) if kind == 3 => return status(id, 4),
            Some(_) => {}
            None => drop(files.insert(path.clone(), Node::File(Vec::new()))),
        }
        self.opened += 1;
        self.open.insert(self.opened, (path, false));
        packet(102, id, &[&string(&self.opened.to_be_bytes())])
    }

    fn read_folder(&mut self, files: &BTreeMap<String, Node>, id: u32, number: u32) -> Vec<u8> {
        let Some((path, read)) = self.open.get_mut(&number).filter(|(_, read)| !read) else { return status(id, 1) };
        *read = true;
        let within = files.iter().filter(|(name, _)| parent(name) == path);
        let entries: Vec<Vec<u8>> = within
            .map(|(name, node)| [string(&name.as_bytes()[path.len() + 1..]), string(b""), attributes(node)].concat())
            .collect();
        if entries.is_empty() {
            return status(id, 1);
        }
        packet(104, id, &[&(entries.len() as u32).to_be_bytes(), &entries.concat()])
    }
}

fn handle(request: &mut BytesMut) -> u32 {
    u32::from_be_bytes(take(request).try_into().unwrap())
}

/// Gives a file another name, and takes the first one if it `moves`.
fn moved(files: &mut BTreeMap<String, Node>, id: u32, request: &mut BytesMut, refuses: bool, moves: bool) -> Vec<u8> {
    let (from, to) = (path(request), path(request));
    let Some(node) = files.get(&from).cloned() else { return status(id, 2) };
    if !matches!(files.get(parent(&to)), Some(Node::Folder)) {
        return status(id, 2);
    }
    if files.contains_key(&to) && (refuses || matches!(files[&to], Node::Folder)) {
        return status(id, 4);
    }
    files.insert(to, node);
    if moves {
        files.remove(&from);
    }
    status(id, 0)
}
