//! A small HTTP/1.1 client over one kept-alive connection.
//!
//! It does what a good client does and no more: no delay, head and small body in one write, bodies streamed from a
//! buffer and compared while they arrive. It reads bodies of stated length only; both servers state it.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
};

use anyhow::{Context, Result, bail, ensure};

use super::pattern::Pattern;

/// Bytes read or written at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// One connection to one server.
pub struct Client {
    stream: TcpStream,
    /// Lines sent with every request: host and token.
    common: String,
    buffer: Vec<u8>,
    /// What has arrived and was not taken yet, within `buffer`.
    arrived: Range<usize>,
}

/// First lines of an answer.
struct Head {
    status: u16,
    body_bytes: u64,
    location: Option<String>,
}

impl Client {
    /// Connects; `token` is sent with every request.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(address: SocketAddr, token: Option<&str>) -> Result<Client> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let common = format!("Host: {address}\r\n{authorization}");
        Ok(Client { stream, common, buffer: vec![0; BUFFER_BYTES], arrived: 0..0 })
    }

    /// Uploads `length` bytes of file number `file` to `path`.
    ///
    /// # Errors
    /// When the answer is not 200, 201 or 204.
    pub fn put(&mut self, path: &str, pattern: &Pattern, file: u64, length: u64) -> Result<()> {
        let mut out = format!("PUT {path} HTTP/1.1\r\n{}Content-Length: {length}\r\n\r\n", self.common).into_bytes();
        let first = pattern.piece(file, 0, length.min(64 * 1024));
        out.extend_from_slice(first);
        let mut sent = self.stream.write_all(&out);
        let mut offset = first.len() as u64;
        while sent.is_ok() && offset < length {
            let piece = pattern.piece(file, offset, (length - offset).min(BUFFER_BYTES as u64));
            sent = self.stream.write_all(piece);
            offset += piece.len() as u64;
        }
        if let Err(error) = sent {
            // A refusal may arrive before the body has left; it says more than a broken pipe.
            let refusal = self.head().map(|head| head.status);
            bail!("PUT {path} broke at {offset} of {length} bytes: {error}; answer: {refusal:?}");
        }
        let head = self.head()?;
        let body = self.body(head.body_bytes)?;
        let text = String::from_utf8_lossy(&body);
        ensure!(matches!(head.status, 200 | 201 | 204), "PUT {path}: status {} {text}", head.status);
        Ok(())
    }

    /// Uploads these bytes to `path`.
    ///
    /// # Errors
    /// When the answer is not 201 or 204.
    pub fn put_bytes(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        write!(self.stream, "PUT {path} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n", self.common, bytes.len())?;
        self.stream.write_all(bytes)?;
        let head = self.head()?;
        let body = self.body(head.body_bytes)?;
        ensure!(matches!(head.status, 201 | 204), "PUT {path}: {} {}", head.status, String::from_utf8_lossy(&body));
        Ok(())
    }

    /// Downloads something, and forgets it; how many bytes it had.
    ///
    /// # Errors
    /// When the answer is not 200, or breaks off.
    pub fn drain(&mut self, path: &str) -> Result<u64> {
        write!(self.stream, "GET {path} HTTP/1.1\r\n{}\r\n", self.common)?;
        let head = self.head()?;
        ensure!(head.status == 200, "GET {path}: status {}", head.status);
        let mut got = 0;
        while got < head.body_bytes {
            got += self.take(head.body_bytes - got)?.len() as u64;
        }
        Ok(got)
    }

    /// Downloads `range` of file number `file` from `path`, or all `length` bytes of it, and compares every byte.
    ///
    /// # Errors
    /// When the answer is not the file.
    pub fn get(
        &mut self,
        path: &str,
        pattern: &Pattern,
        file: u64,
        length: u64,
        range: Option<Range<u64>>,
    ) -> Result<()> {
        let (due, line, status) = match range {
            Some(range) => {
                let line = format!("Range: bytes={}-{}\r\n", range.start, range.end.saturating_sub(1));
                (range, line, 206)
            }
            None => (0..length, String::new(), 200),
        };
        write!(self.stream, "GET {path} HTTP/1.1\r\n{}{line}\r\n", self.common)?;
        let head = self.head()?;
        if head.status != status || head.body_bytes != due.end - due.start {
            let body = self.body(head.body_bytes.min(4096))?;
            let text = String::from_utf8_lossy(&body);
            bail!("GET {path} {line}: status {}, {} bytes: {text}", head.status, head.body_bytes);
        }
        let mut offset = due.start;
        while offset < due.end {
            let piece = self.take(due.end - offset)?;
            ensure!(pattern.matches(file, offset, piece), "GET {path}: wrong bytes near {offset}");
            offset += piece.len() as u64;
        }
        Ok(())
    }

    /// Uploads `length` bytes of file number `file` to `path` by the tus protocol, `piece` bytes in each request.
    ///
    /// # Errors
    /// When an answer is not the one that is due.
    pub fn resume(&mut self, path: &str, pattern: &Pattern, file: u64, length: u64, piece: u64) -> Result<()> {
        write!(
            self.stream,
            "POST /api/v1/uploads/ HTTP/1.1\r\n{}Tus-Resumable: 1.0.0\r\nUpload-Length: {length}\r\n\
             Upload-Metadata: path {}\r\nContent-Length: 0\r\n\r\n",
            self.common,
            base64(path.as_bytes())
        )?;
        let head = self.head()?;
        self.body(head.body_bytes)?;
        ensure!(head.status == 201, "an upload of {path} was not begun: status {}", head.status);
        let url = head.location.context("an upload without an address")?;
        let mut at = 0;
        while at < length {
            let end = (at + piece).min(length);
            write!(
                self.stream,
                "PATCH {url} HTTP/1.1\r\n{}Tus-Resumable: 1.0.0\r\nUpload-Offset: {at}\r\n\
                 Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
                self.common,
                end - at
            )?;
            while at < end {
                let bytes = pattern.piece(file, at, (end - at).min(BUFFER_BYTES as u64));
                self.stream.write_all(bytes)?;
                at += bytes.len() as u64;
            }
            let head = self.head()?;
            self.body(head.body_bytes)?;
            ensure!(head.status == 204, "a piece of {path} was not taken: status {}", head.status);
        }
        Ok(())
    }

    /// Downloads a small document.
    ///
    /// # Errors
    /// When the answer is not 200.
    pub fn document(&mut self, path: &str) -> Result<Vec<u8>> {
        write!(self.stream, "GET {path} HTTP/1.1\r\n{}\r\n", self.common)?;
        let head = self.head()?;
        let body = self.body(head.body_bytes)?;
        ensure!(head.status == 200, "GET {path}: status {} {}", head.status, String::from_utf8_lossy(&body));
        Ok(body)
    }

    fn head(&mut self) -> Result<Head> {
        let end = loop {
            let arrived = &self.buffer[self.arrived.clone()];
            if let Some(end) = arrived.windows(4).position(|window| window == b"\r\n\r\n") {
                break self.arrived.start + end;
            }
            self.fill()?;
        };
        let text = String::from_utf8_lossy(&self.buffer[self.arrived.start..end]).into_owned();
        self.arrived.start = end + 4;
        let status: u16 = text.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status line")?;
        let value = |name: &str| {
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
        };
        ensure!(value("transfer-encoding").is_none(), "the answer does not state its length");
        let body_bytes = match value("content-length") {
            Some(length) => length.parse().context("a content-length that is no number")?,
            None => 0,
        };
        Ok(Head { status, body_bytes, location: value("location") })
    }

    fn body(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while (body.len() as u64) < length {
            let piece = self.take(length - body.len() as u64)?;
            body.extend_from_slice(piece);
        }
        Ok(body)
    }

    /// The next bytes of the connection: at least one, at most `most`.
    fn take(&mut self, most: u64) -> Result<&[u8]> {
        if self.arrived.is_empty() {
            self.fill()?;
        }
        let length = self.arrived.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        let start = self.arrived.start;
        self.arrived.start += length;
        Ok(&self.buffer[start..start + length])
    }

    /// Waits for more bytes behind those that have arrived.
    fn fill(&mut self) -> Result<()> {
        if self.arrived.is_empty() {
            self.arrived = 0..0;
        } else if self.arrived.end == self.buffer.len() {
            self.buffer.copy_within(self.arrived.clone(), 0);
            self.arrived = 0..self.arrived.len();
        }
        let free = &mut self.buffer[self.arrived.end..];
        ensure!(!free.is_empty(), "a head longer than {BUFFER_BYTES} bytes");
        let count = loop {
            match self.stream.read(free) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        ensure!(count > 0, "the server closed the connection");
        self.arrived.end += count;
        Ok(())
    }
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let all = group.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let letter = LETTERS[(all >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
