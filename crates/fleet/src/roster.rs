//! The open targets, by id. Who opens them, and which layers lie around them, is decided where the program is wired.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use model::id::TargetId;

use crate::target::Target;

type Open = BTreeMap<TargetId, Arc<dyn Target>>;

/// The open targets. A known target that is not in here is down, not forgotten.
#[derive(Default)]
pub struct Roster {
    open: RwLock<Open>,
}

impl Roster {
    /// Adds a target; returns the one that it takes the place of.
    pub fn insert(&self, id: TargetId, target: Arc<dyn Target>) -> Option<Arc<dyn Target>> {
        self.write().insert(id, target)
    }

    /// Returns the open target with this id.
    pub fn get(&self, id: TargetId) -> Option<Arc<dyn Target>> {
        self.read().get(&id).cloned()
    }

    /// Takes a target out and returns it. Calls that run on it end as they would have.
    pub fn remove(&self, id: TargetId) -> Option<Arc<dyn Target>> {
        self.write().remove(&id)
    }

    /// Returns the ids, ascending.
    pub fn ids(&self) -> Vec<TargetId> {
        self.read().keys().copied().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Open> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.read().iter().map(|(id, target)| (id, target.address()))).finish()
    }
}
