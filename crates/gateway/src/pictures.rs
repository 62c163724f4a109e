//! Small pictures of large ones: who makes them, how many at a time, and those that were made lately.
//!
//! A picture is somebody else's bytes, and decoders have faults: whoever runs the doors makes small ones where a fault does no
//! harm (the program does so in a child process with limits). The bytes are streamed there; the large picture is never in this
//! process's memory as a whole.

use std::{
    collections::{HashMap, VecDeque},
    io,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use model::{
    id::{AccountId, VersionId},
    world::BoxFuture,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::patience;

/// Small pictures that are made at a time.
const AT_ONCE: usize = 2;
/// Who makes one or waits to; more are asked to come again.
const LINE: usize = 128;
/// Of these, pictures of one account: a link that a crowd looks at leaves room for others.
const LINE_OF_ONE: usize = 48;
/// New ones that are being kept at a time.
const KEEPING: usize = 64;
/// How long one waits for its turn: whoever asked may be gone.
const WAIT: Duration = Duration::from_secs(10);
/// So often a picture is tried that takes too long; each try fetches all of it.
const TRIES: u32 = 2;
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

/// What a small picture is made of: a picture, or a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Large {
    /// `type/subtype` in lower case, without parameters.
    pub media_type: String,
    /// Bytes of the file.
    pub size: u64,
}

/// Makes small pictures.
pub trait Pictures: Send + Sync {
    /// The ranges of the file's bytes that one is made of, in order and apart; empty if none is made of such a file.
    fn wanted(&self, large: &Large) -> Vec<Range<u64>>;

    /// A JPEG, upright, whose longer side has at most `side` pixels. `bytes` are those of the wanted ranges, one after the
    /// other.
    fn small(
        &self,
        large: Large,
        bytes: BoxStream<'static, io::Result<Bytes>>,
        side: u32,
    ) -> BoxFuture<'_, Result<Bytes, NotMade>>;
}

impl Pictures for crate::machine::Nobody {
    fn wanted(&self, _: &Large) -> Vec<Range<u64>> {
        Vec::new()
    }

    fn small(
        &self,
        _: Large,
        _: BoxStream<'static, io::Result<Bytes>>,
        _: u32,
    ) -> BoxFuture<'_, Result<Bytes, NotMade>> {
        Box::pin(async { Err(NotMade::Never) })
    }
}

/// Which small picture: of which version, and how large.
pub type Key = (VersionId, u32);

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Small {
    /// The JPEG.
    pub bytes: Bytes,
    /// Whether it was made just now: nobody keeps it yet.
    pub is_new: bool,
}

/// The maker, and what it made lately.
#[derive(Clone)]
pub struct Gallery {
    maker: Arc<dyn Pictures>,
    slots: Arc<Semaphore>,
    line: Arc<Semaphore>,
    /// Those that may be on their way to the providers at a time.
    keeping: Arc<Semaphore>,
    /// How many of each account are in the line.
    waiting: Arc<Mutex<HashMap<AccountId, usize>>>,
    made: Arc<Mutex<Made>>,
}

/// A place in the line.
struct Place {
    _line: OwnedSemaphorePermit,
    account: AccountId,
    waiting: Arc<Mutex<HashMap<AccountId, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.get_mut(&self.account) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(waiting.remove(&self.account)),
        }
    }
}

#[derive(Default)]
struct Made {
    all: HashMap<Key, Result<Bytes, NotMade>>,
    order: VecDeque<Key>,
    bytes: usize,
    /// Tries that came to nothing, of pictures that may be made another time.
    tried: HashMap<Key, u32>,
}

/// Pictures whose tries are remembered.
const TRIED_MAX: usize = 10_000;

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
            keeping: Arc::new(Semaphore::new(KEEPING)),
            waiting: Arc::default(),
            made: Arc::default(),
        }
    }

    fn remembered(&self, key: Key) -> Option<Result<Bytes, NotMade>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).all.get(&key).cloned()
    }

    /// The ranges of a file's bytes that a small picture of it is made of; empty if there is none of such a file.
    pub fn wanted(&self, large: &Large) -> Vec<Range<u64>> {
        self.maker.wanted(large)
    }

    /// The small picture of a version of `account`'s: one that is remembered, or that was `kept`, or a new one of what is `large`, if there
    /// can be one. `picture` asks again whether it may be seen, and opens the bytes of the wanted ranges, when it is its turn.
    ///
    /// # Errors
    /// What `picture` says; inside, why there is none. That there never will be one is remembered, too.
    pub async fn small<E>(
        &self,
        account: AccountId,
        key: Key,
        large: Option<Large>,
        kept: impl AsyncFnOnce() -> Option<Bytes>,
        picture: impl AsyncFnOnce() -> Result<BoxStream<'static, io::Result<Bytes>>, E>,
    ) -> Result<Result<Small, NotMade>, E> {
        let old = |made: Result<Bytes, NotMade>| made.map(|bytes| Small { bytes, is_new: false });
        if let Some(made) = self.remembered(key) {
            return Ok(old(made));
        }
        let Some(_place) = self.place(account) else { return Ok(Err(NotMade::Now)) };
        if let Some(kept) = kept().await {
            self.made.lock().unwrap_or_else(PoisonError::into_inner).put(key, Ok(kept.clone()));
            return Ok(old(Ok(kept)));
        }
        let Some(large) = large else { return Ok(Err(NotMade::Never)) };
        let Some(Ok(_slot)) = patience::at_most(WAIT, self.slots.acquire()).await else { return Ok(Err(NotMade::Now)) };
        let bytes = picture().await?;
        // Somebody may have made it while we waited.
        if let Some(made) = self.remembered(key) {
            return Ok(old(made));
        }
        let made = self.maker.small(large, bytes, key.1).await;
        let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made != Err(NotMade::Now) {
            all.tried.remove(&key);
            all.put(key, made.clone());
            return Ok(made.map(|bytes| Small { bytes, is_new: true }));
        }
        if all.tried.len() >= TRIED_MAX {
            all.tried.clear();
        }
        let tries = all.tried.entry(key).or_default();
        *tries += 1;
        if *tries >= TRIES {
            all.tried.remove(&key);
            all.put(key, Err(NotMade::Never));
        }
        Ok(Err(NotMade::Now))
    }

    /// A turn to keep a new one, unless too many are being kept.
    pub fn keeping(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.keeping).try_acquire_owned().ok()
    }

    fn place(&self, account: AccountId) -> Option<Place> {
        let line = Arc::clone(&self.line).try_acquire_owned().ok()?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(account).or_default();
        if *count >= LINE_OF_ONE {
            return None;
        }
        *count += 1;
        Some(Place { _line: line, account, waiting: Arc::clone(&self.waiting) })
    }
}

#[cfg(test)]
mod tests {
    use std::{io, ops::Range, sync::Arc};

    use bytes::Bytes;
    use futures_util::{StreamExt, stream::BoxStream};
    use model::{
        id::{AccountId, VersionId},
        world::BoxFuture,
    };

    use super::{Gallery, LINE_OF_ONE, Large, Made, NotMade, Pictures, REMEMBERED_BYTES, TRIES};

    /// Never has the time.
    struct Slow;

    impl Pictures for Slow {
        fn wanted(&self, large: &Large) -> Vec<Range<u64>> {
            std::iter::once(0..large.size).collect()
        }

        fn small(
            &self,
            _: Large,
            _: BoxStream<'static, io::Result<Bytes>>,
            _: u32,
        ) -> BoxFuture<'_, Result<Bytes, NotMade>> {
            Box::pin(async { Err(NotMade::Now) })
        }
    }

    #[test]
    fn what_takes_too_long_is_not_tried_for_ever_and_one_account_does_not_fill_the_line() {
        let gallery = Gallery::new(Arc::new(Slow));
        let account = AccountId([1; 16]);
        let ask = || {
            let open = async || Ok::<_, ()>(futures_util::stream::empty().boxed());
            let large = Large { media_type: "image/jpeg".into(), size: 1 };
            let asked = gallery.small(account, (VersionId([7; 16]), 256), Some(large), async || None, open);
            tokio::runtime::Builder::new_current_thread().enable_time().build().map(|it| it.block_on(asked))
        };
        let all: Vec<_> = (0..=TRIES).map(|_| ask().ok()).collect();
        let (now, never) = (Some(Ok(Err(NotMade::Now))), Some(Ok(Err(NotMade::Never))));
        assert_eq!(all, [now.clone(), now, never]);

        let places: Vec<_> = (0..LINE_OF_ONE).map(|_| gallery.place(account)).collect();
        assert!(places.iter().all(Option::is_some) && gallery.place(account).is_none());
        assert!(gallery.place(AccountId([2; 16])).is_some());
        drop(places);
        assert!(gallery.place(account).is_some() && gallery.waiting.lock().is_ok_and(|waiting| waiting.is_empty()));
    }

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
