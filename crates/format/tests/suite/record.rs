//! Changes as bytes.

use model::{Change, Class, Scope};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use format::{
    Error,
    record::{Part, Parts, decode, decode_part, encode, part_of},
};

use crate::samples::{
    ACCOUNT, Seeded, account_access_changes, account_changes, cluster_access_changes, cluster_changes,
    cluster_ways_changes, large_version, some_change,
};

fn part(parts: &Parts, part: Part) -> &[u8] {
    match part {
        Part::Open => &parts.open,
        Part::Account => &parts.account,
        Part::Service => &parts.service,
    }
}

#[test]
fn every_kind_comes_back() {
    for changes in [
        cluster_changes(),
        account_changes(),
        cluster_access_changes(),
        account_access_changes(),
        cluster_ways_changes(),
    ] {
        assert_eq!(decode(&encode(&changes).unwrap()).unwrap(), changes);
    }
}

proptest! {
    #[test]
    fn any_change_comes_back(seed in any::<u64>(), account in any::<bool>()) {
        let scope = if account { Scope::Account(ACCOUNT) } else { Scope::Cluster };
        let change = some_change(&Seeded::new(seed), scope);
        let parts = encode(std::slice::from_ref(&change)).unwrap();
        let bytes = part(&parts, part_of(&change));
        prop_assert_eq!(decode_part(part_of(&change), bytes).unwrap(), [change.clone()]);
        // No byte is idle, and none can be cut off: anything else reads as something else, or not at all.
        for at in 0..bytes.len() {
            let mut other = bytes.to_vec();
            other[at] ^= 1 << (seed % 8);
            prop_assert!(decode_part(part_of(&change), &other).ok() != Some(vec![change.clone()]), "byte {}", at);
            prop_assert!(decode_part(part_of(&change), &bytes[..at]).ok() != Some(vec![change.clone()]));
        }
    }
}

#[test]
fn what_breaks_a_rule_is_neither_written_nor_read() {
    for name in ["", ".", "..", "a/b", "a\0b", "a\nb", &"x".repeat(256)] {
        let Change::Entry(mut row) = account_changes()[2].clone() else { panic!("an entry") };
        let sound = encode(&[Change::Entry(row.clone())]).unwrap().account;
        row.name = name.to_owned();
        let error = encode(&[Change::Entry(row.clone())]).unwrap_err();
        assert_eq!((error.class(), error.field()), (Class::Bug, Some("name")), "{name:?}");
        if name.len() == 10 {
            continue;
        }
        // The same name written by somebody else.
        let at = sound.windows(10).position(|window| window == b"Fotos 2012").unwrap();
        let mut forged = sound;
        if name.len() < 10 && !name.is_empty() {
            forged[at..at + 10].copy_from_slice(format!("{name:/<10}").as_bytes());
            let error = decode_part(Part::Account, &forged).unwrap_err();
            assert_eq!((error.class(), error.field()), (Class::Damaged, Some("name")), "{name:?}");
        }
    }
    let mut version = large_version();
    version.size += 1;
    let error = encode(&[Change::Version(version)]).unwrap_err();
    assert_eq!((error.class(), error.field()), (Class::Bug, Some("size")));
}

#[test]
fn a_newer_shape_is_refused_and_no_damage() {
    let mut bytes = encode(&account_changes()).unwrap().account;
    bytes[1] = 2;
    let error = decode_part(Part::Account, &bytes).unwrap_err();
    assert!(matches!(error, Error::Newer { expected: 1, got: 2, .. }), "{error}");
    assert_eq!(error.class(), Class::Refused);
}

#[test]
fn a_change_in_another_part_is_refused() {
    let parts = encode(&account_changes()).unwrap();
    assert_eq!(decode_part(Part::Service, &parts.account).unwrap_err().field(), Some("kind"));
}

#[test]
fn counts_that_cannot_be_are_refused_before_memory_is_taken() {
    // A pack with 2^60 makes in 30 bytes.
    let mut body = vec![0; 16];
    body.extend_from_slice(&[4, 1, 0, 16, 0, 0]);
    body.extend_from_slice(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    let mut bytes = vec![4, 1, body.len() as u8];
    bytes.extend_from_slice(&body);
    assert_eq!(decode_part(Part::Open, &bytes).unwrap_err().field(), Some("makes"));
}
