//! Local tables: work in hand, copies, claims.

use std::collections::BTreeSet;

use crate::world::{TOP, World};
use catalogue::{
    accounts::{self, Envelope},
    audit,
    doomed::{self, Doomed},
    fleet::{self, TargetSeen},
    intents::{self, Intent},
    jobs::{self, Progress},
    journal::{self, JournalRow},
    layers::{self, Layer},
    meta,
    objects::{self, Copy, ObjectKind, ObjectRow},
    packs::Finding,
    scopes, segments,
    segments::Journalled,
    trend::{self, HourRow},
    upkeep::{self, DrillRow, KindRow},
    uploads::{self, UploadRow},
};
use model::{
    Change, Class, Scope,
    account::KitRow,
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{KitId, ObjectId, PackId, ProviderId, TargetId, UploadId},
    pack::MakeState,
    units::ServiceTime,
};

pub fn accounts_have_kits_and_envelopes(world: &mut World) {
    let account = world.account;
    let kit = |id| KitRow { id: KitId(id), recipient: "age1…".into(), made_us: 1, revoked_us: None, tested_us: None };
    let (first, second) = (kit([1; 16]), kit([2; 16]));
    world.change(vec![Change::Kit(first.clone()), Change::Kit(second.clone())]);
    assert_eq!(world.read(|tx| accounts::kits_untested(tx)), 2);
    let tested = KitRow { tested_us: Some(5), ..first };
    let revoked = KitRow { revoked_us: Some(6), ..second };
    world.change(vec![Change::Kit(tested.clone()), Change::Kit(revoked.clone())]);
    assert_eq!(world.read(move |tx| accounts::kits(tx, account)), [tested, revoked]);
    assert_eq!(world.read(|tx| accounts::kits_untested(tx)), 0);

    for generation in [1, 2] {
        let envelope = Envelope { bytes: vec![generation as u8; 300], generation };
        let kept = envelope.clone();
        world.write(move |tx| accounts::set_envelope(tx, account, &kept)).unwrap();
        assert_eq!(world.read(move |tx| accounts::envelope(tx, account)), Some(envelope));
    }
}

fn object(id: ObjectId, kind: ObjectKind) -> ObjectRow {
    ObjectRow { id, kind, name: format!("objects/{id}"), bytes: 10, hash: [6; 32], released: None }
}

pub fn copies_are_counted(world: &mut World) {
    let (thin, thick) = (ObjectId(world.id()), ObjectId(world.id()));
    let copy =
        |target, state| Copy { target: TargetId([target; 16]), finding: Finding { state, ..Finding::default() } };
    world
        .write(move |tx| {
            objects::insert(tx, &object(thin, ObjectKind::Journal))?;
            objects::insert(tx, &object(thick, ObjectKind::Envelope))?;
            for target in 1..=3 {
                objects::set_copy(tx, thick, &copy(target, MakeState::Good))?;
                objects::set_copy(tx, thin, &copy(target, MakeState::Good))?;
            }
            objects::set_copy(tx, thin, &copy(2, MakeState::Bad))?;
            objects::set_copy(tx, thin, &copy(2, MakeState::Bad))?;
            objects::delete_copy(tx, thin, TargetId([3; 16]))
        })
        .unwrap();
    let ids = |views: Vec<objects::ObjectView>| views.into_iter().map(|view| view.object.id).collect::<Vec<_>>();
    assert_eq!(ids(world.read(|tx| objects::thin(tx, 3, 10))), [thin]);
    assert_eq!(ids(world.read(|tx| objects::thin(tx, 4, 10))), [thin, thick], "the fewest copies first");
    assert!(world.read(|tx| objects::thin(tx, 1, 10)).is_empty());
    let view = world.read(move |tx| objects::view(tx, thin)).unwrap();
    assert_eq!(view.copies, [copy(1, MakeState::Good), copy(2, MakeState::Bad)]);
    assert_eq!(ids(world.read(|tx| objects::of_kind(tx, ObjectKind::Envelope))), [thick]);
    let at = world.read(|tx| objects::at_target(tx, TargetId([3; 16]), ObjectId::default(), 10));
    assert_eq!(at, [thick]);

    world.write(move |tx| objects::release(tx, thin, ServiceTime(9))).unwrap();
    assert!(world.read(|tx| objects::thin(tx, 3, 10)).is_empty(), "nobody copies what nothing needs");
    let released = world.read(|tx| objects::released(tx, ObjectId::default(), 10));
    assert_eq!(released[0].object.released, Some(ServiceTime(9)));
    world.write(move |tx| objects::delete(tx, thin)).unwrap();
    assert_eq!(ids(world.read(|tx| objects::views(tx, ObjectId::default(), 10))), [thick]);
}

pub fn a_journal_object_is_released_when_packed_and_covered(world: &mut World) {
    let scope = world.scope();
    let (_, version) = world.file(TOP, "file", 1);
    let segment = version.segments()[0].id;
    let row = JournalRow {
        id: ObjectId(world.id()),
        epoch: 1,
        seq: 1,
        stamp: u64::from(u32::MAX) << 24,
        prev: ObjectId::default(),
    };
    let held = [(Scope::Cluster, 1), (scope, 1)];
    world
        .write(move |tx| {
            objects::insert(tx, &object(row.id, ObjectKind::Journal))?;
            journal::insert(tx, &row, &held)?;
            let (object, epoch, seq) = (row.id, row.epoch, row.seq);
            segments::insert_journalled(tx, &Journalled { segment, object, epoch, seq, offset: 5, bytes: 17 })
        })
        .unwrap();
    let releasable = |world: &World| world.read(|tx| journal::releasable(tx, 10));
    assert_eq!(world.read(move |tx| journal::scopes(tx, row.id)), held);
    assert_eq!(world.read(|tx| journal::after(tx, 0, 0, 10)), [row]);
    assert_eq!(world.read(move |tx| journal::standing(tx, &row)), (vec![(1, 0), (1, 0)], 1));
    assert!(releasable(world).is_empty());
    world.write(move |tx| scopes::set_covered(tx, scope, 1)).unwrap();
    assert!(releasable(world).is_empty(), "the segment is not packed, the cluster not covered");
    world.write(move |tx| segments::delete_journalled(tx, segment)).unwrap();
    assert!(releasable(world).is_empty(), "the cluster is not covered");
    world.write(|tx| scopes::set_covered(tx, Scope::Cluster, 1)).unwrap();
    assert_eq!(releasable(world), [row]);
    assert_eq!(world.read(move |tx| journal::standing(tx, &row)), (vec![(1, 1), (1, 1)], 0));
    world.write(move |tx| journal::delete(tx, &row)).unwrap();
    assert!(releasable(world).is_empty());
    assert!(world.read(|tx| scopes::uncovered(tx, 1)).is_empty());
}

pub fn a_claim_has_one_owner_and_a_growing_term(world: &mut World) {
    let claim = |owner: u8, now, until| {
        world.write(move |tx| jobs::claim(tx, "repair", b"p", [owner; 16], now, until)).unwrap()
    };
    assert_eq!(claim(1, 0, 10), Some(1));
    assert_eq!(claim(2, 5, 15), None);
    assert_eq!(claim(1, 5, 20), Some(1), "renewed");
    assert_eq!(claim(2, 21, 30), Some(2), "the first owner was not heard of in time");
    let half = Progress { done: 1, total: 2, note: "half".into() };
    let (late, current) = (half.clone(), half);
    assert!(!world.write(move |tx| jobs::progress(tx, "repair", b"p", 1, &late, 22)).unwrap());
    assert!(world.write(move |tx| jobs::progress(tx, "repair", b"p", 2, &current, 22)).unwrap());
    assert!(!world.read(|tx| jobs::is_current(tx, "repair", b"p", 1)));
    assert!(world.read(|tx| jobs::is_current(tx, "repair", b"p", 2)));
    let jobs = world.read(|tx| jobs::all(tx));
    assert_eq!((jobs.len(), jobs[0].done, jobs[0].owner), (1, 1, Some([2; 16])));
    assert!(world.write(|tx| jobs::release(tx, "repair", b"p", 2)).unwrap());
    assert_eq!(claim(1, 22, 30), Some(3), "a released job is taken at once, under a new term");
    assert!(!world.write(|tx| jobs::finish(tx, "repair", b"p", 2)).unwrap());
    assert!(world.write(|tx| jobs::finish(tx, "repair", b"p", 3)).unwrap());
    assert!(world.read(|tx| jobs::all(tx)).is_empty());
}

pub fn uploads_expire_on_service_time(world: &mut World) {
    let account = world.account;
    let row = UploadRow {
        id: UploadId(world.id()),
        account,
        path: "films/a".into(),
        length: None,
        metadata: "filename YQ==".into(),
        offset: 0,
        state: vec![1, 2, 3],
        key: [8; 40],
        made_us: 1,
        made: ServiceTime(2),
        expires_us: 3,
        expires: ServiceTime(4),
        way: "link".into(),
        holder: None,
    };
    let kept = row.clone();
    world.write(move |tx| uploads::insert(tx, &kept)).unwrap();
    let further = UploadRow { length: Some(9), offset: 5, state: vec![], holder: Some([1; 16]), ..row.clone() };
    let kept = further.clone();
    assert!(world.write(move |tx| uploads::update(tx, &kept)).unwrap());
    assert_eq!(world.read(move |tx| uploads::get(tx, account, row.id)), Some(further.clone()));
    assert_eq!(world.read(move |tx| uploads::of_account(tx, account)), std::slice::from_ref(&further));
    assert!(world.read(|tx| uploads::expired(tx, ServiceTime(4), 10)).is_empty());
    assert_eq!(world.read(|tx| uploads::expired(tx, ServiceTime(5), 10)), [further]);
    assert!(world.write(move |tx| uploads::delete(tx, account, row.id)).unwrap());
    assert!(!world.write(move |tx| uploads::delete(tx, account, row.id)).unwrap());
}

pub fn single_things_are_kept(world: &mut World) {
    world.write(|tx| meta::set_number(tx, "epoch", 3).and_then(|()| meta::set_bytes(tx, "cluster", &[1; 16]))).unwrap();
    assert_eq!(
        world.read(|tx| Ok((meta::number(tx, "epoch")?, meta::bytes(tx, "cluster")?))),
        (Some(3), Some(vec![1; 16]))
    );
    assert_eq!(world.read(|tx| meta::number(tx, "absent")), None);
    let too_large = world.write(|tx| meta::set_number(tx, "epoch", u64::MAX)).unwrap_err();
    assert_eq!(too_large.class(), Class::Refused);

    let labels = vec![("country".to_string(), "NL".to_string()), ("payment".to_string(), "card".to_string())];
    let provider = ProviderRow { id: ProviderId([1; 16]), name: "LeaseWeb".into(), labels };
    let target = TargetRow {
        id: TargetId([2; 16]),
        provider: provider.id,
        address: "/srv/one".into(),
        driver: "dir".into(),
        generation: 4,
        state: TargetState::Suspect,
    };
    world.cluster(vec![Change::Provider(provider.clone()), Change::Target(target.clone())]);
    assert_eq!(world.read(|tx| fleet::providers(tx)), [provider]);
    assert_eq!(world.read(|tx| fleet::targets(tx)), std::slice::from_ref(&target));
    assert_eq!(world.read(|tx| fleet::target(tx, TargetId([2; 16]))), Some(target.clone()));
    let seen = TargetSeen {
        target: target.id,
        state: TargetState::Down,
        since_us: 1,
        generation: 3,
        note: "no answer".into(),
    };
    let kept = seen.clone();
    world.write(move |tx| fleet::set_seen(tx, &kept)).unwrap();
    assert_eq!(world.read(|tx| fleet::seen(tx)), [seen]);

    let intent = Intent { pack: PackId([3; 16]), at: ServiceTime(10), generation: 2 };
    world.write(move |tx| intents::open(tx, &intent)).unwrap();
    assert!(world.read(|tx| intents::is_open(tx, PackId([3; 16]))));
    assert!(world.read(|tx| intents::stale(tx, ServiceTime(10), 2)).is_empty());
    assert_eq!(world.read(|tx| intents::stale(tx, ServiceTime(11), 2)), [intent]);
    assert_eq!(world.read(|tx| intents::stale(tx, ServiceTime(10), 3)), [intent]);
    assert!(world.write(|tx| intents::close(tx, PackId([3; 16]))).unwrap());
    assert!(!world.write(|tx| intents::close(tx, PackId([3; 16]))).unwrap());

    let decision = move |not_before| Doomed {
        target: target.id,
        name: "shards/x".into(),
        reason: "pack gone".into(),
        decided: ServiceTime(1),
        not_before: ServiceTime(not_before),
    };
    world.write(move |tx| doomed::insert(tx, &decision(20)).and_then(|()| doomed::insert(tx, &decision(5)))).unwrap();
    assert!(
        world.read(|tx| doomed::due(tx, ServiceTime(19), None, 10)).is_empty(),
        "a second decision shortens no grace"
    );
    assert_eq!(world.read(|tx| doomed::due(tx, ServiceTime(20), None, 10)), [decision(20)]);
    assert!(world.read(move |tx| doomed::due(tx, ServiceTime(20), Some(&decision(20)), 10)).is_empty());
    assert!(world.write(|tx| doomed::delete(tx, TargetId([2; 16]), "shards/x")).unwrap());
    assert_eq!(world.read(|tx| doomed::count(tx)), 0);

    let scope = world.scope();
    let objects = vec![ObjectId([4; 16]), ObjectId([5; 16])];
    let layer = Layer { id: ObjectId([6; 16]), scope, from: 0, to: 9, row_count: 12, bytes: 900, objects };
    let kept = layer.clone();
    world.write(move |tx| layers::insert(tx, &kept)).unwrap();
    assert_eq!(world.read(move |tx| layers::of_scope(tx, scope)), [layer]);
    assert!(world.write(move |tx| layers::delete(tx, scope, ObjectId([6; 16]))).unwrap());

    let account = world.account;
    world.write(|tx| audit::append(tx, 1, None, "start", "")).unwrap();
    world.write(move |tx| audit::append(tx, 2, Some(account), "put", "a")).unwrap();
    let lines = world.read(|tx| audit::page(tx, None, 1));
    assert_eq!((lines[0].verb.as_str(), lines[0].account), ("put", Some(account)));
    let before = Some(lines[0].id);
    assert_eq!(world.read(move |tx| audit::page(tx, before, 10))[0].verb, "start");
}

pub fn hours_are_kept_until_they_are_forgotten(world: &mut World) {
    let row = |hour: i64, margin| HourRow {
        hour,
        counted_us: hour * 9,
        margin,
        packs: 7,
        by_margin: vec![0, 5, 2],
        backlog_bytes: u64::MAX,
        stored: [(ProviderId([1; 16]), 10), (ProviderId([2; 16]), 0)].into(),
        ..HourRow::default()
    };
    let rows = [row(5, Some(1)), row(6, None), row(8, Some(2))];
    for row in rows.clone() {
        world.write(move |tx| trend::set(tx, &row)).unwrap();
    }
    // An hour that is noted again is noted once.
    let again = HourRow { packs: 8, by_margin: vec![8], stored: [].into(), ..row(8, Some(0)) };
    let noted = again.clone();
    world.write(move |tx| trend::set(tx, &noted)).unwrap();
    let most = |row: HourRow| HourRow { backlog_bytes: i64::MAX as u64, ..row };
    let kept = [row(5, Some(1)), row(6, None), again].map(most);
    assert_eq!(world.read(|tx| trend::since(tx, 0)), kept);
    assert_eq!(world.read(|tx| trend::since(tx, 7)), kept[2..]);
    world.write(|tx| trend::forget_before(tx, 8)).unwrap();
    assert_eq!(world.read(|tx| trend::since(tx, i64::MIN)), kept[2..]);
}

pub fn how_upkeep_stands_is_kept_beside_what_is_paused(world: &mut World) {
    let row = KindRow { kind: "repair".into(), known_at: ServiceTime(3), ..KindRow::default() };
    let paused = KindRow { paused: Some((40, "owner".into())), ..row.clone() };
    let kept = paused.clone();
    world.write(move |tx| upkeep::set_paused(tx, &kept)).unwrap();
    // Each is written without the other, and what is known longer stays so.
    let ended = KindRow { known_at: ServiceTime(9), ended: Some((50, ServiceTime(5))), ..row.clone() };
    world.write(move |tx| upkeep::set_ended(tx, &ended)).unwrap();
    let both = KindRow { ended: Some((50, ServiceTime(5))), ..paused };
    assert_eq!(world.read(|tx| upkeep::all(tx)), std::slice::from_ref(&both));
    world.write(move |tx| upkeep::set_paused(tx, &row)).unwrap();
    assert_eq!(world.read(|tx| upkeep::all(tx)), [KindRow { paused: None, ..both }]);

    let drill = DrillRow {
        provider: ProviderId([4; 16]),
        at_us: 7,
        complete: true,
        packs: (9, 1),
        records: (8, 0),
        files_unreadable: 2,
        bytes: 70,
        holes: vec!["pack a: too few lanes".into(), "pack b: away".into()],
        away: vec![],
        without: BTreeSet::from([ProviderId([4; 16]), ProviderId([5; 16])]),
        passed: Some((3, BTreeSet::from([ProviderId([4; 16])]))),
    };
    let kept = drill.clone();
    world.write(move |tx| upkeep::set_drill(tx, &DrillRow { at_us: 3, ..kept })).unwrap();
    let kept = drill.clone();
    world.write(move |tx| upkeep::set_drill(tx, &kept)).unwrap();
    assert_eq!(world.read(|tx| upkeep::drills(tx)), [drill]);
}
