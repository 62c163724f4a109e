//! The trend: how the fleet stood, one row for each hour, so that an operator sees where margin and backlog are going.
//!
//! Rows are local and kept for 400 days. An hour in which the service did not run has none: gaps stay gaps. **An idle service
//! writes nothing**: hours that are like the one before wait in memory until something changed, or the service stops. A
//! crash forgets them, as it does the looks at markers of a quiet night.

use std::sync::Arc;

use catalogue::trend::{self, HourRow};
use model::world::BoxFuture;

use crate::{Inner, Store, census::Count, error::Result, locked};

/// How long an hour is remembered, in days: a year and what it is compared with.
pub const TREND_DAYS: i64 = 400;
/// The most hours that one answer holds; of more, the worst of each few is given.
pub const TREND_POINTS_MAX: usize = 1_000;

const HOUR_US: i64 = 3_600_000_000;
/// What was counted before is good enough for an hour's row for so long, in microseconds.
const FRESH_US: u64 = 600_000_000;

/// What was noted since the start.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// The last hour.
    last: Option<HourRow>,
    /// Hours that are not written yet, oldest first.
    waiting: Vec<HourRow>,
}

impl Noted {
    /// Takes an hour; whether it is not like the one before.
    fn take(&mut self, row: HourRow) -> bool {
        let like = |last: &HourRow| HourRow { hour: row.hour, counted_us: row.counted_us, ..last.clone() } == row;
        let differs = !self.last.as_ref().is_some_and(like);
        if self.waiting.len() as i64 >= TREND_DAYS * 24 {
            self.waiting.remove(0);
        }
        self.last = Some(row.clone());
        self.waiting.push(row);
        differs
    }
}

impl Inner {
    /// Notes how things stand, once in each hour.
    pub(crate) async fn keep_trend(self: &Arc<Self>) -> Result<()> {
        let hour = self.world.clock.now().wall_us.div_euclid(HOUR_US);
        if locked(&self.counting.noted).last.as_ref().is_some_and(|last| last.hour == hour) {
            return Ok(());
        }
        let (count, is_stale) = self.counted().await?;
        if is_stale || self.now_us().saturating_sub(count.at_us) > FRESH_US {
            // It is being counted; a later round notes it.
            return Ok(());
        }
        let row = self.row_of(hour, &count);
        let differs = locked(&self.counting.noted).take(row);
        if differs { self.write_trend().await } else { Ok(()) }
    }

    /// Writes the hours that wait.
    pub(crate) async fn write_trend(self: &Arc<Self>) -> Result<()> {
        let waiting = locked(&self.counting.noted).waiting.clone();
        let Some(last) = waiting.last().map(|row| row.hour) else { return Ok(()) };
        let keep = move |tx: &mut catalogue::Tx<'_>, _: &mut crate::Draft| {
            waiting.iter().try_for_each(|row| trend::set(tx, row))?;
            trend::forget_before(tx, last - TREND_DAYS * 24)?;
            Ok::<_, crate::Error>(())
        };
        Store(self.clone()).commit(keep).await?;
        locked(&self.counting.noted).waiting.retain(|row| row.hour > last);
        Ok(())
    }

    fn row_of(&self, hour: i64, count: &Count) -> HourRow {
        let packs = &count.census.packs;
        HourRow {
            hour,
            counted_us: count.counted_us,
            margin: count.census.margin().map(|margin| margin as u64),
            packs: packs.total,
            packs_unreadable: packs.unreadable,
            packs_below_safe: packs.below_safe,
            packs_below_settled: packs.below_settled,
            files_unreadable: count.files.unreadable,
            files_below_safe: count.files.below_safe,
            files_below_settled: count.files.below_settled,
            backlog_bytes: count.effort.read_bytes().saturating_add(count.effort.write_bytes()),
            by_margin: packs.margins.clone(),
            stored: self.by_provider(&count.stored),
        }
    }
}

impl Store {
    /// How things stood in each hour since this wall time (microseconds since 1970), oldest first; where that is more than
    /// [`TREND_POINTS_MAX`] hours, the worst of each few.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn trend(&self, since_us: i64) -> BoxFuture<'_, Result<Vec<HourRow>>> {
        Box::pin(async move {
            let hour = since_us.div_euclid(HOUR_US);
            let mut rows = self.read(move |tx| trend::since(tx, hour)).await?;
            let waiting = locked(&self.0.counting.noted).waiting.clone();
            rows.retain(|row| waiting.iter().all(|waits| waits.hour != row.hour));
            rows.extend(waiting.into_iter().filter(|row| row.hour >= hour));
            Ok(thinned(rows, TREND_POINTS_MAX))
        })
    }
}

/// Of more rows than `most`, the worst of every few: a bad hour is not thinned away.
fn thinned(rows: Vec<HourRow>, most: usize) -> Vec<HourRow> {
    let few = rows.len().div_ceil(most.max(1)).max(1);
    let badness = |row: &HourRow| {
        let files = (row.files_unreadable, row.files_below_safe, row.files_below_settled);
        (row.packs_unreadable, row.packs_below_safe, files, row.packs_below_settled, row.backlog_bytes)
    };
    let worst = |rows: &[HourRow]| rows.iter().max_by_key(|row| badness(row)).cloned();
    rows.chunks(few).filter_map(worst).collect()
}

#[cfg(test)]
mod tests {
    use super::{HourRow, Noted, thinned};

    #[test]
    fn an_hour_like_the_one_before_waits() {
        let mut noted = Noted::default();
        let row = |hour: i64, packs| HourRow { hour, counted_us: hour, packs, ..HourRow::default() };
        assert!(noted.take(row(1, 7)), "the first one");
        assert!(!noted.take(row(2, 7)) && !noted.take(row(3, 7)));
        assert!(noted.take(row(4, 8)) && noted.take(row(5, 7)));
        assert_eq!(noted.waiting.len(), 5, "all of them are written when one is");
    }

    #[test]
    fn a_bad_hour_is_not_thinned_away() {
        let row = |hour: i64| HourRow { hour, packs_below_safe: u64::from(hour == 4), ..HourRow::default() };
        let hours = |rows: Vec<HourRow>| rows.into_iter().map(|row| row.hour).collect::<Vec<_>>();
        assert_eq!(hours(thinned((0..9).map(row).collect(), 9)), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let thin = hours(thinned((0..9).map(row).collect(), 3));
        assert!(thin.len() == 3 && thin.contains(&4), "{thin:?}");
        assert!(thinned(vec![], 3).is_empty());
    }
}
