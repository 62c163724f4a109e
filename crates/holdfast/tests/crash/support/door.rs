//! HTTP as a stranger speaks it, one connection for each request, written so that a server may die in the middle.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// Bytes of a body that are handed to the socket at once.
const PIECE_BYTES: usize = 64 << 10;
/// A service that is silent for so long is broken: the test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// An address and a token.
#[derive(Clone, Debug)]
pub struct Door {
    pub address: String,
    pub token: String,
}

/// One answer, whole.
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The client's own end of the connection.
    pub from: String,
}

impl std::fmt::Debug for Answer {
    /// The body's beginning is enough to tell what went wrong.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = String::from_utf8_lossy(&self.body[..self.body.len().min(400)]);
        write!(f, "{} {:?}, {} bytes: {head}", self.status, self.headers, self.body.len())
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn is_done(&self) -> bool {
        matches!(self.status, 200 | 201 | 204 | 206)
    }

    /// The stable code of a problem document; panics if the answer is none.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let document = self.json();
        assert_eq!(document["status"], self.status);
        assert!(document["detail"].as_str().is_some_and(|detail| detail.len() > 20), "{document}");
        document["code"].as_str().unwrap().to_owned()
    }
}

impl Door {
    /// Sends a request; `sent` hears of the body's bytes as they leave.
    ///
    /// # Errors
    /// No whole answer came.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &[u8],
        sent: &mut dyn FnMut(usize),
    ) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let from = stream.local_addr()?.to_string();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\nAuthorization: Bearer {}\r\n",
            body.len(),
            self.token
        );
        headers.iter().for_each(|header| head += &format!("{header}\r\n"));
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        for piece in body.chunks(PIECE_BYTES) {
            // A refusal may come before the body was taken.
            if stream.write_all(piece).is_err() {
                break;
            }
            sent(piece.len());
        }
        let mut all = Vec::new();
        let read = stream.read_to_end(&mut all);
        let end = all.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else { return Err(read.err().unwrap_or_else(|| ErrorKind::UnexpectedEof.into())) };
        let head = String::from_utf8_lossy(&all[..end]).into_owned();
        let mut lines = head.lines();
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or(ErrorKind::InvalidData)?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let answer = Answer { status, headers, body: all[end + 4..].to_vec(), from };
        let announced = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if method != "HEAD" && answer.body.len() < announced {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(answer)
    }

    /// As [`Door::send`], for a server that is there.
    pub fn ask(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        self.send(method, path, headers, body, &mut |_| {}).unwrap()
    }

    pub fn put(&self, path: &str, body: &[u8]) -> Answer {
        self.ask("PUT", &file(path), &[], body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", &file(path), &[], b"")
    }

    /// The bytes of a file that must be readable.
    pub fn read(&self, path: &str) -> Vec<u8> {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.body
    }

    pub fn fleet(&self) -> Value {
        self.ask("GET", "/api/v1/fleet", &[], b"").json()
    }

    pub fn scrub(&self) -> Value {
        let answer = self.ask("POST", "/api/v1/fleet/scrub?wait=true", &[], b"");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// Name and state of the files in a folder (empty for the top).
    pub fn states(&self, folder: &str) -> Vec<(String, String)> {
        let answer = self.ask("GET", &format!("{}{folder}?limit=1000", file("")), &[], b"");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let entries = answer.json()["entries"].as_array().unwrap().clone();
        let files = entries.iter().filter(|entry| entry["kind"] == "file");
        files.map(|entry| (text(&entry["name"]), text(&entry["state"]))).collect()
    }

    /// Waits until all small files lie in packs.
    pub fn packed(&self) {
        super::until("every small file is packed", || self.fleet()["unpacked_files"] == 0);
    }
}

/// The path of a file at the door.
pub fn file(path: &str) -> String {
    format!("/api/v1/files/{path}")
}
