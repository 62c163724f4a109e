//! The client half: what `put`, `get`, `ls` and the rest share. It knows the service only by its HTTP interface.
//!
//! - [`http`]: connections that are kept, requests, streamed bodies;
//! - [`api`]: the calls of `/api/v1` and their answers;
//! - [`path`]: a path in the service, and which names may be written to a local disk;
//! - [`upload`]: a resumable upload and what is remembered of it between runs;
//! - [`batch`]: many files in parallel, progress, and the count at the end.

pub mod api;
pub mod batch;
pub mod http;
pub mod login;
pub mod path;
pub mod upload;

/// Files that are on their way at the same time.
pub const PARALLEL: usize = 8;
