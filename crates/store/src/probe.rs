//! Which targets are up.
//!
//! A probe reads the marker and creates nothing. A missing or foreign marker is *down*, never *empty*. A target that was
//! away and carries the generation that was recorded is back as it left; an older generation means old content, and then
//! every make there is *suspect*: it counts again only once it has been read.

use std::sync::Arc;

use bytes::Bytes;
use format::Marker;
use futures_util::future::join_all;
use model::{
    Change, Scope,
    fleet::TargetState,
    id::{PackId, TargetId},
    pack::MakeState,
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    fleet_state::Live,
};

/// What a probe found.
enum Found {
    AsLeft(Bytes, Option<u64>),
    Older(Bytes, Option<u64>),
    Down(String),
}

impl Inner {
    /// Looks at every target that is not given up.
    pub(crate) async fn probe_all(self: &Arc<Self>) {
        let targets = self.fleet.all();
        let gone = |live: &Live| matches!(live.state, TargetState::Lost | TargetState::Retired);
        join_all(targets.into_iter().filter(|live| !gone(live)).map(|live| self.probe_one(live))).await;
    }

    async fn probe_one(self: &Arc<Self>, live: Live) {
        let target = live.row.id;
        let was_up = live.state == TargetState::Up;
        match self.look(&live).await {
            Found::Down(note) => self.fleet.saw(target, TargetState::Down, None, &note, self.now_us()),
            Found::AsLeft(marker, free) => {
                if let Ok(driver) = self.driver(target) {
                    driver.expect_marker(Some(marker.clone()));
                }
                self.fleet.set_target(live.row.clone(), Some(marker), self.now_us());
                self.fleet.saw(target, TargetState::Up, free, "", self.now_us());
                if !was_up && live.marker.is_some() {
                    let _ = self.raise_generation(target).await;
                }
            }
            Found::Older(marker, free) => {
                let note = "it came back older than it left; what it holds counts again once it has been read";
                self.fleet.set_target(live.row.clone(), Some(marker.clone()), self.now_us());
                if self.suspect_makes(target).await.is_ok()
                    && let Ok(driver) = self.driver(target)
                {
                    driver.expect_marker(Some(marker));
                    self.fleet.saw(target, TargetState::Up, free, note, self.now_us());
                    let _ = self.raise_generation(target).await;
                } else {
                    self.fleet.saw(target, TargetState::Suspect, free, note, self.now_us());
                }
            }
        }
    }

    async fn look(&self, live: &Live) -> Found {
        let Ok(driver) = self.driver(live.row.id) else {
            return Found::Down("it is not in the configuration".to_owned());
        };
        let limit_us = self.settings.write_deadline_s * 1_000_000;
        let probe = match crate::read::within(self, driver.probe(), limit_us).await {
            Some(Ok(probe)) => probe,
            Some(Err(error)) => return Found::Down(error.to_string()),
            None => return Found::Down("it does not answer".to_owned()),
        };
        let Some(bytes) = probe.marker else {
            return Found::Down(
                "its marker is missing; if it was wiped, what it held is made again elsewhere".to_owned(),
            );
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
        if marker.epoch < self.epoch() || marker.generation < live.row.generation {
            Found::Older(bytes, probe.free_bytes)
        } else {
            Found::AsLeft(bytes, probe.free_bytes)
        }
    }

    /// Writes a marker of the next generation and records it.
    pub(crate) async fn raise_generation(self: &Arc<Self>, target: TargetId) -> Result<()> {
        let Some(live) = self.fleet.live(target) else { return Ok(()) };
        let driver = self.driver(target)?;
        let mut row = live.row;
        row.generation += 1;
        let marker = Marker::new(self.cluster, target, row.provider, self.epoch(), row.generation);
        let marker = Bytes::from(marker.encode());
        if let Err(error) = driver.write_marker(live.marker.as_ref(), marker.clone()).await {
            self.fleet.failed(target, &error, self.now_us());
            return Err(error.into());
        }
        self.fleet.set_target(row.clone(), Some(marker), self.now_us());
        Store(self.clone())
            .commit(move |_, draft| {
                draft.change(Scope::Cluster, Change::Target(row));
                Ok::<_, Error>(())
            })
            .await
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
