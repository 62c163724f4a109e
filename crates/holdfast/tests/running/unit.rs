//! The unit for systemd.

use std::{fs, process::Command};

use testkit::server::skip;

use crate::{
    common::{Scratch, text},
    repository,
};

/// The most that `systemd-analyze security` may count, from 0 (nothing left to take away) to 100.
const EXPOSURE_MAX: u32 = 30;

#[test]
fn systemd_takes_the_unit_and_finds_it_shut_off() {
    if skip("systemd_takes_the_unit_and_finds_it_shut_off", "systemd-analyze") {
        return;
    }
    let scratch = Scratch::new();
    let unit = scratch.join("holdfast.service");
    // It is checked, too, whether the program is there.
    let written = fs::read_to_string(repository("deploy/systemd/holdfast.service")).unwrap();
    let here = written.replace("/usr/local/bin/holdfast", env!("CARGO_BIN_EXE_holdfast"));
    assert_ne!(here, written);
    fs::write(&unit, here).unwrap();
    let limit = format!("--threshold={EXPOSURE_MAX}");
    for args in [&["verify", "--man=no"][..], &["security", "--offline=true", "--no-pager", &limit]] {
        let output = Command::new("systemd-analyze").args(args).arg(&unit).output().unwrap();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{args:?}: {said}");
        assert!(args[0] != "verify" || !said.contains("holdfast.service"), "{said}");
    }
}
