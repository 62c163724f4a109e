//! Three of six providers are gone at once, more than 4+2 can bear: the truth is told about every single file.

use std::{collections::BTreeMap, fs};

use crate::{
    common::Scratch,
    support::{Server, Truth, truth::Content, until},
};

#[test]
fn unreadable_is_said_for_exactly_those() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let config = data.join("holdfast.toml");
    let server = Server::start(&data);
    let first = server.door();
    let mut truth = Truth::default();
    for (name, bytes) in [("large-a", 4 << 20), ("large-b", (1 << 20) + 1)] {
        truth.put(&first, name, Content::new(bytes as u64, bytes));
    }
    // Each lies whole in one lane of a pack that they share: with the pack torn, some lanes are still there.
    for number in 0..12 {
        truth.put(&first, &format!("packed-{number}"), Content::new(200 + number, 40_000));
    }
    first.packed();
    server.stop();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[settings]", "[settings]\npack_after_s = 3600")).unwrap();
    assert!(fs::read_to_string(&config).unwrap().contains("3600"));
    let server = Server::start(&data);
    let door = server.door_of(&first);
    // The first round packs what waits; these come later and stay in the journal, three copies each.
    truth.put(&door, "packed-at-start", Content::new(5, 70_000));
    door.packed();
    for number in 0..12 {
        truth.put(&door, &format!("journalled-{number}"), Content::new(100 + number, 60_000));
    }
    for (name, bytes) in [("inline", 1_000), ("empty", 0)] {
        truth.put(&door, name, Content::new(7, bytes));
    }
    for name in ["amber", "cedar", "ember"] {
        fs::remove_dir_all(data.join("providers").join(name)).unwrap();
    }
    until("the three are seen to be gone", || {
        let fleet = door.fleet();
        let down = fleet["providers"].as_array().unwrap().iter().filter(|provider| provider["state"] == "down").count();
        down == 3
    });
    let said: BTreeMap<String, String> = door.states("").into_iter().collect();
    let readable = |name: &str| said[name] != "unreadable";
    assert!(readable("inline") && readable("empty"));
    assert!(!readable("large-a"), "it lies on all four data lanes, and three lanes are left of six");
    assert!((0..12).any(|number| readable(&format!("journalled-{number}"))), "{said:?}");
    assert!((0..12).any(|number| !readable(&format!("packed-{number}"))), "{said:?}");
    let mut lost = 0;
    for (name, state) in &said {
        if state == "unreadable" {
            let answer = door.get(name);
            assert_eq!((answer.status, answer.problem().as_str()), (502, "unreadable"), "{name}");
            lost += 1;
        } else {
            truth.check(&door, name);
        }
    }
    assert_eq!(door.fleet()["files_unreadable"], lost);
    server.stop();
}
