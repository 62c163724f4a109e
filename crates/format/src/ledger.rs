//! The ledger: what was said to the service and done with it, so that nobody can say otherwise later.
//!
//! Three things make it hard to lie about. Each [`Entry`] names the hash of the one before it, so that one cannot be
//! changed, left out or moved without the next one telling. A [`Checkpoint`] is the head of a Merkle tree over all entries
//! ([`tree`]), signed by the service ([`note`]), and goes to every firm: whoever has an old one sees whether the line was
//! rewritten since. And [`verify`] needs neither the service nor its catalogue: an exported file and a public key will do.
//!
//! An entry is text, one `key value` to a line, in one spelling only:
//!
//! ```text
//! holdfast-ledger/v1
//! n 17
//! at 2026-11-27T21:00:00Z
//! prev 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
//! what target.joined
//! target 30303030303030303030303030303030
//! ```
//!
//! Source: RFC 6962 section 2.1, c2sp.org/tlog-checkpoint, c2sp.org/signed-note.

use aws_lc_rs::digest::{SHA256, digest};
use model::ledger::LedgerEntry;

use crate::error::{Error, Result};

pub(crate) mod base64;
pub mod note;
pub mod receipt;
pub mod time;
pub mod tree;
pub mod verify;

pub use note::{Checkpoint, Signer, VerifierKey};
pub use receipt::Receipt;
pub use tree::Frontier;
pub use verify::{Fault, Verified, Verifier, verify};

/// The first line of every entry.
const HEAD: &str = "holdfast-ledger/v1";
/// The first line of an exported ledger.
pub const EXPORT_HEAD: &str = "holdfast-ledger-export/v1";
/// What the first entry names as the hash before it.
pub const START: [u8; 32] = [0; 32];
/// Longest key of a field, and longest `what`, in bytes.
const WORD_BYTES_MAX: usize = 64;

const OBJECT: &str = "ledger entry";

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: 1, 2, 3, …
    pub n: u64,
    /// When it was noted, microseconds since 1970; whole seconds are kept, of the years 0 to 9999.
    pub at_us: i64,
    /// The [`hash`] of the entry before it, [`START`] for the first.
    pub prev: [u8; 32],
    /// What happened: words of `a` to `z`, `0` to `9`, `.`, `-` and `_`.
    pub what: String,
    /// More about it, in this order; keys are words as above.
    pub fields: Vec<(String, String)>,
}

/// SHA-256 of an entry's text: what the next one names.
pub fn hash(text: &str) -> [u8; 32] {
    sha256(&[text.as_bytes()])
}

pub(crate) fn sha256(pieces: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, &pieces.concat()).as_ref());
    out
}

impl Entry {
    /// Its text, each line with its end.
    pub fn to_text(&self) -> String {
        let at = time::second(self.at_us);
        let mut text =
            format!("{HEAD}\nn {}\nat {at}\nprev {}\nwhat {}\n", self.n, base64::encode(&self.prev), self.what);
        for (key, value) in &self.fields {
            text.push_str(key);
            text.push(' ');
            escape(&mut text, value);
            text.push('\n');
        }
        text
    }

    /// As it is kept.
    ///
    /// # Errors
    /// Bug: a word is none, or it is too long.
    pub fn to_row(&self) -> Result<LedgerEntry> {
        let text = self.to_text();
        let broken = |field, expected: String, got: String| Error::Misuse { object: OBJECT, field, expected, got };
        if text.len() > LedgerEntry::BYTES_MAX {
            let most = format!("at most {} bytes", LedgerEntry::BYTES_MAX);
            return Err(broken("text", most, text.len().to_string()));
        }
        Self::parse(&text).map_err(|error| broken("text", "an entry".to_owned(), error.to_string()))?;
        Ok(LedgerEntry { n: self.n, text })
    }

    /// Reads an entry's text, in its one spelling.
    ///
    /// # Errors
    /// Damaged, naming the line.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |field, expected: &str, got: &str| Error::Value {
            object: OBJECT,
            field,
            expected: expected.to_owned(),
            got: shown(got),
        };
        let body = text.strip_suffix('\n').ok_or_else(|| wrong("end", "a line's end", "no line's end"))?;
        let mut lines = body.split('\n');
        let head = lines.next().unwrap_or_default();
        if head != HEAD {
            return Err(wrong("head", HEAD, head));
        }
        let mut take = |key: &'static str| {
            let line = lines.next().unwrap_or_default();
            line.split_once(' ').filter(|(found, _)| *found == key).map(|(_, value)| value).ok_or_else(|| {
                let expected = format!("a line `{key} …`");
                wrong(key, &expected, line)
            })
        };
        let (n, at, prev, what) = (take("n")?, take("at")?, take("prev")?, take("what")?);
        let entry = Self {
            n: n.parse().ok().filter(|n| *n > 0).ok_or_else(|| wrong("n", "a number from 1", n))?,
            at_us: time::parse_second(at).ok_or_else(|| wrong("at", "a second in UTC", at))?,
            prev: base64::decode_hash(prev).ok_or_else(|| wrong("prev", "base64 of 32 bytes", prev))?,
            what: word(what).ok_or_else(|| wrong("what", "a word", what))?,
            fields: lines
                .map(|line| {
                    let (key, value) = line.split_once(' ').ok_or_else(|| wrong("field", "`key value`", line))?;
                    let key = word(key).ok_or_else(|| wrong("field", "a word as key", key))?;
                    Ok((key, unescape(value).ok_or_else(|| wrong("field", "an escaped value", value))?))
                })
                .collect::<Result<_>>()?,
        };
        // A number with a zero in front would be a second spelling of the same entry.
        if entry.to_text() == text { Ok(entry) } else { Err(wrong("text", "the one spelling of it", "another")) }
    }

    /// The value of the first field with this key.
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }
}

fn word(text: &str) -> Option<String> {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    ((1..=WORD_BYTES_MAX).contains(&text.len()) && text.bytes().all(sound)).then(|| text.to_owned())
}

/// Makes one line of a value.
fn escape(text: &mut String, value: &str) {
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            other => text.push(other),
        }
    }
}

fn unescape(line: &str) -> Option<String> {
    let mut value = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        value.push(match letter {
            '\\' => match letters.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            '\r' => return None,
            other => other,
        });
    }
    Some(value)
}

/// The beginning of something that may be long, for an error.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut found: String = text.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        found.push('…');
    }
    found
}
