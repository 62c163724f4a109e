//! Which targets are up.
//!
//! A probe reads the marker and creates nothing. A missing or foreign marker is *down*, never *empty*. A target that was
//! away and carries the generation that was recorded, or a newer one whose record was cut off, is back as it left; an older
//! generation means old content, and then every make there is *suspect*: it counts again only once it has been read. One that
//! was seen without its marker and carries it again, or was away for longer than `down_wait_s`, is suspect as a whole until its
//! names were compared ([`crate::absent`]).
//!
//! Who comes back writes a marker of the next generation before it is up: so its disk has shown that it takes writes. A
//! write of a marker that breaks leaves the old one or the new one, and the next probe takes either.
//!
//! - [`Inner::probe_all`] is a part of each round of upkeep;
//! - what wants to be left in peace in between is looked at in its turn ([`plan::look`]), and never more than a bounded number at
//!   once, so that a large fleet is no storm;
//! - [`look_again`] is quicker: a disk that failed a single operation is looked at a moment later, and if it answers as it
//!   was left it is up again. One that fails again soon has to write its marker first;
//! - [`look_early`] looks at targets whose reads were overtaken, beside all this: a firm that is silent is down after one look, and
//!   not after a minute of readers each of whom waits for it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use format::Marker;
use futures_util::{StreamExt, stream};
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{PackId, TargetId},
    pack::MakeState,
};
use tokio::sync::mpsc;

use crate::{
    Inner, Store,
    error::{Error, Result},
    fleet_state::Live,
};

/// So long a disk that failed is left alone before it is looked at again: whatever failed with it has failed by then.
const LOOK_AGAIN_US: u64 = 200_000;

/// An early look that takes so many times as long as a late read has found silence.
const EARLY_LIMIT: u64 = 20;
/// So many targets are looked at at once: each has a connection of its own, and a process may have a thousand files open. A firm of 630
/// servers that is silent, 10 s each, is through in half a minute.
const AT_ONCE: usize = 256;

/// What a probe found.
enum Found {
    AsLeft { marker: Bytes, generation: u64, free_bytes: Option<u64> },
    Older { marker: Bytes, generation: u64, free_bytes: Option<u64> },
    Unmarked,
    Down(String),
}

/// Looks again at targets whose disk failed, until the store is gone.
pub(crate) async fn look_again(store: Weak<Inner>, mut failed: mpsc::UnboundedReceiver<TargetId>) {
    while let Some(first) = failed.recv().await {
        let Some(pause) = store.upgrade().map(|inner| inner.world.timer.sleep(LOOK_AGAIN_US)) else { return };
        pause.await;
        let mut again = BTreeSet::from([first]);
        while let Ok(next) = failed.try_recv() {
            again.insert(next);
        }
        let Some(inner) = store.upgrade() else { return };
        if !inner.is_stopping() {
            inner.probe_these(&again).await;
        }
    }
}

/// Looks at targets whose reads were overtaken, until the store is gone. Each look is its own: none waits for a silent firm.
pub(crate) async fn look_early(store: Weak<Inner>, mut overtaken: mpsc::UnboundedReceiver<TargetId>) {
    while let Some(target) = overtaken.recv().await {
        let Some(inner) = store.upgrade() else { return };
        let looking = inner.clone();
        inner.world.timer.spawn(Box::pin(async move {
            if !looking.is_stopping() {
                looking.look_at_overtaken(target).await;
            }
            looking.speed.looked(target);
        }));
    }
}

impl Inner {
    /// Looks at a target that is believed up; how long it takes is noted. What it finds but silence is left to a probe in turn.
    async fn look_at_overtaken(self: &Arc<Self>, target: TargetId) {
        let is_up = |live: &Live| live.state == TargetState::Up;
        let Some(live) = self.fleet.live(target).filter(is_up) else { return };
        match self.look(&live, self.settings.overtake_after_ms * 1_000 * EARLY_LIMIT).await {
            Found::AsLeft { .. } => {}
            Found::Down(note) => {
                if self.fleet.live(target).is_some_and(|live| is_up(&live)) {
                    self.fleet.must_mark(target);
                    self.fleet.saw(target, TargetState::Down, None, &note, self.now_us());
                }
            }
            Found::Unmarked | Found::Older { .. } => self.probe_these(&BTreeSet::from([target])).await,
        }
    }

    /// Looks at every target that is not given up and that it is time to look at, or with `everything` at all of them; those
    /// that come back write their marker.
    pub(crate) async fn probe_all(self: &Arc<Self>, everything: bool) {
        let now_us = self.now_us();
        let every_s = |live: &Live| self.driver(live.row.id).map_or(0, |driver| driver.abilities().probe_every_s);
        self.probe(|live| everything || live.is_due(every_s(live), now_us), true).await;
        self.record_generations().await;
    }

    /// Looks at some targets again.
    pub(crate) async fn probe_these(self: &Arc<Self>, which: &BTreeSet<TargetId>) {
        self.probe(|live| which.contains(&live.row.id), true).await;
        self.record_generations().await;
    }

    /// The first look of a start: nothing is journalled yet, so no marker is written either.
    pub(crate) async fn probe_first(self: &Arc<Self>) {
        self.probe(|_| true, false).await;
    }

    async fn probe(self: &Arc<Self>, which: impl Fn(&Live) -> bool, may_mark: bool) {
        // One at a time: two that write one target's marker would take each other for strangers.
        let _turn = self.probing.lock().await;
        let gone = |live: &Live| matches!(live.state, TargetState::Lost | TargetState::Retired);
        let targets = self.fleet.all().into_iter().filter(|live| !gone(live) && which(live));
        stream::iter(targets).for_each_concurrent(AT_ONCE, |live| self.probe_one(live, may_mark)).await;
    }

    async fn probe_one(self: &Arc<Self>, live: Live, may_mark: bool) {
        let target = live.row.id;
        let expect = |marker: &Bytes| {
            if let Ok(driver) = self.driver(target) {
                driver.expect_marker(Some(marker.clone()));
            }
        };
        let limit_us = self.settings.write_deadline_s * 1_000_000;
        let (free_bytes, note) = match self.look(&live, limit_us).await {
            Found::Down(note) => {
                self.fleet.must_mark(target);
                return self.fleet.saw(target, TargetState::Down, None, &note, self.now_us());
            }
            Found::Unmarked => {
                self.fleet.must_mark(target);
                self.fleet.must_compare(target);
                let note = "its marker is missing; if it was wiped, what it held is made again elsewhere";
                return self.fleet.saw(target, TargetState::Down, None, note, self.now_us());
            }
            Found::AsLeft { marker, generation, free_bytes } if live.unmarked || self.was_away(&live) => {
                expect(&marker);
                self.fleet.carries(target, marker, generation);
                self.fleet.must_compare(target);
                let note = "it is back; it counts again when its names have been compared with the records";
                return self.fleet.saw(target, TargetState::Suspect, free_bytes, note, self.now_us());
            }
            Found::AsLeft { marker, generation, free_bytes } => {
                expect(&marker);
                self.fleet.carries(target, marker, generation);
                (free_bytes, "")
            }
            Found::Older { marker, generation, free_bytes } => {
                let note = "it came back older than it left; what it holds counts again once it has been read";
                if self.suspect_makes(target).await.is_err() {
                    return self.fleet.saw(target, TargetState::Suspect, free_bytes, note, self.now_us());
                }
                expect(&marker);
                self.fleet.carries(target, marker, generation);
                self.fleet.must_mark(target);
                (free_bytes, note)
            }
        };
        if may_mark && self.fleet.live(target).is_some_and(|live| live.must_mark) {
            match self.write_marker(target).await {
                // A full disk still reads; the next probe tries again.
                Ok(()) | Err(Error::Fleet(fleet::Error::Full { .. })) => {}
                Err(error) => {
                    return self.fleet.saw(target, TargetState::Down, None, &error.to_string(), self.now_us());
                }
            }
        }
        self.fleet.saw(target, TargetState::Up, free_bytes, note, self.now_us());
    }

    /// Whether it was away for so long that what it held was given up waiting for. Until then a firm repairs a cable; later it
    /// may have put an older copy in place, with the same marker.
    fn was_away(&self, live: &Live) -> bool {
        let away_us = self.now_us().saturating_sub(live.since_us);
        live.must_mark && live.state == TargetState::Down && away_us >= self.settings.down_wait_s * 1_000_000
    }

    async fn look(&self, live: &Live, limit_us: u64) -> Found {
        let Ok(driver) = self.driver(live.row.id) else {
            return Found::Down("it is not in the configuration".to_owned());
        };
        let begun_us = self.now_us();
        let probe = match crate::read::within(self, driver.probe(), limit_us).await {
            Some(Ok(probe)) => {
                let now_us = self.now_us();
                self.speed.note(live.row.id, 0, now_us.saturating_sub(begun_us), now_us);
                probe
            }
            Some(Err(error)) => return Found::Down(error.to_string()),
            None => return Found::Down("it does not answer".to_owned()),
        };
        let Some(bytes) = probe.marker else {
            return Found::Unmarked;
        };
        let marker = match Marker::decode(&bytes) {
            Ok(marker) => marker,
            Err(error) => return Found::Down(format!("its marker is damaged: {error}")),
        };
        if marker.cluster != self.cluster {
            return Found::Down("it belongs to another cluster; it is left alone".to_owned());
        }
        if marker.target != live.row.id {
            return Found::Down("it is another target of this cluster; it is left alone".to_owned());
        }
        if marker.epoch > self.epoch() {
            *crate::locked(&self.superseded) = Some((live.row.address.clone(), marker.epoch));
            let error = Error::NewerEpoch { target: live.row.address.clone(), found: marker.epoch, ours: self.epoch() };
            return Found::Down(error.to_string());
        }
        let older = marker.epoch < self.epoch() || marker.generation < live.row.generation;
        let (marker, generation, free_bytes) = (bytes, marker.generation, probe.free_bytes);
        if older {
            Found::Older { marker, generation, free_bytes }
        } else {
            Found::AsLeft { marker, generation, free_bytes }
        }
    }

    /// Writes a marker of the next generation; [`Self::record_generations`] records it.
    async fn write_marker(&self, target: TargetId) -> Result<()> {
        let Some(live) = self.fleet.live(target) else { return Ok(()) };
        let generation = live.row.generation + 1;
        let marker = Marker::new(self.cluster, target, live.row.provider, self.epoch(), generation);
        let marker = Bytes::from(marker.encode());
        self.driver(target)?.write_marker(live.marker.as_ref(), marker.clone()).await?;
        self.fleet.carries(target, marker, generation);
        self.fleet.marked(target);
        Ok(())
    }

    /// Raises the generation of every target that is up, so that old content is known by its older marker.
    pub(crate) async fn mark_start(self: &Arc<Self>) {
        {
            let _turn = self.probing.lock().await;
            let up = self.fleet.all().into_iter().filter(|live| live.state == TargetState::Up);
            let marking = up.map(|live| async move {
                if let Err(Error::Fleet(error)) = self.write_marker(live.row.id).await {
                    self.fleet.must_mark(live.row.id);
                    self.fleet.failed(live.row.id, &error, self.now_us());
                }
            });
            stream::iter(marking).for_each_concurrent(AT_ONCE, |marking| marking).await;
        }
        self.record_generations().await;
    }

    /// Records the generations that were raised; what cannot be recorded now is by the next probe.
    async fn record_generations(self: &Arc<Self>) {
        let raised = self.fleet.all().into_iter().filter(|live| live.row.generation > live.recorded);
        let rows: Vec<_> = raised.map(|live| live.row).collect();
        if rows.is_empty() {
            return;
        }
        let changed = rows.clone();
        let recorded = Store(self.clone())
            .commit(move |_, draft| {
                changed.into_iter().for_each(|row| draft.change(Scope::Cluster, Change::Target(row)));
                Ok::<_, Error>(())
            })
            .await;
        if recorded.is_ok() {
            rows.iter().for_each(|row| self.fleet.recorded(row.id, row.generation));
        }
    }

    /// Nothing at this target counts until it has been read again.
    async fn suspect_makes(self: &Arc<Self>, target: TargetId) -> Result<()> {
        Store(self.clone())
            .commit(move |tx, _| {
                let mut after = PackId::default();
                while let Some(next) =
                    catalogue::packs::set_state_at_target(tx, target, MakeState::Suspect, after, 500)?
                {
                    after = next;
                }
                let mut object = model::id::ObjectId::default();
                loop {
                    let page = catalogue::objects::at_target(tx, target, object, 500)?;
                    let Some(last) = page.last() else { break };
                    object = *last;
                    for id in page {
                        let mut copy = crate::copies::unverified(target);
                        copy.finding.state = MakeState::Suspect;
                        catalogue::objects::set_copy(tx, id, &copy)?;
                    }
                }
                Ok::<_, Error>(())
            })
            .await
    }
}
