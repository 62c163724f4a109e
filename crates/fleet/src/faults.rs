//! The layer that misbehaves on purpose, from a seed: how tests and the simulator play bad hardware and bad firms.
//!
//! [`FaultControl`] says which [`Fault`] strikes [`When`], for all verbs or for one, and counts how often each kind struck;
//! [`Faults`] is the target that suffers. A fault is only drawn for calls where it can do its harm, in the order of
//! [`Fault`]; with the same seed, rules and calls the same faults strike. Faults that the disk itself remembers (rot, a real
//! wipe, a real return to old content) are played on [`MemoryDisk`](crate::memory::MemoryDisk).

mod control;

use std::{
    ops::Range,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use model::world::{Entropy, Timer};

pub use self::control::{Fault, FaultControl, When};
use crate::{
    layer::Verb,
    lock, marker,
    meter::Calls,
    target::{Abilities, DeleteTicket, Error, ObjectName, ObjectWriter, Page, Probe, Result, Target},
    traffic::Traffic,
};

/// So many of the newest objects are left out by a stale listing.
const STALE_OBJECTS: usize = 4;

/// A target that suffers faults.
#[derive(Clone)]
pub struct Faults {
    inner: Arc<dyn Target>,
    control: FaultControl,
    entropy: Arc<dyn Entropy>,
    timer: Arc<dyn Timer>,
    memory: Arc<Mutex<Memory>>,
}

/// What has to be known of the past in order to lie about it.
#[derive(Default)]
struct Memory {
    expected: Option<Bytes>,
    /// Objects finished through this layer, oldest first.
    finished: Vec<ObjectName>,
    /// The marker, and how many of `finished` there were, when [`Faults::remember`] was called.
    old: Option<(Option<Bytes>, usize)>,
}

impl Faults {
    /// Lays faults around `inner`. Nothing strikes until `control` says so.
    pub fn over(
        inner: Arc<dyn Target>,
        control: FaultControl,
        entropy: Arc<dyn Entropy>,
        timer: Arc<dyn Timer>,
    ) -> Self {
        Self { inner, control, entropy, timer, memory: Arc::default() }
    }

    /// Remembers this moment as the one that [`Fault::OldContent`] returns to.
    ///
    /// # Errors
    /// Those of a probe.
    pub async fn remember(&self) -> Result<()> {
        let marker = self.inner.probe().await?.marker;
        let mut memory = lock(&self.memory);
        memory.old = Some((marker, memory.finished.len()));
        Ok(())
    }

    fn strikes(&self, fault: Fault, verb: Verb) -> bool {
        self.control.strikes(fault, verb, &*self.entropy)
    }

    /// What can happen before any call.
    async fn before(&self, verb: Verb) -> Result<()> {
        if self.strikes(Fault::Hang, verb) {
            self.control.hang().await;
        }
        if self.strikes(Fault::Slow, verb) {
            self.timer.sleep(self.control.slow_us()).await;
        }
        if matches!(verb, Verb::Create | Verb::Write | Verb::Put) && self.strikes(Fault::Full, verb) {
            return Err(Error::Full { target: self.address().to_owned() });
        }
        if self.strikes(Fault::ErrorBefore, verb) { Err(self.broken(verb)) } else { Ok(()) }
    }

    /// What can happen after a change took place.
    fn after<T>(&self, verb: Verb, result: T) -> Result<T> {
        if self.strikes(Fault::ErrorAfter, verb) { Err(self.broken(verb)) } else { Ok(result) }
    }

    fn broken(&self, verb: Verb) -> Error {
        let source = Arc::new(std::io::Error::other("a played fault"));
        Error::Io { target: self.address().to_owned(), verb: verb.name(), source }
    }

    /// The marker that the target seems to have, `None` where nothing is pretended; and how many of the objects finished
    /// through this layer it seems to hold.
    fn pretence(&self, verb: Verb) -> Option<(Option<Bytes>, usize)> {
        if self.strikes(Fault::Wiped, verb) {
            return Some((None, 0));
        }
        let old = lock(&self.memory).old.clone();
        old.filter(|_| self.strikes(Fault::OldContent, verb))
    }

    /// Refuses a change at a target that seems to have another marker, as every driver does.
    fn permit_change(&self, verb: Verb) -> Result<()> {
        match self.pretence(verb) {
            Some((seen, _)) => {
                marker::permits_change(self.address(), lock(&self.memory).expected.as_ref(), seen.as_ref())
            }
            None => Ok(()),
        }
    }

    /// Whether `name` seems to be missing, or the error of a target whose word is not taken for it.
    fn hides(&self, verb: Verb, name: &ObjectName) -> Result<bool> {
        let Some((seen, count)) = self.pretence(verb) else { return Ok(false) };
        let memory = lock(&self.memory);
        let hidden = seen.is_none() || memory.finished.iter().skip(count).any(|newer| newer == name);
        if hidden {
            marker::permits_absence(self.address(), memory.expected.as_ref(), seen.as_ref())?;
        }
        Ok(hidden)
    }

    fn finished(&self, name: &ObjectName) {
        lock(&self.memory).finished.push(name.clone());
    }

    fn flip_one_bit(&self, bytes: &Bytes) -> Bytes {
        let mut drawn = [0; 8];
        self.entropy.fill(&mut drawn);
        let bit = u64::from_le_bytes(drawn) % (bytes.len() as u64 * 8);
        let mut changed = BytesMut::from(&bytes[..]);
        changed[(bit / 8) as usize] ^= 1 << (bit % 8);
        changed.freeze()
    }
}

#[async_trait]
impl Target for Faults {
    fn address(&self) -> &str {
        self.inner.address()
    }

    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }

    fn calls(&self) -> Calls {
        self.inner.calls()
    }

    fn traffic(&self) -> Option<Traffic> {
        self.inner.traffic()
    }

    async fn probe(&self) -> Result<Probe> {
        self.before(Verb::Probe).await?;
        let mut probe = self.inner.probe().await?;
        if let Some((marker, _)) = self.pretence(Verb::Probe) {
            probe.marker = marker;
        }
        Ok(probe)
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        lock(&self.memory).expected.clone_from(&marker);
        self.inner.expect_marker(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        self.before(Verb::WriteMarker).await?;
        if let Some((seen, _)) = self.pretence(Verb::WriteMarker) {
            // What seems to be gone is there all the same, so a new beginning must not be made on it.
            let reason = format!("it only seems to have {seen:?} as its marker, by a played fault");
            return Err(Error::Down { target: self.address().to_owned(), reason });
        }
        self.inner.write_marker(present, marker.clone()).await?;
        lock(&self.memory).expected = Some(marker);
        self.after(Verb::WriteMarker, ())
    }

    async fn create(&self, name: &ObjectName, bytes_hint: u64) -> Result<Box<dyn ObjectWriter>> {
        self.before(Verb::Create).await?;
        self.permit_change(Verb::Create)?;
        let inner = self.inner.create(name, bytes_hint).await?;
        let writer = FaultyWriter { inner, faults: self.clone(), name: name.clone(), broken: false };
        self.after(Verb::Create, Box::new(writer) as Box<dyn ObjectWriter>)
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        self.before(Verb::Put).await?;
        self.permit_change(Verb::Put)?;
        if self.strikes(Fault::LostWrite, Verb::Put) {
            return Ok(());
        }
        self.inner.put(name, pieces).await?;
        self.finished(name);
        self.after(Verb::Put, ())
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        self.before(Verb::Read).await?;
        if self.hides(Verb::Read, name)? {
            return Err(Error::Missing { target: self.address().to_owned(), name: name.to_string() });
        }
        let bytes = self.inner.read(name, range.clone()).await?;
        if bytes.is_empty() {
            return Ok(bytes);
        }
        if self.strikes(Fault::ShortRead, Verb::Read) {
            let (target, name) = (self.address().to_owned(), name.to_string());
            return Err(Error::Short { target, name, expected: range.end, got: range.end - 1 });
        }
        if self.strikes(Fault::BitFlip, Verb::Read) { Ok(self.flip_one_bit(&bytes)) } else { Ok(bytes) }
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        self.before(Verb::Stat).await?;
        if self.hides(Verb::Stat, name)? { Ok(None) } else { self.inner.stat(name).await }
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        self.before(Verb::List).await?;
        let pretence = self.pretence(Verb::List);
        let mut page = self.inner.list(prefix, after, limit).await?;
        let stale = self.strikes(Fault::StaleListing, Verb::List);
        let memory = lock(&self.memory);
        if let Some((seen, count)) = pretence {
            marker::permits_absence(self.address(), memory.expected.as_ref(), seen.as_ref())?;
            if seen.is_none() {
                return Ok(Page::default());
            }
            let newer = memory.finished.get(count..).unwrap_or_default();
            page.objects.retain(|listed| !newer.contains(&listed.name));
        }
        if stale {
            let newest = &memory.finished[memory.finished.len().saturating_sub(STALE_OBJECTS)..];
            page.objects.retain(|listed| !newest.contains(&listed.name));
        }
        Ok(page)
    }

    async fn occupant(&self) -> Result<Option<String>> {
        self.before(Verb::List).await?;
        self.inner.occupant().await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        self.before(Verb::SetAside).await?;
        self.permit_change(Verb::SetAside)?;
        self.inner.set_aside(name).await?;
        self.after(Verb::SetAside, ())
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        self.before(Verb::Delete).await?;
        self.permit_change(Verb::Delete)?;
        self.inner.delete(ticket).await?;
        self.after(Verb::Delete, ())
    }

    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()> {
        self.before(Verb::Delete).await?;
        self.permit_change(Verb::Delete)?;
        self.inner.leave(marker, names).await?;
        lock(&self.memory).expected = None;
        self.after(Verb::Delete, ())
    }
}

struct FaultyWriter {
    inner: Box<dyn ObjectWriter>,
    faults: Faults,
    name: ObjectName,
    /// After an error nothing more is taken, whatever the writer underneath would do.
    broken: bool,
}

#[async_trait]
impl ObjectWriter for FaultyWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(self.faults.broken(Verb::Write));
        }
        self.faults.before(Verb::Write).await?;
        self.inner.write(bytes).await?;
        self.faults.after(Verb::Write, ())?;
        self.broken = false;
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        let Self { inner, faults, name, broken } = *self;
        if broken {
            return Err(faults.broken(Verb::Finish));
        }
        faults.before(Verb::Finish).await?;
        faults.permit_change(Verb::Finish)?;
        if faults.strikes(Fault::LostWrite, Verb::Finish) {
            return Ok(());
        }
        inner.finish().await?;
        faults.finished(&name);
        faults.after(Verb::Finish, ())
    }
}
