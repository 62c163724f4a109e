//! Copies: new rows over the same sealed bytes, so that a copy of any size moves none, not even to another account: its
//! file's key is wrapped once more, for that account.
//!
//! A file is copied in one commit. A folder is copied page by page, as visible as it is far: a copy that breaks off
//! leaves what it has, like any file manager, and harms nothing. Both places are asked anew for each page.

use std::collections::VecDeque;

use catalogue::{Tx, entries, versions};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, Version},
    id::{AccountId, EntryId, VersionId},
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    files::change::{Transfer, check_depth},
    limits,
    places::{Place, Top},
    tree::{self, Stamp},
};

/// Entries copied in one commit: a journal record of moderate size.
const PAGE: usize = 256;

/// A folder and the folder that its copy is.
type Pair = (EntryId, EntryId);

/// From where to where: the same place, or two.
#[derive(Clone)]
struct Ways {
    from: Place,
    into: Place,
}

impl Ways {
    /// Where what is copied is seen, and where the copy may lie.
    fn tops(&self, tx: &Tx<'_>) -> Result<(Top, Top)> {
        let into = self.into.changes(tx)?;
        let from = if self.from == self.into { self.into.changes(tx)? } else { self.from.sees(tx)? };
        Ok((from, into))
    }

    /// What is to be copied: what is shared as a whole, too, but into another place only.
    fn source(&self, tx: &Tx<'_>, from: &Top, into: &Top, transfer: &Transfer) -> Result<EntryRow> {
        let found = tree::at(tx, from, &transfer.from)?;
        if self.from == self.into {
            return found.row();
        }
        let row = found.seen().ok_or(crate::paths::BadPath::Top)?;
        // Two shared folders of one owner may lie in each other.
        let is_inside = from.account == into.account
            && entries::ancestors(tx, into.account, into.id)?.iter().any(|above| above.id == row.id);
        if is_inside {
            return Err(Error::IntoItself { from: transfer.from.to_string(), to: transfer.to.to_string() });
        }
        Ok(row)
    }
}

/// Whose row becomes whose.
#[derive(Clone, Copy)]
struct Owners {
    from: AccountId,
    into: AccountId,
}

impl Service {
    /// Copies a file, or a folder with what is in it.
    ///
    /// # Errors
    /// Missing if nothing is there; Conflict if something is where it goes, or that is inside of it.
    pub async fn copy(&self, place: impl Into<Place>, transfer: Transfer) -> Result<()> {
        let place = place.into();
        self.copy_into(&place, &place, transfer).await
    }

    /// Copies what lies in one place into another. It counts for whose tree the copy lies in.
    ///
    /// # Errors
    /// As [`Service::copy`]; whatever ended one of the places; [`Error::ReadOnly`] if `into` may not be changed.
    pub async fn copy_into(&self, from: &Place, into: &Place, transfer: Transfer) -> Result<()> {
        let ways = Ways { from: from.clone(), into: into.clone() };
        let (asked, wanted) = (ways.clone(), transfer.clone());
        if from != into || transfer.goes_deeper() {
            self.look(move |tx| {
                let (from, into) = asked.tops(tx)?;
                let row = asked.source(tx, &from, &into, &wanted)?;
                check_depth(tx, from.account, &row, into.depth + wanted.to.names().len())
            })
            .await?;
        }
        let (asked, stamp) = (ways.clone(), Stamp::of(&self.store));
        let root = self
            .store
            .commit(move |tx, draft| {
                let (from, into) = asked.tops(tx)?;
                let row = asked.source(tx, &from, &into, &transfer)?;
                let Transfer { to, replace, .. } = &transfer;
                let mover = (from.account == into.account).then_some(row.id);
                let parent = tree::make_room(tx, draft, &into, to, mover, *replace, &stamp)?;
                let (_, name) = to.split()?;
                let owners = Owners { from: from.account, into: into.account };
                let copied = copy_row(tx, draft, owners, &row, parent, name, &stamp);
                let (pair, bytes) = copied.map_err(|error| asked.into.told(error))?;
                limits::admit(tx, into.account, bytes).map_err(|error| asked.into.told(error))?;
                if from.account != into.account {
                    draft.audit(into.actor, "copied to another account", format!("{} {}", into.account, row.id));
                }
                Ok::<_, Error>(pair)
            })
            .await?;
        let mut left: VecDeque<Pair> = root.into_iter().collect();
        while let Some(pair) = left.pop_front() {
            self.copy_folder(&ways, pair, &mut left).await?;
        }
        Ok(())
    }

    /// Copies what is directly in a folder; the folders among it are added to `left`.
    async fn copy_folder(&self, ways: &Ways, (from, to): Pair, left: &mut VecDeque<Pair>) -> Result<()> {
        let mut after = String::new();
        loop {
            let stamp = Stamp::of(&self.store);
            let start = std::mem::take(&mut after);
            let asked = ways.clone();
            let page = move |tx: &mut Tx<'_>, draft: &mut Draft| {
                let (top, into) = asked.tops(tx)?;
                if !tree::is_below(tx, &top, from)? || !tree::is_below(tx, &into, to)? {
                    // Moved out of what is shared meanwhile: what comes to lie there is none of the caller's.
                    return Ok((None, Vec::new()));
                }
                let owners = Owners { from: top.account, into: into.account };
                let rows = entries::children(tx, top.account, from, &start, PAGE)?;
                let (mut pairs, mut more) = (Vec::new(), 0_u64);
                for row in &rows {
                    let copied = copy_row(tx, draft, owners, row, to, &row.name, &stamp);
                    let (pair, bytes) = copied.map_err(|error| asked.into.told(error))?;
                    pairs.extend(pair);
                    more = more.saturating_add(bytes);
                }
                limits::admit(tx, into.account, more).map_err(|error| asked.into.told(error))?;
                Ok::<_, Error>((rows.last().map(|row| row.name.clone()), pairs))
            };
            let (last, pairs) = self.store.commit(page).await?;
            left.extend(pairs);
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }
}

/// Copies one row under a new name: for a folder, the pair of it and its empty copy; and the plaintext bytes of a file.
fn copy_row(
    tx: &Tx<'_>,
    draft: &mut Draft,
    owners: Owners,
    row: &EntryRow,
    parent: EntryId,
    name: &str,
    stamp: &Stamp,
) -> Result<(Option<Pair>, u64)> {
    let scope = Scope::Account(owners.into);
    let id = EntryId::random(stamp.store.entropy());
    let version = match row.kind {
        Kind::Folder => None,
        Kind::File => versions::current(tx, owners.from, row.id)?,
    };
    let bytes = version.as_ref().map_or(0, |version| version.size);
    limits::admit_file(tx, owners.into, bytes)?;
    let current = version.as_ref().map(|_| VersionId::random(stamp.store.entropy()));
    if let (Some(version), Some(id_of_copy)) = (version, current) {
        let key = match owners.from == owners.into {
            true => version.key,
            false => stamp.store.rewrap(owners.from, owners.into, &version.key)?,
        };
        let copy = Version { id: id_of_copy, entry: id, made_us: stamp.wall_us, replaced: None, key, ..version };
        draft.change(scope, Change::Version(copy));
    }
    let copy = EntryRow { id, parent, name: name.to_owned(), trashed: None, current, ..row.clone() };
    draft.change(scope, Change::Entry(copy));
    Ok(((row.kind == Kind::Folder).then_some((row.id, id)), bytes))
}
