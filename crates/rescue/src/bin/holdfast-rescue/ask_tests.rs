//! What is asked, and what is made of the answers.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use fleet::Login;

use super::{Named, Questions};

const BOX: &str = "webdav+https://box.example/dav";
const BUCKET: &str = "s3://shards?endpoint=https://s3.example";
const SSH: &str = "sftp://me@box.example/srv?host_key=SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8";

/// The login that these answers give, and all that was shown.
fn check(address: &str, answers: &str, expected: Option<&[(&str, &str)]>) -> String {
    let mut shown = Vec::new();
    let login = Questions::new(answers.as_bytes(), &mut shown, || None).login_for("a firm", address).unwrap();
    let expected =
        expected.map(|pairs| Login::new(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string()))));
    assert_eq!(login.as_ref().map(Login::pairs), expected.as_ref().map(Login::pairs), "{address}: {answers:?}");
    let shown = String::from_utf8(shown).unwrap();
    for secret in ["secret", "pass word"] {
        assert!(!shown.contains(&format!("{secret}!")), "{shown}");
    }
    shown
}

#[test]
fn a_login_is_asked_for_value_by_value() {
    let user = ("user", "me");
    check(BOX, "yes\nme\nsecret!\n", Some(&[user, ("password", "secret!")]));
    check(BOX, "y\n me \n \"pass word!\" \r\n", Some(&[user, ("password", " \"pass word!\" ")]));
    check(BUCKET, "y\nid\nsecret!\n", Some(&[("access_key_id", "id"), ("secret_access_key", "secret!")]));
}

#[test]
fn who_has_none_is_asked_once() {
    for answers in ["", "\n", "no\n", "N\n"] {
        let shown = check(BOX, answers, None);
        assert_eq!(shown.matches('?').count(), 1, "{shown}");
        assert!(shown.contains(&format!("Do you have a login for a firm ({BOX})?")), "{shown}");
    }
    for answers in ["yes\n", "yes\n\n", "yes\nme\n\n", "yes\nme\n"] {
        assert!(check(BOX, answers, None).contains("Going on without it."));
    }
    let shown = check(BOX, "secret!\n\n", None);
    assert!(shown.contains("Please answer yes or no."), "{shown}");
}

#[test]
fn a_server_of_ssh_wants_a_password_or_a_key() {
    let shown = check(SSH, "yes\nsecret!\n", Some(&[("password", "secret!")]));
    assert!(!shown.contains("private SSH key"), "{shown}");
    let file = std::env::temp_dir().join(format!("holdfast-rescue-key-{}", std::process::id()));
    std::fs::write(&file, "the key\n").unwrap();
    let answers = format!("yes\n\n/no/such/file\n{}\nsecret!\n", file.display());
    let shown = check(SSH, &answers, Some(&[("key", "the key\n"), ("passphrase", "secret!")]));
    assert!(shown.contains("That file cannot be read"), "{shown}");
    check(SSH, &format!("yes\n\n{}\n\n", file.display()), Some(&[("key", "the key\n")]));
    check(SSH, "yes\n\n\n", None);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn places_are_folders_or_addresses() {
    let ask = |answers: &str, there_is_one| {
        let mut shown = Vec::new();
        let places = Questions::new(answers.as_bytes(), &mut shown, || None).places(there_is_one);
        (places, String::from_utf8(shown).unwrap())
    };
    let here = std::env::temp_dir();
    let (places, shown) = ask(&format!("\n/no/such\nsftp://box/x\n{BOX}\n{}\n\n", here.display()), false);
    assert_eq!(places.unwrap(), [Named::Server(BOX.to_owned()), Named::Folder(here)]);
    assert!(shown.contains("There is no folder /no/such.") && shown.contains("the form is sftp://USER@"), "{shown}");
    assert_eq!(ask("\n", true).0.unwrap(), []);
    assert_eq!(ask("", true).0.unwrap(), []);
    assert!(ask("\n", false).0.is_err());
    assert_eq!(Named::of(Path::new("a/b")), Named::Folder("a/b".into()));
}
