//! `holdfast mkdir`: a new, empty folder.

use std::process::ExitCode;

use serde_json::json;

use crate::{
    client::{api::Api, batch::line, path::RemotePath},
    error::{Error, Result},
};

/// Makes folders, with the folders above them.
#[derive(clap::Args)]
pub struct Args {
    /// The new folders.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// One JSON object per folder.
    #[arg(long)]
    json: bool,
}

/// Runs it; the first failure ends it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    for text in &args.paths {
        let path = RemotePath::parse(text)?;
        if path.is_root() {
            return Err(Error::refused("the root is always there"));
        }
        api.act(&path, &json!({"action": "mkdir"})).await?;
        if args.json {
            line(&json!({ "made": path.plain() }).to_string());
        }
    }
    Ok(ExitCode::SUCCESS)
}
