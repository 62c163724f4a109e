//! Wrong parts, put in through the door: the auditor knows of none of them, and must find each within fifty seeds.
//!
//! Each plays a mistake that a store could make, without a branch for it in the store: targets that acknowledge too early
//! or vouch for what is gone, chance that repeats itself, owners that are not told apart, an operator who deletes what the
//! store should have kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    ops::Range,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use fleet::{Abilities, DeleteTicket, ObjectName, ObjectWriter, Page, Probe, Result, Target};
use model::{
    id::ProviderId,
    units::ServiceTime,
    world::{Entropy, Timer},
};
use sim::{
    Parts,
    disks::Disk,
    exec::Time,
    play,
    world::{Meddling, World},
};

/// Plays seeds until one breaks; which promise it was.
fn caught(parts: &Parts) -> (u64, String) {
    for seed in 1..=50 {
        if let Some(broken) = play(seed, parts.clone(), false).broken {
            return (seed, broken.0);
        }
    }
    panic!("fifty seeds, and nobody noticed");
}

fn assert_caught(parts: Parts, words: &[&str]) {
    let (seed, what) = caught(&parts);
    println!("caught by seed {seed}: {what}");
    assert!(words.iter().any(|word| what.contains(word)), "seed {seed} broke, but by something else: {what}");
}

/// What a target does wrongly.
enum Mistake {
    /// Says that an object is durable before it is written.
    Early(Time),
    /// Vouches for a target that was wiped: puts the last marker back, so that it seems empty and ours.
    Trusting(Mutex<Option<Bytes>>),
}

/// A target around a target that does one thing differently.
struct Wrong {
    inner: Arc<dyn Target>,
    mistake: Mistake,
}

#[async_trait]
impl Target for Wrong {
    fn address(&self) -> &str {
        self.inner.address()
    }

    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }

    async fn probe(&self) -> Result<Probe> {
        let probe = self.inner.probe().await?;
        let Mistake::Trusting(last) = &self.mistake else { return Ok(probe) };
        let known = last.lock().unwrap().clone();
        match (&probe.marker, known) {
            (None, Some(marker)) => {
                self.inner.write_marker(None, marker.clone()).await?;
                Ok(Probe { marker: Some(marker), ..probe })
            }
            (marker, _) => {
                last.lock().unwrap().clone_from(marker);
                Ok(probe)
            }
        }
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        self.inner.expect_marker(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        self.inner.write_marker(present, marker).await
    }

    async fn create(&self, name: &ObjectName, bytes_hint: u64) -> Result<Box<dyn ObjectWriter>> {
        self.inner.create(name, bytes_hint).await
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        let Mistake::Early(time) = &self.mistake else { return self.inner.put(name, pieces).await };
        let (inner, name, pieces, later) = (self.inner.clone(), name.clone(), pieces.to_vec(), time.clone());
        time.spawn(Box::pin(async move {
            later.sleep(40_000).await;
            drop(inner.put(&name, &pieces).await);
        }));
        Ok(())
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        self.inner.read(name, range).await
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        self.inner.stat(name).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        self.inner.list(prefix, after, limit).await
    }

    async fn occupant(&self) -> fleet::Result<Option<String>> {
        self.inner.occupant().await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        self.inner.set_aside(name).await
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        self.inner.delete(ticket).await
    }

    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()> {
        self.inner.leave(marker, names).await
    }
}

#[test]
fn an_acknowledgement_before_the_bytes_are_durable_is_caught() {
    let parts = Parts {
        target: |inner, time| Arc::new(Wrong { inner, mistake: Mistake::Early(time.clone()) }),
        ..Parts::default()
    };
    assert_caught(parts, &["cannot be read", "rebuild", "rescue", "the tree", "does not start", "founding", "is not"]);
}

#[test]
fn targets_counted_as_if_each_were_a_provider_are_caught() {
    // The first provider has two targets; here the second one passes for a firm of its own.
    fn owner(disk: &Disk) -> ProviderId {
        ProviderId([disk.index as u8 + 1; 16])
    }
    assert_caught(Parts { owner, ..Parts::default() }, &["cannot be read without", "settled, but", "is called"]);
}

#[test]
fn an_empty_target_that_is_trusted_is_caught() {
    let parts = Parts {
        target: |inner, _| Arc::new(Wrong { inner, mistake: Mistake::Trusting(Mutex::default()) }),
        ..Parts::default()
    };
    assert_caught(parts, &["settled, but", "cannot be read", "is called"]);
}

/// Chance that repeats what it drew for the last key.
struct Stuck {
    inner: Arc<dyn Entropy>,
    last: Mutex<(u64, [u8; 32])>,
}

impl Entropy for Stuck {
    fn fill(&self, bytes: &mut [u8]) {
        self.inner.fill(bytes);
        if let Ok(drawn) = <[u8; 32]>::try_from(&*bytes) {
            let mut last = self.last.lock().unwrap();
            last.0 += 1;
            if last.0.is_multiple_of(16) {
                bytes.copy_from_slice(&last.1);
            }
            if last.0 % 16 == 1 {
                last.1 = drawn;
            }
        }
    }
}

#[test]
fn a_nonce_that_is_used_twice_is_caught() {
    let parts =
        Parts { entropy: |inner| Arc::new(Stuck { inner, last: Mutex::new((0, [7; 32])) }), ..Parts::default() };
    assert_caught(parts, &["share a salt"]);
}

/// Deletes from a target that came back whatever the catalogue does not know.
fn purge(world: &World) -> Option<Meddling> {
    let store = world.store.clone()?;
    Some(Box::pin(async move {
        for id in store.roster().ids() {
            let Some(driver) = store.roster().get(id) else { continue };
            let Ok(page) = driver.list("shards/", None, 10_000).await else { continue };
            for listed in page.objects {
                let shard = format::name::parse_shard_name(listed.name.as_str());
                let known = match shard {
                    Some(shard) => store
                        .read(move |tx| {
                            Ok(catalogue::packs::makes(tx, shard.pack)?.iter().any(|v| v.make.make == shard.make))
                        })
                        .await
                        .unwrap_or(true),
                    None => false,
                };
                if !known {
                    drop(driver.delete(&DeleteTicket { name: listed.name, reason: "purged" }).await);
                }
            }
        }
    }))
}

#[test]
fn a_purge_on_reconnect_is_caught() {
    assert_caught(Parts { meddle: Some(purge), ..Parts::default() }, &["was destroyed"]);
}

/// Releases every journal object, whether its content was packed or not.
fn release(world: &World) -> Option<Meddling> {
    let store = world.store.clone()?;
    Some(Box::pin(async move {
        let done = store
            .commit(|tx, _| {
                for view in catalogue::objects::of_kind(tx, catalogue::objects::ObjectKind::Journal)? {
                    catalogue::objects::release(tx, view.object.id, ServiceTime(0))?;
                }
                Ok::<_, store::Error>(())
            })
            .await;
        drop(done);
        drop(store.tick(false).await);
    }))
}

#[test]
fn a_journal_reclaimed_before_its_content_is_packed_is_caught() {
    let words = ["cannot be read", "no row says where", "rebuild", "rescue", "is called"];
    assert_caught(Parts { meddle: Some(release), ..Parts::default() }, &words);
}
