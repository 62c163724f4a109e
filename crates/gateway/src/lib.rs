//! Protocols in, service calls out: HTTP as clients of all kinds speak it, and no rules of its own.
//!
//! [`serve`] accepts connections ([`server`]) and hands requests to a router whose routes are in [`api`]. A handler names
//! the caller first ([`auth`]), reads what the request says ([`header`], [`body`]), calls the service once, and writes
//! its answer; a refusal becomes a problem document ([`error`]). The path of a file is taken from the request as it was
//! sent and decoded exactly once.
//!
//! What users stored is never run by a browser: every file is an attachment in a sandbox, of the type that was kept.

mod api;
mod auth;
mod body;
mod header;
mod patience;

pub mod error;
pub mod server;
pub mod shape;

use std::future::Future;

use axum::{Router, routing::any};
use service::Service;
use tokio::net::TcpListener;

use crate::{error::Problem, server::Limits};

/// Serves every door on `listener` until `shutdown` completes.
pub async fn serve(listener: TcpListener, service: Service, shutdown: impl Future<Output = ()> + Send) {
    serve_within(listener, service, Limits::default(), shutdown).await;
}

/// The same within other limits than the usual ones.
pub async fn serve_within(
    listener: TcpListener,
    service: Service,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) {
    server::run(listener, router(service), limits, shutdown).await;
}

fn router(service: Service) -> Router {
    Router::new()
        .route("/healthz", any(api::health))
        .route("/api/v1/files/", any(api::files::door))
        .route("/api/v1/files/{*path}", any(api::files::door))
        .route("/api/v1/uploads", any(api::uploads::collection))
        .route("/api/v1/uploads/", any(api::uploads::collection))
        .route("/api/v1/uploads/{id}", any(api::uploads::one))
        .route("/api/v1/kits", any(api::kits::collection))
        .route("/api/v1/kits/{id}", any(api::kits::one))
        .route("/api/v1/kits/{id}/tested", any(api::kits::tested))
        .route("/api/v1/fleet", any(api::fleet::report))
        .route("/api/v1/fleet/what-if", any(api::fleet::what_if))
        .route("/api/v1/fleet/scrub", any(api::fleet::scrub))
        .fallback(|| async { Problem::no_route() })
        .with_state(service)
}
