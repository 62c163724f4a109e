//! The one program of Holdfast: the service, its operator's commands and its users' commands.
//!
//! This crate is where the parts are wired together, and the only one that reads configuration and environment:
//! - [`command`]: one file per command;
//! - [`config`], [`members`], [`data`], [`assemble`]: from a data folder and a file to a running store; [`firms`]: those that
//!   join it by command;
//! - [`operator`], [`control`], [`reach`]: what an operator may ask, over the control socket, over HTTP, or of a store
//!   that the command opens itself;
//! - [`client`]: what the users' commands share; it knows the service only by its HTTP interface;
//! - [`oidc`]: the issuer that vouches for people, over [`errand`];
//! - [`log`]: what is logged, and how; [`monitor`]: where a monitor asks;
//! - [`tls`], [`acme`]: certificates from files or an authority; [`doctor`]: what the service rests on;
//! - [`page`]: the web page, handed to the doors; [`pictures`]: small ones of large ones;
//! - [`world`]: the real clock, chance and timer.
#![allow(clippy::disallowed_methods, reason = "this is the door through which time, chance and local files come in")]

mod acme;
mod assemble;
mod client;
mod command;
mod config;
mod control;
mod data;
mod doctor;
mod errand;
mod error;
mod far;
mod firms;
mod last_config;
mod log;
mod members;
mod monitor;
mod oidc;
mod operator;
mod outgoing;
mod page;
mod pictures;
mod reach;
#[cfg(test)]
mod scratch;
mod time;
mod tls;
mod world;

use std::{pin::Pin, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};
use error::{Error, Result};
use model::Class;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Blocking threads: file reads and writes of all targets share them.
const BLOCKING_THREADS_MAX: usize = 64;

/// File hosting that outlives its hosting firms.
///
/// Every file is sealed and spread over several providers, so that any one of them may vanish unannounced. `holdfast
/// login` signs you in to a service; programs name it by HOLDFAST_URL and HOLDFAST_TOKEN. Exit codes: 1 a part of a batch failed, 2 refused, 3
/// missing, 4 conflict, 5 damaged, 6 no space left, 7 try again later, 70 a bug.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(command::serve::Args),
    Login(command::login::LoginArgs),
    Logout(command::login::LogoutArgs),
    Put(command::put::Args),
    Get(command::get::Args),
    Export(command::export::Args),
    Ls(command::ls::Args),
    Mv(command::mv::Args),
    Cp(command::cp::Args),
    Rm(command::rm::Args),
    Mkdir(command::mkdir::Args),
    Find(command::find::Args),
    Du(command::du::Args),
    Trash(command::trash::Args),
    Versions(command::versions::Args),
    Share(command::share::Args),
    Grant(command::grant::Args),
    Webhook(command::webhook::Args),
    Account(command::account::Args),
    Plan(command::plan::Args),
    Token(command::token::Args),
    Fleet(command::fleet::Args),
    Provider(command::provider::Args),
    Constraint(command::constraint::Args),
    Target(command::target::Args),
    Stage(command::stage::Args),
    WhatIf(command::what_if::Args),
    Scrub(command::scrub::Args),
    Doctor(command::doctor::Args),
    Drill(command::drill::Args),
    Job(command::job::Args),
    Kit(command::kit::Args),
    Lease(command::lease::Args),
    Notice(command::notice::Args),
    Ledger(command::ledger::Args),
    Rebuild(command::rebuild::Args),
    Reenact(command::reenact::Args),
    Completions(command::manual::CompletionsArgs),
    Manual(command::manual::ManualArgs),
    Thumbnail(pictures::Args),
    Convert(pictures::ConvertArgs),
}

fn main() -> ExitCode {
    // The allocator asks for huge pages, of which most are never touched: two thirds of what a busy service held was zeros.
    // Without them it holds less and is no slower; where that cannot be said, nothing else changes.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let cli = Cli::parse();
    // These have no need of threads, and may have none.
    match &cli.command {
        Command::Thumbnail(args) => return pictures::run(args),
        Command::Convert(args) => return pictures::convert(args),
        _ => {}
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().max_blocking_threads(BLOCKING_THREADS_MAX).enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            // As one future behind a pointer: each of the runtime's ways to wait would else bring a copy of every command.
            let work: Pin<Box<dyn Future<Output = Result<ExitCode>>>> = Box::pin(run(cli.command));
            let result = runtime.block_on(work);
            // What still reads or writes is abandoned, as a crash would: nothing of it was acknowledged.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Error::new(Class::Exhausted, format!("no threads could be started: {error}"))),
    };
    result.unwrap_or_else(|error| {
        eprintln!("holdfast: {error}");
        if let Some(hint) = &error.hint {
            eprintln!("  hint: {hint}");
        }
        ExitCode::from(error.exit_code())
    })
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(args) => command::serve::run(args).await,
        Command::Put(args) => command::put::run(args).await,
        Command::Get(args) => command::get::run(args).await,
        Command::Export(args) => command::export::run(args).await,
        Command::Ls(args) => command::ls::run(args).await,
        Command::Mv(args) => command::mv::run(args).await,
        Command::Cp(args) => command::cp::run(args).await,
        Command::Rm(args) => command::rm::run(args).await,
        Command::Mkdir(args) => command::mkdir::run(args).await,
        Command::Thumbnail(args) => Ok(pictures::run(&args)),
        Command::Convert(args) => Ok(pictures::convert(&args)),
        Command::Login(args) => command::login::login(args).await,
        Command::Logout(args) => command::login::logout(args).await,
        Command::Find(args) => command::find::run(args).await,
        Command::Du(args) => command::du::run(args).await,
        Command::Trash(args) => command::trash::run(args).await,
        Command::Completions(args) => Ok(command::manual::completions(&args, Cli::command())),
        Command::Manual(args) => command::manual::manual(&args, Cli::command()),
        Command::Versions(args) => command::versions::run(args).await,
        Command::Share(args) => command::share::run(args).await,
        Command::Grant(args) => command::grant::run(args).await,
        Command::Webhook(args) => command::webhook::run(args).await,
        Command::Account(args) => command::account::run(args).await,
        Command::Plan(args) => command::plan::run(args).await,
        Command::Token(args) => command::token::run(args).await,
        Command::Fleet(args) => command::fleet::run(args).await,
        Command::Provider(args) => command::provider::run(args).await,
        Command::Constraint(args) => command::constraint::run(args).await,
        Command::Stage(args) => command::stage::run(args).await,
        Command::Target(args) => command::target::run(args).await,
        Command::WhatIf(args) => command::what_if::run(args).await,
        Command::Scrub(args) => command::scrub::run(args).await,
        Command::Doctor(args) => command::doctor::run(args).await,
        Command::Drill(args) => command::drill::run(args).await,
        Command::Job(args) => command::job::run(args).await,
        Command::Kit(args) => command::kit::run(args).await,
        Command::Lease(args) => command::lease::run(args).await,
        Command::Notice(args) => command::notice::run(args).await,
        Command::Ledger(args) => command::ledger::run(args).await,
        Command::Rebuild(args) => command::rebuild::run(args).await,
        Command::Reenact(args) => command::reenact::run(args).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn every_option_is_documented() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} says nothing about itself");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {} is not explained", argument.get_id());
            }
            command.get_subcommands().for_each(|sub| check(sub, &path));
        }
        Cli::command().debug_assert();
        check(&Cli::command(), "");
    }
}
