//! Accounts, how their owners sign in, the secrets that speak for them, and their recovery kits.

use crate::{
    id::{AccountId, KitId, TokenId},
    units::ServiceTime,
};

/// One account as the service part of its record states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// The account tag: random, says nothing about the owner.
    pub id: AccountId,
    /// The name people log in with; unique.
    pub name: String,
    /// Whether the service identity is among the envelope's recipients.
    pub managed: bool,
    /// When it was made.
    pub made_us: i64,
}

/// One recovery kit: the service keeps its public half only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitRow {
    /// Its id, printed on the kit.
    pub id: KitId,
    /// The age recipient (`age1…`) of the recovery identity in the kit.
    pub recipient: String,
    /// When it was made.
    pub made_us: i64,
    /// Since when it no longer opens new envelopes, if it was revoked.
    pub revoked_us: Option<i64>,
    /// When its owner last proved that it works.
    pub tested_us: Option<i64>,
}

/// What an account may do beside keeping files of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Keeps and shares files.
    User,
    /// Also runs the service: its fleet, its accounts.
    Operator,
}

/// How an account's owner signs in, and whether that is allowed. An account without one is reached by tokens only.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInRow {
    /// Whose it is; an account has one.
    pub account: AccountId,
    /// What it may do.
    pub role: Role,
    /// The password's hash with its salt and cost, as a PHC string; none: no password opens it.
    pub password: Option<String>,
    /// Since when nothing of it is served to anybody, if it is suspended.
    pub suspended_us: Option<i64>,
    /// When the password was last set.
    pub changed_us: i64,
    /// What is asked for beside the password, if its owner turned that on.
    pub second: Option<SecondFactor>,
    /// Since when the account is to be deleted, if it is.
    pub leaving: Option<Leaving>,
}

/// The decision to delete an account. Its end comes a grace later, by service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// When it was decided: the grace runs from here.
    pub at: ServiceTime,
    /// The same by the clock on the wall, for people.
    pub wall_us: i64,
}

/// A second factor: a secret that an authenticator makes six digits of, and codes for when it is lost.
///
/// Source: RFC 6238 with SHA-1, six digits and steps of 30 s, which every authenticator understands.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The shared secret.
    pub secret: [u8; SecondFactor::SECRET_BYTES],
    /// Since when it is asked for.
    pub since_us: i64,
    /// BLAKE3 of each one-time code that was not used yet.
    pub codes: Vec<[u8; 32]>,
}

impl SecondFactor {
    /// The length that RFC 4226 recommends.
    pub const SECRET_BYTES: usize = 20;
    /// The most one-time codes at a time.
    pub const CODES_MAX: usize = 32;
}

/// What an account may take of the service; an account without such a row may take what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsRow {
    /// Whose they are; an account has one.
    pub account: AccountId,
    /// Plaintext bytes of all its versions together, those in the trash too; `None`: as many as there is room for.
    pub space_bytes: Option<u64>,
    /// The plan that it has, by name. What is said above goes above the plan's.
    pub plan: Option<String>,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor").field("since_us", &self.since_us).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignInRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInRow")
            .field("account", &self.account)
            .field("role", &self.role)
            .field("suspended_us", &self.suspended_us)
            .finish_non_exhaustive()
    }
}

/// What the bearer of a secret may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenUse {
    /// Act for the account, as often as wanted, within a scope.
    Access(TokenScope),
    /// Make an account of this role, once; `account` is who invited.
    Invitation(Role),
    /// Set a new password for the account, once.
    Reset,
}

/// How much of what an account may do a token may do in its name; each contains the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenScope {
    /// Look at files and fetch them; change nothing.
    Read,
    /// Also bring, change and delete files.
    Files,
    /// Everything that the account may do.
    All,
}

/// A secret that was shown once; the service keeps its hash only. The row stays when it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Names it in lists and in the audit.
    pub id: TokenId,
    /// BLAKE3 of the whole text.
    pub hash: [u8; 32],
    /// The account that it speaks for.
    pub account: AccountId,
    /// What for.
    pub opens: TokenUse,
    /// What its maker calls it.
    pub label: String,
    /// When it was made.
    pub made_us: i64,
    /// From when on it opens nothing; `None`: until it is withdrawn.
    pub expires_us: Option<i64>,
    /// When it was withdrawn, or used if it opens once.
    pub ended_us: Option<i64>,
}
