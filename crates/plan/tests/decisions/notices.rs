//! What people are told of in time, and how often.

use std::collections::BTreeMap;

use model::{
    fleet::TargetState,
    id::{LeaseId, ProviderId, TargetId},
    leases::{LeaseRow, LeaseState},
};

use plan::{JobSeen, Kits, Seen, UsedUp, due, is_told_again, still_stands};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

fn lease(ends_us: Option<i64>, paid_until_us: Option<i64>, state: LeaseState) -> LeaseRow {
    LeaseRow {
        id: LeaseId([1; 16]),
        provider: ProviderId([2; 16]),
        contract: "A-17".to_owned(),
        servers: Vec::new(),
        price: String::new(),
        month_micros: None,
        currency: String::new(),
        notice_address: String::new(),
        notice_days: 60,
        ends_us,
        paid_until_us,
        state,
        desk: None,
    }
}

fn causes(leases: &[LeaseRow], targets: &[Seen], kits: Kits, now_us: i64) -> Vec<String> {
    let word = |cause: String| cause.split(' ').next().unwrap_or_default().to_owned();
    due(leases, targets, kits, &[], &BTreeMap::new(), now_us).into_iter().map(|due| word(due.cause)).collect()
}

#[test]
fn a_lease_that_lapses_while_nobody_looks_is_told_of_in_time_and_afterwards() {
    let fine = Kits { trial: true, ..Kits::default() };
    let at = |day: i64| causes(&[lease(Some(100 * DAY_US), None, LeaseState::Active)], &[], fine, day * DAY_US);
    assert_eq!(at(9), Vec::<String>::new());
    assert_eq!(at(10), ["lease-ends"], "60 days of notice and 30 to think");
    assert_eq!(at(100), ["lease-over"]);
    assert_eq!(at(900), ["lease-over"], "silence ends nothing");
    let over = lease(Some(0), Some(0), LeaseState::Ended);
    assert_eq!(causes(&[over], &[], fine, 900 * DAY_US), Vec::<String>::new());
    let paid = |day: i64| causes(&[lease(None, Some(100 * DAY_US), LeaseState::Ending)], &[], fine, day * DAY_US);
    assert_eq!((paid(85).len(), paid(86), paid(200)), (0, vec!["payment".to_owned()], vec!["payment-over".to_owned()]));
}

#[test]
fn targets_and_kits() {
    let seen = |state, since_s, is_unmarked| Seen {
        id: TargetId([3; 16]),
        provider: ProviderId([2; 16]),
        address: "/a".to_owned(),
        state,
        since_s,
        is_unmarked,
    };
    for (seen, cause) in [
        (seen(TargetState::Up, 999_999, false), None),
        (seen(TargetState::Down, 60, false), None),
        (seen(TargetState::Down, 6 * 3_600, false), Some("target-down")),
        (seen(TargetState::Down, 60, true), Some("marker-lost")),
        (seen(TargetState::Retired, 999_999, true), None),
    ] {
        let trial = Kits { trial: true, ..Kits::default() };
        assert_eq!(causes(&[], std::slice::from_ref(&seen), trial, 0).first().map(String::as_str), cause, "{seen:?}");
    }
    let kits =
        |made, current, untested| Kits { trial: false, operator_made: made, operator_current: current, untested };
    assert_eq!(causes(&[], &[], kits(false, false, 0), 0), ["operator-kit-missing"]);
    assert_eq!(causes(&[], &[], kits(true, false, 2), 0), ["operator-kit-old", "kits-untested"]);
    assert_eq!(causes(&[], &[], kits(true, true, 0), 0), Vec::<String>::new());
}

#[test]
fn a_firm_that_wiped_hundreds_is_one_notice() {
    let target = |n: u16| Seen {
        id: TargetId(std::array::from_fn(|at| n.to_be_bytes()[at % 2])),
        provider: ProviderId([2; 16]),
        address: format!("/{n}"),
        state: TargetState::Down,
        since_s: 1,
        is_unmarked: true,
    };
    let targets: Vec<_> = (0..630).map(target).collect();
    let found = due(&[], &targets, Kits { trial: true, ..Kits::default() }, &[], &BTreeMap::new(), 0);
    assert_eq!((found.len(), found[0].targets.len()), (1, 630));
    assert!(found[0].text.starts_with("/0, /1, /2, /3, /4 and 625 more without its marker"), "{}", found[0].text);
}

#[test]
fn a_budget_that_is_used_up_is_told_of_once_for_each_firm() {
    let fine = Kits { trial: true, ..Kits::default() };
    let spent = BTreeMap::from([3, 4].map(|n| (ProviderId([n; 16]), UsedUp::Requests(9, 9))));
    let found = due(&[], &[], fine, &[], &spent, 0);
    assert_eq!(found.iter().map(|due| due.provider).collect::<Vec<_>>(), [3, 4].map(|n| Some(ProviderId([n; 16]))));
    assert!(found[0].text.contains("the budget is 9") && found[0].text.contains("go on"), "{}", found[0].text);
    assert_ne!(found[0].cause, found[1].cause);
}

#[test]
fn people_are_told_at_growing_intervals_for_ever() {
    assert!(is_told_again(0, 0, 0));
    for (times, hours) in [(1, 1), (2, 6), (3, 24), (5, 72), (500, 72)] {
        assert!(!is_told_again(times, 0, hours * HOUR_US - 1) && is_told_again(times, 0, hours * HOUR_US), "{times}");
    }
}

#[test]
fn upkeep_that_is_silent_is_heard_of_and_not_before_it_had_its_time() {
    const DAY_S: u64 = 86_400;
    let seen = |quiet_s, up_s, paused: Option<&str>, failed: Option<&str>| JobSeen {
        kind: "repair",
        quiet_s,
        loud_after_s: DAY_S,
        up_s,
        paused: paused.map(str::to_owned),
        failed: failed.map(str::to_owned),
    };
    let said = |job: JobSeen| {
        let found = due(&[], &[], Kits { trial: true, ..Kits::default() }, &[job], &BTreeMap::new(), 0);
        found.into_iter().map(|due| (due.cause, due.text)).next()
    };
    for quiet in [
        seen(0, 9 * DAY_S, None, None),
        seen(DAY_S, 9 * DAY_S, None, Some("it fails in each round, but not for long")),
        seen(DAY_S, 9 * DAY_S, Some("owner"), None),
        // Just started: it ended long ago, and nobody knows yet whether it does now.
        seen(90 * DAY_S, 3_599, None, None),
    ] {
        assert_eq!(said(quiet.clone()), None, "{quiet:?}");
    }
    // A notice from before a start is not taken back because nobody says so yet, only when the job has ended well.
    assert!(still_stands("job-silent repair", &[seen(90 * DAY_S, 3_599, None, None)]));
    assert!(!still_stands("job-silent repair", &[seen(0, 60, None, None)]));
    assert!(!still_stands("job-silent scrub", &[seen(90 * DAY_S, 60, None, None)]), "there is no such job any more");
    assert!(!still_stands("target-lost repair", &[seen(90 * DAY_S, 60, None, None)]));
    for (job, why) in [
        (seen(DAY_S + 1, 3_600, None, None), "for 24 hours: `holdfast job ls`"),
        (seen(3 * DAY_S, 3 * DAY_S, None, Some("no space")), "for 3 days: the last time it said: no space"),
        (seen(3 * DAY_S, 3 * DAY_S, Some("owner"), Some("no space")), "paused by owner; `holdfast job resume repair`"),
    ] {
        let (cause, text) = said(job).expect("it is told of");
        assert_eq!(cause, "job-silent repair");
        assert!(text.contains(why), "{text}");
    }
}
