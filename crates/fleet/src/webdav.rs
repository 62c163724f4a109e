//! The driver for servers that speak WebDAV: storage boxes, Nextcloud, Apache, nginx with the module dav-ext.
//!
//! ```text
//! <root>/holdfast-target      the marker
//! <root>/<name of object>     slashes in the name are folders
//! <root>/tmp/<random>         half-written files, removed before the first write of a new process
//! <root>/aside/<name>-<n>     bad objects, for a person to look at
//! ```
//!
//! An object is streamed to `tmp/` and renamed with `Overwrite: F`; only then is it there. One process at a time writes to a
//! root. **WebDAV promises no durability**: a server says "created" when it likes, so `durable_rename` is false and margin
//! does not count on such a target as on others. Nor do servers guard names: they look, and then rename.
//!
//! The marker is read before changes as in `object_store` (`marker::watch` says how often). Whatever is removed or set aside is
//! looked at first: DELETE takes a folder with all that is in it.
//!
//! `address` is where the root is, `site` has one function to each request, `multistatus` reads what a server says about its
//! resources, `listing` walks, `upload` writes.

mod address;
mod listing;
mod multistatus;
mod site;
mod upload;

use std::{
    collections::HashSet,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use model::world::{Entropy, Timer, World};
use tokio::sync::{Mutex, OnceCell};

pub use self::address::{WebDavAddress, WebDavLogin};
use self::{
    address::Place,
    site::{Depth, Overwrite, Site},
    upload::{StreamWriter, Temporary},
};
use crate::{
    marker::{self, Watch},
    target::{Abilities, DeleteTicket, Error, ObjectName, ObjectWriter, Page, Probe, Result, Target, folders_above},
    traffic::Traffic,
    wire::{HttpOptions, body::Outgoing, text},
};

const MARKER: &str = "holdfast-target";
const TMP: &str = "tmp";
const ASIDE: &str = "aside";
/// Bad objects of one name. None was ever seen twice; the limit is for servers that call everything taken.
const ASIDE_MAX: u32 = 1_000;
/// Folders that are remembered; beyond it they are asked for again.
const FOLDERS_MAX: usize = 100_000;

/// A collection as a target.
pub struct WebDav {
    store: Arc<Store>,
}

/// What the driver and its writers share.
struct Store {
    site: Site,
    watch: Watch,
    marking: Mutex<()>,
    /// Folders that are there. Held while one is made: two at once confuse servers.
    folders: Mutex<HashSet<String>>,
    swept: OnceCell<()>,
    tells_space: AtomicBool,
    entropy: Arc<dyn Entropy>,
    timer: Arc<dyn Timer>,
}

impl WebDav {
    /// Names the collection. Nothing is connected to and nothing is made; a missing one is [`Error::Down`] at use.
    ///
    /// # Errors
    /// [`Error::BadAddress`].
    pub fn open(address: &WebDavAddress, login: &WebDavLogin, options: &HttpOptions, world: &World) -> Result<Self> {
        let store = Store {
            site: Site::new(Place::check(address, login)?, options, world)?,
            watch: Watch::new(Arc::clone(&world.clock)),
            marking: Mutex::default(),
            folders: Mutex::default(),
            swept: OnceCell::new(),
            tells_space: AtomicBool::new(false),
            entropy: Arc::clone(&world.entropy),
            timer: Arc::clone(&world.timer),
        };
        Ok(Self { store: Arc::new(store) })
    }
}

impl Store {
    fn address(&self) -> &str {
        &self.site.wire.address
    }

    fn exists(&self, name: &ObjectName) -> Error {
        Error::Exists { target: self.address().to_owned(), name: name.to_string() }
    }

    fn missing(&self, name: &ObjectName) -> Error {
        Error::Missing { target: self.address().to_owned(), name: name.to_string() }
    }

    /// What the server says about the root.
    async fn look_at_root(&self) -> Result<Option<u64>> {
        let gone = || self.site.wire.down("its root is not there: it was removed, or the path of the address is wrong");
        let found = self.site.describe("probe", "", Depth::Itself).await?.ok_or_else(gone)?;
        let path = self.site.path("");
        let root = found.into_iter().find(|one| one.path == path && one.is_folder);
        root.map(|root| root.free_bytes).ok_or_else(|| self.site.wire.down("its root is no folder of WebDAV"))
    }

    /// Reads the marker and remembers it; without one, the root must be there. After an error nothing is remembered.
    async fn look(&self) -> Result<Option<Bytes>> {
        let looked = match self.site.marker(MARKER).await {
            Ok(None) => self.look_at_root().await.map(|_| None),
            other => other,
        };
        self.watch.note(looked.as_ref().ok().and_then(Option::as_ref));
        looked
    }

    async fn check_adding(&self) -> Result<()> {
        if self.watch.permits_adding() { Ok(()) } else { self.check_change().await }
    }

    async fn check_change(&self) -> Result<()> {
        let found = if self.watch.expected().is_some() { self.look().await? } else { None };
        self.watch.permits_change(self.address(), found.as_ref())
    }

    async fn check_absence(&self) -> Result<()> {
        let found = self.look().await?;
        marker::permits_absence(self.address(), self.watch.expected().as_ref(), found.as_ref())
    }

    /// Makes a folder and those above it, where they are not known to be there. The root is never made.
    async fn ensure_folder(&self, path: &str) -> Result<()> {
        let mut known = self.folders.lock().await;
        if known.len() > FOLDERS_MAX {
            known.clear();
        }
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let part = &path[..end];
            if part.is_empty() || known.contains(part) {
                continue;
            }
            if let Err(error) = self.site.make_folder(part).await {
                known.clear();
                return Err(error);
            }
            known.insert(part.to_owned());
        }
        Ok(())
    }

    /// A fresh name in `tmp/`. What an earlier process left there is removed before the first one.
    async fn temporary(self: &Arc<Self>) -> Result<Temporary> {
        self.swept.get_or_try_init(|| self.site.delete("sweep", "tmp/")).await?;
        self.ensure_folder(TMP).await?;
        let mut random = [0; 12];
        self.entropy.fill(&mut random);
        Ok(Temporary::new(self, format!("{TMP}/{}", text::hex(&random))))
    }

    /// Gives a whole object of `bytes` bytes its name.
    async fn publish(&self, temporary: Temporary, name: &ObjectName, bytes: u64) -> Result<()> {
        // Only now: the marker may have changed while the bytes came in.
        self.check_adding().await?;
        let verb = "finish";
        if let Some((folder, _)) = name.as_str().rsplit_once('/') {
            self.ensure_folder(folder).await?;
        }
        if self.site.length(verb, name.as_str()).await?.is_some() {
            return Err(self.exists(name));
        }
        let mut renamed = self.site.rename(verb, &temporary.path, name.as_str(), Overwrite::No).await;
        if !matches!(renamed, Ok(true)) {
            // The server may have acted before the connection ended, or while it was asked again; where the bytes are says so.
            let lengths =
                (self.site.length(verb, &temporary.path).await?, self.site.length(verb, name.as_str()).await?);
            if matches!(lengths, (None, Some(found)) if found == bytes) {
                renamed = Ok(true);
            }
        }
        match renamed {
            Ok(true) => {
                temporary.moved();
                Ok(())
            }
            Ok(false) => Err(self.exists(name)),
            Err(error) => {
                // A folder may have gone behind our back.
                self.folders.lock().await.clear();
                Err(error)
            }
        }
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        match self.site.length("stat", name.as_str()).await? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.check_absence().await.map(|()| None),
        }
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        let short = |got| {
            let (target, name) = (self.address().to_owned(), name.to_string());
            Error::Short { target, name, expected: range.end, got }
        };
        if range.is_empty() || i64::try_from(range.end).is_err() {
            let bytes = self.stat(name).await?.ok_or_else(|| self.missing(name))?;
            return if range.end > bytes { Err(short(bytes)) } else { Ok(Bytes::new()) };
        }
        let text = format!("bytes={}-{}", range.start, range.end - 1);
        let answer = self.site.get("read", name.as_str(), Some(&text)).await?;
        match answer.status.as_u16() {
            404 | 410 => self.check_absence().await.and(Err(self.missing(name))),
            416 => match answer.content_range() {
                Some((_, bytes)) if bytes < range.end => Err(short(bytes)),
                _ => Err(short(self.stat(name).await?.ok_or_else(|| self.missing(name))?)),
            },
            _ => answer.take_range(&self.site.wire, name, range).await,
        }
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        let verb = "set aside";
        self.check_change().await?;
        if self.site.length(verb, name.as_str()).await?.is_none() {
            return Err(self.missing(name));
        }
        let aside = format!("{ASIDE}/{name}");
        self.ensure_folder(aside.rsplit_once('/').map_or(ASIDE, |(folder, _)| folder)).await?;
        for n in 0..ASIDE_MAX {
            if self.site.rename(verb, name.as_str(), &format!("{aside}-{n}"), Overwrite::No).await? {
                return Ok(());
            }
        }
        Err(self.site.wire.odd(verb, "it says that every name is taken"))
    }

    async fn write_marker(self: &Arc<Self>, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        let _turn = self.marking.lock().await;
        let found = self.look().await?;
        let is_empty = found.is_some() || listing::list(&self.site, "", None, 1).await?.objects.is_empty();
        marker::permits_replacing(self.address(), present, found.as_ref(), is_empty)?;
        let temporary = self.temporary().await?;
        let verb = "write marker";
        self.site.put(verb, &temporary.path, Outgoing::pieces(std::slice::from_ref(&marker))).await?;
        self.site.rename(verb, &temporary.path, MARKER, Overwrite::Yes).await?;
        temporary.moved();
        self.watch.note(Some(&marker));
        self.watch.expect(Some(marker));
        Ok(())
    }
}

#[async_trait]
impl Target for WebDav {
    fn address(&self) -> &str {
        self.store.address()
    }

    /// Free space counts once a probe has seen it.
    fn abilities(&self) -> Abilities {
        Abilities {
            durable_rename: false,
            server_checksum: false,
            no_clobber: false,
            lock: false,
            free_space: self.store.tells_space.load(Ordering::Relaxed),
            object_bytes_max: i64::MAX as u64,
            part_bytes: 0,
            billed_by_request: false,
            probe_every_s: 30,
        }
    }

    fn traffic(&self) -> Option<Traffic> {
        Some(self.store.site.wire.counter.read())
    }

    async fn probe(&self) -> Result<Probe> {
        let free_bytes = self.store.look_at_root().await?;
        self.store.tells_space.store(free_bytes.is_some(), Ordering::Relaxed);
        Ok(Probe { marker: self.store.look().await?, free_bytes })
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        self.store.watch.expect(marker);
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        self.store.write_marker(present, marker).await
    }

    async fn create(&self, name: &ObjectName, _: u64) -> Result<Box<dyn ObjectWriter>> {
        self.store.check_adding().await?;
        Ok(Box::new(StreamWriter::new(self.store.temporary().await?, name.clone())))
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        self.store.check_adding().await?;
        let temporary = self.store.temporary().await?;
        self.store.site.put("put", &temporary.path, Outgoing::pieces(pieces)).await?;
        self.store.publish(temporary, name, pieces.iter().map(|piece| piece.len() as u64).sum()).await
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        self.store.read(name, range).await
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        self.store.stat(name).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        let page = listing::list(&self.store.site, prefix, after, limit).await?;
        // A page that says "these are all" is a belief in absence; one in the middle only shows what there is.
        if !(page.more && self.store.watch.permits_adding()) {
            self.store.check_absence().await?;
        }
        Ok(page)
    }

    async fn occupant(&self) -> Result<Option<String>> {
        listing::occupant(&self.store.site).await
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        self.store.set_aside(name).await
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        self.store.check_change().await?;
        let verb = "delete";
        match self.store.site.length(verb, ticket.name.as_str()).await? {
            Some(_) => self.store.site.delete(verb, ticket.name.as_str()).await,
            None => Ok(()),
        }
    }

    /// DELETE takes what is in a folder as well, so each is looked into first. The marker goes last, so that whoever is cut off may
    /// do it again.
    async fn leave(&self, marker: &Bytes, names: &[ObjectName]) -> Result<()> {
        let (store, verb) = (&self.store, "leave");
        let _turn = store.marking.lock().await;
        let first = listing::list(&store.site, "", None, 1).await?;
        marker::permits_leaving(store.address(), marker, store.look().await?.as_ref(), first.objects.first())?;
        let mut known = store.folders.lock().await;
        known.clear();
        for folder in folders_above(names) {
            let key = format!("{folder}/");
            if listing::is_empty_folder(&store.site, &folder).await? {
                store.site.delete(verb, &key).await?;
            }
        }
        store.watch.note(None);
        store.watch.expect(None);
        store.site.delete(verb, MARKER).await
    }
}
