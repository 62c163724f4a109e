//! What was ordered of targets, and what keeps firms apart, as bytes and in layers.

use format::{
    RecordKey,
    record::{decode, encode},
    snapshot::{LayerBase, decode_layer_part, encode_layer},
};
use model::{
    Change, Scope,
    fleet::ConstraintRow,
    id::{ObjectId, OrderId, TargetId},
    orders::{Evacuated, Evacuation, Retirement, TargetOrders},
};

use crate::{
    samples::{CLUSTER, Seeded, cluster_key, keyring},
    testdata::kept,
};

fn orders() -> Vec<Change> {
    let target = |byte: u8| TargetId([byte; 16]);
    let order = |id: u8| Evacuation { id: OrderId([id; 16]), ordered_us: 20, by_us: 21, ..Evacuation::default() };
    let evacuated =
        Evacuated { at_us: 22, packs_read: 300, packs_listed: 9_700, objects_read: 127, objects_listed: 128 };
    let none = TargetOrders::none;
    [
        TargetOrders { cordoned: true, ..none(target(0x30)) },
        TargetOrders { evacuation: Some(Evacuation { paused: true, ..order(0x6a) }), ..none(target(0x31)) },
        TargetOrders {
            evacuation: Some(Evacuation { evacuated: Some(evacuated), ..order(0x6b) }),
            retirement: Some(Retirement { ordered_us: 23, keeps_shards: false }),
            ..none(target(0x32))
        },
        TargetOrders { retirement: Some(Retirement { ordered_us: 24, keeps_shards: true }), ..none(target(0x33)) },
        none(target(0x34)),
    ]
    .map(Change::TargetOrders)
    .to_vec()
}

#[test]
fn orders_have_one_encoding_that_no_firm_reads() {
    let parts = encode(&orders()).unwrap();
    assert!(parts.open.is_empty() && parts.account.is_empty(), "that it is left is nobody's business yet");
    assert_eq!(decode(&parts).unwrap(), orders());
    for cut in 0..parts.service.len() {
        let mut less = parts.clone();
        less.service.truncate(cut);
        assert_ne!(decode(&less).ok(), Some(orders()));
    }
}

#[test]
fn a_layer_of_orders() {
    check_layer("v1/layer-cluster-orders.bin", orders());
}

#[test]
fn a_layer_of_constraints() {
    let row =
        |label: &str, holds, changed_us| Change::Constraint(ConstraintRow { label: label.into(), holds, changed_us });
    check_layer("v1/layer-cluster-constraints.bin", vec![row("country", true, 40), row("żółw", false, -41)]);
    assert!(encode(&[row("", true, 0)]).is_err(), "a label has a name");
}

fn check_layer(name: &str, changes: Vec<Change>) {
    let rows: Vec<_> = (1..).zip(changes).collect();
    let (layer, key) = (ObjectId([0xe0; 16]), cluster_key());
    let base = LayerBase { cluster: CLUSTER, epoch: 3, scope: Scope::Cluster, from: 0, to: 60, layer, made_at_seq: 12 };
    let make = || encode_layer(&base, &rows, RecordKey::Cluster(&key), &Seeded::new(1)).unwrap().remove(0).1;
    let bytes = kept(name, make);
    assert_eq!(bytes, make(), "what is written has not changed");
    assert_eq!(decode_layer_part(&bytes).unwrap().unseal(&keyring()).unwrap(), rows);
}
