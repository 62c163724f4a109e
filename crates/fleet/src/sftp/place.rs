//! What a [`Sftp`](super::Sftp) knows, the checks before it acts, and what a server's refusal means.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::{Bytes, BytesMut};

use super::{
    connection::Connection,
    incoming::WINDOW_BYTES,
    line::Line,
    session::{Refusal, Session},
    trial::{Publish, Ways},
    wire::{self, Kind, Request, Space, Status},
};
use crate::{
    lock, marker,
    target::{Abilities, Error, ObjectName, RESERVED, Result},
};

/// The marker's file in the root.
pub(super) const MARKER: &str = RESERVED[0];
/// Where files are written before they get their name.
pub(super) const TMP: &str = RESERVED[1];
/// Where bad objects are moved.
pub(super) const ASIDE: &str = RESERVED[2];

/// A marker is a few hundred bytes; a file beyond this is none, whatever its name.
const MARKER_BYTES_MAX: u64 = 64 << 10;
/// Half-written files of broken connections that are remembered; what is beyond is swept at the next start.
const LEFTOVERS_MAX: usize = 1 << 12;
/// With less than this left, a failure without a reason is taken for a full file system.
const SPARE_BYTES: u64 = 4 << 20;
/// Names whose publishing waits for one another where the server cannot refuse a second one.
const STRIPES: usize = 64;

pub(super) struct Place {
    pub(super) address: String,
    root: String,
    pub(super) line: Arc<Line>,
    expected: Mutex<Option<Bytes>>,
    /// Held while the marker is replaced.
    pub(super) marking: tokio::sync::Mutex<()>,
    /// Whether `tmp/` was swept.
    pub(super) swept: tokio::sync::Mutex<bool>,
    serial: AtomicU64,
    leftovers: Mutex<Vec<String>>,
    /// Folders whose own name is known to be durable, by path.
    pub(super) durable: Mutex<BTreeSet<String>>,
    found: Mutex<(Option<Ways>, bool)>,
    stripes: [tokio::sync::Mutex<()>; STRIPES],
}

/// What lies at a name, itself and not what it may point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    Nothing,
    Object(u64),
    Other(&'static str),
}

impl Place {
    pub(super) fn new(line: Arc<Line>) -> Self {
        let root = line.called.address.root.trim_end_matches('/');
        let root = match (root, line.called.address.root.as_str()) {
            ("", "") => ".",
            ("", _) => "/",
            (root, _) => root,
        };
        Self {
            address: line.called.address.to_string(),
            root: root.to_owned(),
            line,
            expected: Mutex::default(),
            marking: tokio::sync::Mutex::default(),
            swept: tokio::sync::Mutex::default(),
            serial: AtomicU64::new(0),
            leftovers: Mutex::default(),
            durable: Mutex::default(),
            found: Mutex::default(),
            stripes: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }
    }

    /// Where `name` lies at the server; the root for an empty one.
    pub(super) fn path(&self, name: &str) -> String {
        match (self.root.as_str(), name) {
            (root, "") => root.to_owned(),
            ("/", name) => format!("/{name}"),
            (root, name) => format!("{root}/{name}"),
        }
    }

    /// A name under `tmp/` that no other file of this process gets.
    pub(super) fn tmp_name(&self) -> String {
        format!("{TMP}/{}-{}", self.serial.fetch_add(1, Ordering::Relaxed), std::process::id())
    }

    /// The connection, made if there is none.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>> {
        let connection = self.line.connection().await.map_err(|failure| self.down(failure.reason))?;
        lock(&self.found).1 = connection.names().extensions.statvfs;
        Ok(connection)
    }

    /// What is known of the server by now; what is not yet known is not promised.
    pub(super) fn abilities(&self) -> Abilities {
        let (ways, free_space) = *lock(&self.found);
        Abilities {
            durable_rename: ways.is_some_and(|ways| ways.folder_sync),
            server_checksum: false,
            no_clobber: ways.is_some_and(|ways| ways.publish != Publish::Look),
            lock: false,
            free_space,
            object_bytes_max: i64::MAX as u64,
            part_bytes: WINDOW_BYTES as u64,
            billed_by_request: false,
            probe_every_s: 15,
        }
    }

    pub(super) fn learn(&self, ways: Ways) {
        lock(&self.found).0 = Some(ways);
    }

    pub(super) fn expect(&self, marker: Option<Bytes>) {
        *lock(&self.expected) = marker;
    }

    /// One at a time for equal names.
    pub(super) async fn turn(&self, name: &str) -> tokio::sync::MutexGuard<'_, ()> {
        let sum = name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        self.stripes[sum % STRIPES].lock().await
    }

    /// Remembers a half-written file that could not be removed.
    pub(super) fn leave(&self, tmp_name: String) {
        let mut leftovers = lock(&self.leftovers);
        if leftovers.len() < LEFTOVERS_MAX {
            leftovers.push(tmp_name);
        }
    }

    /// Removes what was left by connections that broke.
    pub(super) fn clear_leftovers(&self, session: &Session) {
        for tmp_name in std::mem::take(&mut *lock(&self.leftovers)) {
            session.tell(Request::remove(&self.path(&tmp_name)));
        }
    }

    /// Says whether the marker is the expected one, so that things may be changed.
    pub(super) async fn check_change(&self, session: &Session) -> Result<()> {
        if lock(&self.expected).is_none() {
            return marker::permits_change(&self.address, None, None);
        }
        self.check(session, marker::permits_change).await
    }

    /// Says whether "there is none" may be said of the root.
    pub(super) async fn check_absence(&self, session: &Session) -> Result<()> {
        self.check(session, marker::permits_absence).await
    }

    async fn check(
        &self,
        session: &Session,
        permits: fn(&str, Option<&Bytes>, Option<&Bytes>) -> Result<()>,
    ) -> Result<()> {
        let judge = async || {
            let found = self.marker(session).await?;
            permits(&self.address, lock(&self.expected).as_ref(), found.as_ref())
        };
        match judge().await {
            Err(Error::Down { .. }) => {
                // Perhaps it is being replaced just now, by ourselves.
                let _turn = self.marking.lock().await;
                judge().await
            }
            other => other,
        }
    }

    /// Reads the marker, `None` where there is none; the root must be there. Two round trips.
    pub(super) async fn marker(&self, session: &Session) -> Result<Option<Bytes>> {
        let path = self.path(MARKER);
        let root = session.ask(Request::stat(&self.path("")));
        let look = session.ask(Request::lstat(&path));
        let open = session.ask(Request::open(&path));
        match root.attributes().await {
            Ok(attributes) if matches!(attributes.kind(), None | Some(Kind::Folder)) => {}
            Ok(_) => return Err(self.down("its root is not a folder")),
            Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => {
                return Err(self.down("its folder is missing; it is not made anew, as it may only be unmounted"));
            }
            Err(refusal) => return Err(self.failed(session, "look at the root", refusal).await),
        }
        let attributes = match look.attributes().await {
            Ok(attributes) => attributes,
            Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => return Ok(None),
            Err(refusal) => return Err(self.failed(session, "look at the marker", refusal).await),
        };
        match attributes.kind() {
            None | Some(Kind::File) => {}
            Some(Kind::Folder) => return Err(self.down("its marker is a folder")),
            Some(Kind::Other(what)) => return Err(self.down(format!("its marker is {what}, which is not followed"))),
        }
        let opened = match open.opened().await {
            Ok(opened) => opened,
            Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => return Ok(None),
            Err(refusal) => return Err(self.failed(session, "read the marker", refusal).await),
        };
        let mut bytes = BytesMut::new();
        while attributes.bytes != Some(bytes.len() as u64) {
            if attributes.bytes.unwrap_or(0).max(bytes.len() as u64) > MARKER_BYTES_MAX {
                return Err(self.down("its marker is too long to be one"));
            }
            let read = Request::read(opened.handle(), bytes.len() as u64, session.read_bytes);
            match session.ask(read).data().await {
                Ok(data) if !data.is_empty() => bytes.extend_from_slice(&data),
                Ok(_) => break,
                Err(refusal) if refusal.is(Status::EOF) => break,
                Err(refusal) => return Err(self.failed(session, "read the marker", refusal).await),
            }
        }
        Ok(Some(bytes.freeze()))
    }

    /// Asks the server what it has left.
    pub(super) async fn space(&self, session: &Session) -> Option<Space> {
        if !session.extensions.statvfs {
            return None;
        }
        session.ask(Request::statvfs(&self.path(""))).extended().await.ok().and_then(wire::read_space)
    }

    /// Says what a refusal means.
    pub(super) async fn failed(&self, session: &Session, verb: &'static str, refusal: Refusal) -> Error {
        let status = match refusal {
            Refusal::Status(status) => status,
            Refusal::Late(limit_ms) => return Error::Timeout { target: self.address.clone(), verb, limit_ms },
            Refusal::Broken(reason) => {
                return self.io(verb, std::io::Error::new(std::io::ErrorKind::ConnectionAborted, &*reason));
            }
        };
        let read_only = "its file system is read-only there; the firm must make it writable again";
        match status.code {
            Status::PERMISSION_DENIED => self.down(format!(
                "user '{}' has no permission to {verb}; the folder and all in it must belong to that user, and be writable",
                self.line.called.address.user
            )),
            Status::WRITE_PROTECTED => self.down(read_only),
            Status::NO_SPACE | Status::QUOTA => Error::Full { target: self.address.clone() },
            _ if says_full(&status.text) => Error::Full { target: self.address.clone() },
            // OpenSSH has this one code for all that version 3 has no word for.
            Status::FAILURE => match self.space(session).await {
                Some(Space { read_only: true, .. }) => self.down(read_only),
                Some(Space { free_bytes: ..SPARE_BYTES, .. }) => Error::Full { target: self.address.clone() },
                _ => self.io(verb, std::io::Error::other(told(&status))),
            },
            _ => self.io(verb, std::io::Error::other(told(&status))),
        }
    }

    fn io(&self, verb: &'static str, source: std::io::Error) -> Error {
        Error::Io { target: self.address.clone(), verb, source: Arc::new(source) }
    }

    /// For a server whose answers cannot be true.
    pub(super) fn nonsense(&self, verb: &'static str, what: &str) -> Error {
        self.io(verb, std::io::Error::new(std::io::ErrorKind::InvalidData, what))
    }

    /// For a writer that failed before.
    pub(super) fn abandoned(&self) -> Error {
        self.io("write to an abandoned object", std::io::Error::other("an earlier call failed or was given up"))
    }

    pub(super) fn down(&self, reason: impl Into<String>) -> Error {
        Error::Down { target: self.address.clone(), reason: reason.into() }
    }

    pub(super) fn missing(&self, name: &ObjectName) -> Error {
        Error::Missing { target: self.address.clone(), name: name.to_string() }
    }

    pub(super) fn exists(&self, name: &ObjectName) -> Error {
        Error::Exists { target: self.address.clone(), name: name.to_string() }
    }

    pub(super) fn not_an_object(&self, name: &str, what: &'static str) -> Error {
        Error::NotAnObject { target: self.address.clone(), name: name.to_owned(), what }
    }
}

/// Version 3 has no code for a full disk, but some servers pass on what their system says.
fn says_full(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["no space left", "disk quota", "quota exceeded", "not enough space"].iter().any(|words| text.contains(words))
}

fn told(status: &Status) -> String {
    let words = if status.text.is_empty() { "no reason given" } else { status.text.as_str() };
    format!("the server said: {words} (SFTP status {})", status.code)
}

/// Splits an object's name into its folder (empty for the root) and the last part.
pub(super) fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}
