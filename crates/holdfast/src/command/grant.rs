//! `holdfast grant`: what other accounts of the service may see or change of yours.

use std::process::ExitCode;

use hyper::Method;
use serde_json::{Value, json};

use super::fleet::text;
use crate::{
    client::{
        api::Api,
        batch::line,
        http::Outgoing,
        path::{RemotePath, encode, shown},
    },
    error::Result,
};

/// Lets other accounts see or change files and folders of yours.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Lets an account see a file or folder, wherever it is moved to. Said again, the right is changed.
    Add {
        /// What it sees.
        #[arg(value_name = "PATH")]
        path: String,
        /// The account's name.
        #[arg(value_name = "NAME")]
        to: String,
        /// It may also change what is in the folder.
        #[arg(long)]
        write: bool,
    },
    /// Lists what you let others see; with --to-me, what others let you see.
    Ls {
        /// What others let you see.
        #[arg(long)]
        to_me: bool,
        /// The list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends grants at once.
    Rm {
        /// Their ids, as `grant ls` shows them; with --to-me, of what others let you see.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// You no longer want what others let you see.
        #[arg(long)]
        to_me: bool,
    },
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    match args.verb {
        Verb::Add { path, to, write } => {
            let path = RemotePath::parse(&path)?;
            let wish = json!({
                "path": format!("/{}", path.plain().trim_matches('/')),
                "to": to,
                "rights": if write { "write" } else { "read" },
            });
            let grant: Value = api.json(Method::POST, "/api/v1/grants", Some(&wish)).await?;
            line(&given(&grant));
        }
        Verb::Ls { to_me, json } => {
            let (address, key) = if to_me { ("/api/v1/shared", "shared") } else { ("/api/v1/grants", "grants") };
            let found: Value = api.json(Method::GET, address, None).await?;
            let row = if to_me { received } else { given };
            match json {
                true => line(&found[key].to_string()),
                false => found[key].as_array().into_iter().flatten().for_each(|grant| line(&row(grant))),
            }
        }
        Verb::Rm { ids, to_me } => {
            let kind = if to_me { "shared" } else { "grants" };
            for id in &ids {
                let request = api.request(Method::DELETE, &format!("/api/v1/{kind}/{}", encode(id)));
                api.send_all(request, Outgoing::empty()).await?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn given(grant: &Value) -> String {
    let path = grant["path"].as_str().map_or("(in the trash)".to_owned(), shown);
    format!("{}  {path}  {} {}", text(&grant["id"]), shown(&text(&grant["to"])), may(grant))
}

fn received(grant: &Value) -> String {
    let (name, from) = (shown(&text(&grant["name"])), shown(&text(&grant["from"])));
    format!("{}  {name}  from {from}, you {}", text(&grant["id"]), may(grant))
}

fn may(grant: &Value) -> &'static str {
    if grant["rights"] == "write" { "may change it" } else { "may look at it" }
}
