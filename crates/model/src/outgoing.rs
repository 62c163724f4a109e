//! What goes out of the service by itself: where mail reaches an account, and the webhooks that its events are sent to.

use crate::id::{AccountId, WebhookId};

/// Where mail reaches an account's owner; an account has at most one. It stays as a row when nothing is left in it.
#[derive(Clone, PartialEq, Eq)]
pub struct MailRow {
    /// Whose it is.
    pub account: AccountId,
    /// What its owner has shown to be theirs.
    pub confirmed: Option<Confirmed>,
    /// What they say is theirs, until they have shown it.
    pub wanted: Option<WantedMail>,
    /// In which language they are written to.
    pub language: Language,
}

/// An address whose mail reaches the account's owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The address.
    pub address: String,
    /// Since when that is known, microseconds since 1970.
    pub since_us: i64,
}

/// An address that a code was sent to.
#[derive(Clone, PartialEq, Eq)]
pub struct WantedMail {
    /// The address.
    pub address: String,
    /// BLAKE3 of the code.
    pub hash: [u8; 32],
    /// From when on the code shows nothing.
    pub expires_us: i64,
}

/// A language that the service writes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

/// An address of somebody's program that is told of what happens in an account. It stays as a row when it has ended.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its id.
    pub id: WebhookId,
    /// Where events are sent to; whoever knows it may be able to speak to the program.
    pub address: String,
    /// What they are signed with.
    pub secret: [u8; 32],
    /// What is told, each once, in order.
    pub events: Vec<EventKind>,
    /// What its owner calls it.
    pub label: String,
    /// When it was made.
    pub made_us: i64,
    /// Since when it has ended.
    pub ended_us: Option<i64>,
    /// Since when nothing is sent there, and why.
    pub off: Option<SwitchedOff>,
}

/// Why nothing is sent to a webhook for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchedOff {
    /// Since when.
    pub at_us: i64,
    /// What went wrong; empty if its owner wanted it so.
    pub why: String,
}

/// What a webhook can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// A file, or another version of one, was stored.
    FileStored,
    /// A link was made.
    ShareMade,
    /// What a link takes was changed.
    ShareChanged,
    /// A link was ended.
    ShareEnded,
    /// Somebody sent a file by a link that asks for some.
    RequestReceived,
    /// Notices wait for an operator to take note of them.
    NoticeWaits,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::FileStored,
        Self::ShareMade,
        Self::ShareChanged,
        Self::ShareEnded,
        Self::RequestReceived,
        Self::NoticeWaits,
    ];
}

// Addresses are somebody's own business, hashes and secrets everybody's: logs get neither.
impl std::fmt::Debug for MailRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailRow").field("account", &self.account).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Confirmed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Confirmed").field("since_us", &self.since_us).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for WantedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WantedMail").field("expires_us", &self.expires_us).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for WebhookRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookRow").field("id", &self.id).field("events", &self.events).finish_non_exhaustive()
    }
}
