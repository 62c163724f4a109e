//! A server of S3 that keeps everything in memory and remembers who was looked at when: as much of the protocol as the service speaks to
//! a bucket, and no more.
//!
//! A thread to each connection, closed after some idle seconds as servers do. Signatures are not checked.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// An idle connection is closed after this.
const IDLE: Duration = Duration::from_secs(5);
const STACK_BYTES: usize = 128 << 10;
/// What a marker is called.
const MARKER: &str = "/holdfast-target";

/// The running server. It ends with the process.
pub struct Bucket {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    begun: Instant,
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    seen: Mutex<Seen>,
}

/// What came in since it was last asked for.
#[derive(Clone, Default)]
pub struct Seen {
    /// Requests in each second.
    pub by_second: BTreeMap<u64, u64>,
    /// When each marker was read, in seconds since the start, by its key.
    pub looks: BTreeMap<String, Vec<f64>>,
    /// Connections at a time, now and at most.
    pub connections: usize,
    /// See above.
    pub connections_max: usize,
}

struct Asked {
    method: String,
    key: String,
    query: String,
    /// By name, in lower case.
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Bucket {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { begun: Instant::now(), objects: Mutex::default(), seen: Mutex::default() });
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&all);
                let spawned = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
                    shared.connected(true);
                    // A client that leaves is no trouble.
                    let _ = shared.converse(&stream);
                    shared.connected(false);
                });
                drop(spawned);
            }
        });
        Ok(Self { address, shared })
    }

    /// Forgets what came in, but for the connections that are open.
    pub fn forget(&self) {
        let mut seen = locked(&self.shared.seen);
        let connections = seen.connections;
        *seen = Seen { connections, connections_max: connections, ..Seen::default() };
    }

    /// What came in.
    pub fn seen(&self) -> Seen {
        locked(&self.shared.seen).clone()
    }

    /// Seconds since it was started.
    pub fn now_s(&self) -> f64 {
        self.shared.begun.elapsed().as_secs_f64()
    }
}

impl Shared {
    fn connected(&self, is_open: bool) {
        let mut seen = locked(&self.seen);
        seen.connections = if is_open { seen.connections + 1 } else { seen.connections - 1 };
        seen.connections_max = seen.connections_max.max(seen.connections);
    }

    fn converse(&self, stream: &TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(IDLE))?;
        let mut input = BufReader::new(stream);
        while let Some(asked) = read(&mut input)? {
            let now_s = self.begun.elapsed().as_secs_f64();
            {
                let mut seen = locked(&self.seen);
                *seen.by_second.entry(now_s as u64).or_default() += 1;
                if asked.method == "GET" && asked.key.ends_with(MARKER) {
                    seen.looks.entry(asked.key.clone()).or_default().push(now_s);
                }
            }
            let answer = self.answer(&asked);
            (&mut &*stream).write_all(&answer)?;
        }
        Ok(())
    }

    fn answer(&self, asked: &Asked) -> Vec<u8> {
        let mut objects = locked(&self.objects);
        match asked.method.as_str() {
            "PUT" if asked.headers.contains_key("if-none-match") && objects.contains_key(&asked.key) => {
                refusal("412 Precondition Failed", "PreconditionFailed")
            }
            "PUT" => {
                objects.insert(asked.key.clone(), asked.body.clone());
                whole("200 OK", "ETag: \"it\"\r\n", b"")
            }
            "DELETE" => {
                objects.remove(&asked.key);
                b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()
            }
            "GET" if asked.query.contains("list-type") => listing(&objects, asked),
            "GET" if asked.query.contains("object-lock") => {
                refusal("404 Not Found", "ObjectLockConfigurationNotFoundError")
            }
            "GET" | "HEAD" => match objects.get(&asked.key) {
                Some(bytes) if asked.method == "HEAD" => {
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len()).into_bytes()
                }
                Some(bytes) => part(bytes, asked.headers.get("range")),
                None if asked.method == "HEAD" => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
                None => refusal("404 Not Found", "NoSuchKey"),
            },
            _ => refusal("501 Not Implemented", "NotImplemented"),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a request; `None` when the other side is done, or idle for too long.
fn read(input: &mut BufReader<&TcpStream>) -> Result<Option<Asked>> {
    let mut line = String::new();
    match input.read_line(&mut line) {
        Ok(0) => return Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
        read => _ = read?,
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().context("no method")?, words.next().context("no path")?);
    let (key, query) = path.split_once('?').unwrap_or((&path, ""));
    let (key, query) = (key.trim_start_matches('/').to_owned(), query.replace("%2F", "/"));
    let mut asked = Asked { method, key, query, headers: BTreeMap::new(), body: Vec::new() };
    loop {
        line.clear();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        asked.headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = asked.headers.get("content-length").map_or(Ok(0), |length| length.parse())?;
    asked.body.resize(length, 0);
    input.read_exact(&mut asked.body)?;
    Ok(Some(asked))
}

fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn refusal(status: &str, code: &str) -> Vec<u8> {
    whole(status, "Content-Type: application/xml\r\n", format!("<Error><Code>{code}</Code></Error>").as_bytes())
}

fn part(bytes: &[u8], range: Option<&String>) -> Vec<u8> {
    let wanted = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')).and_then(|(first, last)| {
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        Some((first, last.min(bytes.len().saturating_sub(1))))
    });
    match wanted {
        None => whole("200 OK", "ETag: \"it\"\r\n", bytes),
        Some((first, last)) if first <= last && first < bytes.len() => {
            let range = format!("ETag: \"it\"\r\nContent-Range: bytes {first}-{last}/{}\r\n", bytes.len());
            whole("206 Partial Content", &range, &bytes[first..=last])
        }
        Some(_) => refusal("416 Range Not Satisfiable", "InvalidRange"),
    }
}

/// One page with everything: a bucket of this bench is small.
fn listing(objects: &BTreeMap<String, Vec<u8>>, asked: &Asked) -> Vec<u8> {
    let of = |name: &str| {
        let mut pairs = asked.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map_or("", |(_, value)| value)
    };
    let (bucket, after) = (format!("{}/", asked.key.trim_end_matches('/')), of("start-after"));
    let (prefix, max) = (of("prefix"), of("max-keys").parse().unwrap_or(1_000));
    let from = format!("{bucket}{}", prefix.max(after));
    let found = objects.range(from..).map_while(|(key, bytes)| Some((key.strip_prefix(&bucket)?, bytes.len())));
    let mut found = found.skip_while(|(key, _)| !after.is_empty() && *key <= after);
    let mut text = String::from("<ListBucketResult>");
    for _ in 0..max {
        let Some((key, bytes)) = found.next().filter(|(key, _)| key.starts_with(prefix)) else { break };
        let _ = write!(text, "<Contents><Key>{key}</Key><Size>{bytes}</Size></Contents>");
    }
    text += "<IsTruncated>false</IsTruncated></ListBucketResult>";
    whole("200 OK", "Content-Type: application/xml\r\n", text.as_bytes())
}
