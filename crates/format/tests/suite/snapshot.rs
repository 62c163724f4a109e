//! Layers, and the choice among them.

use model::{Change, Class, Scope, entry::EntryRow, id::ObjectId};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use format::{
    Keyring, LayerName, RecordKey,
    snapshot::{decode_layer_part, encode_layer, parse_snapshot_name, pick_layers},
};

use crate::samples::{
    ACCOUNT, Seeded, account_changes, account_key, cluster_changes, cluster_key, keyring, layer_base, some_change,
};

fn rows(changes: Vec<Change>) -> Vec<(u64, Change)> {
    (6..).zip(changes).collect()
}

#[test]
fn rows_come_back() {
    let scope = Scope::Account(ACCOUNT);
    let account = rows(account_changes());
    let cluster = rows(cluster_changes());
    let (account_key, cluster_key) = (account_key(), cluster_key());
    for (scope, rows, key) in [
        (scope, account, RecordKey::Account(&account_key)),
        (Scope::Cluster, cluster, RecordKey::Cluster(&cluster_key)),
    ] {
        let parts = encode_layer(&layer_base(scope), &rows, key, &Seeded::new(1)).unwrap();
        let [(header, bytes)] = &parts[..] else { panic!("one part") };
        let part = decode_layer_part(bytes).unwrap();
        assert_eq!(part.header, *header);
        assert_eq!(part.unseal(&keyring()).unwrap(), rows);
        assert_eq!(parse_snapshot_name(&header.name()), Some(header.layer_name()));
        assert_eq!(part.open_changes().len(), if scope == Scope::Cluster { 3 } else { 0 });
        assert_eq!(part.unseal(&Keyring::default()).unwrap_err().class(), Class::Refused);
    }
}

#[test]
fn a_layer_without_rows_is_a_statement() {
    let scope = Scope::Account(ACCOUNT);
    let parts = encode_layer(&layer_base(scope), &[], RecordKey::Account(&account_key()), &Seeded::new(1)).unwrap();
    let part = decode_layer_part(&parts[0].1).unwrap();
    assert_eq!((parts.len(), part.unseal(&keyring()).unwrap().len()), (1, 0));
}

#[test]
fn a_large_layer_comes_in_parts_of_4_mib() {
    let scope = Scope::Account(ACCOUNT);
    let Change::Entry(entry) = account_changes()[3].clone() else { panic!("an entry") };
    let rows: Vec<_> = (0..40_000)
        .map(|n| (6 + n % 50, Change::Entry(EntryRow { name: format!("{n:0200}"), ..entry.clone() })))
        .collect();
    let parts = encode_layer(&layer_base(scope), &rows, RecordKey::Account(&account_key()), &Seeded::new(1)).unwrap();
    assert_eq!(parts.len(), 3);
    let mut read = Vec::new();
    let mut names = Vec::new();
    for (header, bytes) in &parts {
        assert!(bytes.len() <= 4 << 20, "{}", bytes.len());
        read.extend(decode_layer_part(bytes).unwrap().unseal(&keyring()).unwrap());
        names.push(header.layer_name());
    }
    assert!(read == rows, "all rows, in order");
    assert_eq!(pick_layers(scope, &names).len(), 0, "it starts at revision 5: no chain from 0");
}

#[test]
fn rows_outside_the_range_are_not_written() {
    let scope = Scope::Account(ACCOUNT);
    let gone = || account_changes().pop().unwrap();
    for revision in [5, 61] {
        let rows = [(revision, gone())];
        let error =
            encode_layer(&layer_base(scope), &rows, RecordKey::Account(&account_key()), &Seeded::new(1)).unwrap_err();
        assert_eq!((error.class(), error.field()), (Class::Bug, Some("revision")));
    }
}

/// A layer's names; `tag` is its id, and `lost` a part that is not listed.
fn layer(epoch: u64, from: u64, to: u64, tag: u8, parts: u32, lost: Option<u32>) -> Vec<LayerName> {
    let name = |part| LayerName { scope: Scope::Cluster, epoch, from, to, layer: ObjectId([tag; 16]), part, parts };
    (0..parts).filter(|part| Some(*part) != lost).map(name).collect()
}

fn picked(layers: &[Vec<LayerName>]) -> Vec<u8> {
    pick_layers(Scope::Cluster, &layers.concat()).iter().map(|layer| layer.layer.0[0]).collect()
}

#[test]
fn picks_the_farthest_whole_chain_of_the_newest_epoch() {
    let (a, b, c) = (layer(1, 0, 10, 1, 2, None), layer(1, 10, 20, 2, 1, None), layer(1, 20, 30, 3, 3, None));
    assert_eq!(picked(&[]), []);
    assert_eq!(picked(&[c.clone(), a.clone(), b.clone()]), [1, 2, 3]);
    assert_eq!(picked(&[a.clone(), c.clone()]), [1], "nothing bridges 10 to 20");
    assert_eq!(picked(&[b.clone(), c.clone()]), [], "nothing starts at 0");
    let merged = layer(1, 0, 30, 4, 1, None);
    assert_eq!(picked(&[a.clone(), b.clone(), c.clone(), merged]), [4], "fewer layers");
    let broken = layer(1, 0, 30, 4, 2, Some(0));
    assert_eq!(picked(&[a.clone(), b.clone(), c.clone(), broken]), [1, 2, 3], "a layer that lost a part is none");
    let newer = layer(2, 0, 12, 5, 1, None);
    let newer_tail = layer(2, 30, 40, 6, 1, None);
    assert_eq!(picked(&[a.clone(), b.clone(), c.clone(), newer_tail]), [1, 2, 3], "chains never mix epochs");
    assert_eq!(picked(&[a, b, c, newer]), [5], "a later epoch's word counts, however far an earlier one came");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_layer_comes_back(seed in any::<u64>(), account in any::<bool>()) {
        let chance = Seeded::new(seed);
        let (account_key, cluster_key) = (account_key(), cluster_key());
        let (scope, key) = if account {
            (Scope::Account(ACCOUNT), RecordKey::Account(&account_key))
        } else {
            (Scope::Cluster, RecordKey::Cluster(&cluster_key))
        };
        let mut rows: Vec<_> =
            (0..chance.below(20)).map(|_| (6 + chance.below(55) as u64, some_change(&chance, scope))).collect();
        rows.sort_by_key(|(_, change)| format::record::part_of(change));
        let parts = encode_layer(&layer_base(scope), &rows, key, &chance).unwrap();
        prop_assert_eq!(decode_layer_part(&parts[0].1).unwrap().unseal(&keyring()).unwrap(), rows);
    }

    #[test]
    fn the_choice_is_sound_and_does_not_depend_on_order(seed in any::<u64>()) {
        let chance = Seeded::new(seed);
        let mut names = Vec::new();
        for tag in 0..chance.below(12) as u8 {
            let from = chance.below(6) as u64;
            let to = from + 1 + chance.below(4) as u64;
            let parts = 1 + chance.below(3) as u32;
            let lost = (chance.below(4) == 0).then(|| chance.below(parts as usize) as u32);
            names.extend(layer(1 + chance.below(2) as u64, from, to, tag, parts, lost));
        }
        let chosen = pick_layers(Scope::Cluster, &names);
        let mut at = 0;
        for layer in &chosen {
            prop_assert!(layer.from == at && layer.epoch == chosen[0].epoch, "a chain");
            prop_assert!(layer.names(Scope::Cluster).all(|name| names.contains(&name)), "complete");
            at = layer.to;
        }
        names.reverse();
        prop_assert_eq!(pick_layers(Scope::Cluster, &names), chosen);
    }
}
