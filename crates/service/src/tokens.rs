//! Bearer tokens: made once, shown once, kept as a hash.
//!
//! A token is `hf_<id>_<secret>`: 128 random bits that name it, 256 that prove it. The catalogue keeps BLAKE3 of the
//! whole text, so a stolen catalogue opens no account; a hash without salt or stretching is enough for 256 random bits.
//! Lookup is by hash, and hashes are compared in constant time: time says nothing about how much of a guess was right.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use catalogue::accounts;
use model::id::{AccountId, TokenId};

use crate::{
    Service,
    error::{Error, Result},
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
}

/// A new token. Its text exists here and nowhere else.
#[derive(Clone)]
pub struct Token {
    /// Names it in lists and in the audit.
    pub id: TokenId,
    /// What its bearer sends.
    pub text: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Tokens that were good a moment ago, by hash.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashMap<[u8; 32], Seen>>>);

#[derive(Clone, Copy)]
struct Seen {
    caller: Caller,
    expires_us: Option<i64>,
    asked_us: u64,
}

impl Service {
    /// Makes a token for the account of this name, good for `lifetime_s` seconds or until it is withdrawn.
    ///
    /// # Errors
    /// Missing if there is no such account.
    pub async fn make_token(&self, account: &str, lifetime_s: Option<u64>) -> Result<Token> {
        let mut secret = [0; 32];
        self.store.entropy().fill(&mut secret);
        let id = TokenId::random(self.store.entropy());
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("hf_{id}_{secret}");
        let hash = *blake3::hash(text.as_bytes()).as_bytes();
        let made_us = self.store.now().wall_us;
        let lifetime_us = lifetime_s.map(|s| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000_000));
        let expires_us = lifetime_us.map(|us| made_us.saturating_add(us));
        let name = account.to_owned();
        self.store
            .commit(move |tx, draft| {
                let account = accounts::by_name(tx, &name)?.ok_or(Error::Store(store::Error::NoAccount))?;
                accounts::insert_token(tx, &accounts::Token { hash, account: account.id, id, made_us, expires_us })?;
                draft.audit(Some(account.id), "token_made", id.to_string());
                Ok::<_, Error>(())
            })
            .await?;
        Ok(Token { id, text })
    }

    /// Who the bearer of this text is.
    ///
    /// # Errors
    /// Refused: [`Error::TokenUnknown`], [`Error::TokenExpired`].
    pub async fn authenticate(&self, text: &str) -> Result<Caller> {
        if !is_token(text) {
            return Err(Error::TokenUnknown);
        }
        let hash = blake3::hash(text.as_bytes());
        let now = self.store.now();
        let seen = match self.known.get(&hash, now.monotonic_us) {
            Some(seen) => seen,
            None => {
                let key = *hash.as_bytes();
                let row =
                    self.store.read(move |tx| accounts::token_by_hash(tx, &key)).await?.ok_or(Error::TokenUnknown)?;
                let caller = Caller { account: row.account };
                self.known.put(key, Seen { caller, expires_us: row.expires_us, asked_us: now.monotonic_us })
            }
        };
        match seen.expires_us {
            Some(expires_us) if now.wall_us >= expires_us => Err(Error::TokenExpired),
            _ => Ok(seen.caller),
        }
    }
}

impl Known {
    fn get(&self, hash: &blake3::Hash, now_us: u64) -> Option<Seen> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // `blake3::Hash` compares in constant time; what the map compares before is a keyed hash of a hash.
        let (_, seen) = known.get_key_value(hash.as_bytes()).filter(|(known, _)| *hash == **known)?;
        (now_us.saturating_sub(seen.asked_us) < KNOWN_US).then_some(*seen)
    }

    fn put(&self, hash: [u8; 32], seen: Seen) -> Seen {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(hash, seen);
        seen
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
