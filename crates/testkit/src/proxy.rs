//! A network between a test and a server, on loopback: slow, narrow, cut, stalled, swallowing, or wrong by one bit.
//!
//! A test connects to [`Proxy::address`] instead of the server's. Everything can be changed while bytes are under way, and
//! holds for all connections from then on. The proxy runs on a thread of its own, so it works for tests with any runtime or
//! none, and waits for real: its delays are for measuring, not for asserting.
#![allow(clippy::disallowed_methods, reason = "tests play the network, which takes real time")]

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that are under way at once, one way: more than a fast line holds in a second.
const PIECES_MAX: usize = 512;
/// A timer wakes late by a millisecond or two: a line that was free for less was not idle.
const LATE: Duration = Duration::from_millis(20);

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From the test to the server.
    Up,
    /// From the server to the test.
    Down,
}

/// What happens to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They arrive.
    Pass,
    /// They wait until the mode changes, and so do new connections. Senders feel it once buffers are full.
    Stall,
    /// They vanish, as in a black hole. New connections are accepted and nothing ever comes of them.
    Swallow,
    /// They arrive, but new connections are ended as soon as they are made.
    Refuse,
}

#[derive(Default)]
struct Line {
    delay: Duration,
    bytes_per_s: Option<u64>,
    /// When the line will have carried all that was given to it: all connections share it.
    free_at: Option<Instant>,
    passed_bytes: u64,
    /// Positions, counted as `passed_bytes` is, at which something happens once.
    cut_at: Option<u64>,
    flip_at: Option<u64>,
    rewrite: Option<Rewrite>,
}

type Rewrite = Box<dyn Fn(&mut [u8]) + Send>;

impl Line {
    /// Takes so many bytes onto the line; when they are over.
    fn carry(&mut self, bytes: usize) -> Instant {
        let now = Instant::now();
        let Some(rate) = self.bytes_per_s else { return now };
        let begun = self.free_at.map_or(now, |free_at| free_at.max(now - LATE));
        let over = begun + Duration::from_secs_f64(bytes as f64 / rate as f64);
        self.free_at = Some(over);
        over
    }
}

struct Control {
    server: Mutex<SocketAddr>,
    lines: Mutex<BTreeMap<Way, Line>>,
    accepted: Mutex<u64>,
    mode: watch::Sender<Mode>,
    /// Counts the cuts; every connection that saw an earlier count ends.
    cuts: watch::Sender<u64>,
}

/// A running proxy. Dropping it cuts everything.
pub struct Proxy {
    address: SocketAddr,
    control: Arc<Control>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy that passes everything to `server`.
    ///
    /// # Errors
    /// Those of listening on loopback.
    ///
    /// # Panics
    /// If the system gives no thread.
    pub fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let control = Arc::new(Control {
            server: Mutex::new(server),
            lines: Mutex::new([(Way::Up, Line::default()), (Way::Down, Line::default())].into()),
            accepted: Mutex::new(0),
            mode: watch::Sender::new(Mode::Pass),
            cuts: watch::Sender::new(0),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let accepting = accept(listener, Arc::clone(&control));
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accepting => {}
                    _ = stopped => {}
                }
            });
            // Ends every connection.
            drop(runtime);
        };
        let thread = Some(thread::Builder::new().name("proxy".to_owned()).spawn(run)?);
        Ok(Self { address, control, stop: Some(stop), thread })
    }

    /// Where to connect to instead of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Holds every byte back for so long, one way. Half a round trip each way makes a round trip.
    pub fn delay(&self, way: Way, delay: Duration) {
        self.control.line(way, |line| line.delay = delay);
    }

    /// Lets through so many bytes a second and connection, one way; `None` for all.
    pub fn rate(&self, way: Way, bytes_per_s: Option<u64>) {
        self.control.line(way, |line| line.bytes_per_s = bytes_per_s.map(|rate| rate.max(1)));
    }

    /// Leads new connections to another server: the firm has moved, or has put something else in its place.
    pub fn lead_to(&self, server: SocketAddr) {
        *hold(&self.control.server) = server;
    }

    /// Shows all bytes to `rewrite` as they come in, one way; what it changes arrives changed.
    pub fn rewrite(&self, way: Way, rewrite: impl Fn(&mut [u8]) + Send + 'static) {
        self.control.line(way, |line| line.rewrite = Some(Box::new(rewrite)));
    }

    /// Changes what happens to bytes.
    pub fn set(&self, mode: Mode) {
        self.control.mode.send_replace(mode);
    }

    /// Ends every connection there is now; new ones are accepted.
    pub fn cut(&self) {
        self.control.cut();
    }

    /// Ends every connection once so many more bytes have passed one way.
    pub fn cut_after(&self, way: Way, bytes: u64) {
        self.control.line(way, |line| line.cut_at = Some(line.passed_bytes + bytes));
    }

    /// Flips one bit of the byte that follows so many more bytes, one way, once.
    pub fn flip_after(&self, way: Way, bytes: u64) {
        self.control.line(way, |line| line.flip_at = Some(line.passed_bytes + bytes));
    }

    /// How many bytes were taken in, one way, over all connections.
    pub fn passed_bytes(&self, way: Way) -> u64 {
        self.control.line(way, |line| line.passed_bytes)
    }

    /// How many connections were made to the proxy.
    pub fn accepted(&self) -> u64 {
        *hold(&self.control.accepted)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Control {
    fn line<T>(&self, way: Way, act: impl FnOnce(&mut Line) -> T) -> T {
        act(hold(&self.lines).entry(way).or_default())
    }

    fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Counts and treats bytes on their way in. Returns how many of them still arrive.
    fn treat(&self, way: Way, bytes: &mut [u8]) -> usize {
        self.line(way, |line| {
            let from = line.passed_bytes;
            let to = from + bytes.len() as u64;
            if let Some(at) = line.flip_at.filter(|at| (from..to).contains(at)) {
                bytes[(at - from) as usize] ^= 1;
                line.flip_at = None;
            }
            if let Some(rewrite) = &line.rewrite {
                rewrite(bytes);
            }
            let end = line.cut_at.filter(|at| *at <= to).map_or(to, |at| at.max(from));
            if end < to || line.cut_at == Some(to) {
                line.cut_at = None;
                self.cut();
            }
            line.passed_bytes = end;
            (end - from) as usize
        })
    }

    /// Waits until bytes may move; false if they are to vanish.
    async fn may_pass(&self) -> bool {
        let mut mode = self.mode.subscribe();
        let now = mode.wait_for(|mode| *mode != Mode::Stall).await;
        now.is_ok_and(|mode| *mode != Mode::Swallow)
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: std::net::TcpListener, control: Arc<Control>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((client, _)) = listener.accept().await {
        *hold(&control.accepted) += 1;
        let mode = *control.mode.borrow();
        if mode != Mode::Refuse {
            tokio::spawn(connect(client, Arc::clone(&control)));
        }
    }
}

/// Carries one connection until either side ends it or it is cut.
async fn connect(client: TcpStream, control: Arc<Control>) {
    let mut cuts = control.cuts.subscribe();
    cuts.mark_unchanged();
    let carry = async {
        if !control.may_pass().await {
            // Nothing ever comes of it.
            std::future::pending::<()>().await;
        }
        let server = *hold(&control.server);
        let Ok(server) = TcpStream::connect(server).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((client_read, client_write), (server_read, server_write)) = (client.into_split(), server.into_split());
        tokio::join!(
            pass(Way::Up, client_read, server_write, &control),
            pass(Way::Down, server_read, client_write, &control),
        );
    };
    tokio::select! {
        () = carry => {}
        _ = cuts.changed() => {}
    }
}

/// Carries one direction; the end of it is passed on too.
async fn pass(way: Way, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, control: &Control) {
    let (pieces, mut arriving) = mpsc::channel::<(Instant, BytesMut)>(PIECES_MAX);
    let taking = async move {
        loop {
            let mut piece = BytesMut::with_capacity(PIECE_BYTES);
            if !matches!(from.read_buf(&mut piece).await, Ok(1..)) {
                break;
            }
            let arrives = control.treat(way, &mut piece);
            piece.truncate(arrives);
            let due = Instant::now() + control.line(way, |line| line.delay);
            if control.may_pass().await && pieces.send((due, piece)).await.is_err() {
                break;
            }
        }
    };
    let giving = async {
        while let Some((due, piece)) = arriving.recv().await {
            let free_at = control.line(way, |line| line.carry(piece.len()));
            tokio::time::sleep_until(due.max(free_at)).await;
            if control.may_pass().await && to.write_all(&piece).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(taking, giving);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        thread,
    };

    use super::{Mode, Proxy, Way};

    /// A server that sends back what it is sent, and a proxy before it.
    fn echo() -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let mut writer = stream.try_clone().unwrap();
                    let _ = std::io::copy(&mut &stream, &mut writer);
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                });
            }
        });
        Proxy::start(address).unwrap()
    }

    fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        stream.write_all(bytes)?;
        let mut back = vec![0; bytes.len()];
        stream.read_exact(&mut back)?;
        Ok(back)
    }

    #[test]
    fn bytes_pass_and_are_counted_and_one_bit_can_be_wrong() {
        let proxy = echo();
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        let long = vec![7; 300_000];
        assert_eq!(exchange(&mut stream, &long[..100_000]).unwrap(), long[..100_000]);
        proxy.flip_after(Way::Down, 3);
        assert_eq!(exchange(&mut stream, b"abcdef").unwrap(), b"abceef");
        assert_eq!(exchange(&mut stream, b"abcdef").unwrap(), b"abcdef");
        assert_eq!((proxy.passed_bytes(Way::Up), proxy.passed_bytes(Way::Down)), (100_012, 100_012));
        assert_eq!(proxy.accepted(), 1);
    }

    #[test]
    fn a_cut_ends_what_is_and_lets_new_ones_in() {
        let proxy = echo();
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        exchange(&mut stream, b"first").unwrap();
        proxy.cut();
        assert!(exchange(&mut stream, b"second").is_err());
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        exchange(&mut stream, b"third").unwrap();
        proxy.cut_after(Way::Down, 4);
        let mut back = Vec::new();
        stream.write_all(b"fourth").unwrap();
        // The cut may be felt as an end or as an error; no more than four bytes arrive either way.
        let _ = stream.read_to_end(&mut back);
        assert!(b"four".starts_with(&back), "{back:?}");
    }

    #[test]
    fn a_stall_holds_bytes_back_and_a_refusal_ends_new_connections() {
        let proxy = echo();
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        exchange(&mut stream, b"first").unwrap();
        proxy.set(Mode::Stall);
        stream.write_all(b"later").unwrap();
        while proxy.passed_bytes(Way::Up) < 10 {
            thread::yield_now();
        }
        assert_eq!(proxy.passed_bytes(Way::Down), 5);
        proxy.set(Mode::Refuse);
        let mut back = [0; 5];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"later");
        let mut refused = TcpStream::connect(proxy.address()).unwrap();
        assert!(!matches!(refused.read(&mut back), Ok(1..)));
    }

    #[test]
    fn a_black_hole_takes_everything_and_gives_nothing() {
        let proxy = echo();
        proxy.set(Mode::Swallow);
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        stream.write_all(b"gone").unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
        assert!(stream.read(&mut [0; 1]).is_err());
        assert_eq!(proxy.passed_bytes(Way::Down), 0);
    }
}
