//! What can be wrong with bytes, and whose move it is.

use model::{Class, Scope};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why bytes could not be read, or were not written. Both numbers are named: what was expected and what was got.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end inside a field.
    #[error("{object} ends inside `{field}`: {expected} bytes are needed, {got} are left; use another copy")]
    Short {
        /// What was read.
        object: &'static str,
        /// The field that does not fit.
        field: &'static str,
        /// Bytes that it takes.
        expected: u64,
        /// Bytes that are left.
        got: u64,
    },
    /// Something has another length than it must have.
    #[error("{object}: `{field}` has {got} bytes, not {expected}; use another copy")]
    Length {
        /// What was read.
        object: &'static str,
        /// The field, or the object as a whole.
        field: &'static str,
        /// Bytes that it must have.
        expected: u64,
        /// Bytes that it has.
        got: u64,
    },
    /// The first bytes are those of something else.
    #[error("this is no {object}: it starts with {got}; it is left alone")]
    Foreign {
        /// What was looked for.
        object: &'static str,
        /// The first bytes, in hex.
        got: String,
    },
    /// It was written by a later Holdfast.
    #[error(
        "{object} is of format {got}, this program reads up to {expected}: use a newer Holdfast; nothing is wrong with the bytes"
    )]
    Newer {
        /// What was read.
        object: &'static str,
        /// The newest format that is read.
        expected: u32,
        /// The format that it says it has.
        got: u32,
    },
    /// Bytes do not have the hash that was written with them.
    #[error("{object} is damaged: `{field}` is {got}, expected {expected}; use another copy")]
    Hash {
        /// What was read.
        object: &'static str,
        /// Which hash.
        field: &'static str,
        /// The hash that was written.
        expected: String,
        /// The hash that the bytes have.
        got: String,
    },
    /// A field says what it cannot say.
    #[error("{object}: `{field}` is {got}, expected {expected}; use another copy")]
    Value {
        /// What was read.
        object: &'static str,
        /// The field.
        field: &'static str,
        /// What it may say.
        expected: String,
        /// What it says.
        got: String,
    },
    /// A tag does not fit: the bytes, what they are bound to, or the key are not those they were sealed with.
    #[error(
        "{object}: `{field}` does not unseal: damaged, moved from elsewhere, or sealed under another key; use another copy"
    )]
    Seal {
        /// What was read.
        object: &'static str,
        /// The sealed part.
        field: &'static str,
    },
    /// No key for this scope is at hand.
    #[error("no key for {}: its open part can still be read", show(.scope))]
    NoKey {
        /// Whose key.
        scope: Scope,
    },
    /// An age file is not sealed to this identity.
    #[error(
        "{object} is not sealed to this identity: another kit, or one that was revoked before it was written, may open it"
    )]
    NotRecipient {
        /// What was read.
        object: &'static str,
    },
    /// A text is not an age recipient or identity.
    #[error("`{field}` is not an age {expected}")]
    BadIdentity {
        /// Which text.
        field: &'static str,
        /// `recipient (age1…)` or `identity (AGE-SECRET-KEY-1…)`.
        expected: &'static str,
    },
    /// A text has no kit in it.
    #[error("this is no recovery kit: no line starts with `holdfast-kit:`")]
    NotAKit,
    /// One line of a kit has a typing error.
    #[error(
        "line {line} of the kit (`{field}`) is damaged: its check is {got}, expected {expected}; compare it with the paper"
    )]
    KitLine {
        /// Line number, from 1.
        line: usize,
        /// The line's first word.
        field: String,
        /// The check that the line's text has.
        expected: String,
        /// The check that is written.
        got: String,
    },
    /// A kit lacks a line or has it twice.
    #[error("the kit has {got} lines `{field}`, expected {expected}; compare it with the paper")]
    KitLines {
        /// The lines' first word.
        field: &'static str,
        /// How many there should be.
        expected: String,
        /// How many there are.
        got: usize,
    },
    /// Our own code asked for what may not be written.
    #[error("a bug: {object} was to be written with `{field}` {got}, expected {expected}; nothing was written")]
    Misuse {
        /// What was to be written.
        object: &'static str,
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// What it was.
        got: String,
    },
}

impl Error {
    /// What its reader can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Short { .. }
            | Self::Length { .. }
            | Self::Foreign { .. }
            | Self::Hash { .. }
            | Self::Value { .. }
            | Self::Seal { .. }
            | Self::KitLine { .. }
            | Self::KitLines { .. } => Class::Damaged,
            Self::Newer { .. }
            | Self::NoKey { .. }
            | Self::NotRecipient { .. }
            | Self::BadIdentity { .. }
            | Self::NotAKit => Class::Refused,
            Self::Misuse { .. } => Class::Bug,
        }
    }

    /// The field that it is about, where there is one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Short { field, .. }
            | Self::Length { field, .. }
            | Self::Hash { field, .. }
            | Self::Value { field, .. }
            | Self::Seal { field, .. }
            | Self::BadIdentity { field, .. }
            | Self::KitLines { field, .. }
            | Self::Misuse { field, .. } => Some(field),
            Self::KitLine { field, .. } => Some(field),
            Self::Foreign { .. } => Some("magic"),
            Self::Newer { .. } => Some("version"),
            Self::NoKey { .. } | Self::NotRecipient { .. } | Self::NotAKit => None,
        }
    }
}

fn show(scope: &Scope) -> String {
    match scope {
        Scope::Cluster => "the cluster".to_owned(),
        Scope::Account(id) => format!("account {id}"),
    }
}
