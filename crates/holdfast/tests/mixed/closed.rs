//! A firm closes the account while files are sent: it answers, and refuses everything.

use testkit::{
    server::Server as Other,
    servers::{apache, rclone},
};

use crate::{
    common::text,
    fleet::{Fleet, dav_login, done, is, key_login, on_data, s3_login, settled, target, up},
};

const OTHER: &str = "another-secret-of-the-test";

/// The firm lets in nobody who logs in as before. Returns the login that it takes now, and a server that must be held.
fn close(fleet: &Fleet, firm: &str) -> (String, Option<Other>) {
    let firms = &fleet.firms;
    match firm {
        "dav" => {
            apache::change_password(&firms.dav).unwrap();
            (dav_login(apache::OTHER_SECRET), None)
        }
        "box" => {
            let key = firms.ssh.change_key().unwrap();
            fleet.firm(firm).proxy.cut();
            (key_login(&key), None)
        }
        _ => {
            let other = rclone::s3_of(&firms.s3, OTHER).unwrap();
            fleet.firm(firm).proxy.lead_to(other.address());
            fleet.firm(firm).proxy.cut();
            (s3_login(OTHER), Some(other))
        }
    }
}

#[test]
fn a_firm_that_closes_the_account_is_named_and_done_without_until_it_takes_a_login_again() {
    let Some(mut fleet) = Fleet::grown("a firm closes the account") else { return };
    let mut held = Vec::new();
    for (firm, said) in [("dav", "refuses the login"), ("box", "the login of user"), ("bucket", "refuses the login")] {
        let kept = fleet.kept_but_at("");
        let sending = fleet.keep_sending(&format!("while-{firm}"));
        sending.goes_on(3);
        let (login, server) = close(&fleet, firm);
        held.push(server);
        // Another one may answer 500 once while it is busy, and is done without for that moment too.
        fleet.until("the report says whose login is refused, and all can be read without it", |report| {
            let names_it = is(report, firm, "down") && target(report, firm)["note"].as_str().unwrap().contains(said);
            names_it && up(report) == 4 && report["files_unreadable"] == 0
        });
        let shown = done(on_data(&fleet.data, &["fleet"]));
        let line = shown.lines().find(|line| line.starts_with(firm)).unwrap();
        assert!(line.contains(said) && shown.contains("holdfast target login ADDRESS"), "{shown}");
        assert!(!shown.contains("secret-of-the-test") && !shown.contains("PRIVATE KEY"), "a secret is told: {shown}");
        sending.goes_on(4);
        let (sent, refusals) = sending.end();
        assert!(refusals.is_empty(), "four firms take uploads: {refusals:?}");
        fleet.sent.extend(sent);
        fleet.check();
        fleet.until("all is settled without it", |report| settled(report) && is(report, firm, "down"));

        let wrong = fleet.enter_login(firm, &fleet.firm(firm).login);
        let answer = text(&wrong.stderr);
        assert!(!wrong.status.success() && answer.contains(said) && answer.contains("not changed"), "{answer}");
        done(fleet.enter_login(firm, &login));
        fleet.until("it counts again", |report| settled(report) && is(report, firm, "up"));
        let there = fleet.firm(firm).names();
        fleet.put(&format!("after-{firm}"));
        let new =
            fleet.firm(firm).names().into_iter().filter(|path| path.starts_with("shards") && !there.contains(path));
        assert!(new.count() > 0, "new shards go to {firm} again");
        fleet.check();
        fleet.still_keeps(&kept);
    }
    let scrubbed = fleet.scrub();
    assert_eq!((&scrubbed["damaged"], &scrubbed["missing"]), (&0.into(), &0.into()), "{scrubbed}");
    // The logins that work now are those that the next start opens.
    let fleet = fleet.start_again(|_| ());
    fleet.until("all five are up after a restart", |report| settled(report) && crate::fleet::up(report) == 5);
    fleet.check();
}
