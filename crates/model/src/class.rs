//! What a reader of an error can do about it.
//!
//! Every crate has one `Error` enum and one `class()`; layers (retry, HTTP status, exit code) read the class and nobody
//! matches on strings.

/// The kind of trouble, as its reader acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Passing: the same call may succeed later (a provider is down, a timeout, a busy lock).
    Retry,
    /// The caller may not, or asked for something that is not allowed (bad path, bad token, bad range).
    Refused,
    /// What was named does not exist.
    Missing,
    /// It clashes with something that is there (name taken, precondition failed, already in use).
    Conflict,
    /// Bytes are not what they should be; nothing was changed because of it.
    Damaged,
    /// Space, memory or a quota is used up.
    Exhausted,
    /// An invariant of ours is broken: report it.
    Bug,
}
