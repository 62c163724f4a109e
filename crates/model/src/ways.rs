//! Ways into an account beside the password: passkeys, and an identity that another service vouches for.

use crate::id::{AccountId, PasskeyId};

/// A key pair of which a device or a password manager keeps the secret half; here is the public one.
///
/// Source: Web Authentication, level 3.
#[derive(Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Names it in lists.
    pub id: PasskeyId,
    /// Whom it signs in.
    pub account: AccountId,
    /// What its owner calls it.
    pub label: String,
    /// The host name that it was made for (the *relying party id*), without a port. It signs in there and nowhere else.
    pub host: String,
    /// What its authenticator calls it: 1 to 1,023 bytes.
    pub credential: Vec<u8>,
    /// The public key, as COSE writes it.
    pub key: Vec<u8>,
    /// The authenticator's counter of signatures when it was made; 0 if it does not count.
    pub counter: u32,
    /// When it was made.
    pub made_us: i64,
    /// Since when it opens nothing. The row stays, so that no replay brings it back.
    pub ended_us: Option<i64>,
}

impl PasskeyRow {
    /// The longest name of one at its authenticator. Source: Web Authentication, section 7.1.
    pub const CREDENTIAL_BYTES_MAX: usize = 1_023;
    /// The longest public key: RSA of 8,192 bits, and some.
    pub const KEY_BYTES_MAX: usize = 2_048;
}

impl std::fmt::Debug for PasskeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasskeyRow").field("id", &self.id).field("account", &self.account).finish_non_exhaustive()
    }
}

/// Who an account's owner is at another service, which vouches for them (OpenID Connect). An account has one at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// Whom it signs in.
    pub account: AccountId,
    /// The service that vouches, by its address.
    pub issuer: String,
    /// What that service calls them; never reused there.
    pub subject: String,
    /// The same for people: a name or a mail address.
    pub name: String,
    /// When it was tied to the account.
    pub made_us: i64,
    /// Since when it opens nothing.
    pub ended_us: Option<i64>,
}
