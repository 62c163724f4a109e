//! The memory that a server is away: whoever asks during the pause is told so at once.
//!
//! After the pause one caller tries; the others are still told so until that try is decided. A caller that gives up waiting (the
//! time-out layer has shorter limits than a connection) has learnt the same as one that waited to the end.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use model::world::Clock;

use super::body::Pulse;
use crate::lock;

/// The first pause; it doubles with every failure in a row.
const PAUSE_US: u64 = 1_000_000;
const PAUSE_US_MAX: u64 = 30_000_000;
/// Who gives up sooner has learnt nothing about the server.
pub(super) const LEARNT_US: u64 = 3_000_000;

#[derive(Default)]
struct State {
    failures: u32,
    until_us: u64,
    reason: String,
    is_tried: bool,
}

/// Lets requests through, or not.
pub(super) struct Gate {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), clock }
    }

    /// Permits one try, or says why the server is believed to be away.
    pub(super) fn pass(&self) -> Result<Pass<'_>, String> {
        let now_us = self.clock.now().monotonic_us;
        let mut state = lock(&self.state);
        if state.failures > 0 {
            if state.is_tried || now_us < state.until_us {
                return Err(format!("{} (it is tried again soon)", state.reason));
            }
            state.is_tried = true;
        }
        Ok(Pass { gate: self, still_since_us: AtomicU64::new(now_us), pulse: OnceLock::new(), is_decided: false })
    }
}

/// One try. Dropping it undecided tells the gate how long was waited in vain.
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    still_since_us: AtomicU64,
    /// Of the request, once there is a connection.
    pulse: OnceLock<Arc<Pulse>>,
    is_decided: bool,
}

impl Pass<'_> {
    /// The request is on its way.
    pub(super) fn sending(&self, pulse: &Arc<Pulse>) {
        let _ = self.pulse.set(Arc::clone(pulse));
    }

    /// Bytes move, or it is our turn.
    pub(super) fn moved(&self) {
        self.still_since_us.store(self.gate.clock.now().monotonic_us, Ordering::Relaxed);
    }

    /// The server answers, whatever it says.
    pub(super) fn answered(mut self) {
        self.is_decided = true;
        *lock(&self.gate.state) = State::default();
    }

    /// The server is away.
    pub(super) fn failed(mut self, reason: String) {
        self.is_decided = true;
        self.count(reason);
    }

    /// It is there, and broke off.
    pub(super) fn undecided(mut self) {
        self.is_decided = true;
        lock(&self.gate.state).is_tried = false;
    }

    fn count(&self, reason: String) {
        let now_us = self.gate.clock.now().monotonic_us;
        let mut state = lock(&self.gate.state);
        let pause_us = (PAUSE_US << state.failures.min(10)).min(PAUSE_US_MAX);
        // Of many that failed together, the first sets the pause.
        if state.is_tried || now_us >= state.until_us {
            state.failures = state.failures.saturating_add(1);
            state.until_us = now_us.saturating_add(pause_us);
        }
        state.reason = reason;
        state.is_tried = false;
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_decided {
            return;
        }
        let now_us = self.gate.clock.now().monotonic_us;
        let waited_us = now_us.saturating_sub(self.still_since_us.load(Ordering::Relaxed));
        // An object that was abandoned halfway says nothing about the server.
        let is_servers_turn = self.pulse.get().is_none_or(|pulse| pulse.ended.load(Ordering::Relaxed));
        if is_servers_turn && waited_us >= LEARNT_US {
            self.count(format!("it gave no answer in {} s", waited_us / 1_000_000));
        } else {
            lock(&self.gate.state).is_tried = false;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use model::world::{Clock, Now};

    use super::Gate;

    #[derive(Default)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn now(&self) -> Now {
            Now { wall_us: 0, monotonic_us: self.0.load(Ordering::Relaxed) }
        }
    }

    #[test]
    fn a_failure_closes_the_gate_for_a_pause_and_one_tries_after_it() {
        let hand = Arc::new(Hand::default());
        let gate = Gate::new(hand.clone());
        let (first, second) = (gate.pass().unwrap(), gate.pass().unwrap());
        first.failed("away".to_owned());
        second.failed("away".to_owned());
        assert!(gate.pass().is_err());
        hand.0.store(1_000_000, Ordering::Relaxed);
        let trying = gate.pass().unwrap();
        assert!(gate.pass().is_err(), "a second one tries beside the first");
        trying.failed("away".to_owned());
        hand.0.store(2_900_000, Ordering::Relaxed);
        assert!(gate.pass().is_err(), "the pause did not double");
        hand.0.store(3_000_000, Ordering::Relaxed);
        gate.pass().unwrap().answered();
        assert!(gate.pass().is_ok());
    }

    #[test]
    fn who_gives_up_late_has_learnt_and_who_gives_up_early_has_not() {
        let hand = Arc::new(Hand::default());
        let gate = Gate::new(hand.clone());
        drop(gate.pass().unwrap());
        let waiting = gate.pass().unwrap();
        hand.0.store(5_000_000, Ordering::Relaxed);
        drop(waiting);
        assert!(gate.pass().err().unwrap().contains("no answer in 5 s"));
    }
}
