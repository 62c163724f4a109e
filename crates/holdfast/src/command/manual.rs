//! `holdfast completions`, `holdfast manual`: from the one definition of the commands.

use std::{path::PathBuf, process::ExitCode};

use clap_complete::Shell;

use crate::error::{Error, Result};

/// Prints what a shell needs to complete the commands.
#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes a manual page for each command.
#[derive(clap::Args)]
pub struct ManualArgs {
    /// The folder for them, for example ~/.local/share/man/man1; it is made if it is missing.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints completions.
pub fn completions(args: &CompletionsArgs, mut command: clap::Command) -> ExitCode {
    clap_complete::generate(args.shell, &mut command, "holdfast", &mut std::io::stdout());
    ExitCode::SUCCESS
}

/// Writes the pages.
pub fn manual(args: &ManualArgs, command: clap::Command) -> Result<ExitCode> {
    let failed = |error: std::io::Error| Error::io("writing", &args.folder, &error);
    std::fs::create_dir_all(&args.folder).map_err(failed)?;
    clap_mangen::generate_to(command, &args.folder).map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}
