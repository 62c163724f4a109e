//! Clients: they upload, overwrite, rename, trash, restore, erase and read, several at once, each on a file of its own.

use std::{cell::RefCell, collections::BTreeSet, future::Future, pin::Pin, rc::Rc};

use futures_util::future::join_all;
use model::{
    Class,
    id::{EntryId, VersionId},
};
use store::Error;

use crate::{
    census::Census,
    client::Pace,
    model::{Content, File, Model},
    power::Power,
    world::{Broken, Step, World},
};

/// Names in a folder: few, so that names of deleted files are used again.
const NAMES: u64 = 40;
/// Files that a seed begins with.
const FILES_AT_FIRST: usize = 12;
/// With so many files a client makes room first.
const FILES_MAX: usize = 36;

/// A client at work: what it found wrong, if anything.
pub type Work = Pin<Box<dyn Future<Output = Step>>>;

/// Notes how an act on an entry ended.
#[derive(Clone)]
pub struct Ledger {
    step: u64,
    model: Rc<RefCell<Model>>,
    census: Rc<RefCell<Census>>,
    power: Power,
}

impl Ledger {
    /// Ends what [`Model::begin`] began.
    pub fn end(&self, entry: EntryId, result: &Result<(), Error>) {
        if self.power.is_off() {
            // Nobody heard the answer.
            return;
        }
        let word = match result {
            Ok(()) => {
                self.model.borrow_mut().acknowledge(self.step, entry);
                self.power.acknowledged();
                "outcome: acknowledged"
            }
            // The store says that nothing was begun.
            Err(error) if matches!(error.class(), Class::Refused | Class::Missing | Class::Conflict) => {
                self.model.borrow_mut().refuse(entry);
                "outcome: refused"
            }
            Err(_) => "outcome: open",
        };
        self.census.borrow_mut().count(word);
    }
}

impl World {
    /// The ledger of this step.
    pub fn ledger(&self) -> Ledger {
        Ledger { step: self.step, model: self.model.clone(), census: self.census.clone(), power: self.power.clone() }
    }

    /// The first files of a seed.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn first_files(&mut self) -> Step {
        for _ in 0..FILES_AT_FIRST {
            if let Some(work) = self.upload()? {
                self.work(vec![work])?;
            }
        }
        Ok(())
    }

    /// Lets some clients act at once, and perhaps upkeep beside them.
    ///
    /// # Errors
    /// [`Broken`], as a client found it.
    pub fn clients(&mut self, count: u64) -> Step {
        let mut busy = BTreeSet::new();
        let mut work = Vec::new();
        for _ in 0..count {
            work.extend(self.one_client(&mut busy)?);
        }
        if self.chance.one_in(5) {
            self.count("actor: tick beside clients");
            let store = self.store()?.clone();
            work.push(Box::pin(async move {
                // What upkeep could not do, it tries again.
                let _ = store.tick(false).await;
                Ok(())
            }));
        }
        self.work(work)
    }

    pub(crate) fn work(&mut self, work: Vec<Work>) -> Step {
        let done = self.drive("clients", join_all(work))?;
        done.into_iter().flatten().collect()
    }

    fn one_client(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let count = self.model.borrow().settled().count();
        let draw = if count < FILES_AT_FIRST { 0 } else { self.chance.below(20) };
        match draw {
            0..=5 if count < FILES_MAX => self.upload(),
            0 | 1 => self.erase(busy),
            2..=5 => self.forget_old(busy),
            6..=8 => self.overwrite(busy),
            9 | 10 => self.rename(busy),
            11 => self.trash(busy),
            12 => self.restore(busy),
            13 => self.erase(busy),
            14 => self.forget_old(busy),
            15 | 16 => self.resumable(),
            17 if self.chance.one_in(6) => self.collide(busy),
            _ => self.read(busy),
        }
    }

    /// Bytes for a new version: some inline, most small, some larger than a pack.
    pub(crate) fn draw_content(&self) -> Content {
        let size = match self.chance.below(20) {
            0 => 0,
            1..=3 => self.chance.between(1, 2 << 10),
            4..=12 => self.chance.between(2 << 10, 40 << 10),
            13..=16 => self.chance.between(40 << 10, 140 << 10),
            18 => self.chance.between(100 << 10, 400 << 10),
            17 => *self.chance.pick(&[65_520, 65_536, 131_040, 512 << 10, 523_264]).unwrap_or(&65_520),
            _ => self.chance.between(530 << 10, 900 << 10),
        };
        Content { seed: self.chance.below(u64::MAX), size }
    }

    pub(crate) fn free_name(&self) -> Option<(EntryId, String)> {
        let model = self.model.borrow();
        for _ in 0..20 {
            let parent = self.chance.pick(&self.folders).copied()?;
            let name = format!("file {}", self.chance.below(NAMES));
            if !model.is_taken(parent, &name) {
                return Some((parent, name));
            }
        }
        None
    }

    pub(crate) fn ids(&self) -> (EntryId, VersionId) {
        let entropy = self.chance.entropy();
        (EntryId::random(entropy.as_ref()), VersionId::random(entropy.as_ref()))
    }

    /// A file that nobody else acts on in this step.
    fn draw_file(&self, busy: &mut BTreeSet<EntryId>, wanted: impl Fn(&File) -> bool) -> Option<(EntryId, File)> {
        let model = self.model.borrow();
        let free: Vec<_> = model.settled().filter(|(id, file)| !busy.contains(id) && wanted(file)).collect();
        let (id, file) = self.chance.pick(&free)?;
        busy.insert(*id);
        Some((*id, (*file).clone()))
    }

    fn upload(&mut self) -> Step<Option<Work>> {
        let Some((parent, name)) = self.free_name() else { return Ok(None) };
        let (entry, version) = self.ids();
        let content = self.draw_content();
        let mut pace = Pace::draw(&self.chance, content.size);
        if self.chance.one_in(12) {
            pace.breaks_at = Some(self.chance.below(content.size));
        }
        let announced = self.chance.one_in(2);
        self.count("actor: upload");
        self.note(format!("upload {entry} as {name:?}, {} bytes, {pace:?}", content.size));
        let versions = BTreeSet::from([version]);
        let file = File { parent, name: name.clone(), trashed: false, current: version, versions };
        self.model.borrow_mut().will_hold(version, content);
        self.model.borrow_mut().begin(self.step, entry, Some(file));
        let (client, ledger) = (self.client()?, self.ledger());
        Ok(Some(Box::pin(async move {
            let result = match client.send(content, pace, announced).await {
                Ok(received) => client.make_file(received, (entry, version), (parent, name), None).await,
                Err(error) => Err(error),
            };
            ledger.end(entry, &result);
            Ok(())
        })))
    }

    /// A name that is taken is not taken again.
    fn collide(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let Some((other, File { parent, name, .. })) = self.draw_file(busy, |file| !file.trashed) else {
            return Ok(None);
        };
        let ids = self.ids();
        let content = Content { seed: self.chance.below(u64::MAX), size: 1_000 };
        self.note(format!("upload to the name of {other}, {name:?}"));
        let (client, census) = (self.client()?, self.census.clone());
        Ok(Some(Box::pin(async move {
            let pace = Pace { piece_bytes: 1_000, pause_us: 0, breaks_at: None };
            let Ok(received) = client.send(content, pace, true).await else { return Ok(()) };
            match client.make_file(received, ids, (parent, name), None).await {
                Ok(()) => Err(Broken(format!("the name of {other} was given twice"))),
                Err(error) if error.class() == Class::Refused => {
                    census.borrow_mut().count("outcome: refused");
                    Ok(())
                }
                Err(_) => Ok(()),
            }
        })))
    }

    fn overwrite(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let Some((entry, mut file)) = self.draw_file(busy, |file| !file.trashed) else { return Ok(None) };
        let version = self.ids().1;
        let content = self.draw_content();
        let pace = Pace::draw(&self.chance, content.size);
        self.count("actor: overwrite");
        self.note(format!("overwrite {entry} with {} bytes, {pace:?}", content.size));
        file.current = version;
        file.versions.insert(version);
        self.model.borrow_mut().will_hold(version, content);
        self.model.borrow_mut().begin(self.step, entry, Some(file));
        let (client, ledger) = (self.client()?, self.ledger());
        Ok(Some(Box::pin(async move {
            let result = match client.send(content, pace, true).await {
                Ok(received) => client.overwrite(received, entry, version).await,
                Err(error) => Err(error),
            };
            ledger.end(entry, &result);
            Ok(())
        })))
    }

    fn rename(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let Some((parent, name)) = self.free_name() else { return Ok(None) };
        let Some((entry, file)) = self.draw_file(busy, |file| !file.trashed) else { return Ok(None) };
        self.count("actor: rename");
        self.note(format!("rename {entry} to {name:?}"));
        let after = File { parent, name: name.clone(), ..file };
        self.model.borrow_mut().begin(self.step, entry, Some(after));
        let (client, ledger) = (self.client()?, self.ledger());
        Ok(Some(Box::pin(async move {
            ledger.end(entry, &client.rename(entry, parent, name).await);
            Ok(())
        })))
    }

    fn trash(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let Some((entry, file)) = self.draw_file(busy, |file| !file.trashed) else { return Ok(None) };
        self.count("actor: trash");
        self.note(format!("trash {entry}"));
        self.model.borrow_mut().begin(self.step, entry, Some(File { trashed: true, ..file }));
        let (client, ledger) = (self.client()?, self.ledger());
        Ok(Some(Box::pin(async move {
            ledger.end(entry, &client.trash(entry, true).await);
            Ok(())
        })))
    }

    fn restore(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let model = self.model.clone();
        let free = move |file: &File| file.trashed && !model.borrow().is_taken(file.parent, &file.name);
        let Some((entry, file)) = self.draw_file(busy, free) else { return Ok(None) };
        self.count("actor: restore");
        self.note(format!("restore {entry}"));
        self.model.borrow_mut().begin(self.step, entry, Some(File { trashed: false, ..file }));
        let (client, ledger) = (self.client()?, self.ledger());
        Ok(Some(Box::pin(async move {
            ledger.end(entry, &client.trash(entry, false).await);
            Ok(())
        })))
    }

    fn erase(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let any = self.chance.one_in(3);
        let Some((entry, _)) = self.draw_file(busy, |file| any || file.trashed) else { return Ok(None) };
        self.count("actor: erase");
        self.note(format!("erase {entry}"));
        self.model.borrow_mut().begin(self.step, entry, None);
        let (client, ledger) = (self.client()?, self.ledger());
        Ok(Some(Box::pin(async move {
            ledger.end(entry, &client.erase(entry).await);
            Ok(())
        })))
    }

    fn forget_old(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let Some((entry, mut file)) = self.draw_file(busy, |file| file.versions.len() > 1) else { return Ok(None) };
        self.count("actor: forget old versions");
        self.note(format!("forget old versions of {entry}"));
        file.versions = BTreeSet::from([file.current]);
        self.model.borrow_mut().begin(self.step, entry, Some(file));
        let (client, ledger) = (self.client()?, self.ledger());
        Ok(Some(Box::pin(async move {
            ledger.end(entry, &client.forget_old(entry).await);
            Ok(())
        })))
    }

    fn read(&mut self, busy: &mut BTreeSet<EntryId>) -> Step<Option<Work>> {
        let Some((entry, file)) = self.draw_file(busy, |_| true) else { return Ok(None) };
        let versions: Vec<VersionId> = file.versions.iter().copied().collect();
        let Some(version) = self.chance.pick(&versions).copied() else { return Ok(None) };
        let Some(content) = self.model.borrow().content(version) else { return Ok(None) };
        let (a, b) = (self.chance.below(content.size + 1), self.chance.below(content.size + 1));
        let (from, to) = if self.chance.one_in(2) { (0, content.size) } else { (a.min(b), a.max(b)) };
        self.count("actor: read");
        self.note(format!("read {from}..{to} of version {version} of {entry}"));
        let client = self.client()?;
        Ok(Some(Box::pin(async move {
            match client.read(version, from, to).await {
                Ok(bytes) if bytes == content.range(from, to) => Ok(()),
                Ok(bytes) => {
                    Err(Broken(format!("{from}..{to} of version {version} reads wrong ({} bytes)", bytes.len())))
                }
                Err(error) => Err(Broken(format!("{from}..{to} of version {version} cannot be read: {error}"))),
            }
        })))
    }
}
