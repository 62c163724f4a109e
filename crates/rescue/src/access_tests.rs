//! Which places are read with which login.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use fleet::{Login, Logins};
use format::KitAddress;
use testkit::world::real_world;

use super::{Access, NamedBy};

const BOX: &str = "webdav+https://box.example/dav";
const BUCKET: &str = "s3://shards?endpoint=https://s3.example";

fn known(driver: &str, address: &str) -> KitAddress {
    KitAddress { provider: "a firm".to_owned(), driver: driver.to_owned(), address: address.to_owned() }
}

fn access(logins: &str) -> Access {
    Access::new(Logins::parse(logins).unwrap(), real_world())
}

fn read(access: &Access) -> Vec<String> {
    access.targets().unwrap().into_iter().map(|(address, _)| address).collect()
}

#[test]
fn a_login_opens_what_the_kit_names_and_the_rest_is_told_of() {
    let mut access = access(&format!("[{BOX}]\nuser=me\npassword=secret-1\n"));
    let named = [known("webdav", BOX), known("s3", BUCKET), known("dir", "/srv/a"), known("dir", "/srv/b")];
    let new = access.offer(&named, NamedBy::Kit, &mut |path: &Path| path == Path::new("/srv/a"));
    assert_eq!(new, [BOX, "/srv/a"]);
    assert_eq!(read(&access), new);
    let told: Vec<_> = access.shut().iter().map(ToString::to_string).collect();
    let wanted =
        format!("also kept at {BUCKET} (a firm): whoever has a login there can name it with --target and --logins");
    assert_eq!(told, [wanted]);
    assert!(!format!("{access:?}").contains("secret-1"));

    let pairs = [("access_key_id", "me"), ("secret_access_key", "secret-2")];
    let typed = Login::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    access.add_with(BUCKET, typed).unwrap();
    assert!(access.shut().is_empty());
    assert_eq!(access.offer(&named, NamedBy::Book, &mut |_| false), [""; 0], "nothing twice");
}

#[test]
fn a_common_login_is_not_told_to_whom_a_book_names() {
    let mut access = access("user=me\npassword=secret\n");
    assert_eq!(access.offer(&[known("webdav", BOX)], NamedBy::Book, &mut |_| false), [""; 0]);
    assert_eq!(access.shut()[0].reason, None);
    assert_eq!(access.offer(&[known("webdav", BOX)], NamedBy::Kit, &mut |_| false), [BOX]);
    assert!(access.shut().is_empty());
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_goes_on() {
    let mut access = access("user=me\npassword=secret\n");
    let odd = [known("s3", BUCKET), known("tape", "reel 7"), known("sftp", "sftp://me@box/x"), known("webdav", BOX)];
    assert_eq!(access.offer(&odd, NamedBy::Kit, &mut |_| true), [BOX]);
    let reasons: Vec<_> = access.shut().iter().filter_map(|shut| shut.reason.clone()).collect();
    assert_eq!(reasons.len(), 3);
    for (reason, word) in reasons.iter().zip(["has no 'password'", "the kind 'tape'", "lacks host_key="]) {
        assert!(reason.contains(word), "{reason}");
    }
    assert!(
        access
            .lacks_login("sftp://me@box/x?host_key=SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8")
            .is_ok_and(|lacks| !lacks)
    );
    assert!(access.add(BUCKET).is_err() && access.add("nfs://x").is_err());
}
