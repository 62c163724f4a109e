//! `holdfast trash`: what was removed, and back with it.

use std::process::ExitCode;

use hyper::Method;
use serde_json::{Value, json};

use super::fleet::{bytes, text};
use crate::{
    client::{
        api::Api,
        batch::{Batch, line},
        path::{RemotePath, encode, shown},
    },
    error::Result,
};

/// Lists what is in the trash, brings things back, empties it.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Lists it, the longest there first, with the day on which each goes for good.
    Ls {
        /// One JSON object per entry.
        #[arg(long)]
        json: bool,
    },
    /// Erases for good all that is in the trash now.
    Empty {
        /// How many things as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Brings back what was removed last from each path.
    Restore {
        /// Where it was.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// One JSON object per path, and one for the end.
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    match args.verb {
        Verb::Ls { json } => list(&api, json).await,
        Verb::Empty { json } => {
            let answer: Value = api.json(Method::DELETE, "/api/v1/trash", None).await?;
            if json {
                line(&answer.to_string());
                return Ok(ExitCode::SUCCESS);
            }
            line(&format!("{} erased for good", answer["erased"].as_u64().unwrap_or(0)));
            Ok(ExitCode::SUCCESS)
        }
        Verb::Restore { paths, json } => {
            let batch = Batch::start("restored", json);
            for path in &paths {
                match restore(&api, path).await {
                    Ok(()) => batch.done(path, 0),
                    Err(error) => batch.failed(path, &error),
                }
            }
            Ok(batch.finish())
        }
    }
}

async fn restore(api: &Api, path: &str) -> Result<()> {
    api.act(&RemotePath::parse(path)?, &json!({ "action": "restore" })).await
}

async fn list(api: &Api, json: bool) -> Result<ExitCode> {
    let mut after = String::new();
    loop {
        let page: Value = api.json(Method::GET, &format!("/api/v1/trash?limit=1000{after}"), None).await?;
        for entry in page["entries"].as_array().into_iter().flatten() {
            if json {
                line(&entry.to_string());
            } else {
                let (size, goes) = (bytes(entry["size"].as_u64().unwrap_or(0)), text(&entry["goes"]));
                line(&format!("{size:>10}  until {goes}  {}", shown(entry["path"].as_str().unwrap_or_default())));
            }
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", encode(next)),
            None => return Ok(ExitCode::SUCCESS),
        }
    }
}
