//! What `holdfast doctor` says of a service that is well, of one that is not, and of one that cannot start.

use std::{fs, path::Path};

use serde_json::Value;

use crate::common::{Scratch, Server, holdfast, text};

/// Exit code, and the findings by what was looked at.
fn examined(data: &Path) -> (Option<i32>, Vec<Value>) {
    let mut command = holdfast(&["doctor", "--json", "--data"]);
    let output = command.arg(data).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let findings = said["findings"].as_array().unwrap().clone();
    for finding in &findings {
        assert_eq!(finding["state"] == "ok", finding["todo"].is_null(), "whatever is not well has a remedy: {finding}");
    }
    (output.status.code(), findings)
}

fn state<'f>(findings: &'f [Value], what: &str) -> &'f Value {
    let found = findings.iter().find(|finding| finding["what"].as_str().unwrap().starts_with(what));
    &found.unwrap_or_else(|| panic!("nothing of {what} in {findings:?}"))["state"]
}

#[test]
fn each_thing_that_a_service_rests_on_is_looked_at() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let (code, findings) = examined(&data);
    for what in ["data folder", "space", "time", "configuration", "certificate", "mail", "clocks", "kits"] {
        assert_eq!(state(&findings, what), "ok", "{findings:?}");
    }
    let targets = findings.iter().filter(|finding| finding["what"].as_str().unwrap().starts_with("target "));
    assert_eq!(targets.count(), 6);
    assert_eq!(state(&findings, "operator's kit"), "warn", "none was made");
    assert_eq!(state(&findings, "what is kept"), "warn", "a trial on one disk");
    assert_eq!(code, Some(1));

    // A firm that holds another's marker, one that holds none, and keys that others can read.
    fs::remove_file(data.join("providers/cedar/holdfast-target")).unwrap();
    let (from, to) = (data.join("providers/delta/holdfast-target"), data.join("providers/ember/holdfast-target"));
    fs::copy(from, to).unwrap();
    let keys = data.join("keys/service-identity.txt");
    fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let (code, findings) = examined(&data);
    assert_eq!(code, Some(5));
    assert_eq!(state(&findings, "data folder"), "bad");
    for (name, is) in [("amber", "ok"), ("cedar", "bad"), ("delta", "ok"), ("ember", "bad")] {
        let what = format!("target {}", data.join("providers").join(name).display());
        assert_eq!(state(&findings, &what), is, "{findings:?}");
    }
    let mut command = holdfast(&["doctor", "--data"]);
    let said = text(&command.arg(&data).output().unwrap().stdout);
    assert!(said.contains("BAD   data folder:") && said.contains("-> chmod 600 "), "{said}");
    server.stop();
}

#[test]
fn a_service_that_cannot_start_is_told_why() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    Server::start(&data).stop();
    let file = data.join("holdfast.toml");
    let config = fs::read_to_string(&file).unwrap();
    let mail =
        "[mail]\nserver = \"smtp+plain://127.0.0.1:1\"\nfrom = \"a@b.example\"\naddress = \"https://b.example\"\n";
    fs::write(&file, format!("{config}\n{mail}")).unwrap();
    let (code, findings) = examined(&data);
    assert_eq!((code, state(&findings, "mail")), (Some(5), &Value::from("bad")), "nobody answers there");
    assert_eq!(state(&findings, "target "), "ok", "the folder is opened where no service holds it");

    fs::write(&file, config.replace("[settings]", "[settings]\nspeed = 9")).unwrap();
    let (code, findings) = examined(&data);
    assert_eq!((code, state(&findings, "configuration")), (Some(5), &Value::from("bad")));
    assert_eq!(state(&findings, "service"), "bad");
    assert!(findings.iter().any(|finding| finding["said"].as_str().unwrap().contains("speed")), "{findings:?}");
    let mut nowhere = holdfast(&["doctor", "--data"]);
    assert_eq!(nowhere.arg(scratch.join("nowhere")).output().unwrap().status.code(), Some(3));
}
