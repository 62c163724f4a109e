//! The reference: what the tree must look like, kept by those who act on it and by nobody else.
//!
//! An act on an entry is announced before it begins and ended with its outcome. Acknowledged, the entry is what the act
//! made of it. Otherwise (an error, a crash) the outcome is *open*: both states are allowed, until one was seen after a
//! restart or after a later change was acknowledged; from then on it must stay.

use std::collections::{BTreeMap, BTreeSet};

use model::id::{EntryId, UploadId, VersionId};

/// A file's bytes, made again from a seed whenever they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// What they are made from.
    pub seed: u64,
    /// How many.
    pub size: u64,
}

impl Content {
    /// A part of the bytes.
    pub fn range(&self, from: u64, to: u64) -> Vec<u8> {
        let (from, to) = (from.min(self.size), to.min(self.size));
        let mut bytes = Vec::with_capacity((to - from) as usize + 16);
        let first = from / 8;
        for word in first..to.div_ceil(8) {
            let mut z = self.seed.wrapping_add(word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bytes.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
        }
        let skip = (from - first * 8) as usize;
        bytes.drain(..skip);
        bytes.truncate((to - from) as usize);
        bytes
    }

    /// All of them.
    pub fn bytes(&self) -> Vec<u8> {
        self.range(0, self.size)
    }
}

/// A file as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its folder.
    pub parent: EntryId,
    /// Its name.
    pub name: String,
    /// Whether it lies in the trash.
    pub trashed: bool,
    /// The version that readers get.
    pub current: VersionId,
    /// All versions that are kept, the current one too.
    pub versions: BTreeSet<VersionId>,
}

/// An upload that goes on.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id at the store.
    pub id: UploadId,
    /// What it is to hold.
    pub content: Content,
    /// Bytes that were called safe.
    pub safe: u64,
    /// The step in which it began.
    pub began: u64,
}

/// What may have become of an entry.
#[derive(Clone, Debug)]
struct Open {
    since: u64,
    states: Vec<Option<File>>,
}

/// The reference tree of one account.
#[derive(Default)]
pub struct Model {
    files: BTreeMap<EntryId, File>,
    open: BTreeMap<EntryId, Open>,
    contents: BTreeMap<VersionId, Content>,
    /// The step in which each version was acknowledged.
    acknowledged: BTreeMap<VersionId, u64>,
    /// Versions that were erased for good.
    erased: BTreeSet<VersionId>,
    /// Entries that were erased for good.
    gone: BTreeSet<EntryId>,
    /// The last step in which a change was acknowledged that had begun in it.
    last_acknowledged: u64,
    /// Uploads under way.
    pub uploads: Vec<Upload>,
}

impl Model {
    /// An act begins that would make `after` of an entry.
    pub fn begin(&mut self, step: u64, entry: EntryId, after: Option<File>) {
        let before = self.files.get(&entry).cloned();
        let open = self.open.entry(entry).or_insert_with(|| Open { since: step, states: vec![before] });
        open.since = step;
        open.states.push(after);
    }

    /// The act was acknowledged.
    pub fn acknowledge(&mut self, step: u64, entry: EntryId) {
        self.last_acknowledged = step;
        if let Some(after) = self.open.remove(&entry).and_then(|mut open| open.states.pop()) {
            if let Some(file) = &after {
                self.acknowledged.entry(file.current).or_insert(step);
            }
            self.become_state(entry, after);
        }
    }

    /// The act was refused before anything was tried: nothing can have changed.
    pub fn refuse(&mut self, entry: EntryId) {
        if let Some(open) = self.open.get_mut(&entry) {
            open.states.pop();
            if open.states.len() == 1 {
                self.open.remove(&entry);
            }
        }
    }

    /// A version's bytes, known before it is sent.
    pub fn will_hold(&mut self, version: VersionId, content: Content) {
        self.contents.insert(version, content);
    }

    /// The bytes of a version were called safe before the version is.
    pub fn safe_since(&mut self, version: VersionId, step: u64) {
        self.acknowledged.insert(version, step);
    }

    /// What a version should hold.
    pub fn content(&self, version: VersionId) -> Option<Content> {
        self.contents.get(&version).copied()
    }

    /// The step in which a version was acknowledged.
    pub fn acknowledged_in(&self, version: VersionId) -> Option<u64> {
        self.acknowledged.get(&version).copied()
    }

    /// Whether a version was sent, never acknowledged, and is none that the entry has.
    pub fn is_stray(&self, entry: EntryId, version: VersionId) -> bool {
        let has = |file: &File| file.versions.contains(&version);
        let open = self.open.get(&entry).into_iter().flat_map(|open| open.states.iter().flatten());
        self.contents.contains_key(&version)
            && !self.erased.contains(&version)
            && !self.acknowledged.contains_key(&version)
            && !self.files.get(&entry).into_iter().chain(open).any(has)
    }

    /// Whether an entry's state is not known for sure.
    pub fn is_open(&self, entry: EntryId) -> bool {
        self.open.contains_key(&entry)
    }

    /// Whether anything is not known for sure.
    pub fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Entries whose state is known for sure.
    pub fn settled(&self) -> impl Iterator<Item = (EntryId, &File)> {
        self.files.iter().filter(|(id, _)| !self.open.contains_key(id)).map(|(id, file)| (*id, file))
    }

    /// Whether a name is taken, or may be.
    pub fn is_taken(&self, parent: EntryId, name: &str) -> bool {
        let takes = |file: &File| !file.trashed && file.parent == parent && file.name == name;
        let open = self.open.values().flat_map(|open| open.states.iter().flatten());
        self.files.values().chain(open).any(takes)
    }

    /// Compares what was seen with what may be. `decided`: what is seen now must stay, whatever is open (after a restart).
    ///
    /// # Errors
    /// Says which entry is not as it must be.
    pub fn compare(&mut self, seen: &BTreeMap<EntryId, File>, decided: bool) -> Result<(), String> {
        let last_acknowledged = self.last_acknowledged;
        let mut ids: BTreeSet<EntryId> = seen.keys().chain(self.files.keys()).copied().collect();
        ids.extend(self.open.keys());
        for id in ids {
            let now = seen.get(&id);
            match self.open.get(&id) {
                None if now == self.files.get(&id) => {}
                None => {
                    let erased = if self.gone.contains(&id) { " (it was erased for good)" } else { "" };
                    let should = self.files.get(&id);
                    return Err(format!("entry {id}{erased} should be {should:?}, but is {now:?}"));
                }
                Some(open) => {
                    let now = now.cloned();
                    if !open.states.contains(&now) {
                        return Err(format!("entry {id} may be one of {:?}, but is {now:?}", open.states));
                    }
                    if decided || last_acknowledged > open.since {
                        let since = open.since;
                        self.open.remove(&id);
                        if let Some(file) = &now {
                            // It is as old as the act that made it, whatever is acknowledged of its entry later.
                            self.acknowledged.entry(file.current).or_insert(since);
                        }
                        self.become_state(id, now);
                    }
                }
            }
        }
        Ok(())
    }

    /// Compares a copy made elsewhere (a rebuild, a rescue) with what may be; decides nothing.
    ///
    /// # Errors
    /// Says which entry is not as it must be.
    pub fn compare_copy(&self, seen: &BTreeMap<EntryId, File>) -> Result<(), String> {
        let ids: BTreeSet<EntryId> = seen.keys().chain(self.files.keys()).copied().collect();
        for id in ids {
            let now = seen.get(&id);
            let fits = match self.open.get(&id) {
                None => now == self.files.get(&id),
                Some(open) => open.states.iter().any(|state| state.as_ref() == now),
            };
            if !fits {
                let gone = self.gone.contains(&id);
                return Err(format!("entry {id} should be {:?}, but is {now:?} (erased: {gone})", self.files.get(&id)));
            }
        }
        Ok(())
    }

    /// Compares a rescued tree: name, folder and version of each file; what lies in the trash is not in it.
    ///
    /// # Errors
    /// Says which entry is not as it must be.
    pub fn compare_tree(&self, seen: &BTreeMap<EntryId, (String, EntryId, VersionId)>) -> Result<(), String> {
        let ids: BTreeSet<EntryId> = seen.keys().chain(self.files.keys()).copied().collect();
        for id in ids {
            let now = seen.get(&id);
            let fits = |state: Option<&File>| match (state.filter(|file| !file.trashed), now) {
                (None, None) => true,
                (Some(file), Some(now)) => crate::homecoming::is_same(file, now),
                _ => false,
            };
            let fine = match self.open.get(&id) {
                None => fits(self.files.get(&id)),
                Some(open) => open.states.iter().any(|state| fits(state.as_ref())),
            };
            if !fine {
                return Err(format!("entry {id} should be {:?}, but came home as {now:?}", self.files.get(&id)));
            }
        }
        Ok(())
    }

    /// Every version that must be readable now: acknowledged, kept, and of no entry whose state is open.
    pub fn must_read(&self) -> impl Iterator<Item = (EntryId, VersionId)> {
        self.settled().flat_map(|(id, file)| file.versions.iter().map(move |version| (id, *version)))
    }

    fn become_state(&mut self, entry: EntryId, after: Option<File>) {
        let before = match after {
            Some(file) => self.files.insert(entry, file),
            None => {
                self.gone.insert(entry);
                self.files.remove(&entry)
            }
        };
        let kept = self.files.get(&entry).map(|file| file.versions.clone()).unwrap_or_default();
        self.erased.extend(before.into_iter().flat_map(|file| file.versions).filter(|version| !kept.contains(version)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use model::id::{EntryId, VersionId};

    use super::{Content, File, Model};

    fn file(version: u8) -> File {
        let current = VersionId([version; 16]);
        File {
            parent: EntryId([0; 16]),
            name: "a".into(),
            trashed: false,
            current,
            versions: BTreeSet::from([current]),
        }
    }

    #[test]
    fn ranges_are_parts_of_the_whole() {
        let content = Content { seed: 7, size: 1_003 };
        let whole = content.bytes();
        assert_eq!(whole.len(), 1_003);
        assert_eq!(content.range(13, 1_003), whole[13..]);
    }

    #[test]
    fn an_open_outcome_is_decided_by_a_later_acknowledgement() {
        let mut model = Model::default();
        let (one, two) = (EntryId([1; 16]), EntryId([2; 16]));
        model.begin(1, one, Some(file(1)));
        let nothing = BTreeMap::new();
        assert!(model.compare(&nothing, false).is_ok() && model.is_open(one));
        model.begin(2, two, Some(file(2)));
        model.acknowledge(2, two);
        let seen = BTreeMap::from([(two, file(2))]);
        assert!(model.compare(&seen, false).is_ok() && !model.is_open(one));
        assert_eq!(model.acknowledged_in(VersionId([1; 16])), None);
        // From now on it must stay away.
        let seen = BTreeMap::from([(one, file(1)), (two, file(2))]);
        assert!(model.compare(&seen, false).is_err());
    }

    #[test]
    fn a_version_is_as_old_as_the_act_that_made_it() {
        let mut model = Model::default();
        let one = EntryId([1; 16]);
        model.begin(1, one, Some(file(1)));
        assert!(model.compare(&BTreeMap::from([(one, file(1))]), true).is_ok());
        model.begin(4, one, Some(File { trashed: true, ..file(1) }));
        model.acknowledge(4, one);
        assert_eq!(model.acknowledged_in(VersionId([1; 16])), Some(1));
    }
}
