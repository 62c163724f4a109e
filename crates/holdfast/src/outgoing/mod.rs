//! What goes out by itself: mail, and what webhooks are told. The service keeps the queues and the rules; here are the lines to
//! the world, and the tasks that go through the queues until the program stops.

pub mod config;
mod hooks;
mod inner;
pub mod smtp;

use std::{sync::Arc, time::Duration};

use model::world::Timer;
use service::Service;
use tokio::task::JoinHandle;

use crate::error::Result;

/// How often a queue is looked at when nobody rings: what waited for its next try is due then.
const LOOK: Duration = Duration::from_secs(5);

/// The service with webhooks, and with mail if it is configured.
///
/// # Errors
/// Refused: a login that cannot be read, a server that cannot be spoken to by its own rules.
pub fn with(service: Service, config: &config::Outgoing) -> Result<Service> {
    let courier = hooks::Web::new(config.inner.clone(), Arc::new(hooks::OfMachine));
    let service = service.with_webhooks(Arc::new(courier));
    let Some(mail) = &config.mail else { return Ok(service) };
    Ok(service.with_mail(&mail.page, Arc::new(smtp::Smtp::new(mail)?)))
}

/// Tells webhooks what happens until it is aborted.
pub fn tell_webhooks(service: Service, timer: Arc<dyn Timer>) -> JoinHandle<()> {
    let told = async move { service.tell_webhooks(timer, |error| tracing::warn!("webhooks wait: {error}")).await };
    tokio::spawn(told)
}

/// Carries mails until it is aborted.
pub fn carry_mails(service: Service) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match service.mail_round().await {
                // There may be more.
                Ok(round) if round.carried > 0 && round.troubles.is_empty() => {
                    tracing::info!(mails = round.carried, "mail was taken");
                    continue;
                }
                Ok(round) => round.troubles.iter().for_each(|trouble| tracing::warn!("{trouble}")),
                Err(error) => tracing::warn!("mail waits: {error}"),
            }
            tokio::select! {
                () = service.mail_bell() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    })
}
