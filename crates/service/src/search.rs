//! Looking through an account's names for what somebody remembers of a file.
//!
//! There is no index of words: it would cost every upload, and names are few bytes. A look goes through a bounded number of
//! names in the order of their index and says where it stopped; whoever wants more looks again from there. What lies in a
//! folder that is in the trash is passed over.

use std::collections::HashMap;

use catalogue::{Tx, entries, search};
use model::{
    entry::{Kind, ROOT},
    id::{AccountId, EntryId},
};

use crate::{
    Service,
    error::Result,
    files::Listed,
    paths::Path,
    places::{Place, Top},
    tree,
};

/// Names that one look goes through.
const NAMES_MAX: usize = 20_000;
/// Names that are read at a time.
const STEP: usize = 1_000;
/// How often names are read in one look, those that are passed over too.
const STEPS_MAX: usize = 40;
/// So many of the last letter there is are more than any name has, and come behind it.
const LAST_LETTERS: usize = 64;
/// The most that one look finds.
pub const HITS_MAX: usize = 1_000;

/// A kind of thing, as people think of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// A folder.
    Folder,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// Text, tables, slides.
    Document,
    /// Any other file.
    Other,
}

impl Sought {
    /// What a file of this media type is.
    pub fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (top, sub) = essence.split_once('/').unwrap_or((&essence, ""));
        let office = ["application/pdf", "application/rtf", "application/msword", "application/epub+zip"];
        let families = ["vnd.openxmlformats-officedocument", "vnd.oasis.opendocument", "vnd.ms-"];
        match top {
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" => Self::Audio,
            "text" => Self::Document,
            _ if office.contains(&essence.as_str()) => Self::Document,
            _ if families.iter().any(|family| sub.starts_with(family)) => Self::Document,
            _ => Self::Other,
        }
    }
}

/// What is looked for; what is not said may be anything.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Words that are all in the name, in any order and case.
    pub words: Vec<String>,
    /// The kind of thing.
    pub kind: Option<Sought>,
    /// Modified at this time or later, in microseconds since 1970.
    pub from_us: Option<i64>,
    /// Modified before this time.
    pub until_us: Option<i64>,
    /// At least so many bytes; folders have none.
    pub least: Option<u64>,
    /// At most so many bytes.
    pub most: Option<u64>,
    /// Below this folder.
    pub under: Option<Path>,
}

impl Wanted {
    /// Reads what a person types.
    pub fn words_of(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_lowercase).collect()
    }

    fn fits_name(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.words.iter().all(|word| name.contains(word.as_str()))
    }

    fn fits(&self, found: &entries::Listed) -> bool {
        let version = found.version.as_ref();
        let kind = match found.entry.kind {
            Kind::Folder => Sought::Folder,
            Kind::File => version.map_or(Sought::Other, |version| Sought::of(&version.media_type)),
        };
        let modified_us = version.map_or(found.entry.modified_us, |version| version.modified_us);
        let size = version.map_or(0, |version| version.size);
        let sized = self.least.is_some() || self.most.is_some();
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.from_us.is_none_or(|from| modified_us >= from)
            && self.until_us.is_none_or(|until| modified_us < until)
            && self.least.is_none_or(|least| size >= least)
            && self.most.is_none_or(|most| size <= most)
            && !(sized && kind == Sought::Folder)
    }
}

/// Where a look stopped: the last name that it went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its folder.
    pub folder: EntryId,
    /// The name.
    pub name: String,
}

/// Something that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// As a listing shows it.
    pub listed: Listed,
    /// Where it lies, from the top.
    pub path: String,
}

/// What one look found.
#[derive(Clone, Debug)]
pub struct Hits {
    /// In the order of the index, which means nothing to people.
    pub hits: Vec<Hit>,
    /// How many names were looked at.
    pub looked_at: usize,
    /// Where to go on; `None`: that was all.
    pub next: Option<Look>,
}

impl Service {
    /// Goes through a place's names after `after` until `limit` things are found or enough names were looked at. Nothing
    /// outside of the place is found, counted or named.
    ///
    /// # Errors
    /// Missing if there is no folder `wanted.under`; Conflict if the place is one file.
    pub async fn search(
        &self,
        place: impl Into<Place>,
        wanted: Wanted,
        after: Option<Look>,
        limit: usize,
    ) -> Result<Hits> {
        let place = place.into();
        let (account, limit) = (place.account(), limit.clamp(1, HITS_MAX));
        let (found, looked_at, next) = self.look(move |tx| look(tx, &place.sees(tx)?, &wanted, after, limit)).await?;
        let (rows, paths): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let listed = self.stand(account, rows).await?;
        let hits = listed.into_iter().zip(paths).map(|(listed, path)| Hit { listed, path }).collect();
        Ok(Hits { hits, looked_at, next })
    }
}

type Found = (Vec<(entries::Listed, String)>, usize, Option<Look>);

fn look(tx: &Tx<'_>, top: &Top, wanted: &Wanted, after: Option<Look>, limit: usize) -> Result<Found> {
    let account = top.account;
    let path = wanted.under.clone().unwrap_or_default();
    let under = tree::folder(tx, top, path.names())?;
    let mut places = Places { top: top.id, under, known: HashMap::new() };
    let beyond = "\u{10ffff}".repeat(LAST_LETTERS);
    let (mut found, mut looked_at, mut steps, mut at) = (Vec::new(), 0, 0, after);
    loop {
        let names = search::names(tx, account, at.as_ref().map(|at| (at.folder, at.name.as_str())), STEP)?;
        let is_last = names.len() < STEP;
        steps += 1;
        for named in names {
            if top.row.is_some() && at.as_ref().is_some_and(|at| at.folder == named.folder && at.name == beyond) {
                continue;
            }
            if top.row.is_some() && places.path_of(tx, account, named.folder)?.is_none() {
                // All of that folder is passed over: not even where the look stopped says what is called how there.
                at = Some(Look { folder: named.folder, name: beyond.clone() });
                continue;
            }
            looked_at += 1;
            if wanted.fits_name(&named.name)
                && let Some(folder) = places.path_of(tx, account, named.folder)?
                && let Some(listed) = entries::listed(tx, account, named.id)?.filter(|listed| wanted.fits(listed))
            {
                found.push((listed, format!("{folder}/{}", named.name)));
            }
            at = Some(Look { folder: named.folder, name: named.name });
            if found.len() == limit {
                return Ok((found, looked_at, at));
            }
        }
        if is_last {
            return Ok((found, looked_at, None));
        }
        if looked_at >= NAMES_MAX || steps >= STEPS_MAX {
            return Ok((found, looked_at, at));
        }
    }
}

/// The paths of folders, each found once: names come folder by folder.
struct Places {
    /// Paths begin here.
    top: EntryId,
    under: EntryId,
    known: HashMap<EntryId, Option<String>>,
}

impl Places {
    /// A folder's path without a slash at its end; `None` if it is not to be looked in, or lies in the trash.
    fn path_of(&mut self, tx: &Tx<'_>, account: AccountId, folder: EntryId) -> Result<Option<String>> {
        if let Some(known) = self.known.get(&folder) {
            return Ok(known.clone());
        }
        let above = entries::ancestors(tx, account, folder)?;
        let is_whole = above.last().map_or(folder, |outermost| outermost.parent) == ROOT;
        // What lies below a file are small pictures of it.
        let is_there = is_whole && above.iter().all(|row| row.kind == Kind::Folder && row.trashed.is_none());
        let is_below = |folder: EntryId| folder == ROOT || above.iter().any(|row| row.id == folder);
        let path = (is_there && is_below(self.top) && is_below(self.under)).then(|| {
            let below = above.iter().take_while(|row| row.id != self.top).collect::<Vec<_>>();
            below.iter().rev().fold(String::new(), |path, row| format!("{path}/{}", row.name))
        });
        self.known.insert(folder, path.clone());
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::Sought;

    #[test]
    fn media_types_are_what_people_call_them() {
        for (media_type, kind) in [
            ("image/heic", Sought::Image),
            ("VIDEO/mp4; codecs=avc1", Sought::Video),
            ("audio/flac", Sought::Audio),
            ("text/markdown; charset=utf-8", Sought::Document),
            ("application/pdf", Sought::Document),
            ("application/vnd.oasis.opendocument.text", Sought::Document),
            ("application/vnd.ms-excel", Sought::Document),
            ("application/zip", Sought::Other),
            ("nonsense", Sought::Other),
        ] {
            assert_eq!(Sought::of(media_type), kind, "{media_type}");
        }
    }
}
