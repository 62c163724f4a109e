//! `holdfast job`: the kinds of upkeep, and which of them are paused.

use std::process::ExitCode;

use serde_json::Value;

use crate::{client::batch::line, error::Result, operator::Question, reach::Reach};

/// Shows what upkeep does by itself, pauses a kind of it, and lets it go on.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Lists the kinds: how often each is done, when it last ended well, what it failed with, and whether it is paused.
    Ls {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Leaves a kind out until it is resumed; says what that means. What runs now is not broken off.
    Pause(One),
    /// Lets a kind go on.
    Resume(One),
}

#[derive(clap::Args)]
struct One {
    /// Its name, as `holdfast job ls` shows it.
    #[arg(value_name = "KIND")]
    kind: String,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let (one, paused) = match args.verb {
        Verb::Ls { json, reach } => return list(json, &reach).await,
        Verb::Pause(one) => (one, true),
        Verb::Resume(one) => (one, false),
    };
    let job = one.reach.ask(Question::JobPause { kind: one.kind, paused }).await?;
    if one.json {
        line(&job.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let kind = word(&job["kind"]);
    match paused {
        true => {
            line(&format!("{kind} is paused: {}", word(&job["pause_means"])));
            if let Some(hours) = job["loud_after_s"].as_u64().map(|s| s.div_ceil(3_600)) {
                line(&format!(
                    "after {hours} hours without it a notice reminds you; `holdfast job resume {kind}` ends the pause"
                ));
            }
        }
        false => line(&format!("{kind} goes on")),
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(as_json: bool, reach: &Reach) -> Result<ExitCode> {
    let answer = reach.ask(Question::JobList).await?;
    if as_json {
        line(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for job in answer["jobs"].as_array().into_iter().flatten() {
        line(&format!("{:<10}  {:<13}  {}", word(&job["kind"]), every(job), state(job)));
        line(&format!("            {}", word(&job["what"])));
        if let Some(why) = job["failed"]["why"].as_str() {
            line(&format!("            failed {}: {why}", word(&job["failed"]["at"])));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn every(job: &Value) -> String {
    match job["every_s"].as_u64() {
        None if job["loud_after_s"].is_null() => "when asked".to_owned(),
        None => "each round".to_owned(),
        Some(s) if s % 86_400 == 0 => format!("{} days", s / 86_400),
        Some(s) => format!("{s} s"),
    }
}

fn state(job: &Value) -> String {
    if let Some(by) = job["paused"]["by"].as_str() {
        return format!("PAUSED by {by} since {}", word(&job["paused"]["since"]));
    }
    let ended = job["ended_well"].as_str().map_or("not yet".to_owned(), |at| format!("ended well {at}"));
    let progress = &job["progress"];
    match (job["running"].as_bool(), progress["done_bytes"].as_u64()) {
        (Some(true), Some(done)) => {
            let eta = progress["eta_s"].as_u64().map_or(String::new(), |s| format!(", {s} s left"));
            format!("runs: {done} of {} bytes{eta}; {ended}", progress["total_bytes"])
        }
        (Some(true), None) => format!("runs; {ended}"),
        _ => ended,
    }
}
