//! What went wrong, as the person at the command line reads it: what happened, then what to do about it.
//!
//! Every crate's error has a [`Class`]; the table in [`Error::exit_code`] is the only place that turns it into an exit code.

use std::{fmt, io, path::Path};

use model::Class;

/// A failure on its way to standard error.
#[derive(Debug)]
pub struct Error {
    /// How a reader acts on it.
    pub class: Class,
    /// What happened and what still works.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The service's stable name for it, where a service answered.
    pub code: Option<String>,
}

/// What this binary's functions answer.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure without a hint.
    pub fn new(class: Class, message: impl fmt::Display) -> Self {
        Self { class, message: message.to_string(), hint: None, code: None }
    }

    /// The caller asked for something that is not allowed.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(Class::Refused, message)
    }

    /// The operating system refused `verb` ("reading", "writing") at `path`.
    pub fn io(verb: &str, path: &Path, source: &io::Error) -> Self {
        Self::new(class_of_io(source), format!("{verb} {} failed: {source}", path.display()))
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The exit code. 1 is left to batches of which a part failed, 2 is what the argument parser uses for misuse.
    pub fn exit_code(&self) -> u8 {
        match self.class {
            Class::Refused => 2,
            Class::Missing => 3,
            Class::Conflict => 4,
            Class::Damaged => 5,
            Class::Exhausted => 6,
            Class::Retry => 7,
            Class::Bug => 70,
        }
    }
}

/// The class of an error of the operating system.
pub fn class_of_io(error: &io::Error) -> Class {
    match error.kind() {
        io::ErrorKind::NotFound => Class::Missing,
        io::ErrorKind::AlreadyExists | io::ErrorKind::AddrInUse => Class::Conflict,
        io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => Class::Refused,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::OutOfMemory => Class::Exhausted,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Class::Damaged,
        _ => Class::Retry,
    }
}

/// The word for a class on the control socket.
pub fn class_word(class: Class) -> &'static str {
    match class {
        Class::Retry => "retry",
        Class::Refused => "refused",
        Class::Missing => "missing",
        Class::Conflict => "conflict",
        Class::Damaged => "damaged",
        Class::Exhausted => "exhausted",
        Class::Bug => "bug",
    }
}

/// Reads [`class_word`] back; an unknown word is a bug of ours.
pub fn class_of_word(word: &str) -> Class {
    [Class::Retry, Class::Refused, Class::Missing, Class::Conflict, Class::Damaged, Class::Exhausted]
        .into_iter()
        .find(|class| class_word(*class) == word)
        .unwrap_or(Class::Bug)
}

/// What another crate refused, in its own words.
macro_rules! from_crates {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::new(error.class(), error)
            }
        }
    )+};
}

from_crates!(store::Error, service::Error, catalogue::Error, fleet::Error, format::Error);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use model::Class;

    use super::{class_of_word, class_word};

    #[test]
    fn class_words_read_back() {
        for class in [
            Class::Retry,
            Class::Refused,
            Class::Missing,
            Class::Conflict,
            Class::Damaged,
            Class::Exhausted,
            Class::Bug,
        ] {
            assert_eq!(class_of_word(class_word(class)), class);
        }
    }
}
