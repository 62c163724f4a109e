//! The played providers: memory disks, the faults laid around them, and the layer that counts effects.
//!
//! A [`Disk`] outlives the service. For each life of the service a stack of layers is laid around it, as in production:
//! `retry(timeout(effects(faults(memory))))`. Every call takes a little virtual time, so that calls overtake each other.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use fleet::{
    Abilities, DeleteTicket, FaultControl, Faults, MemoryDisk, MemoryTarget, ObjectName, ObjectWriter, Page, Probe,
    Result, Retry, Target, TimeLimits, Timeout, Tries, layer::Verb,
};
use model::{
    id::{ProviderId, TargetId},
    world::Timer,
};

use crate::{chance::Chance, exec::Time, power::Power};

/// One target of the played world.
#[derive(Clone)]
pub struct Disk {
    /// Its place in the world's list.
    pub index: usize,
    /// Its id.
    pub target: TargetId,
    /// Whose it is in truth.
    pub provider: usize,
    /// Whose it is by name and id.
    pub provider_id: ProviderId,
    /// What is on it.
    pub disk: MemoryDisk,
    /// The hand on its faults.
    pub faults: FaultControl,
}

impl Disk {
    /// Where it is.
    pub fn address(&self) -> String {
        format!("memory-{}", self.index)
    }

    /// A new life's way to this disk.
    pub fn open(&self, time: &Time, power: &Power, chance: &Chance) -> Arc<dyn Target> {
        let memory = MemoryTarget::on(self.address(), self.disk.clone());
        let timer: Arc<dyn Timer> = Arc::new(time.clone());
        let faulty = Faults::over(Arc::new(memory), self.faults.clone(), chance.entropy(), timer.clone());
        let effects = Effects {
            inner: Arc::new(faulty),
            index: self.index,
            power: power.clone(),
            time: timer.clone(),
            chance: chance.clone(),
        };
        let limits = TimeLimits { probe_ms: 300, name_ms: 500, read_ms: 500, write_ms: 500, sync_ms: 1_000 };
        let timely = Timeout::over(Arc::new(effects), limits, timer.clone());
        Retry::over(timely, Tries { count: 2, ..Tries::default() }, timer, chance.entropy())
    }
}

/// Counts every call as an effect and lets it take a little time.
#[derive(Clone)]
struct Effects {
    inner: Arc<dyn Target>,
    index: usize,
    power: Power,
    time: Arc<dyn Timer>,
    chance: Chance,
}

/// Bytes that age sealed are drawn by age itself: their names count, their content does not.
fn digest(name: &str, pieces: &[Bytes]) -> u32 {
    if name.starts_with("envelopes/") || name.starts_with("addresses/") {
        return 0;
    }
    let mut hasher = crc32fast::Hasher::new();
    pieces.iter().for_each(|piece| hasher.update(piece));
    hasher.finalize()
}

impl Effects {
    async fn effect<T>(
        &self,
        verb: Verb,
        name: &str,
        pieces: &[Bytes],
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        self.time.sleep(self.chance.between(50, 1_500)).await;
        let Some(number) = self.power.begin(verb, self.index, name, digest(name, pieces)) else {
            return std::future::pending().await;
        };
        let result = call.await;
        if self.power.end(number, verb, name) { result } else { std::future::pending().await }
    }
}

#[async_trait]
impl Target for Effects {
    fn address(&self) -> &str {
        self.inner.address()
    }

    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }

    async fn probe(&self) -> Result<Probe> {
        let mut probe = self.effect(Verb::Probe, "", &[], self.inner.probe()).await?;
        // Told to the byte it would let the length of an age file, which age draws, decide what is placed where.
        probe.free_bytes = None;
        Ok(probe)
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        self.inner.expect_marker(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        let pieces = [marker.clone()];
        self.effect(Verb::WriteMarker, "", &pieces, self.inner.write_marker(present, marker)).await
    }

    async fn create(&self, name: &ObjectName, bytes_hint: u64) -> Result<Box<dyn ObjectWriter>> {
        let inner = self.effect(Verb::Create, name.as_str(), &[], self.inner.create(name, bytes_hint)).await?;
        Ok(Box::new(EffectsWriter { inner, effects: self.clone(), name: name.to_string() }))
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        self.effect(Verb::Put, name.as_str(), pieces, self.inner.put(name, pieces)).await
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        self.effect(Verb::Read, name.as_str(), &[], self.inner.read(name, range)).await
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        self.effect(Verb::Stat, name.as_str(), &[], self.inner.stat(name)).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        self.effect(Verb::List, prefix, &[], self.inner.list(prefix, after, limit)).await
    }

    async fn occupant(&self) -> fleet::Result<Option<String>> {
        self.inner.occupant().await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        self.effect(Verb::SetAside, name.as_str(), &[], self.inner.set_aside(name)).await
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        self.effect(Verb::Delete, ticket.name.as_str(), &[], self.inner.delete(ticket)).await
    }

    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()> {
        self.effect(Verb::Delete, "", &[], self.inner.leave(marker, names)).await
    }
}

struct EffectsWriter {
    inner: Box<dyn ObjectWriter>,
    effects: Effects,
    name: String,
}

#[async_trait]
impl ObjectWriter for EffectsWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let pieces = [bytes.clone()];
        self.effects.effect(Verb::Write, &self.name, &pieces, self.inner.write(bytes)).await
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        let Self { inner, effects, name } = *self;
        effects.effect(Verb::Finish, &name, &[], inner.finish()).await
    }
}
