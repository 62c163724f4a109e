//! Addresses for mail and webhooks: journalled. What waits to go out: here only.

use crate::world::World;
use catalogue::{
    apply, export,
    hooks::{self, Event, Standing},
    mail::{self, Queued},
};
use model::{
    Change, Scope,
    id::{AccountId, EntryId, MessageId, WebhookId},
    outgoing::{Confirmed, EventKind, Language, MailRow, SwitchedOff, WantedMail, WebhookRow},
};

pub fn where_things_go_comes_back_as_it_was_said(world: &mut World) {
    let account = world.account;
    let confirmed = Some(Confirmed { address: "Ann@Example.org".to_owned(), since_us: 3 });
    let wanted = Some(WantedMail { address: "ann@example.net".to_owned(), hash: [4; 32], expires_us: 5 });
    let row = MailRow { account, confirmed, wanted, language: Language::German };
    let none = MailRow { account: AccountId([9; 16]), confirmed: None, wanted: None, language: Language::English };
    world.cluster(vec![Change::Mail(row.clone()), Change::Mail(none.clone())]);
    assert_eq!(world.read(move |tx| mail::of(tx, account)), Some(row.clone()));
    assert_eq!(world.read(|tx| mail::by_address(tx, "ann@EXAMPLE.org")), Some(account), "in whatever case");
    assert_eq!(world.read(|tx| mail::by_address(tx, "ann@example.net")), None, "it was not shown to be theirs");
    assert_eq!(world.read(|tx| mail::by_code(tx, &[4; 32])), Some(row.clone()));
    assert_eq!(world.read(|tx| mail::reached(tx)), [account]);

    let hook = |id: u8, ended_us, off| WebhookRow {
        id: WebhookId([id; 16]),
        address: "https://example.org/hook".to_owned(),
        secret: [id; 32],
        events: vec![EventKind::FileStored, EventKind::RequestReceived],
        label: "shop".to_owned(),
        made_us: i64::from(id),
        ended_us,
        off,
    };
    let off = Some(SwitchedOff { at_us: 8, why: "gone".to_owned() });
    let rows = [hook(1, None, None), hook(2, None, off), hook(3, Some(9), None)];
    world.change(rows.iter().cloned().map(Change::Webhook).collect());
    assert_eq!(world.read(move |tx| hooks::all(tx, account)), rows[..2]);
    assert_eq!(world.read(move |tx| hooks::get(tx, account, WebhookId([3; 16]))), Some(rows[2].clone()));

    // An older word is too late, and all of it is among what snapshots are made from.
    let older = MailRow { confirmed: None, ..row.clone() };
    world.write(move |tx| apply(tx, Scope::Cluster, 1, &Change::Mail(older))).unwrap();
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(_, _, change)| change).collect();
    let mut wanted = vec![Change::Mail(row), Change::Mail(none)];
    wanted.extend(rows.into_iter().map(Change::Webhook));
    assert!(wanted.iter().all(|change| told.contains(change)), "{told:?}");
}

pub fn mails_wait_until_they_are_due(world: &mut World) {
    let account = world.account;
    let queued = |id: u8, account, due_us| Queued {
        id: MessageId([id; 16]),
        account,
        about: "test".to_owned(),
        address: "a@b".to_owned(),
        subject: "s".to_owned(),
        words: "w".to_owned(),
        made_us: 1,
        due_us,
        tries: 0,
    };
    let all = [queued(1, Some(account), 30), queued(2, None, 10), queued(3, Some(account), 20)];
    for one in all.clone() {
        world.write(move |tx| mail::queue(tx, &one)).unwrap();
    }
    assert_eq!(world.read(move |tx| mail::waiting(tx, Some(account))), (3, 2));
    assert_eq!(world.read(|tx| mail::due(tx, 20, 9)), [all[1].clone(), all[2].clone()]);
    world.write(|tx| mail::postpone(tx, MessageId([2; 16]), 40, 1)).unwrap();
    world.write(|tx| mail::done(tx, MessageId([3; 16]))).unwrap();
    assert_eq!(world.read(|tx| mail::due(tx, 40, 1)), [all[0].clone()]);
    assert_eq!(world.read(|tx| mail::waiting(tx, None)), (2, 0));
    assert!(!format!("{:?}", all[0]).contains("a@b"), "not for logs");

    assert_eq!(world.read(move |tx| mail::quota_told(tx, account)), 0);
    world.write(move |tx| mail::set_quota_told(tx, account, 80)).unwrap();
    assert_eq!(world.read(move |tx| mail::quota_told(tx, account)), 80);
}

pub fn events_wait_for_their_webhook(world: &mut World) {
    let account = world.account;
    let event = |id: u8, hook: u8, due_us| Event {
        id: MessageId([id; 16]),
        account,
        hook: WebhookId([hook; 16]),
        kind: EventKind::FileStored,
        at_us: 1,
        path: Some("/a".to_owned()),
        size: Some(7),
        entry: Some(EntryId([5; 16])),
        version: None,
        share: None,
        due_us,
        tries: 0,
    };
    let all = [event(1, 1, 10), event(2, 1, 20), event(3, 2, 10), event(4, 3, 90)];
    for one in all.clone() {
        world.write(move |tx| hooks::put(tx, &one)).unwrap();
    }
    let [first, second] = [1, 2].map(|hook| WebhookId([hook; 16]));
    assert_eq!(world.read(|tx| hooks::due(tx, 20)), [(account, first), (account, second)]);
    assert_eq!(world.read(move |tx| hooks::next(tx, account, first, 20)), Some(all[0].clone()));
    world.write(|tx| hooks::postpone(tx, MessageId([1; 16]), 50, 1)).unwrap();
    assert_eq!(world.read(move |tx| hooks::next(tx, account, first, 20)), Some(all[1].clone()));
    world.write(|tx| hooks::done(tx, MessageId([2; 16]))).unwrap();
    assert_eq!(world.read(move |tx| hooks::waiting(tx, account, first)), 1);
    let counted = |of, most| world.read(move |tx| hooks::waiting_of(tx, of, most));
    assert_eq!((counted(None, 9), counted(Some(account), 9), counted(Some(account), 2)), (3, 3, 2));

    // One that rests is not tried; one that was tried lately comes after others.
    let standing = Standing {
        last: Some((60, EventKind::FileStored)),
        status: Some(500),
        trouble: Some("no".to_owned()),
        not_before_us: 70,
        failing_us: Some(60),
        failures: 1,
    };
    let kept = standing.clone();
    world.write(move |tx| hooks::set_standing(tx, account, first, &kept)).unwrap();
    assert_eq!(world.read(move |tx| hooks::standing(tx, account, first)), standing);
    assert_eq!(world.read(|tx| hooks::due(tx, 69)), [(account, second)]);
    assert_eq!(world.read(|tx| hooks::due(tx, 70)), [(account, second), (account, first)]);
    world.write(move |tx| hooks::forget(tx, account, first)).unwrap();
    assert_eq!(world.read(move |tx| hooks::waiting(tx, account, first)), 0);
    assert_eq!(world.read(|tx| hooks::waiting_of(tx, None, 9)), 2);
    assert_eq!(world.read(move |tx| hooks::standing(tx, account, first)), Standing::default());
}
