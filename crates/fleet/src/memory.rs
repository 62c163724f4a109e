//! A target in memory, for tests and the simulator.
//!
//! [`MemoryTarget`] is the driver, [`MemoryDisk`] the disk under it: the disk outlives the service that uses it, and can be
//! wiped, rotted, filled, switched off and put back to what it was. What `finish` or `put` said `Ok` to is durable; nothing
//! else is on the disk at all, so a crash of the service is played by dropping its writers.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use crate::{
    lock, marker,
    target::{Abilities, DeleteTicket, Error, Listed, ObjectName, ObjectWriter, Page, Probe, Result, Target},
};

/// What a disk without a set capacity says it has free, in bytes.
const ROOMY_BYTES: u64 = 1 << 50;

/// What a disk held at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The marker.
    pub marker: Option<Bytes>,
    /// The objects by name.
    pub objects: BTreeMap<String, Bytes>,
    /// What was set aside, by `<name>-<n>`.
    pub aside: BTreeMap<String, Bytes>,
}

#[derive(Default)]
struct Disk {
    image: Image,
    down: bool,
    capacity_bytes: Option<u64>,
    /// Bytes of objects and of those set aside.
    kept_bytes: u64,
    /// Bytes of objects that are still being written.
    arriving_bytes: u64,
}

impl Disk {
    fn recount(&mut self) {
        let kept = self.image.objects.values().chain(self.image.aside.values());
        self.kept_bytes = kept.map(|bytes| bytes.len() as u64).sum();
    }

    fn used_bytes(&self) -> u64 {
        self.kept_bytes + self.arriving_bytes
    }

    fn free_bytes(&self) -> u64 {
        self.capacity_bytes.unwrap_or(ROOMY_BYTES).saturating_sub(self.used_bytes())
    }
}

/// A handle on a disk, for whoever plays its fate. Clones are the same disk.
#[derive(Clone, Default)]
pub struct MemoryDisk {
    disk: Arc<Mutex<Disk>>,
}

impl MemoryDisk {
    /// Removes everything, the marker too. The root stays, as after `rm -rf <root>/*`.
    pub fn wipe(&self) {
        self.restore(Image::default());
    }

    /// Returns what the disk holds now. Objects are shared, not copied.
    pub fn image(&self) -> Image {
        self.disk().image.clone()
    }

    /// Puts the disk back to what it held once.
    pub fn restore(&self, image: Image) {
        let mut disk = self.disk();
        disk.image = image;
        disk.recount();
    }

    /// Makes the disk answer (`true`) or be down (`false`); what it holds stays.
    pub fn set_up(&self, up: bool) {
        self.disk().down = !up;
    }

    /// Limits the disk to so many bytes of objects; `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.disk().capacity_bytes = bytes;
    }

    /// Bytes in use, half-written objects included.
    pub fn used_bytes(&self) -> u64 {
        self.disk().used_bytes()
    }

    /// The names on the disk, ascending, whatever the marker says and also while it is down.
    pub fn names(&self) -> Vec<String> {
        self.disk().image.objects.keys().cloned().collect()
    }

    /// The bytes under a name.
    pub fn bytes(&self, name: &str) -> Option<Bytes> {
        self.disk().image.objects.get(name).cloned()
    }

    /// Puts bytes under a name, or takes the name away, behind the driver's back.
    pub fn plant(&self, name: &str, bytes: Option<Bytes>) {
        let mut disk = self.disk();
        match bytes {
            Some(bytes) => disk.image.objects.insert(name.to_owned(), bytes),
            None => disk.image.objects.remove(name),
        };
        disk.recount();
    }

    /// Turns over the bits of `mask` in one byte of an object. Returns whether there was such a byte.
    pub fn flip(&self, name: &str, offset: u64, mask: u8) -> bool {
        let mut disk = self.disk();
        let Some(bytes) = disk.image.objects.get_mut(name) else { return false };
        let mut changed = BytesMut::from(&bytes[..]);
        let Some(byte) = usize::try_from(offset).ok().and_then(|at| changed.get_mut(at)) else { return false };
        *byte ^= mask;
        *bytes = changed.freeze();
        true
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }
}

/// The driver for a [`MemoryDisk`]. Clones are the same target.
#[derive(Clone)]
pub struct MemoryTarget {
    address: Arc<str>,
    disk: MemoryDisk,
    expected: Arc<Mutex<Option<Bytes>>>,
}

impl MemoryTarget {
    /// Makes a target on an empty disk without a marker.
    pub fn new(address: impl Into<String>) -> Self {
        Self::on(address, MemoryDisk::default())
    }

    /// Makes a target on a disk that is there already, as a service does that starts again.
    pub fn on(address: impl Into<String>, disk: MemoryDisk) -> Self {
        Self { address: address.into().into(), disk, expected: Arc::default() }
    }

    /// The disk under it.
    pub fn disk(&self) -> MemoryDisk {
        self.disk.clone()
    }

    fn answering(&self) -> Result<MutexGuard<'_, Disk>> {
        let disk = self.disk.disk();
        if disk.down {
            return Err(Error::Down { target: self.address.to_string(), reason: "it does not answer".to_owned() });
        }
        Ok(disk)
    }

    fn for_change(&self) -> Result<MutexGuard<'_, Disk>> {
        let disk = self.answering()?;
        marker::permits_change(&self.address, lock(&self.expected).as_ref(), disk.image.marker.as_ref())?;
        Ok(disk)
    }

    fn check_absence(&self, disk: &Disk) -> Result<()> {
        marker::permits_absence(&self.address, lock(&self.expected).as_ref(), disk.image.marker.as_ref())
    }

    fn missing(&self, name: &ObjectName) -> Error {
        Error::Missing { target: self.address.to_string(), name: name.to_string() }
    }

    fn exists(&self, name: &ObjectName) -> Error {
        Error::Exists { target: self.address.to_string(), name: name.to_string() }
    }

    fn full(&self) -> Error {
        Error::Full { target: self.address.to_string() }
    }

    /// Puts a whole object, of which `arriving_bytes` have been given room already.
    fn publish(&self, name: &ObjectName, pieces: &[Bytes], arriving_bytes: u64) -> Result<()> {
        let mut disk = self.for_change()?;
        if disk.image.objects.contains_key(name.as_str()) {
            return Err(self.exists(name));
        }
        let bytes = match pieces {
            [whole] => whole.clone(),
            _ => Bytes::from(pieces.concat()),
        };
        if (bytes.len() as u64).saturating_sub(arriving_bytes) > disk.free_bytes() {
            return Err(self.full());
        }
        disk.kept_bytes += bytes.len() as u64;
        disk.image.objects.insert(name.to_string(), bytes);
        Ok(())
    }
}

#[async_trait]
impl Target for MemoryTarget {
    fn address(&self) -> &str {
        &self.address
    }

    fn abilities(&self) -> Abilities {
        Abilities { object_bytes_max: ROOMY_BYTES, ..Abilities::DISK }
    }

    async fn probe(&self) -> Result<Probe> {
        let disk = self.answering()?;
        Ok(Probe { marker: disk.image.marker.clone(), free_bytes: Some(disk.free_bytes()) })
    }

    fn expect_marker(&self, marker: Option<Bytes>) {
        *lock(&self.expected) = marker;
    }

    async fn write_marker(&self, present: Option<&Bytes>, marker: Bytes) -> Result<()> {
        let mut disk = self.answering()?;
        let (found, empty) = (disk.image.marker.as_ref(), disk.image.objects.is_empty());
        marker::permits_replacing(&self.address, present, found, empty)?;
        disk.image.marker = Some(marker.clone());
        self.expect_marker(Some(marker));
        Ok(())
    }

    async fn create(&self, name: &ObjectName, _bytes_hint: u64) -> Result<Box<dyn ObjectWriter>> {
        let disk = self.for_change()?;
        if disk.image.objects.contains_key(name.as_str()) {
            return Err(self.exists(name));
        }
        Ok(Box::new(MemoryWriter {
            target: self.clone(),
            name: name.clone(),
            pieces: Some(Vec::new()),
            arriving_bytes: 0,
        }))
    }

    async fn put(&self, name: &ObjectName, pieces: &[Bytes]) -> Result<()> {
        self.publish(name, pieces, 0)
    }

    async fn read(&self, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
        let disk = self.answering()?;
        let Some(bytes) = disk.image.objects.get(name.as_str()) else {
            return self.check_absence(&disk).and(Err(self.missing(name)));
        };
        let got = bytes.len() as u64;
        if range.end > got {
            let (target, name) = (self.address.to_string(), name.to_string());
            return Err(Error::Short { target, name, expected: range.end, got });
        }
        // Both ends are below a length in memory.
        let (start, end) = (range.start.min(range.end) as usize, range.end as usize);
        Ok(bytes.slice(start..end))
    }

    async fn stat(&self, name: &ObjectName) -> Result<Option<u64>> {
        let disk = self.answering()?;
        match disk.image.objects.get(name.as_str()) {
            Some(bytes) => Ok(Some(bytes.len() as u64)),
            None => self.check_absence(&disk).map(|()| None),
        }
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectName>, limit: usize) -> Result<Page> {
        let disk = self.answering()?;
        self.check_absence(&disk)?;
        let start = match after {
            Some(after) if after.as_str() >= prefix => Bound::Excluded(after.as_str()),
            _ => Bound::Included(prefix),
        };
        let mut found = disk.image.objects.range::<str, _>((start, Bound::Unbounded));
        let mut page = Page::default();
        while let Some((name, bytes)) = found.next().filter(|(name, _)| name.starts_with(prefix)) {
            let Ok(name) = ObjectName::parse(name.as_str()) else { continue };
            if page.objects.len() == limit {
                page.more = true;
                break;
            }
            page.objects.push(Listed { name, bytes: bytes.len() as u64 });
        }
        Ok(page)
    }

    async fn occupant(&self) -> Result<Option<String>> {
        let page = self.list("", None, 1).await?;
        Ok(page.objects.first().map(|listed| listed.name.to_string()))
    }

    async fn set_aside(&self, name: &ObjectName) -> Result<()> {
        let mut disk = self.for_change()?;
        let bytes = disk.image.objects.remove(name.as_str()).ok_or_else(|| self.missing(name))?;
        let mut n = 0_u64;
        while disk.image.aside.contains_key(&format!("{name}-{n}")) {
            n += 1;
        }
        disk.image.aside.insert(format!("{name}-{n}"), bytes);
        Ok(())
    }

    async fn delete(&self, ticket: &DeleteTicket) -> Result<()> {
        let mut disk = self.for_change()?;
        if let Some(bytes) = disk.image.objects.remove(ticket.name.as_str()) {
            disk.kept_bytes -= bytes.len() as u64;
        }
        Ok(())
    }

    async fn leave(&self, marker: &Bytes, _: &[ObjectName]) -> Result<()> {
        let first = self.list("", None, 1).await?.objects.into_iter().next();
        let mut disk = self.answering()?;
        marker::permits_leaving(&self.address, marker, disk.image.marker.as_ref(), first.as_ref())?;
        disk.image.marker = None;
        self.expect_marker(None);
        Ok(())
    }
}

struct MemoryWriter {
    target: MemoryTarget,
    name: ObjectName,
    /// `None` after an error: nothing more is taken.
    pieces: Option<Vec<Bytes>>,
    arriving_bytes: u64,
}

impl MemoryWriter {
    fn take(&mut self) -> Result<Vec<Bytes>> {
        let abandoned = || Error::Io {
            target: self.target.address.to_string(),
            verb: "write to an abandoned object",
            source: Arc::new(std::io::ErrorKind::Other.into()),
        };
        self.pieces.take().ok_or_else(abandoned)
    }
}

#[async_trait]
impl ObjectWriter for MemoryWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut pieces = self.take()?;
        let mut disk = self.target.answering()?;
        let more_bytes = bytes.len() as u64;
        if more_bytes > disk.free_bytes() {
            return Err(self.target.full());
        }
        disk.arriving_bytes += more_bytes;
        drop(disk);
        self.arriving_bytes += more_bytes;
        pieces.push(bytes);
        self.pieces = Some(pieces);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        let pieces = self.take()?;
        self.target.publish(&self.name, &pieces, self.arriving_bytes)
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        self.target.disk.disk().arriving_bytes -= self.arriving_bytes;
    }
}
