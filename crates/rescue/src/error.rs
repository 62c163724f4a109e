//! Why a rescue cannot begin, or cannot go on. What could merely not be read is a [`Finding`](crate::Finding).

use model::{
    Class,
    id::{AccountId, ClusterId},
};

/// What this crate answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there is no rescue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No target answered.
    #[error(
        "none of the {given} places given can be read: check the paths, that the disks are mounted, and the logins{}",
        each(why)
    )]
    NoTargets {
        /// How many were given.
        given: usize,
        /// What is wrong with each.
        why: Vec<String>,
    },
    /// The targets belong to other services.
    #[error(
        "these places belong to the service {got}, the kit to {expected}: \
         look for the kit of this service, or for a copy of the firms that the kit names"
    )]
    OtherCluster {
        /// The kit's.
        expected: ClusterId,
        /// One that was found.
        got: ClusterId,
    },
    /// The targets hold other accounts, but not this one.
    #[error(
        "these places hold {others} other accounts and nothing of the kit's account {expected}: \
         the kit belongs to another service or to another time; try more places, or the owner's other kits"
    )]
    OtherAccount {
        /// The kit's.
        expected: AccountId,
        /// How many others were seen.
        others: usize,
    },
    /// No envelope of any account was found.
    #[error("no key of any account lies in the {read} places that could be read: name a copy of one more firm")]
    NoEnvelope {
        /// How many places were read.
        read: usize,
    },
    /// Envelopes of the account are there, and this kit opens none.
    #[error(
        "this kit opens none of the {envelopes} key envelopes of account {account}: it was revoked, or made, \
         after the newest one here; name a copy of one more firm, or use another kit"
    )]
    KitOpensNothing {
        /// The account.
        account: AccountId,
        /// Envelopes that were tried.
        envelopes: usize,
    },
    /// An envelope opened and says that it belongs to someone else.
    #[error("the key that the kit opens is of account {got}, the kit is of {expected}: the kit was altered")]
    AccountMismatch {
        /// The kit's.
        expected: AccountId,
        /// The envelope's.
        got: AccountId,
    },
    /// The key of one file does not unwrap.
    #[error("the key of this file does not open: {source}; other files go on")]
    FileKey {
        /// Why.
        #[source]
        source: format::Error,
    },
    /// The place where files are put refused.
    #[error("{verb} {place} failed: {source}; what was brought home stays, and the same command goes on from there")]
    Home {
        /// What was being done.
        verb: &'static str,
        /// Where.
        place: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// How a reader acts on it.
    pub fn class(&self) -> Class {
        match self {
            Self::NoTargets { .. } | Self::NoEnvelope { .. } => Class::Missing,
            Self::OtherCluster { .. }
            | Self::OtherAccount { .. }
            | Self::KitOpensNothing { .. }
            | Self::AccountMismatch { .. } => Class::Refused,
            Self::FileKey { source } => source.class(),
            Self::Home { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Class::Exhausted,
                std::io::ErrorKind::PermissionDenied => Class::Refused,
                _ => Class::Retry,
            },
        }
    }
}

/// Reasons, each on a line of its own.
fn each(why: &[String]) -> String {
    why.iter().map(|reason| format!("\n  {reason}")).collect()
}
