//! Mail through a real server: STARTTLS, a login, and what happens when it refuses, hangs or dies.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests look at the folders of a real service and wait for a real server")]

mod common;

use std::{fs, net::TcpListener, path::PathBuf, time::Duration};

use common::{
    Answer, Scratch, Server, holdfast,
    hooked::{receiver, verified},
    request, succeed, text,
};
use serde_json::{Value, json};
use testkit::{
    server::skip,
    servers::aiosmtpd::{self, MailServer},
};

const OWNER: &str = "correct horse";
/// Looks, 50 ms apart: the limit only keeps a broken program from hanging the test.
const LOOKS: usize = 1_200;

fn ask(server: &Server, cookie: &str, method: &str, path: &str, body: &Value) -> Answer {
    let cookie = format!("Cookie: {cookie}");
    request(&server.url, "", method, path, &[&cookie, "Accept-Language: de-DE"], body.to_string().as_bytes())
}

fn cookie_of(answer: &Answer) -> String {
    let set = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    set.split(';').next().unwrap().to_owned()
}

/// The mail of this number, once it has come.
fn mail(mails: &MailServer, number: usize) -> String {
    for _ in 0..LOOKS {
        if let Some(mail) = mails.mails().unwrap().get(number) {
            return mail.clone();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("mail {number} never came: {:?} {}", mails.mails().unwrap(), mails.log());
}

/// A text as quoted-printable or as it is, without its soft line ends.
fn unfolded(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("\r\n", "\n").replace("=3D", "=")
}

fn code(mail: &str, view: &str) -> String {
    let mail = unfolded(mail);
    let start = mail.find(&format!("https://files.example/{view}#")).unwrap_or_else(|| panic!("{mail}"));
    mail[start..].split_once('#').unwrap().1.split_whitespace().next().unwrap().to_owned()
}

fn configured(scratch: &Scratch, mails: &MailServer) -> PathBuf {
    let mut config = String::from("[settings]\ntrial = true\n");
    for name in ["a", "b", "c"] {
        fs::create_dir_all(scratch.join(name)).unwrap();
        let path = scratch.join(name);
        config += &format!("[[provider]]\nname = \"{name}\"\n[[provider.target]]\npath = \"{}\"\n", path.display());
    }
    config += &format!(
        "[webhooks]\ninner_addresses = [\"127.0.0.0/8\"]\n[mail]\nserver = \"{}\"\nfrom = \"Attic <attic@files.example>\"\nlogin = \"mail.login\"\naddress = \"https://files.example/\"\n",
        mails.address()
    );
    let login = format!("user={}\npassword={}\n", aiosmtpd::USER, aiosmtpd::PASSWORD);
    fs::write(scratch.join("mail.login"), login).unwrap();
    let file = scratch.join("holdfast.toml");
    fs::write(&file, config).unwrap();
    file
}

#[test]
fn a_code_comes_by_mail_and_opens_the_account_again() {
    if skip("mail through a real server", aiosmtpd::PROGRAM) {
        return;
    }
    let (scratch, mails) = (Scratch::new(), MailServer::start().unwrap());
    let config = configured(&scratch, &mails);
    let more = ["--config", config.to_str().unwrap()];
    let server = Server::start_trusting(&scratch.join("data"), &mails.certificate(), &more);
    let claim = server.page.split_once("/join#").unwrap().1;
    let sign_up = json!({ "invitation": claim, "name": "alice", "password": OWNER });
    let cookie = cookie_of(&ask(&server, "", "POST", "/api/v1/accounts", &sign_up));
    let about: Value = serde_json::from_slice(&ask(&server, "", "GET", "/api/v1/service", &json!({})).body).unwrap();
    assert_eq!(about["mail"], true);

    let wish = json!({ "address": "alice@people.example", "password": OWNER });
    assert_eq!(ask(&server, &cookie, "PUT", "/api/v1/mail", &wish).status, 204);
    let first = mail(&mails, 0);
    assert!(first.starts_with("TO: alice@people.example\n"), "{first}");
    for header in
        ["From: Attic <attic@files.example>", "Auto-Submitted: auto-generated", "Message-ID: <", "Subject: Holdfast: "]
    {
        assert!(first.contains(header), "{header} in {first}");
    }
    let confirm = json!({ "code": code(&first, "mail") });
    assert_eq!(ask(&server, "", "POST", "/api/v1/mail/confirm", &confirm).status, 204);

    // What the server says is told to the operator who tries it, and a good try is one mail.
    for (mode, said) in [("refuse", "nobody here is called so"), ("later", "come back later"), ("die", "")] {
        mails.will(mode).unwrap();
        let answer = ask(&server, &cookie, "POST", "/api/v1/service/mail", &json!({}));
        let problem = text(&answer.body);
        assert!(answer.status == 502 && problem.contains("mail_failed") && problem.contains(said), "{mode}: {problem}");
    }
    mails.will("take").unwrap();
    assert_eq!(ask(&server, &cookie, "POST", "/api/v1/service/mail", &json!({})).status, 204);
    assert!(mail(&mails, 1).contains("Holdfast: Mail geht"));

    // A mail outlives a kill while it is carried: it waits in the catalogue.
    mails.will("hang").unwrap();
    let (forgot, before) = (json!({ "name": "alice@people.example" }), mails.hung());
    assert_eq!(ask(&server, "", "POST", "/api/v1/password/forgot", &forgot).status, 204);
    while mails.hung() == before {
        std::thread::sleep(Duration::from_millis(50));
    }
    server.kill();
    mails.will("take").unwrap();
    let server = Server::start_trusting(&scratch.join("data"), &mails.certificate(), &more);
    let reset = json!({ "code": code(&mail(&mails, 2), "reset"), "new": "battery staple" });
    let cookie = cookie_of(&ask(&server, "", "POST", "/api/v1/password/reset", &reset));
    assert!(unfolded(&mail(&mails, 3)).contains("Passwort"), "that it was changed");
    assert_eq!(ask(&server, &cookie, "GET", "/api/v1/session", &json!({})).status, 200);
    server.stop();
}

#[test]
fn a_server_that_cannot_show_who_it_is_gets_no_mail() {
    if skip("mail to a server with another's certificate", aiosmtpd::PROGRAM) {
        return;
    }
    let (scratch, mails, other) = (Scratch::new(), MailServer::start().unwrap(), MailServer::start().unwrap());
    let config = configured(&scratch, &mails);
    let more = ["--config", config.to_str().unwrap()];
    let server = Server::start_trusting(&scratch.join("data"), &other.certificate(), &more);
    let claim = server.page.split_once("/join#").unwrap().1;
    let sign_up = json!({ "invitation": claim, "name": "alice", "password": OWNER });
    let cookie = cookie_of(&ask(&server, "", "POST", "/api/v1/accounts", &sign_up));
    let wish = json!({ "address": "alice@people.example", "password": OWNER });
    assert_eq!(ask(&server, &cookie, "PUT", "/api/v1/mail", &wish).status, 204, "it waits");
    // The service goes on, and stops in good order with a mail in its queue.
    assert_eq!(ask(&server, &cookie, "GET", "/api/v1/session", &json!({})).status, 200);
    server.stop();
    assert!(mails.mails().unwrap().is_empty());
}

#[test]
fn what_a_firm_files_reaches_its_reader_by_mail_and_a_signed_webhook() {
    if skip("mail of a notice", aiosmtpd::PROGRAM) {
        return;
    }
    let (scratch, mails) = (Scratch::new(), MailServer::start().unwrap());
    let config = configured(&scratch, &mails);
    let more = ["--config", config.to_str().unwrap()];
    let server = Server::start_trusting(&scratch.join("data"), &mails.certificate(), &more);
    let claim = server.page.split_once("/join#").unwrap().1;
    let sign_up = json!({ "invitation": claim, "name": "alice", "password": OWNER });
    let cookie = cookie_of(&ask(&server, "", "POST", "/api/v1/accounts", &sign_up));
    let wish = json!({ "address": "alice@people.example", "password": OWNER });
    assert_eq!(ask(&server, &cookie, "PUT", "/api/v1/mail", &wish).status, 204);
    let confirm = json!({ "code": code(&mail(&mails, 0), "mail") });
    assert_eq!(ask(&server, "", "POST", "/api/v1/mail/confirm", &confirm).status, 204);
    let made = |method: &str, path: &str, wish: &Value| -> Value {
        let answer = ask(&server, &cookie, method, path, wish);
        assert_eq!(answer.status, 201, "{path}: {}", text(&answer.body));
        serde_json::from_slice(&answer.body).unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pager = format!("http://{}/in", listener.local_addr().unwrap());
    let hook = made("POST", "/api/v1/webhooks", &json!({ "address": pager, "events": ["notice.waits"] }));
    let called = receiver(listener, vec![204]);

    let servers = json!([{ "name": "s1", "targets": [scratch.join("b")] }]);
    let lease = made("POST", "/api/v1/leases", &json!({ "provider": "b", "contract": "B-1", "servers": servers }));
    let desk = made("POST", &format!("/api/v1/leases/{}/desk", lease["id"].as_str().unwrap()), &json!({}));
    let (path, token) = (desk["path"].as_str().unwrap(), desk["token"].as_str().unwrap());
    let filing =
        json!({ "text": "we take s1 back", "servers": ["s1"], "deadline": "2099-01-02T00:00:00Z" }).to_string();
    let filed = request(&server.url, token, "POST", path, &[], filing.as_bytes());
    assert_eq!(filed.status, 201, "{}", text(&filed.body));

    let told = unfolded(&mail(&mails, 1));
    assert!(
        told.starts_with("TO: alice@people.example\n") && told.contains("Subject: Holdfast: eine Mitteilung"),
        "{told}"
    );
    let filed: Value = serde_json::from_slice(&filed.body).unwrap();
    let id = filed["notice"].as_str().unwrap();
    let line = format!("- b, bis 2099-01-02: we take s1 back [{id}]");
    assert!(told.contains(&line) && told.contains("https://files.example/fleet/notices\n"), "{told}");
    let secret = hook["secret"].as_str().unwrap();
    for hidden in [token, secret, OWNER, &cookie] {
        assert!(!told.contains(hidden), "{told}");
    }
    let event = verified(&called.recv_timeout(Duration::from_secs(60)).unwrap(), secret);
    assert_eq!(event["type"], "notice.waits");
    assert!(!event.to_string().contains("s1"), "{event}");

    // As the mail says.
    let data = scratch.join("data");
    let mut took_note = holdfast(&["notice", "ack", id, "--data"]);
    took_note.arg(&data);
    succeed(took_note);
    let mut list = holdfast(&["notice", "ls", "--json", "--data"]);
    list.arg(&data);
    let list: Value = serde_json::from_str(&succeed(list)).unwrap();
    assert_eq!(list["notices"][0]["state"], "acknowledged", "{list}");
    assert_eq!(mails.mails().unwrap().len(), 2);
    server.stop();
}
