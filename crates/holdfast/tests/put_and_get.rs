//! The client's commands against a real service: folders there and back, what is skipped, what goes on after a kill.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{
    fs,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use common::{Scratch, Server, holdfast, noise, succeed, text, tree};

/// Names that are hard on someone: shells, URLs, encodings, other systems.
const ODD_NAMES: [&str; 14] = [
    "plain.txt",
    "with space",
    "100% #1?&=+;.txt",
    "ä-composed",
    "a\u{308}-decomposed",
    "日本語",
    "-rf",
    "'quoted' \"twice\"",
    "CON",
    "trailing.",
    "~",
    "...",
    "back\\slash",
    "emoji 🦀",
];

fn write(path: &Path, bytes: &[u8], modified_us: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_micros(modified_us)).unwrap();
}

#[test]
fn a_folder_with_odd_names_comes_back_equal() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let token = server.token();
    let source = scratch.join("source");
    for (index, name) in ODD_NAMES.iter().enumerate() {
        write(&source.join(name), &noise(index as u64, index * 997), 1_359_676_800_000_001 + index as u64);
    }
    write(&source.join("sub/deep/large.bin"), &noise(99, (5 << 20) + 7), 1_700_000_000_123_456);
    write(&source.join("sub").join("x".repeat(255)), b"", 1_000_000);
    fs::create_dir_all(source.join("empty/inner")).unwrap();

    let said = succeed(server.client(&token, &["put", source.to_str().unwrap(), "/backup/"]));
    assert!(said.contains("0 failed"), "{said}");
    let said = succeed(server.client(&token, &["put", source.to_str().unwrap(), "/backup/"]));
    assert!(said.starts_with("skipped") && said.contains("\n0 sent"), "all of it is there: {said}");

    let back = scratch.join("back");
    succeed(server.client(&token, &["get", "/backup/source", back.to_str().unwrap()]));
    assert_eq!(tree(&back), tree(&source));
    assert!(back.join("empty/inner").is_dir());
    let said = succeed(server.client(&token, &["get", "/backup/source", back.to_str().unwrap(), "--json"]));
    let end: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((end["fetched"].as_u64(), end["skipped"].as_u64()), (Some(0), Some(ODD_NAMES.len() as u64 + 2)));

    write(&source.join("plain.txt"), b"changed", 1_800_000_000_000_000);
    let said = succeed(server.client(&token, &["put", source.to_str().unwrap(), "/backup/"]));
    assert!(said.contains("1 sent"), "{said}");
    succeed(server.client(&token, &["get", "/backup/source/plain.txt", back.to_str().unwrap()]));
    assert_eq!(fs::read(back.join("plain.txt")).unwrap(), b"changed");
    server.stop();
}

#[test]
fn listing_moving_copying_removing() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let token = server.token();
    let run = |args: &[&str]| succeed(server.client(&token, args));
    write(&scratch.join("a.txt"), b"hello", 1_359_676_800_000_000);
    run(&["mkdir", "docs", "old"]);
    run(&["put", scratch.join("a.txt").to_str().unwrap(), "docs"]);
    assert_eq!(run(&["ls"]), "docs/\nold/\n");
    let long = run(&["ls", "-l", "docs"]);
    assert!(long.contains("(trial)") && long.contains("2013-02-01 00:00") && long.contains(" 5 "), "{long}");
    run(&["cp", "docs/a.txt", "docs/b.txt"]);
    run(&["mv", "docs/a.txt", "old"]);
    assert_eq!((run(&["ls", "docs"]), run(&["ls", "old"])), ("b.txt\n".to_owned(), "a.txt\n".to_owned()));
    let clash = server.client(&token, &["mv", "docs/b.txt", "old/a.txt"]).output().unwrap();
    assert_eq!(clash.status.code(), Some(4), "{}", text(&clash.stderr));
    run(&["mv", "--replace", "docs/b.txt", "old/a.txt"]);
    run(&["rm", "old/a.txt"]);
    run(&["rm", "--permanent", "docs"]);
    assert_eq!(run(&["ls", "/"]), "old/\n");
    let missing = server.client(&token, &["rm", "old/a.txt", "nothing"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stdout).contains("2 failed"), "{}", text(&missing.stdout));
    let gone = server.client(&token, &["ls", "docs"]).output().unwrap();
    assert_eq!(gone.status.code(), Some(3), "{}", text(&gone.stderr));
    server.stop();
}

#[test]
fn an_upload_goes_on_after_the_service_was_killed() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let source = scratch.join("big.bin");
    fs::write(&source, noise(5, 96 << 20)).unwrap();
    let mut child = server.client(&token, &["put", source.to_str().unwrap(), "big.bin"]).spawn().unwrap();
    wait_for_bytes(&data.join("providers"), 16 << 20);
    child.kill().unwrap();
    child.wait().unwrap();
    let remembered: Vec<_> = fs::read_dir(data.with_extension("state").join("holdfast/uploads")).unwrap().collect();
    assert_eq!(remembered.len(), 1, "the upload is remembered");
    let begun: serde_json::Value =
        serde_json::from_slice(&fs::read(remembered[0].as_ref().unwrap().path()).unwrap()).unwrap();
    let offset = |server: &Server| {
        let upload = begun["upload"].as_str().unwrap();
        let head = common::request(&server.url, &token, "HEAD", upload, &["Tus-Resumable: 1.0.0"], b"").head;
        let line =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("upload-offset: ").map(str::to_owned));
        line.unwrap().parse::<u64>().unwrap()
    };
    // The request broke: what came of it is brought to safety, and stays so when the service dies.
    let safe = loop {
        match offset(&server) {
            0 => std::thread::yield_now(),
            safe => break safe,
        }
    };
    assert!(safe < 96 << 20, "the upload was not finished: {safe}");
    let url = server.url.clone();
    server.kill();
    let server = Server::start_again(&data, &url);
    assert!(offset(&server) >= safe, "safe bytes never go back");
    succeed(server.client(&token, &["put", source.to_str().unwrap(), "big.bin"]));
    succeed(server.client(&token, &["get", "big.bin", scratch.join("back.bin").to_str().unwrap()]));
    assert!(fs::read(scratch.join("back.bin")).unwrap() == fs::read(&source).unwrap());
    let left = fs::read_dir(data.with_extension("state").join("holdfast/uploads")).unwrap().count();
    assert_eq!(left, 0, "and forgotten once it is finished");
    server.stop();
}

/// Waits until that much lies at the targets. It looks at the effect, not at a clock; the test's own limit ends it.
fn wait_for_bytes(root: &Path, bytes: u64) {
    loop {
        let mut sum = 0;
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().map_while(Result::ok) {
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                    Ok(metadata) => sum += metadata.len(),
                    Err(_) => {}
                }
            }
        }
        if sum >= bytes {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_part_file_goes_on_and_one_of_another_version_begins_anew() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let token = server.token();
    let content = noise(8, 4 << 20);
    fs::write(scratch.join("v.bin"), &content).unwrap();
    succeed(server.client(&token, &["put", scratch.join("v.bin").to_str().unwrap(), "v.bin"]));
    let back = scratch.join("back");
    fs::create_dir(&back).unwrap();
    let head = common::request(&server.url, &token, "HEAD", "/api/v1/files/v.bin", &[], b"").head;
    let etag =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("etag: ").map(str::to_owned)).unwrap();
    let hash = &blake3::hash(b"v.bin").to_hex()[..16];
    let part = |etag: &str, bytes: &[u8]| {
        fs::write(back.join(format!(".holdfast-{hash}.part")), bytes).unwrap();
        fs::write(back.join(format!(".holdfast-{hash}.etag")), etag).unwrap();
    };
    // A part that the service would continue is believed: its first byte is wrong on purpose, so that this shows.
    let mut begun = content[..1 << 20].to_vec();
    begun[0] ^= 1;
    part(&etag, &begun);
    succeed(server.client(&token, &["get", "v.bin", back.to_str().unwrap()]));
    let got = fs::read(back.join("v.bin")).unwrap();
    assert!(got[0] == content[0] ^ 1 && got[1..] == content[1..], "only the rest was fetched");
    fs::remove_file(back.join("v.bin")).unwrap();
    part("\"00000000000000000000000000000000\"", &begun);
    succeed(server.client(&token, &["get", "v.bin", back.to_str().unwrap()]));
    assert!(fs::read(back.join("v.bin")).unwrap() == content);
    assert_eq!(fs::read_dir(&back).unwrap().count(), 1, "no part is left");
    server.stop();
}

#[test]
fn links_are_named_and_not_followed() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let token = server.token();
    write(&scratch.join("source/real.txt"), b"real", 1_000_000);
    std::os::unix::fs::symlink("/etc/hostname", scratch.join("source/link")).unwrap();
    let said = succeed(server.client(&token, &["put", scratch.join("source").to_str().unwrap(), "s"]));
    assert!(said.contains("a symbolic link") && said.contains("1 sent") && said.contains("1 skipped"), "{said}");
    // On the way back a link in the destination leads nowhere.
    succeed(server.client(&token, &["mkdir", "s/inner"]));
    succeed(server.client(&token, &["put", scratch.join("source/real.txt").to_str().unwrap(), "s/inner/"]));
    fs::create_dir_all(scratch.join("outside")).unwrap();
    fs::create_dir_all(scratch.join("back")).unwrap();
    std::os::unix::fs::symlink(scratch.join("outside"), scratch.join("back/inner")).unwrap();
    let output = server.client(&token, &["get", "s", scratch.join("back").to_str().unwrap()]).output().unwrap();
    assert!(scratch.join("back/real.txt").exists(), "the rest goes on");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("symbolic link"), "{}", text(&output.stdout));
    assert_eq!(fs::read_dir(scratch.join("outside")).unwrap().count(), 0);
    server.stop();
}

#[test]
fn what_is_missing_in_the_environment_is_named() {
    for (url, token, said) in [
        (None, Some("t"), "HOLDFAST_URL is not set"),
        (Some("http://127.0.0.1:9"), None, "HOLDFAST_TOKEN is not set"),
        (Some("https://127.0.0.1:9"), Some("t"), "no service answers"),
        (Some("files.example"), Some("t"), "does not start with https:// or http://"),
        (None, None, "no service is known"),
        (Some("http://127.0.0.1:9"), Some("t"), "no service answers"),
    ] {
        let mut command = holdfast(&["ls"]);
        url.map(|url| command.env("HOLDFAST_URL", url));
        token.map(|token| command.env("HOLDFAST_TOKEN", token));
        let output = command.output().unwrap();
        let errors = text(&output.stderr);
        assert!(!output.status.success() && errors.contains(said) && errors.contains("hint:"), "{errors}");
    }
}
