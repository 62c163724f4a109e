//! `sim`: plays seeds, prints the seed of what fails first, and what the run never reached.

use std::{
    process::ExitCode,
    sync::Mutex,
    sync::atomic::{AtomicU64, Ordering},
};

use clap::Parser;
use sim::{Outcome, Parts, census::Census, play};

/// A run of at least so many seeds must reach everything that [`sim::census::MUST`] names.
const SEEDS_FOR_ALL: u64 = 500;

/// Plays the real store in simulated worlds.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 125)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only this seed, with its steps.
    #[arg(long)]
    seed: Option<u64>,
    /// Print every effect too.
    #[arg(long)]
    trace: bool,
    /// How many of the seeds are played twice, to see whether the same happens.
    #[arg(long, default_value_t = 20)]
    twice: u64,
    /// Threads; each plays whole seeds.
    #[arg(long, default_value_t = 2)]
    threads: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match args.seed {
        Some(seed) => one(seed, args.trace),
        None => many(&args),
    }
}

fn one(seed: u64, traced: bool) -> ExitCode {
    println!("seed {seed}");
    let outcome = play(seed, Parts::default(), traced);
    outcome.history.iter().for_each(|line| println!("{line}"));
    outcome.trace.iter().for_each(|line| println!("{line}"));
    println!("{} effects, hash {}", outcome.effects, hex(&outcome.hash));
    match outcome.broken {
        Some(broken) => {
            println!("seed {seed} BROKEN: {}", broken.0);
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn many(args: &Args) -> ExitCode {
    let next = AtomicU64::new(args.from);
    let end = args.from + args.seeds;
    let sums = Mutex::new((Census::default(), Vec::<Outcome>::new(), 0u64, Vec::<u64>::new()));
    std::thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let outcome = play(seed, Parts::default(), false);
                    let twice = seed - args.from < args.twice && outcome.broken.is_none();
                    let differs = twice && play(seed, Parts::default(), false).hash != outcome.hash;
                    let Ok(mut sums) = sums.lock() else { return };
                    sums.0.merge(&outcome.census);
                    sums.2 += outcome.effects;
                    if differs {
                        println!("seed {seed} has other effects when it is played again");
                        sums.3.push(seed);
                    }
                    if let Some(broken) = &outcome.broken {
                        println!("seed {seed} BROKEN: {}", broken.0);
                        sums.1.push(outcome);
                    }
                }
            });
        }
    });
    let Ok((census, broken, effects, differing)) = sums.into_inner() else { return ExitCode::FAILURE };
    for (what, times) in census.iter() {
        println!("{times:>10}  {what}");
    }
    println!(
        "{} seeds, {effects} effects, {} broken, {} differ when played again",
        args.seeds,
        broken.len(),
        differing.len()
    );
    let never = if args.seeds >= SEEDS_FOR_ALL { census.never() } else { Vec::new() };
    never.iter().for_each(|what| println!("never reached: {what}"));
    if let Some(first) = broken.iter().min_by_key(|outcome| outcome.seed) {
        println!("seed {}: its steps", first.seed);
        first.history.iter().rev().take(60).rev().for_each(|line| println!("{line}"));
        println!("seed {} BROKEN: {}", first.seed, first.broken.as_ref().map_or("", |broken| &broken.0));
    }
    if broken.is_empty() && differing.is_empty() && never.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
