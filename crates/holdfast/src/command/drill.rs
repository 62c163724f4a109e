//! `holdfast drill`: proves what would be left without a provider, by reading it.

use std::process::ExitCode;

use super::what_if::fields;
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach};

/// Packs, and copied objects, that are read unless something else is said.
const SAMPLE: u64 = 100;

/// Fences a provider off and reads from the others what would be left without it. Nothing is changed, but what is found
/// damaged is repaired. Waits for the end.
#[derive(clap::Args)]
pub struct Args {
    /// The provider's name, as `holdfast fleet` shows it.
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// How many packs, and copied objects, are drawn by chance and read.
    #[arg(long, value_name = "N", default_value_t = SAMPLE, conflicts_with = "all")]
    sample: u64,
    /// Everything is read.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    reach: Reach,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it. The exit code is 5 when something could not be read without the provider.
pub async fn run(args: Args) -> Result<ExitCode> {
    let sample = (!args.all).then_some(args.sample);
    let answer = args.reach.ask(Question::Drill { provider: args.provider.clone(), sample }).await?;
    let passed = answer["passed"].as_bool() == Some(true);
    if args.json {
        line(&answer.to_string());
    } else {
        let said = if passed { "everything that was asked for could be read" } else { "NOT everything could be read" };
        line(&format!("without {}: {said}", args.provider));
        fields(&answer).iter().for_each(|said| line(said));
        let list = |name: &str| -> Vec<String> {
            let all = answer[name].as_array().into_iter().flatten();
            all.filter_map(|one| one.as_str().map(str::to_owned)).collect()
        };
        list("holes").iter().for_each(|hole| line(&format!("  hole: {hole}")));
        list("away").iter().for_each(|name| line(&format!("  {name} did not answer either")));
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(5) })
}
