//! The floor: the least an HTTP server can do that syncs before it answers.
//!
//! A thread per connection. PUT streams the body to a temporary file, syncs it, renames it, syncs the folder and answers;
//! GET hands the file to the socket in the kernel. No names, no keys, no redundancy, no checks: what the real service
//! costs above this is the price of its promises.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write},
    net::{TcpListener, TcpStream},
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use anyhow::{Context, Result, bail, ensure};

/// Bytes moved at once.
const BUFFER_BYTES: usize = 256 * 1024;
/// Up to this size, head and body leave in one write.
const SMALL_BYTES: u64 = 64 * 1024;

static UPLOADS: AtomicU64 = AtomicU64::new(0);

struct Request {
    method: String,
    path: String,
    body_bytes: u64,
    range: Option<Range<u64>>,
}

/// Serves until it is killed. Says where it listens on standard output, as the real service does.
///
/// # Errors
/// When it cannot listen or make its folder.
pub fn serve(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("listening on http://{}", listener.local_addr()?);
    accept(&listener, folder)
}

fn accept(listener: &TcpListener, folder: &Path) -> Result<()> {
    for stream in listener.incoming() {
        let (stream, folder) = (stream?, folder.to_owned());
        thread::spawn(move || {
            if let Err(error) = converse(&stream, &folder) {
                eprintln!("sink: {error:#}");
            }
        });
    }
    Ok(())
}

/// Answers the requests of one connection until the client closes it.
fn converse(stream: &TcpStream, folder: &Path) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::with_capacity(BUFFER_BYTES, stream);
    while let Some(request) = read_request(&mut input)? {
        ensure!(!request.path.split('/').any(|part| part == ".."), "a path with ..");
        let path = folder.join(request.path.trim_start_matches('/'));
        match request.method.as_str() {
            "PUT" => {
                store(&mut input, request.body_bytes, folder, &path)?;
                (&mut &*stream).write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")?;
            }
            "GET" => send(stream, &path, request.range)?,
            other => bail!("the sink does not know {other}"),
        }
    }
    Ok(())
}

fn read_request(input: &mut impl BufRead) -> Result<Option<Request>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().context("no method")?, words.next().context("no path")?);
    let mut request = Request { method, path, body_bytes: 0, range: None };
    loop {
        line.clear();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { return Ok(Some(request)) };
        if name.eq_ignore_ascii_case("content-length") {
            request.body_bytes = value.parse()?;
        } else if name.eq_ignore_ascii_case("range") {
            let (first, last) = value.trim_start_matches("bytes=").split_once('-').context("no range")?;
            request.range = Some(first.parse()?..last.parse::<u64>()? + 1);
        }
    }
}

/// Puts the body at `path`, durably: file, name and new folders are on the disk when this returns.
fn store(input: &mut impl BufRead, length: u64, folder: &Path, path: &Path) -> Result<()> {
    let temporary = folder.join(format!("upload-{}", UPLOADS.fetch_add(1, Ordering::Relaxed)));
    let mut file = File::create(&temporary)?;
    let mut left = length;
    while left > 0 {
        let arrived = input.fill_buf()?;
        ensure!(!arrived.is_empty(), "the client left with {left} bytes to send");
        let count = arrived.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&arrived[..count])?;
        input.consume(count);
        left -= count as u64;
    }
    file.sync_data()?;
    match fs::rename(&temporary, path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            for made in make_folders(path.parent().context("a path without a folder")?)? {
                sync_folder(made.parent().unwrap_or(folder))?;
            }
            fs::rename(&temporary, path)?;
        }
        other => other?,
    }
    sync_folder(path.parent().unwrap_or(folder))
}

/// Makes the folders of a path that are not there yet, and names them.
fn make_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let missing = folder.ancestors().take_while(|ancestor| !ancestor.exists()).map(Path::to_owned).collect();
    fs::create_dir_all(folder)?;
    Ok(missing)
}

fn sync_folder(folder: &Path) -> Result<()> {
    Ok(File::open(folder)?.sync_all()?)
}

fn send(mut stream: &TcpStream, path: &Path, range: Option<Range<u64>>) -> Result<()> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?);
        }
        other => other?,
    };
    let size = file.metadata()?.len();
    let (status, range) = match range {
        Some(range) if range.start < range.end && range.end <= size => ("206 Partial Content", range),
        Some(range) => bail!("range {range:?} of {size} bytes"),
        None => ("200 OK", 0..size),
    };
    let length = range.end - range.start;
    file.seek(SeekFrom::Start(range.start))?;
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    let mut body = file.take(length);
    if length <= SMALL_BYTES {
        body.read_to_end(&mut head)?;
        return Ok(stream.write_all(&head)?);
    }
    stream.write_all(&head)?;
    let copied = io::copy(&mut body, &mut stream)?;
    ensure!(copied == length, "{} ended at {copied} of {length} bytes", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{env, fs, net::TcpListener, process, thread};

    use anyhow::Result;

    use super::accept;
    use crate::bench::{client::Client, pattern::Pattern};

    #[test]
    fn what_the_client_puts_into_the_sink_it_gets_back() -> Result<()> {
        let folder = env::temp_dir().join(format!("holdfast-sink-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let served = folder.clone();
        thread::spawn(move || accept(&listener, &served));
        let (pattern, mut client) = (Pattern::new(), Client::connect(address, Some("token"))?);
        for (file, length) in [(0, 0), (1, 1), (2, 65_536), (3, 65_537), (4, 20_000_003)] {
            let path = format!("/deep/{file}/er");
            client.put(&path, &pattern, file, length)?;
            client.get(&path, &pattern, file, length, None)?;
            assert_eq!(fs::metadata(folder.join(&path[1..]))?.len(), length);
        }
        client.get("/deep/4/er", &pattern, 4, 20_000_003, Some(16_777_000..16_900_000))?;
        assert!(client.get("/deep/2/er", &pattern, 3, 65_536, None).is_err(), "wrong bytes must be noticed");
        let mut client = Client::connect(address, None)?;
        assert!(client.get("/missing", &pattern, 0, 1, None).is_err());
        fs::remove_dir_all(&folder)?;
        Ok(())
    }
}
