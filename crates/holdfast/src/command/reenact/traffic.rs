//! People at work while the firm wipes: eight send, two read what was acknowledged and compare it.
//!
//! Sending is let go in parts, so that files are sent before, during and after the wipe however few they are.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use model::{Class, world::World};
use service::{Caller, Service};
use tokio::{sync::watch, task::JoinSet};

use super::tree::{self, Source};
use crate::error::Result;

/// Files sent, and compared, at once.
pub const AT_ONCE: usize = 8;
/// Readers beside them.
const READERS: usize = 2;
/// A refused file is sent again so often: a real server may stumble for some seconds.
const TRIES_MAX: u64 = 15;
/// The longest wait before that.
const AGAIN_US_MAX: u64 = 1_000_000;

/// The files and what became of them.
pub struct Traffic {
    /// All files.
    pub files: Vec<Source>,
    next: AtomicUsize,
    ended: AtomicUsize,
    let_go: watch::Sender<usize>,
    closing: AtomicBool,
    told: Mutex<Told>,
    reads: AtomicU64,
    read_bytes: AtomicU64,
    sent_again: AtomicU64,
}

/// What was told to people.
#[derive(Default)]
struct Told {
    /// Files by number that were acknowledged.
    acknowledged: Vec<usize>,
    acknowledged_bytes: u64,
    troubles: Troubles,
}

/// What went wrong for people, in words.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    /// Files by number that were refused to the end.
    pub refused: BTreeMap<usize, String>,
    /// Reads that failed.
    pub failed_reads: Vec<String>,
    /// Files whose reading gave other bytes: that must never be.
    pub wrong_reads: Vec<String>,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Files acknowledged.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files read back and compared meanwhile.
    pub reads: u64,
    /// Their bytes.
    pub read_bytes: u64,
    /// Times that a file had to be sent again.
    pub sent_again: u64,
}

impl Traffic {
    /// Of these files; large and small ones come in either half.
    pub fn of(mut files: Vec<Source>) -> Arc<Self> {
        files.sort_by_key(|file| Reverse(file.bytes));
        let (first, then): (Vec<_>, Vec<_>) = files.into_iter().enumerate().partition(|(place, _)| place % 2 == 0);
        Arc::new(Self {
            files: first.into_iter().chain(then).map(|(_, file)| file).collect(),
            next: AtomicUsize::default(),
            ended: AtomicUsize::default(),
            let_go: watch::Sender::new(0),
            closing: AtomicBool::default(),
            told: Mutex::default(),
            reads: AtomicU64::default(),
            read_bytes: AtomicU64::default(),
            sent_again: AtomicU64::default(),
        })
    }

    /// Lets senders go on up to this many files.
    pub fn let_go(&self, files: usize) {
        self.let_go.send_replace(files);
    }

    /// Whether so many files were acknowledged, or refused for good.
    pub fn is_through(&self, files: usize) -> bool {
        self.ended.load(Ordering::Acquire) >= files
    }

    /// How far it is.
    pub fn count(&self) -> Count {
        let told = self.told();
        Count {
            files: told.acknowledged.len(),
            bytes: told.acknowledged_bytes,
            reads: self.reads.load(Ordering::Relaxed),
            read_bytes: self.read_bytes.load(Ordering::Relaxed),
            sent_again: self.sent_again.load(Ordering::Relaxed),
        }
    }

    /// Files that were acknowledged, by number.
    pub fn acknowledged(&self) -> Vec<usize> {
        self.told().acknowledged.clone()
    }

    /// What went wrong so far.
    pub fn troubles(&self) -> Troubles {
        self.told().troubles.clone()
    }

    /// Sets all to work.
    pub fn begin(self: &Arc<Self>, service: &Service, caller: Caller, world: &World) -> JoinSet<()> {
        let mut people = JoinSet::new();
        for _ in 0..AT_ONCE {
            people.spawn(Arc::clone(self).send_files(service.clone(), caller, world.clone()));
        }
        for reader in 0..READERS {
            people.spawn(Arc::clone(self).read_files(reader, service.clone(), caller, world.clone()));
        }
        people
    }

    /// Sends the readers home, and waits for all.
    pub async fn end(&self, mut people: JoinSet<()>) {
        self.closing.store(true, Ordering::Release);
        while people.join_next().await.is_some() {}
    }

    async fn send_files(self: Arc<Self>, service: Service, caller: Caller, world: World) {
        let mut let_go = self.let_go.subscribe();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = self.files.get(number) else { return };
            if let_go.wait_for(|files| *files > number).await.is_err() {
                return;
            }
            match self.send_until_taken(&service, &caller, source, &world).await {
                Ok(()) => {
                    let mut told = self.told();
                    told.acknowledged.push(number);
                    told.acknowledged_bytes += source.bytes;
                }
                Err(error) => {
                    self.told().troubles.refused.insert(number, format!("{}: {error}", source.name()));
                }
            }
            self.ended.fetch_add(1, Ordering::Release);
        }
    }

    async fn send_until_taken(&self, service: &Service, caller: &Caller, source: &Source, world: &World) -> Result<()> {
        let mut again = 1;
        loop {
            match tree::send(service, caller, source).await {
                Err(error) if error.class == Class::Retry && again < TRIES_MAX => {
                    self.sent_again.fetch_add(1, Ordering::Relaxed);
                    world.timer.sleep((again * 200_000).min(AGAIN_US_MAX)).await;
                    again += 1;
                }
                other => return other,
            }
        }
    }

    /// Reads acknowledged files round and round.
    async fn read_files(self: Arc<Self>, reader: usize, service: Service, caller: Caller, world: World) {
        let mut turn = reader;
        while !self.closing.load(Ordering::Acquire) {
            world.timer.sleep(5_000).await;
            let number = {
                let acknowledged = &self.told().acknowledged;
                if acknowledged.is_empty() {
                    continue;
                }
                acknowledged[turn % acknowledged.len()]
            };
            turn += READERS;
            let source = &self.files[number];
            match tree::is_kept(&service, &caller, source).await {
                Ok(true) => {
                    self.reads.fetch_add(1, Ordering::Relaxed);
                    self.read_bytes.fetch_add(source.bytes, Ordering::Relaxed);
                }
                Ok(false) => self.told().troubles.wrong_reads.push(source.name()),
                Err(error) => self.told().troubles.failed_reads.push(format!("{}: {error}", source.name())),
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks `is_equal` of every acknowledged file, several at once; those that are not, and why.
pub async fn compare<F>(traffic: &Traffic, is_equal: impl Fn(Source) -> F) -> Vec<String>
where
    F: Future<Output = Result<bool>> + Send + 'static,
{
    let asked = traffic.acknowledged().into_iter().map(|number| {
        let source = traffic.files[number].clone();
        let (name, answer) = (source.name(), tokio::spawn(is_equal(source)));
        async move {
            match answer.await {
                Ok(Ok(true)) => None,
                Ok(Ok(false)) => Some(format!("{name}: not equal to its source")),
                Ok(Err(error)) => Some(format!("{name}: {error}")),
                Err(error) => Some(format!("{name}: the comparison failed: {error}")),
            }
        }
    });
    stream::iter(asked).buffer_unordered(AT_ONCE).filter_map(|unequal| async { unequal }).collect().await
}
