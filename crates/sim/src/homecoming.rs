//! The two ways home, tried on copies of the disks: a catalogue rebuilt by the operator, a tree rescued by its owner.
//!
//! Both are done without one provider: the hurt one, or any.

use std::{collections::BTreeMap, sync::Arc};

use catalogue::Catalogue;
use fleet::{FaultControl, MemoryDisk, Roster, Target};
use model::{
    Change, Scope,
    entry::{Kind, Version},
    id::{EntryId, VersionId},
};
use rescue::Rescue;

use crate::{
    chance::Chance,
    client::Client,
    disks::Disk,
    exec::{Exec, Time},
    mirror,
    model::File,
    power::Power,
    world::{Broken, PROVIDERS, Step, World},
};

/// A quiet place with copies of disks.
struct Aside {
    time: Time,
    power: Power,
    exec: Exec,
    targets: Vec<(String, Arc<dyn Target>)>,
}

impl Aside {
    fn run<T>(&mut self, work: impl Future<Output = T>) -> Step<T> {
        self.exec.run(work, || false).map_err(|stop| Broken(format!("aside: {stop:?}")))
    }
}

impl World {
    /// Copies of all disks but those of one provider.
    fn aside(&mut self) -> (Aside, usize) {
        let without = match &self.victim {
            Some(victim) => victim.provider,
            None => self.chance.below((PROVIDERS + self.grown) as u64) as usize,
        };
        let time = Time::default();
        let power = Power::new(time.clone(), Chance::new(self.seed));
        let chance = Chance::fork(self.seed ^ self.step, "aside");
        let left = self.disks.iter().filter(|disk| disk.provider != without && !self.gone.contains(&disk.provider));
        let targets = left
            .map(|disk| {
                let copy = MemoryDisk::default();
                copy.restore(disk.disk.image());
                let copy = Disk { disk: copy, faults: FaultControl::default(), ..disk.clone() };
                (copy.address(), (self.parts.target)(copy.open(&time, &power, &chance), &time))
            })
            .collect();
        (Aside { exec: Exec::new(time.clone(), chance), time, power, targets }, without)
    }

    /// A rebuilt catalogue says what the running one does, and every byte can be read through it.
    ///
    /// # Errors
    /// [`Broken`] with the first difference.
    pub fn check_rebuild(&mut self) -> Step {
        self.count("check: rebuild");
        let (mut aside, without) = self.aside();
        let broken = |what: String| Broken(format!("rebuild without provider {without}: {what}"));
        let catalogue = Catalogue::open_inline_memory().map_err(|error| broken(error.to_string()))?;
        let mut opening = self.opening_with(Roster::default(), catalogue.clone())?;
        opening.world.clock = Arc::new(aside.time.clone());
        opening.world.timer = Arc::new(aside.time.clone());
        opening.world.entropy = Chance::fork(self.seed ^ self.step, "rebuilt").entropy();
        let gone: Vec<String> = self
            .disks
            .iter()
            .filter(|disk| self.gone.contains(&disk.provider))
            .map(|disk| format!("firm {}", disk.index))
            .collect();
        let targets = std::mem::take(&mut aside.targets);
        let (store, _) =
            aside.run(store::rebuild(opening, targets, &gone))?.map_err(|error| broken(error.to_string()))?;
        let rows =
            mirror::at_once(catalogue.read(|tx| catalogue::export(tx))).map_err(|error| broken(error.to_string()))?;
        let (entries, versions) = account_rows(&rows, self.account);
        let seen = mirror::files(entries.values().copied(), versions.values().copied());
        self.model.borrow().compare_copy(&seen).map_err(broken)?;
        if !self.model.borrow().has_open() {
            self.same_rows(&rows).map_err(broken)?;
        }
        let client = Client { store, account: self.account, time: aside.time.clone() };
        let must: Vec<VersionId> = self.model.borrow().must_read().map(|(_, version)| version).collect();
        for version in must {
            let Some(content) = self.model.borrow().content(version).filter(|_| self.chance.one_in(4)) else {
                continue;
            };
            match aside.run(client.read(version, 0, content.size))? {
                Ok(bytes) if bytes == content.bytes() => {}
                Ok(_) => return Err(broken(format!("version {version} reads with wrong bytes"))),
                Err(error) => return Err(broken(format!("version {version} cannot be read: {error}"))),
            }
        }
        drop(client);
        aside.exec.drop_tasks();
        debug_assert!(!aside.power.is_off(), "nobody pulls the plug aside");
        Ok(())
    }

    /// The account's rows are the same in both catalogues, revisions and tombstones too.
    fn same_rows(&self, rebuilt: &[(Scope, u64, Change)]) -> Result<(), String> {
        let rows =
            mirror::at_once(self.catalogue.read(|tx| catalogue::export(tx))).map_err(|error| error.to_string())?;
        let of_account = |rows: &[(Scope, u64, Change)]| {
            let own = rows.iter().filter(|(scope, ..)| *scope == Scope::Account(self.account));
            own.map(|(_, revision, change)| format!("{revision} {change:?}")).collect::<Vec<_>>()
        };
        let (ours, theirs) = (of_account(&rows), of_account(rebuilt));
        let differ = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        match differ {
            Some((ours, theirs)) => Err(format!("a row differs: {ours} became {theirs}")),
            None if ours.len() != theirs.len() => Err(format!("{} rows became {}", ours.len(), theirs.len())),
            None => Ok(()),
        }
    }

    /// The kit that was made first brings the whole tree home.
    ///
    /// # Errors
    /// [`Broken`] with the first difference.
    pub fn check_rescue(&mut self) -> Step {
        let Some(kit) = self.kit.clone() else { return Ok(()) };
        self.count("check: rescue");
        let (mut aside, without) = self.aside();
        let broken = |what: String| Broken(format!("rescue without provider {without}: {what}"));
        let targets = std::mem::take(&mut aside.targets);
        let rescue = aside.run(Rescue::open(&kit, targets))?.map_err(|error| broken(error.to_string()))?;
        let files: BTreeMap<EntryId, (String, EntryId, VersionId)> = rescue
            .tree()
            .iter()
            .filter(|item| item.entry.kind == Kind::File && !self.is_leftover(item))
            .map(|item| {
                let current = item.version.as_ref().map(|version| version.id).unwrap_or_default();
                (item.entry.id, (item.path.last().cloned().unwrap_or_default(), item.entry.parent, current))
            })
            .collect();
        self.model
            .borrow()
            .compare_tree(&files)
            .map_err(|what| broken(format!("{what}; findings: {:?}", rescue.findings())))?;
        for item in rescue.tree() {
            let Some(version) = item.version.as_ref().filter(|_| !self.model.borrow().is_open(item.entry.id)) else {
                continue;
            };
            let Some(content) = self.model.borrow().content(version.id) else { continue };
            let (bytes, outcome) =
                aside.run(rescue.read_to_vec(version))?.map_err(|error| broken(error.to_string()))?;
            if !outcome.is_whole() || bytes != content.bytes() {
                let item = item.path.join("/");
                return Err(broken(format!(
                    "{item:?} did not come home: {outcome:?}; findings: {:?}",
                    rescue.findings()
                )));
            }
        }
        Ok(())
    }
}

impl World {
    /// Whether an item is what a change left that nobody was told of: a rescue brings it too, beside the tree.
    fn is_leftover(&self, item: &rescue::Item) -> bool {
        let model = self.model.borrow();
        item.version.as_ref().is_some_and(|version| model.is_stray(item.entry.id, version.id))
    }
}

/// Entries and versions of an account among exported rows.
fn account_rows(
    rows: &[(Scope, u64, Change)],
    account: model::id::AccountId,
) -> (BTreeMap<EntryId, &model::entry::EntryRow>, BTreeMap<VersionId, &Version>) {
    let (mut entries, mut versions) = (BTreeMap::new(), BTreeMap::new());
    for (_, _, change) in rows.iter().filter(|(scope, ..)| *scope == Scope::Account(account)) {
        match change {
            Change::Entry(row) => {
                entries.insert(row.id, row);
            }
            Change::Version(version) => {
                versions.insert(version.id, version);
            }
            _ => {}
        }
    }
    (entries, versions)
}

/// Whether a file of the reference is what was rescued.
pub(crate) fn is_same(file: &File, rescued: &(String, EntryId, VersionId)) -> bool {
    (&file.name, file.parent, file.current) == (&rescued.0, rescued.1, rescued.2)
}
