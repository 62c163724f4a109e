//! A few seeds in every test run; `cargo xtask sim` plays hundreds.
#![allow(clippy::unwrap_used)]

use sim::{Outcome, Parts, play, scenarios};

fn assert_whole(outcome: &Outcome) {
    if let Some(broken) = &outcome.broken {
        outcome.history.iter().rev().take(40).rev().for_each(|line| println!("{line}"));
        panic!("seed {}: {}", outcome.seed, broken.0);
    }
}

#[test]
fn seeds_that_once_broke_something_are_whole() {
    for (seed, found) in scenarios::SEEDS {
        println!("seed {seed}: {found}");
        assert_whole(&play(*seed, Parts::default(), false));
    }
}

#[test]
fn a_seed_is_the_same_whenever_it_is_played() {
    for seed in [1, 2, 3] {
        let (one, two) = (play(seed, Parts::default(), false), play(seed, Parts::default(), false));
        assert_whole(&one);
        assert_eq!((one.hash, one.effects), (two.hash, two.effects), "seed {seed}");
        assert_eq!(one.history, two.history, "seed {seed}");
    }
}

#[test]
fn other_seeds_are_other_worlds() {
    let (one, two) = (play(1, Parts::default(), false), play(2, Parts::default(), false));
    assert_ne!(one.hash, two.hash);
}

#[test]
fn a_seed_is_long_enough() {
    let outcome = play(5, Parts::default(), false);
    assert_whole(&outcome);
    assert!(outcome.census.of("actor: upload") >= 30, "{}", outcome.census.of("actor: upload"));
    assert!(outcome.census.of("check: rebuild") >= 5 && outcome.census.of("check: rescue") >= 5);
}
