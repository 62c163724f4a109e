//! What changes the fleet itself, asked for over HTTP by an operator and done by whoever runs the doors: drivers, logins and
//! configuration are the program's, not the service's.

use std::fmt;

use model::{Class, world::BoxFuture};
use serde_json::Value;

use crate::error::Problem;

/// A change of the fleet.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds a provider, or changes its labels.
    Provider {
        /// Its name.
        name: String,
        /// Names and values; an empty value takes a label off.
        labels: Vec<(String, String)>,
    },
    /// Sets what a provider asks.
    Price {
        /// The provider's name.
        name: String,
        /// Labels of prices; an empty value makes a price unknown.
        labels: Vec<(String, String)>,
    },
    /// Tries a place at a provider and adds it.
    Target {
        /// The provider's name.
        provider: String,
        /// Where it is.
        address: String,
        /// What logs in there.
        login: Vec<(String, String)>,
    },
    /// Gives a target another login, after it was tried.
    Login {
        /// Where the target is.
        address: String,
        /// What logs in there from now on.
        login: Vec<(String, String)>,
    },
}

impl fmt::Debug for Change {
    /// Without logins: what is debugged ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, which) = match self {
            Self::Provider { name, .. } => ("Provider", name),
            Self::Price { name, .. } => ("Price", name),
            Self::Target { address, .. } => ("Target", address),
            Self::Login { address, .. } => ("Login", address),
        };
        f.debug_tuple(what).field(which).finish_non_exhaustive()
    }
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// How a reader acts on it.
    pub class: Class,
    /// What happened, what still works, what to do.
    pub message: String,
}

/// Makes changes of the fleet.
pub trait Machine: Send + Sync {
    /// Makes one, and answers with what it came to.
    fn change(&self, change: Change) -> BoxFuture<'_, Result<Value, Refusal>>;
}

/// Nobody: every change is refused.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Machine for Nobody {
    fn change(&self, _: Change) -> BoxFuture<'_, Result<Value, Refusal>> {
        let message = "the fleet of this service cannot be changed over HTTP".to_owned();
        Box::pin(async { Err(Refusal { class: Class::Refused, message }) })
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::of_class(refusal.class, refusal.message)
    }
}
