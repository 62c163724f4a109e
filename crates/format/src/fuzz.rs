//! One function per decoder: any bytes in, no panic, no more memory than a small multiple of what came in.
//!
//! The test suite runs them on a kept corpus and on mutations of sound objects; a fuzzer can be pointed at each.

use model::entry::SegmentRef;

use crate::{
    digest::Running,
    envelope::{self, Identity},
    journal::JournalObject,
    keys::{ClusterKey, Key, Keyring},
    kit::{Kit, OperatorKit},
    ledger::{self, Checkpoint, Frontier, Signer, VerifierKey},
    marker::Marker,
    name,
    record::{self, Part},
    segment::{self, SegmentOpener},
    shard, snapshot,
    wire::Reader,
};

/// A decoder under test.
pub type Decoder = fn(&[u8]);

/// Every decoder by name: the name of its corpus folder.
pub const DECODERS: &[(&str, Decoder)] = &[
    ("address_book", address_book),
    ("digest", digest),
    ("envelope", envelope),
    ("footer", footer),
    ("hash_list", hash_list),
    ("header", header),
    ("index", index),
    ("journal", journal),
    ("kit", kit),
    ("layer", layer),
    ("ledger", ledger),
    ("login", login),
    ("marker", marker),
    ("names", names),
    ("operator_kit", operator_kit),
    ("record", record),
    ("segment", segment),
];

/// What is sealed in an address book, and the age file around it.
pub fn address_book(bytes: &[u8]) {
    _ = envelope::take_address_book("", bytes);
    if let Some(identity) = identity() {
        _ = envelope::open_address_book("", bytes, &identity);
    }
}

/// A saved digest.
pub fn digest(bytes: &[u8]) {
    if let Ok(mut running) = Running::load(bytes) {
        running.update(&[7; 3000]);
        _ = running.save();
        _ = running.finish();
    }
}

/// What is sealed in an envelope, and the age file around it.
pub fn envelope(bytes: &[u8]) {
    _ = envelope::take_key(&mut Reader::new("envelope", bytes), 1);
    if let Some(identity) = identity() {
        _ = envelope::open_account_envelope(None, bytes, &identity);
        _ = envelope::open_cluster_envelope(None, bytes, &identity);
    }
}

/// A shard's footer.
pub fn footer(bytes: &[u8]) {
    _ = shard::decode_footer(bytes);
}

/// A shard's hash list; the first 8 bytes are the lane's length.
pub fn hash_list(bytes: &[u8]) {
    let Some((lane_bytes, list)) = bytes.split_first_chunk() else { return };
    let lane_bytes = u64::from_le_bytes(*lane_bytes);
    if let Ok(list) = shard::decode_hash_list(list, lane_bytes, None) {
        _ = list.check(0, bytes);
        _ = list.check(usize::MAX, bytes);
        _ = shard::decode_hash_list(list.blocks.as_flattened(), lane_bytes, Some(&list.root()));
    }
}

/// A shard's header.
pub fn header(bytes: &[u8]) {
    _ = shard::decode_header(bytes);
}

/// A shard's index.
pub fn index(bytes: &[u8]) {
    _ = shard::decode_index(bytes);
}

/// A journal object, and its entries without keys.
pub fn journal(bytes: &[u8]) {
    if let Ok(object) = JournalObject::decode(bytes) {
        for entry in &object.entries {
            _ = entry.unseal(&Keyring::default());
            assert!(entry.payloads.iter().all(|payload| payload.range().end <= bytes.len() as u64), "payload outside");
        }
    }
}

/// A kit.
pub fn kit(bytes: &[u8]) {
    if let Ok(kit) = Kit::parse(&String::from_utf8_lossy(bytes)) {
        _ = kit.to_text();
    }
}

/// A part of a layer, without keys.
pub fn layer(bytes: &[u8]) {
    if let Ok(part) = snapshot::decode_layer_part(bytes) {
        _ = part.unseal(&Keyring::default());
    }
}

/// An exported ledger, an entry, a checkpoint, a key and a saved tree.
pub fn ledger(bytes: &[u8]) {
    let signer = Signer::new(model::id::ClusterId([0xc1; 16]), &ClusterKey::new(Key::from_bytes([0x22; 32])));
    _ = ledger::verify(bytes, signer.key(), None);
    let text = String::from_utf8_lossy(bytes);
    if let Ok(entry) = ledger::Entry::parse(&text) {
        assert_eq!(entry.to_text(), text, "one spelling");
    }
    _ = Checkpoint::open(&text, signer.key());
    _ = VerifierKey::parse(&text);
    _ = ledger::Receipt::open(&text, signer.key());
    if let Some(mut tree) = Frontier::from_bytes(bytes) {
        tree.push("");
        _ = tree.root();
    }
}

/// What is sealed in a login, and the age file around it.
pub fn login(bytes: &[u8]) {
    _ = envelope::take_login(bytes);
    if let Some(identity) = identity() {
        _ = envelope::open_login(bytes, &identity);
    }
}

/// A marker.
pub fn marker(bytes: &[u8]) {
    _ = Marker::decode(bytes);
}

/// Object names.
pub fn names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    _ = name::parse_shard_name(&text);
    _ = name::parse_journal_name(&text);
    _ = name::parse_envelope_name(&text);
    _ = name::parse_address_book_name(&text);
    _ = name::parse_checkpoint_name(&text);
    if let Some(name) = snapshot::parse_snapshot_name(&text) {
        _ = snapshot::pick_layers(name.scope, &[name]);
    }
}

/// An operator's kit.
pub fn operator_kit(bytes: &[u8]) {
    if let Ok(kit) = OperatorKit::parse(&String::from_utf8_lossy(bytes)) {
        _ = kit.to_text();
    }
}

/// A record's parts.
pub fn record(bytes: &[u8]) {
    for part in [Part::Open, Part::Account, Part::Service] {
        _ = record::decode_part(part, bytes);
    }
}

/// A frame, and a whole segment.
pub fn segment(bytes: &[u8]) {
    let key = Key::from_bytes([7; 32]);
    let whole = SegmentRef { id: model::id::SegmentId([1; 16]), salt: [2; 32], plain_bytes: bytes.len() as u64 };
    let opener = SegmentOpener::new(&key, &whole);
    _ = opener.open_in_place(0, true, &mut bytes.to_vec());
    _ = opener.open_in_place(1, false, &mut bytes.to_vec());
    _ = segment::open_whole(&key, &whole, bytes);
    let plain_bytes = (bytes.len() as u64).saturating_sub(16);
    _ = segment::open_whole(&key, &SegmentRef { plain_bytes, ..whole }, bytes);
}

/// A fixed identity, so that age files of the corpus open.
fn identity() -> Option<Identity> {
    Identity::parse("AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE").ok()
}
