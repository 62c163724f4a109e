//! Changes are staged, looked at, and made all at once, by whoever saw what they are: what was shown is what is seen then.
#![allow(clippy::unwrap_used, reason = "a test")]

use model::{
    account::AccountRow,
    fleet::ProviderRow,
    id::{AccountId, ProviderId},
    stage::{Staged, Which},
};
use store::{Error, FleetReport, OrderError, Side, Stage, Store};

use crate::common::{House, bytes};

const DAY_US: i64 = 86_400_000_000;

fn country(holds: bool) -> Staged {
    Staged::Constraint { label: "country".to_owned(), holds }
}

fn firm(number: usize) -> Which {
    Which::Provider(format!("firm-{number}"))
}

fn cordon(number: usize, cordoned: bool) -> Staged {
    Staged::Cordon { which: firm(number), cordoned }
}

fn evacuate(number: usize) -> Staged {
    Staged::Evacuate { which: firm(number), by_us: 9 * DAY_US }
}

fn label(number: usize, label: &str, value: &str) -> Staged {
    Staged::Label { provider: format!("firm-{number}"), label: label.to_owned(), value: value.to_owned() }
}

/// Six firms with some files, three of them in one country, all with a price.
async fn house() -> House {
    let house = House::new(6).await;
    for (i, size) in [900, 20_000, 700_001].into_iter().enumerate() {
        house.put(&format!("file-{i}"), &bytes(size, i as u64)).await.unwrap();
    }
    house.store.tick(true).await.unwrap();
    let countries = ["NL", "NL", "NL", "FI", "SE", ""];
    let row = |(n, country): (u8, &str)| ProviderRow {
        id: ProviderId([n + 1; 16]),
        name: format!("firm-{n}"),
        labels: [("country", country), ("price.currency", "EUR"), ("price.tb_month", "5")]
            .map(|(label, value)| (label.to_owned(), value.to_owned()))
            .to_vec(),
    };
    house.store.grow((0..).zip(countries).map(row).collect(), vec![], vec![]).await.unwrap();
    house
}

async fn shown(store: &Store) -> Stage {
    store.stage(true).await.unwrap()
}

/// What a report says, as far as an effect says it too.
fn seen(report: &FleetReport) -> (Option<usize>, Option<model::Scheme>, [u64; 6]) {
    let counts = [
        report.files_unreadable,
        report.files_below_safe,
        report.packs_below_safe,
        report.packs_below_settled,
        report.records_below_safe,
        report.records_below_settled,
    ];
    (report.margin, report.scheme, counts)
}

fn said(side: &Side) -> (Option<usize>, Option<model::Scheme>, [u64; 6]) {
    let (files, packs, records) = (side.counts.files, side.counts.packs, side.counts.records);
    let counts = [
        files.unreadable,
        files.below_safe,
        packs.below_safe,
        packs.below_settled,
        records.below_safe,
        records.below_settled,
    ];
    (side.margin, side.scheme, counts)
}

fn code(result: Result<impl std::fmt::Debug, Error>) -> &'static str {
    match result.unwrap_err() {
        Error::Order(error) => error.code(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_is_shown_is_what_is_seen_when_it_is_made() {
    let house = house().await;
    let (store, me) = (&house.store, house.account.id);
    let before = store.fleet_report().await.unwrap();
    let changes = vec![country(true), evacuate(4), label(0, "price.tb_month", "7"), cordon(5, true)];
    let number = store.add_to_stage(me, changes).await.unwrap();
    assert_eq!(seen(&store.fleet_report().await.unwrap()), seen(&before), "nothing is in force yet");
    assert!(store.constraints().groups.is_empty());
    let stage = shown(store).await;
    let effect = stage.effect.unwrap();
    assert_eq!((stage.number, stage.changes.len(), stage.fault), (number, 4, None));
    assert_eq!(said(&effect.before), seen(&before));
    assert!(effect.after.margin < effect.before.margin && effect.after.counts.packs.below_safe > 0, "{effect:?}");
    assert_eq!((effect.before.firms, effect.after.firms), (6, 2), "one country, and one more");
    assert!(effect.moves.write_bytes() > 700_000, "{effect:?}");
    let month = |side: &Side| side.costs.clone().unwrap()[0].month;
    assert!(month(&effect.after) > month(&effect.before), "{effect:?}");
    let all_safe = effect.firms.iter().all(|firm| firm.before.packs.below_safe == 0);
    assert!(all_safe && effect.firms[0].after.packs.unreadable > 0, "its country goes with it: {effect:?}");

    assert_eq!(store.apply_stage(me, number).await.unwrap(), 4);
    let after = store.fleet_report().await.unwrap();
    assert_eq!(seen(&after), said(&effect.after), "what was shown");
    let targets: Vec<_> = after.providers.iter().flat_map(|provider| &provider.targets).collect();
    assert!(targets[4].evacuation.is_some() && targets[5].cordoned && !targets[3].cordoned);
    let told: String = store.ledger(0, 1_000).await.unwrap().into_iter().map(|entry| entry.text).collect();
    for what in ["stage.applied", "constraint.added", "evacuation.ordered", "target.cordoned", "provider.changed"] {
        assert!(told.contains(&format!("what {what}")), "{what}: {told}");
    }
    // It is another start's as well, and the list is empty.
    let again = house.open_again().await;
    assert_eq!(again.constraints(), store.constraints());
    assert!(shown(&again).await.changes.is_empty());
}

#[tokio::test]
async fn nobody_applies_what_they_did_not_see() {
    let house = house().await;
    let (store, me) = (&house.store, house.account.id);
    let other: AccountRow = store.make_account("other", true).await.unwrap();
    let first = store.add_to_stage(me, vec![cordon(0, true)]).await.unwrap();
    // The other one says the opposite meanwhile: who saw the first list alone does not apply both.
    let second = store.add_to_stage(other.id, vec![cordon(0, false)]).await.unwrap();
    assert_eq!(code(store.apply_stage(me, first).await), "stage_changed");
    assert_eq!(shown(store).await.changes.iter().map(|row| row.account).collect::<Vec<_>>(), [me, other.id]);
    assert_eq!(store.apply_stage(other.id, second).await.unwrap(), 2, "it comes to nothing, and says so in the ledger");
    assert!(!store.fleet_report().await.unwrap().providers[0].targets[0].cordoned);
    assert_eq!(code(store.apply_stage(other.id, second).await), "stage_changed", "applied twice");
    let empty = shown(store).await;
    assert_eq!((empty.changes.len(), code(store.apply_stage(me, empty.number).await)), (0, "stage_empty"));

    // The fleet changes under the list.
    let number = store.add_to_stage(me, vec![evacuate(1), country(true)]).await.unwrap();
    let target = store.target_at("memory-1").unwrap();
    store.evacuate(vec![target], 5 * DAY_US).await.unwrap();
    assert_eq!(code(store.apply_stage(me, number).await), "stage_changed");
    let stage = shown(store).await;
    assert!(stage.number > number && stage.effect.is_none());
    let (at, why) = stage.fault.unwrap();
    assert!(at == 0 && why.contains("moved away already"), "{why}");
    assert_eq!(code(store.apply_stage(me, stage.number).await), "already_ordered", "all or nothing");
    assert!(store.constraints().groups.is_empty());
    store.cancel_evacuation(vec![target]).await.unwrap();
    // Upkeep's own work is no reason to look again.
    let number = shown(store).await.number;
    store.tick(true).await.unwrap();
    assert_eq!(shown(store).await.number, number);
    assert_eq!(store.revert_stage(me).await.unwrap(), 2);
    assert_eq!(code(store.apply_stage(me, number).await), "stage_changed", "reverted");
    assert_eq!(shown(store).await.changes, []);
}

#[tokio::test]
async fn what_cannot_be_is_refused_when_it_is_said() {
    let house = house().await;
    let (store, nobody) = (&house.store, AccountId::default());
    let add = async |changes: Vec<Staged>| code(store.add_to_stage(nobody, changes).await);
    assert_eq!(add(vec![cordon(9, true)]).await, "no_provider");
    assert_eq!(add(vec![Staged::Constraint { label: "contry".to_owned(), holds: true }]).await, "bad_constraint");
    assert_eq!(add(vec![label(0, "price.tb_month", "cheap")]).await, "bad_label");
    assert_eq!(add(vec![label(0, "budget.week", "1")]).await, "bad_label", "nobody keeps to a limit of that name");
    assert_eq!(add(vec![Staged::Retire { which: firm(0), keeps_shards: false }]).await, "still_counts");
    assert_eq!(add(vec![Staged::Evacuate { which: firm(0), by_us: -1 }]).await, "date_over");
    assert_eq!(add(vec![evacuate(0), evacuate(0)]).await, "already_ordered", "after what is staged before it");
    assert_eq!(add((0..5).map(evacuate).collect()).await, "last_providers");
    let tied = vec![country(true), label(3, "country", "NL"), label(4, "country", "NL"), label(5, "country", "NL")];
    assert_eq!(add(tied.clone()).await, "last_providers", "each alone would do, all together would not");
    let refused = store.add_to_stage(nobody, tied).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Order(OrderError::Last(error)) if error.to_string().contains("firm-4 and firm-5"))
    );
    assert_eq!(shown(store).await.changes, [], "all or none");
    // A price that is not known makes the sum unknown.
    store.add_to_stage(nobody, vec![label(2, "price.tb_month", "")]).await.unwrap();
    let effect = shown(store).await.effect.unwrap();
    assert!(effect.before.costs.is_some() && effect.after.costs.is_none());
    assert_eq!((effect.after.unpriced, effect.moves.write_bytes()), (vec!["firm-2".to_owned()], 0));
}
