//! Folders in every order, page by page, and names that are looked for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::World;

async fn pages(world: &World, query: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    for _ in 0..100 {
        let target = format!("/api/v1/{query}&limit={limit}{after}");
        let answer = world.call("GET", &target, &[], b"").await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.json());
        let page = answer.json();
        found.extend(page["entries"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
    panic!("{query}: no end");
}

fn names(found: &[Value]) -> Vec<&str> {
    found.iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_listed_in_every_order_page_by_page() {
    let world = World::new().await;
    for (name, bytes, modified) in
        [("b", 5, "300"), ("A", 5, "100"), ("c", 1, "200"), ("d", 70_000, "200"), ("e", 0, "-5")]
    {
        let answer =
            world.file("PUT", &format!("f/{name}"), &[("X-Holdfast-Modified", modified)], &vec![1; bytes]).await;
        assert_eq!(answer.status, 201);
    }
    // A file that is written over, and one that went away: an order is of what is there now.
    assert_eq!(world.file("PUT", "f/b", &[("X-Holdfast-Modified", "150")], &[1; 9]).await.status, 204);
    world.put("f/gone", &[1; 6]).await;
    assert!(world.file("DELETE", "f/gone", &[], b"").await.status < 300);
    for (sort, expected) in [
        ("name", vec!["A", "b", "c", "d", "e"]),
        ("-name", vec!["e", "d", "c", "b", "A"]),
        ("size", vec!["e", "c", "A", "b", "d"]),
        ("-size", vec!["d", "b", "A", "c", "e"]),
    ] {
        for limit in [1, 2, 100] {
            assert_eq!(
                names(&pages(&world, &format!("files/f/?sort={sort}"), limit).await),
                expected,
                "{sort} by {limit}"
            );
        }
    }
    for limit in [1, 2, 100] {
        let up = pages(&world, "files/f/?sort=modified", limit).await;
        let mut down = pages(&world, "files/f/?sort=-modified", limit).await;
        down.reverse();
        assert_eq!(names(&up), names(&down), "of equal times the same comes first");
        assert_eq!((names(&up)[..3].to_vec(), up.len()), (vec!["e", "A", "b"], 5));
    }
    let bad = world.call("GET", "/api/v1/files/f/?sort=colour", &[], b"").await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_query"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_of_a_name_is_found_and_the_trash_is_not() {
    let world = World::new().await;
    for path in [
        "photos/2012/Beach%20in%20Summer.JPG",
        "photos/2013/beach%20winter.jpg",
        "notes/summer%20plan.md",
        "notes/%C3%84pfel%20Summer.txt",
        "old/summer.jpg",
        "summer",
    ] {
        world.put(path, b"bytes").await;
    }
    world.put("notes/large%20summer.bin", &[0; 5_000]).await;
    assert!(world.file("DELETE", "old/", &[], b"").await.status < 300);
    let find = async |query: &str| {
        let found = pages(&world, &format!("search?{query}"), 2).await;
        found.iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let set = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
    let (beach, plan, apples) =
        ("/photos/2012/Beach in Summer.JPG", "/notes/summer plan.md", "/notes/Äpfel Summer.txt");
    let large = "/notes/large summer.bin";
    assert_eq!(find("q=SUMMER").await, set(&[beach, plan, apples, large, "/summer"]));
    assert_eq!(find("q=summer+beach").await, set(&[beach]));
    assert_eq!(find("q=%C3%A4pfel").await, set(&[apples]));
    assert_eq!(find("kind=image").await, set(&[beach, "/photos/2013/beach winter.jpg"]));
    assert_eq!(find("kind=document&q=summer").await, set(&[plan, apples]));
    assert_eq!(find("kind=folder").await, set(&["/photos", "/photos/2012", "/photos/2013", "/notes"]));
    assert_eq!(find("q=summer&under=/notes").await, set(&[plan, apples, large]));
    assert_eq!(find("least=5000").await, set(&[large]));
    assert_eq!(find("least=1&most=4999&under=/notes/").await, set(&[plan, apples]));
    assert_eq!(find("q=summer&from=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z").await, set(&[]));
    assert_eq!(find("q=plan&from=2026-01-01T00:00:00Z").await, set(&[plan]));
    for (query, status) in [
        ("kind=ghost", 400),
        ("from=soon", 400),
        ("least=-1", 400),
        ("under=/nowhere", 404),
        ("x=1", 400),
        ("after=zz", 400),
    ] {
        assert_eq!(world.call("GET", &format!("/api/v1/search?{query}"), &[], b"").await.status, status, "{query}");
    }
    assert_eq!(world.with("GET", "/api/v1/search?q=a", &[]).await.status, 401);
}
