//! A sorted walk over the objects of a folder tree.
//!
//! Names are ordered by their bytes as a whole, slashes included, so a folder is sorted as if its name ended in a slash:
//! `a-b` comes before everything in `a/`. A server lists a folder in any order and of any length, so of each folder only the
//! first names that can still be wanted are kept, and it is read again should they not fill the page; a listing that names
//! more than [`NAMES_MAX`] things is not believed.

use std::collections::{BTreeMap, VecDeque};

use super::{
    folders::Look,
    place::{Lies, Place},
    session::Session,
    wire::{Attributes, Entry, Kind, Request, Status},
};
use crate::target::{Listed, ObjectName, Page, Result};

/// Things that one listing may look at, in all its folders.
const NAMES_MAX: usize = 1 << 22;
/// Names of one folder that are kept at once, whatever the page may hold.
const KEPT_MAX: usize = 1 << 16;
/// Requests for names that are under way at once: two at first, which is all that a small folder needs, and more as the
/// folder turns out to be long.
const AHEAD: usize = 2;
const AHEAD_MAX: usize = 8;

/// What is asked for.
pub(super) struct Walk<'a> {
    pub(super) place: &'a Place,
    pub(super) session: &'a Session,
    pub(super) prefix: &'a str,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
    names_read: usize,
}

/// A name that is wanted, by its full name; a folder's ends in a slash.
type Wanted = BTreeMap<String, Option<u64>>;

impl<'a> Walk<'a> {
    pub(super) fn new(
        place: &'a Place,
        session: &'a Session,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Self {
        Self { place, session, prefix, after, limit, names_read: 0 }
    }

    /// Walks the objects beneath the root. Folders that cannot hold a wanted name are not opened.
    pub(super) async fn run(mut self) -> Result<Page> {
        let mut page = Page::default();
        let Some((base, _)) = self.prefix.rsplit_once('/') else {
            self.folder(String::new(), &mut page).await?;
            return Ok(page);
        };
        // A prefix with odd parts (`..`, `tmp/`) is the beginning of no object's name. What is no folder, or is one behind a
        // link, holds no object.
        if ObjectName::parse(base).is_ok() {
            match Look::at(self.place, self.session, base).found(self.place, self.session).await {
                Ok(Lies::Other("a folder")) => self.folder(format!("{base}/"), &mut page).await?,
                Ok(_) | Err(crate::target::Error::NotAnObject { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(page)
    }

    /// The name of something in the root that is not our own.
    pub(super) async fn occupant(self) -> Result<Option<String>> {
        let (place, session) = (self.place, self.session);
        let folder = match session.ask(Request::open_folder(&place.path(""))).opened().await {
            Ok(folder) => folder,
            Err(refusal) => return Err(place.failed(session, "list", refusal).await),
        };
        // Our own things and the two dots are few: whoever hides behind more of them than this is somebody.
        for _ in 0..64 {
            let entries = match session.ask(Request::read_folder(folder.handle())).names().await {
                Ok(entries) if entries.is_empty() => return Ok(None),
                Ok(entries) => entries,
                Err(refusal) if refusal.is(Status::EOF) => return Ok(None),
                Err(refusal) => return Err(place.failed(session, "list", refusal).await),
            };
            let names = entries.iter().map(|entry| String::from_utf8_lossy(&entry.name).into_owned());
            let foreign = |name: &String| name != "." && name != ".." && !crate::target::is_own(name);
            if let Some(name) = names.into_iter().find(foreign) {
                return Ok(Some(name));
            }
        }
        Err(place.nonsense("list", "the server lists its folder without an end"))
    }

    /// Adds the objects of one folder and of those in it; `path` is empty or ends in a slash. Stops when the page is full
    /// and one more object is known to follow.
    async fn folder(&mut self, path: String, page: &mut Page) -> Result<()> {
        let mut from: Option<String> = None;
        loop {
            let (wanted, cut) = self.read_folder(&path, from.as_deref()).await?;
            from = wanted.last_key_value().map(|(name, _)| name.clone());
            for (name, bytes) in wanted {
                match bytes {
                    None => Box::pin(self.folder(name, page)).await?,
                    Some(_) if page.objects.len() == self.limit => page.more = true,
                    Some(bytes) => {
                        let name = ObjectName::parse(name).expect("only names of objects are kept");
                        page.objects.push(Listed { name, bytes });
                    }
                }
                if page.more {
                    return Ok(());
                }
            }
            if !cut {
                return Ok(());
            }
        }
    }

    /// Returns the first wanted names of a folder after `from`, and whether there are more.
    async fn read_folder(&mut self, path: &str, from: Option<&str>) -> Result<(Wanted, bool)> {
        let (place, session) = (self.place, self.session);
        let kept_max = self.limit.saturating_add(1).min(KEPT_MAX);
        let (mut wanted, mut cut) = (Wanted::new(), false);
        let folder = match session.ask(Request::open_folder(&place.path(path.trim_end_matches('/')))).opened().await {
            Ok(folder) => folder,
            Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => return Ok((wanted, false)),
            Err(refusal) => return Err(place.failed(session, "list", refusal).await),
        };
        let ask = || session.ask(Request::read_folder(folder.handle()));
        let mut under_way: VecDeque<_> = (0..AHEAD).map(|_| ask()).collect();
        while let Some(asked) = under_way.pop_front() {
            let entries = match asked.names().await {
                Ok(entries) if entries.is_empty() => break,
                Ok(entries) => entries,
                Err(refusal) if refusal.is(Status::EOF) => break,
                Err(refusal) => return Err(place.failed(session, "list", refusal).await),
            };
            under_way.push_back(ask());
            if under_way.len() < AHEAD_MAX {
                under_way.push_back(ask());
            }
            self.names_read += entries.len();
            if self.names_read > NAMES_MAX {
                return Err(place.nonsense("list", "the server lists more names than can be there"));
            }
            for entry in entries {
                let Some((name, bytes)) = self.wants(path, entry).await? else { continue };
                if from.is_none_or(|from| name.as_str() > from) {
                    wanted.insert(name, bytes);
                }
                if wanted.len() > kept_max {
                    wanted.pop_last();
                    cut = true;
                }
            }
        }
        Ok((wanted, cut))
    }

    /// The full name and length of an entry that may be wanted; a folder's name ends in a slash and it has no length.
    async fn wants(&self, path: &str, entry: Entry) -> Result<Option<(String, Option<u64>)>> {
        let Some(name) = std::str::from_utf8(&entry.name).ok().filter(|name| !name.contains('/')) else {
            return Ok(None);
        };
        let Ok(full) = ObjectName::parse(format!("{path}{name}")) else { return Ok(None) };
        let (mut full, as_folder) = (full.to_string(), format!("{full}/"));
        if !self.wants_object(&full) && !self.wants_folder(&as_folder) {
            return Ok(None);
        }
        let attributes = self.known(&full, entry.attributes).await?;
        Ok(match (attributes.kind(), attributes.bytes) {
            (Some(Kind::File), Some(bytes)) if self.wants_object(&full) => Some((full, Some(bytes))),
            (Some(Kind::Folder), _) if self.wants_folder(&as_folder) => {
                full.push('/');
                Some((full, None))
            }
            _ => None,
        })
    }

    /// Asks again where the listing did not say what a thing is.
    async fn known(&self, name: &str, listed: Attributes) -> Result<Attributes> {
        if matches!((listed.kind(), listed.bytes), (Some(_), Some(_))) {
            return Ok(listed);
        }
        match self.session.ask(Request::lstat(&self.place.path(name))).attributes().await {
            Ok(attributes) => Ok(attributes),
            Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => Ok(Attributes::default()),
            Err(refusal) => Err(self.place.failed(self.session, "stat", refusal).await),
        }
    }

    fn wants_object(&self, name: &str) -> bool {
        name.starts_with(self.prefix) && self.after.is_none_or(|after| name > after)
    }

    fn wants_folder(&self, key: &str) -> bool {
        (key.starts_with(self.prefix) || self.prefix.starts_with(key))
            && self.after.is_none_or(|after| key > after || after.starts_with(key))
    }
}
