//! The driver for buckets that speak S3.
//!
//! ```text
//! <bucket>/<root>/holdfast-target      the marker
//! <bucket>/<root>/<name of object>     objects
//! <bucket>/<root>/aside/<name>-<n>     bad objects, for a person to look at
//! <bucket>/<root>/tmp/conditions       empty; by it is found out whether the server knows conditions
//! ```
//!
//! An object of S3 appears whole, so none is half-written anywhere. `address` is where the bucket is, `sign` proves who asks,
//! `bucket` has one function to each request, `refusal` says what an answer other than success means, `listing` checks what is
//! listed, `upload` writes.
//!
//! Requests cost money, so three things are decided here:
//! - **the marker** is read when an object is added only if it was not seen for some seconds, and before every removal and every
//!   belief in absence (`marker::watch` says why);
//! - **conditions**: before the first change a driver finds out, by writing `tmp/conditions` a second time, whether the server
//!   refuses a second object under a name. If it does, that is how nothing is overwritten; if not, the name is looked at first;
//! - **checksums**: the SHA-256 of each body is part of its signature, which the server checks before it says success.
//!
//! It is written over `wire` and not over a library for many services: see docs/decisions/0012-s3-by-hand.md.

mod address;
mod bucket;
mod listing;
mod refusal;
mod sign;
mod upload;

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use hyper::StatusCode;
use model::world::{Timer, World};
use tokio::sync::{Mutex, OnceCell};

pub use self::address::{S3Address, S3Login};
use self::{
    address::Place,
    bucket::{Bucket, Call, If, Lock, Put},
    upload::{PART_BYTES, PARTS_MAX, UploadWriter},
};
use crate::{
    marker::{self, Watch},
    target::{Abilities, DeleteTicket, Error, ObjectName, ObjectWriter, Page, Probe, Result, Target},
    traffic::Traffic,
    wire::HttpOptions,
};

const MARKER: &str = "holdfast-target";
const CONDITIONS: &str = "tmp/conditions";
/// Bad objects of one name. None was ever seen twice; the limit is for servers that call everything taken.
const ASIDE_MAX: u32 = 1_000;
/// A read that is longer looks at the object's length first: ranges far beyond any object confuse servers.
const LOOK_FIRST_BYTES: u64 = 64 << 20;

/// A bucket, or a prefix in one, as a target.
pub struct ObjectStore {
    store: Arc<Store>,
}

/// What the driver and its writers share.
struct Store {
    bucket: Bucket,
    watch: Watch,
    marking: Mutex<()>,
    conditions: OnceCell<bool>,
    lock: OnceCell<bool>,
    timer: Arc<dyn Timer>,
}

impl ObjectStore {
    /// Names the bucket. Nothing is connected to and nothing is made; a missing bucket is [`Error::Down`] at use.
    ///
    /// # Errors
    /// [`Error::BadAddress`].
    pub fn open(address: &S3Address, login: &S3Login, options: &HttpOptions, world: &World) -> Result<Self> {
        let place = Place::check(address, login)?;
        let store = Store {
            bucket: Bucket::new(place, login.clone(), options, world)?,
            watch: Watch::new(Arc::clone(&world.clock)),
            marking: Mutex::default(),
            conditions: OnceCell::new(),
            lock: OnceCell::new(),
            timer: Arc::clone(&world.timer),
        };
        Ok(Self { store: Arc::new(store) })
    }
}

impl Store {
    /// Reads the marker and remembers it; after an error nothing is remembered.
    async fn look(&self) -> Result<Option<(Bytes, Option<String>)>> {
        let looked = self.bucket.marker(MARKER).await;
        self.watch.note(looked.as_ref().ok().and_then(Option::as_ref).map(|(marker, _)| marker));
        looked
    }

    /// Before an object is added.
    async fn check_adding(&self) -> Result<()> {
        if self.watch.permits_adding() { Ok(()) } else { self.check_change().await }
    }

    /// Before anything is taken away.
    async fn check_change(&self) -> Result<()> {
        if self.watch.expected().is_none() {
            return self.watch.permits_change(self.address(), None);
        }
        let found = self.look().await?;
        self.watch.permits_change(self.address(), found.as_ref().map(|(marker, _)| marker))
    }

    /// Before "there is none" is believed. That the bucket is there at all is asked for in any case.
    async fn check_absence(&self) -> Result<()> {
        let found = self.look().await?;
        marker::permits_absence(
            self.address(),
            self.watch.expected().as_ref(),
            found.as_ref().map(|(marker, _)| marker),
        )
    }

    /// Whether the server refuses a second object under a name; found out once.
    async fn knows_conditions(&self) -> Result<bool> {
        let known = self.conditions.get_or_try_init(|| async {
            // The first process that asks makes the object; the answer lies in a write that must fail.
            for _ in 0..2 {
                match self.bucket.put("look for conditions", CONDITIONS, &[], None, (If::Absent, Lock::Never)).await? {
                    Put::Done => {}
                    Put::Taken | Put::Conflict => return Ok(true),
                    Put::Unknown => return Ok(false),
                }
            }
            Ok(false)
        });
        known.await.copied()
    }

    fn address(&self) -> &str {
        &self.bucket.wire.address
    }

    fn exists(&self, name: &ObjectName) -> Error {
        Error::Exists { target: self.address().to_owned(), name: name.to_string() }
    }

    fn missing(&self, name: &ObjectName) -> Error {
        Error::Missing { target: self.address().to_owned(), name: name.to_string() }
    }

    fn short(&self, name: &ObjectName, expected: u64, got: u64) -> Error {
        Error::Short { target: self.address().to_owned(), name: name.to_string(), expected, got }
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        match self.bucket.length("stat", name.as_str()).await? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.check_absence().await.map(|()| None),
        }
    }

    /// Answers from the length alone: empty ranges, and such as reach beyond any object.
    async fn read_by_length(&self, name: &ObjectName, range: &Range<u64>) -> Result<Option<Bytes>> {
        let bytes = self.stat(name).await?.ok_or_else(|| self.missing(name))?;
        if range.end > bytes {
            return Err(self.short(name, range.end, bytes));
        }
        Ok(range.is_empty().then(Bytes::new))
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        let wanted = range.end.saturating_sub(range.start);
        if (wanted == 0 || wanted > LOOK_FIRST_BYTES || i64::try_from(range.end).is_err())
            && let Some(empty) = self.read_by_length(name, &range).await?
        {
            return Ok(empty);
        }
        let text = format!("bytes={}-{}", range.start, range.end - 1);
        let call =
            Call { verb: "read", key: Some(name.as_str()), headers: &[("range", text.as_str())], ..Call::default() };
        let answer = match self.bucket.ask(call).await? {
            Ok(answer) => answer,
            Err(refusal) if refusal.is_no_key() => {
                return self.check_absence().await.and(Err(self.missing(name)));
            }
            Err(refusal) if refusal.status == StatusCode::RANGE_NOT_SATISFIABLE => {
                let bytes = match refusal.total_bytes {
                    Some(bytes) => bytes,
                    None => self.stat(name).await?.ok_or_else(|| self.missing(name))?,
                };
                return Err(self.short(name, range.end, bytes));
            }
            Err(refusal) => return Err(refusal.error(&self.bucket.wire, &self.bucket.place, "read")),
        };
        answer.take_range(&self.bucket.wire, name, range).await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        let verb = "set aside";
        self.check_change().await?;
        let bytes = self.bucket.length(verb, name.as_str()).await?.ok_or_else(|| self.missing(name))?;
        let mut aside = None;
        for n in 0..ASIDE_MAX {
            let free = format!("aside/{name}-{n}");
            if self.bucket.length(verb, &free).await?.is_none() {
                aside = Some(free);
                break;
            }
        }
        let aside = aside.ok_or_else(|| self.bucket.wire.odd(verb, "it says that every name is taken"))?;
        self.bucket.copy(verb, name.as_str(), &aside).await?;
        // Nothing is removed before its copy was seen.
        if self.bucket.length(verb, &aside).await? != Some(bytes) {
            return Err(self.bucket.wire.odd(verb, "the copy is not as long as the object"));
        }
        self.bucket.delete(verb, name.as_str()).await
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        let _turn = self.marking.lock().await;
        let found = self.look().await?;
        let is_empty = found.is_some() || listing::list(&self.bucket, "", None, 1).await?.objects.is_empty();
        let (bytes, tag) = found.map_or((None, None), |(bytes, tag)| (Some(bytes), tag));
        marker::permits_replacing(self.address(), present, bytes.as_ref(), is_empty)?;
        let condition = match (self.knows_conditions().await?, &bytes, &tag) {
            (true, None, _) => If::Absent,
            (true, Some(_), Some(tag)) => If::Tag(tag),
            _ => If::Always,
        };
        let pieces = [marker.clone()];
        let mut put = self.bucket.put("write marker", MARKER, &pieces, None, (condition, Lock::Never)).await?;
        if put == Put::Unknown {
            put = self.bucket.put("write marker", MARKER, &pieces, None, (If::Always, Lock::Never)).await?;
        }
        if put != Put::Done {
            return Err(self.bucket.wire.down("its marker changed meanwhile: another service may be using it"));
        }
        self.watch.note(Some(&marker));
        self.watch.expect(Some(marker));
        Ok(())
    }
}

#[async_trait]
impl Target for ObjectStore {
    fn address(&self) -> &str {
        self.store.address()
    }

    /// Conditions and locks count once they were seen: after the first change, and the first probe.
    fn abilities(&self) -> Abilities {
        Abilities {
            durable_rename: true,
            server_checksum: false,
            no_clobber: self.store.conditions.get().copied().unwrap_or(false),
            lock: self.store.lock.get().copied().unwrap_or(false),
            free_space: false,
            object_bytes_max: (PART_BYTES * PARTS_MAX) as u64,
            part_bytes: PART_BYTES as u64,
            billed_by_request: true,
            probe_every_s: 60,
        }
    }

    fn traffic(&self) -> Option<Traffic> {
        Some(self.store.bucket.wire.counter.read())
    }

    async fn probe(&self) -> Result<Probe> {
        let marker = self.store.look().await?.map(|(marker, _)| marker);
        self.store.lock.get_or_try_init(|| self.store.bucket.can_lock()).await?;
        Ok(Probe { marker, free_bytes: None })
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        self.store.watch.expect(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        self.store.write_marker(present, marker).await
    }

    async fn create(&self, name: &ObjectName, _: u64) -> Result<Box<dyn ObjectWriter>> {
        self.store.check_adding().await?;
        Ok(Box::new(UploadWriter::new(Arc::clone(&self.store), name.clone())))
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        if pieces.iter().map(Bytes::len).sum::<usize>() <= PART_BYTES {
            self.store.check_adding().await?;
            return upload::put_whole(&self.store, name, pieces).await;
        }
        let mut writer = self.create(name, 0).await?;
        for piece in pieces {
            writer.write(piece.clone()).await?;
        }
        writer.finish().await
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        self.store.read(name, range).await
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        self.store.stat(name).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        let page = listing::list(&self.store.bucket, prefix, after, limit).await?;
        // A page that says "these are all" is a belief in absence; one in the middle only shows what there is.
        if !(page.more && self.store.watch.permits_adding()) {
            self.store.check_absence().await?;
        }
        Ok(page)
    }

    async fn occupant(&self) -> Result<Option<String>> {
        listing::occupant(&self.store.bucket).await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        self.store.set_aside(name).await
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        self.store.check_change().await?;
        self.store.bucket.delete("delete", ticket.name.as_str()).await
    }

    /// There are no folders. The marker goes last, so that whoever is cut off may do it again.
    async fn leave(&self, marker: &Bytes, _: &[ObjectName]) -> Result<()> {
        let (store, verb) = (&self.store, "leave");
        let _turn = store.marking.lock().await;
        let first = listing::list(&store.bucket, "", None, 1).await?;
        let found = store.look().await?.map(|(marker, _)| marker);
        marker::permits_leaving(store.address(), marker, found.as_ref(), first.objects.first())?;
        store.bucket.delete(verb, CONDITIONS).await?;
        store.watch.note(None);
        store.watch.expect(None);
        store.bucket.delete(verb, MARKER).await
    }
}
