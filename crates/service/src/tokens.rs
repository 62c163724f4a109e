//! Who calls, and the secrets that say so: made once, shown once, kept as a hash.
//!
//! A bearer token is `hf_<id>_<secret>`: 128 random bits that name it, 256 that prove it. The catalogue keeps BLAKE3 of the
//! whole text, so a stolen catalogue opens no account; a hash without salt or stretching is enough for 256 random bits.
//! Lookup is by hash, and hashes are compared in constant time: time says nothing about how much of a guess was right.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use catalogue::{Tx, access, accounts};
use model::{
    Change, Scope,
    account::{Role, TokenRow, TokenScope, TokenUse},
    id::{AccountId, TokenId},
};

use crate::{
    Service,
    error::{Error, Result},
    scopes::{self, Need},
};

/// Tokens remembered between requests; more are looked up again.
const KNOWN_MAX: usize = 1_024;
/// How long a remembered token is believed before the catalogue is asked again: a withdrawn one ends within this time.
const KNOWN_US: u64 = 2_000_000;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account that the caller acts for.
    pub account: AccountId,
    /// What it may do beside keeping files of its own.
    pub role: Role,
    /// The session, for a browser that is signed in.
    pub session: Option<TokenId>,
    /// How much of that the caller's token opens.
    pub scope: TokenScope,
}

impl Caller {
    /// The operator at the machine itself, acting for an account.
    pub fn at_the_machine(account: AccountId) -> Self {
        Self { account, role: Role::Operator, session: None, scope: TokenScope::All }
    }

    /// An account as the service itself acts for it.
    pub(crate) fn on_behalf(account: AccountId) -> Self {
        Self { account, role: Role::User, session: None, scope: TokenScope::All }
    }

    /// Whether the caller may run the service.
    ///
    /// # Errors
    /// Refused if not.
    pub fn must_operate(&self) -> Result<()> {
        scopes::must_allow(self.scope, Need::Everything)?;
        if self.role == Role::Operator { Ok(()) } else { Err(Error::NotOperator) }
    }
}

/// A new token. Its text exists here and nowhere else.
#[derive(Clone)]
pub struct Token {
    /// Names it in lists and in the audit.
    pub id: TokenId,
    /// What its bearer sends.
    pub text: String,
    /// When it ends, if it does by itself.
    pub expires_us: Option<i64>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Tokens that were good a moment ago, by hash.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    /// How many times everything was forgotten.
    times: u64,
    seen: HashMap<[u8; 32], Seen>,
}

#[derive(Clone, Copy)]
pub(crate) struct Seen {
    pub caller: Caller,
    pub expires_us: Option<i64>,
    pub asked_us: u64,
}

impl Service {
    /// Makes a token for the account of this name, good for `lifetime_s` seconds or until it is withdrawn.
    ///
    /// # Errors
    /// Missing if there is no such account.
    pub async fn make_token(&self, account: &str, scope: TokenScope, lifetime_s: Option<u64>) -> Result<Token> {
        let name = account.to_owned();
        let find =
            move |tx: &Tx<'_>| Ok(accounts::by_name(tx, &name)?.ok_or(Error::Store(store::Error::NoAccount))?.id);
        self.new_token(find, TokenUse::Access(scope), String::new(), lifetime_s).await
    }

    /// Makes a token for the caller's own account. `label`: what its owner calls it.
    ///
    /// # Errors
    /// Refused to a program: a token that ends would else make one that does not.
    pub async fn make_own_token(
        &self,
        caller: &Caller,
        label: String,
        scope: TokenScope,
        lifetime_s: Option<u64>,
    ) -> Result<Token> {
        if caller.session.is_none() {
            return Err(Error::NeedsSession);
        }
        let account = caller.account;
        self.new_token(move |_| Ok(account), TokenUse::Access(scope), label, lifetime_s).await
    }

    /// The tokens with which programs act for the caller, with the scope of each, oldest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn tokens(&self, caller: &Caller) -> Result<Vec<(TokenRow, TokenScope)>> {
        let account = caller.account;
        let rows = self.store.read(move |tx| access::tokens(tx, account)).await?;
        let scoped = |row: TokenRow| match row.opens {
            TokenUse::Access(scope) => Some((row, scope)),
            TokenUse::Invitation(_) | TokenUse::Reset => None,
        };
        Ok(rows.into_iter().filter_map(scoped).collect())
    }

    /// Withdraws a token of the caller's, or as an operator anybody's invitation; it opens nothing from now on.
    ///
    /// # Errors
    /// Missing if there is none such.
    pub async fn end_token(&self, caller: &Caller, id: TokenId) -> Result<()> {
        let (Caller { account, role, .. }, now_us) = (*caller, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let may = |row: &TokenRow| match row.opens {
                    TokenUse::Invitation(_) => role == Role::Operator,
                    TokenUse::Access(_) => row.account == account,
                    TokenUse::Reset => false,
                };
                let row = access::token(tx, id)?.filter(|row| row.ended_us.is_none() && may(row));
                let row = row.ok_or(Error::NoSuchId)?;
                draft.audit(Some(account), "token ended", id.to_string());
                draft.change(Scope::Cluster, Change::Token(TokenRow { ended_us: Some(now_us), ..row }));
                Ok::<_, Error>(())
            })
            .await?;
        self.known.forget();
        Ok(())
    }

    /// A new secret for the account that `find` gives.
    pub(crate) async fn new_token(
        &self,
        find: impl FnOnce(&Tx<'_>) -> Result<AccountId> + Send + 'static,
        opens: TokenUse,
        label: String,
        lifetime_s: Option<u64>,
    ) -> Result<Token> {
        let id = TokenId::random(self.store.entropy());
        let text = format!("hf_{id}_{}", self.secret());
        let hash = hash_of(&text);
        let made_us = self.store.now().wall_us;
        let lifetime_us = lifetime_s.map(|s| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000_000));
        let expires_us = lifetime_us.map(|us| made_us.saturating_add(us));
        let label = crate::sign_in::shortened(label);
        self.store
            .commit(move |tx, draft| {
                let account = find(tx)?;
                let row = TokenRow { id, hash, account, opens, label, made_us, expires_us, ended_us: None };
                draft.audit(Some(account), "token_made", id.to_string());
                draft.change(Scope::Cluster, Change::Token(row));
                Ok::<_, Error>(())
            })
            .await?;
        Ok(Token { id, text, expires_us })
    }

    /// 256 random bits in hex.
    pub(crate) fn secret(&self) -> String {
        let mut secret = [0; 32];
        self.store.entropy().fill(&mut secret);
        secret.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Who the bearer of this token is, for a request that needs this much of it.
    ///
    /// # Errors
    /// Refused: [`Error::TokenUnknown`], [`Error::TokenExpired`], [`Error::TokenScope`], [`Error::Suspended`].
    pub async fn authenticate(&self, text: &str, need: Need) -> Result<Caller> {
        if !is_token(text) {
            return Err(Error::TokenUnknown);
        }
        let now = self.store.now();
        let (hash, times) = (hash_of(text), self.known.times());
        let seen = match self.known.get(&hash, now.monotonic_us) {
            Some(seen) => seen,
            None => {
                let (caller, expires_us) = self
                    .look(move |tx| {
                        let row = access::token_by_hash(tx, &hash)?.filter(|row| row.ended_us.is_none());
                        let row = row.ok_or(Error::TokenUnknown)?;
                        let TokenUse::Access(scope) = row.opens else { return Err(Error::TokenUnknown) };
                        let role = role_of(tx, row.account)?;
                        Ok((Caller { account: row.account, role, session: None, scope }, row.expires_us))
                    })
                    .await?;
                self.known.put(times, hash, Seen { caller, expires_us, asked_us: now.monotonic_us })
            }
        };
        match seen.expires_us {
            Some(expires_us) if now.wall_us >= expires_us => Err(Error::TokenExpired),
            _ => scopes::must_allow(seen.caller.scope, need).map(|()| seen.caller),
        }
    }
}

/// What an account may do. Until somebody owns the service, whoever has a token of it runs it.
pub(crate) fn role_of(tx: &Tx<'_>, account: AccountId) -> Result<Role> {
    match access::sign_in(tx, account)? {
        Some(row) if row.suspended_us.is_some() => Err(Error::Suspended),
        Some(row) => Ok(row.role),
        // Its rows went with it; a body that was on its way when the account was deleted gets nothing in.
        None if accounts::gone(tx, account)?.is_some() => Err(Error::Suspended),
        None if access::is_claimed(tx)? => Ok(Role::User),
        None => Ok(Role::Operator),
    }
}

/// BLAKE3 of a secret's whole text: what the catalogue keeps.
pub(crate) fn hash_of(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

impl Known {
    fn locked(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, hash: &[u8; 32], now_us: u64) -> Option<Seen> {
        let known = self.locked();
        // `blake3::Hash` compares in constant time; what the map compares before is a keyed hash of a hash.
        let found = known.seen.get_key_value(hash).filter(|(known, _)| blake3::Hash::from(*hash) == **known);
        let (_, seen) = found?;
        (now_us.saturating_sub(seen.asked_us) < KNOWN_US).then_some(*seen)
    }

    /// How often everything was forgotten so far: said before a look-up, and to [`Known::put`] after it.
    pub fn times(&self) -> u64 {
        self.locked().times
    }

    /// Remembers what a look-up found, unless something was withdrawn since it began.
    pub fn put(&self, times: u64, hash: [u8; 32], seen: Seen) -> Seen {
        let mut known = self.locked();
        if known.times == times {
            if known.seen.len() >= KNOWN_MAX {
                known.seen.clear();
            }
            known.seen.insert(hash, seen);
        }
        seen
    }

    /// Asks the catalogue again for everybody: something was withdrawn.
    pub fn forget(&self) {
        let mut known = self.locked();
        known.times += 1;
        known.seen.clear();
    }
}

/// Whether `text` looks like a token of ours: what does not is refused without a look-up.
fn is_token(text: &str) -> bool {
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let parts = text.strip_prefix("hf_").and_then(|rest| rest.split_once('_'));
    parts.is_some_and(|(id, secret)| hex(id, 32) && hex(secret, 64))
}

#[cfg(test)]
mod tests {
    use super::is_token;

    #[test]
    fn shapes() {
        let good = format!("hf_{}_{}", "0f".repeat(16), "a1".repeat(32));
        assert!(is_token(&good));
        for bad in ["", "hf_", "hf__", &good[1..], &good[..good.len() - 1], &good.to_uppercase(), &format!("{good}0")] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
