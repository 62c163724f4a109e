//! The story of 2012 to 2017, played by the real program on a small folder.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "tests make the folders that the program plays with")]

mod common;

use std::fs;

use common::{Scratch, holdfast, noise, text};

#[test]
fn files_survive_a_firm_the_catalogue_and_the_operator() {
    let scratch = Scratch::new();
    let (folder, work) = (scratch.join("files"), scratch.join("work"));
    fs::create_dir_all(folder.join("photos/2012")).unwrap();
    fs::create_dir(&work).unwrap();
    for number in 0..30_u64 {
        let content = noise(number, 1_000 + number as usize * 7_919);
        fs::write(folder.join(format!("photos/2012/{number}.jpg")), content).unwrap();
    }
    fs::write(folder.join("film"), noise(99, 5 << 20)).unwrap();
    fs::write(folder.join("nothing"), b"").unwrap();
    let mut command = holdfast(&["reenact", "--servers-in", "16", "--work"]);
    let played = command.arg(&work).arg(&folder).output().unwrap();
    let said = text(&played.stdout);
    assert_eq!(played.status.code(), Some(0), "{said}\n{}", text(&played.stderr));
    let mut rest = said.as_str();
    for expected in [
        "carpathia 69, leaseweb 40, cogent 3",
        "a recovery kit is made, before the first file",
        "32 files",
        "at leaseweb lie ",
        "leaseweb wipes its 40 servers",
        "nothing is left of leaseweb",
        "after the wipe: 32 of 32 acknowledged files are equal",
        "everything is settled on two firms",
        "catalogue and keys are deleted",
        "after the rescue: 32 of 32 acknowledged files are equal",
        "nothing was lost",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("'{expected}' is missing, or too early:\n{said}"));
        rest = &rest[at + expected.len()..];
    }
    assert!(!said.contains("leaseweb lie 0 shards"), "{said}");
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0, "the play cleans up");
}

#[test]
fn folders_that_would_show_nothing_are_refused() {
    let scratch = Scratch::new();
    fs::write(scratch.join("note"), noise(1, 2_048)).unwrap();
    let small = holdfast(&["reenact"]).arg(scratch.path()).output().unwrap();
    assert_eq!(small.status.code(), Some(2), "{}", text(&small.stderr));
    assert!(text(&small.stderr).contains("larger than 2 KiB"), "{}", text(&small.stderr));
    let inside = holdfast(&["reenact", "--work"]).arg(scratch.path()).arg(scratch.path()).output().unwrap();
    assert_eq!(inside.status.code(), Some(2), "{}", text(&inside.stderr));
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "nothing was made");
}
