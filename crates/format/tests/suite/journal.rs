//! Journal objects.

use bytes::Bytes;
use model::{Change, Class, Record, Scope, id::SegmentId};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use format::{AccountKey, Error, JournalBuilder, JournalObject, Key, Keyring, RecordKey, journal::PayloadAt};

use crate::samples::{
    ACCOUNT, OTHER, Seeded, account_key, account_record, cluster_key, cluster_record, journal_header, keyring, plain,
    some_change,
};

pub const SALT: [u8; 32] = [0x44; 32];

pub fn payload(tag: u8, sizes: &[usize]) -> (SegmentId, Vec<Bytes>) {
    (SegmentId([tag; 16]), sizes.iter().map(|size| Bytes::from(plain(*size))).collect())
}

/// A journal object with two records; the account's brings two payloads.
pub fn sample() -> (Vec<u8>, Vec<PayloadAt>) {
    let mut builder = JournalBuilder::new(&journal_header(), SALT);
    builder.push(&cluster_record(), RecordKey::Cluster(&cluster_key()), &[]).unwrap();
    let payloads = [payload(0x79, &[100, 0, 17]), payload(0x7a, &[5])];
    builder.push(&account_record(), RecordKey::Account(&account_key()), &payloads).unwrap();
    let (pieces, at) = builder.finish();
    (pieces.concat(), at)
}

#[test]
fn records_and_payloads_come_back() {
    let (bytes, at) = sample();
    let object = JournalObject::decode(&bytes).unwrap();
    assert_eq!((object.header, object.bytes), (journal_header(), bytes.len() as u64));
    let records: Vec<_> = object.entries.iter().map(|entry| entry.unseal(&keyring()).unwrap()).collect();
    assert_eq!(records, [cluster_record(), account_record()]);
    assert_eq!(object.entries[1].payloads, at);
    let found = at[0].range();
    assert_eq!(bytes[found.start as usize..found.end as usize], [plain(100), plain(17)].concat());
    assert_eq!((at[0].bytes, at[1].bytes), (117, 5));
}

#[test]
fn payload_bytes_are_passed_through() {
    let mut builder = JournalBuilder::new(&journal_header(), SALT);
    let payload = payload(0x79, &[100_000]);
    builder.push(&account_record(), RecordKey::Account(&account_key()), std::slice::from_ref(&payload)).unwrap();
    assert_eq!(builder.entries(), 1);
    let (pieces, _) = builder.finish();
    assert!(pieces.iter().any(|piece| piece.as_ptr() == payload.1[0].as_ptr()), "the same memory");
}

#[test]
fn without_keys_the_open_part_can_be_read() {
    let object = JournalObject::decode(&sample().0).unwrap();
    assert!(matches!(object.entries[0].open[..], [Change::Pack(_), Change::Makes { .. }, Change::PackGone { .. }]));
    let rescue = Keyring { cluster: None, ..keyring() };
    let error = object.entries[0].unseal(&rescue).unwrap_err();
    assert_eq!((error.class(), error), (Class::Refused, Error::NoKey { scope: Scope::Cluster }));
    assert_eq!(object.entries[1].unseal(&rescue).unwrap(), account_record());
}

#[test]
fn another_key_does_not_unseal() {
    let object = JournalObject::decode(&sample().0).unwrap();
    let wrong = Keyring { cluster: None, accounts: [(ACCOUNT, AccountKey::new(Key::from_bytes([9; 32])))].into() };
    let error = object.entries[1].unseal(&wrong).unwrap_err();
    assert_eq!((error.class(), error.field()), (Class::Damaged, Some("account part")));
}

#[test]
fn entries_do_not_unseal_in_another_place_or_object() {
    // The same record twice in one object: same key, other place.
    let build = |salt, header| {
        let mut builder = JournalBuilder::new(&header, salt);
        for _ in 0..2 {
            builder.push(&account_record(), RecordKey::Account(&account_key()), &[]).unwrap();
        }
        builder.finish().0.concat()
    };
    let bytes = build(SALT, journal_header());
    let start = format::journal::JOURNAL_HEADER_BYTES;
    let entry_bytes = (bytes.len() - start - 44) / 2;
    let splice = |into: &[u8], from: &[u8]| {
        let mut spliced = into.to_vec();
        spliced[start..start + entry_bytes].copy_from_slice(from);
        rehash(&mut spliced);
        JournalObject::decode(&spliced).unwrap().entries[0].unseal(&keyring())
    };
    let (first, second) = bytes[start..bytes.len() - 44].split_at(entry_bytes);
    assert_ne!(first, second, "no two entries share a nonce");
    assert!(splice(&bytes, first).is_ok());
    assert!(splice(&bytes, second).is_err(), "from another place");
    let mut header = journal_header();
    header.seq += 1;
    let other = build(SALT, header);
    assert!(splice(&other, first).is_err(), "from another object");
}

/// Makes the object's hash right again, as whoever forges one can.
pub fn rehash(bytes: &mut [u8]) {
    let end = bytes.len() - 32;
    let hash = blake3::hash(&bytes[..end]);
    bytes[end..].copy_from_slice(hash.as_bytes());
}

#[test]
fn records_of_the_wrong_scope_are_not_written() {
    let mut builder = JournalBuilder::new(&journal_header(), SALT);
    let mixed = Record { changes: cluster_record().changes, ..account_record() };
    for (record, key) in
        [(mixed, RecordKey::Account(&account_key())), (account_record(), RecordKey::Cluster(&cluster_key()))]
    {
        assert_eq!(builder.push(&record, key, &[]).unwrap_err().class(), Class::Bug);
    }
    assert_eq!(builder.entries(), 0);
    assert!(JournalObject::decode(&builder.finish().0.concat()).unwrap().entries.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_batch_comes_back(seed in any::<u64>()) {
        let chance = Seeded::new(seed);
        let mut keys = keyring();
        keys.accounts.insert(OTHER, AccountKey::random(&chance));
        let mut builder = JournalBuilder::new(&journal_header(), chance.bytes());
        let mut records = Vec::new();
        for revision in 0..chance.below(8) as u64 {
            let scope = [Scope::Cluster, Scope::Account(ACCOUNT), Scope::Account(OTHER)][chance.below(3)];
            let mut changes: Vec<_> = (0..chance.below(5)).map(|_| some_change(&chance, scope)).collect();
            changes.sort_by_key(format::record::part_of);
            let key = match scope {
                Scope::Cluster => RecordKey::Cluster(keys.cluster.as_ref().unwrap()),
                Scope::Account(id) => RecordKey::Account(&keys.accounts[&id]),
            };
            let payloads: Vec<_> = (0..chance.below(3)).map(|_| payload(7, &[chance.below(3000)])).collect();
            records.push(Record { epoch: chance.number(), scope, revision, changes });
            builder.push(&records[records.len() - 1], key, &payloads).unwrap();
        }
        let sofar = builder.bytes();
        let (pieces, at) = builder.finish();
        let bytes = pieces.concat();
        prop_assert_eq!(sofar + 44, bytes.len() as u64);
        let object = JournalObject::decode(&bytes).unwrap();
        let read: Vec<_> = object.entries.iter().map(|entry| entry.unseal(&keys).unwrap()).collect();
        prop_assert_eq!(read, records);
        let table: Vec<_> = object.entries.iter().flat_map(|entry| entry.payloads.clone()).collect();
        prop_assert_eq!(table, at);
        prop_assert!(JournalObject::decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
