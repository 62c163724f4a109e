//! A sweep: everything of a kind in turn, some in each round.
//!
//! Most work has an index that leads to it. What has none (a lane too many, an old proof, a pack that was recorded while
//! a firm was away) is found by looking at everything now and then: a round of upkeep looks at [`ROUND_ROWS`] and the next
//! one goes on behind them, so that a round costs the same however much there is, and holds one page.

use std::sync::Mutex;

use catalogue::{Catalogue, Tx, objects::ObjectView, packs::PackView};
use model::id::{ObjectId, PackId};

use crate::{error::Result, locked};

/// What a round looks at: a hundred thousand packs are seen in a few minutes of rounds, at some percent of a core.
const ROUND_ROWS: usize = 500;
const PAGE_ROWS: usize = 500;

/// What is swept, in the order of its ids.
pub(crate) trait Swept: Sized + Send + 'static {
    type Id: Default + Copy + PartialEq + Send + 'static;

    fn id(&self) -> Self::Id;

    /// Up to `rows` after the id `after`.
    fn page(tx: &Tx<'_>, after: Self::Id, rows: usize) -> catalogue::Result<Vec<Self>>;
}

impl Swept for PackView {
    type Id = PackId;

    fn id(&self) -> PackId {
        self.id
    }

    fn page(tx: &Tx<'_>, after: PackId, rows: usize) -> catalogue::Result<Vec<Self>> {
        catalogue::packs::pack_views(tx, after, rows)
    }
}

impl Swept for ObjectView {
    type Id = ObjectId;

    fn id(&self) -> ObjectId {
        self.object.id
    }

    fn page(tx: &Tx<'_>, after: ObjectId, rows: usize) -> catalogue::Result<Vec<Self>> {
        catalogue::objects::views(tx, after, rows)
    }
}

/// Where a sweep stands.
pub(crate) struct Sweep<T: Swept>(Mutex<T::Id>);

impl<T: Swept> Default for Sweep<T> {
    fn default() -> Self {
        Self(Mutex::new(T::Id::default()))
    }
}

/// One round of a sweep.
pub(crate) struct Round<'a, T: Swept> {
    sweep: &'a Sweep<T>,
    after: T::Id,
    left: usize,
    page_rows: usize,
    ended: bool,
}

impl<T: Swept> Sweep<T> {
    /// Begins a round where the last one ended; with `everything` one that starts anew and does not end before the end.
    pub fn round(&self, everything: bool) -> Round<'_, T> {
        match everything {
            true => {
                Round { sweep: self, after: T::Id::default(), left: usize::MAX, page_rows: PAGE_ROWS, ended: false }
            }
            false => self.round_of(ROUND_ROWS),
        }
    }

    /// Begins a round of so many rows, at most a page, where the last one ended.
    pub fn round_of(&self, rows: usize) -> Round<'_, T> {
        let page_rows = rows.clamp(1, PAGE_ROWS);
        Round { sweep: self, after: *locked(&self.0), left: page_rows, page_rows, ended: false }
    }
}

impl<T: Swept> Round<'_, T> {
    /// Whether nothing lies before the next page.
    pub fn is_at_start(&self) -> bool {
        self.after == T::Id::default()
    }

    /// Whether nothing lies behind the page that was read last.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next page; `None` when the round is over, or the end was reached.
    pub async fn next_page(&mut self, catalogue: &Catalogue) -> Result<Option<Vec<T>>> {
        if self.left == 0 {
            return Ok(None);
        }
        let (after, rows) = (self.after, self.page_rows);
        let page = catalogue.read(move |tx| T::page(tx, after, rows)).await?;
        let more = page.last().filter(|_| page.len() == rows);
        self.ended = more.is_none();
        self.left = if more.is_some() { self.left.saturating_sub(rows) } else { 0 };
        self.after = more.map_or_else(T::Id::default, Swept::id);
        *locked(&self.sweep.0) = self.after;
        Ok((!page.is_empty()).then_some(page))
    }

    /// Ends the round behind a row of the page that was read last: the next one goes on there.
    pub fn stop_behind(&mut self, id: T::Id) {
        self.left = 0;
        *locked(&self.sweep.0) = id;
    }
}
