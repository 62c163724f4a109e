//! `holdfast rm`: to the trash, or for good.

use std::process::ExitCode;

use hyper::Method;

use crate::{
    client::{
        api::{Api, file_url},
        batch::Batch,
        http::Outgoing,
        path::RemotePath,
    },
    error::{Error, Result},
};

/// Removes files and folders; they stay in the trash for 30 days.
#[derive(clap::Args)]
pub struct Args {
    /// Files and folders in the service; a folder takes what is in it.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Removes them for good at once: no trash, no way back.
    #[arg(long)]
    permanent: bool,
    /// One JSON object per path, and one for the end.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn run(args: Args) -> Result<ExitCode> {
    let api = Api::from_environment()?;
    let batch = Batch::start("removed", args.json);
    for text in &args.paths {
        match remove(&api, text, args.permanent).await {
            Ok(()) => batch.done(text, 0),
            Err(error) => batch.failed(text, &error),
        }
    }
    Ok(batch.finish())
}

async fn remove(api: &Api, text: &str, permanent: bool) -> Result<()> {
    let path = RemotePath::parse(text)?;
    if path.is_root() {
        return Err(Error::refused("the root itself cannot be removed; name what is in it"));
    }
    let query = if permanent { "?permanent=true" } else { "" };
    api.send_all(api.request(Method::DELETE, &format!("{}{query}", file_url(&path))), Outgoing::empty()).await.map(drop)
}
