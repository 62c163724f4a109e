//! A user at the command line: signs in, finds and removes files, sees what takes space, signs out.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use common::{Scratch, Server, holdfast, request, succeed, text};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

const PASSWORD: &str = "correct horse battery";

/// A command of somebody whose home is `home`, who knows of no service but by `login`.
fn at_home(home: &Path, args: &[&str]) -> Command {
    let mut command = holdfast(args);
    command.env("HOME", home).env_remove("XDG_CONFIG_HOME").env("XDG_STATE_HOME", home.join("state"));
    command
}

/// Signs in, with the password on standard input; exit code and what was said.
fn login(home: &Path, url: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut command = at_home(home, &["login", url, "--name", "alice", "--password-stdin"]);
    let mut child =
        command.args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// Takes the service over as alice; her session's cookie.
fn claim(server: &Server) -> String {
    let code = server.page.split_once("/join#").unwrap().1;
    let body = json!({ "invitation": code, "name": "alice", "password": PASSWORD });
    let answer = request(&server.url, "", "POST", "/api/v1/accounts", &[], body.to_string().as_bytes());
    assert_eq!(answer.status, 201);
    let set = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn who_is_signed_in_needs_no_token_and_leaves_none_behind() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let home = scratch.join("home");
    fs::create_dir(&home).unwrap();
    let stranger = at_home(&home, &["ls"]).output().unwrap();
    assert_eq!(stranger.status.code(), Some(2));
    assert!(text(&stranger.stderr).contains("holdfast login URL"), "{}", text(&stranger.stderr));
    claim(&server);
    let (code, said) = login(&home, &format!("{}/", server.url), &[]);
    assert_eq!((code, said.as_str()), (Some(0), format!("signed in to {} as alice\n", server.url).as_str()));
    let kept = home.join(".config/holdfast/login");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);

    // Signing in again leaves no token behind, and a password goes to no other machine in clear.
    assert_eq!(login(&home, &server.url, &[]).0, Some(0));
    let (code, said) = login(&home, "http://files.example", &[]);
    assert!(code == Some(2) && said.contains("not encrypted"), "{said}");
    let home = |args: &[&str]| at_home(&home, args);
    for (name, bytes) in [("Summer plan.md", 1_000), ("beach.jpg", 70_000), ("old.txt", 10)] {
        fs::write(scratch.join(name), vec![7; bytes]).unwrap();
        succeed({
            let mut put = home(&["put"]);
            put.arg(scratch.join(name)).arg("/things/");
            put
        });
    }
    assert_eq!(succeed(home(&["find", "plan", "SUMMER"])), "/things/Summer plan.md\n");
    assert_eq!(succeed(home(&["find", "--kind", "image", "--larger", "70kB"])), "/things/beach.jpg\n");
    assert_eq!(succeed(home(&["find", "--kind", "folder"])), "/things/\n");
    assert_eq!(home(&["find", "nowhere"]).status().unwrap().code(), Some(3));
    assert!(succeed(home(&["du", "/"])).starts_with("   71.0 kB  things/\n"));
    let used: Value = serde_json::from_str(&succeed(home(&["du", "--json"]))).unwrap();
    assert_eq!(
        used,
        json!({ "used_bytes": 71_010, "quota_bytes": null, "current_bytes": 71_010, "older_bytes": 0, "trash_bytes": 0 })
    );

    succeed(home(&["rm", "things/old.txt"]));
    assert!(succeed(home(&["trash", "ls"])).trim_end().ends_with("/things/old.txt"));
    succeed(home(&["trash", "restore", "things/old.txt"]));
    assert_eq!(succeed(home(&["trash", "ls"])), "");
    succeed(home(&["rm", "things/old.txt"]));
    assert_eq!(succeed(home(&["trash", "empty"])), "1 erased for good\n");

    // Who runs the service limits an account, and what does not fit is told so.
    succeed(home(&["account", "quota", "alice", "100kB"]));
    assert!(succeed(home(&["account", "ls"])).starts_with("alice  operator  71.0 kB of 100.0 kB"));
    let mut full = home(&["put"]);
    let full = full.arg(scratch.join("beach.jpg")).arg("/again.jpg").output().unwrap();
    assert_eq!(full.status.code(), Some(1));
    assert!(text(&full.stdout).contains("71.0 kB of the 100.0 kB"), "{}", text(&full.stdout));
    let done = succeed(home(&["account", "quota", "alice", "none", "--json"]));
    assert_eq!(done.trim(), r#"{"name":"alice","quota_bytes":null}"#);
    // Who alone runs the service is not deleted.
    let refused = home(&["account", "delete", "alice"]).output().unwrap();
    assert_eq!((refused.status.code(), text(&refused.stdout).as_str()), (Some(2), ""), "{}", text(&refused.stderr));

    let tokens: Value = serde_json::from_str(&succeed(home(&["token", "ls", "--json"]))).unwrap();
    assert_eq!(tokens.as_array().unwrap().len(), 1);
    let token = fs::read_to_string(&kept).unwrap();
    let token = token.lines().find_map(|line| line.strip_prefix("token=")).unwrap();
    assert_eq!(request(&server.url, token, "GET", "/api/v1/session", &[], b"").status, 200);
    succeed(home(&["logout"]));
    assert!(!kept.exists());
    assert_eq!(request(&server.url, token, "GET", "/api/v1/session", &[], b"").status, 401, "it was withdrawn");
    assert_eq!(home(&["logout"]).status().unwrap().code(), Some(3));
    server.stop();
}

#[test]
fn a_program_s_token_goes_no_further_than_its_scope() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let owner = server.token();
    let file = scratch.join("letter.txt");
    fs::write(&file, b"dear all").unwrap();
    let put = |token: &str, to: &str| {
        let mut command = server.client(token, &["put"]);
        command.arg(&file).arg(to).output().unwrap()
    };
    assert!(put(&owner, "/letter.txt").status.success());
    let made = |scope: &str| -> Value {
        let mut command = holdfast(&["token", "create", "--account", "owner", "--scope", scope, "--json", "--data"]);
        command.arg(&server.data);
        serde_json::from_str(&succeed(command)).unwrap()
    };
    let (read, files) = (made("read"), made("files"));
    assert_eq!((&read["scope"], &files["scope"]), (&json!("read"), &json!("files")));
    let (reads, changes) = (read["token"].as_str().unwrap(), files["token"].as_str().unwrap());

    assert!(succeed(server.client(reads, &["ls", "/"])).contains("letter.txt"));
    let refused = put(reads, "/other.txt");
    assert_eq!(refused.status.code(), Some(1));
    let said = format!("{}{}", text(&refused.stdout), text(&refused.stderr));
    assert!(said.contains("look at files and fetch them") && said.contains("token create --scope"), "{said}");
    assert!(put(changes, "/other.txt").status.success());
    let refused = server.client(changes, &["share", "add", "/other.txt"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("change them, and nothing else"), "{}", text(&refused.stderr));

    let lines = succeed(server.client(&owner, &["token", "ls"]));
    for (one, scope) in [(&read, "read"), (&files, "files")] {
        let id = one["id"].as_str().unwrap();
        assert!(lines.lines().any(|line| line.starts_with(&format!("{id}  {scope}"))), "{lines}");
    }
    let id = read["id"].as_str().unwrap();
    let withdrawn: Value =
        serde_json::from_str(&succeed(server.client(&owner, &["token", "rm", "--json", id]))).unwrap();
    assert_eq!(withdrawn, json!({ "event": "withdrawn", "id": id }));
    assert_eq!(request(&server.url, reads, "GET", "/api/v1/session", &[], b"").status, 401);
    server.stop();
}

#[test]
fn a_second_factor_is_asked_for_at_the_command_line_and_taken_away_at_the_machine() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.join("data"));
    let cookie = claim(&server);
    let ask = |method: &str, body: Value| {
        let (door, header) = ("/api/v1/session/second-factor", format!("Cookie: {cookie}"));
        let answer = request(&server.url, "", method, door, &[&header], body.to_string().as_bytes());
        assert_eq!(answer.status, 200);
        serde_json::from_slice::<Value>(&answer.body).unwrap()
    };
    let secret = ask("POST", json!({}))["secret"].as_str().unwrap().to_owned();
    let totp = Builder::new().with_secret(Secret::try_from_base32(&secret).unwrap()).build().unwrap();
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let second = totp.generate(now_s).to_string();
    let codes = ask("PUT", json!({ "password": PASSWORD, "secret": secret, "second": second }));
    let home = scratch.join("home");
    fs::create_dir(&home).unwrap();
    let (code, said) = login(&home, &server.url, &[]);
    assert!(code == Some(2) && said.contains("six digits"), "{said}");
    let (code, said) = login(&home, &server.url, &["--second", codes["codes"][0].as_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    // Not by a session or a token of one's own; whoever is at the machine may.
    assert_eq!(at_home(&home, &["account", "second-factor-off", "alice"]).status().unwrap().code(), Some(2));
    succeed({
        let mut off = holdfast(&["account", "second-factor-off", "alice", "--data"]);
        off.arg(&server.data);
        off
    });
    assert_eq!(login(&home, &server.url, &[]).0, Some(0));
    server.stop();
}

#[test]
fn completions_and_manual_pages_come_from_the_commands() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(succeed(holdfast(&["completions", shell])).contains("second-factor-off"), "{shell}");
    }
    let folder = scratch.join("man1");
    let mut manual = holdfast(&["manual"]);
    manual.arg(&folder);
    succeed(manual);
    assert!(fs::read_to_string(folder.join("holdfast-put.1")).unwrap().contains(".TH"));
}
