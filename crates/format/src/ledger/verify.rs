//! Whether an exported ledger is what the service signed: for somebody who has the file and the public key, and no service.
//!
//! An export is [`EXPORT_HEAD`](super::EXPORT_HEAD), the entries in their order, each with an empty line behind it (and one
//! behind the head), and the checkpoint that signs them. It is read line by line, so that its size does not matter.
//! The first thing that is wrong is named; an entry that is not where it should be may still come, so that the rest is read
//! before it is called missing.

use super::{Checkpoint, EXPORT_HEAD, Entry, Frontier, START, VerifierKey, hash, note::NOTE_BYTES_MAX};
use model::ledger::LedgerEntry;

/// What was found sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose ledger it is.
    pub origin: String,
    /// What was signed: how many entries, and the hash over them.
    pub checkpoint: Checkpoint,
    /// When the last entry was noted, microseconds since 1970; `None` if there is none.
    pub last_us: Option<i64>,
}

/// The first thing that is wrong with an export.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file begins otherwise.
    #[error(
        "this is no exported ledger: it begins with {got:?}, not with `{EXPORT_HEAD}`; give the file that `ledger export` wrote"
    )]
    Foreign {
        /// Its first line.
        got: String,
    },
    /// The file ends before its checkpoint does.
    #[error("the file is cut off behind entry {after}: its end is missing; export it again")]
    CutOff {
        /// The last whole entry; 0 if there is none.
        after: u64,
    },
    /// An entry cannot be read.
    #[error("entry {n} was changed: {why}")]
    Unreadable {
        /// Its number.
        n: u64,
        /// Why.
        why: String,
    },
    /// An entry is not the one that the next names.
    #[error("entry {n} was changed: entry {} names another hash of it", n + 1)]
    Changed {
        /// Its number.
        n: u64,
    },
    /// The first entry names one before it.
    #[error("what stands first is not where this ledger began: it names an entry before it")]
    NotTheStart,
    /// An entry is not there.
    #[error("entry {n} is missing")]
    Missing {
        /// Its number.
        n: u64,
    },
    /// An entry stands somewhere else.
    #[error("entry {n} is out of order: in its place stands entry {got}")]
    OutOfOrder {
        /// Its number.
        n: u64,
        /// What stands there.
        got: u64,
    },
    /// There are more entries than the checkpoint signs.
    #[error("entry {n} was added: the checkpoint signs {} entries", n - 1)]
    Added {
        /// Its number.
        n: u64,
    },
    /// The checkpoint is not signed by this key.
    #[error("the checkpoint at the end is not signed by this key: {why}")]
    Signature {
        /// Why.
        why: String,
    },
    /// The entries fit each other and not the checkpoint.
    #[error(
        "an entry behind entry {sound_to} was changed, and all behind it with it: they are not what the checkpoint signs"
    )]
    Root {
        /// Up to here they are those of the older checkpoint; 0 without one.
        sound_to: u64,
    },
    /// The older checkpoint is of other entries.
    #[error(
        "the ledger was forked: its first {size} entries are not those of the older checkpoint, though both are signed"
    )]
    Fork {
        /// The size of the older checkpoint.
        size: u64,
    },
    /// The older checkpoint knew more entries.
    #[error("the ledger was cut: the older checkpoint signs {older} entries, this one only {size}")]
    Shorter {
        /// What the older checkpoint signs.
        older: u64,
        /// What this one signs.
        size: u64,
    },
}

/// Verifies all of an export at once; see [`Verifier`].
///
/// # Errors
/// The first fault.
pub fn verify(export: &[u8], key: &VerifierKey, older: Option<Checkpoint>) -> Result<Verified, Fault> {
    let mut verifier = Verifier::new(key.clone(), older);
    for line in export.split_inclusive(|byte| *byte == b'\n') {
        verifier.line(line)?;
    }
    verifier.finish()
}

#[derive(Debug)]
enum Place {
    Head,
    Between,
    Entry(String),
    Note(String),
}

/// Takes an export line by line.
#[derive(Debug)]
pub struct Verifier {
    key: VerifierKey,
    older: Option<Checkpoint>,
    place: Place,
    tree: Frontier,
    prev: [u8; 32],
    last_us: Option<i64>,
    /// The root at the older checkpoint's size, once that many entries came.
    root_then: Option<[u8; 32]>,
    /// An entry that was not in its place, and what stood there.
    gap: Option<(u64, u64)>,
}

impl Verifier {
    /// Longest line that is taken, in bytes; whoever reads a file need not read on in a longer one.
    pub const LINE_BYTES_MAX: usize = LedgerEntry::BYTES_MAX + 1;

    /// Nothing was read yet. `older` is a checkpoint from before, opened with the same key.
    pub fn new(key: VerifierKey, older: Option<Checkpoint>) -> Self {
        let tree = Frontier::default();
        let root_then = older.filter(|older| older.size == 0).map(|_| tree.root());
        Self { key, older, place: Place::Head, tree, prev: START, last_us: None, root_then, gap: None }
    }

    /// Takes the next line, with its end if it has one.
    ///
    /// # Errors
    /// The first fault: nothing behind it says anything.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let next = self.tree.size() + 1;
        let unreadable = |why: &str| Fault::Unreadable { n: next, why: why.to_owned() };
        let text = std::str::from_utf8(line).map_err(|_| unreadable("it is not UTF-8"))?;
        match &mut self.place {
            Place::Head if text.trim_end_matches('\n') == EXPORT_HEAD => self.place = Place::Between,
            Place::Head => return Err(Fault::Foreign { got: super::shown(text.trim_end()) }),
            Place::Between if text == "\n" => {}
            Place::Between if text.strip_suffix('\n') == Some(self.key.name()) || text.starts_with("holdfast/") => {
                self.place = Place::Note(text.to_owned());
            }
            Place::Between => self.place = Place::Entry(text.to_owned()),
            Place::Entry(entry) if text == "\n" => {
                let entry = std::mem::take(entry);
                self.place = Place::Between;
                self.entry(&entry)?;
            }
            Place::Entry(entry) if entry.len() + text.len() > LedgerEntry::BYTES_MAX => {
                return Err(unreadable("it is longer than an entry can be"));
            }
            Place::Entry(entry) => entry.push_str(text),
            Place::Note(note) if note.len() + text.len() > NOTE_BYTES_MAX => {
                return Err(Fault::Signature { why: "it is longer than a checkpoint can be".to_owned() });
            }
            Place::Note(note) => note.push_str(text),
        }
        Ok(())
    }

    fn entry(&mut self, text: &str) -> Result<(), Fault> {
        let n = self.tree.size() + 1;
        let entry = Entry::parse(text).map_err(|error| Fault::Unreadable { n, why: error.to_string() })?;
        if let Some((missing, got)) = self.gap {
            // Only whether it comes later is still to be found out.
            return if entry.n == missing { Err(Fault::OutOfOrder { n: missing, got }) } else { Ok(()) };
        }
        if entry.n < n {
            return Err(Fault::OutOfOrder { n, got: entry.n });
        }
        if entry.n > n {
            self.gap = Some((n, entry.n));
            return Ok(());
        }
        if entry.prev != self.prev {
            return Err(if n == 1 { Fault::NotTheStart } else { Fault::Changed { n: n - 1 } });
        }
        self.prev = hash(text);
        self.last_us = Some(entry.at_us);
        self.tree.push(text);
        if self.older.is_some_and(|older| older.size == n) {
            self.root_then = Some(self.tree.root());
        }
        Ok(())
    }

    /// There are no more lines.
    ///
    /// # Errors
    /// The first fault.
    pub fn finish(self) -> Result<Verified, Fault> {
        if let Some((n, _)) = self.gap {
            return Err(Fault::Missing { n });
        }
        let size = self.tree.size();
        let note = match &self.place {
            Place::Head => return Err(Fault::Foreign { got: String::new() }),
            Place::Note(note) if note.contains("\n\n— ") && note.ends_with('\n') => note,
            _ => return Err(Fault::CutOff { after: size }),
        };
        let signed = Checkpoint::open(note, &self.key).map_err(|error| Fault::Signature { why: error.to_string() })?;
        if signed.size > size {
            return Err(Fault::Missing { n: size + 1 });
        }
        if signed.size < size {
            return Err(Fault::Added { n: signed.size + 1 });
        }
        let mut sound_to = 0;
        if let Some(older) = self.older {
            match self.root_then {
                None => return Err(Fault::Shorter { older: older.size, size }),
                Some(root) if root == older.root => sound_to = older.size,
                // Signed again over other entries: a fork. Else somebody changed the file, and the root below says so.
                Some(_) if signed.root == self.tree.root() => return Err(Fault::Fork { size: older.size }),
                Some(_) => {}
            }
        }
        if signed.root != self.tree.root() {
            return Err(Fault::Root { sound_to });
        }
        Ok(Verified { origin: self.key.name().to_owned(), checkpoint: signed, last_us: self.last_us })
    }
}
