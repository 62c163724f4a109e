//! Addresses as people write them.

use std::path::PathBuf;

use super::{Address, S3Address, SftpAddress, WebDavAddress};
use crate::Error;

const KEY: &str = "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8";

fn check(text: &str, expected: Address) {
    match Address::parse(text) {
        Ok(found) => assert_eq!(found, expected, "{text}"),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn refused(text: &str, reason: &str) {
    match Address::parse(text) {
        Err(Error::BadAddress { reason: found, .. }) => assert!(found.contains(reason), "{text}: {found}"),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn every_form_is_read() {
    check("/srv/a b", Address::Directory(PathBuf::from("/srv/a b")));
    let s3 = |bucket: &str, root: &str, region: &str, path_style| {
        Address::S3(S3Address {
            endpoint: "https://s3.firm.example:9000".to_owned(),
            region: region.to_owned(),
            bucket: bucket.to_owned(),
            root: root.to_owned(),
            path_style,
            lock_days: None,
        })
    };
    check("s3://shards?endpoint=https://s3.firm.example:9000", s3("shards", "", "us-east-1", true));
    check(
        "s3://shards/holdfast/a/?region=eu-1&endpoint=https%3A//s3.firm.example:9000&style=host",
        s3("shards", "holdfast/a", "eu-1", false),
    );
    match Address::parse("s3://shards?endpoint=https://h&lock_days=30") {
        Ok(Address::S3(address)) => assert_eq!(address.lock_days, Some(30)),
        other => panic!("{other:?}"),
    }
    for days in ["0", "3651", "soon", "-1"] {
        refused(&format!("s3://shards?endpoint=https://h&lock_days={days}"), "lock_days");
    }
    check(
        "webdav+http://127.0.0.1:81/dav/x/",
        Address::WebDav(WebDavAddress { url: "http://127.0.0.1:81/dav/x/".to_owned() }),
    );
    for (text, user, host, port, root) in [
        ("me@box.example.net/srv/x", "me", "box.example.net", 22, "/srv/x"),
        ("me@[::1]:2222/~/x/", "me", "::1", 2222, "x"),
        ("a%40b@h:1/", "a@b", "h", 1, "/"),
    ] {
        match Address::parse(&format!("sftp://{text}?host_key={KEY}")) {
            Ok(Address::Sftp(found, _)) => {
                let expected =
                    SftpAddress { host: host.to_owned(), port, user: user.to_owned(), root: root.to_owned() };
                assert_eq!(found, expected, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_the_form() {
    refused("ftp://x/y", "begins with s3://");
    refused("s3://b", "endpoint=");
    refused("s3://b?endpoint=https://h&endpoint=https://h", "twice");
    refused("s3://b?endpoint=https://h&key=x", "no 'key'");
    refused("s3://b?endpoint=https://h%zz", "hex");
    refused("sftp://box/x", "sftp://USER@HOST");
    refused(&format!("sftp://me:hush@box/x?host_key={KEY}"), "login");
    refused("sftp://me@box/x", "host_key=");
    refused("sftp://me@box/x?host_key=md5:aa", "host key");
    refused("webdav+https://h/x?y=1", "nothing follows");
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    for text in [
        format!("sftp://me:pass@word/1@box.example/srv?host_key={KEY}"),
        "webdav+https://me:pass@word/1@box.example/dav".to_owned(),
        "ftp://me:pass@word/1@box.example/dav".to_owned(),
    ] {
        match Address::parse(&text) {
            Err(error) => {
                let said = error.to_string();
                assert!(!said.contains("pass@") && !said.contains("word/1"), "{said}");
                assert!(said.contains("://me:...@box.example"), "{said}");
            }
            Ok(address) => panic!("{address:?}"),
        }
    }
}
