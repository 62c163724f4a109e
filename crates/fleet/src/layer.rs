//! What the plain layers share: a target around a target, where one function sees every call.
//!
//! A layer says by [`Around`] what it does around *any* call and is done; [`Layered`] passes the calls through. Layers that
//! need to understand a call's content (only [`faults`](crate::faults)) implement [`Target`] themselves.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use model::world::BoxFuture;

use crate::{
    meter::Calls,
    target::{Abilities, DeleteTicket, ObjectName, ObjectWriter, Page, Probe, Result, Target},
    traffic::Traffic,
};

/// What is asked of a target; limits, counts and faults are kept by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// [`Target::probe`].
    Probe,
    /// [`Target::write_marker`].
    WriteMarker,
    /// [`Target::create`].
    Create,
    /// [`ObjectWriter::write`].
    Write,
    /// [`ObjectWriter::finish`].
    Finish,
    /// [`Target::put`].
    Put,
    /// [`Target::read`].
    Read,
    /// [`Target::stat`].
    Stat,
    /// [`Target::list`].
    List,
    /// [`Target::set_aside`].
    SetAside,
    /// [`Target::delete`].
    Delete,
}

impl Verb {
    /// All verbs, in order.
    pub const ALL: [Self; 11] = [
        Self::Probe,
        Self::WriteMarker,
        Self::Create,
        Self::Write,
        Self::Finish,
        Self::Put,
        Self::Read,
        Self::Stat,
        Self::List,
        Self::SetAside,
        Self::Delete,
    ];

    /// The word for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::WriteMarker => "write_marker",
            Self::Create => "create",
            Self::Write => "write",
            Self::Finish => "finish",
            Self::Put => "put",
            Self::Read => "read",
            Self::Stat => "stat",
            Self::List => "list",
            Self::SetAside => "set_aside",
            Self::Delete => "delete",
        }
    }

    /// Whether it may change something at the target.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Probe | Self::Read | Self::Stat | Self::List)
    }
}

/// One call that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What is asked.
    pub verb: Verb,
    /// Address of the target.
    pub target: &'a str,
    /// Bytes of content that it sends or asks for; 0 for calls about names.
    pub bytes: u64,
}

/// What a layer does around each call.
pub trait Around: Send + Sync + 'static {
    /// Runs a call that can be made once only.
    fn once<'a, T: Send + 'a>(&'a self, call: Call<'a>, run: BoxFuture<'a, Result<T>>) -> BoxFuture<'a, Result<T>>;

    /// Runs a call that may be made again with the same effect.
    fn again<'a, T, F>(&'a self, call: Call<'a>, mut attempt: F) -> BoxFuture<'a, Result<T>>
    where
        T: Send + 'a,
        F: FnMut() -> BoxFuture<'a, Result<T>> + Send + 'a,
    {
        self.once(call, attempt())
    }

    /// The calls so far, if this layer counts them.
    fn calls(&self) -> Calls {
        Calls::new()
    }

    /// What the firm was asked for, if this layer counts it.
    fn traffic(&self) -> Option<Traffic> {
        None
    }
}

/// A target with something around it.
pub struct Layered<A> {
    inner: Arc<dyn Target>,
    around: Arc<A>,
}

impl<A: Around> Layered<A> {
    /// Lays `around` around `inner`.
    pub fn over(inner: Arc<dyn Target>, around: A) -> Arc<dyn Target> {
        Arc::new(Self { inner, around: Arc::new(around) })
    }

    fn call(&self, verb: Verb, bytes: u64) -> Call<'_> {
        Call { verb, target: self.inner.address(), bytes }
    }
}

#[async_trait]
impl<A: Around> Target for Layered<A> {
    fn address(&self) -> &str {
        self.inner.address()
    }

    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }

    /// Those of the layer that lies next to the driver: it sees every try.
    fn calls(&self) -> Calls {
        let inner = self.inner.calls();
        if inner.is_empty() { self.around.calls() } else { inner }
    }

    /// The driver's own count, if it has one: it sees more.
    fn traffic(&self) -> Option<Traffic> {
        self.inner.traffic().or_else(|| self.around.traffic())
    }

    async fn probe(&self) -> Result<Probe> {
        self.around.again(self.call(Verb::Probe, 0), || self.inner.probe()).await
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        self.inner.expect_marker(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        let bytes = marker.len() as u64;
        self.around.once(self.call(Verb::WriteMarker, bytes), self.inner.write_marker(present, marker)).await
    }

    async fn create(&self, name: &ObjectName, bytes_hint: u64) -> Result<Box<dyn ObjectWriter>> {
        let inner = self.around.once(self.call(Verb::Create, 0), self.inner.create(name, bytes_hint)).await?;
        let (around, address) = (Arc::clone(&self.around), self.inner.address().to_owned());
        Ok(Box::new(LayeredWriter { inner, around, address }))
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        self.around.once(self.call(Verb::Put, bytes), self.inner.put(name, pieces)).await
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        let bytes = range.end.saturating_sub(range.start);
        self.around.again(self.call(Verb::Read, bytes), move || self.inner.read(name, range.clone())).await
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        self.around.again(self.call(Verb::Stat, 0), || self.inner.stat(name)).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        self.around.again(self.call(Verb::List, 0), move || self.inner.list(prefix, after, limit)).await
    }

    async fn occupant(&self) -> Result<Option<String>> {
        self.around.again(self.call(Verb::List, 0), || self.inner.occupant()).await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        self.around.once(self.call(Verb::SetAside, 0), self.inner.set_aside(name)).await
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        self.around.again(self.call(Verb::Delete, 0), || self.inner.delete(ticket)).await
    }

    /// Each of its requests has limits of its own in the driver; as one call it takes as long as there are folders.
    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()> {
        self.inner.leave(marker, names).await
    }
}

struct LayeredWriter<A> {
    inner: Box<dyn ObjectWriter>,
    around: Arc<A>,
    address: String,
}

#[async_trait]
impl<A: Around> ObjectWriter for LayeredWriter<A> {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let call = Call { verb: Verb::Write, target: &self.address, bytes: bytes.len() as u64 };
        self.around.once(call, self.inner.write(bytes)).await
    }

    fn work_ahead(&mut self) {
        self.inner.work_ahead();
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        let Self { inner, around, address } = *self;
        around.once(Call { verb: Verb::Finish, target: &address, bytes: 0 }, inner.finish()).await
    }
}
