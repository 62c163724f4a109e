//! Keys, and how each comes from another.
//!
//! An *account key* opens everything of one account; it lies in the account's envelope. From it come the *wrap key*, under
//! which each version's random *file key* is kept, and the *record key*, under which the account's records are sealed. The
//! *cluster key* seals what only the service reads. Nothing is ever sealed under these directly: each journal object,
//! layer and segment has a key of its own by HKDF with its own salt.
//!
//! Source: RFC 5869 (HKDF, with SHA-256), RFC 3394 (AES key wrap), NIST SP 800-38D (AES-GCM).

use std::collections::BTreeMap;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    key_wrap::{AES_256, AesKek, KeyWrap},
};
use model::{Scope, entry::WrappedKey, id::AccountId, units::TAG_BYTES, world::Entropy};

use crate::error::{Error, Result};

/// 32 secret bytes. Overwritten when dropped, as well as safe Rust can; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Draws a new key.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// A key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes: a secret.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA-256 to 32 bytes; `info` pieces are joined as they are, so all but the last have a fixed length.
    pub(crate) fn derive(&self, salt: &[u8], info: &[&[u8]]) -> Self {
        let mut bytes = [0; 32];
        Salt::new(HKDF_SHA256, salt)
            .extract(&self.0)
            .expand(info, HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut bytes))
            .expect("HKDF-SHA-256 gives 32 bytes");
        Self(bytes)
    }

    /// Makes it ready for AES-256-GCM.
    pub(crate) fn gcm(&self) -> Gcm {
        Gcm(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).expect("AES-256 takes 32 bytes")))
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&mut self.0);
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// AES-256-GCM under one key. The caller sees to it that no nonce comes twice.
pub(crate) struct Gcm(LessSafeKey);

impl Gcm {
    /// Seals the first bytes of `buffer` and writes the tag into its last [`TAG_BYTES`]; false if there is no room for it.
    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], buffer: &mut [u8]) -> bool {
        let Some(plain_bytes) = buffer.len().checked_sub(TAG_BYTES) else { return false };
        let (plain, tag) = buffer.split_at_mut(plain_bytes);
        let nonce = Nonce::assume_unique_for_key(nonce);
        match self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), plain) {
            Ok(made) => {
                tag.copy_from_slice(made.as_ref());
                true
            }
            Err(_) => false,
        }
    }

    /// Unseals `buffer` in place: the plaintext is its first bytes, their number is returned; `None` if the tag does not fit.
    pub(crate) fn unseal(&self, nonce: [u8; 12], aad: &[u8], buffer: &mut [u8]) -> Option<usize> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place(nonce, Aad::from(aad), buffer).ok().map(|plain| plain.len())
    }
}

impl std::fmt::Debug for Gcm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gcm(…)")
    }
}

/// The key of one account, and what comes from it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountKey {
    key: Key,
    wrap: Key,
    record: Key,
}

impl AccountKey {
    /// The account key with these bytes; derives the others once.
    pub fn new(key: Key) -> Self {
        let wrap = key.derive(&[], &[b"holdfast/v1/account/wrap"]);
        let record = key.derive(&[], &[b"holdfast/v1/account/record"]);
        Self { key, wrap, record }
    }

    /// Draws a new account key.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self::new(Key::random(entropy))
    }

    /// The key itself: what an envelope holds.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The key that wraps file keys.
    pub fn wrap_key(&self) -> &Key {
        &self.wrap
    }

    /// The key that record and layer keys come from.
    pub fn record_key(&self) -> &Key {
        &self.record
    }

    /// Wraps a version's file key.
    pub fn wrap(&self, file_key: &Key) -> WrappedKey {
        let mut wrapped = [0; 40];
        kek(&self.wrap).wrap(file_key.expose(), &mut wrapped).expect("AES-KW wraps 32 bytes to 40");
        wrapped
    }

    /// Unwraps a version's file key.
    ///
    /// # Errors
    /// Damaged: the wrapped key is not whole, or belongs to another account.
    pub fn unwrap(&self, wrapped: &WrappedKey) -> Result<Key> {
        let mut bytes = [0; 32];
        match kek(&self.wrap).unwrap(wrapped, &mut bytes) {
            Ok(_) => Ok(Key(bytes)),
            Err(_) => Err(Error::Seal { object: "version", field: "key" }),
        }
    }
}

impl std::fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountKey(…)")
    }
}

fn kek(key: &Key) -> AesKek {
    AesKek::new(&AES_256, key.expose()).expect("AES-256 takes 32 bytes")
}

/// The key of the cluster: seals what only the service reads.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterKey {
    key: Key,
    record: Key,
}

impl ClusterKey {
    /// The cluster key with these bytes.
    pub fn new(key: Key) -> Self {
        let record = key.derive(&[], &[b"holdfast/v1/cluster/record"]);
        Self { key, record }
    }

    /// Draws a new cluster key.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self::new(Key::random(entropy))
    }

    /// The key itself: what an envelope holds.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The key that record and layer keys come from.
    pub fn record_key(&self) -> &Key {
        &self.record
    }

    /// The seed of the key that signs the ledger: it comes back with the cluster key, whatever becomes of the catalogue.
    pub fn ledger_seed(&self) -> Key {
        self.key.derive(&[], &[b"holdfast/v1/cluster/ledger"])
    }
}

impl std::fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClusterKey(…)")
    }
}

/// Who has keys: what an unsealer asks.
pub trait KeySource {
    /// The key of an account, if it is at hand.
    fn account(&self, id: AccountId) -> Option<&AccountKey>;
    /// The key of the cluster, if it is at hand.
    fn cluster(&self) -> Option<&ClusterKey>;
}

/// Keys that are at hand.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    /// The cluster's.
    pub cluster: Option<ClusterKey>,
    /// The accounts'.
    pub accounts: BTreeMap<AccountId, AccountKey>,
}

impl KeySource for Keyring {
    fn account(&self, id: AccountId) -> Option<&AccountKey> {
        self.accounts.get(&id)
    }

    fn cluster(&self) -> Option<&ClusterKey> {
        self.cluster.as_ref()
    }
}

/// The record key of `scope`.
pub(crate) fn record_key(keys: &dyn KeySource, scope: Scope) -> Result<&Key> {
    match scope {
        Scope::Cluster => keys.cluster().map(ClusterKey::record_key),
        Scope::Account(id) => keys.account(id).map(AccountKey::record_key),
    }
    .ok_or(Error::NoKey { scope })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{AccountKey, Key};
    use crate::wire::hex;

    fn counting(first: u8) -> [u8; 32] {
        std::array::from_fn(|index| first.wrapping_add(index as u8))
    }

    /// RFC 3394, section 4.6: 256 bits of key data with a 256-bit key.
    #[test]
    fn wraps_as_the_rfc_says() {
        let mut data = [0; 32];
        data[..16].copy_from_slice(&std::array::from_fn::<u8, 16, _>(|index| (index * 0x11) as u8));
        data[16..].copy_from_slice(&counting(0)[..16]);
        let account = AccountKey { key: Key([0; 32]), wrap: Key(counting(0)), record: Key([0; 32]) };
        let wrapped = account.wrap(&Key(data));
        assert_eq!(hex(&wrapped), "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
        assert_eq!(account.unwrap(&wrapped).unwrap(), Key(data));
    }

    #[test]
    fn keys_of_one_account_are_apart() {
        let account = AccountKey::new(Key(counting(1)));
        assert_ne!(account.wrap_key(), account.record_key());
        assert_ne!(account.key(), account.wrap_key());
        assert_ne!(account.record_key(), super::ClusterKey::new(Key(counting(1))).record_key());
    }
}
