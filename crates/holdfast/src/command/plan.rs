//! `holdfast plan`: named sets of limits for accounts.

use std::process::ExitCode;

use serde_json::Value;

use super::fleet::{bytes, text};
use crate::{client::batch::line, error::Result, operator::Question, reach::Reach};

/// Lists, makes and ends plans: named limits that `holdfast account plan` gives to accounts.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Lists plans.
    Ls {
        /// The list as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Makes a plan, or changes it for all who have it. What is left out is not limited.
    Set {
        /// What it is called.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        limits: Limits,
        /// The plan as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Ends a plan that nobody has.
    Rm {
        /// The plan.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        reach: Reach,
    },
}

#[derive(clap::Args)]
struct Limits {
    /// How much an account may keep, older versions and trash included: a whole number and B, kB, MB, GB or TB.
    #[arg(long, value_name = "SIZE")]
    space: Option<String>,
    /// The largest file.
    #[arg(long, value_name = "SIZE")]
    file: Option<String>,
    /// Days until a file goes to the trash.
    #[arg(long, value_name = "N")]
    keep_days: Option<u32>,
    /// What guests may take through an account's links in a day.
    #[arg(long, value_name = "SIZE")]
    link_day: Option<String>,
    /// How fast all guests of an account get it together, in a second.
    #[arg(long, value_name = "SIZE")]
    guest_speed: Option<String>,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Ls { json, reach } => {
            let all = reach.ask(Question::PlanList).await?;
            if json {
                line(&all["plans"].to_string());
            } else {
                all["plans"].as_array().into_iter().flatten().for_each(|plan| line(&row(plan)));
            }
        }
        Verb::Set { name, limits, json, reach } => {
            let size = |text: Option<String>| text.as_deref().map(super::find::size).transpose();
            let question = Question::PlanSet {
                name,
                space_bytes: size(limits.space)?,
                file_bytes: size(limits.file)?,
                keep_days: limits.keep_days,
                link_bytes_per_day: size(limits.link_day)?,
                guest_bytes_per_s: size(limits.guest_speed)?,
            };
            let plan = reach.ask(question).await?;
            line(&if json { plan.to_string() } else { row(&plan) });
        }
        Verb::Rm { name, reach } => {
            reach.ask(Question::PlanEnd { name }).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(plan: &Value) -> String {
    let mut row = text(&plan["name"]).to_owned();
    for (key, before, after) in [
        ("space_bytes", "", ""),
        ("file_bytes", "files to ", ""),
        ("link_bytes_per_day", "links ", " a day"),
        ("guest_bytes_per_s", "guests ", "/s"),
    ] {
        if let Some(number) = plan[key].as_u64() {
            row = format!("{row}  {before}{}{after}", bytes(number));
        }
    }
    if let Some(days) = plan["keep_days"].as_u64() {
        row = format!("{row}  kept {days} days");
    }
    format!("{row}  {} accounts", plan["accounts"])
}
