//! The log: one line for each request and for what an operator should know, on standard error.
//!
//! A request's line has its id, method, route, status, bytes of the answer and milliseconds ([`gateway::watch`]); whatever else is
//! logged while it is worked on stands beside the same id. Names of files, tokens and addresses with codes in them are in no line.

use std::io::{self, IsTerminal as _};

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Form {
    /// Logs in this form from now on. Once in a process.
    pub fn start(self) {
        let lines = tracing_subscriber::fmt().with_writer(io::stderr).with_target(false);
        let lines = lines.with_ansi(io::stderr().is_terminal());
        match self {
            Self::Text => lines.init(),
            Self::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
        }
    }
}
