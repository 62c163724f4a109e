//! The vectors of format 1: what `testdata/README.md` says of each file is what it decodes to, for ever.

use model::{
    Change, Record, Scope,
    account::SignInRow,
    id::{ObjectId, ProviderId, TargetId},
    share::ShareRow,
};

use format::{
    Identity, JournalObject, Key, Kit, Marker, OperatorKit, RecordKey, SegmentOpener,
    digest::Running,
    envelope::{
        open_account_envelope, open_address_book, open_cluster_envelope, seal_account_envelope, seal_address_book,
        seal_cluster_envelope,
    },
    name::{address_book_name, envelope_name},
    segment::{open_whole, seal_whole},
    shard::{FOOTER_BYTES, decode_footer, decode_hash_list, decode_header, decode_index},
    snapshot::{LayerBase, decode_layer_part, encode_layer, parse_snapshot_name},
};

use crate::{
    journal, kit,
    samples::{
        ACCOUNT, CLUSTER, IDENTITY, Seeded, account_access_changes, account_changes, account_key,
        account_outgoing_changes, account_record, cluster_access_changes, cluster_changes, cluster_key,
        cluster_outgoing_changes, cluster_record, cluster_ways_changes, journal_header, keyring, locations, plain,
        segment, shard_header,
    },
    shard,
    testdata::kept,
};

fn file_key() -> Key {
    Key::from_bytes([0x33; 32])
}

#[test]
fn keys() {
    let text = [
        ("account key", account_key().key()),
        ("wrap key", account_key().wrap_key()),
        ("account record key", account_key().record_key()),
        ("cluster key", cluster_key().key()),
        ("cluster record key", cluster_key().record_key()),
    ]
    .map(|(name, key)| format!("{name}: {}\n", hex(key.expose())))
    .concat();
    let wrapped =
        format!("{text}file key: {}\nwrapped file key: {}\n", hex(&[0x33; 32]), hex(&account_key().wrap(&file_key())));
    assert_eq!(kept("v1/keys.txt", || wrapped.clone().into_bytes()), wrapped.as_bytes());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn segments() {
    for (name, tag, plain_bytes) in
        [("empty", 0x77, 0), ("one-frame", 0x78, 100), ("three-frames", 0x79, 2 * 65_520 + 1)]
    {
        let segment = segment(tag, plain_bytes);
        let make = || seal_whole(&file_key(), segment.id, segment.salt, &plain(plain_bytes as usize)).unwrap();
        let bytes = kept(&format!("v1/segment-{name}.bin"), make);
        assert_eq!(bytes, make(), "what is written has not changed");
        assert_eq!(open_whole(&file_key(), &segment, &bytes).unwrap(), plain(plain_bytes as usize));
        let mut last = bytes[bytes.len() - bytes.len() % 65_536..].to_vec();
        let frame_index = bytes.len() as u64 / 65_536;
        assert!(SegmentOpener::new(&file_key(), &segment).open_in_place(frame_index, true, &mut last).is_ok());
    }
}

#[test]
fn a_shard() {
    let lane = plain(150_000);
    let bytes = kept("v1/shard.bin", || shard::whole(&lane));
    assert_eq!(bytes, shard::whole(&lane), "what is written has not changed");
    let footer = decode_footer(&bytes[bytes.len() - FOOTER_BYTES..]).unwrap();
    assert_eq!((decode_header(&bytes).unwrap(), footer.header), (shard_header(), shard_header()));
    let (hashes_at, index_at) = (footer.hashes_at as usize, footer.index_at as usize);
    let list = decode_hash_list(&bytes[hashes_at..index_at], 150_000, Some(&footer.root)).unwrap();
    assert!(list.check(2, &lane[131_072..]));
    assert_eq!(decode_index(&bytes[index_at..bytes.len() - FOOTER_BYTES]).unwrap(), locations());
}

#[test]
fn a_journal_object() {
    let bytes = kept("v1/journal.bin", || journal::sample().0);
    assert_eq!(bytes, journal::sample().0, "what is written has not changed");
    let object = JournalObject::decode(&bytes).unwrap();
    assert_eq!(object.header, journal_header());
    let records: Vec<Record> = object.entries.iter().map(|entry| entry.unseal(&keyring()).unwrap()).collect();
    assert_eq!(records, [cluster_record(), account_record()]);
    let payload = object.entries[1].payloads[1];
    assert_eq!(bytes[payload.offset as usize..payload.range().end as usize], plain(5));
}

#[test]
fn layers() {
    let (account_key, cluster_key) = (account_key(), cluster_key());
    for (name, scope, changes, key) in [
        ("account", Scope::Account(ACCOUNT), account_changes(), RecordKey::Account(&account_key)),
        ("cluster", Scope::Cluster, cluster_changes(), RecordKey::Cluster(&cluster_key)),
        ("account-shown", Scope::Account(ACCOUNT), account_access_changes(), RecordKey::Account(&account_key)),
        ("account-outgoing", Scope::Account(ACCOUNT), account_outgoing_changes(), RecordKey::Account(&account_key)),
        ("cluster-outgoing", Scope::Cluster, cluster_outgoing_changes(), RecordKey::Cluster(&cluster_key)),
        ("cluster-ways", Scope::Cluster, cluster_ways_changes(), RecordKey::Cluster(&cluster_key)),
    ] {
        let rows: Vec<_> = (1..).zip(changes).collect();
        let layer = ObjectId([0xe0; 16]);
        let base = LayerBase { cluster: CLUSTER, epoch: 3, scope, from: 0, to: 60, layer, made_at_seq: 12 };
        let make = || encode_layer(&base, &rows, key, &Seeded::new(1)).unwrap().remove(0);
        let bytes = kept(&format!("v1/layer-{name}.bin"), || make().1);
        assert_eq!(bytes, make().1, "what is written has not changed");
        let part = decode_layer_part(&bytes).unwrap();
        assert_eq!((part.header, part.unseal(&keyring()).unwrap()), (make().0, rows));
        assert_eq!(parse_snapshot_name(&part.header.name()), Some(part.header.layer_name()));
    }
}

/// What was written before sign-ins and shares had a second shape is read as if nobody had said what it adds.
#[test]
fn layers_of_first_shapes() {
    let first = |change: Change| match change {
        Change::SignIn(row) => Some(Change::SignIn(SignInRow { leaving: None, ..row })),
        Change::Share(row) => {
            Some(Change::Share(ShareRow { receives: false, words: String::new(), off_us: None, ..row }))
        }
        Change::Grant(_) | Change::Report(_) | Change::About(_) | Change::Mail(_) | Change::Webhook(_) => None,
        other => Some(other),
    };
    for (name, changes) in [("account", account_access_changes()), ("cluster", cluster_access_changes())] {
        let bytes = kept(&format!("v1/layer-{name}-access.bin"), Vec::new);
        let rows: Vec<_> = (1..).zip(changes.into_iter().filter_map(first)).collect();
        assert_eq!(decode_layer_part(&bytes).unwrap().unseal(&keyring()).unwrap(), rows);
    }
}

/// What was written before limits and the service's face knew plans is read as if nobody had said anything of them.
#[test]
fn a_layer_before_plans() {
    let bytes = kept("v1/layer-cluster-shown.bin", Vec::new);
    let rows: Vec<_> = (1..).zip(cluster_access_changes()).collect();
    assert_eq!(decode_layer_part(&bytes).unwrap().unseal(&keyring()).unwrap(), rows);
}

#[test]
fn a_marker() {
    let marker = Marker::new(CLUSTER, TargetId([0x30; 16]), ProviderId([0x20; 16]), 3, 300);
    let bytes = kept("v1/marker.bin", || marker.encode());
    assert_eq!((Marker::decode(&bytes).unwrap(), bytes), (marker, marker.encode()));
}

#[test]
fn a_digest() {
    let mut running = Running::new();
    running.update(&plain(200_000));
    let bytes = kept("v1/digest.bin", || running.save());
    assert_eq!(bytes, running.save(), "what is written has not changed");
    let mut again = Running::load(&bytes).unwrap();
    again.update(&plain(251));
    let whole = [plain(200_000), plain(251)].concat();
    assert_eq!(again.finish(), (*blake3::hash(&whole).as_bytes(), crc32fast::hash(&whole)));
}

#[test]
fn a_kit() {
    let text = kept("v1/kit.txt", || kit::kit().to_text().into_bytes());
    assert_eq!(Kit::parse(std::str::from_utf8(&text).unwrap()).unwrap(), kit::kit());
}

#[test]
fn an_operators_kit() {
    let text = kept("v1/operator-kit.txt", || kit::operator_kit().to_text().into_bytes());
    assert_eq!(OperatorKit::parse(std::str::from_utf8(&text).unwrap()).unwrap(), kit::operator_kit());
}

/// age draws its own chance: these cannot be written again byte for byte, only read.
#[test]
fn age_files() {
    let identity = Identity::parse(IDENTITY).unwrap();
    let recipients = [identity.recipient()];
    let (scope, object) = (Scope::Account(ACCOUNT), ObjectId([0xe0; 16]));
    let names = [
        envelope_name(scope, 2, object),
        envelope_name(Scope::Cluster, 1, object),
        address_book_name(ACCOUNT, 2, object),
    ];
    let account = || seal_account_envelope(&names[0], ACCOUNT, &account_key(), false, &recipients).unwrap();
    let cluster = || seal_cluster_envelope(&names[1], CLUSTER, &cluster_key(), &recipients[0]).unwrap();
    let book = || seal_address_book(&names[2], &kit::address_book(), &recipients).unwrap();
    let (account, cluster, book) =
        (kept("v1/account.age", account), kept("v1/cluster.age", cluster), kept("v1/addresses.age", book));
    assert_eq!(open_account_envelope(Some(&names[0]), &account, &identity).unwrap(), (ACCOUNT, account_key()));
    assert_eq!(open_cluster_envelope(Some(&names[1]), &cluster, &identity).unwrap(), (CLUSTER, cluster_key()));
    assert_eq!(open_address_book(&names[2], &book, &identity).unwrap(), kit::address_book());
}
