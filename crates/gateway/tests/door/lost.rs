//! Providers that are gone while clients read and write.

use crate::world::{World, noise};

#[tokio::test(flavor = "multi_thread")]
async fn two_providers_down_are_not_noticed_by_readers() {
    let world = World::new().await;
    let body = noise(1, 5 << 20);
    world.put("f", &body).await;
    world.put("small", &body[..100_000]).await;
    // Acknowledged is safe without any one provider; a round of upkeep makes it settled, which is safe without these two.
    world.store.tick(true).await.unwrap();
    for target in &world.targets[..2] {
        target.disk().set_up(false);
    }
    assert!(world.get("f").await.body == body);
    assert!(world.get("small").await.body == body[..100_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_or_cut_and_never_made_up() {
    let world = World::new().await;
    let body = noise(2, 5 << 20);
    world.put("f", &body).await;
    world.put("inline", b"in the catalogue").await;
    for target in &world.targets[..3] {
        target.disk().set_up(false);
    }
    let answer = world.get("f").await;
    match answer.status {
        200 => assert!(answer.cut && body.starts_with(&answer.body), "cut after good bytes"),
        502 | 503 => assert!(matches!(answer.code().as_str(), "unreadable" | "retry")),
        other => panic!("{other}: {answer:?}"),
    }
    assert_eq!(world.get("inline").await.body, b"in the catalogue");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_kept_is_refused() {
    let world = World::new().await;
    for target in &world.targets[1..] {
        target.disk().set_up(false);
    }
    for bytes in [10, 10_000, 3 << 20] {
        let answer = world.file("PUT", "f", &[], &noise(3, bytes)).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "unsafe"), "{bytes}");
        assert!(!answer.header("retry-after").is_empty());
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("reading goes on") && detail.contains("try again when"), "{detail}");
    }
    for target in &world.targets {
        target.disk().set_up(true);
    }
    // Upkeep notices that they are back.
    world.store.tick(false).await.unwrap();
    assert!(world.names("").await.is_empty(), "nothing was made of them");
    world.put("f", b"now").await;
}
