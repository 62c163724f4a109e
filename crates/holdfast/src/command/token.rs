//! `holdfast token`: bearer tokens.

use std::{path::PathBuf, process::ExitCode};

use gateway::ScopeWord;
use hyper::Method;
use serde_json::{Value, json};

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
        /// What it opens: looking at files; changing them too; or all that the account may do.
        #[arg(long, value_name = "SCOPE", value_enum, default_value = "all")]
        scope: Scope,
        /// Days until it expires; without it the token is good until it is withdrawn.
        #[arg(long, value_name = "N")]
        days: Option<u32>,
        /// The token with its id, scope and end, as JSON.
        #[arg(long)]
        json: bool,
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
        /// One JSON object per token that was withdrawn.
        #[arg(long)]
        json: bool,
    },
}

/// How much of what its account may do a token opens.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Scope {
    /// Look at files and fetch them; change nothing.
    Read,
    /// Also bring, change and delete files.
    Files,
    /// Everything that the account may do.
    All,
}

impl From<Scope> for ScopeWord {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Files => Self::Files,
            Scope::All => Self::All,
        }
    }
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Create { data, account, scope, days, json } => {
            let lifetime_s = days.map(|days| u64::from(days) * 86_400);
            let question = Question::TokenCreate { account, scope: scope.into(), lifetime_s };
            let answer = reach::on_data(DataFolder::at(&data)?, question).await?;
            line(&if json { answer.to_string() } else { text(&answer["token"]) });
            Ok(ExitCode::SUCCESS)
        }
        Verb::Ls { json } => list(json).await,
        Verb::Rm { ids, json } => withdraw(&ids, json).await,
    }
}

async fn list(json: bool) -> Result<ExitCode> {
    let all: Value = Api::from_environment()?.json(Method::GET, "/api/v1/tokens", None).await?;
    if json {
        line(&all["tokens"].to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for token in all["tokens"].as_array().into_iter().flatten() {
        let expires = token["expires"].as_str().map(|end| format!("  until {end}")).unwrap_or_default();
        let [id, scope, label, made] = ["id", "scope", "label", "made"].map(|name| text(&token[name]));
        line(&format!("{id}  {scope:<5}  {label}  made {made}{expires}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn withdraw(ids: &[String], as_json: bool) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    for id in ids {
        let request = api.request(Method::DELETE, &format!("/api/v1/tokens/{}", encode(id)));
        api.send_all(request, Outgoing::empty()).await?;
        if as_json {
            line(&json!({ "event": "withdrawn", "id": id }).to_string());
        }
    }
    Ok(ExitCode::SUCCESS)
}
