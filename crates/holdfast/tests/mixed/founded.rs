//! A service that never had a folder: founded on buckets that a configuration file names, and started again without the file.

use std::{fs, path::PathBuf};

use testkit::{
    server::{Server as Other, skip},
    servers::rclone,
};

use crate::{
    common::{Scratch, Server, holdfast, noise, request, text},
    fleet::{s3_login, until},
};

const BUCKETS: [&str; 3] = ["amber", "birch", "cedar"];

/// Three buckets at one server, each a provider's; the configuration, and the login file that it names.
fn buckets(scratch: &Scratch) -> (Other, PathBuf, PathBuf) {
    let server = rclone::s3().unwrap();
    let mut lines = "[settings]\ndown_wait_s = 2\npack_after_s = 1\n".to_owned();
    for name in BUCKETS {
        fs::create_dir(server.folder().join("root").join(name)).unwrap();
        lines += &format!("[[provider]]\nname = \"{name}\"\n[[provider.target]]\n");
        lines += &format!("address = \"s3://{name}?endpoint=http://{}\"\nlogin = \"s3.login\"\n", server.address());
    }
    let (config, login) = (scratch.join("fleet.toml"), scratch.join("s3.login"));
    fs::write(&config, lines).unwrap();
    fs::write(&login, s3_login(rclone::SECRET)).unwrap();
    (server, config, login)
}

/// A start that is refused; what it says.
fn refused(scratch: &Scratch, config: &str) -> String {
    let data = scratch.join("refused");
    let output =
        holdfast(&["serve", "--listen", "127.0.0.1:0", "--config", config, "--data"]).arg(&data).output().unwrap();
    assert!(!output.status.success(), "it started");
    assert!(!data.join("catalogue").join("catalogue.sqlite").exists(), "a service was founded");
    text(&output.stderr)
}

#[test]
fn a_service_is_founded_on_three_buckets_and_needs_no_file_afterwards() {
    if skip("a service is founded on buckets alone", rclone::PROGRAM) {
        return;
    }
    let scratch = Scratch::new();
    let (_server, config, login) = buckets(&scratch);
    let server = Server::start_with(&scratch.join("data"), &["--config", config.to_str().unwrap()]);
    let token = server.token();
    let files = [("inline", 900), ("small", 40_000), ("large", 5_000_000)];
    for (name, bytes) in files {
        let path = format!("/api/v1/files/{name}");
        assert_eq!(request(&server.url, &token, "PUT", &path, &[], &noise(7, bytes)).status, 201, "{name}");
    }
    let data = server.data.clone();
    server.kill();
    // The logins lie in the catalogue now, sealed.
    fs::remove_file(login).unwrap();
    fs::remove_file(config).unwrap();
    let server = Server::start(&data);
    let token = server.token();
    for (name, bytes) in files {
        let answer = request(&server.url, &token, "GET", &format!("/api/v1/files/{name}"), &[], &[]);
        assert_eq!(answer.status, 200, "{name}: {}", text(&answer.body));
        assert!(answer.body == noise(7, bytes), "{name}");
    }
    // A server that failed once is down until it was looked at again.
    let report = until(&data, "three firms, 5+4", |report| report["scheme"] == "5+4");
    assert_eq!(report["providers"].as_array().unwrap().len(), 3);
    assert_eq!(report["trial"], false, "{report}");
}

#[test]
fn a_file_that_names_what_cannot_be_founds_nothing() {
    if skip("a file that names what cannot be founds nothing", rclone::PROGRAM) {
        return;
    }
    let scratch = Scratch::new();
    let (server, config, login) = buckets(&scratch);
    let config_name = config.to_str().unwrap();
    let lines = fs::read_to_string(&config).unwrap();
    let full = server.folder().join("root").join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("Holiday.jpg"), b"a photo").unwrap();
    fs::write(&config, lines.replace("s3://cedar", "s3://full")).unwrap();
    let said = refused(&scratch, config_name);
    assert!(said.contains("Holiday.jpg") && said.contains("s3://full"), "{said}");
    fs::write(&config, &lines).unwrap();
    let good = fs::read_to_string(&login).unwrap();
    fs::write(&login, good.replace(rclone::SECRET, "another-secret")).unwrap();
    let said = refused(&scratch, config_name);
    assert!(said.contains("login") && !said.contains("another-secret"), "{said}");
    fs::remove_file(&login).unwrap();
    let said = refused(&scratch, config_name);
    assert!(said.contains("s3.login"), "{said}");
    fs::write(&config, lines.replace("login = \"s3.login\"\n", "")).unwrap();
    let said = refused(&scratch, config_name);
    assert!(said.contains("wants a login") && said.contains("secret_access_key"), "{said}");
    fs::write(&login, good).unwrap();
    fs::write(&config, lines.replace("s3://birch", "s3://amber")).unwrap();
    let said = refused(&scratch, config_name);
    assert!(said.contains("twice"), "{said}");
    fs::write(&config, lines.replace("s3://birch", "s3://nowhere")).unwrap();
    let said = refused(&scratch, config_name);
    assert!(said.contains("nowhere"), "{said}");
    // Nothing was left behind that stands in the way of the right file.
    fs::write(&config, lines).unwrap();
    let _server = Server::start_with(&scratch.join("data"), &["--config", config_name]);
}
