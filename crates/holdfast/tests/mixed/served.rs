//! What firms say and what is proven: a notice with too short a deadline and another one that was never filed, a hole that only a
//! drill sees, a certificate that is refused until everything is proven, and a lease that lapses while nobody looks.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    common::{holdfast, request, text},
    fleet::{Fleet, done, is, on_data, settled, target},
};

/// The owner of the service, in whose files a firm's letters are kept.
const KEEPER: &str = "owner";

fn on_file(args: &[&str], file: &Path) -> std::process::Output {
    holdfast(&args[..2]).arg(file).args(&args[2..]).output().unwrap()
}

fn notices(fleet: &Fleet) -> Vec<Value> {
    let list: Value = serde_json::from_str(&done(on_data(&fleet.data, &["notice", "ls", "--json"]))).unwrap();
    list["notices"].as_array().unwrap().clone()
}

/// A moment so many seconds from now.
fn moment(seconds: &str) -> String {
    let date = Command::new("date").args(["-u", "-d", seconds, "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    done(date).trim().to_owned()
}

/// Spoils a shard behind its header, as a disk would: nobody is told.
fn spoil(shard: &Path) {
    let mut bytes = fs::read(shard).unwrap();
    bytes.iter_mut().skip(4_096).for_each(|byte| *byte ^= 0x55);
    fs::write(shard, bytes).unwrap();
}

/// Each pack's shards at firms but one: `shards/PP/PACK.LANE.MAKE`.
fn shards_but_at(fleet: &Fleet, firm: &str) -> BTreeMap<String, Vec<PathBuf>> {
    let mut packs: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (name, kept) in fleet.kept_but_at(firm) {
        for path in kept.iter().filter(|path| path.starts_with("shards")) {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let shards = packs.entry(file.split('.').next().unwrap().to_owned()).or_default();
            shards.push(fleet.root(name).join(path));
        }
    }
    packs
}

#[test]
fn what_a_firm_says_and_what_is_proven_stand_as_they_were() {
    let Some(fleet) = Fleet::grown("a firm files a notice") else { return };
    let key = done(on_data(&fleet.data, &["ledger", "key"])).trim().to_owned();
    let before = fleet.scratch.join("checkpoint");
    fs::write(&before, done(on_data(&fleet.data, &["ledger", "checkpoint"]))).unwrap();

    notice(&fleet, &key);
    hole(&fleet);
    // What was spoilt was set aside; nothing else goes from here on.
    let kept = fleet.kept_but_at("");
    certificate(&fleet);
    let fleet = lapse(fleet);

    // The ledger of all this is whole, begins as it did before, and tells of each step in its order.
    let export = fleet.scratch.join("ledger.txt");
    done(on_file(&["ledger", "export", "--data", fleet.data.to_str().unwrap()], &export));
    done(on_file(&["ledger", "verify", "--key", &key, "--checkpoint", before.to_str().unwrap()], &export));
    let said = done(on_data(&fleet.data, &["ledger", "show", "--json"]));
    let entries: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at =
        |what: &str| entries.iter().position(|entry| entry["what"] == what).unwrap_or_else(|| panic!("{what}: {said}"));
    let told = ["notice.filed", "drill.done", "evacuation.ordered", "evacuation.certificate", "notice.raised"].map(at);
    assert!(told.is_sorted(), "{told:?}");
    fs::write(&export, fs::read_to_string(&export).unwrap().replacen("dav", "bav", 1)).unwrap();
    let changed = on_file(&["ledger", "verify", "--key", &key], &export);
    assert!(!changed.status.success(), "{}", text(&changed.stdout));

    fleet.check();
    fleet.still_keeps(&kept);
}

/// A firm files that it takes its server back in some seconds, gets a receipt, and cannot claim later that it filed something else.
fn notice(fleet: &Fleet, key: &str) {
    let address = target_address(fleet, "dav");
    let server = format!("rack-7@AMS={address}");
    done(on_data(&fleet.data, &["lease", "add", "dav", "D-17", "--server", &server, "--notice-days", "60"]));
    let desk = done(on_data(&fleet.data, &["lease", "desk", "D-17", "--keeper", KEEPER]));
    let word = |name: &str| desk.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned())).unwrap();
    let (path, token) = (word("address:"), word("token:"));
    let path = path.split_once("/api/").map_or(path.clone(), |(_, rest)| format!("/api/{rest}"));
    let filing =
        |server: &str| json!({ "text": "we take it back", "servers": [server], "deadline": moment("+5 seconds") });
    let content = filing("rack-7").to_string();
    let answer =
        request(&fleet.server.url, &token, "POST", &path, &["Content-Type: application/json"], content.as_bytes());
    assert_eq!(answer.status, 201, "{}", text(&answer.body));
    let wrong = filing("rack-8").to_string();
    let refused =
        request(&fleet.server.url, &token, "POST", &path, &["Content-Type: application/json"], wrong.as_bytes());
    assert_eq!(refused.status, 400, "{}", text(&refused.body));

    let (receipt, filed, claimed) =
        (fleet.scratch.join("receipt"), fleet.scratch.join("filed"), fleet.scratch.join("claimed"));
    fs::write(&receipt, &answer.body).unwrap();
    fs::write(&filed, &content).unwrap();
    fs::write(&claimed, content.replace("rack-7", "rack-6")).unwrap();
    let of = |content: &Path| {
        on_file(&["ledger", "receipt", "--key", key, "--content", content.to_str().unwrap()], &receipt)
    };
    assert!(done(of(&filed)).contains("is what was filed"));
    let other = of(&claimed);
    assert!(!other.status.success() && text(&other.stderr).contains("not what was filed"), "{}", text(&other.stderr));

    // The operator sees it, with what lies there; nothing happens by itself, and the date is said to be too short.
    let open = notices(fleet).into_iter().find(|notice| notice["served"] == "at-desk").unwrap();
    assert_eq!((&open["state"], &open["provider"]), (&json!("received"), &json!("dav")), "{open}");
    assert_eq!(open["targets"].as_array().unwrap().len(), 1, "{open}");
    assert!(target(&fleet.until("it is as it was", |_| true), "dav")["evacuation"].is_null());
    done(on_data(&fleet.data, &["notice", "ack", open["id"].as_str().unwrap()]));
}

fn target_address(fleet: &Fleet, firm: &str) -> String {
    fleet.firm(firm).address.clone()
}

/// Disks rot unseen until one shard too few of each pack is left outside one firm: the forecast without it is good, and only a
/// drill says that it is wrong.
fn hole(fleet: &Fleet) {
    let scheme = fleet.until("there is a scheme", |report| report["scheme"].is_string())["scheme"].clone();
    let k: usize = scheme.as_str().unwrap().split('+').next().unwrap().parse().unwrap();
    for shards in shards_but_at(fleet, "box").into_values() {
        shards.iter().skip(k - 1).for_each(|shard| spoil(shard));
    }
    let forecast: Value = serde_json::from_str(&done(on_data(&fleet.data, &["what-if", "box", "--json"]))).unwrap();
    assert_eq!(forecast["files_unreadable"], 0, "nobody has read it since: {forecast}");
    let drill = on_data(&fleet.data, &["drill", "box", "--all", "--json"]);
    assert_eq!(drill.status.code(), Some(5), "{}{}", text(&drill.stdout), text(&drill.stderr));
    let found: Value = serde_json::from_slice(&drill.stdout).unwrap();
    assert!(found["packs_unreadable"].as_u64() > Some(0) && found["files_unreadable"].as_u64() > Some(0), "{found}");
    assert!(!found["holes"].as_array().unwrap().is_empty(), "{found}");
    // With all firms there nothing is lost, and what was found is made again.
    fleet.check();
    fleet.scrub();
    fleet.until("all is settled again", settled);
    let again = done(on_data(&fleet.data, &["drill", "box", "--all"]));
    assert!(again.contains("everything that was asked for could be read"), "{again}");
}

/// While two other firms are away not everything stands without the one that is left: no certificate. Then there is one.
fn certificate(fleet: &Fleet) {
    for firm in ["box", "bucket"] {
        fleet.firm(firm).vanish();
    }
    fleet.until("two are down", |report| is(report, "box", "down") && is(report, "bucket", "down"));
    done(on_data(&fleet.data, &["provider", "evacuate", "dav", "--by", &moment("+5 seconds")]));
    let refused = fleet.until("the certificate is refused, and why is said", |report| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().any(|finding| finding.as_str().unwrap().contains("have no place on the firms that stay"))
    });
    assert_eq!(target(&refused, "dav")["evacuation"]["state"], "evacuating", "{refused}");
    assert!(target(&refused, "dav")["evacuation"]["certificate"].is_null(), "{refused}");
    let early = on_data(&fleet.data, &["provider", "retire", "dav"]);
    assert!(!early.status.success() && text(&early.stderr).contains("still counts"), "{}", text(&early.stderr));
    for firm in ["box", "bucket"] {
        fleet.firm(firm).come_back();
    }
    let report = fleet.until("it is certified", |report| target(report, "dav")["evacuation"]["state"] == "evacuated");
    let certificate = &target(&report, "dav")["evacuation"]["certificate"];
    let packs = ["packs_read", "packs_listed"].map(|way| certificate[way].as_u64().unwrap_or(0));
    assert!(packs.iter().sum::<u64>() > 0, "{certificate}");
    done(on_data(&fleet.data, &["provider", "evacuate", "dav", "--cancel"]));
}

/// A lease ends while the service is not running: at its next start it says so, and does nothing else.
fn lapse(fleet: Fleet) -> Fleet {
    let server = format!("cabinet-3={}", target_address(&fleet, "box"));
    let ends = moment("+1 second");
    done(on_data(&fleet.data, &["lease", "add", "box", "B-2", "--server", &server, "--ends", &ends]));
    let fleet = fleet.start_again(|_| {
        while moment("+0 seconds") <= ends {
            std::thread::park_timeout(std::time::Duration::from_millis(100));
        }
    });
    fleet.until("the service raises a notice of it", |_| {
        notices(&fleet).iter().any(|notice| {
            let text = notice["text"].as_str().unwrap_or_default();
            notice["served"] == "raised" && text.contains("\"B-2\" is over")
        })
    });
    fleet.until("nothing was done about it", |report| is(report, "box", "up") && settled(report));
    fleet
}
