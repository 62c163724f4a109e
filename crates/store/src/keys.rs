//! The keys that this running service holds: the cluster's, and those of its managed accounts.

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use format::{AccountKey, ClusterKey, KeySource};
use model::id::AccountId;

use crate::error::{Error, Result};

/// All keys at one moment.
#[derive(Clone)]
pub(crate) struct Keys {
    pub cluster: Arc<ClusterKey>,
    accounts: Arc<BTreeMap<AccountId, Arc<AccountKey>>>,
}

impl Keys {
    /// The key of an account.
    pub fn account(&self, account: AccountId) -> Result<&AccountKey> {
        self.accounts.get(&account).map(Arc::as_ref).ok_or(Error::NoAccount)
    }
}

impl KeySource for Keys {
    fn account(&self, account: AccountId) -> Option<&AccountKey> {
        self.accounts.get(&account).map(Arc::as_ref)
    }

    fn cluster(&self) -> Option<&ClusterKey> {
        Some(&self.cluster)
    }
}

/// The ring that snapshots are taken from: a new account replaces the map, running batches keep theirs.
pub(crate) struct Ring(RwLock<Keys>);

impl Ring {
    pub fn new(cluster: ClusterKey) -> Self {
        Self(RwLock::new(Keys { cluster: Arc::new(cluster), accounts: Arc::default() }))
    }

    pub fn snapshot(&self) -> Keys {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub fn insert(&self, account: AccountId, key: AccountKey) {
        let mut keys = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut accounts = BTreeMap::clone(&keys.accounts);
        accounts.insert(account, Arc::new(key));
        keys.accounts = Arc::new(accounts);
    }

    /// Forgets an account's key; a batch that runs keeps it until its end.
    pub fn remove(&self, account: AccountId) {
        let mut keys = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut accounts = BTreeMap::clone(&keys.accounts);
        accounts.remove(&account);
        keys.accounts = Arc::new(accounts);
    }

    /// A copy of the handle on one account's key.
    pub fn account(&self, account: AccountId) -> Result<Arc<AccountKey>> {
        let keys = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        keys.accounts.get(&account).cloned().ok_or(Error::NoAccount)
    }
}
