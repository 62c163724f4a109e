//! `holdfast cp`: a copy inside the service, nothing is sent.

use std::process::ExitCode;

use crate::error::Result;

/// Copies a file or a folder with all that is in it.
#[derive(clap::Args)]
pub struct Args {
    /// File or folder in the service.
    #[arg(value_name = "SRC")]
    source: String,
    /// The copy's name, or a folder to put it into (when it is one, or ends in a slash).
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
    super::mv::act("copy", &args.source, &args.destination, args.replace, args.json).await
}
