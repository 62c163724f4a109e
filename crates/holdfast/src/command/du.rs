//! `holdfast du`: what takes space.

use std::process::ExitCode;

use hyper::Method;
use serde_json::{Value, json};

use super::fleet::bytes;
use crate::{
    client::{
        api::{Api, Kind},
        batch::line,
        path::{RemotePath, shown},
    },
    error::{Error, Result},
};

/// Shows the space that your account takes, or what is in a folder takes.
#[derive(clap::Args)]
pub struct Args {
    /// A folder; without it the whole account, with older versions and the trash.
    #[arg(value_name = "PATH")]
    path: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let Some(path) = &args.path else { return account(&api, args.json).await };
    let top = RemotePath::parse(path)?;
    let nothing = || Error::new(model::Class::Missing, format!("there is no folder {top}"));
    let mut all = 0_u64;
    for entry in api.list(&top).await?.ok_or_else(nothing)? {
        let (taken, slash) = match entry.kind {
            Kind::File => (entry.size.unwrap_or(0), ""),
            Kind::Folder => (below(&api, top.join(&entry.name)).await?, "/"),
        };
        all += taken;
        if args.json {
            line(&json!({ "name": entry.name, "bytes": taken }).to_string());
        } else {
            line(&format!("{:>10}  {}{slash}", bytes(taken), shown(&entry.name)));
        }
    }
    if args.json {
        line(&json!({ "bytes": all }).to_string());
    } else {
        line(&format!("{:>10}  in all, without older versions and the trash", bytes(all)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn account(api: &Api, json: bool) -> Result<ExitCode> {
    let me: Value = api.json(Method::GET, "/api/v1/session", None).await?;
    let space: Value = api.json(Method::GET, "/api/v1/space", None).await?;
    let part = |name: &str| space[name].as_u64().unwrap_or(0);
    let (current, older, trash) = (part("current_bytes"), part("older_bytes"), part("trash_bytes"));
    let (used, quota) = (me["account"]["used_bytes"].as_u64().unwrap_or(0), me["account"]["quota_bytes"].as_u64());
    if json {
        let parts = json!({
            "used_bytes": used, "quota_bytes": quota, "current_bytes": current, "older_bytes": older, "trash_bytes": trash,
        });
        line(&parts.to_string());
    } else {
        let of = quota.map_or(String::new(), |quota| format!(" of {}", bytes(quota)));
        for (taken, what) in [(current, "files as they are now"), (older, "older versions"), (trash, "the trash")] {
            line(&format!("{:>10}  {what}", bytes(taken)));
        }
        line(&format!("{:>10}  in all{of}", bytes(used)));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the files in a folder and in those below it take.
async fn below(api: &Api, folder: RemotePath) -> Result<u64> {
    let (mut left, mut taken) = (vec![folder], 0);
    while let Some(folder) = left.pop() {
        // A folder that went away meanwhile takes nothing.
        for entry in api.list(&folder).await?.unwrap_or_default() {
            match entry.kind {
                Kind::File => taken += entry.size.unwrap_or(0),
                Kind::Folder => left.push(folder.join(&entry.name)),
            }
        }
    }
    Ok(taken)
}
