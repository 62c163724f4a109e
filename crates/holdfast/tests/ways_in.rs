//! Ways into an account beside its password, on a real service: passkeys after the catalogue and a firm are lost, and an
//! OpenID Connect provider of others, with curl for a browser.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service")]

mod common;

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::{Answer, Scratch, Server, holdfast, request, succeed, text};
use serde_json::{Value, json};
use service::base64::url::{decode, encode};
use testkit::{authenticator::Authenticator, server};

const PASSWORD: &str = "correct horse";
/// What the requests of these tests say that they come to.
const HOST: &str = "x";

/// A browser: what it asks, and the cookie that it has from then on.
#[derive(Default)]
struct Browser(String);

impl Browser {
    fn ask(&mut self, server: &Server, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = request(&server.url, "", method, path, &[&format!("Cookie: {}", self.0)], &body);
        if let Some(set) = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")) {
            set.split(';').next().unwrap().clone_into(&mut self.0);
        }
        answer
    }
}

fn of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}{}", answer.head, text(&answer.body)))
}

fn claim(server: &Server) -> Browser {
    let mut browser = Browser::default();
    let code = server.page.split_once("/join#").unwrap().1;
    let sign_up = json!({ "invitation": code, "name": "alice", "password": PASSWORD });
    assert_eq!(browser.ask(server, "POST", "/api/v1/accounts", sign_up).status, 201);
    browser
}

/// Makes a passkey; what the device calls it, and its line.
fn make(server: &Server, browser: &mut Browser, device: &mut Authenticator) -> (Vec<u8>, Value) {
    let asked = of(&browser.ask(server, "POST", "/api/v1/passkeys/challenge", json!({ "password": PASSWORD })));
    let options = &asked["options"]["publicKey"];
    assert_eq!(options["rp"]["id"], "x");
    let user = decode(options["user"]["id"].as_str().unwrap()).unwrap();
    let made = device.make(options["challenge"].as_str().unwrap(), &user);
    let credential = json!({ "rawId": encode(&made.credential), "response": {
        "clientDataJSON": encode(&made.client_data), "attestationObject": encode(&made.attestation),
    }});
    let body = json!({ "challenge": asked["challenge"], "label": "phone", "credential": credential });
    let answer = browser.ask(server, "POST", "/api/v1/passkeys", body);
    assert_eq!(answer.status, 201, "{}", text(&answer.body));
    (made.credential, of(&answer))
}

fn sign_in(server: &Server, device: &mut Authenticator, credential: &[u8]) -> (u16, Value) {
    let mut browser = Browser::default();
    let asked = of(&browser.ask(server, "POST", "/api/v1/session/passkey/challenge", json!({})));
    let signed = device.sign(credential, asked["options"]["publicKey"]["challenge"].as_str().unwrap());
    let credential = json!({ "rawId": encode(&signed.credential), "response": {
        "clientDataJSON": encode(&signed.client_data), "authenticatorData": encode(&signed.authenticator_data),
        "signature": encode(&signed.signature), "userHandle": encode(&signed.user),
    }});
    let body = json!({ "challenge": asked["challenge"], "credential": credential });
    let answer = browser.ask(server, "POST", "/api/v1/session/passkey", body);
    (answer.status, of(&answer))
}

#[test]
fn passkeys_survive_the_catalogue_and_a_firm() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let server = Server::start(&data);
    let mut alice = claim(&server);
    let mut device = Authenticator::at(HOST);
    device.counter = 1;
    let (kept, _) = make(&server, &mut alice, &mut device);
    let (removed, line) = make(&server, &mut alice, &mut device);
    assert_eq!(sign_in(&server, &mut device, &kept).0, 200);
    let address = format!("/api/v1/passkeys/{}", line["id"].as_str().unwrap());
    assert_eq!(alice.ask(&server, "DELETE", &address, Value::Null).status, 204);

    server.kill();
    fs::remove_dir_all(data.join("catalogue")).unwrap();
    fs::remove_dir_all(data.join("providers/birch")).unwrap();
    let (new, identity) = (scratch.join("rebuilt"), data.join("keys/service-identity.txt"));
    let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
    command.arg(&new).arg("--target").args(fs::read_dir(data.join("providers")).unwrap().map(|it| it.unwrap().path()));
    succeed(command);
    let server = Server::start(&new);
    let (status, me) = sign_in(&server, &mut device, &kept);
    assert_eq!((status, &me["account"]["name"]), (200, &json!("alice")));
    assert_eq!(sign_in(&server, &mut device, &removed).0, 401, "what was removed stays so");
    server.stop();
}

/// The provider with its packages, in a folder of the test's; `None` where they cannot be had, which is said aloud.
fn packages(scratch: &Scratch) -> Option<PathBuf> {
    const STORY: &str = "signing in at an OpenID Connect provider of others";
    if server::skip(STORY, "node") || server::skip(STORY, "npm") || server::skip(STORY, "curl") {
        return None;
    }
    let (from, folder) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provider"), scratch.join("provider"));
    fs::create_dir(&folder).unwrap();
    for file in ["package.json", "package-lock.json", "provider.mjs"] {
        fs::copy(from.join(file), folder.join(file)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]);
    let output = npm.current_dir(&folder).stdin(Stdio::null()).output().unwrap();
    if !output.status.success() {
        server::skipped(STORY, "the packages of `oidc-provider` cannot be had from the npm registry");
        return None;
    }
    Some(folder)
}

/// The provider, which knows whoever comes as `account`.
fn provider(folder: &Path, account: &str, back: &str) -> server::Server {
    server::Server::start("node", |command, port, _| {
        command.arg("provider.mjs").current_dir(folder);
        command.env("PORT", port.to_string()).env("ACCOUNT", account).env("BACK", back);
        Ok(())
    })
    .unwrap()
}

/// Where a browser ends up that goes to a door of the service and wherever it is sent from there.
fn surf(jar: &Path, address: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-L", "--max-redirs", "9", "-o", "/dev/null", "-w", "%{url_effective}"]);
    curl.args(["-H", "Sec-Fetch-Site: same-origin", "-b"]).arg(jar).arg("-c").arg(jar).arg(address);
    succeed(curl)
}

fn me(jar: &Path, server: &Server) -> Value {
    let mut curl = Command::new("curl");
    curl.arg("-s").arg("-b").arg(jar).arg(format!("{}/api/v1/session", server.url));
    serde_json::from_str(&succeed(curl)).unwrap()
}

#[test]
fn whoever_a_provider_vouches_for_gets_in() {
    let scratch = Scratch::new();
    let Some(folder) = packages(&scratch) else { return };
    let data = scratch.join("data");
    // A first start, for a port that the provider can be told of.
    let first = Server::start(&data);
    claim(&first);
    let url = first.url.clone();
    first.stop();
    let door = format!("{url}/api/v1/session/oidc");
    let provider_of = |account: &str| provider(&folder, account, &format!("{door}/back"));
    let zolw = provider_of("id-of-zolw");
    fs::write(data.join("oidc.secret"), "s&cret of ours\n").unwrap();
    let table = format!(
        "\n[oidc]\nissuer = \"http://{}\"\nclient_id = \"holdfast\"\nclient_secret_file = \"oidc.secret\"\nname = \"School\"\nsign_up = true\n",
        zolw.address()
    );
    let mut config = OpenOptions::new().append(true).open(data.join("holdfast.toml")).unwrap();
    config.write_all(table.as_bytes()).unwrap();
    let server = Server::start_again(&data, &url);
    let about = of(&Browser::default().ask(&server, "GET", "/api/v1/service", Value::Null));
    assert_eq!(about["oidc"]["name"], "School");

    let jar = scratch.join("jar");
    assert_eq!(surf(&jar, &door), format!("{url}/"));
    let account = me(&jar, &server)["account"].clone();
    assert_eq!((&account["name"], &account["oidc"]["subject_name"]), (&json!("Żółw"), &json!("Żółw")));
    // In another browser, which the provider has not seen yet either.
    let other = scratch.join("other");
    assert_eq!(surf(&other, &door), format!("{url}/"));
    assert_eq!(me(&other, &server)["account"]["name"], "Żółw");
    drop(zolw);
    assert_eq!(surf(&scratch.join("third"), &format!("{door}/back?state=00&code=x")), format!("{url}/oidc/expired"));
    server.stop();
}
