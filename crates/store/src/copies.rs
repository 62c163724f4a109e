//! Copied objects: what is kept whole at several providers.
//!
//! Journal objects, snapshots, envelopes and address books are small and must be readable by anybody who holds one
//! target, so they are copied, not coded: each copy counts as a lane with k = 1. [`Inner::put_copied`] starts all copies
//! at once and returns when they are *safe* (two providers have one) or *settled* (three do); the rest finish beside
//! the caller and are noted with the next batch.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{Either, select};
use model::id::{ObjectId, TargetId};
use plan::{Spread, place_copies};
use tokio::sync::mpsc;

use crate::{
    Inner,
    error::{Error, Result},
};

/// A copy that was just put: good, and not read back yet.
pub(crate) fn unverified(target: TargetId) -> catalogue::objects::Copy {
    catalogue::objects::Copy { target, finding: catalogue::packs::Finding::default() }
}

/// BLAKE3 over the pieces of an object.
pub(crate) fn hash_of(pieces: &[Bytes]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    *hasher.finalize().as_bytes()
}

/// When a put of copies returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// Any one provider may go.
    UntilSafe,
    /// Any one provider and then any one copy may go (or all copies are there that so few providers allow).
    UntilSettled,
}

impl Inner {
    /// Puts copies of an object; the targets that have one when the promise is kept.
    ///
    /// # Errors
    /// [`Error::Unsafe`] when too few providers took it within the write deadline.
    pub(crate) async fn put_copied(
        self: &Arc<Self>,
        name: &str,
        object: ObjectId,
        pieces: &[Bytes],
        until: Put,
    ) -> Result<Vec<TargetId>> {
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        let topology = self.fleet.topology(self.now_us());
        let wanted = self.copies_wanted(&topology)?;
        let places = place_copies(wanted, bytes, &topology, self.world.entropy.as_ref())
            .map_err(|error| Error::Plan { detail: error.to_string() })?;
        let mut tried: Vec<TargetId> = places.iter().map(|place| place.target).collect();
        tried.dedup();
        let (send, mut results) = mpsc::unbounded_channel();
        for target in &tried {
            self.start_copy(*target, name, pieces, send.clone());
        }
        let mut running = tried.len();
        let mut done: Vec<TargetId> = Vec::new();
        let deadline = self.world.timer.sleep(self.settings.write_deadline_s * 1_000_000);
        tokio::pin!(deadline);
        let mut last_error = String::from("no answer in time");
        while !self.copies_do(&done, until) {
            if running == 0 {
                return Err(self.too_few(last_error));
            }
            let next = match select(Box::pin(results.recv()), &mut deadline).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => return Err(self.too_few(last_error)),
            };
            let Some((target, result)) = next else { return Err(self.too_few(last_error)) };
            running -= 1;
            match result {
                Ok(()) => done.push(target),
                Err(error) => {
                    self.fleet.failed(target, &error, self.now_us());
                    last_error = error.to_string();
                    let topology = self.fleet.topology(self.now_us());
                    let used = |view: &plan::TargetView| {
                        tried.iter().any(|id| topology.target(*id).is_some_and(|one| one.provider == view.provider))
                    };
                    let others = topology.targets().filter(|view| view.takes(bytes) && !tried.contains(&view.id));
                    // A second copy at one provider is of little use.
                    let another = others.min_by_key(|view| (used(view), view.id));
                    if let Some(another) = another.map(|view| view.id) {
                        tried.push(another);
                        self.start_copy(another, name, pieces, send.clone());
                        running += 1;
                    }
                }
            }
        }
        drop(send);
        if running > 0 {
            let inner = self.clone();
            self.world.timer.spawn(Box::pin(async move {
                while let Some((target, result)) = results.recv().await {
                    match result {
                        Ok(()) => inner.note_late_copy(object, target),
                        Err(error) => inner.fleet.failed(target, &error, inner.now_us()),
                    }
                }
            }));
        }
        Ok(done)
    }

    fn start_copy(
        self: &Arc<Self>,
        target: TargetId,
        name: &str,
        pieces: &[Bytes],
        results: mpsc::UnboundedSender<(TargetId, fleet::Result<()>)>,
    ) {
        let driver = self.roster.get(target);
        let name = fleet::ObjectName::parse(name);
        let pieces = pieces.to_vec();
        self.world.timer.spawn(Box::pin(async move {
            let result = match (driver, name) {
                (Some(driver), Ok(name)) => driver.put(&name, &pieces).await,
                (None, _) => {
                    Err(fleet::Error::Down { target: target.to_string(), reason: "it is not configured".to_owned() })
                }
                (_, Err(error)) => Err(error),
            };
            let _ = results.send((target, result));
        }));
    }

    pub(crate) fn copies_do(&self, done: &[TargetId], until: Put) -> bool {
        let topology = self.fleet.topology(self.now_us());
        let providers = done.iter().filter_map(|id| Some(topology.target(*id)?.provider));
        let spread = Spread::new(1, (0u8..).zip(providers));
        match until {
            Put::UntilSafe => spread.is_safe(),
            // Two providers with one target each cannot hold more than one distinct copy each.
            Put::UntilSettled => spread.is_settled() || (spread.is_safe() && topology.healthy().count() <= done.len()),
        }
    }

    fn too_few(&self, detail: String) -> Error {
        let providers_up = self.fleet.topology(self.now_us()).healthy_providers().len();
        Error::Unsafe { providers_up, detail }
    }

    /// The names of the providers at which a second target would let copied objects be settled.
    pub(crate) fn second_target_helps(&self, topology: &plan::Topology) -> Vec<String> {
        let rows = self.fleet.providers();
        let owner = |target: TargetId| {
            let provider = self.fleet.live(target)?.row.provider;
            rows.iter().find(|row| row.id == provider).map(|row| row.name.clone())
        };
        let mut names: Vec<_> = plan::lone_targets(topology).into_iter().filter_map(owner).collect();
        names.sort_unstable();
        names
    }

    /// How many copies a copied object gets now.
    pub(crate) fn copies_wanted(&self, topology: &plan::Topology) -> Result<usize> {
        let providers = topology.healthy_providers().len();
        let scheme = self.scheme_now(topology)?;
        plan::copies_for(scheme, providers).map_err(|error| match error {
            plan::Error::TooFewProviders { .. } => Error::Unsafe { providers_up: providers, detail: error.to_string() },
            other => Error::Plan { detail: other.to_string() },
        })
    }

    /// The scheme that a pack written now gets.
    pub(crate) fn scheme_now(&self, topology: &plan::Topology) -> Result<model::Scheme> {
        let providers = topology.healthy_providers().len();
        let unsafe_now = |error: plan::Error| Error::Unsafe { providers_up: providers, detail: error.to_string() };
        let wish = match self.settings.scheme {
            Some(scheme) => scheme,
            None => {
                let known = self.fleet.all();
                // Whoever is gone in the topology alone may come back; whoever leaves there does not.
                let alive = known.iter().filter(|live| {
                    !matches!(live.row.state, model::fleet::TargetState::Lost | model::fleet::TargetState::Retired)
                });
                let views = alive.filter_map(|live| topology.target(live.row.id)).filter(|view| !view.leaving);
                let all: std::collections::BTreeSet<_> = views.map(|view| view.provider).collect();
                plan::default_scheme(all.len()).map_err(unsafe_now)?
            }
        };
        plan::scheme_now(wish, providers, plan::Aim::Settled).map_err(unsafe_now)
    }
}
