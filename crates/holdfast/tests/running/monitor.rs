//! Numbers for a monitor, the rules and the dashboard that use them, and the log.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;
use testkit::server::skip;

use crate::{
    common::{Answer, Scratch, Server, holdfast, noise, request, succeed, text},
    repository,
};

/// Only where TLS ends in the service: `tls` looks at it.
const WITH_TLS: &str = "holdfast_certificate_expires_timestamp_seconds";

/// What begins like the name of a number.
fn names(text: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c: char| !part(c)).filter(|word| word.starts_with("holdfast_"));
    words.map(str::to_owned).collect()
}

fn metrics(url: &str, token: &str) -> String {
    let answer = request(url, token, "GET", "/metrics", &[], b"");
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    text(&answer.body)
}

/// The names that have a value on a page.
fn valued(page: &str) -> BTreeSet<String> {
    page.lines().filter(|line| !line.starts_with('#')).flat_map(|line| names(line).into_iter().next()).collect()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let value = answer.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    value.unwrap_or_else(|| panic!("no {name} in {}", answer.head))
}

#[test]
fn every_number_that_rules_and_dashboard_name_is_there() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    Server::start(&data).stop();
    let mut config = fs::OpenOptions::new().append(true).open(data.join("holdfast.toml")).unwrap();
    config.write_all(b"\n[metrics]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let server = Server::start(&data);
    let token = server.token();
    let put = |path: &str, bytes: usize| {
        let answer = request(&server.url, &token, "PUT", &format!("/api/v1/files/{path}"), &[], &noise(3, bytes));
        assert_eq!(answer.status, 201);
    };
    put("hidden-name/of-a-file", 3_000_000);
    assert_eq!(request(&server.url, &token, "GET", "/api/v1/files/hidden-name/of-a-file", &[], b"").status, 200);

    let rules = fs::read_to_string(repository("deploy/prometheus/alerts.yml")).unwrap();
    let dashboard = fs::read_to_string(repository("deploy/grafana/holdfast.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let asked = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let asked: Vec<&str> = asked.map(|target| target["expr"].as_str().unwrap()).collect();
    let mut named = names(&asked.join("\n"));
    assert!(named.len() > 20, "{named:?}");
    named.extend(names(&rules));
    assert!(named.remove(WITH_TLS));
    // Upkeep counts in its rounds.
    let open = server.out.wait(|line| line.starts_with("metrics: "));
    let open = open.strip_prefix("metrics: ").unwrap().strip_suffix("/metrics").unwrap();
    let mut page = metrics(open, "");
    for _ in 0..600 {
        if named.is_subset(&valued(&page)) {
            break;
        }
        thread::sleep(Duration::from_millis(100));
        page = metrics(open, "");
    }
    let lacking: Vec<_> = named.difference(&valued(&page)).cloned().collect();
    assert!(lacking.is_empty(), "{lacking:?} in\n{page}");

    for said in ["hidden-name", "of-a-file", "owner", data.to_str().unwrap()] {
        assert!(!page.contains(said), "{said} in\n{page}");
    }
    for line in [
        "holdfast_margin{provider=\"amber\"} 1\n",
        "holdfast_below_safe{kind=\"packs\"} 0\n",
        "holdfast_repair_backlog_bytes 0\n",
        "holdfast_door_requests_total{door=\"files\",method=\"change\",status=\"2xx\"} 1\n",
        "holdfast_door_bytes_total{door=\"files\",method=\"read\"} 3000000\n",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
    assert!(names(&metrics(&server.url, &token)).is_superset(&named));
    assert_eq!(request(&server.url, "", "GET", "/metrics", &[], b"").status, 401, "on the service's own port");
    assert_eq!(request(open, "", "GET", "/api/v1/files/", &[], b"").status, 404, "numbers and nothing else");
    server.stop();
    promtool(&["check", "metrics"], &page);
}

#[test]
fn rules_hold_what_their_tests_say() {
    let folder = repository("deploy/prometheus");
    let path = |name: &str| folder.join(name).display().to_string();
    promtool(&["check", "rules", &path("alerts.yml")], "");
    promtool(&["test", "rules", &path("alerts_test.yml")], "");
    promtool(&["check", "config", "--syntax-only", &path("scrape.yml")], "");
}

fn promtool(args: &[&str], input: &str) {
    if skip(&format!("promtool {}", args[..2].join(" ")), "promtool") {
        return;
    }
    let mut command = Command::new("promtool");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_provider_that_is_gone_is_seen() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let token = server.token();
    assert_eq!(request(&server.url, &token, "PUT", "/api/v1/files/a", &[], &noise(5, 2_000_000)).status, 201);
    fs::remove_dir_all(data.join("providers/cedar")).unwrap();
    let seen = |line: &str| metrics(&server.url, &token).contains(line);
    while !seen("holdfast_provider_up{provider=\"cedar\"} 0\n") || seen("holdfast_below_settled{kind=\"packs\"} 0\n") {
        thread::sleep(Duration::from_millis(50));
    }
    // A trial waits ten seconds for a firm; then the lanes are made elsewhere.
    while !seen("holdfast_repair_backlog_bytes 0\n") || seen("holdfast_repaired_bytes_total 0\n") {
        thread::sleep(Duration::from_millis(100));
    }
    server.stop();
}

/// The lines of requests in a log, as JSON.
fn requests(server: &Server) -> Vec<Value> {
    let lines = server.log.lines();
    let all = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    all.filter(|line| line["message"] == "request").collect()
}

#[test]
fn a_request_leaves_one_line_with_its_id_and_no_name() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start_with(&data, &["--log", "json"]);
    let token = server.token();
    let path = "/api/v1/files/papers/hidden-name";
    assert_eq!(request(&server.url, &token, "PUT", path, &[], &[7; 5_000]).status, 201);
    let mine = ["X-Request-Id: from-anybody"];
    let answer = request(&server.url, &token, "GET", path, &mine, b"");
    let id = header(&answer, "x-request-id").to_owned();
    assert_ne!(id, "from-anybody", "nobody named this machine as a proxy");
    server.log.wait(|line| line.contains(&id));
    let lines = requests(&server);
    let [line] = lines.iter().filter(|line| line["id"] == id.as_str()).collect::<Vec<_>>()[..] else {
        panic!("{lines:?}")
    };
    assert_eq!((&line["method"], &line["route"]), (&"GET".into(), &"/api/v1/files/{*path}".into()));
    assert_eq!((&line["status"], &line["bytes"], &line["cut"]), (&200.into(), &5_000.into(), &false.into()));
    assert!(line["ms"].is_u64() && line["timestamp"].is_string() && line["level"] == "INFO", "{line}");
    for said in ["hidden-name", "papers", &token] {
        assert!(!server.log.lines().iter().any(|line| line.contains(said)), "{said}: {:?}", server.log.lines());
    }
    server.stop();

    let server = Server::start_with(&data, &["--proxy", "127.0.0.1"]);
    for (given, taken) in [("proxy-17.a_b", true), ("two words", false), (&"x".repeat(65), false)] {
        let answer = request(&server.url, "", "GET", "/healthz", &[&format!("X-Request-Id: {given}")], b"");
        assert_eq!(header(&answer, "x-request-id") == given, taken, "{given}");
    }
    let line = server.log.wait(|line| line.contains("proxy-17.a_b"));
    assert!(line.contains("route=\"/healthz\"") && line.contains("status=200"), "{line}");
    server.stop();
}

#[test]
fn an_address_that_others_reach_is_refused_unless_it_is_said_twice() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    Server::start(&data).stop();
    let file = data.join("holdfast.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{config}\n[metrics]\nlisten = \"0.0.0.0:0\"\n")).unwrap();
    let output = crate::common::refused_start(&data, &[]);
    let said = text(&output.stderr);
    assert!(said.contains("open_to_network") && said.contains("hint:"), "{said}");
    let mut help = holdfast(&["serve", "--help"]);
    help.env("COLUMNS", "100");
    assert!(succeed(help).contains("--log"));
}
