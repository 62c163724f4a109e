//! `holdfast scrub`: reads and checks everything now.

use std::process::ExitCode;

use super::what_if::fields;
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach};

/// Reads everything that is stored, checks it, and repairs what is damaged or missing. Waits for the end.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    reach: Reach,
    /// The counts as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it. The exit code is 5 when something damaged or missing could not be repaired.
pub async fn run(args: Args) -> Result<ExitCode> {
    let report = args.reach.ask(Question::Scrub).await?;
    if args.json {
        line(&report.to_string());
    } else {
        fields(&report).iter().for_each(|said| line(said));
    }
    let count = |name: &str| report[name].as_u64().unwrap_or(0);
    let left = (count("damaged") + count("missing")).saturating_sub(count("repaired"));
    Ok(if left > 0 { ExitCode::from(5) } else { ExitCode::SUCCESS })
}
