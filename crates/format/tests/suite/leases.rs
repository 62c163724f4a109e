//! Leases and notices, and the event that tells of these, as bytes.

use format::{
    RecordKey,
    record::{decode, encode},
    snapshot::{LayerBase, decode_layer_part, encode_layer},
};
use model::{
    Change, Scope,
    id::{EntryId, LeaseId, NoticeId, ObjectId, ProviderId, TargetId, WebhookId},
    leases::{Desk, Document, LeaseRow, LeaseState, NoticeRow, NoticeState, Served, Server},
    outgoing::{EventKind, WebhookRow},
};

use crate::{
    samples::{ACCOUNT, CLUSTER, Seeded, cluster_key, keyring},
    testdata::kept,
};

fn lease() -> LeaseRow {
    let server =
        |name: &str, targets: Vec<TargetId>| Server { name: name.to_owned(), site: "AMS 1".to_owned(), targets };
    LeaseRow {
        id: LeaseId([0x2b; 16]),
        provider: ProviderId([0x20; 16]),
        contract: "A-17".to_owned(),
        servers: vec![server("s1", vec![TargetId([0x30; 16]), TargetId([0x31; 16])]), server("s2", vec![])],
        price: "49.90 a month".to_owned(),
        month_micros: Some(49_900_000),
        currency: "EUR".to_owned(),
        notice_address: "legal@firm.example".to_owned(),
        notice_days: 90,
        ends_us: Some(19),
        paid_until_us: Some(20),
        state: LeaseState::Ending,
        desk: Some(Desk { hash: [0x68; 32], account: ACCOUNT, made_us: 21 }),
    }
}

fn notice() -> NoticeRow {
    NoticeRow {
        id: NoticeId([0x2a; 16]),
        provider: Some(ProviderId([0x20; 16])),
        lease: Some(LeaseId([0x2b; 16])),
        from: Served::AtDesk,
        cause: String::new(),
        addressee: "the operator".to_owned(),
        servers: vec!["s1".to_owned(), "s2".to_owned()],
        targets: vec![TargetId([0x30; 16]), TargetId([0x31; 16])],
        deadline_us: Some(22),
        text: "we take s1 and s2 back".to_owned(),
        content: [0x69; 32],
        document: Some(Document {
            name: "letter.pdf".to_owned(),
            sha256: [0x6a; 32],
            bytes: 300,
            kept: Some((ACCOUNT, EntryId([0x41; 16]))),
        }),
        state: NoticeState::Acknowledged,
        made_us: 23,
        acknowledged: Some((ACCOUNT, 24)),
        changed_us: 25,
        supersedes: Some(NoticeId([0x2c; 16])),
    }
}

fn changes() -> Vec<Change> {
    let ended = LeaseRow { state: LeaseState::Ended, desk: None, month_micros: None, servers: vec![], ..lease() };
    let raised = NoticeRow {
        provider: None,
        lease: None,
        from: Served::Raised,
        cause: "operator-kit-old".to_owned(),
        servers: vec![],
        targets: vec![],
        document: None,
        state: NoticeState::Received,
        acknowledged: None,
        supersedes: None,
        ..notice()
    };
    vec![Change::Lease(lease()), Change::Lease(ended), Change::Notice(notice()), Change::Notice(raised)]
}

#[test]
fn leases_have_one_encoding() {
    let parts = encode(&changes()).unwrap();
    assert!(parts.open.is_empty() && parts.account.is_empty(), "a firm learns nothing of them");
    assert_eq!(decode(&parts).unwrap(), changes());
    for (row, said) in [
        (NoticeRow { text: String::new(), ..notice() }, "text"),
        (NoticeRow { text: "x".repeat((16 << 10) + 1), ..notice() }, "text"),
        (NoticeRow { servers: vec!["a\nb".to_owned()], ..notice() }, "servers"),
    ] {
        assert!(encode(&[Change::Notice(row)]).unwrap_err().to_string().contains(said));
    }
    let unnamed = LeaseRow { contract: String::new(), ..lease() };
    assert!(encode(&[Change::Lease(unnamed)]).unwrap_err().to_string().contains("contract"));
}

#[test]
fn a_layer_of_leases() {
    let rows: Vec<_> = (1..).zip(changes()).collect();
    let (layer, key) = (ObjectId([0xe0; 16]), cluster_key());
    let base = LayerBase { cluster: CLUSTER, epoch: 3, scope: Scope::Cluster, from: 0, to: 60, layer, made_at_seq: 12 };
    let make = || encode_layer(&base, &rows, RecordKey::Cluster(&key), &Seeded::new(1)).unwrap().remove(0).1;
    let bytes = kept("v1/layer-cluster-leases.bin", make);
    assert_eq!(bytes, make(), "what is written has not changed");
    assert_eq!(decode_layer_part(&bytes).unwrap().unseal(&keyring()).unwrap(), rows);
}

/// A webhook that older readers understand is written for them; one that is told of notices needs a newer one.
#[test]
fn a_webhook_is_written_in_the_oldest_shape_that_says_it() {
    let row = |events: &[EventKind]| {
        Change::Webhook(WebhookRow {
            id: WebhookId([0x76; 16]),
            address: "https://hooks.example.org/".to_owned(),
            secret: [0x76; 32],
            events: events.to_vec(),
            label: String::new(),
            made_us: 16,
            ended_us: None,
            off: None,
        })
    };
    for (change, shape) in
        [(row(&EventKind::ALL[..5]), 2), (row(&EventKind::ALL), 3), (row(&[EventKind::NoticeWaits]), 3)]
    {
        let parts = encode(std::slice::from_ref(&change)).unwrap();
        assert_eq!(parts.account[1], shape);
        assert_eq!(decode(&parts).unwrap(), [change]);
    }
}
