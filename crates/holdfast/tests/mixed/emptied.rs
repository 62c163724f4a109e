//! A firm answers and holds nothing; or it comes back with what it held before.

use std::{fs, path::Path};

use testkit::servers::apache;

use crate::fleet::{Fleet, is, settled, target};

/// Everything in a folder goes, the folder stays.
fn empty(root: &Path) {
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }
}

/// Copies a folder's content, so that a server may change the copy as it could the original.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let into = to.join(entry.file_name());
        if entry.path().is_dir() {
            apache::make_folder(&into).unwrap();
            copy(&entry.path(), &into);
        } else {
            fs::copy(entry.path(), into).unwrap();
        }
    }
}

#[test]
fn a_firm_that_was_emptied_is_down_and_all_is_settled_on_the_others() {
    let Some(mut fleet) = Fleet::grown("a firm is emptied while its server runs") else { return };
    for firm in ["dav", "box"] {
        let kept = fleet.kept_but_at(firm);
        empty(&fleet.firm(firm).root);
        fleet.check();
        let report = fleet.until("the report says that the firm holds nothing", |report| {
            is(report, firm, "down") && target(report, firm)["note"].as_str().unwrap().contains("marker is missing")
        });
        assert_eq!(report["files_unreadable"], 0, "{report}");
        fleet.put(&format!("without-{firm}"));
        fleet.until("all is settled without it", |report| settled(report) && is(report, firm, "down"));
        fleet.check();
        fleet.still_keeps(&kept);
        assert!(fleet.firm(firm).names().is_empty(), "what is empty is not taken for ours");
        assert!(!fleet.firm(firm).root.join("holdfast-target").exists(), "no marker is made where one was lost");
    }
    // Three firms are left, and any one of them may go.
    fleet.firm("bucket").vanish();
    fleet.until("the third is down", |report| is(report, "bucket", "down"));
    fleet.check();
}

#[test]
fn a_firm_that_returns_with_old_content_counts_for_what_it_holds() {
    let Some(mut fleet) = Fleet::grown("a firm returns with old content") else { return };
    let old = fleet.scratch.join("old-copy");
    fs::create_dir(&old).unwrap();
    copy(&fleet.firm("dav").root, &old);
    fleet.put("after-the-copy");
    fleet.until("all is settled", settled);
    let kept = fleet.kept_but_at("dav");

    fleet.firm("dav").vanish();
    fleet.until("all is settled without it", |report| settled(report) && is(report, "dav", "down"));
    fleet.put("without-it");
    fleet.check();

    empty(&fleet.firm("dav").root);
    copy(&old, &fleet.firm("dav").root);
    fleet.firm("dav").come_back();
    let back = fleet.until("it is up again and all is settled", |report| settled(report) && is(report, "dav", "up"));
    assert_eq!(back["files_unreadable"], 0, "{back}");
    fleet.check();
    // If its marker was older too, the report says so: what it holds is suspect, counts once it has been read, and what it lacks
    // is found now. Else everything is there at once that the report counts on.
    if target(&back, "dav")["note"].as_str().unwrap().contains("older than it left") {
        fleet.scrub();
        fleet.until("all is settled when everything was read", settled);
    }
    let scrubbed = fleet.scrub();
    assert_eq!((&scrubbed["damaged"], &scrubbed["missing"]), (&0.into(), &0.into()), "{scrubbed}");
    fleet.still_keeps(&kept);
    for firm in ["box", "bucket"] {
        fleet.firm(firm).vanish();
        fleet.until("it is down", |report| is(report, firm, "down"));
        fleet.check();
        fleet.firm(firm).come_back();
        fleet.until("it is up", |report| is(report, firm, "up"));
    }
}
