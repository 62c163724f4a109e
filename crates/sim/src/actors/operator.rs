//! The operator: runs upkeep, scrubs, stops and starts the service, and rebuilds its catalogue.

use std::sync::Arc;

use catalogue::Catalogue;
use fleet::{Roster, Target};

use crate::world::{Broken, PROVIDERS, Step, World};

impl World {
    /// One round of upkeep.
    ///
    /// # Errors
    /// [`Broken`] if the service does not start again after a crash.
    pub fn tick(&mut self, everything: bool) -> Step {
        self.count(if everything { "actor: tick, everything" } else { "actor: tick" });
        let store = self.store()?.clone();
        let doing = if everything { "tick, everything" } else { "tick" };
        let done = self.drive(doing, async move { store.tick(everything).await })?;
        if let Some(Err(error)) = done {
            self.note(format!("upkeep: {error}"));
        }
        Ok(())
    }

    /// Reads everything that is kept.
    ///
    /// # Errors
    /// As [`World::tick`].
    pub fn scrub(&mut self) -> Step {
        self.count("actor: scrub");
        let store = self.store()?.clone();
        let done = self.drive("scrub", async move { store.scrub().await })?;
        self.note(format!("scrub: {done:?}"));
        Ok(())
    }

    /// Stops the service as a plug does, and starts it.
    ///
    /// # Errors
    /// As [`World::tick`].
    pub fn restart(&mut self) -> Step {
        self.count("actor: restart");
        self.power.doing("nothing");
        self.power.pull();
        self.start_again()
    }

    /// Leaves a firm in one life of four, of so many steps: it is to be evacuated from a third of it on, and at two thirds it is
    /// retired if that was certified, or the order taken back. Draws no chance: other lives are as they were.
    ///
    /// # Errors
    /// As [`World::tick`].
    pub fn leave_a_firm(&mut self, steps: u64) -> Step {
        let turn = if self.step == steps / 3 { 0 } else { 1 };
        if self.seed % 4 != 1 || (turn == 1 && self.step != 2 * steps / 3) {
            return Ok(());
        }
        let provider = (self.seed / 4) as usize % PROVIDERS;
        let targets: Vec<_> =
            self.disks.iter().filter(|disk| disk.provider == provider).map(|disk| disk.target).collect();
        let store = self.store()?.clone();
        let evacuated = targets.iter().any(|target| {
            let order = store.target_seen(*target).and_then(|seen| seen.evacuation);
            order.is_some_and(|report| report.order.evacuated.is_some())
        });
        let (doing, word) = match (turn, evacuated) {
            (0, _) => ("evacuate", "actor: evacuate a firm"),
            (_, true) => ("retire", "actor: retire a firm"),
            (_, false) => ("cancel", "actor: cancel an evacuation"),
        };
        self.count(word);
        let by_us = store.now().wall_us + 3_600_000_000;
        let done = self.drive(doing, async move {
            match doing {
                "evacuate" => store.evacuate(targets, by_us).await.map(drop),
                "retire" => store.order_retirement(targets, false).await,
                _ => store.cancel_evacuation(targets).await,
            }
        })?;
        self.note(format!("{doing} firm {provider}: {done:?}"));
        Ok(())
    }

    /// Throws the catalogue away and makes one from what the targets hold.
    ///
    /// # Errors
    /// [`Broken`] if it cannot be made although at most one provider is hurt.
    pub fn rebuild(&mut self) -> Step {
        self.count("actor: rebuild");
        // A provider that does not answer is left out; one that answers wrongly is tried first.
        let mut hurt = self.victim.as_ref().filter(|victim| victim.is_plain).map(|victim| victim.provider);
        self.note("the catalogue is thrown away");
        let mut tries = 0;
        loop {
            self.store = None;
            self.exec.drop_tasks();
            self.catalogue = Catalogue::open_inline_memory().map_err(|error| Broken(error.to_string()))?;
            self.power.watch(self.catalogue.clone());
            let left =
                self.disks.iter().filter(|disk| Some(disk.provider) != hurt && !self.gone.contains(&disk.provider));
            let targets: Vec<(String, Arc<dyn Target>)> =
                left.map(|disk| (disk.address(), self.driver(disk))).collect();
            let gone: Vec<String> = self
                .disks
                .iter()
                .filter(|disk| self.gone.contains(&disk.provider))
                .map(|disk| format!("firm {}", disk.index))
                .collect();
            let opening = self.opening_with(Roster::default(), self.catalogue.clone())?;
            if tries < 2 {
                self.maybe_arm(3);
            }
            tries += 1;
            self.power.doing("rebuild");
            let power = self.power.clone();
            match self.exec.run(store::rebuild(opening, targets, &gone), || power.is_off()) {
                Ok(Ok((store, report))) => {
                    self.power.disarm();
                    self.note(format!("rebuilt: {report:?}"));
                    for disk in &self.disks {
                        if store.roster().get(disk.target).is_none() {
                            store.roster().insert(disk.target, self.driver(disk));
                        }
                    }
                    self.store = Some(store);
                    break;
                }
                Ok(Err(error)) if hurt.is_none() && self.victim.is_some() => {
                    self.note(format!("not rebuilt with all targets: {error}"));
                    hurt = self.victim.as_ref().map(|victim| victim.provider);
                    self.power.disarm();
                }
                Ok(Err(error)) => return Err(Broken(format!("no catalogue can be rebuilt: {error}"))),
                Err(crate::exec::Stop::Crash) => {
                    let Some((point, _)) = self.power.restore() else { continue };
                    self.note(format!("crash {:?} {} while rebuild", point.moment, point.effect));
                    self.count("crash while: rebuild");
                }
                Err(stop) => return Err(Broken(format!("rebuild: {stop:?}"))),
            }
        }
        self.uploads_may_be_lost = true;
        self.auditor.begin_again();
        self.audit(true)
    }
}
