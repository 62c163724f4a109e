//! Waiting on other people's sockets: the only real timers of the gateway.
//!
//! The simulator does not run the gateway, so these need not go through `model::world::Timer`.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Sleep;

/// Runs out when nothing has happened for a while.
pub struct Patience {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Patience {
    /// Patience for `limit`, counted from the first wait.
    pub fn new(limit: Duration) -> Self {
        Self { limit, sleep: None, waiting: false }
    }

    /// Something happened: the next wait counts from its own start.
    pub fn refresh(&mut self) {
        self.waiting = false;
    }

    /// Ready when it has run out; else wakes the task then.
    #[allow(clippy::disallowed_methods, reason = "a timer for a real socket, see the module")]
    pub fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.limit)));
        if !self.waiting {
            sleep.as_mut().reset(tokio::time::Instant::now() + self.limit);
            self.waiting = true;
        }
        sleep.as_mut().poll(cx)
    }
}

/// Waits.
#[allow(clippy::disallowed_methods, reason = "a timer for a real socket, see the module")]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Waits for `work`, but no longer than `limit`: `None` then.
#[allow(clippy::disallowed_methods, reason = "a timer for a real socket, see the module")]
pub async fn at_most<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
