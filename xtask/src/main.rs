//! Holdfast's own tools, in its own language: `cargo xtask tidy | test | sim | bench`.
//!
//! `tidy` checks the rules of the house that no compiler checks, [`suite`] runs every test there is with one command,
//! `sim` plays seeds of the simulated world, and [`bench`] measures the real service beside the least a server can do.
#![allow(
    clippy::disallowed_methods,
    reason = "a tool for developers: it reads clocks and files, and nothing replays it"
)]

mod bench;
mod needs;
mod packages;
mod page;
mod suite;
mod tidy;
mod tools;
mod venv;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Holdfast's tools for developers")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the rules of the house: arrows between crates, module comments, purity, dead files, licences
    Tidy,
    /// Run every test there is, in phases, and print the minutes of each
    Test(suite::Options),
    /// Play seeds of the simulated world
    Sim(suite::SimOptions),
    /// Measure the trial service beside a raw HTTP sink, and print a Markdown table
    Bench(bench::Options),
    /// The floor of `bench`: the least an HTTP server that syncs file and folder can do
    #[command(hide = true)]
    Sink {
        /// Folder that keeps the files
        #[arg(long)]
        dir: PathBuf,
    },
}

fn main() -> Result<ExitCode> {
    let command = Arguments::parse().command;
    if let Command::Sink { dir } = command {
        bench::sink::serve(&dir)?;
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::load()?;
    let passed = match command {
        Command::Tidy => tidy::run(&workspace)?,
        Command::Test(options) => suite::run(&workspace, &options)?,
        Command::Sim(options) => suite::sim(&workspace, &options)?,
        Command::Bench(options) => bench::run(&workspace, &options).map(|()| true)?,
        Command::Sink { .. } => true,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
