//! Many targets, few groups: packs lie within placement sets, so that the loss of a few targets meets few packs.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{House, bytes};
use model::id::{PackId, TargetId};

/// For each pack the targets that it lies on.
async fn groups(house: &House) -> BTreeMap<PackId, BTreeSet<TargetId>> {
    let packs = house.store.read(|tx| catalogue::packs::pack_views(tx, PackId::default(), 1_000)).await.unwrap();
    packs.iter().map(|pack| (pack.id, pack.makes.iter().map(|make| make.make.target).collect())).collect()
}

#[tokio::test]
async fn packs_share_few_groups_of_targets() {
    let house = House::with_targets(6, 8).await;
    let content = bytes(150_000, 1);
    for i in 0..60 {
        house.put(&format!("file-{i}"), &content).await.unwrap();
    }
    // Six providers of eight targets, each target in two sets.
    let before = groups(&house).await;
    let sets: BTreeSet<_> = before.values().cloned().collect();
    assert!(sets.len() <= 16, "{} groups", sets.len());
    assert!(sets.iter().all(|set| set.len() == 6));
    // Who comes and goes changes no set; what cannot wait goes elsewhere.
    house.disks[5].set_up(false);
    house.store.tick(false).await.unwrap();
    let missed = house.put("meanwhile", &content).await.unwrap();
    house.disks[5].set_up(true);
    house.store.tick(false).await.unwrap();
    let known = groups(&house).await;
    for i in 0..30 {
        house.put(&format!("later-{i}"), &content).await.unwrap();
    }
    let later: BTreeSet<_> = groups(&house)
        .await
        .into_iter()
        .filter(|(pack, _)| !known.contains_key(pack))
        .map(|(_, group)| group)
        .collect();
    assert!(!later.is_empty() && sets.union(&later).count() <= 16, "{later:?}");
    assert!(house.get(&missed).await.unwrap() == content);
}
