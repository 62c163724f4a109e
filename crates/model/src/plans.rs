//! Plans: named sets of limits that an operator gives to accounts.

/// A named set of limits; what is `None` is not limited. The row stays when the plan has ended.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PlanRow {
    /// What it is called; names it everywhere.
    pub name: String,
    /// Plaintext bytes of all versions of an account together, those in the trash too.
    pub space_bytes: Option<u64>,
    /// Plaintext bytes of one file.
    pub file_bytes: Option<u64>,
    /// A file goes to the trash so many days after its current version was stored.
    pub keep_days: Option<u32>,
    /// Bytes that guests may take through an account's links in a day of UTC.
    pub link_bytes_per_day: Option<u64>,
    /// Bytes a second that all guests of an account's links get together.
    pub guest_bytes_per_s: Option<u64>,
    /// Since when there is no such plan.
    pub ended_us: Option<i64>,
}
