//! `holdfast mv`: another name or folder, nothing is sent again.

use std::process::ExitCode;

use serde_json::json;

use crate::{
    client::{
        api::{Api, Found},
        batch::line,
        path::RemotePath,
    },
    error::{Error, Result},
};

/// Moves or renames a file or a folder.
#[derive(clap::Args)]
pub struct Args {
    /// File or folder in the service.
    #[arg(value_name = "SRC")]
    source: String,
    /// Its new name, or a folder to move it into (when it is one, or ends in a slash).
    #[arg(value_name = "DEST")]
    destination: String,
    /// Takes the place of a file that is there; that one stays as an older version.
    #[arg(long)]
    replace: bool,
    /// What was done as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    act("move", &args.source, &args.destination, args.replace, args.json).await
}

/// Moves or copies, as `action` says.
pub async fn act(action: &str, source: &str, destination: &str, replace: bool, json: bool) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let source = RemotePath::parse(source)?;
    let name = source.name().ok_or_else(|| Error::refused("the root itself cannot be moved or copied"))?;
    let mut to = RemotePath::parse(destination)?;
    if to.folder || (to != source && api.find(&to).await? == Found::Folder) {
        to = to.join(name);
    }
    api.act(&source, &json!({"action": action, "to": to.plain(), "replace": replace})).await.map_err(|error| {
        if error.class == model::Class::Conflict && !replace {
            return error.hint("--replace takes the place of a file that is there");
        }
        error
    })?;
    if json {
        line(&json!({ "action": action, "from": source.plain(), "to": to.plain() }).to_string());
    }
    Ok(ExitCode::SUCCESS)
}
