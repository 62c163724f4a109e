//! `holdfast-rescue`: a user's files brought home from a kit and copies of the firms' disks.
//!
//! Whatever is not said on the command line is asked, one question at a time. The exit code is 0 only if every file of the tree
//! came home whole; 1 if something is missing; 2 if there was no rescue at all.

#![allow(clippy::disallowed_methods, reason = "a binary is the door: it reads the kit and looks at the folders named")]

mod ask;
mod folders;
mod show;

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::Parser;
use fleet::{Directory, target::Target};
use format::Kit;
use rescue::{Rescue, home, known_addresses};

use crate::{ask::Questions, show::Progress};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Reads that run at once: two columns of the usual four data lanes. More threads would only hold more memory.
const READERS: usize = 8;

/// Brings your files home from a recovery kit and copies of the firms' disks: no server, no account, no password.
///
/// What is not given is asked. Stop it whenever you like: run again, it goes on.
#[derive(Parser)]
#[command(name = "holdfast-rescue", version)]
struct Args {
    /// The recovery kit, as a text file.
    #[arg(long, value_name = "FILE")]
    kit: Option<PathBuf>,
    /// A folder with what one firm kept, or with several such folders; can be given several times.
    #[arg(long = "target", value_name = "PATH")]
    targets: Vec<PathBuf>,
    /// Where the files are put; made if it is missing, and nothing in it is overwritten.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only show what there is.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let done = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(READERS)
        .build()
        .context("this computer does not start the program's runtime")
        .and_then(|runtime| runtime.block_on(run(Args::parse())));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("holdfast-rescue: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything came home.
async fn run(args: Args) -> Result<bool> {
    let mut questions = Questions::new(io::stdin().lock(), io::stdout());
    let kit_file = match args.kit {
        Some(file) => file,
        None => questions.kit_file()?,
    };
    let kit = read_kit(&kit_file)?;
    let known: Vec<PathBuf> = folders::existing(&kit.addresses);
    let named = if args.targets.is_empty() { questions.folders(&kit, &known)? } else { args.targets };
    let out = match args.out {
        Some(out) => out,
        None if args.list => PathBuf::new(),
        None => questions.destination()?,
    };

    let mut folders: Vec<PathBuf> = named.iter().flat_map(|folder| folders::targets_in(folder)).collect();
    let mut seen = BTreeSet::new();
    folders.retain(|folder| seen.insert(folders::real(folder)));
    let addresses = known_addresses(&kit, open(&folders)).await;
    for folder in folders::existing(&addresses) {
        if seen.insert(folders::real(&folder)) {
            eprintln!("also reading {}, which kit or address book name", folder.display());
            folders.push(folder);
        }
    }

    let rescue = Rescue::open(&kit, open(&folders)).await?;
    if args.list {
        show::tree(rescue.tree(), &mut io::stdout().lock())?;
        return Ok(show::findings(&rescue.findings(), &mut io::stderr())?);
    }
    bring(&rescue, &out).await
}

async fn bring(rescue: &Rescue, out: &Path) -> Result<bool> {
    let mut progress = Progress::new(rescue.tree(), io::stderr().is_terminal());
    let report = home::bring(rescue, out, &mut |step| progress.step(&step)).await;
    progress.end();
    let nothing_missing = show::findings(&rescue.findings(), &mut io::stderr())?;
    let report = report?;
    show::report(&report, out, &mut io::stdout().lock())?;
    Ok(report.is_whole() && nothing_missing)
}

fn read_kit(file: &Path) -> Result<Kit> {
    let bytes = std::fs::read(file).with_context(|| format!("the kit {} cannot be read", file.display()))?;
    Kit::parse(&String::from_utf8_lossy(&bytes)).with_context(|| file.display().to_string())
}

fn open(folders: &[PathBuf]) -> Vec<(String, Arc<dyn Target>)> {
    let target = |folder: &PathBuf| -> (String, Arc<dyn Target>) {
        (folder.display().to_string(), Arc::new(Directory::open(folder.clone())))
    };
    folders.iter().map(target).collect()
}
