//! One SFTP channel: many requests under way at once, each reply given to who waits for it.
//!
//! [`Session::ask`] only sends; the [`Asked`] it returns is waited for later, and that is all the pipelining there is. Who
//! stops waiting loses nothing: a handle that comes for nobody is closed. Every wait has a limit; when one passes it, or a
//! reply breaks the protocol, the whole connection is given up ([`Ending`]) and all who wait on it fail at once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use model::world::Timer;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client::Msg};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::wire::{self, Attributes, Entry, Extensions, Garbled, Reply, Request, Status};
use crate::lock;

/// What a server that tells no limits surely takes. Source: draft-ietf-secsh-filexfer-02, section 3.
const PIECE_BYTES: u64 = 32 << 10;
/// Longer pieces gain nothing, and must fit into a packet with their head.
const PIECE_BYTES_MAX: u64 = (wire::PACKET_BYTES_MAX as u64) - 1024;
/// Writers that may have a file open on a channel whose server tells no limit.
const WRITERS: u64 = 100;
const WRITERS_MAX: u64 = 900;
/// Handles that are left to everything but writers.
const HANDLES_SPARE: u64 = 100;

/// Why a request has no good answer.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// The server said no.
    Status(Status),
    /// The connection is gone, for this reason.
    Broken(Arc<str>),
    /// No answer within this many milliseconds; the connection was given up.
    Late(u64),
}

impl Refusal {
    pub(super) fn is(&self, code: u32) -> bool {
        matches!(self, Self::Status(status) if status.code == code)
    }
}

pub(super) type Answer<T> = std::result::Result<T, Refusal>;

/// Whether a connection has ended, and why. Shared by its channels: when one fails they all do.
pub(super) struct Ending {
    reason: watch::Sender<Option<Arc<str>>>,
}

impl Ending {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { reason: watch::Sender::new(None) })
    }

    pub(super) fn reason(&self) -> Option<Arc<str>> {
        self.reason.borrow().clone()
    }

    /// Ends the connection; the first reason stays.
    pub(super) fn end(&self, reason: &str) {
        self.reason.send_if_modified(|present| {
            let first = present.is_none();
            if first {
                *present = Some(reason.into());
            }
            first
        });
    }

    async fn ended(&self) {
        // The sender is `self`, so it is not gone.
        let _ = self.reason.subscribe().wait_for(Option::is_some).await;
    }
}

/// Who waits for which reply; `None` once nobody can be answered any more.
type Waiting = Arc<Mutex<Option<BTreeMap<u32, oneshot::Sender<Reply>>>>>;
type Packet = (Bytes, Bytes);

/// One channel. Dropping it lets the server close what is open on it.
pub(super) struct Session {
    outbox: mpsc::UnboundedSender<Packet>,
    waiting: Waiting,
    ending: Arc<Ending>,
    next_id: AtomicU32,
    timer: Arc<dyn Timer>,
    answer_ms: u64,
    pub(super) extensions: Extensions,
    /// The longest piece of a read, and of a write, in bytes.
    pub(super) read_bytes: u32,
    pub(super) write_bytes: usize,
    /// Turns for those who keep a file open while they write it.
    pub(super) writers: Arc<Semaphore>,
}

impl Session {
    /// Starts SFTP on an open channel.
    ///
    /// # Errors
    /// In words, what the server did instead.
    pub(super) async fn start(
        channel: Channel<Msg>,
        ending: Arc<Ending>,
        timer: Arc<dyn Timer>,
        answer_ms: u64,
    ) -> std::result::Result<Self, String> {
        let (mut inbound, outbound) = channel.split();
        let broke = |error: russh::Error| format!("it broke off while SFTP was started: {error}");
        outbound.request_subsystem(true, "sftp").await.map_err(broke)?;
        outbound.data_bytes(wire::INIT).await.map_err(broke)?;
        let mut received = BytesMut::new();
        let garbled = |Garbled(how): Garbled| format!("it does not speak SFTP: it sent {how}");
        let version = loop {
            if let Some(packet) = wire::take_packet(&mut received).map_err(garbled)? {
                break packet;
            }
            match inbound.wait().await {
                Some(ChannelMsg::Data { data }) => received.extend_from_slice(&data),
                Some(ChannelMsg::Failure) => return Err("it offers no SFTP to this login".to_owned()),
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => {
                    return Err("it ended the channel instead of starting SFTP".to_owned());
                }
                Some(_) => {}
            }
        };
        let extensions = Extensions::read(version).map_err(garbled)?;
        let (outbox, packets) = mpsc::unbounded_channel();
        let waiting: Waiting = Arc::new(Mutex::new(Some(BTreeMap::new())));
        let run = run(inbound, received, outbound, packets, Arc::clone(&waiting), outbox.downgrade(), ending.clone());
        timer.spawn(Box::pin(run));
        let mut session = Self {
            outbox,
            waiting,
            ending,
            next_id: AtomicU32::new(1),
            timer,
            answer_ms,
            extensions,
            read_bytes: PIECE_BYTES as u32,
            write_bytes: PIECE_BYTES as usize,
            writers: Arc::new(Semaphore::new(WRITERS as usize)),
        };
        if extensions.limits {
            session.learn_limits().await;
        }
        Ok(session)
    }

    async fn learn_limits(&mut self) {
        let Ok(reply) = self.ask(Request::limits()).extended().await else { return };
        let Some((read, write, handles)) = wire::read_limits(reply) else { return };
        let piece = |limit: u64| if limit == 0 { PIECE_BYTES } else { limit.min(PIECE_BYTES_MAX) };
        self.read_bytes = piece(read) as u32;
        self.write_bytes = piece(write) as usize;
        let writers = if handles == 0 { WRITERS } else { handles.saturating_sub(HANDLES_SPARE) };
        self.writers = Arc::new(Semaphore::new(writers.clamp(1, WRITERS_MAX) as usize));
    }

    /// Sends a request. Whether it arrives shows in the answer.
    pub(super) fn ask(&self, request: Request) -> Asked {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).max(NOBODY + 1);
        let (answer, waiter) = oneshot::channel();
        if let Some(waiting) = &mut *lock(&self.waiting) {
            waiting.insert(id, answer);
            // If the channel ended meanwhile, whoever ends it finds the waiter.
            let _ = self.outbox.send(request.packet(id));
        }
        Asked {
            waiter,
            ending: Arc::clone(&self.ending),
            timer: Arc::clone(&self.timer),
            answer_ms: self.answer_ms,
            outbox: self.outbox.clone(),
        }
    }

    /// Whether nothing can be asked any more.
    pub(super) fn is_over(&self) -> bool {
        self.ending.reason().is_some() || lock(&self.waiting).is_none()
    }

    /// Sends a request whose answer is of no interest.
    pub(super) fn tell(&self, request: Request) {
        drop(self.ask(request));
    }
}

/// A request under way.
pub(super) struct Asked {
    waiter: oneshot::Receiver<Reply>,
    ending: Arc<Ending>,
    timer: Arc<dyn Timer>,
    answer_ms: u64,
    outbox: mpsc::UnboundedSender<Packet>,
}

impl Asked {
    async fn reply(self) -> Answer<(Reply, Ended)> {
        let Self { waiter, ending, timer, answer_ms, outbox } = self;
        let reply = tokio::select! {
            biased;
            reply = waiter => reply.ok(),
            () = timer.sleep(answer_ms.saturating_mul(1_000)) => {
                ending.end(&format!("the server did not answer within {answer_ms} ms, so the connection was given up"));
                return Err(Refusal::Late(answer_ms));
            }
        };
        match reply {
            Some(reply) => Ok((reply, Ended { ending, outbox })),
            None => Err(Refusal::Broken(ending.reason().unwrap_or_else(|| "the connection ended".into()))),
        }
    }

    /// Waits for the word that it was done.
    pub(super) async fn done(self) -> Answer<()> {
        match self.reply().await? {
            (Reply::Status(status), _) if status.code == Status::OK => Ok(()),
            (Reply::Status(status), _) => Err(Refusal::Status(status)),
            (_, ended) => ended.garbled(),
        }
    }

    pub(super) async fn attributes(self) -> Answer<Attributes> {
        match self.reply().await? {
            (Reply::Attributes(attributes), _) => Ok(attributes),
            (other, ended) => ended.refusal(other),
        }
    }

    pub(super) async fn data(self) -> Answer<Bytes> {
        match self.reply().await? {
            (Reply::Data(data), _) => Ok(data),
            (other, ended) => ended.refusal(other),
        }
    }

    pub(super) async fn names(self) -> Answer<Vec<Entry>> {
        match self.reply().await? {
            (Reply::Names(entries), _) => Ok(entries),
            (other, ended) => ended.refusal(other),
        }
    }

    pub(super) async fn extended(self) -> Answer<Bytes> {
        match self.reply().await? {
            (Reply::Extended(body), _) => Ok(body),
            (other, ended) => ended.refusal(other),
        }
    }

    pub(super) async fn opened(self) -> Answer<Opened> {
        match self.reply().await? {
            (Reply::Handle(handle), ended) => Ok(Opened { handle, outbox: ended.outbox, closed: false }),
            (other, ended) => ended.refusal(other),
        }
    }
}

/// What is left of an [`Asked`] once it is answered.
struct Ended {
    ending: Arc<Ending>,
    outbox: mpsc::UnboundedSender<Packet>,
}

impl Ended {
    fn refusal<T>(&self, reply: Reply) -> Answer<T> {
        match reply {
            Reply::Status(status) if status.code != Status::OK => Err(Refusal::Status(status)),
            _ => self.garbled(),
        }
    }

    fn garbled<T>(&self) -> Answer<T> {
        self.ending.end("the server answered something else than was asked");
        Err(Refusal::Broken(self.ending.reason().unwrap_or_else(|| "the connection ended".into())))
    }
}

/// An open file or folder. Dropping it closes it.
pub(super) struct Opened {
    handle: Bytes,
    outbox: mpsc::UnboundedSender<Packet>,
    closed: bool,
}

impl Opened {
    pub(super) fn handle(&self) -> &[u8] {
        &self.handle
    }

    /// Closes it; the answer is worth waiting for after writes, as some servers say only now that one failed.
    pub(super) fn close(mut self, session: &Session) -> Asked {
        self.closed = true;
        session.ask(Request::close(&self.handle))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.closed {
            close_unasked(&self.outbox, &self.handle);
        }
    }
}

/// The number of requests whose answers nobody waits for.
const NOBODY: u32 = 0;

fn close_unasked(outbox: &mpsc::UnboundedSender<Packet>, handle: &[u8]) {
    let _ = outbox.send(Request::close(handle).packet(NOBODY));
}

/// Carries packets both ways until either way ends, and then tells all who wait.
async fn run(
    inbound: ChannelReadHalf,
    received: BytesMut,
    outbound: ChannelWriteHalf<Msg>,
    packets: mpsc::UnboundedReceiver<Packet>,
    waiting: Waiting,
    outbox: mpsc::WeakUnboundedSender<Packet>,
    ending: Arc<Ending>,
) {
    let reason = tokio::select! {
        reason = receive(inbound, received, &waiting, &outbox) => Some(reason),
        reason = send(&outbound, packets) => reason,
        () = ending.ended() => None,
    };
    if let Some(reason) = reason {
        ending.end(&reason);
    }
    lock(&waiting).take();
    let _ = outbound.close().await;
}

/// Returns why nothing more comes.
async fn receive(
    mut inbound: ChannelReadHalf,
    mut received: BytesMut,
    waiting: &Waiting,
    outbox: &mpsc::WeakUnboundedSender<Packet>,
) -> String {
    loop {
        match wire::take_packet(&mut received).and_then(|packet| packet.map(wire::reply).transpose()) {
            Ok(Some((id, reply))) => {
                give(waiting, outbox, id, reply);
                continue;
            }
            Ok(None) => {}
            Err(Garbled(how)) => return format!("the server sent {how}"),
        }
        match inbound.wait().await {
            Some(ChannelMsg::Data { data }) => received.extend_from_slice(&data),
            Some(ChannelMsg::Eof | ChannelMsg::Close) => return "the server ended SFTP".to_owned(),
            None => return "the connection broke off".to_owned(),
            Some(_) => {}
        }
    }
}

fn give(waiting: &Waiting, outbox: &mpsc::WeakUnboundedSender<Packet>, id: u32, reply: Reply) {
    let waiter = lock(waiting).as_mut().and_then(|waiting| waiting.remove(&id));
    // Replies to nobody are passed over: most are to those who stopped waiting.
    let unwanted = match waiter {
        Some(waiter) => waiter.send(reply).err(),
        None => None,
    };
    if let (Some(Reply::Handle(handle)), Some(outbox)) = (unwanted, outbox.upgrade()) {
        close_unasked(&outbox, &handle);
    }
}

/// Returns why nothing more can be sent; `None` when nobody is left who would.
async fn send(outbound: &ChannelWriteHalf<Msg>, mut packets: mpsc::UnboundedReceiver<Packet>) -> Option<String> {
    while let Some((head, payload)) = packets.recv().await {
        for part in [head, payload] {
            if let Err(error) = outbound.data_bytes(part).await {
                return Some(format!("the connection broke off: {error}"));
            }
        }
    }
    None
}
