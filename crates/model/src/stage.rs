//! Changes of the fleet that somebody said and nobody did yet: they are gathered, looked at together, and done at once.

use crate::id::AccountId;

/// Which targets something is about, as a person names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All targets of the provider of this name.
    Provider(String),
    /// The target at this address.
    Target(String),
    /// All targets on a server.
    Server {
        /// What its firm calls it.
        name: String,
        /// The firm's name; it may be left out where no other firm has a server of that name.
        provider: Option<String>,
    },
}

impl Which {
    /// The name that gives up what is meant, said once more.
    pub fn name(&self) -> &str {
        let (Self::Provider(name) | Self::Target(name) | Self::Server { name, .. }) = self;
        name
    }
}

/// A change that is staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Staged {
    /// A label of a provider, prices included; an empty value takes it off.
    Label {
        /// The provider's name.
        provider: String,
        /// The label.
        label: String,
        /// Its value.
        value: String,
    },
    /// A label is made a constraint, or none.
    Constraint {
        /// The label.
        label: String,
        /// Which of both.
        holds: bool,
    },
    /// No new shards there, or new ones again.
    Cordon {
        /// Where.
        which: Which,
        /// Which of both.
        cordoned: bool,
    },
    /// Everything away from there.
    Evacuate {
        /// From where.
        which: Which,
        /// By when, microseconds since 1970.
        by_us: i64,
    },
    /// An evacuation is taken back.
    Cancel {
        /// Of what.
        which: Which,
    },
    /// Something that was evacuated is to be forgotten.
    Retire {
        /// What.
        which: Which,
        /// What lies there stays there.
        keeps_shards: bool,
    },
}

impl Staged {
    /// Which targets it is about, if it is about targets.
    pub fn which(&self) -> Option<&Which> {
        match self {
            Self::Label { .. } | Self::Constraint { .. } => None,
            Self::Cordon { which, .. }
            | Self::Evacuate { which, .. }
            | Self::Cancel { which }
            | Self::Retire { which, .. } => Some(which),
        }
    }
}

/// A staged change, with who said it. Local: it is no change yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedRow {
    /// Who: zeros at the machine.
    pub account: AccountId,
    /// When, microseconds since 1970.
    pub said_us: i64,
    /// What.
    pub change: Staged,
}
