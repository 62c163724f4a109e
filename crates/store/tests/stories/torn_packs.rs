//! More providers are gone than packs can bear: of every file it is said whether it can be read, and that is true.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes};
use store::Ladder;

/// Around the lengths of a frame, a cell and a row of cells: lanes of many lengths, some of them empty.
const SIZES: [usize; 10] = [0, 1_500, 9_000, 65_520, 90_000, 102_401, 131_041, 262_080, 300_000, 700_001];

#[tokio::test]
async fn a_file_is_unreadable_exactly_when_it_cannot_be_read() {
    let house = House::new(6).await;
    let mut files = Vec::new();
    for round in 0..3 {
        for (i, size) in SIZES.iter().enumerate() {
            let content = bytes(*size, (round * 100 + i) as u64);
            files.push((house.put(&format!("{round}-{i}"), &content).await.unwrap(), content));
        }
        house.store.tick(true).await.unwrap();
    }
    let (mut torn, mut whole) = (0, 0);
    for gone in [[0, 1, 2], [1, 3, 5], [0, 3, 4], [2, 4, 5]] {
        gone.iter().for_each(|at| house.disks[*at].set_up(false));
        // Looks, and finds nothing that it could do.
        let _ = house.store.tick(false).await;
        let ids: Vec<_> = files.iter().map(|(version, _)| version.id).collect();
        let standing = house.store.standing(house.account.id, &ids).await.unwrap();
        let mut unreadable = 0;
        for ((version, content), standing) in files.iter().zip(standing) {
            match house.get(version).await {
                Ok(found) => {
                    assert!(found == *content);
                    assert_ne!(standing.ladder, Ladder::Unreadable, "{gone:?}: {} bytes were read", content.len());
                    whole += 1;
                }
                Err(error) => {
                    assert_eq!(standing.ladder, Ladder::Unreadable, "{gone:?}: {} bytes: {error}", content.len());
                    unreadable += 1;
                }
            }
        }
        assert_eq!(house.store.fleet_report().await.unwrap().files_unreadable, unreadable, "{gone:?}");
        torn += unreadable;
        gone.iter().for_each(|at| house.disks[*at].set_up(true));
        house.store.tick(true).await.unwrap();
    }
    assert!(torn > 10 && whole > 10, "{torn} torn, {whole} whole");
}
