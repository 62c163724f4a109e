//! The bytes of SFTP version 3: requests out, replies in; no more of it than the driver uses.
//!
//! Names and handles are bytes here, never text: OpenSSH numbers its handles in binary, and the 129th of them is not UTF-8.
//! A status may carry any code, as servers borrow those of later versions. Whatever a reply says about its own length is
//! checked against the bytes that are there, and nothing is reserved on its word.
//!
//! Source: draft-ietf-secsh-filexfer-02; for the extensions, OpenSSH's `PROTOCOL`, section 4.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The longest packet either side may send. Source: `SFTP_MAX_MSG_LENGTH` of OpenSSH.
pub(super) const PACKET_BYTES_MAX: usize = 256 << 10;
/// What `SSH_FXP_INIT` says: version 3.
pub(super) const INIT: Bytes = Bytes::from_static(&[0, 0, 0, 5, 1, 0, 0, 0, 3]);

const READ: u32 = 1;
const WRITE: u32 = 2;
const CREATE: u32 = 8;
const EXCLUSIVE: u32 = 32;

/// Only the service's own user reads or writes what it makes.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// A request without its number.
pub(super) struct Request {
    kind: u8,
    body: BytesMut,
    /// The bytes of a write, not copied.
    payload: Bytes,
}

impl Request {
    fn new(kind: u8) -> Self {
        Self { kind, body: BytesMut::new(), payload: Bytes::new() }
    }

    fn text(mut self, bytes: &[u8]) -> Self {
        self.body.put_u32(u32::try_from(bytes.len()).expect("paths and handles are short"));
        self.body.put_slice(bytes);
        self
    }

    fn number(mut self, number: u32) -> Self {
        self.body.put_u32(number);
        self
    }

    fn offset(mut self, offset: u64) -> Self {
        self.body.put_u64(offset);
        self
    }

    /// Attributes that say the mode and nothing else.
    fn mode(self, mode: u32) -> Self {
        self.number(HAS_MODE).number(mode)
    }

    fn extended(name: &str) -> Self {
        Self::new(200).text(name.as_bytes())
    }

    pub(super) fn open(path: &str) -> Self {
        Self::new(3).text(path.as_bytes()).number(READ).number(0)
    }

    /// Makes a file that must not be there yet.
    pub(super) fn create(path: &str) -> Self {
        Self::new(3).text(path.as_bytes()).number(WRITE | CREATE | EXCLUSIVE).mode(FILE_MODE)
    }

    pub(super) fn close(handle: &[u8]) -> Self {
        Self::new(4).text(handle)
    }

    pub(super) fn read(handle: &[u8], offset: u64, bytes: u32) -> Self {
        Self::new(5).text(handle).offset(offset).number(bytes)
    }

    pub(super) fn write(handle: &[u8], offset: u64, payload: Bytes) -> Self {
        let length = u32::try_from(payload.len()).expect("a piece is no longer than a packet");
        Self { payload, ..Self::new(6).text(handle).offset(offset).number(length) }
    }

    pub(super) fn lstat(path: &str) -> Self {
        Self::new(7).text(path.as_bytes())
    }

    pub(super) fn open_folder(path: &str) -> Self {
        Self::new(11).text(path.as_bytes())
    }

    pub(super) fn read_folder(handle: &[u8]) -> Self {
        Self::new(12).text(handle)
    }

    pub(super) fn remove(path: &str) -> Self {
        Self::new(13).text(path.as_bytes())
    }

    pub(super) fn make_folder(path: &str) -> Self {
        Self::new(14).text(path.as_bytes()).mode(FOLDER_MODE)
    }

    /// Of an empty folder.
    pub(super) fn remove_folder(path: &str) -> Self {
        Self::new(15).text(path.as_bytes())
    }

    /// Follows links: for the root alone, which the operator named.
    pub(super) fn stat(path: &str) -> Self {
        Self::new(17).text(path.as_bytes())
    }

    pub(super) fn rename(from: &str, to: &str) -> Self {
        Self::new(18).text(from.as_bytes()).text(to.as_bytes())
    }

    /// Replaces what is at `to`.
    pub(super) fn posix_rename(from: &str, to: &str) -> Self {
        Self::extended("posix-rename@openssh.com").text(from.as_bytes()).text(to.as_bytes())
    }

    pub(super) fn hardlink(from: &str, to: &str) -> Self {
        Self::extended("hardlink@openssh.com").text(from.as_bytes()).text(to.as_bytes())
    }

    pub(super) fn fsync(handle: &[u8]) -> Self {
        Self::extended("fsync@openssh.com").text(handle)
    }

    pub(super) fn statvfs(path: &str) -> Self {
        Self::extended("statvfs@openssh.com").text(path.as_bytes())
    }

    pub(super) fn limits() -> Self {
        Self::extended("limits@openssh.com")
    }

    /// The packet: all but the payload, and the payload.
    pub(super) fn packet(self, id: u32) -> (Bytes, Bytes) {
        let length = 5 + self.body.len() + self.payload.len();
        let mut head = BytesMut::with_capacity(9 + self.body.len());
        head.put_u32(u32::try_from(length).expect("a packet is short"));
        head.put_u8(self.kind);
        head.put_u32(id);
        head.put_slice(&self.body);
        (head.freeze(), self.payload)
    }
}

/// A reply that breaks the protocol, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Garbled(pub(super) &'static str);

/// What a server says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Status(Status),
    Handle(Bytes),
    Data(Bytes),
    Names(Vec<Entry>),
    Attributes(Attributes),
    Extended(Bytes),
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: u32,
    /// The server's words, fit for a log: short, and without control characters.
    pub(super) text: String,
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) bytes: Option<u64>,
    mode: Option<u32>,
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Other(&'static str),
}

/// One name of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Bytes,
    pub(super) attributes: Attributes,
}

const HAS_SIZE: u32 = 1;
const HAS_OWNER: u32 = 2;
const HAS_MODE: u32 = 4;
const HAS_TIMES: u32 = 8;
const HAS_MORE: u32 = 1 << 31;

impl Status {
    pub(super) const OK: u32 = 0;
    pub(super) const EOF: u32 = 1;
    pub(super) const NO_SUCH_FILE: u32 = 2;
    pub(super) const PERMISSION_DENIED: u32 = 3;
    pub(super) const FAILURE: u32 = 4;
    /// Of later versions of the protocol, and sent by servers that speak version 3 all the same.
    pub(super) const WRITE_PROTECTED: u32 = 12;
    pub(super) const NO_SPACE: u32 = 14;
    pub(super) const QUOTA: u32 = 15;

    fn take(body: &mut Bytes) -> Result<Self, Garbled> {
        let code = body.try_get_u32().map_err(|_| Garbled("a status without a code"))?;
        // Some servers leave the words out.
        let text = text(body).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).chars().filter(|c| !c.is_control()).take(120).collect();
        Ok(Self { code, text })
    }
}

impl Attributes {
    /// What it is, `None` where the server does not say.
    pub(super) fn kind(&self) -> Option<Kind> {
        Some(match self.mode? & 0o170_000 {
            0o100_000 => Kind::File,
            0o040_000 => Kind::Folder,
            0o120_000 => Kind::Other("a symbolic link"),
            0o010_000 => Kind::Other("a pipe"),
            0o140_000 => Kind::Other("a socket"),
            0o060_000 | 0o020_000 => Kind::Other("a device"),
            0 => return None,
            _ => Kind::Other("of no known kind"),
        })
    }

    fn take(body: &mut Bytes) -> Result<Self, Garbled> {
        let short = |_| Garbled("attributes that are cut off");
        let flags = body.try_get_u32().map_err(short)?;
        let mut attributes = Self::default();
        if flags & HAS_SIZE != 0 {
            attributes.bytes = Some(body.try_get_u64().map_err(short)?);
        }
        if flags & HAS_OWNER != 0 {
            body.try_get_u64().map_err(short)?;
        }
        if flags & HAS_MODE != 0 {
            attributes.mode = Some(body.try_get_u32().map_err(short)?);
        }
        if flags & HAS_TIMES != 0 {
            body.try_get_u64().map_err(short)?;
        }
        if flags & HAS_MORE != 0 {
            for _ in 0..body.try_get_u32().map_err(short)? {
                text(body)?;
                text(body)?;
            }
        }
        Ok(attributes)
    }
}

/// Takes bytes that are preceded by their length.
fn text(body: &mut Bytes) -> Result<Bytes, Garbled> {
    let bytes = body.try_get_u32().map_err(|_| Garbled("a string without a length"))? as usize;
    if bytes > body.len() {
        return Err(Garbled("a string longer than its packet"));
    }
    Ok(body.split_to(bytes))
}

/// Takes one packet off the front of what was received, without its length; `None` until it is whole.
pub(super) fn take_packet(received: &mut BytesMut) -> Result<Option<Bytes>, Garbled> {
    let Some(length) = received.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if !(1..=PACKET_BYTES_MAX).contains(&length) {
        return Err(Garbled("a packet of an impossible length"));
    }
    if received.len() < 4 + length {
        received.reserve(4 + length - received.len());
        return Ok(None);
    }
    received.advance(4);
    Ok(Some(received.split_to(length).freeze()))
}

/// Reads a reply and the number of its request.
pub(super) fn reply(mut packet: Bytes) -> Result<(u32, Reply), Garbled> {
    let short = |_| Garbled("a reply that is cut off");
    let kind = packet.try_get_u8().map_err(short)?;
    let id = packet.try_get_u32().map_err(short)?;
    let reply = match kind {
        101 => Reply::Status(Status::take(&mut packet)?),
        102 => Reply::Handle(text(&mut packet)?),
        103 => Reply::Data(text(&mut packet)?),
        104 => {
            let mut entries = Vec::new();
            for _ in 0..packet.try_get_u32().map_err(short)? {
                let name = text(&mut packet)?;
                text(&mut packet)?;
                entries.push(Entry { name, attributes: Attributes::take(&mut packet)? });
            }
            Reply::Names(entries)
        }
        105 => Reply::Attributes(Attributes::take(&mut packet)?),
        201 => Reply::Extended(packet),
        _ => return Err(Garbled("a packet of an unknown kind")),
    };
    Ok((id, reply))
}

/// What a server offers beyond version 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) fsync: bool,
    pub(super) statvfs: bool,
    pub(super) hardlink: bool,
    pub(super) posix_rename: bool,
    pub(super) limits: bool,
}

impl Extensions {
    /// Reads the answer to [`INIT`].
    pub(super) fn read(mut packet: Bytes) -> Result<Self, Garbled> {
        let short = |_| Garbled("a first packet that is cut off");
        if packet.try_get_u8().map_err(short)? != 2 {
            return Err(Garbled("another packet before its version"));
        }
        if packet.try_get_u32().map_err(short)? != 3 {
            return Err(Garbled("another version of SFTP than 3"));
        }
        let mut found = Self::default();
        while !packet.is_empty() {
            let name = text(&mut packet)?;
            text(&mut packet)?;
            match &name[..] {
                b"fsync@openssh.com" => found.fsync = true,
                b"statvfs@openssh.com" => found.statvfs = true,
                b"hardlink@openssh.com" => found.hardlink = true,
                b"posix-rename@openssh.com" => found.posix_rename = true,
                b"limits@openssh.com" => found.limits = true,
                _ => {}
            }
        }
        Ok(found)
    }
}

/// The longest read and write that a server takes, in bytes; 0 where it sets no limit.
pub(super) fn read_limits(mut body: Bytes) -> Option<(u64, u64, u64)> {
    let (_packet, read, write, handles) =
        (body.try_get_u64().ok()?, body.try_get_u64().ok()?, body.try_get_u64().ok()?, body.try_get_u64().ok()?);
    Some((read, write, handles))
}

/// What a file system has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) free_bytes: u64,
    pub(super) read_only: bool,
}

/// Reads the answer to `statvfs`.
pub(super) fn read_space(mut body: Bytes) -> Option<Space> {
    let mut fields = [0; 11];
    for field in &mut fields {
        *field = body.try_get_u64().ok()?;
    }
    let [_, fragment_bytes, _, _, available, _, _, _, _, flags, _] = fields;
    Some(Space { free_bytes: available.saturating_mul(fragment_bytes), read_only: flags & 1 != 0 })
}

#[cfg(test)]
mod tests;
