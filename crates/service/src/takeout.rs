//! Everything of an account, taken home in parts of a size that a browser and a disk can bear.
//!
//! A part is what lies behind one path up to another, in the order of a [`Walk`]; the first begins at the start and the last
//! has no end. So what comes between the moment at which they are planned and the one at which its part is fetched is in that part,
//! and none needs to be remembered here. What moves from a part to one that was fetched before is in none: the page says so.
//! Of what came since a day, stretches that hold nothing of it are in no part.

use catalogue::{Tx, entries::Listed};
use model::{entry::Kind, entry::ROOT};

use crate::{
    Service,
    archive::{Archive, Gathered},
    error::Result,
    paths::Path,
    places::Place,
    walk::{Walk, is_behind},
};

/// The most entries of a part. An archive holds more, so that one that has grown since still goes.
const PART_ENTRIES: u64 = 40_000;
/// The most bytes of its paths, as a rule.
const PART_PATH_BYTES: usize = 3 << 20;
/// The most bytes of its files, as a rule, where nothing else is wished for: one file is never cut. FAT disks take no file of
/// 4 GiB.
const PART_BYTES: u64 = 2 << 30;
/// Entries that are looked at for one page of parts, at least: a part that has begun is finished.
const LOOKED_AT: u64 = 200_000;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// It holds what lies behind this path; none: from the start.
    pub after: Option<String>,
    /// Up to this one and with it; none: to the end.
    pub until: Option<String>,
    /// The paths of its first and last file as it was looked at; none if there are folders only.
    pub files: Option<(String, String)>,
    /// How many files.
    pub file_count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Some parts of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// In order.
    pub parts: Vec<Part>,
    /// The next ones are those behind this path; none: these were the last.
    pub next: Option<String>,
}

/// Which entries of a part are taken.
#[derive(Clone, Debug, Default)]
pub struct Cut {
    /// Those behind this path.
    pub after: Path,
    /// Up to this one, if it has an end.
    pub until: Option<Path>,
    /// Files whose bytes came since, in microseconds since 1970; none: all. With it folders go only with a file in them.
    pub since_us: Option<i64>,
}

/// How large a part may be wished for, in bytes.
pub const TAKEOUT_PART_BYTES: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 40;

impl Cut {
    fn takes(&self, listed: &Listed) -> bool {
        match (&listed.version, self.since_us) {
            (Some(version), Some(since_us)) => version.made_us >= since_us,
            (Some(_), None) => true,
            // A file whose first bytes are still on their way has no version yet.
            (None, since) => listed.entry.kind == Kind::Folder && since.is_none(),
        }
    }
}

impl Service {
    /// Plans parts that hold all that lies behind a path, of `part_bytes` each as a rule.
    ///
    /// # Errors
    /// As the store says.
    pub async fn takeout(&self, place: impl Into<Place>, cut: Cut, part_bytes: Option<u64>) -> Result<Parts> {
        let (place, most) = (place.into(), part_bytes.unwrap_or(PART_BYTES));
        self.look(move |tx| plan(tx, &place, &cut, most)).await
    }

    /// One part, with a list of checksums in it.
    ///
    /// # Errors
    /// [`crate::Error::ArchiveTooLarge`] if very much came into it since it was planned.
    pub async fn takeout_part(&self, place: impl Into<Place>, cut: Cut, number: u32) -> Result<Archive> {
        let (place, room) = (place.into(), self.room_for_archive()?);
        self.look(move |tx| {
            let top = place.sees(tx)?;
            let mut walk = Walk::behind(tx, top.account, ROOT, cut.after.names())?;
            let mut all = Gathered::default();
            while let Some((path, listed)) = walk.next(tx)? {
                if cut.until.as_ref().is_some_and(|until| is_behind(&path, until.names())) {
                    break;
                }
                if cut.takes(&listed) {
                    all.add(path, &listed)?;
                }
            }
            let name = format!("files-{number}");
            // An earlier list may be among the files.
            let mut sums = format!("files-{number}.b3sums");
            while all.has(&sums) {
                sums.insert(0, '_');
            }
            Ok(Archive::new(name, ROOT, all, place, room).with_sums(sums))
        })
        .await
    }
}

fn plan(tx: &Tx<'_>, place: &Place, cut: &Cut, most: u64) -> Result<Parts> {
    let top = place.sees(tx)?;
    let mut walk = Walk::behind(tx, top.account, ROOT, cut.after.names())?;
    let first = (!cut.after.names().is_empty()).then(|| cut.after.to_string());
    let (mut all, mut seen) = (Parts::default(), 0);
    let mut building = Building::begin(first, most);
    while let Some((path, listed)) = walk.next(tx)? {
        seen += 1;
        if !cut.takes(&listed) {
            if seen >= LOOKED_AT {
                // Where little is taken, much is looked at for it: the rest is asked for behind this one.
                let until = Some(format!("/{path}"));
                if building.entries > 0 {
                    all.parts.push(Part { until: until.clone(), ..building.end() });
                }
                return Ok(Parts { next: until, ..all });
            }
            continue;
        }
        let bytes = listed.version.as_ref().map(|version| version.size);
        if building.is_full(&path, bytes.unwrap_or(0)) {
            let last = building.end();
            if seen >= LOOKED_AT {
                all.next.clone_from(&last.until);
                all.parts.push(last);
                return Ok(all);
            }
            building = Building::begin(last.until.clone(), most);
            all.parts.push(last);
        }
        building.add(&path, bytes);
    }
    if building.entries > 0 {
        all.parts.push(Part { until: None, ..building.end() });
    } else if let Some(last) = all.parts.last_mut() {
        last.until = None;
    }
    Ok(all)
}

/// A part that is being put together.
struct Building {
    part: Part,
    /// The most bytes of its files.
    most: u64,
    entries: u64,
    path_bytes: usize,
    last: String,
}

impl Building {
    fn begin(after: Option<String>, most: u64) -> Self {
        let part = Part { after, until: None, files: None, file_count: 0, bytes: 0 };
        Self { part, most, entries: 0, path_bytes: 0, last: String::new() }
    }

    /// Whether one more makes it too large. One entry always goes.
    fn is_full(&self, path: &str, bytes: u64) -> bool {
        self.entries > 0
            && (self.entries >= PART_ENTRIES
                || self.path_bytes + path.len() > PART_PATH_BYTES
                || self.part.bytes.saturating_add(bytes) > self.most)
    }

    fn add(&mut self, path: &str, bytes: Option<u64>) {
        self.entries += 1;
        self.path_bytes += path.len();
        path.clone_into(&mut self.last);
        if let Some(bytes) = bytes {
            self.part.file_count += 1;
            self.part.bytes = self.part.bytes.saturating_add(bytes);
            match &mut self.part.files {
                Some((_, last)) => path.clone_into(last),
                none => *none = Some((path.to_owned(), path.to_owned())),
            }
        }
    }

    /// The part, up to its last entry.
    fn end(self) -> Part {
        Part { until: Some(format!("/{}", self.last)), ..self.part }
    }
}

#[cfg(test)]
mod tests {
    use super::{Building, PART_BYTES};

    #[test]
    fn a_part_ends_before_it_is_too_large_and_no_file_is_cut() {
        let mut part = Building::begin(None, PART_BYTES);
        assert!(!part.is_full("film", 20 * PART_BYTES), "one file always goes");
        part.add("film", Some(20 * PART_BYTES));
        assert!(part.is_full("note", 1));
        let part = part.end();
        assert_eq!((part.until.as_deref(), part.file_count, part.bytes), (Some("/film"), 1, 20 * PART_BYTES));
        let mut many = Building::begin(None, PART_BYTES);
        for at in 0..super::PART_ENTRIES {
            assert!(!many.is_full("x", 0), "{at}");
            many.add("x", Some(0));
        }
        assert!(many.is_full("x", 0));
    }
}
