//! What a rescuer notices on the way: damage, absences, oddities. None of them stops it.

use std::fmt;

use model::{
    Scope,
    id::{ClusterId, PackId, SegmentId},
};

/// Something that a person should know. [`Finding::is_loss`] tells notes from losses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// A target could not be read at all.
    TargetDown {
        /// Which one.
        target: String,
        /// Why.
        reason: String,
    },
    /// A target stopped answering on the way.
    TargetGone {
        /// Which one.
        target: String,
        /// What it was that it did not answer.
        reason: String,
    },
    /// A target has no marker, or a damaged one; it is read all the same.
    NoMarker {
        /// Which one.
        target: String,
    },
    /// A target's marker names another service.
    OtherCluster {
        /// Which one.
        target: String,
        /// The service that its marker names.
        cluster: ClusterId,
        /// Whether it holds something of the account and is read for that.
        read: bool,
    },
    /// Newer envelopes exist that the kit does not open.
    KitRevoked {
        /// Since when, where the account's records say so; microseconds since 1970.
        since_us: Option<i64>,
        /// Generation of the envelope that the kit opened.
        opened: u64,
        /// The newest generation that was seen.
        newest: u64,
    },
    /// A copy is damaged or cannot be read; another one is used where there is one.
    BadCopy {
        /// Which target.
        target: String,
        /// The object's name there.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No copy of a journal object or snapshot can be read.
    RecordsUnreadable {
        /// The object's name.
        name: String,
        /// How many copies were tried.
        copies: usize,
    },
    /// Files of an earlier life of the service turned up that its present one does not know.
    LateFiles {
        /// The present epoch.
        epoch: u64,
        /// How many.
        count: u64,
    },
    /// Changes between these revisions are on no target given.
    ChangesMissing {
        /// Whose.
        scope: ScopeWord,
        /// The last revision before the gap.
        after: u64,
        /// The first after it.
        next: u64,
    },
    /// The tree has a part that hangs on nothing, or in a ring.
    Tree {
        /// What was cut.
        what: String,
    },
    /// No record says where a segment lies; shards' own indexes were believed instead.
    WithoutRecord {
        /// The segment.
        segment: SegmentId,
    },
    /// A pack had to be put together from lanes that no record vouches for; the frames' tags did.
    Unvouched {
        /// The pack.
        pack: PackId,
    },
}

/// A scope as findings name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScopeWord {
    /// Where bytes lie.
    Cluster,
    /// The account's tree.
    Account,
}

impl From<Scope> for ScopeWord {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Cluster => Self::Cluster,
            Scope::Account(_) => Self::Account,
        }
    }
}

impl Finding {
    /// Whether something of the tree may be missing because of it. Bytes of files that could not be read are reported
    /// with the file, not here.
    pub fn is_loss(&self) -> bool {
        match self {
            Self::ChangesMissing { scope, .. } => *scope == ScopeWord::Account,
            Self::Tree { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TargetDown { target, reason } => write!(f, "{target} cannot be read: {reason}; going on without it"),
            Self::TargetGone { target, reason } => {
                write!(f, "{target} stopped answering: {reason}; what it holds was looked for elsewhere")
            }
            Self::NoMarker { target } => {
                write!(f, "{target} does not say whose it is (no readable marker); it is read all the same")
            }
            Self::OtherCluster { target, cluster, read: true } => write!(
                f,
                "{target} says that it belongs to another service ({cluster}), but holds something of this account; it is read"
            ),
            Self::OtherCluster { target, cluster, read: false } => {
                write!(f, "{target} belongs to another service ({cluster}) and holds nothing of this account; left out")
            }
            Self::KitRevoked { since_us, opened, newest } => {
                f.write_str("this kit was revoked")?;
                if let Some(day) = since_us.map(crate::calendar::day) {
                    write!(f, " on {day}")?;
                }
                write!(
                    f,
                    ": key envelope {newest} was made without it, number {opened} is the last that it opens; \
                     all that is sealed under that key still comes home"
                )
            }
            Self::BadCopy { target, name, reason } => write!(f, "{name} at {target} is passed over: {reason}"),
            Self::RecordsUnreadable { name, copies } => {
                write!(f, "none of the {copies} copies of {name} can be read; a copy of one more firm may have it")
            }
            Self::LateFiles { epoch, count } => write!(
                f,
                "{count} files turned up that were stored before the service's life {epoch} began, and that it does not \
                 know; they are put into \"{}\"",
                crate::EARLIER
            ),
            Self::ChangesMissing { scope: ScopeWord::Account, after, next } => write!(
                f,
                "changes {} to {} of the account are on none of these places: \
                 files may be missing or older than they were; a copy of one more firm may have them",
                after + 1,
                next - 1
            ),
            Self::ChangesMissing { scope: ScopeWord::Cluster, after, next } => write!(
                f,
                "changes {} to {} of where bytes lie are on none of these places; \
                 shards are looked for by their own indexes instead",
                after + 1,
                next - 1
            ),
            Self::Tree { what } => write!(f, "the tree is not whole: {what}"),
            Self::WithoutRecord { segment } => {
                write!(f, "no record says where segment {segment} lies; found by the indexes of shards")
            }
            Self::Unvouched { pack } => {
                write!(
                    f,
                    "pack {pack} was put together from shards that no record vouches for; their contents proved right"
                )
            }
        }
    }
}
