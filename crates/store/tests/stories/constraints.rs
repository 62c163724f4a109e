//! Firms that share a country count as one once a person says so: at once in every count, and after a while in where bytes lie.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{collections::BTreeSet, sync::Arc};

use catalogue::Catalogue;
use fleet::{MemoryTarget, Roster};
use model::{
    fleet::{ProviderRow, TargetRow},
    id::{ProviderId, TargetId},
};
use store::{Error, Joining, OrderError, Store};

use crate::{
    catalogue_lost::opening,
    common::{House, bytes, joining_row, read},
};

async fn label(store: &Store, firms: &[u8], country: &str) {
    let row = |n: &u8| ProviderRow {
        id: ProviderId([n + 1; 16]),
        name: format!("firm-{n}"),
        labels: vec![("country".to_owned(), country.to_owned()), ("payment".to_owned(), format!("card {n}"))],
    };
    store.grow(firms.iter().map(row).collect(), vec![], vec![]).await.unwrap();
}

fn refused(result: Result<bool, Error>, part: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Order(OrderError::Last(_) | OrderError::BadConstraint { .. })), "{error:?}");
    assert!(error.to_string().contains(part), "{part}: {error}");
}

#[tokio::test]
async fn packs_move_until_a_whole_country_may_vanish() {
    let house = House::new(6).await;
    let store = &house.store;
    let content = bytes(900_000, 1);
    let mut files = vec![];
    for (name, bytes) in [("large", &content[..]), ("small", &content[..20_000])] {
        files.push((house.put(name, bytes).await.unwrap(), bytes));
    }
    store.tick(true).await.unwrap();
    label(store, &[0, 1, 2], "NL").await;
    label(store, &[3, 4, 5], "FI").await;
    refused(store.set_constraint("contry".to_owned(), true).await, "they have country, payment");
    refused(store.set_constraint("owner".to_owned(), true).await, "always");
    label(store, &[0, 1, 2, 3, 4, 5], " nl").await;
    let everybody = "firm-0, firm-1, firm-2, firm-3, firm-4 and firm-5 would be one firm";
    refused(store.set_constraint("country".to_owned(), true).await, everybody);
    label(store, &[3], "FI").await;
    label(store, &[4], "SE").await;
    label(store, &[5], "").await;
    let before = store.fleet_report().await.unwrap();
    assert_eq!((before.packs_below_safe, before.margin), (0, Some(2)), "{before:?}");

    assert!(store.set_constraint("country".to_owned(), true).await.unwrap());
    assert!(!store.set_constraint("country".to_owned(), true).await.unwrap(), "it is one already");
    let at_once = store.fleet_report().await.unwrap();
    assert!(at_once.packs_below_safe > 0 && at_once.margin == Some(0), "no false comfort: {at_once:?}");
    assert_ne!(at_once.scheme, before.scheme, "what is written from now on is written for four firms");
    let known = store.constraints();
    assert_eq!(known.groups, [["firm-0", "firm-1", "firm-2"].map(str::to_owned).to_vec()]);
    assert_eq!(known.labels[1], ("country".to_owned(), vec!["firm-5".to_owned()]), "nobody said where it is");
    // A label that would tie all firms together is refused as the constraint was.
    let all = [4u8, 3].map(|n| ProviderRow {
        id: ProviderId([n + 1; 16]),
        name: format!("firm-{n}"),
        labels: vec![("country".to_owned(), "NL".to_owned())],
    });
    let both = [all[0].clone(), ProviderRow { id: ProviderId([6; 16]), name: "firm-5".to_owned(), ..all[0].clone() }];
    let tied = store.grow([both.to_vec(), vec![all[1].clone()]].concat(), vec![], vec![]).await;
    assert!(matches!(tied, Err(Error::Order(OrderError::Last(_)))), "{tied:?}");

    for _ in 0..3 {
        store.tick(true).await.unwrap();
    }
    let after = store.fleet_report().await.unwrap();
    assert_eq!((after.packs_below_settled, after.records_below_settled), (0, 0), "{after:?}");
    for firm in [1, 4, 5, 6] {
        let left = store.what_if(&[ProviderId([firm; 16])]).await.unwrap();
        assert_eq!(
            (left.files_unreadable, left.packs_unreadable, left.records_unreadable),
            (0, 0, 0),
            "{firm}: {left:?}"
        );
    }
    // It outlives the process, and the catalogue.
    let labels = BTreeSet::from(["country".to_owned()]);
    let again = house.open_again().await;
    assert_eq!(again.read(|tx| store::constraints(tx)).await.unwrap(), labels);
    assert_eq!(again.constraints(), known);
    let targets = house.targets.iter().enumerate().skip(3).map(|(i, target)| (format!("memory-{i}"), target.clone()));
    let new = opening(&house, Catalogue::open_inline_memory().unwrap(), Roster::default());
    let (rebuilt, report) = store::rebuild(new, targets.collect(), &[]).await.unwrap();
    assert_eq!(report.targets_unread.len(), 3, "three unread targets are of one firm: {report:?}");
    assert_eq!(rebuilt.constraints(), known);
    for (version, bytes) in &files {
        assert!(read(&rebuilt, house.account.id, version).await.unwrap() == *bytes);
    }
}

#[tokio::test]
async fn a_firm_that_is_given_up_ties_nobody_until_it_has_a_target_again() {
    let house = House::new(4).await;
    let store = &house.store;
    let row = |n: u8, labels: &[(&str, &str)]| ProviderRow {
        id: ProviderId([n + 1; 16]),
        name: format!("firm-{n}"),
        labels: labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect(),
    };
    let rows =
        vec![row(0, &[("owner", "A")]), row(1, &[("owner", "A"), ("country", "NL")]), row(2, &[("country", "NL")])];
    store.grow(rows, vec![], vec![]).await.unwrap();
    store.set_constraint("country".to_owned(), true).await.unwrap();
    let tied = vec![["firm-0", "firm-1", "firm-2"].map(str::to_owned).to_vec()];
    assert_eq!(store.constraints().groups, tied);
    house.disks[1].set_up(false);
    store.tick(true).await.unwrap();
    store.give_up(vec![TargetId([102; 16])]).await.unwrap();
    assert!(store.constraints().groups.is_empty(), "{:?}", store.constraints());
    store.order_retirement(vec![TargetId([102; 16])], false).await.unwrap();
    for _ in 0..2 {
        store.tick(true).await.unwrap();
    }
    let joined = MemoryTarget::new("memory-9".to_owned());
    let target = TargetRow { id: TargetId([9; 16]), provider: ProviderId([2; 16]), ..joining_row(9) };
    store.join(Joining { row: target, driver: Arc::new(joined), login: None }, None).await.unwrap();
    assert_eq!(store.constraints().groups, tied);
    // The three are one firm again, and the fourth is the other one of the last two.
    refused(store.cordon(vec![TargetId([104; 16])], true).await.map(|()| true), "without it 1 of the two");
}
