//! The ledger, leases and notices.

use crate::world::World;
use catalogue::{Error, apply, export, leases, ledger, replay};
use model::{
    Change, Scope,
    id::{AccountId, EntryId, LeaseId, NoticeId, ProviderId, TargetId},
    leases::{Desk, Document, LeaseRow, LeaseState, NoticeRow, NoticeState, Served, Server},
    ledger::LedgerEntry,
};

pub fn a_ledger_takes_the_next_entry_and_no_other(world: &mut World) {
    let entry = |n: u64, text: &str| Change::Ledger(LedgerEntry { n, text: text.to_owned() });
    world.cluster(vec![entry(1, "one\nfirst\n"), entry(2, "two\nsha256 ab\n")]);
    for (n, said) in [(2, "again"), (4, "too far"), (1, "once more")] {
        let refused = world.commit(Scope::Cluster, vec![entry(n, said)]).unwrap_err();
        assert!(matches!(refused, Error::NotNext { expected: 3, got } if got == n), "{refused}");
    }
    let texts =
        |after| world.read(move |tx| ledger::page(tx, after, 9)).into_iter().map(|row| row.n).collect::<Vec<_>>();
    assert_eq!((texts(0), texts(1), texts(2)), (vec![1, 2], vec![2], vec![]));
    assert_eq!(world.read(|tx| ledger::last(tx)).unwrap().text, "two\nsha256 ab\n");
    assert!(world.read(|tx| ledger::has_line(tx, "sha256 ab")));
    assert!(!world.read(|tx| ledger::has_line(tx, "sha256")), "a whole line");
    // A rebuild takes what it finds, in whichever order and with what is missing.
    world.write(move |tx| replay(tx, Scope::Cluster, 9, &entry(7, "seven"))).unwrap();
    assert_eq!(world.read(|tx| ledger::last(tx)).unwrap().n, 7);
}

fn lease(n: u8, contract: &str, state: LeaseState) -> LeaseRow {
    let server = |name: &str, targets| Server { name: name.to_owned(), site: "AMS".to_owned(), targets };
    LeaseRow {
        id: LeaseId([n; 16]),
        provider: ProviderId([2; 16]),
        contract: contract.to_owned(),
        servers: vec![server("s1", vec![TargetId([3; 16]), TargetId([4; 16])]), server("s2", vec![])],
        price: "49.90".to_owned(),
        month_micros: Some(49_900_000),
        currency: "EUR".to_owned(),
        notice_address: "legal@firm.example".to_owned(),
        notice_days: 90,
        ends_us: Some(5),
        paid_until_us: None,
        state,
        desk: Some(Desk { hash: [6; 32], account: AccountId([7; 16]), made_us: 8 }),
    }
}

pub fn leases_and_notices_come_back_as_they_were_said(world: &mut World) {
    let (old, new) = (lease(1, "A-17", LeaseState::Ended), lease(2, "A-17", LeaseState::Active));
    let bare = LeaseRow { servers: vec![], month_micros: None, desk: None, ..lease(3, "B", LeaseState::Ending) };
    let filed = NoticeRow {
        id: NoticeId([1; 16]),
        provider: Some(ProviderId([2; 16])),
        lease: Some(new.id),
        from: Served::AtDesk,
        cause: String::new(),
        addressee: "the operator".to_owned(),
        servers: vec!["s1".to_owned(), "s2".to_owned()],
        targets: vec![TargetId([3; 16])],
        deadline_us: Some(9),
        text: "we take s1 back".to_owned(),
        content: [1; 32],
        document: Some(Document {
            name: "letter.pdf".to_owned(),
            sha256: [2; 32],
            bytes: 3,
            kept: Some((AccountId([7; 16]), EntryId([8; 16]))),
        }),
        state: NoticeState::Received,
        made_us: 100,
        acknowledged: None,
        changed_us: 100,
        supersedes: None,
    };
    let done = NoticeRow {
        id: NoticeId([2; 16]),
        provider: None,
        lease: None,
        from: Served::Raised,
        cause: "operator-kit-old".to_owned(),
        servers: vec![],
        targets: vec![],
        deadline_us: None,
        document: None,
        state: NoticeState::Done,
        made_us: 50,
        acknowledged: Some((AccountId([7; 16]), 60)),
        supersedes: Some(filed.id),
        ..filed.clone()
    };
    let all = [
        Change::Lease(old.clone()),
        Change::Lease(new.clone()),
        Change::Lease(bare.clone()),
        Change::Notice(filed.clone()),
        Change::Notice(done.clone()),
    ];
    world.cluster(all.to_vec());
    assert_eq!(world.read(|tx| leases::all(tx)), [old, new.clone(), bare]);
    assert_eq!(world.read(|tx| leases::by_contract(tx, "A-17")), Some(new.clone()), "one that has not ended");
    assert_eq!(world.read(|tx| leases::open_notices(tx, 9)), std::slice::from_ref(&filed));
    assert_eq!(world.read(|tx| leases::notices(tx, 9)), [filed.clone(), done.clone()], "the latest first");
    let (desk, id) = (new.id, filed.id);
    let since = |at| world.read(move |tx| leases::filed_since(tx, desk, at));
    assert_eq!((since(99), since(100)), (1, 0));
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(.., change)| change).collect();
    assert!(all.iter().all(|change| told.contains(change)), "{told:?}");
    // An older word is too late; how often people were told is local.
    let older = Change::Notice(NoticeRow { state: NoticeState::Planned, ..filed.clone() });
    world.write(move |tx| apply(tx, Scope::Cluster, 1, &older)).unwrap();
    assert_eq!(world.read(move |tx| leases::notice(tx, id)).unwrap().state, NoticeState::Received);
    assert_eq!(world.read(move |tx| leases::told(tx, id)), None);
    world.write(move |tx| leases::set_told(tx, id, 2, 7, "as it was")).unwrap();
    assert_eq!(world.read(move |tx| leases::told(tx, id)), Some((2, 7, "as it was".to_owned())));
    // Of many, those that nobody took note of come first, and of them the latest; the service finds its own among them all.
    let many: Vec<NoticeRow> = (10..16_u8)
        .map(|at| NoticeRow {
            id: NoticeId([at; 16]),
            made_us: 200 + i64::from(at),
            from: if at == 10 { Served::Raised } else { Served::AtDesk },
            state: match at {
                10 | 15 => NoticeState::Acknowledged,
                14 => NoticeState::InForce,
                _ => NoticeState::Received,
            },
            acknowledged: matches!(at, 10 | 15).then_some((AccountId([7; 16]), 60)),
            ..filed.clone()
        })
        .collect();
    world.cluster(many.iter().cloned().map(Change::Notice).collect());
    let ids = |rows: Vec<NoticeRow>| rows.into_iter().map(|row| row.id.0[0]).collect::<Vec<_>>();
    assert_eq!(ids(world.read(|tx| leases::open_notices(tx, 3))), [11, 12, 13]);
    assert_eq!(ids(world.read(|tx| leases::raised_notices(tx))), [10]);
    assert_eq!(ids(world.read(|tx| leases::statements_in_force(tx))), [14]);
    world.write(|tx| leases::set_told(tx, NoticeId([11; 16]), 1, 9, "")).unwrap();
    assert_eq!(ids(world.read(|tx| leases::waiting_notices(tx, 9))), [12, 13, filed.id.0[0], 11]);
}
