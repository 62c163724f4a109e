//! Providers and their targets: where shards can lie.

use crate::id::{ProviderId, TargetId};

/// What is believed of a target now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetState {
    /// Answers, its marker is right, what it holds counts.
    Up,
    /// Does not answer, or its marker is missing or wrong. Never read as "empty".
    Down,
    /// Was away and came back older than it left: what it holds counts only once it has been read since.
    Suspect,
    /// A person, or a wiped marker's replacement, said that what it held is gone.
    Lost,
    /// Forgotten on purpose: nothing of it counts and nothing waits for it.
    Retired,
}

/// One legal entity that can fail, wipe or be seized on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Its id.
    pub id: ProviderId,
    /// What people call it; unique.
    pub name: String,
    /// Labels such as `country=NL`, sorted; shown, and constraints where a [`ConstraintRow`] makes them so.
    pub labels: Vec<(String, String)>,
}

/// A label that keeps providers apart: those with the same value of it count as one firm. The row stays when it does so no
/// more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstraintRow {
    /// The label.
    pub label: String,
    /// Whether it does so now.
    pub holds: bool,
    /// When that was last said, microseconds since 1970.
    pub changed_us: i64,
}

/// One addressable place that keeps shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRow {
    /// Its id, also written in its marker.
    pub id: TargetId,
    /// Whose it is.
    pub provider: ProviderId,
    /// Where it is, as its driver reads it: for a folder an absolute path, else a line that holds nothing secret.
    pub address: String,
    /// Which driver speaks to it: `dir`, `s3`, `sftp` or `webdav`.
    pub driver: String,
    /// The generation that its marker had when it was last written: raised at every start, return and rebuild.
    pub generation: u64,
    /// What is recorded of it.
    pub state: TargetState,
}
