//! What an operator does: look at the fleet over both doors, make and test kits, wipe, repair, rebuild.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{fs, path::Path};

use common::{Scratch, Server, holdfast, noise, request, succeed, text};
use serde_json::Value;
use testkit::{
    server::skip,
    servers::sshd::{self, Sshd},
};

/// A command on a data folder.
fn on_data(data: &Path, args: &[&str]) -> String {
    let mut command = holdfast(args);
    command.arg("--data").arg(data);
    succeed(command)
}

fn json(said: &str) -> Value {
    serde_json::from_str(said).unwrap()
}

/// The keys of a report, nested ones too: its shape.
fn shape(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let mut all: Vec<_> = fields
                .iter()
                .flat_map(|(name, value)| {
                    shape(value).into_iter().map(move |below| format!("{name}.{below}")).chain([name.clone()])
                })
                .collect();
            all.sort();
            all.dedup();
            all
        }
        Value::Array(items) => items.first().map(shape).unwrap_or_default(),
        _ => Vec::new(),
    }
}

#[test]
fn both_doors_give_the_same_reports() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a", &[], &noise(1, 70_000)).status, 201);
    for args in [
        vec!["fleet", "--json"],
        vec!["what-if", "amber", "birch", "--json"],
        vec!["scrub", "--json"],
        vec!["kit", "ls", "--json"],
    ] {
        let account: &[&str] = if args[0] == "kit" { &["--account", "owner"] } else { &[] };
        let ask = || {
            let over_http = json(&succeed(server.client(&token, &args)));
            (over_http, json(&on_data(&data, &[args.as_slice(), account].concat())))
        };
        let (mut over_http, mut on_data) = ask();
        // A job that runs when the first door is asked may have ended when the second is.
        for _ in 0..100 {
            if shape(&over_http) == shape(&on_data) {
                break;
            }
            (over_http, on_data) = ask();
        }
        assert_eq!(shape(&over_http), shape(&on_data), "{args:?}");
    }
    let unknown = server.client(&token, &["what-if", "nobody"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(3), "{}", text(&unknown.stderr));
    let table = succeed(server.client(&token, &["fleet"]));
    assert!(table.contains("up (trial)") && table.contains("not a dead disk"), "{table}");
    server.stop();
    let stopped = json(&on_data(&data, &["fleet", "--json"]));
    assert_eq!(stopped["trial"], true, "a stopped service answers from its folder");
}

#[test]
fn the_fleet_grows_over_http_too() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let place = scratch.join("gorse");
    fs::create_dir(&place).unwrap();
    succeed(server.client(&token, &["provider", "add", "gorse", "--owner", "Gorse Oy"]));
    let place = place.to_str().unwrap();
    succeed(server.client(&token, &["target", "add", "gorse", place]));
    let report = json(&succeed(server.client(&token, &["fleet", "--json"])));
    let gorse = report["providers"].as_array().unwrap().iter().find(|provider| provider["name"] == "gorse").unwrap();
    assert_eq!((&gorse["targets"][0]["address"], &gorse["state"]), (&place.into(), &"up".into()));

    // What cannot be is said with its remedy, in the same words as at the machine itself.
    let twice = server.client(&token, &["target", "add", "gorse", place]).output().unwrap();
    assert!(!twice.status.success());
    let mut command = holdfast(&["target", "add", "gorse", place, "--data"]);
    let at_the_machine = command.arg(&data).output().unwrap();
    assert_eq!(twice.status.code(), at_the_machine.status.code(), "{}", text(&twice.stderr));
    let nobody = server.client(&token, &["provider", "price", "nobody", "--per-tb-month", "5"]).output().unwrap();
    assert!(text(&nobody.stderr).contains("there is no provider"), "{}", text(&nobody.stderr));
    server.stop();
}

#[test]
fn a_provider_costs_what_it_asks_and_the_rest_is_unknown() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    // More than four cells: each firm holds some of it.
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a", &[], &noise(1, 4_500_000)).status, 201);
    let prices =
        ["--per-tb-month", "1000000", "--per-gb-out", "0.01", "--per-million-requests", "5", "--currency", "EUR"];
    on_data(&data, &[&["provider", "price", "amber"], prices.as_slice()].concat());
    on_data(&data, &["provider", "price", "birch", "--per-tb-month", "4.99"]);
    let spending = |report: &Value, name: &str| {
        let found = report["providers"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
        found["spending"].clone()
    };
    let report = json(&succeed(server.client(&token, &["fleet", "--json"])));
    let amber = spending(&report, "amber");
    assert_eq!((&amber["price"]["tb_month"], &amber["price"]["currency"]), (&"1000000.00".into(), &"EUR".into()));
    assert!(amber["requests"]["put"].as_u64() > Some(0) && amber["in_bytes"].as_u64() > Some(100_000), "{amber}");
    assert!(amber["cost_so_far"].is_string() && amber["cost_storing_month"] != "0.00", "{amber}");
    let birch = spending(&report, "birch");
    assert!(birch["cost_so_far"].is_null() && birch["cost_storing_month"].is_string(), "{birch}");
    assert!(spending(&report, "cedar")["cost_storing_month"].is_null());
    let said = on_data(&data, &["fleet"]);
    assert!(said.lines().any(|line| line.starts_with("amber") && line.contains(" EUR")), "{said}");
    assert!(said.lines().any(|line| line.starts_with("cedar") && line.matches("unknown").count() == 2), "{said}");
    for (args, why) in [
        (["amber", "--per-tb-month", "4,99"], "4,99"),
        (["nobody", "--per-tb-month", "4.99"], "there is no provider"),
        (["amber", "--minimum-days", "soon"], "number of days"),
    ] {
        let mut command = holdfast(&["provider", "price"]);
        let output = command.args(args).arg("--data").arg(&data).output().unwrap();
        assert!(!output.status.success() && text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
    // What was counted outlives the service.
    let before = spending(&report, "amber")["requests"]["put"].as_u64().unwrap();
    server.stop();
    let after = json(&on_data(&data, &["fleet", "--json"]));
    assert!(spending(&after, "amber")["requests"]["put"].as_u64().unwrap() >= before, "{after}");
}

#[test]
fn kits_are_made_tested_listed_and_revoked() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let (first, second) = (scratch.join("first.txt"), scratch.join("second.txt"));
    on_data(&data, &["kit", "make", "--account", "owner", "--out", first.to_str().unwrap()]);
    succeed(server.client(&token, &["kit", "make", "--account", "owner", "--out", second.to_str().unwrap()]));
    let third = scratch.join("third.txt");
    let other = server.client(&token, &["kit", "make", "--account", "other", "--out", third.to_str().unwrap()]);
    let other = { other }.output().unwrap();
    assert_eq!(other.status.code(), Some(2), "{}", text(&other.stderr));
    assert!(text(&other.stderr).contains("not one of account other") && !third.exists(), "{}", text(&other.stderr));
    let page = fs::read_to_string(&first).unwrap();
    assert!(page.lines().count() < 60, "it fits on a page");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&first).unwrap().permissions()) & 0o777, 0o600);
    let again = server.client(&token, &["kit", "make", "--out", second.to_str().unwrap()]).output().unwrap();
    assert_eq!(again.status.code(), Some(4), "a kit is never overwritten: {}", text(&again.stderr));
    // Made before the upload, it opens what came later.
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/later/a.txt", &[], b"after the kit").status, 201);
    assert_eq!(json(&on_data(&data, &["fleet", "--json"]))["kits_untested"], 2);
    let said = on_data(&data, &["kit", "test", first.to_str().unwrap()]);
    assert!(said.contains("1 files"), "{said}");
    assert_eq!(json(&on_data(&data, &["fleet", "--json"]))["kits_untested"], 1);
    let kits = json(&succeed(server.client(&token, &["kit", "ls", "--json"])));
    assert_eq!(kits["kits"].as_array().unwrap().len(), 2);
    let tested = kits["kits"].as_array().unwrap().iter().filter(|kit| !kit["tested"].is_null()).count();
    assert_eq!(tested, 1);
    // Over HTTP the service is told as well.
    succeed(server.client(&token, &["kit", "test", second.to_str().unwrap()]));
    assert_eq!(json(&on_data(&data, &["fleet", "--json"]))["kits_untested"], 0);
    // Its secret is nowhere in the service's folder.
    let secret = page.lines().find_map(|line| line.trim().strip_prefix("identity: ")).unwrap();
    let secret = secret.split_whitespace().next().unwrap();
    assert!(
        !common::tree(&data)
            .iter()
            .any(|(_, bytes, _)| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))
    );
    let id =
        page.lines().find_map(|line| line.trim().strip_prefix("kit: ")).unwrap().split_whitespace().next().unwrap();
    succeed(server.client(&token, &["kit", "revoke", id]));
    let revoked = holdfast(&["kit", "test", first.to_str().unwrap()]).output().unwrap();
    assert!(!revoked.status.success(), "{}", text(&revoked.stdout));
    let damaged = scratch.join("damaged.txt");
    fs::write(&damaged, page.replace("account: ", "account: f")).unwrap();
    let output = holdfast(&["kit", "test", damaged.to_str().unwrap()]).output().unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("account"), "{}", text(&output.stderr));
    server.stop();
}

#[test]
fn a_kit_is_tested_at_far_servers_with_logins_that_were_handed_over() {
    if skip("a kit is tested at servers of firms", sshd::PROGRAM) {
        return;
    }
    let scratch = Scratch::new();
    let (data, kit, logins) = (scratch.join("data"), scratch.join("kit.txt"), scratch.join("logins"));
    let server = Server::start(&data);
    let token = server.token();
    on_data(&data, &["kit", "make", "--account", "owner", "--out", kit.to_str().unwrap()]);
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a.txt", &[], b"far away").status, 201);
    server.stop();
    // The same folders, but over SSH only.
    let ssh = Sshd::start("-R").unwrap();
    let host_key = ssh.host_key.split(' ').take(2).collect::<Vec<_>>().join("%20");
    let page = fs::read_to_string(&kit).unwrap();
    let folders = page.lines().filter_map(|line| Some(line.split_once(" | dir | ")?.1.split_once("  #")?.0));
    let far: Vec<_> =
        folders.map(|folder| format!("sftp://{}@{}{folder}?host_key={host_key}", ssh.user, ssh.address())).collect();
    assert_eq!(far.len(), 6, "{page}");
    let key = ssh.private_key.replace('\n', "\\n");
    fs::write(&logins, format!("key={key}\n[{}]\npassword=of-last-year\n", far[4])).unwrap();
    let mut args = vec!["kit", "test", kit.to_str().unwrap(), "--logins", logins.to_str().unwrap(), "--target"];
    args.extend(far[..5].iter().map(String::as_str));
    let said = succeed(holdfast(&args));
    assert!(said.contains("1 files") && said.contains("read from 4 targets"), "{said}");
    assert!(said.contains(&format!("note: {} cannot be read", far[4])), "{said}");
    assert!(!said.contains("of-last-year") && !said.contains("PRIVATE KEY"), "{said}");
    // Without a login it is said what is wanted.
    let output = holdfast(&["kit", "test", kit.to_str().unwrap(), "--target", &far[0]]).output().unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("--logins"), "{}", text(&output.stderr));
}

#[test]
fn a_catalogue_is_rebuilt_from_five_of_six_providers() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let (small, large) = (noise(1, 5_000), noise(2, 9 << 20));
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a/small", &[], &small).status, 201);
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/large", &[], &large).status, 201);
    assert_eq!(request(&server.url, &token, "DELETE", "/api/v1/files/a/small?permanent=true", &[], b"").status, 204);
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/b/small", &[], &small).status, 201);
    server.kill();
    let identity = scratch.join("identity.txt");
    fs::copy(data.join("keys/service-identity.txt"), &identity).unwrap();
    fs::remove_dir_all(data.join("catalogue")).unwrap();
    fs::remove_dir_all(data.join("keys")).unwrap();
    fs::remove_dir_all(data.join("providers/cedar")).unwrap();
    let new = scratch.join("new");
    let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
    command.arg(&new).arg("--target");
    for name in ["amber", "birch", "delta", "ember", "fjord"] {
        command.arg(data.join("providers").join(name));
    }
    let said = succeed(command);
    assert!(said.contains("from 5 targets") && said.contains("not read"), "{said}");
    let server = Server::start(&new);
    let token = server.token();
    let get = |path: &str| request(&server.url, &token, "GET", path, &[], b"");
    assert!(get("/api/v1/files/b/small").body == small);
    assert!(get("/api/v1/files/large").body == large);
    assert_eq!(get("/api/v1/files/a/small").status, 404, "deleted stays deleted");
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/new", &[], &small).status, 201);
    server.stop();
    // The old folder no longer starts: its catalogue is gone, and its targets say so.
    let output = common::refused_start(&data, &[]);
    assert!(text(&output.stderr).contains("rebuild"), "{}", text(&output.stderr));
}

#[test]
fn a_rebuild_that_cannot_work_changes_nothing() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    Server::start(&data).stop();
    let other = scratch.join("other");
    Server::start(&other).stop();
    let marker = |name: &str| fs::read(data.join("providers").join(name).join("holdfast-target")).unwrap();
    let before = marker("amber");
    let target = |name: &str| data.join("providers").join(name);
    for (identity, targets, said) in [
        (
            other.join("keys/service-identity.txt"),
            vec!["amber", "birch", "cedar", "delta", "ember"],
            "does not open the envelope",
        ),
        // Of four targets one at least holds an envelope: there are three copies.
        (data.join("keys/service-identity.txt"), vec!["amber", "birch", "cedar", "delta"], "--without"),
        (data.join("keys/service-identity.txt"), vec!["nowhere"], "does not exist"),
        (scratch.join("nothing"), vec!["amber"], "reading the service identity"),
    ] {
        let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
        command.arg(scratch.join("new")).arg("--target").args(targets.iter().map(|name| target(name)));
        let output = command.output().unwrap();
        assert!(!output.status.success() && text(&output.stderr).contains(said), "{said}: {}", text(&output.stderr));
        assert_eq!(marker("amber"), before, "{said}");
        assert!(!scratch.join("new/catalogue").exists() && !scratch.join("new/keys").exists(), "{said}");
    }
    Server::start(&data).stop();
}

/// An exported ledger is verified where there is no service, against a checkpoint from before; what was cut or changed is named.
#[test]
fn the_ledger_is_verified_without_a_service() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let client = |args: &[&str]| succeed(server.client(&token, args));
    let labels = |n: u32| on_data(&data, &["provider", "add", "amber", "--label", &format!("country=N{n}")]);
    labels(1);
    let key = client(&["ledger", "key"]).trim().to_owned();
    assert_eq!(key, on_data(&data, &["ledger", "key"]).trim());
    let (older, file) = (scratch.join("older"), scratch.join("ledger.txt"));
    fs::write(&older, client(&["ledger", "checkpoint"])).unwrap();
    labels(2);
    let shown = client(&["ledger", "show"]);
    assert!(shown.contains("provider.changed") && shown.contains("label country=N2"), "{shown}");
    let (file, older) = (file.to_str().unwrap(), older.to_str().unwrap());
    client(&["ledger", "export", file]);
    server.stop();

    let verify = |file: &str, key: &str| {
        holdfast(&["ledger", "verify", file, "--key", key, "--checkpoint", older]).output().unwrap()
    };
    let sound = verify(file, &key);
    assert!(sound.status.success(), "{}", text(&sound.stderr));
    assert!(text(&sound.stdout).contains("entries, the last of"), "{}", text(&sound.stdout));
    let whole = fs::read_to_string(file).unwrap();
    let damaged = scratch.join("damaged.txt");
    let damaged = damaged.to_str().unwrap();
    for (edited, said) in [
        (whole[..whole.len() / 2].to_owned(), "cut off"),
        (whole.replace("country=N1", "country=N9"), "was changed"),
        (String::new(), "no exported ledger"),
    ] {
        fs::write(damaged, edited).unwrap();
        let found = verify(damaged, &key);
        assert_eq!(found.status.code(), Some(5), "{said}: {}", text(&found.stderr));
        assert!(text(&found.stderr).contains(said), "{said}: {}", text(&found.stderr));
    }
    assert_eq!(verify(file, "no key").status.code(), Some(2));
    assert_eq!(on_data(&data, &["ledger", "key"]).trim(), key, "a stopped service has the same");
}

/// A lease, its desk, a notice of the firm's and its receipt, checked without the service; a letter with its document.
#[test]
fn a_firm_files_at_its_desk_and_the_receipt_is_checked_without_a_service() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    let client = |args: &[&str]| succeed(server.client(&token, args));
    client(&["lease", "add", "amber", "A-17", "--server", "s1@AMS", "--server", "s2", "--ends", "2099-03-31"]);
    let shown = client(&["lease", "show", "A-17"]);
    assert!(shown.contains("server          s1 AMS") && shown.contains("2099-03-31"), "{shown}");
    let desk = client(&["lease", "desk", "A-17"]);
    let after = |name: &str| desk.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let (path, opens) = (after("address:"), after("token:"));
    let filing = br#"{"text":"we take s1 back","servers":["s1"]}"#;
    let filed = request(&server.url, &opens, "POST", &path, &[], filing);
    assert_eq!(filed.status, 201, "{}", text(&filed.body));
    let (receipt, content) = (scratch.join("receipt.json"), scratch.join("filed.json"));
    fs::write(&receipt, &filed.body).unwrap();
    fs::write(&content, filing).unwrap();
    let key = client(&["ledger", "key"]).trim().to_owned();
    let waits = client(&["notice", "ls"]);
    assert!(waits.contains("received") && waits.contains("we take s1 back"), "{waits}");
    let id = waits.split(' ').next().unwrap();
    on_data(&data, &["notice", "ack", &id[..8]]);
    assert!(on_data(&data, &["notice", "ls"]).contains("acknowledged"));

    let letter = scratch.join("letter.pdf");
    fs::write(&letter, b"%PDF").unwrap();
    client(&["provider", "notice", "amber", "--text", "they wipe it", "--document", letter.to_str().unwrap()]);
    assert!(client(&["ls", "/Notices/amber"]).contains("letter.pdf"));
    let ledger = on_data(&data, &["ledger", "show"]);
    for what in
        ["lease.added", "desk.opened", "notice.filed", "notice.acknowledged", "notice.entered", "notice.document"]
    {
        assert!(ledger.contains(what), "{what}: {ledger}");
    }
    client(&["lease", "end", "A-17"]);
    assert!(client(&["lease", "ls"]).contains("ended"));
    server.stop();

    let check = |content: &Path| {
        holdfast(&[
            "ledger",
            "receipt",
            receipt.to_str().unwrap(),
            "--key",
            &key,
            "--content",
            content.to_str().unwrap(),
        ])
        .output()
        .unwrap()
    };
    let sound = check(&content);
    assert!(sound.status.success() && text(&sound.stdout).contains("is what was filed"), "{}", text(&sound.stderr));
    fs::write(&content, br#"{"text":"we take s2 back","servers":["s2"]}"#).unwrap();
    let other = check(&content);
    assert_eq!(other.status.code(), Some(5), "{}", text(&other.stdout));
    assert!(text(&other.stderr).contains("is not what was filed"), "{}", text(&other.stderr));
}
