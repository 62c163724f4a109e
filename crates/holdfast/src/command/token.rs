//! `holdfast token`: bearer tokens.

use std::{path::PathBuf, process::ExitCode};

use hyper::Method;
use serde_json::Value;

use super::fleet::text;
use crate::{
    client::{api::Api, batch::line, http::Outgoing, path::encode},
    data::DataFolder,
    error::Result,
    operator::Question,
    reach,
};

/// Makes, lists and withdraws bearer tokens.
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
    /// Lists your tokens.
    Ls {
        /// The list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Withdraws tokens of yours; they open nothing from then on.
    Rm {
        /// Tokens' ids, as `token ls` shows them.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let (data, account, days) = match args.verb {
        Verb::Create { data, account, days } => (data, account, days),
        Verb::Ls { json } => return list(json).await,
        Verb::Rm { ids } => return withdraw(&ids).await,
    };
    let lifetime_s = days.map(|days| u64::from(days) * 86_400);
    let answer = reach::on_data(DataFolder::at(&data)?, Question::TokenCreate { account, lifetime_s }).await?;
    line(answer["token"].as_str().unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

async fn list(json: bool) -> Result<ExitCode> {
    let all: Value = Api::from_environment()?.json(Method::GET, "/api/v1/tokens", None).await?;
    if json {
        line(&all["tokens"].to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for token in all["tokens"].as_array().into_iter().flatten() {
        let expires = token["expires"].as_str().map(|end| format!("  until {end}")).unwrap_or_default();
        line(&format!("{}  {}  made {}{expires}", text(&token["id"]), text(&token["label"]), text(&token["made"])));
    }
    Ok(ExitCode::SUCCESS)
}

async fn withdraw(ids: &[String]) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    for id in ids {
        let request = api.request(Method::DELETE, &format!("/api/v1/tokens/{}", encode(id)));
        api.send_all(request, Outgoing::empty()).await?;
    }
    Ok(ExitCode::SUCCESS)
}
