//! A layer for a place that is only lent: what is written there is noted, so that just that can be taken away again, and it can be fenced off.
//!
//! A name is noted before the first byte of it is sent. So whatever came of a request, what it may have left is known.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::watch;

use crate::{
    lock,
    meter::Calls,
    target::{Abilities, DeleteTicket, Error, ObjectName, ObjectWriter, Page, Probe, Result, Target},
    traffic::Traffic,
};

/// Objects deleted at once.
const AT_ONCE: usize = 8;
/// A request that was cut off may arrive after everything was deleted; then it is deleted again.
const CLEARINGS_MAX: usize = 3;
/// Objects on a page of a listing.
const PAGE_OBJECTS: usize = 1_000;

/// See the module.
pub struct Noted {
    inner: Arc<dyn Target>,
    notes: Mutex<Notes>,
    set_aside: AtomicU64,
    fenced: watch::Sender<bool>,
}

/// What was written and may be there still.
#[derive(Default)]
struct Notes {
    objects: BTreeSet<ObjectName>,
    /// A name in each folder that may have been made, by folder; also of objects that are gone again.
    folders: BTreeMap<String, ObjectName>,
    markers: Vec<Bytes>,
}

impl Noted {
    /// Around a place that was found empty.
    pub fn over(inner: Arc<dyn Target>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            notes: Mutex::default(),
            set_aside: AtomicU64::new(0),
            fenced: watch::Sender::new(false),
        })
    }

    /// From now on it answers nobody, as if the firm were gone; nothing is sent there. Calls under way are given up.
    pub fn fence_off(&self) {
        self.fenced.send_replace(true);
    }

    /// How many objects were written there and may be there still.
    pub fn objects(&self) -> usize {
        self.notes().objects.len()
    }

    /// Whether a shard was written there, as far as is noted.
    pub fn has_shards(&self) -> bool {
        self.notes().objects.iter().any(|name| name.as_str().starts_with("shards/"))
    }

    /// Tells the name and length of each object that the firm itself lists.
    ///
    /// # Errors
    /// As the firm says.
    pub async fn listed(&self, tell: &mut (dyn FnMut(&str, u64) + Send)) -> Result<()> {
        let mut after: Option<ObjectName> = None;
        loop {
            let page = self.inner.list("", after.as_ref(), PAGE_OBJECTS).await?;
            page.objects.iter().for_each(|listed| tell(listed.name.as_str(), listed.bytes));
            match page.objects.into_iter().next_back() {
                Some(last) if page.more => after = Some(last.name),
                _ => return Ok(()),
            }
        }
    }

    /// Deletes what was written there through this and nothing else, and gives the place back. How many objects were deleted, and how
    /// many stay because they were set aside for a person to look at.
    ///
    /// # Errors
    /// As the firm says; [`Error::Down`] if another marker is there, or an object of others. What is noted stays noted.
    pub async fn clear(&self) -> Result<(usize, u64)> {
        let there = self.inner.probe().await?.marker;
        let Some(marker) = there else {
            // Whose the place is now nobody knows, so what was written is not told from what others wrote.
            let reason = "its marker is gone, so nothing is deleted".to_owned();
            let down = Error::Down { target: self.address().to_owned(), reason };
            return if self.objects() == 0 { Ok((0, 0)) } else { Err(down) };
        };
        if !self.notes().markers.contains(&marker) {
            let reason = "another marker is there than was written, so nothing is deleted".to_owned();
            return Err(Error::Down { target: self.address().to_owned(), reason });
        }
        self.inner.expect_marker(Some(marker.clone()));
        let (objects, ways) = {
            let notes = self.notes();
            (notes.objects.clone(), notes.folders.values().cloned().collect::<Vec<_>>())
        };
        let mut clearings = 0;
        loop {
            let deleting = objects.iter().map(|name| async move {
                self.inner.delete(&DeleteTicket { name: name.clone(), reason: "released" }).await
            });
            stream::iter(deleting).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            clearings += 1;
            match self.inner.leave(&marker, &ways).await {
                Ok(()) => break,
                Err(error) if clearings == CLEARINGS_MAX => return Err(error),
                Err(_) => {}
            }
        }
        *self.notes() = Notes::default();
        Ok((objects.len(), self.set_aside.load(Ordering::Relaxed)))
    }

    fn note(&self, name: &ObjectName) {
        let mut notes = self.notes();
        notes.objects.insert(name.clone());
        if let Some((folder, _)) = name.as_str().rsplit_once('/')
            && !notes.folders.contains_key(folder)
        {
            notes.folders.insert(folder.to_owned(), name.clone());
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        lock(&self.notes)
    }

    async fn passing<T>(&self, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        pass(self.fenced.subscribe(), self.inner.address(), call).await
    }
}

/// Lets a call through unless the fence is up, or goes up.
async fn pass<T>(
    mut fenced: watch::Receiver<bool>,
    address: &str,
    call: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    tokio::select! {
        biased;
        Ok(_) = fenced.wait_for(|fenced| *fenced) => {
            Err(Error::Down { target: address.to_owned(), reason: "it was fenced off here".to_owned() })
        }
        result = call => result,
    }
}

#[async_trait]
impl Target for Noted {
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
        self.passing(self.inner.probe()).await
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        self.inner.expect_marker(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        self.notes().markers.push(marker.clone());
        self.passing(self.inner.write_marker(present, marker)).await
    }

    async fn create(&self, name: &ObjectName, bytes_hint: u64) -> Result<Box<dyn ObjectWriter>> {
        self.note(name);
        let inner = self.passing(self.inner.create(name, bytes_hint)).await?;
        Ok(Box::new(NotedWriter { inner, fenced: self.fenced.subscribe(), address: self.address().to_owned() }))
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        self.note(name);
        self.passing(self.inner.put(name, pieces)).await
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        self.passing(self.inner.read(name, range)).await
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        self.passing(self.inner.stat(name)).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        self.passing(self.inner.list(prefix, after, limit)).await
    }

    async fn occupant(&self) -> Result<Option<String>> {
        self.passing(self.inner.occupant()).await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        self.passing(self.inner.set_aside(name)).await?;
        self.set_aside.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        self.passing(self.inner.delete(ticket)).await?;
        self.notes().objects.remove(&ticket.name);
        Ok(())
    }

    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()> {
        self.passing(self.inner.leave(marker, names)).await
    }
}

struct NotedWriter {
    inner: Box<dyn ObjectWriter>,
    fenced: watch::Receiver<bool>,
    address: String,
}

#[async_trait]
impl ObjectWriter for NotedWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        pass(self.fenced.clone(), &self.address, self.inner.write(bytes)).await
    }

    fn work_ahead(&mut self) {
        self.inner.work_ahead();
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        let Self { inner, fenced, address } = *self;
        pass(fenced, &address, inner.finish()).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use bytes::Bytes;

    use super::Noted;
    use crate::{Error, Image, MemoryTarget, ObjectName, Target};

    #[tokio::test]
    async fn only_what_was_written_is_taken_away_and_nothing_under_another_marker() {
        let place = MemoryTarget::new("a place");
        let noted = Noted::over(Arc::new(place.clone()));
        let name = |text: &str| ObjectName::parse(text).unwrap();
        noted.write_marker(None, Bytes::from_static(b"ours")).await.unwrap();
        noted.put(&name("shards/one"), &[Bytes::from_static(b"1")]).await.unwrap();
        noted.create(&name("shards/two"), 0).await.unwrap().finish().await.unwrap();
        assert!(noted.has_shards() && noted.objects() == 2);
        place.disk().plant("photo", Some(Bytes::from_static(b"somebody's")));

        noted.fence_off();
        let down = noted.put(&name("three"), &[]).await;
        assert!(matches!(down, Err(Error::Down { .. })), "{down:?}");
        let held = noted.clear().await;
        assert!(held.as_ref().is_err_and(|error| error.to_string().contains("photo")), "{held:?}");
        assert_eq!(place.disk().names(), ["photo"], "what is somebody's stays");

        place.disk().plant("photo", None);
        place.write_marker(Some(&Bytes::from_static(b"ours")), Bytes::from_static(b"another's")).await.unwrap();
        assert!(noted.clear().await.is_err(), "the place is another's now");
        place.write_marker(Some(&Bytes::from_static(b"another's")), Bytes::from_static(b"ours")).await.unwrap();
        let image = place.disk().image();
        place.disk().wipe();
        assert!(noted.clear().await.is_err(), "it cannot be told from another's");
        place.disk().restore(image);
        noted.clear().await.unwrap();
        assert_eq!(place.disk().image(), Image::default());
    }
}
