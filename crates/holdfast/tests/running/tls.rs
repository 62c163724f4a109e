//! TLS that ends in the service: certificates from files, and from an authority.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use testkit::{
    proxy::Proxy,
    server::skip,
    servers::pebble::{self, CERTIFICATE, DIRECTORY, self_signed},
};

use crate::common::{Scratch, Server, holdfast, noise, succeed, text};

/// A data folder whose configuration ends with this.
fn configured(data: &Path, tables: &str) {
    if !data.exists() {
        Server::start(data).stop();
    }
    let file = data.join("holdfast.toml");
    let config = fs::read_to_string(&file).unwrap();
    let config = config.split("\n# Tables").next().unwrap();
    fs::write(&file, format!("{config}\n# Tables\n{tables}")).unwrap();
}

fn curl(args: &[&str]) -> Command {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "60", "--noproxy", "*"]).args(args);
    command
}

/// The digest of the certificate that is shown at an address.
fn shown(url: &str) -> String {
    let address = url.strip_prefix("https://").unwrap();
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", address, "-servername", "localhost"]).stdin(Stdio::null());
    let found = client.output().unwrap().stdout;
    let pem = text(&found);
    pem.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap_or_default().split("-----END").next().unwrap().to_owned()
}

fn port(url: &str) -> &str {
    url.rsplit(':').next().unwrap()
}

#[test]
fn certificates_from_files_are_taken_while_connections_stay() {
    let story = "certificates_from_files_are_taken_while_connections_stay";
    if skip(story, "openssl") || skip(story, "curl") {
        return;
    }
    let scratch = Scratch::new();
    let data = scratch.join("data");
    self_signed(scratch.path(), "localhost", 30).unwrap();
    let (cert, key) = (scratch.join(CERTIFICATE), scratch.join("key.pem"));
    let tables =
        format!("[tls]\ncert = {cert:?}\nkey = {key:?}\nhttp = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n");
    configured(&data, &tables);
    let server = Server::start(&data);
    assert!(
        server.url.starts_with("https://") && server.page.starts_with("https://"),
        "{} {}",
        server.url,
        server.page
    );
    let url = format!("https://localhost:{}", port(&server.url));
    let trusted = cert.with_file_name("trusted.pem");
    fs::copy(&cert, &trusted).unwrap();
    let ca = trusted.to_str().unwrap();

    // Whoever speaks plain HTTP is sent here.
    let http = server.out.wait(|line| line.starts_with("http: "));
    let http = http.strip_prefix("http: ").unwrap().split(' ').next().unwrap().replace("127.0.0.1", "localhost");
    let sent = succeed(curl(&["-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", &format!("{http}/s/abc?x=1")]));
    assert_eq!(sent, format!("308 {url}/s/abc?x=1"));

    let token = server.token();
    let bearer = format!("Authorization: Bearer {token}");
    let file = scratch.join("file");
    fs::write(&file, noise(9, 4_000_000)).unwrap();
    let address = format!("{url}/api/v1/files/f");
    succeed(curl(&["--cacert", ca, "-H", &bearer, "-T", file.to_str().unwrap(), &address]));
    let slow = curl(&[
        "--cacert",
        ca,
        "-H",
        &bearer,
        "--limit-rate",
        "800k",
        "-o",
        scratch.join("back").to_str().unwrap(),
        &address,
    ])
    .spawn()
    .unwrap();

    // Half of a new pair changes nothing; the whole of it does, without a restart.
    let first = shown(&url);
    let other = scratch.join("other");
    fs::create_dir(&other).unwrap();
    self_signed(&other, "localhost", 60).unwrap();
    fs::copy(other.join(CERTIFICATE), &cert).unwrap();
    server.signal(rustix::process::Signal::HUP);
    server.log.wait(|line| line.contains("the certificate stays the one it was"));
    assert_eq!(shown(&url), first);
    fs::copy(other.join("key.pem"), &key).unwrap();
    server.log.wait(|line| line.contains("another certificate is shown"));
    assert_ne!(shown(&url), first);
    let old = curl(&["--cacert", ca, &format!("{url}/healthz")]).output().unwrap();
    assert!(!old.status.success(), "the old one is not shown any more");
    assert!(slow.wait_with_output().unwrap().status.success());
    assert!(fs::read(scratch.join("back")).unwrap() == fs::read(&file).unwrap(), "what began before went on");

    let open = server.out.wait(|line| line.starts_with("metrics: "));
    let page = succeed(curl(&[open.strip_prefix("metrics: ").unwrap()]));
    let line = page.lines().find(|line| line.starts_with("holdfast_certificate_expires_timestamp_seconds ")).unwrap();
    assert!(line.split(' ').nth(1).unwrap().parse::<u64>().unwrap() > 1_700_000_000, "{line}");
    assert!(page.contains("holdfast_certificate_failures_total 1\n"), "{page}");
    // Cookies of a browser that came over https are for https alone.
    let head = succeed(curl(&[
        "-k",
        "-i",
        "-X",
        "POST",
        "-H",
        "Content-Type: application/json",
        "-d",
        "{}",
        &format!("{url}/api/v1/session"),
    ]));
    assert!(head.starts_with("HTTP/1.1 4"), "{head}");
    server.stop();

    fs::write(&key, "no key").unwrap();
    let refused = crate::common::refused_start(&data, &[]);
    assert!(text(&refused.stderr).contains("private key"), "{}", text(&refused.stderr));
    let doctor = doctor(&data);
    let line = doctor.lines().find(|line| line.contains("certificate:")).unwrap();
    assert!(line.starts_with("BAD"), "{doctor}");
}

fn doctor(data: &Path) -> String {
    let mut command = holdfast(&["doctor", "--data"]);
    text(&command.arg(data).output().unwrap().stdout)
}

#[test]
fn an_authority_gives_a_certificate_and_its_absence_takes_none_away() {
    let story = "an_authority_gives_a_certificate_and_its_absence_takes_none_away";
    if skip(story, "openssl") || skip(story, "curl") || skip(story, pebble::PROGRAM) {
        return;
    }
    let scratch = Scratch::new();
    let data = scratch.join("data");
    // The authority comes to a port that is known before the service has one.
    let way = Proxy::start("127.0.0.1:1".parse().unwrap()).unwrap();
    let authority = pebble::start(way.address().port()).unwrap();
    let directory = format!("https://localhost:{}{DIRECTORY}", authority.port());
    let tables = |name: &str| {
        format!(
            "[tls]\nhttp = \"127.0.0.1:0\"\n[tls.acme]\ndirectory = \"{directory}\"\nnames = [\"{name}\"]\nterms_agreed = true\n\
             contact = \"mailto:attic@example.org\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n"
        )
    };
    configured(&data, &tables("localhost"));
    let trusts = authority.folder().join(CERTIFICATE);
    let server = Server::start_trusting(&data, &trusts, &[]);
    let http = server.out.wait(|line| line.starts_with("http: "));
    way.lead_to(http.strip_prefix("http: http://").unwrap().split(' ').next().unwrap().parse().unwrap());
    // Should it have come before there was a way to us, it is asked again when we are told to look.
    while !server.log.lines().iter().any(|line| line.contains("the authority gave a certificate")) {
        thread::sleep(Duration::from_secs(1));
        server.signal(rustix::process::Signal::HUP);
    }
    let url = format!("https://localhost:{}", port(&server.url));
    assert_eq!(succeed(curl(&["-k", &format!("{url}/healthz")])), "ok\n");
    let first = shown(&url);
    assert!(!first.is_empty());
    server.stop();

    // It is kept: no authority is asked at the next start. One that is away takes nothing.
    drop(authority);
    let server = Server::start_trusting(&data, &trusts, &[]);
    let url = format!("https://localhost:{}", port(&server.url));
    assert_eq!(shown(&url), first);
    server.stop();
    configured(&data, &tables("other.localhost"));
    let server = Server::start_trusting(&data, &trusts, &[]);
    let url = format!("https://localhost:{}", port(&server.url));
    server.log.wait(|line| line.contains("no certificate was got"));
    assert_eq!(shown(&url), first);
    let open = server.out.wait(|line| line.starts_with("metrics: "));
    let open = open.strip_prefix("metrics: ").unwrap().to_owned();
    while !succeed(curl(&[&open])).contains("holdfast_certificate_failures_total 1\n") {
        thread::sleep(Duration::from_millis(50));
    }
    server.stop();
}
