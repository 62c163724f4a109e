//! What several answers have in common: times, and the words that stand for a few fixed things.

use model::{account, entry, share};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::header::date;

/// A time: RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-04-01T12:00:00Z"))]
pub struct Time(
    /// In microseconds since 1970.
    pub i64,
);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&date::rfc3339(self.0))
    }
}

/// What an account may do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Role)]
pub enum RoleWord {
    User,
    Operator,
}

impl From<account::Role> for RoleWord {
    fn from(role: account::Role) -> Self {
        match role {
            account::Role::User => Self::User,
            account::Role::Operator => Self::Operator,
        }
    }
}

impl From<RoleWord> for account::Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::User => Self::User,
            RoleWord::Operator => Self::Operator,
        }
    }
}

/// How much of what its account may do a token may do: `read` looks at files and fetches them, `files` also changes them,
/// `all` does everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TokenScope)]
pub enum ScopeWord {
    /// Looks.
    Read,
    /// Changes files, too.
    Files,
    /// Everything.
    All,
}

impl From<account::TokenScope> for ScopeWord {
    fn from(scope: account::TokenScope) -> Self {
        match scope {
            account::TokenScope::Read => Self::Read,
            account::TokenScope::Files => Self::Files,
            account::TokenScope::All => Self::All,
        }
    }
}

impl From<ScopeWord> for account::TokenScope {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::Read => Self::Read,
            ScopeWord::Files => Self::Files,
            ScopeWord::All => Self::All,
        }
    }
}

/// Folder or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Kind)]
pub enum KindWord {
    Folder,
    File,
}

impl From<entry::Kind> for KindWord {
    fn from(kind: entry::Kind) -> Self {
        match kind {
            entry::Kind::Folder => Self::Folder,
            entry::Kind::File => Self::File,
        }
    }
}

/// Why somebody reports a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ReportReason)]
pub enum ReasonWord {
    Illegal,
    Copyright,
    Malware,
    Other,
}

impl From<share::Reason> for ReasonWord {
    fn from(reason: share::Reason) -> Self {
        match reason {
            share::Reason::Illegal => Self::Illegal,
            share::Reason::Copyright => Self::Copyright,
            share::Reason::Malware => Self::Malware,
            share::Reason::Other => Self::Other,
        }
    }
}

impl From<ReasonWord> for share::Reason {
    fn from(word: ReasonWord) -> Self {
        match word {
            ReasonWord::Illegal => Self::Illegal,
            ReasonWord::Copyright => Self::Copyright,
            ReasonWord::Malware => Self::Malware,
            ReasonWord::Other => Self::Other,
        }
    }
}
