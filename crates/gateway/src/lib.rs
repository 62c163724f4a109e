//! Protocols in, service calls out: HTTP as clients of all kinds speak it, and no rules of its own.
//!
//! [`serve`] accepts connections ([`server`]) and hands requests to a router whose routes are in [`api`]. A handler names
//! the caller first ([`auth`]), reads what the request says ([`header`], [`body`]), calls the service once, and writes
//! its answer; a refusal becomes a problem document ([`error`]). The path of a file is taken from the request as it was
//! sent and decoded exactly once.
//!
//! The web page ([`page`]) is a client like others; its files are handed in by who starts the doors.
//!
//! What users stored is never run by a browser: every file is an attachment in a sandbox, of the type that was kept.

mod api;
mod auth;
mod body;
mod header;
mod line;
pub mod machine;
mod openapi;
mod patience;
mod zip;

pub mod client;
pub mod error;
pub mod metrics;
pub mod page;
pub mod pictures;
pub mod plain;
pub mod server;
pub mod shape;
pub mod tls;
pub mod watch;

pub use api::{
    constraints::shown as constraints,
    leases::{lines as leases, made as lease_made, opened as desk_made, read as lease_wish},
    ledger::{page as ledger_page, signed as ledger_checkpoint},
    notices::{act as notice_act, lines as notices, read as notice_entered},
};
pub use api::{
    orders::{NewOrder, OrderWord},
    people::token_made,
    stage::{StageVerb, StagedChange, done as stage_done},
    word::ScopeWord,
};

use std::{future::Future, sync::Arc};

use axum::{Extension, Router, extract::Request, middleware, routing::any};
use service::Service;
use tokio::net::TcpListener;

use crate::{
    client::Proxies,
    machine::{Machine, Nobody},
    page::Page,
    pictures::{Gallery, Pictures},
    server::Limits,
    watch::Watch,
};

/// Serves every door on `listener`, over TLS if the watch has certificates, until `shutdown` completes.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    page: Page,
    machine: Arc<dyn Machine>,
    pictures: Arc<dyn Pictures>,
    watch: Arc<Watch>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let router = watched(router(service, page, machine, pictures), &watch);
    let tls = watch.certificates().cloned();
    server::run(listener, router, watch, tls, Limits::default(), shutdown).await;
}

/// Serves `/metrics` alone, to whoever asks, until `shutdown` completes.
pub async fn serve_metrics(listener: TcpListener, watch: Arc<Watch>, shutdown: impl Future<Output = ()> + Send) {
    let router = Router::new().route("/metrics", any(api::metrics::open));
    let router = watched(router.fallback(api::metrics::elsewhere), &watch);
    server::run(listener, router, watch, None, Limits::default(), shutdown).await;
}

fn watched(router: Router, watch: &Arc<Watch>) -> Router {
    let router = router.layer(middleware::from_fn(watch::note_route));
    router.layer(Extension(watch.proxies().clone())).layer(Extension(Arc::clone(watch)))
}

/// The interface alone, within other limits than the usual ones.
pub async fn serve_within(
    listener: TcpListener,
    service: Service,
    limits: Limits,
    proxies: Proxies,
    shutdown: impl Future<Output = ()> + Send,
) {
    let watch = Watch::new(service.clone(), proxies);
    let router = watched(router(service, Page::none(), Arc::new(Nobody), Arc::new(Nobody)), &watch);
    server::run(listener, router, watch, None, limits, shutdown).await;
}

fn router(service: Service, page: Page, machine: Arc<dyn Machine>, pictures: Arc<dyn Pictures>) -> Router {
    let gallery = Gallery::new(pictures);
    let shared = doors().merge(uploads()).layer(Extension(gallery.clone())).with_state(service.clone());
    let received: Router = uploads().with_state(service.clone());
    let received_one = received.clone();
    let (left, left_one) = (received.clone(), received.clone());
    doors()
        .merge(uploads())
        .route("/healthz", any(api::health))
        .route("/metrics", any(api::metrics::door))
        .route("/api/v1/openapi.json", any(openapi::document))
        .route("/api/v1/service", any(api::about::door))
        .route("/api/v1/service/logo", any(api::about::logo))
        .route("/api/v1/service/mail", any(api::mail::test))
        .route("/api/v1/mail", any(api::mail::door))
        .route("/api/v1/mail/confirm", any(api::mail::confirm))
        .route("/api/v1/session", any(api::session::door))
        .route("/api/v1/session/leave", any(api::session::leave))
        .route("/api/v1/session/second-factor", any(api::second::door))
        .route("/api/v1/session/second-factor/codes", any(api::second::codes))
        .route("/api/v1/session/oidc", any(api::oidc::door))
        .route("/api/v1/session/oidc/back", any(api::oidc::back_door))
        .route("/api/v1/session/passkey", any(api::passkeys::enter))
        .route("/api/v1/session/passkey/challenge", any(api::passkeys::ask))
        .route("/api/v1/passkeys", any(api::passkeys::collection))
        .route("/api/v1/passkeys/challenge", any(api::passkeys::begin))
        .route("/api/v1/passkeys/{id}", any(api::passkeys::one))
        .route("/api/v1/sessions", any(api::session::list))
        .route("/api/v1/sessions/{id}", any(api::session::one))
        .route("/api/v1/password", any(api::session::password))
        .route("/api/v1/password/forgot", any(api::mail::forgot))
        .route("/api/v1/password/reset", any(api::session::reset))
        .route("/api/v1/accounts", any(api::people::accounts))
        .route("/api/v1/accounts/{name}", any(api::people::account))
        .route("/api/v1/accounts/{name}/reset", any(api::people::reset))
        .route("/api/v1/accounts/{name}/second-factor", any(api::second::of_another))
        .route("/api/v1/plans", any(api::plans::collection))
        .route("/api/v1/plans/{name}", any(api::plans::one))
        .route("/api/v1/invitations", any(api::people::invitations))
        .route("/api/v1/invitations/{id}", any(api::people::invitation))
        .route("/api/v1/tokens", any(api::people::tokens))
        .route("/api/v1/tokens/{id}", any(api::people::token))
        .route("/api/v1/shares", any(api::shares::collection))
        .route("/api/v1/shares/{id}", any(api::shares::one))
        .route("/api/v1/grants", any(api::grants::collection))
        .route("/api/v1/grants/{id}", any(api::grants::one))
        .route("/api/v1/shared", any(api::grants::shared))
        .route("/api/v1/shared/{id}", any(api::grants::leave))
        .route("/api/v1/shared/{id}/{*door}", any(move |request: Request| api::grants::enter(shared, request)))
        .route("/api/v1/reports", any(api::reports::collection))
        .route("/api/v1/reports/{id}", any(api::reports::one))
        .route("/api/v1/links/{code}/report", any(api::links::report))
        .route("/api/v1/links/{code}/uploads/", any(move |request: Request| api::grants::enter_link(received, request)))
        .route(
            "/api/v1/links/{code}/uploads/{id}",
            any(move |request: Request| api::grants::enter_link(received_one, request)),
        )
        .route("/api/v1/quick", any(api::quick::collection))
        .route("/api/v1/quick/{code}", any(api::quick::one))
        .route("/api/v1/quick/{code}/uploads/", any(move |request: Request| api::grants::enter_quick(left, request)))
        .route(
            "/api/v1/quick/{code}/uploads/{id}",
            any(move |request: Request| api::grants::enter_quick(left_one, request)),
        )
        .route("/api/v1/links/{code}", any(api::links::about))
        .route("/api/v1/links/{code}/session", any(api::links::session))
        .route("/api/v1/links/{code}/content", any(api::links::content))
        .route("/api/v1/links/{code}/files/", any(api::links::files))
        .route("/api/v1/links/{code}/files/{*path}", any(api::links::files))
        .route("/api/v1/links/{code}/thumbnails/", any(api::thumbnails::linked))
        .route("/api/v1/links/{code}/thumbnails/{*path}", any(api::thumbnails::linked))
        .route("/api/v1/links/{code}/zip/", any(api::archive::linked))
        .route("/api/v1/links/{code}/zip/{*path}", any(api::archive::linked))
        .route("/api/v1/webhooks", any(api::webhooks::collection))
        .route("/api/v1/webhooks/{id}", any(api::webhooks::one))
        .route("/api/v1/webhooks/{id}/test", any(api::webhooks::test))
        .route("/api/v1/trash", any(api::trash::door))
        .route("/api/v1/space", any(api::space::kept))
        .route("/api/v1/takeout", any(api::takeout::plan))
        .route("/api/v1/takeout/{number}", any(api::takeout::part))
        .route("/api/v1/kits", any(api::kits::collection))
        .route("/api/v1/kits/{id}", any(api::kits::one))
        .route("/api/v1/kits/{id}/tested", any(api::kits::tested))
        .route("/api/v1/leases", any(api::leases::collection))
        .route("/api/v1/leases/{id}", any(api::leases::one))
        .route("/api/v1/leases/{id}/desk", any(api::leases::counter))
        .route("/api/v1/notices", any(api::notices::collection))
        .route("/api/v1/notices/{id}", any(api::notices::one))
        .route("/api/v1/notices/{id}/document", any(api::notices::paper))
        .route("/api/v1/desk/{lease}", any(api::desk::sign))
        .route("/api/v1/desk/{lease}/notices", any(api::desk::file))
        .route("/api/v1/desk/{lease}/notices/{id}/document", any(api::desk::document))
        .route("/api/v1/ledger", any(api::ledger::list))
        .route("/api/v1/ledger/export", any(api::ledger::export))
        .route("/api/v1/ledger/checkpoint", any(api::ledger::checkpoint))
        .route("/api/v1/fleet", any(api::fleet::report))
        .route("/api/v1/fleet/providers", any(api::fleet::providers))
        .route("/api/v1/fleet/prices", any(api::fleet::prices))
        .route("/api/v1/fleet/targets", any(api::fleet::targets))
        .route("/api/v1/fleet/logins", any(api::fleet::logins))
        .route("/api/v1/fleet/orders", any(api::orders::give))
        .route("/api/v1/fleet/probes", any(api::orders::probe))
        .route("/api/v1/fleet/jobs", any(api::jobs::door))
        .route("/api/v1/fleet/constraints", any(api::constraints::collection))
        .route("/api/v1/fleet/stage", any(api::stage::collection))
        .route("/api/v1/fleet/stage/apply", any(api::stage::apply))
        .route("/api/v1/fleet/what-if", any(api::fleet::what_if))
        .route("/api/v1/fleet/trend", any(api::fleet::trend))
        .route("/api/v1/fleet/scrub", any(api::fleet::scrub))
        .route("/api/v1/fleet/drills", any(api::drills::run))
        .fallback(move |request: Request| async move { page.answer(&request) })
        .layer(Extension(machine))
        .layer(Extension(gallery))
        .with_state(service)
}

/// The doors to files: of the caller's own tree, and behind `/api/v1/shared/ID` of another's.
fn doors() -> Router<Service> {
    Router::new()
        .route("/api/v1/zip/", any(api::archive::own))
        .route("/api/v1/zip/{*path}", any(api::archive::own))
        .route("/api/v1/thumbnails/", any(api::thumbnails::own))
        .route("/api/v1/thumbnails/{*path}", any(api::thumbnails::own))
        .route("/api/v1/versions/", any(api::versions::list))
        .route("/api/v1/versions/{*path}", any(api::versions::list))
        .route("/api/v1/search", any(api::search::door))
        .route("/api/v1/files/", any(api::files::door))
        .route("/api/v1/files/{*path}", any(api::files::door))
}

/// The doors for bytes that come in pieces: also behind the link of whoever asks others for files.
fn uploads() -> Router<Service> {
    Router::new()
        .route("/api/v1/uploads", any(api::uploads::collection))
        .route("/api/v1/uploads/", any(api::uploads::collection))
        .route("/api/v1/uploads/{id}", any(api::uploads::one))
}
