//! What can go wrong in the catalogue, and what its reader can do about it.

use model::{Class, id::AccountId};
use rusqlite::ErrorCode;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the catalogue could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something else has this name in this folder.
    #[error("the name {name:?} is taken in that folder of account {account}")]
    NameTaken {
        /// Whose tree.
        account: AccountId,
        /// The name.
        name: String,
    },
    /// Another account, provider or target bears this name.
    #[error("there is a {noun} called {name:?} already")]
    NounTaken {
        /// What it is.
        noun: &'static str,
        /// Its name.
        name: String,
    },
    /// The account is gone for good.
    #[error("account {account} was deleted: nothing of it is changed any more, and nothing of this was kept")]
    AccountGone {
        /// Whose change it was.
        account: AccountId,
    },
    /// The disk under the catalogue is full; the transaction was rolled back.
    #[error(
        "the catalogue's disk is full: nothing of this was kept, reading still works, writing goes on when there is space"
    )]
    Full,
    /// The disk under the catalogue failed; the transaction was rolled back.
    #[error("the catalogue's disk failed: nothing of this was kept")]
    Disk(#[source] rusqlite::Error),
    /// The log could not be synced, so what was committed last may not survive a power cut.
    #[error(
        "the catalogue's disk failed to keep what was just written: it is kept at the providers; reading still works, and \
         writing goes on as soon as the disk takes it"
    )]
    LogSync(#[source] std::sync::Arc<std::io::Error>),
    /// The log could not be synced, and part of it is gone.
    #[error(
        "the catalogue's disk lost part of its log ({whole} of {frames} frames are whole): restart the service, it then \
         takes the rest from the journal at the providers"
    )]
    LogLost {
        /// Frames that can be read.
        whole: u32,
        /// Frames that were written.
        frames: u32,
    },
    /// Somebody else holds a lock on the catalogue's file.
    #[error("the catalogue's file is in use by another process")]
    Busy,
    /// There is no open transaction: none was begun, or a failure rolled it back.
    #[error(
        "the catalogue's transaction is not open: it was rolled back after a failure, or never begun; nothing of it was kept"
    )]
    NotOpen,
    /// A transaction is open already.
    #[error("the catalogue's transaction is open already")]
    AlreadyOpen,
    /// The catalogue's file cannot be made or opened.
    #[error("the catalogue {path} cannot be opened")]
    Open {
        /// Its path.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file could not be copied before its schema was to be changed; nothing was changed.
    #[error(
        "the catalogue was not copied to {path} before its schema is brought up to date, so nothing was changed: make room \
         there, or go on with the older program"
    )]
    Copy {
        /// Where the copy was to lie.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file was written by a newer Holdfast.
    #[error("the catalogue has schema {found}, this program knows up to {known}: use the newer program that wrote it")]
    Newer {
        /// In the file.
        found: u64,
        /// The newest that this program knows.
        known: u64,
    },
    /// The file is not a database, or its pages contradict each other.
    #[error("the catalogue's file is damaged: rebuild it from the targets with `holdfast rebuild`")]
    Corrupt(#[source] rusqlite::Error),
    /// A row holds a value that was never written by us.
    #[error("the catalogue holds a value that makes no sense: {what}")]
    Value {
        /// Table and column.
        what: &'static str,
    },
    /// A number is beyond what a column can hold (2⁶³ − 1).
    #[error("a number is too large for the catalogue")]
    TooLarge,
    /// A change was given with a scope that it does not belong to.
    #[error("a change was given with a scope that it does not belong to")]
    WrongScope,
    /// An entry of the ledger does not follow the last one.
    #[error("entry {got} of the ledger does not follow the last one, entry {expected} does: nothing was noted")]
    NotNext {
        /// The number that is next.
        expected: u64,
        /// The number that it has.
        got: u64,
    },
    /// The catalogue was closed.
    #[error("the catalogue is closed")]
    Closed,
    /// The closure that was sent to the catalogue panicked; its transaction was rolled back.
    #[error("work sent to the catalogue panicked and was rolled back")]
    Panicked,
    /// Only a catalogue in memory has an image.
    #[error("only a catalogue in memory has an image")]
    NoImage,
    /// A statement is wrong.
    #[error("the catalogue refused a statement")]
    Statement(#[source] rusqlite::Error),
}

impl Error {
    /// What its reader can do.
    pub fn class(&self) -> Class {
        match self {
            Self::NameTaken { .. } | Self::NounTaken { .. } => Class::Conflict,
            Self::AccountGone { .. } => Class::Missing,
            Self::Full => Class::Exhausted,
            Self::Disk(_) | Self::LogSync(_) | Self::Busy | Self::NotOpen | Self::Closed => Class::Retry,
            Self::Open { .. } | Self::Copy { .. } => Class::Retry,
            Self::Newer { .. } | Self::TooLarge | Self::NoImage => Class::Refused,
            Self::Corrupt(_) | Self::LogLost { .. } | Self::Value { .. } => Class::Damaged,
            Self::AlreadyOpen | Self::WrongScope | Self::NotNext { .. } | Self::Panicked | Self::Statement(_) => {
                Class::Bug
            }
        }
    }

    /// The same failure of a sync, for the next one who waited for it.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::LogSync(source) => Self::LogSync(source.clone()),
            Self::LogLost { whole, frames } => Self::LogLost { whole: *whole, frames: *frames },
            _ => Self::Closed,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory => Self::Disk(error),
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(error),
                _ => Self::Statement(error),
            },
            rusqlite::Error::ToSqlConversionFailure(_) => Self::TooLarge,
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::IntegralValueOutOfRange(..) => {
                Self::Value { what: "a column's value has the wrong shape" }
            }
            _ => Self::Statement(error),
        }
    }
}
