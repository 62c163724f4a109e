//! All firms but one are gone, and come back one by one.

use std::fs;

use crate::{
    common::text,
    fleet::{Fleet, is, on_data, read, send, settled, up},
};

#[test]
fn with_one_firm_left_the_service_says_what_cannot_be_read_and_all_of_it_comes_back() {
    let Some(mut fleet) = Fleet::grown("all firms but one are gone") else { return };
    let kept = fleet.kept_but_at("");
    let (birch, away) = (fleet.scratch.join("birch"), fleet.scratch.join("birch-is-away"));
    fs::rename(&birch, &away).unwrap();
    fleet.firms.all.iter().for_each(|firm| firm.vanish());
    let report = fleet.until("one firm is left", |report| up(report) == 1);
    assert!(is(&report, "amber", "up"), "{report}");
    let report = fleet.until("the report says what is not safe", |report| {
        report["files_unreadable"].as_u64() > Some(0) && report["scheme"].is_null()
    });
    let unreadable = report["files_unreadable"].as_u64().unwrap();
    let listed = fleet.server.client(&fleet.token, &["ls", "--json", "/before"]).output().unwrap();
    assert!(text(&listed.stdout).contains("unreadable"), "{}", text(&listed.stdout));

    // What can be read is right, what cannot says so, and there are as many of these as the report says.
    let refused = |fleet: &Fleet| -> Vec<String> {
        fleet.sent.iter().filter_map(|sent| read(&fleet.server.url, &fleet.token, sent).err()).collect()
    };
    let refusals = refused(&fleet);
    assert_eq!(refusals.len() as u64, unreadable, "{refusals:?}");
    assert!(refusals.iter().all(|refusal| refusal.contains("cannot be read now")), "{refusals:?}");
    for (at, bytes) in [900, 40_000, 3_000_000].into_iter().enumerate() {
        let refusal = send(&fleet.server.url, &fleet.token, &format!("new/{at}"), 77, bytes).err().unwrap();
        assert!(
            refusal.contains("\"unsafe\"") && refusal.contains("survive the loss of any one provider"),
            "{refusal}"
        );
    }
    assert!(on_data(&fleet.data, &["fleet"]).status.success());

    let mut left = refusals.len();
    for (at, name) in ["box", "dav", "bucket", "birch"].into_iter().enumerate() {
        if name == "birch" {
            fs::rename(&away, &birch).unwrap();
        } else {
            fleet.firm(name).come_back();
        }
        let report = fleet.until("it is up again", |report| is(report, name, "up"));
        assert_eq!(up(&report), at + 2, "{report}");
        let now = refused(&fleet).len();
        assert!(now <= left, "what could be read can be read: {now} of {left}");
        left = now;
    }
    assert_eq!(left, 0);
    fleet.put("after");
    let report = fleet.until("all is settled again", settled);
    assert_eq!((&report["files_unreadable"], up(&report)), (&0.into(), 5), "{report}");
    fleet.check();
    fleet.still_keeps(&kept);
}
