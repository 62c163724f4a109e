//! A fleet grows from two folders to five firms while it runs, loses one, and is brought back on an empty machine by the
//! operator's kit; and what cannot be a target is refused.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use testkit::servers::rclone;

use crate::{
    common::{Scratch, Server, holdfast, noise, request, succeed, text, tree},
    fleet::{Firms, done, is, join_all, on_data, report, settled, two_folders, until, up},
};

const FILES: [(&str, usize); 4] = [("inline", 900), ("small", 40_000), ("large", 3_000_000), ("larger", 9_000_001)];

/// Where all targets are.
fn addresses(report: &Value) -> Vec<String> {
    let providers = report["providers"].as_array().unwrap().iter();
    let targets = providers.flat_map(|provider| provider["targets"].as_array().unwrap());
    targets.map(|target| target["address"].to_string()).collect()
}

fn put(server: &Server, token: &str, folder: &str) {
    for (at, (name, bytes)) in FILES.iter().enumerate() {
        let path = format!("/api/v1/files/{folder}/{name}");
        let answer = request(&server.url, token, "PUT", &path, &[], &noise(at as u64 + 1, *bytes));
        assert_eq!(answer.status, 201, "{path}: {}", text(&answer.body));
    }
}

fn check(server: &Server, token: &str, folder: &str) {
    for (at, (name, bytes)) in FILES.iter().enumerate() {
        let answer = request(&server.url, token, "GET", &format!("/api/v1/files/{folder}/{name}"), &[], &[]);
        assert_eq!(answer.status, 200, "{folder}/{name}: {}", text(&answer.body));
        assert!(answer.body == noise(at as u64 + 1, *bytes), "{folder}/{name} is not what was sent");
    }
}

/// Whether a text lies anywhere below a folder, in a name or in bytes.
fn lies_in(folder: &Path, secret: &[u8]) -> Option<PathBuf> {
    tree(folder).into_iter().find_map(|(path, bytes, _)| {
        let named = path.to_string_lossy().as_bytes().windows(secret.len()).any(|run| run == secret);
        (named || bytes.windows(secret.len()).any(|run| run == secret)).then_some(path)
    })
}

#[test]
fn a_fleet_grows_to_five_firms_loses_one_and_comes_back_from_the_operators_kit() {
    let Some(mut firms) = Firms::start("a mixed fleet grows, loses a firm, and is rebuilt from the operator's kit")
    else {
        return;
    };
    let scratch = Scratch::new();
    let server = two_folders(&scratch);
    let (data, token) = (server.data.clone(), server.token());
    put(&server, &token, "before");
    join_all(&scratch, &data, &firms);
    let grown =
        until(&data, "five firms are up and everything is settled", |report| settled(report) && up(report) == 5);
    assert_eq!((&grown["scheme"], &grown["trial"]), (&Value::from("7+3"), &Value::from(false)), "{grown}");
    assert_eq!(grown["operator_kit"]["made"], Value::Null);
    put(&server, &token, "after");

    let kit = scratch.join("operator-kit.txt");
    done(on_data(&data, &["kit", "make", "--operator", "--out", kit.to_str().unwrap()]));
    assert_eq!(report(&data)["operator_kit"]["current"], true);
    until(&data, "all is settled on five firms", settled);

    // What logs in at a firm lies nowhere but in the kit: not in the data folder, not at any firm.
    let places = [data.clone(), scratch.join("amber"), scratch.join("birch")];
    for place in places.iter().chain(firms.all.iter().map(|firm| &firm.root)) {
        assert_eq!(lies_in(place, rclone::SECRET.as_bytes()), None, "in {}", place.display());
        assert_eq!(lies_in(place, b"OPENSSH PRIVATE KEY"), None, "in {}", place.display());
    }
    assert!(lies_in(scratch.path(), rclone::SECRET.as_bytes()).is_some_and(|path| path.ends_with("operator-kit.txt")));

    // A firm is gone from one moment to the next.
    firms.dav.kill();
    check(&server, &token, "before");
    put(&server, &token, "later");
    check(&server, &token, "later");
    let down = until(&data, "the fleet says who is down, and is settled without it", |report| {
        settled(report) && is(report, "dav", "down")
    });
    assert_eq!(down["files_unreadable"], 0);

    // The machine and all that is on it is gone as well.
    server.kill();
    fs::remove_dir_all(&data).unwrap();
    let again = scratch.join("again");
    let said = done(on_data(&again, &["rebuild", "--kit", kit.to_str().unwrap()]));
    assert!(said.contains("passed over") && said.contains("rebuilt as epoch 2"), "{said}");
    let server = Server::start(&again);
    let token = server.token();
    ["before", "after", "later"].iter().for_each(|folder| check(&server, &token, folder));
    put(&server, &token, "new");
    check(&server, &token, "new");
    let rebuilt = report(&again);
    assert_eq!(rebuilt["files_unreadable"], 0, "{rebuilt}");
}

#[test]
fn what_cannot_be_a_target_is_refused_and_left_alone() {
    let Some(firms) = Firms::start("what cannot be a target is refused") else { return };
    let scratch = Scratch::new();
    let server = two_folders(&scratch);
    let data = server.data.clone();
    done(on_data(&data, &["provider", "add", "new"]));
    let [(ssh, key), (dav, password), (s3, pair)] =
        firms.all.each_ref().map(|firm| (firm.address.clone(), firm.login.clone()));
    let wrong = |text: &str| text.replace(rclone::SECRET, "another-secret");
    let full = scratch.join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("Holiday 1.jpg"), b"a photo").unwrap();
    fs::write(firms.all[2].root.join("Holiday 2.jpg"), b"a photo").unwrap();
    fs::write(firms.all[0].root.join("Holiday 3.jpg"), b"a photo").unwrap();
    let cases = [
        (full.display().to_string(), String::new(), "Holiday 1.jpg"),
        (scratch.join("missing").display().to_string(), String::new(), "missing"),
        (data.join("catalogue").display().to_string(), String::new(), "the service's own folder"),
        (scratch.join("amber").display().to_string(), String::new(), "is a target already"),
        (s3.clone(), pair.clone(), "Holiday 2.jpg"),
        (s3.clone(), wrong(&pair), "refuses the login"),
        (s3.replace("s3://shards", "s3://nowhere"), pair.clone(), "nowhere"),
        (ssh.clone(), key.clone(), "Holiday 3.jpg"),
        (ssh.replace("ssh-ed25519%20AAAA", "ssh-ed25519%20AAAB"), key.clone(), "host key"),
        (dav.clone(), wrong(&password), "login"),
        (dav.replace("/dav/holdfast", "/dav/nowhere"), password.clone(), "nowhere"),
        (dav.clone(), format!("{password}colour=red\n"), "colour"),
        ("gopher://x/y".to_owned(), String::new(), "begins with s3://"),
    ];
    let before = addresses(&report(&data));
    for (address, login, expected) in cases {
        let file = scratch.join("login");
        fs::write(&file, &login).unwrap();
        let output = on_data(&data, &["target", "add", "new", &address, "--login", file.to_str().unwrap()]);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{address} was taken");
        assert!(said.contains(expected), "{address}: {said}");
        for secret in ["another-secret", rclone::SECRET, "PRIVATE KEY"] {
            assert!(!said.contains(secret), "{address}: a secret is told: {said}");
        }
    }
    assert_eq!(addresses(&report(&data)), before, "nothing was recorded");
    assert_eq!(fs::read(full.join("Holiday 1.jpg")).unwrap(), b"a photo");
    // Once the photo is gone it is taken; under a second address it is the same place.
    fs::remove_file(firms.all[0].root.join("Holiday 3.jpg")).unwrap();
    let file = scratch.join("login");
    fs::write(&file, &key).unwrap();
    let add = |address: &str| on_data(&data, &["target", "add", "new", address, "--login", file.to_str().unwrap()]);
    done(add(&ssh));
    let again = add(&ssh.replace("127.0.0.1", "localhost"));
    assert!(text(&again.stderr).contains("under another address"), "{}", text(&again.stderr));
    succeed(holdfast(&["help", "target"]));
}
