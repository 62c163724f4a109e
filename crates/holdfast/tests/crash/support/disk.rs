//! What a power cut would leave: a model of the file system, fed with a trace.
//!
//! It is the strictest disk that POSIX allows: a file's bytes are there if a sync of the file began after the last write
//! ended, a name is there if a sync of its folder began after the name was given, and all folders above it are there.

use std::collections::{BTreeMap, BTreeSet};

use super::trace::{Call, Event};

#[derive(Clone, Debug, Default)]
struct File {
    bytes: u64,
    /// Where the last write ended, unless a sync came since.
    dirty: Option<usize>,
    /// A sync of it failed: nothing that it holds may be trusted to another sync.
    failed: bool,
    /// It was opened again since.
    reopened: bool,
}

/// Files and names as they stand after a prefix of a trace.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: BTreeMap<String, File>,
    /// Names that were given, by where that ended, until their folder was synced.
    fresh: BTreeMap<String, usize>,
    /// Names that a power cut leaves.
    firm: BTreeSet<String>,
    /// Rules that were broken on the way.
    pub broken: Vec<String>,
}

impl Disk {
    /// The disk after every call that ended before line `line` of the trace.
    pub fn before(events: &[Event], line: usize) -> Self {
        let mut disk = Self::default();
        events.iter().filter(|event| event.ended < line).for_each(|event| disk.take(event));
        disk
    }

    fn take(&mut self, event: &Event) {
        let at = event.ended;
        match &event.call {
            Call::Sync { path } if event.error.is_some() => {
                if let Some(file) = self.files.get_mut(path) {
                    (file.failed, file.reopened) = (true, false);
                }
            }
            _ if event.error.is_some() => {}
            Call::Create { path } => match self.files.get_mut(path) {
                Some(file) => file.reopened = file.failed,
                None => {
                    self.files.insert(path.clone(), File::default());
                    self.fresh.insert(path.clone(), at);
                }
            },
            Call::Open { path } => {
                if let Some(file) = self.files.get_mut(path) {
                    file.reopened = file.failed;
                }
            }
            Call::MakeFolder { path } => drop(self.fresh.insert(path.clone(), at)),
            Call::Write { path, bytes } => {
                let file = self.files.entry(path.clone()).or_default();
                file.bytes += bytes;
                file.dirty = Some(at);
                // Through a new handle, its bytes are written anew.
                file.failed &= !file.reopened;
            }
            Call::Sync { path } => {
                if let Some(file) = self.files.get_mut(path) {
                    // A second sync says nothing about bytes that the first one could not write.
                    if file.failed {
                        self.broken.push(format!("{path} was synced again after its sync had failed"));
                    } else if file.dirty.is_some_and(|written| written < event.begun) {
                        file.dirty = None;
                    }
                }
                let inside = |name: &str| name.rsplit_once('/').is_some_and(|(folder, _)| folder == path);
                let done = self.fresh.iter().filter(|(name, given)| inside(name) && **given < event.begun);
                let done: Vec<String> = done.map(|(name, _)| name.clone()).collect();
                for name in done {
                    self.fresh.remove(&name);
                    self.firm.insert(name);
                }
            }
            Call::Rename { from, to } => {
                let file = self.files.remove(from).unwrap_or_default();
                if file.dirty.is_some() || file.failed {
                    self.broken.push(format!("{to} got its name before its bytes were durable"));
                }
                self.files.insert(to.clone(), file);
                self.fresh.remove(from);
                self.firm.remove(from);
                self.fresh.insert(to.clone(), at);
            }
            Call::Unlink { path } => {
                self.files.remove(path);
                self.fresh.remove(path);
                self.firm.remove(path);
            }
            Call::Send { .. } => {}
        }
    }

    /// The bytes written to a file, if a power cut leaves it whole: its bytes, its name and every folder that the traced
    /// process made above it.
    pub fn keeps(&self, path: &str) -> Option<u64> {
        let file = self.files.get(path).filter(|file| file.dirty.is_none() && !file.failed)?;
        let above = path.match_indices('/').skip(1).map(|(at, _)| &path[..at]);
        (!self.fresh.contains_key(path) && above.into_iter().all(|folder| !self.fresh.contains_key(folder)))
            .then_some(file.bytes)
    }

    /// Files below a folder that a power cut leaves whole, and the bytes written to each.
    pub fn kept_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        let inside =
            self.files.keys().filter(move |path| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        inside.filter_map(|path| Some((path.as_str(), self.keeps(path)?)))
    }

    /// Files below a folder that lie there under their name with their bytes durable, but whose name a power cut may
    /// take: with luck they are found.
    pub fn perhaps_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        let inside = self
            .files
            .iter()
            .filter(move |(path, _)| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        let whole = inside.filter(|(_, file)| file.dirty.is_none() && !file.failed);
        whole.map(|(path, _)| path.as_str()).filter(|path| self.keeps(path).is_none())
    }
}
