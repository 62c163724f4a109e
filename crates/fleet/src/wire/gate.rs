//! The memory that a server is away: whoever asks during the pause is told so at once.
//!
//! After the pause one caller tries; the others are still told so until that try is decided. A caller that gives up waiting (the
//! time-out layer has shorter limits than a connection) has learnt the same as one that waited to the end.
//!
//! A server may also begin an answer and stop in its middle, while short answers come as ever: a line that loses long packets, a
//! disk that hangs. Then whoever asked for much would wait in vain, one after the other. So such a stall closes the gate as well,
//! for longer, and a short answer after the pause opens it but does not make the stall forgotten: the next one closes it for
//! twice as long.

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
/// The first pause after an answer that stopped in its middle; it doubles with every such stall.
const STALL_PAUSE_US: u64 = 10_000_000;
/// A stall that is so long ago has nothing to do with the next one.
const STALL_FORGOTTEN_US: u64 = 120_000_000;
/// An answer with so many bytes shows that the server does not stall any more: no single packet has as many.
const LONG_BYTES: u64 = 64 << 10;
/// Who gives up sooner has learnt nothing about the server.
pub(super) const LEARNT_US: u64 = 3_000_000;

#[derive(Default)]
struct State {
    failures: u32,
    until_us: u64,
    reason: String,
    is_tried: bool,
    /// Stalls in a row, and when the last one was known.
    stalls: u32,
    stalled_us: Option<u64>,
}

impl State {
    /// Whether who began then was let through before the last stall was known: how it fares says nothing new.
    fn began_before_stall(&self, begun_us: u64) -> bool {
        self.stalled_us.is_some_and(|stalled_us| begun_us <= stalled_us)
    }
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
    pub(super) fn pass(self: &Arc<Self>) -> Result<Pass, String> {
        let now_us = self.clock.now().monotonic_us;
        let mut state = lock(&self.state);
        if state.failures > 0 {
            if state.is_tried || now_us < state.until_us {
                return Err(format!("{} (it is tried again soon)", state.reason));
            }
            state.is_tried = true;
        }
        let (gate, still_since_us) = (Arc::clone(self), AtomicU64::new(now_us));
        Ok(Pass { gate, begun_us: now_us, still_since_us, pulse: OnceLock::new(), phase: Phase::Asking })
    }

    /// The server gave an answer with a body of so many bytes to who began then.
    fn answered(&self, begun_us: u64, body_bytes: u64) {
        let mut state = lock(&self.state);
        if body_bytes >= LONG_BYTES {
            *state = State::default();
        } else if !state.began_before_stall(begun_us) {
            *state = State { stalls: state.stalls, stalled_us: state.stalled_us, ..State::default() };
        }
    }

    /// An answer stopped in its middle; who asked for it began then.
    fn stalled(&self, begun_us: u64) {
        let now_us = self.clock.now().monotonic_us;
        let mut state = lock(&self.state);
        // Of many that stall together, the first sets the pause.
        if state.began_before_stall(begun_us) {
            return;
        }
        let lately = state.stalled_us.is_some_and(|before_us| now_us.saturating_sub(before_us) < STALL_FORGOTTEN_US);
        let stalls = if lately { state.stalls.saturating_add(1) } else { 1 };
        let pause_us = (STALL_PAUSE_US << (stalls - 1).min(10)).min(PAUSE_US_MAX);
        *state = State {
            failures: 1,
            until_us: now_us.saturating_add(pause_us),
            reason: "it begins to answer and stops in the middle".to_owned(),
            is_tried: false,
            stalls,
            stalled_us: Some(now_us),
        };
    }
}

/// How far a try got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No answer yet.
    Asking,
    /// The answer's head came, and so many bytes of its body; whether more is waited for.
    Answering {
        body_bytes: u64,
        is_waited_for: bool,
    },
    Decided,
}

/// One try, from before the connection to the end of the answer. Dropping it undecided tells the gate how long was waited in vain.
pub(super) struct Pass {
    gate: Arc<Gate>,
    begun_us: u64,
    still_since_us: AtomicU64,
    /// Of the request, once there is a connection.
    pulse: OnceLock<Arc<Pulse>>,
    phase: Phase,
}

impl Pass {
    /// The request is on its way.
    pub(super) fn sending(&self, pulse: &Arc<Pulse>) {
        let _ = self.pulse.set(Arc::clone(pulse));
    }

    /// Bytes move, or it is our turn.
    pub(super) fn moved(&self) {
        self.still_since_us.store(self.gate.clock.now().monotonic_us, Ordering::Relaxed);
    }

    /// The server answers, whatever it says; what it says may have a body.
    pub(super) fn answering(&mut self) {
        self.phase = Phase::Answering { body_bytes: 0, is_waited_for: false };
    }

    /// More of the body is waited for from now on.
    pub(super) fn waits(&mut self) {
        self.moved();
        if let Phase::Answering { is_waited_for, .. } = &mut self.phase {
            *is_waited_for = true;
        }
    }

    /// So many bytes came, or the end.
    pub(super) fn took(&mut self, bytes: usize) {
        if let Phase::Answering { body_bytes, is_waited_for } = &mut self.phase {
            *body_bytes += bytes as u64;
            *is_waited_for = false;
        }
    }

    /// The answer stopped, and was waited for long enough.
    pub(super) fn stalled(&mut self) {
        self.phase = Phase::Decided;
        self.gate.stalled(self.begun_us);
    }

    /// The server is away.
    pub(super) fn failed(mut self, reason: String) {
        self.phase = Phase::Decided;
        self.count(reason);
    }

    /// It is there, and broke off.
    pub(super) fn undecided(mut self) {
        self.phase = Phase::Decided;
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

impl Drop for Pass {
    fn drop(&mut self) {
        let now_us = self.gate.clock.now().monotonic_us;
        let waited_us = now_us.saturating_sub(self.still_since_us.load(Ordering::Relaxed));
        match self.phase {
            Phase::Decided => {}
            Phase::Answering { is_waited_for: true, .. } if waited_us >= LEARNT_US => self.gate.stalled(self.begun_us),
            Phase::Answering { body_bytes, .. } => self.gate.answered(self.begun_us, body_bytes),
            Phase::Asking => {
                // An object that was abandoned halfway says nothing about the server.
                let is_servers_turn = self.pulse.get().is_none_or(|pulse| pulse.ended.load(Ordering::Relaxed));
                if is_servers_turn && waited_us >= LEARNT_US {
                    self.count(format!("it gave no answer in {} s", waited_us / 1_000_000));
                } else {
                    lock(&self.gate.state).is_tried = false;
                }
            }
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

    use super::{Gate, LONG_BYTES, Pass};

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
        let gate = Arc::new(Gate::new(hand.clone()));
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
        answers(gate.pass().unwrap(), 0);
        assert!(gate.pass().is_ok());
    }

    /// An answer with so many bytes, read to its end.
    fn answers(mut pass: Pass, bytes: usize) {
        pass.answering();
        pass.waits();
        pass.took(bytes);
    }

    /// An answer that stops after its head; the caller gives up after four seconds.
    fn stops(hand: &Hand, mut pass: Pass) {
        pass.answering();
        pass.waits();
        hand.0.fetch_add(4_000_000, Ordering::Relaxed);
    }

    #[test]
    fn an_answer_that_stops_closes_the_gate_and_a_short_one_does_not_make_it_forgotten() {
        let hand = Arc::new(Hand::default());
        let gate = Arc::new(Gate::new(hand.clone()));
        let (beside, late) = (gate.pass().unwrap(), gate.pass().unwrap());
        stops(&hand, gate.pass().unwrap());
        let closed_s = |gate: &Arc<Gate>| {
            let mut seconds = 0;
            while gate.pass().is_err() {
                hand.0.fetch_add(1_000_000, Ordering::Relaxed);
                seconds += 1;
            }
            seconds
        };
        assert!(gate.pass().err().unwrap().contains("stops in the middle"));
        // Who was let through before says nothing new, be it that it is answered shortly, or stopped as well.
        answers(beside, 100);
        assert!(gate.pass().is_err());
        stops(&hand, late);
        assert_eq!(closed_s(&gate), 6, "ten seconds from the first one on");
        answers(gate.pass().unwrap(), 100);
        assert!(gate.pass().is_ok(), "short answers open it");
        stops(&hand, gate.pass().unwrap());
        assert_eq!(closed_s(&gate), 20, "it did not stop for the first time");
        answers(gate.pass().unwrap(), LONG_BYTES as usize);
        stops(&hand, gate.pass().unwrap());
        assert_eq!(closed_s(&gate), 10, "a long answer in between");
    }

    #[test]
    fn who_gives_up_late_has_learnt_and_who_gives_up_early_has_not() {
        let hand = Arc::new(Hand::default());
        let gate = Arc::new(Gate::new(hand.clone()));
        drop(gate.pass().unwrap());
        let waiting = gate.pass().unwrap();
        hand.0.store(5_000_000, Ordering::Relaxed);
        drop(waiting);
        assert!(gate.pass().err().unwrap().contains("no answer in 5 s"));
    }
}
