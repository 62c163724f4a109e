//! `holdfast token`: bearer tokens.

use std::{path::PathBuf, process::ExitCode};

use crate::{client::batch::line, data::DataFolder, error::Result, operator::Question, reach};

/// Makes bearer tokens.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Prints a new token and nothing else; also while the service runs.
    Create {
        /// Data folder of the service.
        #[arg(long, value_name = "DIR", default_value = super::serve::DATA)]
        data: PathBuf,
        /// The account that its bearer acts for.
        #[arg(long, value_name = "NAME")]
        account: String,
        /// Days until it expires; without it the token is good until it is withdrawn.
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let Verb::Create { data, account, days } = args.verb;
    let lifetime_s = days.map(|days| u64::from(days) * 86_400);
    let answer = reach::on_data(DataFolder::at(&data)?, Question::TokenCreate { account, lifetime_s }).await?;
    line(answer["token"].as_str().unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}
