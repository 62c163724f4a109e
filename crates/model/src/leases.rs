//! Leases, and the notices that firms serve on us and we on them.
//!
//! A *lease* is our rented right to servers of a provider. A *notice* is a served statement: to whom, about what, until
//! when; it stays as a row for ever, and each change of its state is an entry of the ledger.

use crate::id::{AccountId, EntryId, LeaseId, NoticeId, ProviderId, TargetId};

/// What is rented from a provider under one contract. It stays as a row when it has ended.
#[derive(Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Its id.
    pub id: LeaseId,
    /// Whose servers they are.
    pub provider: ProviderId,
    /// What the contract is called; names the lease, and is unique.
    pub contract: String,
    /// The servers.
    pub servers: Vec<Server>,
    /// What it costs, in the contract's words.
    pub price: String,
    /// What a month of it costs, in millionths of a unit of the currency.
    pub month_micros: Option<u64>,
    /// The currency of that.
    pub currency: String,
    /// Where the firm wants statements of ours: an address for mail or letters.
    pub notice_address: String,
    /// Within how many days before its end a party must say that it ends.
    pub notice_days: u32,
    /// When it ends; `None`: nobody said so.
    pub ends_us: Option<i64>,
    /// Up to when it is paid for.
    pub paid_until_us: Option<i64>,
    /// Where it stands.
    pub state: LeaseState,
    /// Where the firm files notices.
    pub desk: Option<Desk>,
}

/// A server as its firm calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name at the firm.
    pub name: String,
    /// Which building or area it stands in.
    pub site: String,
    /// What of ours lies on it.
    pub targets: Vec<TargetId>,
}

/// Where a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeaseState {
    /// It runs.
    Active,
    /// Somebody said that it ends.
    Ending,
    /// It is over.
    Ended,
}

/// The desk at which a firm files notices with a token of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Desk {
    /// BLAKE3 of the token.
    pub hash: [u8; 32],
    /// In whose tree the firm's documents are kept.
    pub account: AccountId,
    /// When it was made.
    pub made_us: i64,
}

/// A statement that was served.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its id.
    pub id: NoticeId,
    /// The firm that it concerns; `None`: the service itself.
    pub provider: Option<ProviderId>,
    /// The lease that it concerns.
    pub lease: Option<LeaseId>,
    /// Who served it.
    pub from: Served,
    /// Which trouble it tells of, if the service raised it: one open notice for each. Else empty.
    pub cause: String,
    /// To whom it is served: the legal entity.
    pub addressee: String,
    /// The servers that it names; none: all of the lease.
    pub servers: Vec<String>,
    /// The targets that it names.
    pub targets: Vec<TargetId>,
    /// By when something is to happen.
    pub deadline_us: Option<i64>,
    /// Its words.
    pub text: String,
    /// SHA-256 of what was filed, byte by byte; of the words, if a person entered it.
    pub content: [u8; 32],
    /// The document that belongs to it.
    pub document: Option<Document>,
    /// Where it stands.
    pub state: NoticeState,
    /// When it was served.
    pub made_us: i64,
    /// Who took note of it, and when; nobody's account: at the machine.
    pub acknowledged: Option<(AccountId, i64)>,
    /// When its state last changed.
    pub changed_us: i64,
    /// The notice whose place it takes.
    pub supersedes: Option<NoticeId>,
}

/// Who served a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Served {
    /// The firm, at its desk.
    AtDesk,
    /// The firm, by letter or mail; a person entered it.
    ByLetter,
    /// We, to the firm: in force until it is released.
    ToFirm,
    /// The service, to its operators.
    Raised,
}

/// Where a notice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoticeState {
    /// It came, and nobody took note yet.
    Received,
    /// A person took note.
    Acknowledged,
    /// It is decided what to do.
    Planned,
    /// It is done.
    Done,
    /// Another took its place, or its cause is gone.
    Superseded,
    /// A statement of ours that holds.
    InForce,
    /// A statement of ours that holds no more.
    Released,
}

impl NoticeState {
    /// Whether it needs a person, or holds.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Done | Self::Superseded | Self::Released)
    }
}

/// A document that belongs to a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What its sender calls it.
    pub name: String,
    /// SHA-256 of it, as it was announced.
    pub sha256: [u8; 32],
    /// Its length.
    pub bytes: u64,
    /// Where it is kept, once it came: whose tree, and which file.
    pub kept: Option<(AccountId, EntryId)>,
}

// Tokens' hashes are nobody's business, and what firms write is no business of logs.
impl std::fmt::Debug for LeaseRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeaseRow").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("made_us", &self.made_us).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NoticeRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoticeRow").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}
