//! What became of a version's bytes: how many came home, and of the others why not and what would help.

use std::ops::Range;

use model::id::{PackId, SegmentId, TargetId};

/// What became of reading one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Plaintext bytes that came home.
    pub bytes: u64,
    /// What could not be read, in order.
    pub unreadable: Vec<Unreadable>,
}

impl Outcome {
    /// Whether every byte came home and has the hashes that the version names.
    pub fn is_whole(&self) -> bool {
        self.unreadable.is_empty()
    }
}

/// A range of a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which of its plaintext bytes.
    pub range: Range<u64>,
    /// Why, and what would help.
    pub why: Why,
}

/// Why bytes could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Neither a record nor a shard says where the segment lies.
    Nowhere {
        /// The segment.
        segment: SegmentId,
    },
    /// Too few lanes of its pack are there and right.
    Lanes {
        /// The pack.
        pack: PackId,
        /// Lanes that are needed, any of them.
        needed: u8,
        /// Lanes of which at least some bytes are to be had.
        there: u8,
        /// What would help.
        missing: Vec<MissingLane>,
    },
    /// The journal object that holds it is damaged or missing.
    Journal {
        /// Its name.
        object: String,
    },
    /// It lies in the account's records, and is damaged there.
    Inline,
    /// Every frame unsealed, and still the whole has other hashes than its version names.
    Digest,
    /// The version's segments do not add up to its size.
    Length {
        /// The version's size.
        expected: u64,
        /// The sum of its segments.
        got: u64,
    },
    /// The key of the version does not open: its record is damaged, or of another account.
    Key,
    /// The name is there, but no record of the version that it shows.
    NoVersion,
}

/// A lane that is on none of the given targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingLane {
    /// Its number.
    pub lane: u8,
    /// The target that has it by record.
    pub target: TargetId,
    /// Provider and address of that target, where the address book knows them.
    pub known_as: Option<(String, String)>,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nowhere { segment } => {
                write!(f, "no record and no shard on these places says where its segment {segment} lies")
            }
            Self::Lanes { pack, needed, there, missing } => {
                write!(f, "pack {pack} needs any {needed} good lanes, these places have {there}")?;
                if !missing.is_empty() {
                    f.write_str("; would help: ")?;
                }
                for (at, MissingLane { lane, target, known_as }) in missing.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    match known_as {
                        Some((provider, address)) => write!(f, "{comma}lane {lane} at {provider} ({address})")?,
                        None => write!(f, "{comma}lane {lane} at target {target}")?,
                    }
                }
                Ok(())
            }
            Self::Journal { object } => write!(f, "{object}, which holds it, is on none of these places whole"),
            Self::Inline => f.write_str("it lies in the account's records and is damaged there"),
            Self::Digest => f.write_str("its hash is not the one that was recorded when it arrived"),
            Self::Length { expected, got } => write!(f, "its segments have {got} bytes, its record says {expected}"),
            Self::Key => f.write_str("the key in its record does not open"),
            Self::NoVersion => f.write_str("the record of its content is on none of these places"),
        }
    }
}
