//! Plans, what may be left without an account, and the end of an account: as bytes, and what they do to state.

use format::{
    RecordKey, State,
    record::{decode, encode},
    replay::{Applied, ClusterState},
    snapshot::{LayerBase, decode_layer_part, encode_layer},
};
use model::{
    Change, Record, Scope,
    about::{AboutRow, Quick},
    account::{AccountRow, LimitsRow, Role, SignInRow},
    id::{AccountId, ObjectId},
    plans::PlanRow,
    units::ServiceTime,
};

use crate::{
    samples::{ACCOUNT, CLUSTER, OTHER, Seeded, cluster_key, keyring},
    testdata::kept,
};

fn plans() -> Vec<Change> {
    let plan = PlanRow {
        name: "Family".to_owned(),
        space_bytes: Some(1 << 40),
        file_bytes: Some(5 << 30),
        keep_days: Some(400),
        link_bytes_per_day: Some(300),
        guest_bytes_per_s: Some(127),
        ended_us: None,
    };
    let quick = Quick { file_bytes: 2 << 30, days_max: 30, space_bytes: 1 << 41, bytes_per_day: 128 };
    let ended = PlanRow { name: "Trial".to_owned(), ended_us: Some(14), ..PlanRow::default() };
    let limits =
        |space_bytes, plan: Option<&str>| LimitsRow { account: ACCOUNT, space_bytes, plan: plan.map(str::to_owned) };
    let about = AboutRow { new_plan: Some("Family".to_owned()), quick: Some(quick), ..AboutRow::default() };
    vec![
        Change::Plan(plan),
        Change::Plan(ended),
        Change::Limits(limits(None, Some("Family"))),
        Change::Limits(limits(Some(7), None)),
        Change::About(AboutRow { quick_account: Some(OTHER), ..about.clone() }),
        Change::About(about),
        Change::AccountGone { account: AccountId([0xa7; 16]), at: ServiceTime(86_401) },
    ]
}

#[test]
fn plans_have_one_encoding() {
    let parts = encode(&plans()).unwrap();
    assert!(parts.open.is_empty() && parts.account.is_empty(), "a firm learns nothing of them");
    assert_eq!(decode(&parts).unwrap(), plans());
    let unnamed = Change::Plan(PlanRow::default());
    assert!(encode(&[unnamed]).unwrap_err().to_string().contains("name"));
    let nothing = LimitsRow { account: ACCOUNT, space_bytes: None, plan: Some(String::new()) };
    assert!(encode(&[Change::Limits(nothing)]).unwrap_err().to_string().contains("plan"));
}

#[test]
fn a_layer_of_plans() {
    let rows: Vec<_> = (1..).zip(plans()).collect();
    let (layer, key) = (ObjectId([0xe0; 16]), cluster_key());
    let base = LayerBase { cluster: CLUSTER, epoch: 3, scope: Scope::Cluster, from: 0, to: 60, layer, made_at_seq: 12 };
    let make = || encode_layer(&base, &rows, RecordKey::Cluster(&key), &Seeded::new(1)).unwrap().remove(0).1;
    let bytes = kept("v1/layer-cluster-plans.bin", make);
    assert_eq!(bytes, make(), "what is written has not changed");
    assert_eq!(decode_layer_part(&bytes).unwrap().unseal(&keyring()).unwrap(), rows);
}

fn account(name: &str) -> Change {
    Change::Account(AccountRow { id: ACCOUNT, name: name.to_owned(), managed: true, made_us: 1 })
}

#[test]
fn no_word_on_an_account_outlives_its_end_in_whichever_order_they_come() {
    let sign_in = Change::SignIn(SignInRow {
        account: ACCOUNT,
        role: Role::User,
        password: None,
        suspended_us: None,
        changed_us: 1,
        second: None,
        leaving: None,
    });
    let limits = Change::Limits(LimitsRow { account: ACCOUNT, space_bytes: Some(1), plan: None });
    let gone = Change::AccountGone { account: ACCOUNT, at: ServiceTime(9) };
    let told = [(1, account("bob")), (2, sign_in), (3, limits), (4, gone), (5, account("bob, once more"))];
    let mut orders = vec![told.to_vec()];
    orders.push(told.iter().rev().cloned().collect());
    orders.push([3, 0, 4, 2, 1].map(|at: usize| told[at].clone()).to_vec());
    for order in orders {
        let mut state = ClusterState::default();
        for (revision, change) in &order {
            state.apply(*revision, change);
        }
        assert!(state.accounts.is_empty() && state.sign_ins.is_empty() && state.limits.is_empty(), "{order:?}");
        assert_eq!(state.account_tombs[&ACCOUNT].value, ServiceTime(9));
    }
}

#[test]
fn an_older_life_brings_no_account_back() {
    let record = |epoch, revision, change| Record { epoch, scope: Scope::Cluster, revision, changes: vec![change] };
    let mut state = State::new();
    state.apply_record(&record(1, 1, account("bob")));
    state.apply_record(&record(2, 2, Change::AccountGone { account: ACCOUNT, at: ServiceTime(9) }));
    assert_eq!(state.apply_record(&record(1, 2, account("bob, late"))), Applied::Late);
    assert!(state.cluster.accounts.is_empty());
}
