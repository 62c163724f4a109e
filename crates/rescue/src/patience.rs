//! The layer that stops asking a target which does not answer, so that one silent firm does not hold up what the others have.
//!
//! A rescue asks every place for what no record places, so a server that takes connections and says nothing would cost a full
//! wait for each shard there is. Here it costs a few: after a call that had no answer in time it is left alone for a while, which
//! doubles from silence to silence, and then tried again, because lines also come back.
//!
//! It lies outermost: a call that reaches it as late was tried as often as it is going to be.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fleet::{
    Error, Result, Target,
    layer::{Around, Call, Layered},
};
use model::world::{BoxFuture, Clock};

/// How long a target is left alone after its first silence: well beyond one wait, so that most of the time goes to the others.
const REST_US: u64 = 60_000_000;
/// The longest such rest. A line that was mended is used again within it.
const REST_US_MAX: u64 = 16 * REST_US;

/// Leaves silent targets alone.
pub(crate) struct Patience {
    clock: Arc<dyn Clock>,
    silence: Silence,
}

/// What is remembered of one target's silence, also from driver to driver.
#[derive(Clone, Default)]
pub(crate) struct Silence(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    silences: u32,
    /// On the monotonic clock; it may be asked again from then on.
    rests_until_us: u64,
}

impl Patience {
    /// Lays it around `inner`, of which `silence` may know something.
    pub(crate) fn over(inner: Arc<dyn Target>, silence: Silence, clock: Arc<dyn Clock>) -> Arc<dyn Target> {
        Layered::over(inner, Self { clock, silence })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.silence.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self) -> bool {
        self.clock.now().monotonic_us < self.state().rests_until_us
    }

    fn note(&self, silent: bool) {
        let now_us = self.clock.now().monotonic_us;
        let mut state = self.state();
        if !silent {
            *state = State::default();
        } else if now_us >= state.rests_until_us {
            // Calls that were under way beside the first silent one say nothing new.
            let rest_us = (REST_US << state.silences.min(10)).min(REST_US_MAX);
            *state = State { silences: state.silences + 1, rests_until_us: now_us.saturating_add(rest_us) };
        }
    }
}

impl Around for Patience {
    fn once<'a, T: Send + 'a>(&'a self, call: Call<'a>, run: BoxFuture<'a, Result<T>>) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            if self.rests() {
                let reason = "it did not answer just now, and is left alone for a while".to_owned();
                return Err(Error::Down { target: call.target.to_owned(), reason });
            }
            let result = run.await;
            self.note(matches!(result, Err(Error::Timeout { .. })));
            result
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use fleet::{
        Error, Fault, FaultControl, Faults, MemoryDisk, MemoryTarget, Target, TimeLimits, Timeout, Verb, When,
    };
    use model::world::{Clock, Timer};
    use testkit::world::{ManualClock, SeededEntropy};

    use super::{Patience, REST_US, REST_US_MAX, Silence};

    /// A target that hangs as often as it is asked to, and a clock that leaps over each wait.
    fn target(control: &FaultControl, clock: &ManualClock, silence: &Silence) -> Arc<dyn Target> {
        let inner = Arc::new(MemoryTarget::on("far".to_owned(), MemoryDisk::default()));
        let (timer, entropy): (Arc<dyn Timer>, _) = (Arc::new(clock.clone()), Arc::new(SeededEntropy::new(1)));
        let faults = Faults::over(inner, control.clone(), entropy, Arc::clone(&timer));
        let timed = Timeout::over(Arc::new(faults), TimeLimits::default(), timer);
        Patience::over(timed, silence.clone(), Arc::new(clock.clone()))
    }

    #[tokio::test]
    async fn a_silent_target_costs_few_waits_and_is_tried_again() {
        let (control, clock) = (FaultControl::default(), ManualClock::leaping());
        let silence = Silence::default();
        let far = target(&control, &clock, &silence);
        assert!(far.probe().await.is_ok());
        control.set_for(Fault::Hang, Verb::Probe, When::Always);
        let limit_us = TimeLimits::default().probe_ms * 1_000;
        let mut rest_us = REST_US;
        for _ in 0..8 {
            let before_us = clock.now().monotonic_us;
            assert!(matches!(far.probe().await, Err(Error::Timeout { .. })));
            for _ in 0..100 {
                assert!(matches!(far.probe().await, Err(Error::Down { .. })));
            }
            assert!(target(&control, &clock, &silence).probe().await.is_err(), "another driver knows as well");
            assert_eq!(clock.now().monotonic_us - before_us, limit_us, "one wait, whatever is asked");
            clock.advance(rest_us);
            rest_us = (2 * rest_us).min(REST_US_MAX);
        }
        control.clear();
        assert!(far.probe().await.is_ok());
        assert!(far.probe().await.is_ok());
    }
}
