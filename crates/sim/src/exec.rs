//! The executor and the clocks of a played world: one thread, virtual time, chance from the seed.
//!
//! [`Exec`] owns all tasks. Which of the ready ones runs next is drawn, so that the order of things that happen "at once"
//! differs from seed to seed and never within one. When nobody is ready, time leaps to the next sleeper. Nothing waits for
//! real, and a world in which everybody waits for ever is an error, not a hang.
//!
//! [`Time`] is the handle that the store gets: its `Clock` and its `Timer`.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use model::world::{BoxFuture, Clock, Now, Timer};

use crate::chance::Chance;

/// Wall clock of a world at its start: 2026-01-01, microseconds since 1970.
const BEGINNING_US: i64 = 1_767_225_600_000_000;
/// The task number of the future that [`Exec::run`] was called with.
const MAIN: u64 = 0;
/// Polls in one run before it counts as a livelock.
const POLLS_MAX: u64 = 20_000_000;

/// Why a run ended without its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The power went out.
    Crash,
    /// Everybody waits for somebody else.
    Deadlock,
    /// Very much happens and nothing comes of it.
    Livelock,
}

#[derive(Default)]
struct State {
    monotonic_us: u64,
    /// What the wall clock is wrong by.
    jumped_us: i64,
    ready: VecDeque<u64>,
    /// Who sleeps, by the moment of waking and the order of falling asleep.
    sleepers: BTreeMap<(u64, u64), Waker>,
    asleep_count: u64,
    spawned: Vec<(u64, BoxFuture<'static, ()>)>,
    task_count: u64,
}

/// Clock and timer of a world. Clones are the same clock.
#[derive(Clone, Default)]
pub struct Time(Arc<Mutex<State>>);

impl Time {
    /// Lets the wall clock jump; the monotonic clock does not notice.
    pub fn jump_us(&self, by_us: i64) {
        let mut state = self.state();
        state.jumped_us = state.jumped_us.saturating_add(by_us);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Time {
    fn now(&self) -> Now {
        let state = self.state();
        let since_us = i64::try_from(state.monotonic_us).unwrap_or(i64::MAX);
        Now {
            wall_us: BEGINNING_US.saturating_add(since_us).saturating_add(state.jumped_us),
            monotonic_us: state.monotonic_us,
        }
    }
}

impl Timer for Time {
    fn sleep(&self, us: u64) -> BoxFuture<'static, ()> {
        let until_us = self.state().monotonic_us.saturating_add(us);
        Box::pin(Sleep { time: self.clone(), until_us, place: None })
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let mut state = self.state();
        state.task_count += 1;
        let id = state.task_count;
        state.spawned.push((id, task));
        state.ready.push_back(id);
    }
}

struct Sleep {
    time: Time,
    until_us: u64,
    place: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let time = self.time.clone();
        let mut state = time.state();
        if state.monotonic_us >= self.until_us {
            return Poll::Ready(());
        }
        let until_us = self.until_us;
        let place = *self.place.get_or_insert_with(|| {
            state.asleep_count += 1;
            (until_us, state.asleep_count)
        });
        state.sleepers.insert(place, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            // Dropped outside the lock: a waker may be the last to hold a task.
            let waker = self.time.state().sleepers.remove(&place);
            drop(waker);
        }
    }
}

struct Task {
    time: Time,
    id: u64,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let mut state = self.time.state();
        if !state.ready.contains(&self.id) {
            state.ready.push_back(self.id);
        }
    }
}

/// All tasks of one life of the service, and whoever drives it.
pub struct Exec {
    time: Time,
    tasks: BTreeMap<u64, (BoxFuture<'static, ()>, Waker)>,
    chance: Chance,
}

impl Exec {
    /// An empty executor.
    pub fn new(time: Time, chance: Chance) -> Self {
        Self { time, tasks: BTreeMap::new(), chance }
    }

    /// Runs `main` and all tasks until it is done, or until `is_off` says that the power is out.
    ///
    /// # Errors
    /// [`Stop`]. Tasks are kept; see [`Exec::drop_tasks`].
    pub fn run<T>(&mut self, main: impl Future<Output = T>, is_off: impl Fn() -> bool) -> Result<T, Stop> {
        let mut main = pin!(main);
        let main_waker = Waker::from(Arc::new(Task { time: self.time.clone(), id: MAIN }));
        self.time.state().ready.push_back(MAIN);
        for _ in 0..POLLS_MAX {
            let id = self.next()?;
            if id == MAIN {
                let done = main.as_mut().poll(&mut Context::from_waker(&main_waker));
                if is_off() {
                    return Err(Stop::Crash);
                }
                if let Poll::Ready(value) = done {
                    self.time.state().ready.retain(|id| *id != MAIN);
                    return Ok(value);
                }
            } else if let Some((task, waker)) = self.tasks.get_mut(&id) {
                let done = task.as_mut().poll(&mut Context::from_waker(waker)).is_ready();
                if done {
                    self.tasks.remove(&id);
                }
                if is_off() {
                    return Err(Stop::Crash);
                }
            }
        }
        Err(Stop::Livelock)
    }

    /// The power is out: every task is dropped where it stands.
    pub fn drop_tasks(&mut self) {
        self.tasks.clear();
        let left = {
            let mut state = self.time.state();
            state.ready.clear();
            (std::mem::take(&mut state.spawned), std::mem::take(&mut state.sleepers))
        };
        drop(left);
    }

    /// Takes in what was spawned and draws who runs next; leaps in time when nobody is ready.
    fn next(&mut self) -> Result<u64, Stop> {
        let spawned = std::mem::take(&mut self.time.state().spawned);
        for (id, task) in spawned {
            let waker = Waker::from(Arc::new(Task { time: self.time.clone(), id }));
            self.tasks.insert(id, (task, waker));
        }
        loop {
            let mut state = self.time.state();
            if !state.ready.is_empty() {
                let at = if state.ready.len() == 1 { 0 } else { self.chance.below(state.ready.len() as u64) as usize };
                return state.ready.remove(at).ok_or(Stop::Deadlock);
            }
            let Some(((at_us, _), first)) = state.sleepers.pop_first() else { return Err(Stop::Deadlock) };
            state.monotonic_us = state.monotonic_us.max(at_us);
            let mut woken = vec![first];
            while let Some(entry) = state.sleepers.first_entry()
                && entry.key().0 <= at_us
            {
                woken.push(entry.remove());
            }
            drop(state);
            woken.into_iter().for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, Mutex};

    use model::world::{Clock, Timer};

    use super::{Exec, Stop, Time};
    use crate::chance::Chance;

    #[test]
    fn time_leaps_to_the_next_sleeper_and_order_is_by_time() {
        let time = Time::default();
        let mut exec = Exec::new(time.clone(), Chance::new(1));
        let seen = Arc::new(Mutex::new(Vec::new()));
        for us in [30, 10, 20] {
            let (clock, seen) = (time.clone(), seen.clone());
            time.spawn(Box::pin(async move {
                clock.sleep(us).await;
                seen.lock().unwrap().push(clock.now().monotonic_us);
            }));
        }
        exec.run(time.sleep(40), || false).unwrap();
        assert_eq!(*seen.lock().unwrap(), [10, 20, 30]);
    }

    #[test]
    fn who_waits_for_nobody_is_found_out() {
        let mut exec = Exec::new(Time::default(), Chance::new(1));
        assert_eq!(exec.run(std::future::pending::<()>(), || false), Err(Stop::Deadlock));
    }

    #[test]
    fn the_power_goes_out_between_two_polls() {
        let time = Time::default();
        let mut exec = Exec::new(time.clone(), Chance::new(1));
        assert_eq!(exec.run(time.sleep(5), || true), Err(Stop::Crash));
        exec.drop_tasks();
    }
}
