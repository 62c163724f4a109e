//! Effects, counted, and the moment at which the power goes out.
//!
//! Every call at a target is one *effect*: it gets a number and goes into the run's hash (verb, target, name, bytes, time).
//! A crash is armed for an effect and one of three [`Moment`]s. When it comes, whatever is under way stays so for ever: its
//! future never wakes again, half-written objects vanish with their writers, and the catalogue falls back to the image that
//! was taken at that moment. A commit that nothing outside followed may be lost with it, as when a log was not synced yet.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use catalogue::Catalogue;
use fleet::layer::Verb;
use model::world::Clock;

use crate::{chance::Chance, exec::Time};

/// When, at its effect, a crash comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The effect does not take place.
    Before,
    /// It takes place, and nobody hears of it.
    After,
    /// It takes place and is heard of; the next one does not. What was committed in between is kept or lost.
    Behind,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Before, Self::After, Self::Behind];
}

/// Where a crash came, for the census.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CrashPoint {
    /// Before, after or behind its effect.
    pub moment: Moment,
    /// Which call: `put journal`, `finish shard`.
    pub effect: String,
    /// What the service was doing, as its driver said.
    pub doing: &'static str,
}

#[derive(Default)]
struct State {
    effects: u64,
    hash: blake3::Hasher,
    off: Option<CrashPoint>,
    armed: Option<(u64, Moment)>,
    /// A crash waits for the next effect of this kind.
    waits_for: Option<(Verb, &'static str, Moment)>,
    /// The effect of a crash that comes behind it has been heard of.
    passed: Option<(CrashPoint, Option<Vec<u8>>, u64)>,
    acknowledged: u64,
    doing: &'static str,
    catalogue: Option<Catalogue>,
    /// The catalogue as the crash left it.
    image: Option<Vec<u8>>,
    trace: Option<Vec<String>>,
    /// How often each verb met each kind of object.
    seen: BTreeMap<(Verb, &'static str), u64>,
}

/// The hand on the switch. Clones are the same switch.
#[derive(Clone)]
pub struct Power {
    state: Arc<Mutex<State>>,
    time: Time,
    chance: Chance,
}

impl Power {
    /// Power that is on.
    pub fn new(time: Time, chance: Chance) -> Self {
        Self { state: Arc::default(), time, chance }
    }

    /// Which catalogue a crash falls back to the last image of.
    pub fn watch(&self, catalogue: Catalogue) {
        self.state().catalogue = Some(catalogue);
    }

    /// Says what the service is doing now.
    pub fn doing(&self, what: &'static str) {
        self.state().doing = what;
    }

    /// Lets the power go out `ahead` effects from now.
    pub fn arm(&self, ahead: u64, moment: Moment) {
        let mut state = self.state();
        state.armed = Some((state.effects + ahead, moment));
    }

    /// Lets the power go out at the next call of this verb on this kind of object: chance alone seldom meets what is rare.
    pub fn arm_at(&self, verb: Verb, kind: &'static str, moment: Moment) {
        self.state().waits_for = Some((verb, kind, moment));
    }

    /// Takes an armed crash back, unless it came.
    pub fn disarm(&self) {
        let mut state = self.state();
        state.armed = None;
        state.waits_for = None;
        state.passed = None;
    }

    /// Whether the power is out.
    pub fn is_off(&self) -> bool {
        self.state().off.is_some()
    }

    /// Something was acknowledged to a client: no commit before this moment may be lost.
    pub fn acknowledged(&self) {
        self.state().acknowledged += 1;
    }

    /// The power comes back: where the crash came, and the catalogue's image.
    pub fn restore(&self) -> Option<(CrashPoint, Vec<u8>)> {
        let mut state = self.state();
        state.armed = None;
        state.waits_for = None;
        state.passed = None;
        state.catalogue = None;
        let point = state.off.take()?;
        Some((point, state.image.take().unwrap_or_default()))
    }

    /// Pulls the plug between two effects.
    pub fn pull(&self) {
        let mut state = self.state();
        let point = CrashPoint { moment: Moment::Behind, effect: "nothing".to_owned(), doing: state.doing };
        state.go_off(point, None);
    }

    /// Effects so far.
    pub fn effects(&self) -> u64 {
        self.state().effects
    }

    /// The hash of all effects so far.
    pub fn hash(&self) -> [u8; 32] {
        *self.state().hash.finalize().as_bytes()
    }

    /// How often each effect was begun.
    pub fn seen(&self) -> Vec<(String, u64)> {
        let seen = &self.state().seen;
        seen.iter().map(|((verb, kind), times)| (format!("{} {kind}", verb.name()), *times)).collect()
    }

    /// Keeps a line for each effect from now on.
    pub fn keep_trace(&self) {
        self.state().trace = Some(Vec::new());
    }

    /// The lines kept since the last call.
    pub fn take_trace(&self) -> Vec<String> {
        self.state().trace.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// An effect begins: its number, or `None` if it never will.
    pub(crate) fn begin(&self, verb: Verb, target: usize, name: &str, sum: u32) -> Option<u64> {
        let now_us = self.time.now().monotonic_us;
        let mut state = self.state();
        if state.off.is_some() {
            return None;
        }
        if let Some((point, tail, acknowledged)) = state.passed.take() {
            let lose = tail.is_some() && acknowledged == state.acknowledged && self.chance.one_in(2);
            state.go_off(point, if lose { tail } else { None });
            return None;
        }
        state.effects += 1;
        *state.seen.entry((verb, kind(name))).or_default() += 1;
        let number = state.effects;
        let State { hash, trace, doing, .. } = &mut *state;
        hash.update(&[verb as u8, target as u8])
            .update(name.as_bytes())
            .update(&sum.to_le_bytes())
            .update(&now_us.to_le_bytes());
        if let Some(trace) = trace {
            trace.push(format!("{number} {now_us} {doing}: {} {target} {name} {sum:08x}", verb.name()));
        }
        if let Some((_, _, moment)) = state.waits_for.take_if(|(on, of, _)| *on == verb && *of == kind(name)) {
            state.armed = Some((number, moment));
        }
        if state.armed == Some((number, Moment::Before)) {
            let point = state.point(Moment::Before, verb, name);
            state.go_off(point, None);
            return None;
        }
        Some(number)
    }

    /// An effect took place: whether anybody hears of it.
    pub(crate) fn end(&self, number: u64, verb: Verb, name: &str) -> bool {
        let mut state = self.state();
        if state.off.is_some() {
            return false;
        }
        match state.armed {
            Some((at, Moment::After)) if at == number => {
                let point = state.point(Moment::After, verb, name);
                state.go_off(point, None);
                false
            }
            Some((at, Moment::Behind)) if at == number => {
                let tail = state.catalogue.as_ref().and_then(|catalogue| catalogue.image().ok());
                state.passed = Some((state.point(Moment::Behind, verb, name), tail, state.acknowledged));
                true
            }
            _ => true,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn point(&self, moment: Moment, verb: Verb, name: &str) -> CrashPoint {
        let effect = format!("{} {}", verb.name(), kind(name));
        CrashPoint { moment, effect, doing: self.doing }
    }

    fn go_off(&mut self, point: CrashPoint, image: Option<Vec<u8>>) {
        self.image = image.or_else(|| self.catalogue.as_ref().and_then(|catalogue| catalogue.image().ok()));
        self.off = Some(point);
    }
}

/// What an object is, by the first part of its name.
pub(crate) fn kind(name: &str) -> &'static str {
    match name.split('/').next().unwrap_or_default() {
        "shards" => "shard",
        "journal" => "journal",
        "snapshots" => "snapshot",
        "envelopes" => "envelope",
        "addresses" => "address book",
        "ledger" => "checkpoint",
        "" => "marker",
        _ => "other",
    }
}
