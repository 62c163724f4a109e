//! What happens to providers. One is hurt at a time; before the next one is, the service has to say that everything is
//! settled again, and the auditor that it is.

use bytes::Bytes;
use fleet::{Fault, Image, When, layer::Verb};

use crate::{
    disks::Disk,
    world::{Broken, Meddling, PROVIDERS, Step, World, new_disk},
};

/// Fewest providers that are left when others are gone for good.
const PROVIDERS_LEFT: usize = 3;
/// Rounds of upkeep in which everything must be settled again.
const ROUNDS: u32 = 40;
/// Microseconds in a year.
const YEAR_US: i64 = 365 * 24 * 3_600 * 1_000_000;

/// A way to hurt a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Everything is removed.
    Wiped,
    /// Does not answer; what it holds stays.
    Down,
    /// Calls fail now and then, before or after their effect; reads are short or have a bit turned.
    Flaky,
    /// Some calls never end.
    Hanging,
    /// Calls take long.
    Slow,
    /// No room for a byte more.
    Full,
    /// Says that it stored what it did not, and lists what it wants.
    Lying,
    /// What it holds changes.
    Rotting,
    /// Is put back to what it held before.
    Old,
}

impl Harm {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Wiped, "fault: wiped"),
        (Self::Down, "fault: down"),
        (Self::Flaky, "fault: flaky"),
        (Self::Hanging, "fault: hanging"),
        (Self::Slow, "fault: slow"),
        (Self::Full, "fault: full"),
        (Self::Lying, "fault: lying"),
        (Self::Rotting, "fault: rotting"),
        (Self::Old, "fault: old"),
    ];
}

/// The provider that is hurt.
#[derive(Clone)]
pub struct Victim {
    /// Which one.
    pub provider: usize,
    /// How.
    pub harm: Harm,
    /// In which step it began.
    pub since: u64,
    /// Every call shows it: nothing that is acknowledged later may count on it.
    pub is_plain: bool,
    /// What its disks held before.
    before: Vec<(usize, Image)>,
}

impl std::fmt::Debug for Victim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "provider {} {:?} since step {}", self.provider, self.harm, self.since)
    }
}

impl World {
    fn disks_of(&self, provider: usize) -> Vec<Disk> {
        self.disks.iter().filter(|disk| disk.provider == provider).cloned().collect()
    }

    fn images_of(&self, provider: usize) -> Vec<(usize, Image)> {
        self.disks_of(provider).iter().map(|disk| (disk.index, disk.disk.image())).collect()
    }

    /// Remembers what a provider holds, for the day it comes back old.
    pub fn remember(&mut self) {
        if self.old_images.is_empty() || self.chance.one_in(3) {
            let provider = self.chance.below(PROVIDERS as u64) as usize;
            if !self.gone.contains(&provider) && self.victim.as_ref().is_none_or(|victim| victim.provider != provider) {
                self.old_images.insert(provider, self.images_of(provider));
            }
        }
    }

    /// Hurts a provider, if none is hurt.
    pub fn hurt(&mut self) {
        let left: Vec<usize> = (0..PROVIDERS + self.grown).filter(|provider| !self.gone.contains(provider)).collect();
        let Some(provider) = self.chance.pick(&left).copied().filter(|_| self.victim.is_none()) else { return };
        let Some((mut harm, mut word)) = self.chance.pick(&Harm::ALL).copied() else { return };
        if harm == Harm::Old && !self.old_images.contains_key(&provider) {
            (harm, word) = (Harm::Down, "fault: down");
        }
        self.note(format!("provider {provider} is hurt: {harm:?}"));
        self.count(word);
        let before = self.images_of(provider);
        for disk in self.disks_of(provider) {
            self.strike(&disk, harm);
        }
        self.tampered(provider);
        let is_plain = matches!(harm, Harm::Wiped | Harm::Down);
        self.victim = Some(Victim { provider, harm, since: self.step, is_plain, before });
    }

    fn strike(&mut self, disk: &Disk, harm: Harm) {
        let faults = &disk.faults;
        match harm {
            Harm::Wiped => disk.disk.wipe(),
            Harm::Down => disk.disk.set_up(false),
            Harm::Flaky => {
                faults.set(Fault::ErrorBefore, When::PerMille(150));
                faults.set(Fault::ErrorAfter, When::PerMille(150));
                faults.set(Fault::ShortRead, When::PerMille(200));
                faults.set(Fault::BitFlip, When::PerMille(200));
            }
            Harm::Hanging => faults.set(Fault::Hang, When::PerMille(200)),
            Harm::Slow => {
                faults.set_slow_us(self.chance.between(50_000, 450_000));
                faults.set(Fault::Slow, When::PerMille(600));
            }
            Harm::Full => disk.disk.set_capacity(Some(0)),
            Harm::Lying => {
                faults.set(Fault::LostWrite, When::PerMille(500));
                faults.set_for(Fault::StaleListing, Verb::List, When::PerMille(500));
            }
            Harm::Rotting => self.rot(disk),
            Harm::Old => {
                let images = self.old_images.get(&disk.provider).cloned().unwrap_or_default();
                if let Some((_, image)) = images.into_iter().find(|(index, _)| *index == disk.index) {
                    disk.disk.restore(image);
                }
            }
        }
    }

    /// Turns bits, cuts ends, swaps and removes objects.
    fn rot(&mut self, disk: &Disk) {
        let names = disk.disk.names();
        let times = self.chance.between(1, 12);
        for _ in 0..times {
            let Some(name) = self.chance.pick(&names) else { return };
            if self.auditor.strangers.iter().any(|(on, stranger, _)| *on == disk.index && stranger == name) {
                continue;
            }
            let Some(bytes) = disk.disk.bytes(name) else { continue };
            match self.chance.below(6) {
                0 => disk.disk.plant(name, None),
                1 => disk.disk.plant(name, Some(bytes.slice(..bytes.len() / 2))),
                2 => {
                    let other = self.chance.pick(&names).and_then(|other| disk.disk.bytes(other));
                    disk.disk.plant(name, other);
                }
                _ => {
                    let at = self.chance.below(bytes.len() as u64);
                    disk.disk.flip(name, at, 1 << self.chance.below(8));
                }
            }
        }
    }

    /// Somebody changed disks behind the service's back.
    fn tampered(&mut self, provider: usize) {
        for disk in self.disks_of(provider) {
            self.auditor.truth.forget(disk.index);
            self.auditor
                .strangers
                .retain(|(on, name, bytes)| *on != disk.index || disk.disk.bytes(name).as_ref() == Some(bytes));
        }
    }

    /// Ends what hurts the victim. A wiped one comes back as it left, older, or not at all.
    /// Says whether every call shows what is missing now: nothing has to be read to find out.
    fn relent(&mut self, victim: &Victim) -> bool {
        let old = self.old_images.get(&victim.provider).cloned();
        let way = self.chance.below(3);
        for disk in self.disks_of(victim.provider) {
            disk.faults.clear();
            disk.faults.release();
            disk.disk.set_up(true);
            disk.disk.set_capacity(None);
            if victim.harm == Harm::Wiped {
                let before = victim.before.iter().chain(old.iter().flatten());
                let mut images: Vec<_> =
                    before.filter(|(index, _)| *index == disk.index).map(|(_, image)| image).collect();
                if way == 1 {
                    images.reverse();
                }
                if way < 2
                    && let Some(image) = images.first()
                {
                    disk.disk.restore(Image::clone(image));
                }
            }
        }
        if victim.harm == Harm::Wiped {
            let left = PROVIDERS + self.grown - self.gone.len();
            let word = match (way, old) {
                (0, _) | (1, None) => "back: as it left",
                (1, Some(_)) => "back: older",
                _ => "back: gone for good",
            };
            if way == 2 {
                if left <= PROVIDERS_LEFT {
                    for (index, image) in &victim.before {
                        self.disks[*index].disk.restore(image.clone());
                    }
                } else {
                    self.gone.insert(victim.provider);
                }
            }
            self.count(word);
            self.note(format!("provider {} is {word}", victim.provider));
        }
        self.tampered(victim.provider);
        for disk in self.disks_of(victim.provider) {
            self.plant_stranger(&disk);
        }
        // Other content under the same generation of its marker is found by reading only.
        match victim.harm {
            Harm::Lying | Harm::Rotting | Harm::Old => false,
            Harm::Wiped => way != 1,
            _ => true,
        }
    }

    /// Puts something on a disk that no record knows.
    fn plant_stranger(&mut self, disk: &Disk) {
        if disk.disk.image().marker.is_none() {
            return;
        }
        let entropy = self.chance.entropy();
        let pack = model::id::PackId::random(entropy.as_ref());
        let make = model::id::MakeId::random(entropy.as_ref());
        let names = [format::name::shard_name(pack, 0, make), format!("notes/{make}")];
        for name in names {
            let bytes = Bytes::from(pack.to_string());
            disk.disk.plant(&name, Some(bytes.clone()));
            self.auditor.strangers.push((disk.index, name, bytes));
        }
    }

    /// Lets the victim be, and upkeep run until everything is said to be settled; then it must be.
    ///
    /// # Errors
    /// [`Broken`] if it never is, or is not in truth.
    pub fn settle(&mut self) -> Step {
        let Some(victim) = self.victim.clone() else { return Ok(()) };
        self.count("actor: settle");
        let is_plain = self.relent(&victim);
        if !self.gone.contains(&victim.provider)
            && let Some(victim) = &mut self.victim
        {
            // It answers again: what is acknowledged from now on may count on it.
            victim.is_plain = false;
        }
        self.meddle()?;
        for round in 0..ROUNDS {
            self.maybe_arm(20);
            self.tick(true)?;
            if round == 1 && !is_plain {
                self.scrub()?;
            }
            self.pass(6_000_000)?;
            if round > 1 && self.report()?.is_settled {
                self.victim = None;
                self.note("everything is settled");
                self.audit(false)?;
                return self.check_settled();
            }
        }
        let report = self.report()?;
        let thin = self.thin_objects()?;
        Err(Broken(format!("not settled after {ROUNDS} rounds of upkeep, with nobody hurt: {}; {thin:?}", report.text)))
    }

    /// Copied objects that have fewer good copies than three, by the catalogue: for people.
    fn thin_objects(&self) -> Step<Vec<String>> {
        let thin = crate::mirror::at_once(self.catalogue.read(|tx| catalogue::objects::thin(tx, 3, 10)));
        let show = |view: &catalogue::objects::ObjectView| {
            let copies = view.copies.iter().map(|copy| format!("{} {:?}", copy.target.0[0] - 101, copy.finding.state));
            format!("{} at {:?}", view.object.name, copies.collect::<Vec<_>>())
        };
        Ok(thin.map_err(|error| Broken(error.to_string()))?.iter().map(show).collect())
    }

    /// Wrong parts do their wrong.
    pub fn meddle(&mut self) -> Step {
        let work: Option<Meddling> = self.parts.meddle.and_then(|meddle| meddle(self));
        match work {
            Some(work) => self.drive("meddling", work).map(drop),
            None => Ok(()),
        }
    }

    /// All disks are full for a while: writes are refused, reads go on.
    pub fn fill_all(&mut self) -> Step {
        self.count("fault: all full");
        self.note("all disks are full");
        for disk in &self.disks {
            disk.disk.set_capacity(Some(0));
        }
        let done = self.clients(2).and_then(|()| self.tick(false)).and_then(|()| self.check_bytes(6));
        for disk in &self.disks {
            disk.disk.set_capacity(None);
        }
        self.note("there is room again");
        done?;
        self.tick(false)
    }

    /// Lets the wall clock jump by years.
    pub fn jump(&mut self) {
        let years = self.chance.between(1, 5) as i64;
        let forward = self.chance.one_in(2);
        self.count(if forward { "actor: jump forward" } else { "actor: jump back" });
        self.note(format!("the wall clock jumps {years} years {}", if forward { "forward" } else { "back" }));
        self.time.jump_us(if forward { years * YEAR_US } else { -years * YEAR_US });
    }

    /// A provider that was gone for good turns up with what it once held.
    pub fn return_of_the_gone(&mut self) {
        if self.victim.is_some() {
            return;
        }
        let Some(provider) = self.gone.iter().next().copied() else { return };
        let Some(images) = self.old_images.get(&provider).cloned() else { return };
        self.note(format!("provider {provider}, gone for good, turns up with what it once held"));
        self.count("back: after all");
        for (index, image) in images {
            self.disks[index].disk.restore(image);
        }
        self.gone.remove(&provider);
        self.tampered(provider);
        // Nobody may count on it before all of it was read: it is as one that was put back to what it held before.
        let (harm, since, is_plain, before) = (Harm::Old, self.step, false, Vec::new());
        self.victim = Some(Victim { provider, harm, since, is_plain, before });
    }

    /// A new firm is found in the place of one that is gone.
    ///
    /// # Errors
    /// [`Broken`] if it cannot be added although at most one provider is hurt.
    pub fn new_firm(&mut self) -> Step {
        if self.gone.len() <= self.grown || self.victim.is_some() {
            return Ok(());
        }
        self.count("actor: a new firm");
        let provider = PROVIDERS + self.grown;
        let index = self.disks.len();
        let disk = new_disk(index, provider);
        self.note(format!("a new firm: provider {provider}"));
        self.by_target.insert(disk.target, index);
        self.disks.push(disk.clone());
        self.grown += 1;
        let (providers, targets) = self.rows([index]);
        let store = self.store()?.clone();
        let driver = self.driver(&disk);
        let opened = targets.into_iter().map(|row| (row, driver.clone())).collect();
        match self.drive("a new firm", store.grow(providers, Vec::new(), opened))? {
            Some(Err(error)) => Err(Broken(format!("a new firm cannot be added: {error}"))),
            _ => Ok(()),
        }
    }

    /// What the faults of this world did, and what its targets were asked.
    pub fn count_strikes(&self) {
        for (effect, times) in self.power.seen() {
            self.census.borrow_mut().add(format!("effect: {effect}"), times);
        }
        for disk in &self.disks {
            for (fault, times) in disk.faults.struck() {
                self.census.borrow_mut().add(format!("strikes: {fault:?}"), times);
            }
        }
    }

    /// Whether the service says that all is well.
    pub(crate) fn report(&self) -> Step<Report> {
        let report = crate::mirror::at_once(self.store()?.fleet_report()).map_err(|error| Broken(error.to_string()))?;
        let below = report.packs_below_settled + report.records_below_settled + report.files_below_settled;
        let text = format!(
            "packs below settled {}, records {}, files {}; findings {:?}; targets {:?}",
            report.packs_below_settled,
            report.records_below_settled,
            report.files_below_settled,
            report.findings,
            report
                .providers
                .iter()
                .flat_map(|provider| &provider.targets)
                .map(|target| format!("{} {:?} {}", target.address, target.state, target.note))
                .collect::<Vec<_>>()
        );
        Ok(Report { is_settled: below == 0, text })
    }
}

/// What the service says of itself.
pub(crate) struct Report {
    pub(crate) is_settled: bool,
    pub(crate) text: String,
}
