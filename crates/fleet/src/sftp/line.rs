//! The way to a server: a connection made when it is first needed, shared by all calls, and made anew after it broke.
//!
//! One attempt at a time, and it belongs to nobody: calls that come meanwhile wait for the same one, and it goes on when they
//! give up. After a failure the line *rests*: calls fail at once with the reason, so a server that swallows everything costs
//! one timeout and not one per call. The rest doubles from failure to failure.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::connection::{Called, Connection, Failure};
use crate::lock;

type Outcome = Result<Arc<Connection>, Failure>;

/// See the module.
pub(super) struct Line {
    pub(super) called: Called,
    state: Mutex<State>,
}

enum State {
    /// Nothing is there. So many attempts failed in a row.
    Idle {
        failures: u32,
    },
    Trying {
        outcome: watch::Receiver<Option<Outcome>>,
    },
    Up(Arc<Connection>),
    Resting(Failure),
}

impl Line {
    pub(super) fn new(called: Called) -> Arc<Self> {
        Arc::new(Self { called, state: Mutex::new(State::Idle { failures: 0 }) })
    }

    /// The connection, made if there is none.
    pub(super) async fn connection(self: &Arc<Self>) -> Outcome {
        let mut outcome = {
            let mut state = lock(&self.state);
            match &*state {
                State::Up(connection) if connection.is_alive() => return Ok(Arc::clone(connection)),
                State::Resting(failure) => return Err(failure.clone()),
                // An attempt whose task was dropped with its runtime has no outcome any more.
                State::Trying { outcome } if outcome.has_changed().is_ok() => outcome.clone(),
                State::Up(_) | State::Trying { .. } => self.start(&mut state, 0),
                State::Idle { failures } => {
                    let failures = *failures;
                    self.start(&mut state, failures)
                }
            }
        };
        let ended = outcome.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        ended.ok().flatten().unwrap_or_else(|| Err("the attempt to connect was dropped".to_owned().into()))
    }

    fn start(self: &Arc<Self>, state: &mut State, failures: u32) -> watch::Receiver<Option<Outcome>> {
        let (sender, outcome) = watch::channel(None);
        *state = State::Trying { outcome: outcome.clone() };
        let line = Arc::clone(self);
        self.called.timer.spawn(Box::pin(async move {
            let result = line.attempt().await.map(Arc::new);
            let rest_ms = result.as_ref().err().map(|failure| line.rest_ms(failure, failures));
            *lock(&line.state) = match &result {
                Ok(connection) => State::Up(Arc::clone(connection)),
                Err(failure) => State::Resting(failure.clone()),
            };
            let _ = sender.send(Some(result));
            if let Some(rest_ms) = rest_ms {
                line.called.timer.sleep(rest_ms.saturating_mul(1_000)).await;
                *lock(&line.state) = State::Idle { failures: failures.saturating_add(1) };
            }
        }));
        outcome
    }

    async fn attempt(&self) -> Result<Connection, Failure> {
        let limit_ms = self.called.times.connect_ms;
        tokio::select! {
            biased;
            result = Connection::open(&self.called) => result,
            () = self.called.timer.sleep(limit_ms.saturating_mul(1_000)) => {
                Err(format!("no connection within {limit_ms} ms: the server is away, or something between swallows packets").into())
            }
        }
    }

    fn rest_ms(&self, failure: &Failure, failures: u32) -> u64 {
        let times = self.called.times;
        if failure.settled {
            return times.rest_ms_max;
        }
        times.rest_ms.saturating_mul(1 << failures.min(20)).min(times.rest_ms_max)
    }
}
