//! A server on loopback that says what a test tells it to: for what no real server does, and some will.
#![allow(clippy::disallowed_methods, reason = "the server runs beside the test, on its runtime")]

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What came in.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET` and the like.
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// The header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's length.
    pub body_bytes: usize,
    /// The how manieth request of its connection this is, from 1.
    pub nth: usize,
}

impl Asked {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// What goes out.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Status line's end, such as `200 OK`, further header lines, and the body, with its length stated.
    Whole(&'static str, Vec<String>, Vec<u8>),
    /// As it is, and then the connection ends.
    Raw(Vec<u8>),
    /// As it is, and then zeros until the other side has enough.
    Endless(Vec<u8>),
    /// As it is, and then nothing, for ever.
    Stall(Vec<u8>),
    /// Nothing, for ever.
    Silence,
}

/// The running server. Dropping it ends it.
pub struct Answerer {
    address: SocketAddr,
    served: Arc<AtomicUsize>,
    sent_bytes: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Answerer {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// Those of listening.
    pub async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (served, sent_bytes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counts, answer) = ((Arc::clone(&served), Arc::clone(&sent_bytes)), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, counts) = (Arc::clone(&answer), counts.clone());
                tokio::spawn(async move { drop(serve(stream, &*answer, &counts.0, &counts.1).await) });
            }
        });
        Ok(Self { address, served, sent_bytes, task })
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came in.
    pub fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }

    /// How many bytes went out, the endless ones counted only as far as they were taken.
    pub fn sent_bytes(&self) -> usize {
        self.sent_bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Answerer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    answer: &(dyn Fn(&Asked) -> Reply + Send + Sync),
    served: &AtomicUsize,
    sent_bytes: &AtomicUsize,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut nth = 0;
    while let Some(mut asked) = take(&mut stream).await? {
        nth += 1;
        asked.nth = nth;
        served.fetch_add(1, Ordering::Relaxed);
        let (bytes, is_endless, is_last) = match answer(&asked) {
            Reply::Whole(status, headers, body) => {
                let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
                let length = if headers.iter().any(|line| line.to_lowercase().starts_with("content-length")) {
                    String::new()
                } else {
                    format!("Content-Length: {}\r\n", body.len())
                };
                let body = if asked.method == "HEAD" { Vec::new() } else { body };
                ([format!("HTTP/1.1 {status}\r\n{lines}{length}\r\n").into_bytes(), body].concat(), false, false)
            }
            Reply::Raw(bytes) => (bytes, false, true),
            Reply::Endless(bytes) => (bytes, true, true),
            Reply::Stall(bytes) => {
                stream.get_mut().write_all(&bytes).await?;
                sent_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
                pending().await
            }
            Reply::Silence => pending().await,
        };
        stream.get_mut().write_all(&bytes).await?;
        sent_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        if is_endless {
            // Until the other side closes.
            loop {
                stream.get_mut().write_all(&[0; 4096]).await?;
                sent_bytes.fetch_add(4096, Ordering::Relaxed);
            }
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

/// Reads a request, its body too; `None` when the other side is done.
async fn take(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Asked>> {
    let Some(first) = line(stream).await?.filter(|line| !line.is_empty()) else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    while let Some(line) = line(stream).await?.filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
    let mut asked = Asked { method, path, headers, body_bytes: 0, nth: 0 };
    if let Some(bytes) = asked.header("content-length").and_then(|text| text.parse().ok()) {
        asked.body_bytes = skip(stream, bytes).await?;
    } else if asked.header("transfer-encoding").is_some() {
        while let Some(size) = line(stream).await?.and_then(|size| usize::from_str_radix(&size, 16).ok()) {
            asked.body_bytes += skip(stream, size).await?;
            line(stream).await?;
            if size == 0 {
                break;
            }
        }
    }
    Ok(Some(asked))
}

async fn line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end().to_owned()))
}

async fn skip(stream: &mut BufReader<TcpStream>, bytes: usize) -> io::Result<usize> {
    let mut buffer = vec![0; bytes];
    stream.read_exact(&mut buffer).await?;
    Ok(bytes)
}
