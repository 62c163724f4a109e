//! Data folders of earlier releases: `testdata/upgrade` keeps one of each, and every release opens them all.

use std::{fs, process::Command};

use crate::{
    common::{Scratch, Server, request, succeed, text},
    repository,
};

#[test]
fn folders_of_all_earlier_releases_are_opened_and_hold_what_they_held() {
    let mut releases: Vec<_> =
        fs::read_dir(repository("testdata/upgrade")).unwrap().map(|entry| entry.unwrap().path()).collect();
    releases.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
    assert!(!releases.is_empty());
    for release in releases {
        let scratch = Scratch::new();
        let mut unpack = Command::new("tar");
        unpack.arg("-xzf").arg(&release).arg("-C").arg(scratch.path());
        succeed(unpack);
        let data = scratch.join("data");
        let server = Server::start(&data);
        let token = server.token();
        let get = |path: &str| request(&server.url, &token, "GET", path, &[], b"");
        let letter = get("/api/v1/files/papers/letter.txt");
        assert_eq!(letter.status, 200, "{release:?}");
        assert_eq!(text(&letter.body), "A letter, kept by the release that this folder is called after.\n");
        assert_eq!(get("/api/v1/files/page.txt").body, vec![b'a'; 5_000], "{release:?}");
        let links: serde_json::Value = serde_json::from_slice(&get("/api/v1/shares").body).unwrap();
        let code = links["shares"][0]["code"].as_str().unwrap();
        let linked = request(&server.url, "", "GET", &format!("/api/v1/links/{code}/files/letter.txt"), &[], b"");
        assert_eq!((linked.status, linked.body), (200, letter.body), "the link that was made then");
        assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/new.txt", &[], b"now").status, 201);
        server.stop();
    }
}
