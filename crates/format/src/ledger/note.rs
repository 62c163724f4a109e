//! Signed notes: a text, a blank line, and a line for each who signed it; and the checkpoint, the note that states how
//! many entries a ledger has and which hash stands for them.
//!
//! Source: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, RFC 8032 (Ed25519).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use model::id::ClusterId;

use super::{base64, sha256};
use crate::{
    error::{Error, Result},
    keys::ClusterKey,
    wire::hex,
};

/// What a signature line begins with.
const DASH: &str = "— ";
/// The algorithm byte of Ed25519.
const ED25519_BYTE: u8 = 1;
/// Longest note that is read, in bytes, and most of its signatures.
pub const NOTE_BYTES_MAX: usize = 64 << 10;
const SIGNATURES_MAX: usize = 100;

/// Signs for one cluster.
pub struct Signer {
    key: VerifierKey,
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The signer of this cluster's ledger.
    pub fn new(cluster: ClusterId, key: &ClusterKey) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(key.ledger_seed().expose()).expect("a seed has 32 bytes");
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        Self { key: VerifierKey::new(format!("holdfast/{cluster}"), public), pair }
    }

    /// What its signatures are checked with.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// A note with this text, whose last line has an end and none of whose lines is empty.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        let signature = base64::encode(&[self.key.id().as_slice(), signature.as_ref()].concat());
        format!("{text}\n{DASH}{} {signature}\n", self.key.name)
    }

    /// A signed checkpoint.
    pub fn checkpoint(&self, checkpoint: &Checkpoint) -> String {
        self.sign(&checkpoint.to_text(&self.key.name))
    }
}

// The pair is a secret.
impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.key)
    }
}

/// The public half of a signer: its name and its key. Shown as `name+id+key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    fn new(name: String, public: [u8; 32]) -> Self {
        Self { name, public }
    }

    /// Whose key it is; the first line of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells it from other keys of the same name.
    fn id(&self) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[ED25519_BYTE], &self.public]);
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Reads `name+id+key`.
    ///
    /// # Errors
    /// Damaged, naming what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |field, expected: &str, got: &str| Error::Value {
            object: "verifier key",
            field,
            expected: expected.to_owned(),
            got: super::shown(got),
        };
        let mut words = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (words.next(), words.next(), words.next()) else {
            return Err(wrong("key", "`name+id+key`", text));
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(wrong("name", "a name without spaces", name));
        }
        let bytes = base64::decode(key).unwrap_or_default();
        let public = match bytes.split_first() {
            Some((&ED25519_BYTE, public)) => public.try_into().ok(),
            _ => None,
        };
        let key = Self::new(name.to_owned(), public.ok_or_else(|| wrong("key", "an Ed25519 key in base64", key))?);
        let expected = hex(&key.id());
        if id == expected { Ok(key) } else { Err(wrong("id", &expected, id)) }
    }

    /// The text of a note that this key signed, without its signatures. Signatures of others are passed over.
    ///
    /// # Errors
    /// Damaged: it is no note, or has no signature of this key; a wrong one of this key.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str> {
        let wrong = |field, expected: String, got: &str| Error::Value {
            object: "signed note",
            field,
            expected,
            got: super::shown(got),
        };
        if note.len() > NOTE_BYTES_MAX {
            return Err(wrong("length", format!("at most {NOTE_BYTES_MAX} bytes"), &note.len().to_string()));
        }
        let Some((at, signatures)) = note.rfind("\n\n").map(|at| (at + 1, &note[at + 2..])) else {
            return Err(wrong("signature", "a blank line and signatures behind it".to_owned(), "none"));
        };
        let text = &note[..at];
        let Some(signatures) = signatures.strip_suffix('\n') else {
            return Err(wrong("signature", "a whole line".to_owned(), "a line without its end"));
        };
        for line in signatures.split('\n').take(SIGNATURES_MAX) {
            let parts = line.strip_prefix(DASH).and_then(|line| line.split_once(' '));
            let (name, signature) = parts.ok_or_else(|| wrong("signature", "`— name signature`".to_owned(), line))?;
            let bytes = base64::decode(signature).unwrap_or_default();
            let Some((id, signature)) = bytes.split_first_chunk::<4>() else {
                return Err(wrong("signature", "base64 of a key's id and a signature".to_owned(), signature));
            };
            if name == self.name && *id == self.id() {
                let public = UnparsedPublicKey::new(&ED25519, &self.public);
                let sound = public.verify(text.as_bytes(), signature).is_ok();
                return if sound { Ok(text) } else { Err(wrong("signature", format!("one of {self}"), "a wrong one")) };
            }
        }
        Err(wrong("signature", format!("one of {self}"), "others only"))
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = base64::encode(&[[ED25519_BYTE].as_slice(), &self.public].concat());
        write!(f, "{}+{}+{key}", self.name, hex(&self.id()))
    }
}

/// How many entries a ledger has, and the hash over all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many.
    pub size: u64,
    /// The root of the tree over them.
    pub root: [u8; 32],
}

impl Checkpoint {
    fn to_text(self, origin: &str) -> String {
        format!("{origin}\n{}\n{}\n", self.size, base64::encode(&self.root))
    }

    /// Reads a checkpoint that this key signed.
    ///
    /// # Errors
    /// Damaged: as [`VerifierKey::open`], or it is another note, or of another ledger.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self> {
        let text = key.open(note)?;
        let wrong = |field, expected: &str, got: &str| Error::Value {
            object: "checkpoint",
            field,
            expected: expected.to_owned(),
            got: super::shown(got),
        };
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        let (origin, size, root) = (origin.unwrap_or_default(), size.unwrap_or_default(), root.unwrap_or_default());
        if origin != key.name() {
            return Err(wrong("origin", key.name(), origin));
        }
        let number = size.parse::<u64>().ok().filter(|number| number.to_string() == size);
        Ok(Self {
            size: number.ok_or_else(|| wrong("size", "a number", size))?,
            root: base64::decode_hash(root).ok_or_else(|| wrong("root", "base64 of 32 bytes", root))?,
        })
    }
}
