//! Envelopes and address books: what is sealed to people's identities, as age files.
//!
//! An account's envelope holds its key, sealed to the recovery identity in each of its kits and, for a managed account, to the
//! service identity. The cluster's envelope is sealed to the service identity alone. An address book says where all targets
//! are, sealed to whoever an account's envelope is sealed to: one old target leads to all of today's. A login is sealed to the
//! service identity; it lies in the catalogue alone, never at a target.
//!
//! What lies at targets has its own name inside: a firm that answers with another envelope than the one it was asked for,
//! an older one for instance, is found out although that one is sealed as well as any.
//!
//! age draws its own randomness: the one exception in this crate.
//!
//! Source: the age file format, <https://age-encryption.org/v1>, with X25519 recipients.

use std::io::{Read, Write};

use age::{DecryptError, Decryptor, Encryptor, Recipient, secrecy::ExposeSecret, x25519};
use model::id::{AccountId, ClusterId, TargetId};

use crate::{
    FORMAT_VERSION,
    error::{Error, Result},
    keys::{AccountKey, ClusterKey, Key},
    wire::{Reader, put_blob, put_varint},
};

const ENVELOPE_MAGIC: &[u8; 8] = b"HFenvlp\0";
const BOOK_MAGIC: &[u8; 8] = b"HFaddrs\0";
const ACCOUNT: &str = "account envelope";
const CLUSTER: &str = "cluster envelope";
const BOOK: &str = "address book";
const LOGIN_MAGIC: &[u8; 8] = b"HFlogin\0";
const LOGIN: &str = "login";
/// In an envelope: what kind of key it holds.
const ACCOUNT_KIND: u8 = 1;
const CLUSTER_KIND: u8 = 2;

/// A secret that opens envelopes: in a kit (recovery identity) or with the service (service identity).
#[derive(Clone)]
pub struct Identity(x25519::Identity);

impl Identity {
    /// Draws a new one.
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// Reads `AGE-SECRET-KEY-1…`.
    ///
    /// # Errors
    /// Refused: it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |_| Error::BadIdentity { field: "identity", expected: "identity (AGE-SECRET-KEY-1…)" };
        text.trim().parse().map(Self).map_err(bad)
    }

    /// Its public half, `age1…`: what is sealed to it needs no more.
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// The secret itself, to be printed on a kit or kept by the service.
    pub fn secret(&self) -> String {
        self.0.to_string().expose_secret().to_owned()
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.recipient() == other.recipient()
    }
}

impl Eq for Identity {}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.recipient())
    }
}

/// Seals an account's key to `recipients` (`age1…`), to be stored as `name`. `managed` says whether the service is one of
/// them.
///
/// # Errors
/// Refused: a recipient is none. Bug: there is no recipient.
pub fn seal_account_envelope(
    name: &str,
    account: AccountId,
    key: &AccountKey,
    managed: bool,
    recipients: &[String],
) -> Result<Vec<u8>> {
    let mut plain = envelope(name, ACCOUNT_KIND, account.0, key.key());
    plain.push(u8::from(managed));
    seal(ACCOUNT, plain, recipients)
}

/// Opens an account's envelope: the one stored as `name`, if one is given.
///
/// # Errors
/// Refused: it is not sealed to `identity`, or its format is newer. Damaged: it is not whole, no account's envelope, or
/// another one than its name says.
pub fn open_account_envelope(name: Option<&str>, bytes: &[u8], identity: &Identity) -> Result<(AccountId, AccountKey)> {
    let plain = open(ACCOUNT, bytes, identity)?;
    let mut reader = Reader::open(ACCOUNT, ENVELOPE_MAGIC, &plain)?;
    take_name(&mut reader, name)?;
    let (id, key) = take_key(&mut reader, ACCOUNT_KIND)?;
    reader.flag("managed")?;
    reader.end()?;
    Ok((AccountId(id), AccountKey::new(key)))
}

/// Seals the cluster's key to the service identity, to be stored as `name`.
///
/// # Errors
/// Refused: `recipient` is none.
pub fn seal_cluster_envelope(name: &str, cluster: ClusterId, key: &ClusterKey, recipient: &str) -> Result<Vec<u8>> {
    seal(CLUSTER, envelope(name, CLUSTER_KIND, cluster.0, key.key()), &[recipient.to_owned()])
}

/// Opens the cluster's envelope.
///
/// # Errors
/// As [`open_account_envelope`].
pub fn open_cluster_envelope(name: Option<&str>, bytes: &[u8], identity: &Identity) -> Result<(ClusterId, ClusterKey)> {
    let plain = open(CLUSTER, bytes, identity)?;
    let mut reader = Reader::open(CLUSTER, ENVELOPE_MAGIC, &plain)?;
    take_name(&mut reader, name)?;
    let (id, key) = take_key(&mut reader, CLUSTER_KIND)?;
    reader.end()?;
    Ok((ClusterId(id), ClusterKey::new(key)))
}

/// Where all targets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressBook {
    /// The cluster.
    pub cluster: ClusterId,
    /// The epoch it was written in.
    pub epoch: u64,
    /// Every target.
    pub entries: Vec<Address>,
}

/// Where one target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The provider's name.
    pub provider: String,
    /// The target.
    pub target: TargetId,
    /// Which driver speaks to it.
    pub driver: String,
    /// Where it is, as the driver reads it.
    pub address: String,
}

/// Seals an address book to `recipients` (`age1…`), to be stored as `name`.
///
/// # Errors
/// As [`seal_account_envelope`].
pub fn seal_address_book(name: &str, book: &AddressBook, recipients: &[String]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    plain.extend_from_slice(BOOK_MAGIC);
    plain.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    put_blob(&mut plain, name.as_bytes());
    plain.extend_from_slice(&book.cluster.0);
    plain.extend_from_slice(&book.epoch.to_le_bytes());
    put_varint(&mut plain, book.entries.len() as u64);
    for entry in &book.entries {
        plain.extend_from_slice(&entry.target.0);
        for text in [&entry.provider, &entry.driver, &entry.address] {
            put_blob(&mut plain, text.as_bytes());
        }
    }
    seal(BOOK, plain, recipients)
}

/// Opens the address book stored as `name`.
///
/// # Errors
/// As [`open_account_envelope`].
pub fn open_address_book(name: &str, bytes: &[u8], identity: &Identity) -> Result<AddressBook> {
    take_address_book(name, &open(BOOK, bytes, identity)?)
}

/// Reads what is sealed in an address book.
pub(crate) fn take_address_book(name: &str, plain: &[u8]) -> Result<AddressBook> {
    let mut reader = Reader::open(BOOK, BOOK_MAGIC, plain)?;
    take_name(&mut reader, Some(name))?;
    let (cluster, epoch) = (ClusterId(reader.array("cluster")?), reader.u64("epoch")?);
    let count = reader.count("entries", 19)?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let target = TargetId(reader.array("target")?);
        let (provider, driver) = (reader.text("provider")?, reader.text("driver")?);
        entries.push(Address { provider, target, driver, address: reader.text("address")? });
    }
    reader.end()?;
    Ok(AddressBook { cluster, epoch, entries })
}

/// Seals what logs in at a target, as names and values, to the service identity.
///
/// # Errors
/// Refused: `recipient` is none.
pub fn seal_login(target: TargetId, login: &[(String, String)], recipient: &str) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    plain.extend_from_slice(LOGIN_MAGIC);
    plain.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    plain.extend_from_slice(&target.0);
    put_varint(&mut plain, login.len() as u64);
    for (name, value) in login {
        put_blob(&mut plain, name.as_bytes());
        put_blob(&mut plain, value.as_bytes());
    }
    seal(LOGIN, plain, &[recipient.to_owned()])
}

/// Opens a login.
///
/// # Errors
/// As [`open_account_envelope`].
pub fn open_login(bytes: &[u8], identity: &Identity) -> Result<(TargetId, Vec<(String, String)>)> {
    take_login(&open(LOGIN, bytes, identity)?)
}

/// Reads what is sealed in a login.
pub(crate) fn take_login(plain: &[u8]) -> Result<(TargetId, Vec<(String, String)>)> {
    let mut reader = Reader::open(LOGIN, LOGIN_MAGIC, plain)?;
    let target = TargetId(reader.array("target")?);
    let count = reader.count("entries", 2)?;
    let mut login = Vec::with_capacity(count);
    for _ in 0..count {
        login.push((reader.text("name")?, reader.text("value")?));
    }
    reader.end()?;
    Ok((target, login))
}

fn envelope(name: &str, kind: u8, id: [u8; 16], key: &Key) -> Vec<u8> {
    let mut plain = Vec::with_capacity(192);
    plain.extend_from_slice(ENVELOPE_MAGIC);
    plain.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    put_blob(&mut plain, name.as_bytes());
    plain.push(kind);
    plain.extend_from_slice(&id);
    plain.extend_from_slice(key.expose());
    plain
}

/// An object must be the one that its name says.
fn take_name(reader: &mut Reader<'_>, expected: Option<&str>) -> Result<()> {
    let got = reader.text("name")?;
    match expected {
        Some(expected) if expected != got => Err(reader.value("name", expected, got)),
        _ => Ok(()),
    }
}

pub(crate) fn take_key(reader: &mut Reader<'_>, expected: u8) -> Result<([u8; 16], Key)> {
    let kind = reader.u8("kind")?;
    if kind != expected {
        return Err(reader.value("kind", expected, kind));
    }
    Ok((reader.array("id")?, Key::from_bytes(reader.array("key")?)))
}

fn seal(object: &'static str, mut plain: Vec<u8>, recipients: &[String]) -> Result<Vec<u8>> {
    let recipients = recipients
        .iter()
        .map(|text| text.parse::<x25519::Recipient>())
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|_| Error::BadIdentity { field: "recipient", expected: "recipient (age1…)" })?;
    let failed = |got: String| Error::Misuse { object, field: "recipients", expected: "one or more".to_owned(), got };
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as &dyn Recipient))
        .map_err(|error| failed(error.to_string()))?;
    let mut sealed = Vec::with_capacity(plain.len() + 256 + recipients.len() * 128);
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(|error| failed(error.to_string()))?;
    let written = writer.write_all(&plain).and_then(|()| writer.finish());
    plain.fill(0);
    written.map_err(|error| failed(error.to_string()))?;
    Ok(sealed)
}

fn open(object: &'static str, bytes: &[u8], identity: &Identity) -> Result<Vec<u8>> {
    let damaged = Error::Seal { object, field: "age file" };
    let Ok(decryptor) = Decryptor::new_buffered(bytes) else { return Err(damaged) };
    let mut reader = match decryptor.decrypt(std::iter::once(&identity.0 as &dyn age::Identity)) {
        Ok(reader) => reader,
        Err(DecryptError::NoMatchingKeys) => return Err(Error::NotRecipient { object }),
        Err(_) => return Err(damaged),
    };
    let mut plain = Vec::new();
    match reader.read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(_) => Err(damaged),
    }
}
