//! A firm gives notice: everything moves away by a date, through a restart, a kill and another firm's failure; it is proven, and
//! only another order deletes.

use std::{fs, process::Command};

use serde_json::Value;

use crate::{
    common::{Server, text},
    fleet::{Fleet, done, is, names, on_data, settled, target},
};

const SETTINGS: &str = "[settings]\n";

fn show(fleet: &Fleet, provider: &str) -> Value {
    serde_json::from_str(&done(on_data(&fleet.data, &["provider", "show", provider, "--json"]))).unwrap()
}

fn order(fleet: &Fleet, provider: &str) -> Value {
    show(fleet, provider)["targets"][0]["evacuation"].clone()
}

/// What a command says when it is refused.
fn refused(fleet: &Fleet, args: &[&str]) -> String {
    let output = on_data(&fleet.data, args);
    assert!(!output.status.success(), "{args:?}: {}", text(&output.stdout));
    text(&output.stderr)
}

fn state(report: &Value, name: &str) -> String {
    target(report, name)["evacuation"]["state"].as_str().unwrap_or_default().to_owned()
}

/// Starts the service again with a bandwidth limit, or without one.
fn with_limit(fleet: Fleet, bytes_per_s: Option<u64>) -> Fleet {
    let config = fleet.scratch.join("fleet.toml");
    let held = fs::read_to_string(&config).unwrap();
    let lines = held.lines().filter(|line| !line.starts_with("upkeep_bytes_per_s")).map(|line| format!("{line}\n"));
    let limit = bytes_per_s.map(|limit| format!("{SETTINGS}upkeep_bytes_per_s = {limit}\n"));
    let text: String = lines.collect();
    fs::write(&config, limit.map_or(text.clone(), |limit| text.replace(SETTINGS, &limit))).unwrap();
    fleet.start_again(|_| ())
}

#[test]
fn a_firm_is_left_by_a_date_through_a_restart_a_kill_and_another_firms_failure() {
    let Some(fleet) = Fleet::grown("a firm is left by a date") else { return };
    // Slowly, so that something can happen meanwhile.
    let mut fleet = with_limit(fleet, Some(1_000_000));
    fleet.until("all is settled again", settled);
    let kept = fleet.kept_but_at("");

    let unknown = refused(&fleet, &["provider", "evacuate", "nobody", "--by", "2099-01-01"]);
    assert!(unknown.contains("no provider is called nobody"), "{unknown}");
    assert!(refused(&fleet, &["provider", "evacuate", "dav", "--by", "2012-01-19"]).contains("is over"));
    let still = refused(&fleet, &["provider", "retire", "dav"]);
    assert!(still.contains("still counts") && still.contains("Evacuate it first"), "{still}");
    assert!(refused(&fleet, &["provider", "evacuate", "dav", "--pause"]).contains("nobody ordered"));

    // A date that cannot be met: in seconds.
    let soon = done(Command::new("date").args(["-u", "-d", "+4 seconds", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap());
    done(on_data(&fleet.data, &["provider", "evacuate", "dav", "--by", soon.trim()]));
    assert!(refused(&fleet, &["provider", "evacuate", "dav", "--by", "2099-01-01"]).contains("already"));
    let late = fleet.until("the forecast says that the date is missed", |report| {
        target(report, "dav")["evacuation"]["late_s"].as_u64() > Some(0)
    });
    let said = done(on_data(&fleet.data, &["provider", "show", "dav"]));
    assert!(said.contains("will be missed by") && said.contains("safe without it"), "{said}");
    assert!(target(&late, "dav")["evacuation"]["help"]["safe_s"].is_u64(), "{late}");
    assert!(late["jobs"].as_array().unwrap().iter().any(|job| job["kind"] == "evacuating"), "{late}");

    // Uploads go on, the service is killed, and another firm cannot be reached.
    let sending = fleet.keep_sending("meanwhile");
    sending.goes_on(2);
    let (sent, _) = sending.end();
    fleet.sent.extend(sent);
    let Fleet { server, firms, token, data, sent, scratch } = fleet;
    server.kill();
    let server = Server::start_with(&data, &["--config", scratch.join("fleet.toml").to_str().unwrap()]);
    let fleet = Fleet { server, firms, token, data, sent, scratch };
    assert_eq!(order(&fleet, "dav")["order"], target(&late, "dav")["evacuation"]["order"], "the same order");
    done(on_data(&fleet.data, &["provider", "evacuate", "dav", "--pause"]));
    assert_eq!(order(&fleet, "dav")["state"], "paused");
    let fleet = with_limit(fleet, None);
    assert_eq!(order(&fleet, "dav")["state"], "paused");
    fleet.firm("box").vanish();
    fleet.until("another firm is down", |report| is(report, "box", "down"));
    done(on_data(&fleet.data, &["provider", "evacuate", "dav", "--resume"]));
    fleet.check();
    let report = fleet.until("it is evacuated, without the other one", |report| state(report, "dav") == "evacuated");
    let certificate = &target(&report, "dav")["evacuation"]["certificate"];
    // Which of both a pack is depends on what was read of its other lanes meanwhile.
    let packs = ["packs_read", "packs_listed"].map(|way| certificate[way].as_u64().unwrap_or(0));
    assert!(packs.iter().sum::<u64>() > 0, "{certificate}");
    fleet.check();
    fleet.still_keeps(&kept);

    // Both are gone: what is left is enough.
    fleet.firm("dav").vanish();
    fleet.until("it is down", |report| is(report, "dav", "down"));
    fleet.check();
    fleet.firm("dav").come_back();
    fleet.firm("box").come_back();
    fleet.until("both are back", |report| is(report, "dav", "up") && is(report, "box", "up"));

    // Only now, on another order, it is forgotten; what lies there may stay.
    let there = names(&fleet.firm("dav").root);
    done(on_data(&fleet.data, &["provider", "retire", "dav", "--keep-shards"]));
    fleet.until("it is retired", |report| is(report, "dav", "retired"));
    assert!(there.is_subset(&names(&fleet.firm("dav").root)), "nothing was deleted there");
    fleet.check();
    let gone = refused(&fleet, &["provider", "evacuate", "dav", "--by", "2099-01-01"]);
    assert!(gone.contains("nothing is to be done"), "{gone}");
}
