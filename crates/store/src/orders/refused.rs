//! Why something that a person ordered of the fleet was not done.

use model::Class;

/// Why an order was not taken. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No such target.
    #[error("no target is at {address}; `holdfast fleet` lists them")]
    NoTarget {
        /// What was asked for.
        address: String,
    },
    /// The provider has no target that could be left.
    #[error("there is no target of it that is neither lost nor retired: nothing is to be done")]
    NothingThere,
    /// The target is lost or retired.
    #[error("{address} is {state} already; nothing was changed")]
    Gone {
        /// Its address.
        address: String,
        /// `lost` or `retired`.
        state: &'static str,
    },
    /// The date has passed.
    #[error("that date is over; name one in the future: an order needs time, and the forecast says how much")]
    DateOver,
    /// It is being left already.
    #[error(
        "everything at {address} is being moved away already; `--pause`, `--resume` and `--cancel` change that order, and for \
         another date it is cancelled and given anew"
    )]
    AlreadyOrdered {
        /// Its address.
        address: String,
    },
    /// There is no such order to pause, resume or cancel.
    #[error("nobody ordered {address} to be evacuated; nothing was changed")]
    NotOrdered {
        /// Its address.
        address: String,
    },
    /// Its end was ordered: there is no way back.
    #[error("{address} is being retired, and its shards are leaving the records; that is not taken back")]
    Retiring {
        /// Its address.
        address: String,
    },
    /// No provider of that name.
    #[error("no provider is called {name}; `holdfast fleet` lists them")]
    NoProvider {
        /// What was asked for.
        name: String,
    },
    /// No lease has such a server.
    #[error("no lease has a server '{name}'{}; `holdfast lease ls` shows them", of_firm(provider.as_deref()))]
    NoServer {
        /// The server's name.
        name: String,
        /// The firm that it was looked for at.
        provider: Option<String>,
    },
    /// Several firms have a server of that name.
    #[error("several firms have a server '{name}': {}; name the one that is meant as well", providers.join(", "))]
    SeveralServers {
        /// The server's name.
        name: String,
        /// The firms.
        providers: Vec<String>,
    },
    /// No target is known to lie on a server.
    #[error("no target is noted on server '{name}'; `holdfast lease set` says which targets lie on it")]
    BareServer {
        /// The server's name.
        name: String,
    },
    /// It can be no label.
    #[error("{why}; nothing was changed")]
    BadLabel {
        /// What is in the way.
        why: String,
    },
    /// The list of staged changes is another one.
    #[error(
        "the stage has number {now}, not {asked}: somebody changed it, or the fleet that it rests on; nothing was changed: look at \
         it again with `holdfast stage show`"
    )]
    StageChanged {
        /// The number that was asked for.
        asked: u64,
        /// The number that it has.
        now: u64,
    },
    /// Nothing is staged.
    #[error("nothing is staged; nothing was changed")]
    StageEmpty,
    /// Too much is staged.
    #[error("at most {most} changes are staged at once; apply or revert those that are")]
    StageFull {
        /// How many there may be.
        most: usize,
    },
    /// It can be no constraint.
    #[error("'{label}' cannot be made a constraint: {why}; nothing was changed")]
    BadConstraint {
        /// The label.
        label: String,
        /// What is in the way.
        why: String,
    },
    /// Too few providers would be left.
    #[error(transparent)]
    Last(#[from] plan::Error),
    /// What lies there counts.
    #[error(
        "{address} still counts: {packs} packs ({bytes} bytes) and {objects} copied objects have something there; nothing was \
         changed. Evacuate it first, and retire it when it is evacuated; if it will never answer again, say so with `--lost`"
    )]
    StillCounts {
        /// Its address.
        address: String,
        /// Packs with a make there.
        packs: u64,
        /// Bytes of those makes.
        bytes: u64,
        /// Copied objects with a copy there.
        objects: u64,
    },
    /// Giving something up wants its name once more.
    #[error("what lies there would be given up: repeat the name exactly ({name}) to confirm; nothing was changed")]
    Unconfirmed {
        /// The name to repeat.
        name: String,
    },
}

fn of_firm(provider: Option<&str>) -> String {
    provider.map_or(String::new(), |provider| format!(" at {provider}"))
}

impl OrderError {
    /// How a reader acts on it.
    pub fn class(&self) -> Class {
        match self {
            Self::NoTarget { .. } | Self::NoProvider { .. } | Self::NoServer { .. } => Class::Missing,
            Self::SeveralServers { .. } | Self::BadLabel { .. } | Self::StageFull { .. } => Class::Refused,
            Self::DateOver | Self::BadConstraint { .. } | Self::Last(_) | Self::Unconfirmed { .. } => Class::Refused,
            Self::NothingThere
            | Self::Gone { .. }
            | Self::AlreadyOrdered { .. }
            | Self::NotOrdered { .. }
            | Self::Retiring { .. }
            | Self::BareServer { .. }
            | Self::StageChanged { .. }
            | Self::StageEmpty
            | Self::StillCounts { .. } => Class::Conflict,
        }
    }

    /// A stable name for programs; never reworded.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTarget { .. } => "no_target",
            Self::NoProvider { .. } => "no_provider",
            Self::NoServer { .. } => "no_server",
            Self::SeveralServers { .. } => "several_servers",
            Self::BareServer { .. } => "bare_server",
            Self::BadLabel { .. } => "bad_label",
            Self::StageChanged { .. } => "stage_changed",
            Self::StageEmpty => "stage_empty",
            Self::StageFull { .. } => "stage_full",
            Self::NothingThere | Self::Gone { .. } => "target_gone",
            Self::DateOver => "date_over",
            Self::AlreadyOrdered { .. } | Self::Retiring { .. } => "already_ordered",
            Self::NotOrdered { .. } => "not_ordered",
            Self::BadConstraint { .. } => "bad_constraint",
            Self::Last(_) => "last_providers",
            Self::StillCounts { .. } => "still_counts",
            Self::Unconfirmed { .. } => "unconfirmed",
        }
    }
}
