//! `holdfast versions`: what a file was before, and back to it.

use std::process::ExitCode;

use hyper::Method;
use serde_json::{Value, json};

use super::fleet::{bytes, text};
use crate::{
    client::{api::Api, batch::line, path::RemotePath},
    error::Result,
};

/// Lists a file's versions, newest first, or makes an older one the current one again.
#[derive(clap::Args)]
pub struct Args {
    /// The file.
    #[arg(value_name = "PATH")]
    path: String,
    /// Makes this version current again; the one that is current now is kept as a version.
    #[arg(long, value_name = "ID")]
    revert: Option<String>,
    /// The list as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let path = RemotePath::parse(&args.path)?;
    if let Some(version) = args.revert {
        api.act(&path, &json!({ "action": "revert", "version": version })).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer: Value = api.json(Method::GET, &format!("/api/v1/versions/{}", path.encoded()), None).await?;
    if args.json {
        line(&answer["versions"].to_string());
    } else {
        answer["versions"].as_array().into_iter().flatten().for_each(|version| line(&row(version)));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(version: &Value) -> String {
    let current = if version["current"] == true { "  current" } else { "" };
    let size = bytes(version["size"].as_u64().unwrap_or(0));
    format!("{}  {}  {size}{current}", text(&version["id"]), text(&version["made"]))
}
