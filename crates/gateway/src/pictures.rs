//! Small pictures of large ones: who makes them, how many at a time, and those that were made lately.
//!
//! A picture is somebody else's bytes, and decoders have faults: whoever runs the doors makes small ones where a fault does no
//! harm (the program does so in a child process with limits). The bytes are streamed there; the large picture is never in this
//! process's memory as a whole.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use model::{id::VersionId, world::BoxFuture};
use tokio::sync::Semaphore;

/// Small pictures that are made at a time.
const AT_ONCE: usize = 2;
/// Who makes one or waits to; more are asked to come again.
const LINE: usize = 128;
/// Bytes of small pictures that are remembered.
const REMEMBERED_BYTES: usize = 32 << 20;

/// Why there is no small picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMade {
    /// It cannot be made of these bytes.
    Never,
    /// It may be another time.
    Now,
}

/// Makes small pictures.
pub trait Pictures: Send + Sync {
    /// A JPEG of the picture, upright, whose longer side has at most `side` pixels.
    fn small(&self, picture: BoxStream<'static, io::Result<Bytes>>, side: u32)
    -> BoxFuture<'_, Result<Bytes, NotMade>>;
}

impl Pictures for crate::machine::Nobody {
    fn small(&self, _: BoxStream<'static, io::Result<Bytes>>, _: u32) -> BoxFuture<'_, Result<Bytes, NotMade>> {
        Box::pin(async { Err(NotMade::Never) })
    }
}

/// Which small picture: of which version, and how large.
pub type Key = (VersionId, u32);

/// The maker, and what it made lately.
#[derive(Clone)]
pub struct Gallery {
    maker: Arc<dyn Pictures>,
    slots: Arc<Semaphore>,
    line: Arc<Semaphore>,
    made: Arc<Mutex<Made>>,
}

#[derive(Default)]
struct Made {
    all: HashMap<Key, Result<Bytes, NotMade>>,
    order: VecDeque<Key>,
    bytes: usize,
}

/// What one remembered picture takes beside its bytes.
const ENTRY_BYTES: usize = 128;

impl Made {
    fn put(&mut self, key: Key, made: Result<Bytes, NotMade>) {
        let bytes = |made: &Result<Bytes, NotMade>| ENTRY_BYTES + made.as_ref().map_or(0, Bytes::len);
        self.bytes += bytes(&made);
        match self.all.insert(key, made) {
            Some(before) => self.bytes -= bytes(&before),
            None => self.order.push_back(key),
        }
        while self.bytes > REMEMBERED_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.all.remove(&oldest).map_or(0, |made| bytes(&made));
        }
    }
}

impl Gallery {
    /// What `maker` makes.
    pub fn new(maker: Arc<dyn Pictures>) -> Self {
        Self {
            maker,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            line: Arc::new(Semaphore::new(LINE)),
            made: Arc::default(),
        }
    }

    fn remembered(&self, key: Key) -> Option<Result<Bytes, NotMade>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).all.get(&key).cloned()
    }

    /// The small picture of a version; `picture` opens its bytes when it is its turn.
    ///
    /// # Errors
    /// Why there is none. That there never will be one is remembered, too.
    pub async fn small<F>(&self, key: Key, picture: impl FnOnce() -> F) -> Result<Bytes, NotMade>
    where
        F: Future<Output = Option<BoxStream<'static, io::Result<Bytes>>>>,
    {
        if let Some(made) = self.remembered(key) {
            return made;
        }
        let _place = self.line.try_acquire().map_err(|_| NotMade::Now)?;
        let _slot = self.slots.acquire().await.map_err(|_| NotMade::Now)?;
        // Somebody may have made it while we waited.
        if let Some(made) = self.remembered(key) {
            return made;
        }
        let made = match picture().await {
            Some(bytes) => self.maker.small(bytes, key.1).await,
            None => Err(NotMade::Now),
        };
        if made != Err(NotMade::Now) {
            self.made.lock().unwrap_or_else(PoisonError::into_inner).put(key, made.clone());
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use model::id::VersionId;

    use super::{Made, NotMade, REMEMBERED_BYTES};

    #[test]
    fn what_is_remembered_has_a_bound_and_the_oldest_goes_first() {
        let mut made = Made::default();
        let key = |n: u32| (VersionId([7; 16]), n);
        for n in 0..100 {
            made.put(key(n), Ok(Bytes::from(vec![0; 1 << 20])));
            made.put(key(n), Ok(Bytes::from(vec![0; 1 << 20])));
            assert!(made.bytes <= REMEMBERED_BYTES);
            assert_eq!(made.all.len(), made.order.len());
        }
        assert!(made.all.contains_key(&key(99)) && !made.all.contains_key(&key(0)));
        made.put(key(99), Err(NotMade::Never));
        assert_eq!(made.all[&key(99)], Err(NotMade::Never));
    }
}
