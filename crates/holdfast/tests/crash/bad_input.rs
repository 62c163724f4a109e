//! What an operator may do by mistake, and what may happen to a target's folder behind our back.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    common::{Scratch, holdfast, noise, refused_start, succeed, text, tree},
    support::{Server, Truth, truth::Content, until},
};

/// Paths and bytes of everything in a folder.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    tree(folder).into_iter().map(|(path, bytes, _)| (path, bytes)).collect()
}

fn rebuild(identity: &Path, new: &Path, targets: impl Iterator<Item = PathBuf>) -> Command {
    let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
    command.arg(new).arg("--target").args(targets);
    command
}

fn providers(data: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(data.join("providers")).unwrap().map(|entry| entry.unwrap().path())
}

/// A truth of one file for each way of keeping.
fn stored(server: &Server) -> (Truth, crate::support::Door) {
    let (mut truth, door) = (Truth::default(), server.door());
    for (path, bytes) in [("inline", 800), ("a/small", 90_000), ("a/large", 3 << 20), ("b/large", (2 << 20) + 5)] {
        truth.put(&door, path, Content::new(bytes as u64, bytes));
    }
    (truth, door)
}

#[test]
fn a_data_folder_in_use_is_left_alone() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let (mut truth, door) = stored(&server);
    let second = refused_start(&data, &[]);
    assert_eq!(second.status.code(), Some(4));
    assert!(text(&second.stderr).contains("in use by another process"), "{}", text(&second.stderr));
    let output = rebuild(&data.join("keys/service-identity.txt"), &data, providers(&data)).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    truth.put(&door, "after", Content::new(1, 50_000));
    truth.check_all(&door);
    server.kill();
    let server = Server::start(&data);
    truth.check_all(&server.door_of(&door));
    server.stop();
}

#[test]
fn an_older_life_of_the_service_only_reads() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let (mut truth, door) = stored(&server);
    // What is packed stays where it is; what waits in the journal the newer life packs, and the older one cannot know.
    door.packed();
    // Somebody rebuilds elsewhere, while this one is still running.
    let new = scratch.join("new");
    succeed(rebuild(&data.join("keys/service-identity.txt"), &new, providers(&data)));
    let newer = Server::start(&new);
    let new_door = newer.door();
    let mut new_truth = truth.clone();
    new_truth.check_all(&new_door);
    new_truth.put(&new_door, "of-the-newer-life", Content::new(2, 3 << 20));
    for bytes in [700, 80_000, 2 << 20] {
        let answer = door.put("too-late", &noise(1, bytes));
        assert!(matches!(answer.status, 409 | 503), "{bytes}: {answer:?}");
        answer.problem();
    }
    truth.is("too-late", None);
    truth.check_all(&door);
    until("the older life knows", || door.put("too-late", b"x").status == 409);
    server.stop();
    // Started again, it still only reads.
    let server = Server::start(&data);
    let door = server.door_of(&door);
    truth.check_all(&door);
    let refused = door.put("too-late", b"x");
    assert_eq!(refused.status, 409, "{refused:?}");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("only reads"), "{detail}");
    new_truth.put(&new_door, "still-written", Content::new(3, 5_000));
    new_truth.check_all(&new_door);
    server.stop();
    newer.stop();
}

#[test]
fn a_target_folder_of_another_cluster_is_left_alone() {
    let scratch = Scratch::new();
    let (ours, theirs) = (scratch.join("ours"), scratch.join("theirs"));
    let (server, other) = (Server::start(&ours), Server::start(&theirs));
    let ((mut truth, door), (mut their_truth, their_door)) = (stored(&server), stored(&other));
    server.stop();
    other.stop();
    let (own, foreign) = (ours.join("providers/amber"), theirs.join("providers/amber"));
    fs::rename(&own, scratch.join("own")).unwrap();
    fs::rename(&foreign, &own).unwrap();
    let before = everything(&own);
    let server = Server::start(&ours);
    let door = server.door_of(&door);
    truth.check_all(&door);
    truth.put(&door, "meanwhile", Content::new(9, 2 << 20));
    let scrub = door.scrub();
    assert_eq!(scrub["damaged"], 0, "what is not ours is not judged: {scrub}");
    let fleet = door.fleet();
    let amber = fleet["providers"].as_array().unwrap().iter().find(|provider| provider["name"] == "amber").unwrap();
    assert_eq!(amber["state"], "down");
    assert!(amber["targets"][0]["note"].as_str().unwrap().contains("another cluster"), "{amber}");
    server.stop();
    assert!(everything(&own) == before, "not a byte of the other service was touched");
    // Put right again, both go on.
    fs::rename(&own, &foreign).unwrap();
    fs::rename(scratch.join("own"), &own).unwrap();
    let (server, other) = (Server::start(&ours), Server::start(&theirs));
    truth.check_all(&server.door_of(&door));
    their_truth.check_all(&other.door_of(&their_door));
    server.stop();
    other.stop();
}

#[test]
fn swapped_shards_and_stray_files_are_read_around_and_reported() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let (mut truth, door) = stored(&server);
    door.packed();
    // A shard of one pack under the name of another's.
    let shards: Vec<PathBuf> = everything(&data.join("providers/birch"))
        .into_keys()
        .filter(|path| path.starts_with("shards"))
        .map(|path| data.join("providers/birch").join(path))
        .collect();
    assert!(shards.len() >= 3, "one of each pack: {shards:?}");
    for pair in shards.windows(2) {
        fs::copy(&pair[0], &pair[1]).unwrap();
    }
    // Files that nobody of us wrote, also where objects lie and with names that look like ours.
    let stray = ["letter.txt", "shards/notes", "shards/00/junk", "journal/0000000000000001/zz", "shards/ff/00.00.00"];
    for name in stray {
        let path = data.join("providers/cedar").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, noise(8, 5_000)).unwrap();
    }
    truth.check_all(&door);
    let scrub = door.scrub();
    let reported = scrub["damaged"].as_u64().unwrap() + scrub["missing"].as_u64().unwrap();
    // What reading found first was set aside and made again already.
    assert!(reported >= 1, "{scrub}");
    let findings = door.fleet()["findings"].to_string();
    assert!(findings.contains("5 at ") && findings.contains("letter.txt"), "{findings}");
    until("what was damaged is made again", || {
        let fleet = door.fleet();
        fleet["packs_below_settled"] == 0 && fleet["records_below_settled"] == 0
    });
    truth.put(&door, "after", Content::new(4, 2 << 20));
    let again = door.scrub();
    assert_eq!((&again["damaged"], &again["missing"]), (&0.into(), &0.into()), "{again}");
    truth.check_all(&door);
    server.kill();
    let server = Server::start(&data);
    truth.check_all(&server.door_of(&door));
    server.stop();
    for name in stray {
        let left = fs::read(data.join("providers/cedar").join(name)).unwrap();
        assert!(left == noise(8, 5_000), "{name} is not ours to change");
    }
}

#[test]
fn old_shards_put_back_count_only_once_they_were_read() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let (mut truth, door) = stored(&server);
    door.packed();
    server.stop();
    // A firm keeps a copy of its disk...
    let (disk, copy) = (data.join("providers/delta"), scratch.join("copy"));
    duplicate(&disk, &copy);
    let server = Server::start(&data);
    let door = server.door_of(&door);
    truth.put(&door, "a/large", Content::new(31, 4 << 20));
    truth.put(&door, "newer", Content::new(32, 3 << 20));
    assert_eq!(door.ask("DELETE", "/api/v1/files/b/large?permanent=true", &[], b"").status, 204);
    truth.is("b/large", None);
    door.packed();
    server.stop();
    // ... and puts it back later, as if nothing had happened.
    fs::remove_dir_all(&disk).unwrap();
    fs::rename(&copy, &disk).unwrap();
    let server = Server::start(&data);
    let door = server.door_of(&door);
    truth.check_all(&door);
    let fleet = door.fleet();
    assert_eq!((&fleet["files_unreadable"], &fleet["files_below_safe"]), (&0.into(), &0.into()), "{fleet}");
    truth.put(&door, "after", Content::new(33, 2 << 20));
    door.scrub();
    until("everything is settled again", || {
        let fleet = door.fleet();
        fleet["packs_below_settled"] == 0 && fleet["records_below_settled"] == 0
    });
    truth.check_all(&door);
    server.stop();
}

fn duplicate(from: &Path, to: &Path) {
    for (path, bytes) in everything(from) {
        let to = to.join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
}
