//! Two people order something at once. Each of them alone leaves enough firms, both together do not: the one that is recorded
//! second is judged by what the first one made of the fleet, and refused. And nothing that was ordered is lost to the other.
#![allow(clippy::unwrap_used, reason = "a test")]

use model::{
    fleet::ProviderRow,
    id::{AccountId, ProviderId, TargetId},
    stage::{Staged, Which},
};
use store::{Error, Store, TargetReport};

use crate::common::House;

const DATE_US: i64 = 10 * 86_400_000_000;

/// Something that a person says of three firms, of which the first two are in one country.
#[derive(Clone, Copy, Debug)]
enum Said {
    Evacuate(u8),
    Cordon(u8),
    /// Firms of one country count as one.
    Country,
    /// The third firm is in that country, too.
    Moves,
    /// What was staged: the third firm is left.
    Stage(u64),
}

fn target(number: u8) -> TargetId {
    TargetId([number + 101; 16])
}

fn firm(number: u8, country: &str) -> ProviderRow {
    let labels = vec![("country".to_owned(), country.to_owned())];
    ProviderRow { id: ProviderId([number + 1; 16]), name: format!("firm-{number}"), labels }
}

async fn say(store: &Store, said: Said) -> Result<(), Error> {
    match said {
        Said::Evacuate(number) => store.evacuate(vec![target(number)], DATE_US).await.map(drop),
        Said::Cordon(number) => store.cordon(vec![target(number)], true).await,
        Said::Country => store.set_constraint("country".to_owned(), true).await.map(drop),
        Said::Moves => store.grow(vec![firm(2, "NL")], vec![], vec![]).await,
        Said::Stage(number) => store.apply_stage(AccountId::default(), number).await.map(drop),
    }
}

async fn house() -> House {
    let house = House::new(3).await;
    house.store.grow(vec![firm(0, "NL"), firm(1, "NL"), firm(2, "FI")], vec![], vec![]).await.unwrap();
    house
}

async fn targets(store: &Store) -> Vec<TargetReport> {
    store.fleet_report().await.unwrap().providers.into_iter().flat_map(|firm| firm.targets).collect()
}

/// How many firms take shards, those that count as one counted once.
async fn left(store: &Store) -> usize {
    let (report, tied) = (store.fleet_report().await.unwrap(), store.constraints().groups);
    let open = report.providers.iter().filter(|firm| firm.targets.iter().any(|target| !target.cordoned));
    let one = |name: &String| tied.iter().find(|group| group.contains(name)).map_or(name, |group| &group[0]).clone();
    open.map(|firm| one(&firm.name)).collect::<std::collections::BTreeSet<_>>().len()
}

#[tokio::test]
async fn two_orders_that_go_too_far_together_are_not_both_taken() {
    for (one, other) in [
        (Said::Evacuate(0), Said::Evacuate(1)),
        (Said::Cordon(1), Said::Cordon(2)),
        (Said::Evacuate(0), Said::Cordon(2)),
        (Said::Evacuate(2), Said::Country),
        (Said::Country, Said::Evacuate(2)),
        (Said::Country, Said::Moves),
        (Said::Moves, Said::Country),
        (Said::Country, Said::Stage(0)),
    ] {
        let house = house().await;
        let store = &house.store;
        let other = match other {
            Said::Stage(_) => {
                let which = Which::Provider("firm-2".to_owned());
                let leave = Staged::Evacuate { which, by_us: DATE_US };
                Said::Stage(store.add_to_stage(AccountId::default(), vec![leave]).await.unwrap())
            }
            other => other,
        };
        // Both ask before either is recorded, and one batch takes both.
        let (first, second) = tokio::join!(say(store, one), say(store, other));
        assert!(first.is_ok(), "{one:?}, {other:?}: {first:?}");
        match second {
            Err(Error::Order(refused)) => {
                let expected = if matches!(other, Said::Stage(_)) { "stage_changed" } else { "last_providers" };
                assert_eq!(refused.code(), expected, "{one:?}, {other:?}");
            }
            other_end => panic!("{one:?}, {other:?}: {other_end:?}"),
        }
        assert!(left(store).await >= 2, "{one:?}, {other:?}");
        let seen = (targets(store).await.iter().map(|seen| seen.cordoned).collect::<Vec<_>>(), store.constraints());
        let again = house.open_again().await;
        let recorded = targets(&again).await.iter().map(|seen| seen.cordoned).collect::<Vec<_>>();
        assert_eq!((recorded, again.constraints()), seen, "what is gone by is what is recorded");
    }
}

#[tokio::test]
async fn what_one_orders_does_not_undo_what_another_ordered() {
    let house = House::new(4).await;
    let store = &house.store;
    let (cordoned, evacuated) = tokio::join!(say(store, Said::Cordon(0)), say(store, Said::Evacuate(0)));
    assert!(cordoned.is_ok() && evacuated.is_ok(), "{cordoned:?} {evacuated:?}");
    assert!(targets(store).await[0].evacuation.is_some());
    let (paused, uncordoned) =
        tokio::join!(store.pause_evacuation(vec![target(0)], true), store.cordon(vec![target(0)], false));
    assert!(paused.is_ok() && uncordoned.is_ok(), "{paused:?} {uncordoned:?}");
    say(store, Said::Cordon(0)).await.unwrap();
    assert!(targets(store).await[0].evacuation.as_ref().is_some_and(|seen| seen.order.paused));
    store.cancel_evacuation(vec![target(0)]).await.unwrap();
    assert!(targets(store).await[0].cordoned, "taken back, and cordoned still");
    let told: String = store.ledger(0, 1_000).await.unwrap().into_iter().map(|entry| entry.text).collect();
    for what in
        ["target.cordoned", "target.uncordoned", "evacuation.ordered", "evacuation.paused", "evacuation.cancelled"]
    {
        assert!(told.contains(&format!("what {what}")), "{what}: {told}");
    }
}
