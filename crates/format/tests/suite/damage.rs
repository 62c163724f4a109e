//! Every field of every object is damaged: plainly, and by somebody who makes the hash right again.
//!
//! Plain damage is always found and named: by magic, version or hash. A forger gets past the hash; then the field's own rule
//! names it, or the seal does not fit, or, where only a record or a caller can tell, it reads as something else.

use model::{Change, Class, Record, Scope};

use format::{
    Error, JournalBuilder, JournalObject, Marker, RecordKey, Result,
    digest::Running,
    shard::{FOOTER_BYTES, HEADER_BYTES, decode_footer, decode_header, decode_index},
    snapshot::{decode_layer_part, encode_layer},
};

use crate::{
    journal::{SALT, payload, rehash},
    samples::{
        ACCOUNT, CLUSTER, Seeded, account_changes, account_key, account_record, cluster_changes, cluster_key,
        cluster_record, journal_header, keyring, layer_base, plain,
    },
    shard::whole,
};

/// What happens once the hash is right again.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// The field's own rule refuses it and names it.
    Named,
    /// It is refused: which rule notices first depends on what the bytes happen to say.
    Refused,
    /// It decodes, and does not unseal.
    Seal,
    /// It is refused or reads as something else: then a record or a caller must notice.
    Otherwise,
    /// It is the hash.
    Hash,
}
use Then::{Hash, Named, Otherwise, Refused, Seal};

/// Field, length, what happens.
type Field = (&'static str, usize, Then);

const MAGIC: Field = ("magic", 8, Named);
const VERSION: Field = ("version", 4, Named);
const HASH: Field = ("hash", 32, Hash);

/// Damages each field in turn. `fields` cover `bytes` from end to end; `read` gives all that the object says.
fn check(bytes: &[u8], fields: &[Field], read: impl Fn(&[u8]) -> Result<String>) {
    assert_eq!(fields.iter().map(|field| field.1).sum::<usize>(), bytes.len(), "the fields cover the object");
    let sound = read(bytes).unwrap();
    let mut start = 0;
    for (field, count, then) in fields {
        let range = start..start + count;
        start = range.end;
        for at in range.clone().step_by(1 + count / 50).chain(range.last()) {
            for bit in [0x01, 0x40, 0x80] {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= bit;
                plain_damage(field, &read(&damaged).unwrap_err());
                if *then != Hash {
                    rehash(&mut damaged);
                    forged(field, *then, bit, read(&damaged), &sound);
                }
            }
        }
    }
    for end in (0..bytes.len()).step_by(1 + bytes.len() / 999) {
        assert!(read(&bytes[..end]).is_err(), "cut at {end}");
    }
    assert!(read(&[bytes, &[0]].concat()).is_err(), "one byte more");
}

fn plain_damage(field: &str, error: &Error) {
    let expected = if ["magic", "version"].contains(&field) { field } else { "hash" };
    assert_eq!(error.field(), Some(expected), "`{field}` damaged: {error}");
    let newer = matches!(error, Error::Newer { .. });
    assert_eq!(error.class(), if newer { Class::Refused } else { Class::Damaged }, "{error}");
}

fn forged(field: &str, then: Then, bit: u8, got: Result<String>, sound: &str) {
    match then {
        // Small changes of a number can be allowed ones.
        Named if bit == 0x40 => assert_eq!(got.unwrap_err().field(), Some(field), "`{field}` forged"),
        Refused => assert!(got.is_err(), "`{field}` forged"),
        Seal => assert!(matches!(got, Err(Error::Seal { .. })), "`{field}` forged: {got:?}"),
        Named | Otherwise | Hash => assert_ne!(got.as_deref(), Ok(sound), "`{field}` forged"),
    }
}

#[test]
fn marker() {
    let target = model::id::TargetId([0x30; 16]);
    let marker = Marker::new(CLUSTER, target, model::id::ProviderId([0x20; 16]), 3, 300);
    let fields = [
        MAGIC,
        VERSION,
        ("cluster", 16, Otherwise),
        ("target", 16, Otherwise),
        ("provider", 16, Otherwise),
        ("epoch", 8, Otherwise),
        ("generation", 8, Otherwise),
        HASH,
    ];
    check(&marker.encode(), &fields, |bytes| Marker::decode(bytes).map(|marker| format!("{marker:?}")));
}

const IDENTITY: [Field; 10] = [
    MAGIC,
    VERSION,
    ("cluster", 16, Otherwise),
    ("pack", 16, Otherwise),
    ("make", 16, Otherwise),
    ("lane", 1, Named),
    ("k", 1, Named),
    ("codec", 1, Otherwise),
    ("reserved", 1, Named),
    ("cell_bytes", 4, Named),
];

#[test]
fn shard_header() {
    let shard = whole(&plain(1000));
    let fields = [&IDENTITY[..], &[("padding", HEADER_BYTES - 68 - 32, Named), HASH]].concat();
    // A lane may follow a header; alone it has its exact length.
    let read = |bytes: &[u8]| match bytes.len() {
        0..=HEADER_BYTES => decode_header(bytes).map(|header| format!("{header:?}")),
        _ => Err(Error::NotAKit),
    };
    check(&shard[..HEADER_BYTES], &fields, read);
}

#[test]
fn shard_footer() {
    let shard = whole(&plain(150_000));
    let inside = [
        ("lane_bytes", 8, Refused),
        ("hashes_at", 8, Named),
        ("index_at", 8, Named),
        ("index_bytes", 8, Named),
        ("root", 32, Otherwise),
        ("padding", FOOTER_BYTES - 68 - 64 - 32, Named),
        HASH,
    ];
    let fields = [&IDENTITY[..], &inside].concat();
    let read = |bytes: &[u8]| decode_footer(bytes).map(|footer| format!("{footer:?}"));
    check(&shard[shard.len() - FOOTER_BYTES..], &fields, read);
}

#[test]
fn shard_index() {
    let shard = whole(&plain(1000));
    let end = shard.len() - FOOTER_BYTES;
    let location = [("segment", 16, Otherwise), ("lane", 1, Named), ("offset", 8, Otherwise), ("bytes", 8, Otherwise)];
    let fields = [&[("count", 4, Named)][..], &location, &location, &[HASH]].concat();
    let read = |bytes: &[u8]| decode_index(bytes).map(|locations| format!("{locations:?}"));
    check(&shard[end - (4 + 66 + 32)..end], &fields, read);
}

const JOURNAL_HEADER: [Field; 9] = [
    MAGIC,
    VERSION,
    ("cluster", 16, Seal),
    ("epoch", 8, Seal),
    ("seq", 8, Seal),
    ("stamp", 8, Seal),
    ("id", 16, Seal),
    ("prev", 16, Seal),
    ("salt", 32, Seal),
];

/// All that an object says, payload bytes too.
fn read_journal(bytes: &[u8]) -> Result<String> {
    let object = JournalObject::decode(bytes)?;
    let mut said = format!("{:?}", object.header);
    for entry in &object.entries {
        said += &format!("{:?}", entry.unseal(&keyring())?);
        for payload in &entry.payloads {
            said += &format!("{:?}", &bytes[payload.offset as usize..][..payload.bytes as usize]);
        }
    }
    Ok(said)
}

fn one_record(record: &Record, key: RecordKey<'_>, payload_bytes: &[usize]) -> Vec<u8> {
    let mut builder = JournalBuilder::new(&journal_header(), SALT);
    let payloads: Vec<_> = payload_bytes.iter().map(|bytes| payload(0x79, &[*bytes])).collect();
    builder.push(record, key, &payloads).unwrap();
    builder.finish().0.concat()
}

#[test]
fn journal_object_of_an_account() {
    let bytes = one_record(&account_record(), RecordKey::Account(&account_key()), &[300, 5]);
    let sealed = format::record::encode(&account_changes()).unwrap().account.len() + 16;
    let inside = [
        ("scope", 1, Named),
        ("account", 16, Refused),
        ("entry epoch", 8, Seal),
        ("revision", 8, Seal),
        ("payloads", 4, Refused),
        ("open_bytes", 4, Refused),
        ("account_bytes", 4, Refused),
        ("service_bytes", 4, Named),
        ("payload segment", 16, Seal),
        ("payload bytes", 8, Refused),
        ("payload segment", 16, Seal),
        ("payload bytes", 8, Refused),
        ("account part", sealed, Seal),
        ("payload", 305, Otherwise),
        ("entries", 4, Refused),
        ("object_bytes", 8, Named),
        HASH,
    ];
    check(&bytes, &[&JOURNAL_HEADER[..], &inside].concat(), read_journal);
}

#[test]
fn journal_object_of_the_cluster() {
    let bytes = one_record(&cluster_record(), RecordKey::Cluster(&cluster_key()), &[]);
    let parts = format::record::encode(&cluster_changes()).unwrap();
    let inside = [
        ("scope", 1, Named),
        ("account", 16, Named),
        ("entry epoch", 8, Seal),
        ("revision", 8, Seal),
        ("payloads", 4, Refused),
        ("open_bytes", 4, Refused),
        ("account_bytes", 4, Named),
        ("service_bytes", 4, Refused),
        ("open part", parts.open.len(), Refused),
        ("service part", parts.service.len() + 16, Seal),
        ("entries", 4, Refused),
        ("object_bytes", 8, Named),
        HASH,
    ];
    check(&bytes, &[&JOURNAL_HEADER[..], &inside].concat(), read_journal);
}

fn check_layer(scope: Scope, changes: Vec<Change>, key: RecordKey<'_>, account: Then) {
    let parts = format::record::encode(&changes).unwrap();
    let rows: Vec<_> = (6..).zip(changes).collect();
    let open_rows =
        rows.iter().filter(|(_, change)| format::record::part_of(change) == format::record::Part::Open).count();
    let open = parts.open.len() + open_rows;
    let sealed = parts.account.len() + parts.service.len() + rows.len() - open_rows + 16;
    let fields = [
        MAGIC,
        VERSION,
        ("cluster", 16, Seal),
        ("epoch", 8, Seal),
        ("scope", 1, Named),
        ("account", 16, account),
        ("from", 8, Refused),
        ("to", 8, Refused),
        ("layer", 16, Seal),
        ("part", 4, Named),
        ("parts", 4, Refused),
        ("id", 16, Seal),
        ("made_at_seq", 8, Seal),
        ("salt", 32, Seal),
        ("open_bytes", 4, Refused),
        ("sealed_bytes", 4, Refused),
        ("open rows", open, Refused),
        ("sealed rows", sealed, Seal),
        HASH,
    ];
    let bytes = &encode_layer(&layer_base(scope), &rows, key, &Seeded::new(1)).unwrap()[0].1;
    check(bytes, &fields, |bytes| {
        let part = decode_layer_part(bytes)?;
        Ok(format!("{:?}{:?}", part.header, part.unseal(&keyring())?))
    });
}

#[test]
fn layer_of_an_account() {
    check_layer(Scope::Account(ACCOUNT), account_changes(), RecordKey::Account(&account_key()), Refused);
}

#[test]
fn layer_of_the_cluster() {
    check_layer(Scope::Cluster, cluster_changes(), RecordKey::Cluster(&cluster_key()), Named);
}

#[test]
fn digest() {
    let mut running = Running::new();
    running.update(&plain(3 * 65_536 + 100));
    let fields = [
        MAGIC,
        VERSION,
        ("settled_bytes", 8, Otherwise),
        ("crc32", 4, Otherwise),
        ("subtrees", 64, Otherwise),
        ("tail", 100, Otherwise),
        HASH,
    ];
    check(&running.save(), &fields, |bytes| Running::load(bytes).map(|running| format!("{:?}", running.finish())));
}
