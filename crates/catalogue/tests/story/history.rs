//! A random but possible history, told in order, out of order, twice, and as layers of rows.

use crate::world::{TOP, World, in_trash};
use catalogue::{Catalogue, Error, entries, export, packs, replay, rows_between, segments};
use model::{
    Change, Scope,
    entry::{EntryRow, Kind, Version},
    id::{EntryId, PackId, SegmentId},
    pack::Pack,
    units::ServiceTime,
};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())) }
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

/// What the player knows, and all that it did.
struct Player<'w> {
    world: &'w mut World,
    dice: Dice,
    entries: BTreeMap<EntryId, EntryRow>,
    versions: Vec<Version>,
    packs: Vec<Pack>,
    log: Vec<(Scope, u64, Change)>,
}

impl<'w> Player<'w> {
    fn play(world: &'w mut World, seed: u64, acts: usize) -> Vec<(Scope, u64, Change)> {
        let first = world.read(|tx| export(tx));
        let dice = Dice(seed | 1);
        let mut player = Self { world, dice, entries: BTreeMap::new(), versions: vec![], packs: vec![], log: first };
        for act in 0..acts {
            match player.dice.below(12) {
                0 => player.make_folder(act),
                1..=3 => player.put_file(act),
                4 => player.overwrite(act),
                5 => player.rename(act),
                6 => player.swap(),
                7 => player.trash_or_restore(act),
                8 => player.erase(),
                9 => player.pack(),
                10 => player.repack(act),
                _ => player.repair(),
            }
        }
        player.log
    }

    fn commit(&mut self, scope: Scope, changes: Vec<Change>) {
        let revision = self.world.commit(scope, changes.clone()).unwrap();
        self.log.extend(changes.into_iter().map(|change| (scope, revision, change)));
    }

    fn live(&self, kind: Kind) -> Vec<EntryRow> {
        self.entries.values().filter(|e| e.kind == kind && e.trashed.is_none()).cloned().collect()
    }

    fn folder(&mut self) -> EntryId {
        let folders = self.live(Kind::Folder);
        self.dice.pick(&folders).map_or(TOP, |folder| folder.id)
    }

    fn set(&mut self, row: EntryRow, mut more: Vec<Change>) {
        more.insert(0, Change::Entry(row.clone()));
        self.entries.insert(row.id, row);
        self.commit(self.world.scope(), more);
    }

    fn make_folder(&mut self, act: usize) {
        let row = crate::world::folder_row(EntryId(self.world.id()), TOP, &format!("folder {act}"));
        self.set(row, vec![]);
    }

    fn put_file(&mut self, act: usize) {
        let parent = self.folder();
        let (row, mut version) = self.world.file_rows(parent, &format!("file {act}"), act as u64);
        if act.is_multiple_of(3)
            && let Some(other) = self.dice.pick(&self.versions)
        {
            version.content = other.content.clone();
        }
        self.versions.push(version.clone());
        self.set(row, vec![Change::Version(version)]);
    }

    fn overwrite(&mut self, act: usize) {
        let files = self.live(Kind::File);
        let Some(file) = self.dice.pick(&files) else { return };
        let new = self.world.version_row(file.id, act as u64);
        let mut changes = vec![Change::Version(new.clone())];
        for old in self.versions.iter_mut().filter(|v| Some(v.id) == file.current) {
            old.replaced = Some(ServiceTime(act as u64));
            changes.push(Change::Version(old.clone()));
        }
        self.versions.push(new.clone());
        self.set(EntryRow { current: Some(new.id), ..file.clone() }, changes);
    }

    fn rename(&mut self, act: usize) {
        let files = self.live(Kind::File);
        let parent = self.folder();
        if let Some(file) = self.dice.pick(&files) {
            self.set(EntryRow { parent, name: format!("renamed {act}"), ..file.clone() }, vec![]);
        }
    }

    /// Two entries of one folder change names, through a third one.
    fn swap(&mut self) {
        let files = self.live(Kind::File);
        let Some(a) = self.dice.pick(&files).cloned() else { return };
        let Some(b) = files.iter().find(|b| b.parent == a.parent && b.id != a.id).cloned() else { return };
        self.set(EntryRow { name: "between".into(), ..a.clone() }, vec![]);
        self.set(EntryRow { name: a.name.clone(), ..b.clone() }, vec![]);
        self.set(EntryRow { name: b.name, ..a }, vec![]);
    }

    fn trash_or_restore(&mut self, act: usize) {
        let all: Vec<EntryRow> = self.entries.values().cloned().collect();
        let Some(entry) = self.dice.pick(&all) else { return };
        let row = if entry.trashed.is_some() {
            EntryRow { trashed: None, name: format!("restored {act}"), ..entry.clone() }
        } else {
            in_trash(entry, act as u64)
        };
        self.set(row, vec![]);
    }

    fn erase(&mut self) {
        let files: Vec<EntryRow> = self.entries.values().filter(|e| e.kind == Kind::File).cloned().collect();
        let Some(file) = self.dice.pick(&files) else { return };
        let mut changes = vec![Change::EntryGone(file.id)];
        self.entries.remove(&file.id);
        self.versions.retain(|version| {
            if version.entry == file.id {
                changes.push(Change::VersionGone(version.id));
            }
            version.entry != file.id
        });
        self.commit(self.world.scope(), changes);
    }

    fn segments(&self) -> BTreeSet<SegmentId> {
        self.versions.iter().flat_map(|v| v.segments()).map(|segment| segment.id).collect()
    }

    /// Packs what is in no pack yet.
    fn pack(&mut self) {
        let packed: BTreeSet<SegmentId> =
            self.packs.iter().flat_map(|pack| &pack.locations).map(|location| location.segment).collect();
        let waiting: Vec<_> = self.segments().difference(&packed).map(|id| (*id, 100)).collect();
        let pack = self.world.pack_row(&waiting);
        self.packs.push(pack.clone());
        self.commit(Scope::Cluster, vec![Change::Pack(pack)]);
    }

    /// Moves what is live in a pack to a new one; the old one goes.
    fn repack(&mut self, act: usize) {
        if self.packs.is_empty() {
            return;
        }
        let old = self.packs.remove(self.dice.below(self.packs.len()));
        let live = self.segments();
        let moving: Vec<_> =
            old.locations.iter().map(|l| (l.segment, l.bytes)).filter(|(id, _)| live.contains(id)).collect();
        let gone = Change::PackGone { pack: old.id, at: ServiceTime(act as u64) };
        if moving.is_empty() {
            return self.commit(Scope::Cluster, vec![gone]);
        }
        let new = self.world.pack_row(&moving);
        self.packs.push(new.clone());
        self.commit(Scope::Cluster, vec![Change::Pack(new), gone]);
    }

    /// One lane of a pack is made again.
    fn repair(&mut self) {
        if self.packs.is_empty() {
            return;
        }
        let place = self.dice.below(self.packs.len());
        let lane = self.dice.below(6);
        self.packs[place].makes[lane] = self.world.make(lane as u8);
        let Pack { id, makes, .. } = self.packs[place].clone();
        self.commit(Scope::Cluster, vec![Change::Makes { pack: id, makes }]);
    }
}

fn retold(log: Vec<(Scope, u64, Change)>) -> Catalogue {
    let catalogue = Catalogue::open_inline_memory().unwrap();
    crate::world::wait(catalogue.writer(move |writer| {
        writer.begin()?;
        writer.savepoint(|tx| {
            log.iter().try_for_each(|(scope, revision, change)| replay(tx, *scope, *revision, change))
        })?;
        writer.commit()
    }))
    .unwrap()
    .unwrap();
    catalogue
}

fn exported(catalogue: &Catalogue) -> Vec<(Scope, u64, Change)> {
    crate::world::wait(catalogue.read(|tx| export(tx))).unwrap()
}

pub fn any_order_leads_to_the_same_tables(world: &mut World) {
    for seed in [1, 0x5eed, 0xfeed_f00d] {
        let mut log = Player::play(world, seed, 150);
        let account = world.account;
        let expected = world.read(|tx| export(tx));
        assert_eq!(exported(&retold(log.clone())), expected, "in order");
        let mut dice = Dice(seed ^ 0xa5a5);
        for round in 0..5 {
            dice.shuffle(&mut log);
            let twice: Vec<_> = log.iter().chain(&log[..log.len() / 2]).cloned().collect();
            let other = retold(twice);
            assert_eq!(exported(&other), expected, "seed {seed:x}, round {round}");
            let displaced = crate::world::wait(other.read(move |tx| entries::displaced(tx, account))).unwrap();
            assert!(displaced.is_empty(), "{displaced:?}");
            assert_recount(&other);
        }
        // The next history goes on in an emptied tree of its own names.
        let left = expected.into_iter().filter_map(|(_, _, change)| match change {
            Change::Entry(row) => Some(Change::EntryGone(row.id)),
            Change::Version(row) => Some(Change::VersionGone(row.id)),
            _ => None,
        });
        world.change(left.collect());
    }
}

pub fn layers_of_rows_make_an_equal_catalogue(world: &mut World) {
    let log = Player::play(world, 42, 200);
    let expected = world.read(|tx| export(tx));
    let scopes = [Scope::Cluster, world.scope()];
    let mut layers = Vec::new();
    for scope in scopes {
        let last = log.iter().filter(|(of, ..)| *of == scope).map(|(_, revision, _)| *revision).max().unwrap();
        for (from, to) in [(last / 2, last), (0, last / 3), (last / 3, last / 2)] {
            let rows = world.read(move |tx| {
                let mut rows = Vec::new();
                rows_between(tx, scope, from, to, |revision, change| {
                    assert!(revision > from && revision <= to);
                    rows.push((scope, revision, change));
                    Ok::<_, Error>(())
                })?;
                Ok(rows)
            });
            layers.extend(rows);
        }
    }
    assert!(layers.len() < log.len(), "rows are fewer than changes");
    assert_eq!(exported(&retold(layers)), expected);
}

pub fn live_bytes_equal_a_recount(world: &mut World) {
    for seed in [3, 4, 5] {
        let account = world.account;
        Player::play(world, seed, 120);
        assert_recount(&world.catalogue);
        let left = world.read(|tx| export(tx)).into_iter().filter_map(|(_, _, change)| match change {
            Change::Entry(row) => Some(Change::EntryGone(row.id)),
            Change::Version(row) => Some(Change::VersionGone(row.id)),
            _ => None,
        });
        world.change(left.collect());
        assert_recount(&world.catalogue);
        let views = world.read(|tx| packs::pack_views(tx, PackId::default(), 1000));
        assert!(views.iter().all(|view| view.live_bytes == 0), "all files are gone");
        assert!(world.read(move |tx| entries::list(tx, account, TOP, "", 1)).is_empty());
    }
}

fn assert_recount(catalogue: &Catalogue) {
    crate::world::wait(catalogue.read(|tx| {
        for view in packs::pack_views(tx, PackId::default(), 10_000)? {
            let occupants = segments::of_pack(tx, view.id)?;
            let live: u64 = occupants.iter().filter(|o| o.live).map(|o| o.location.bytes).sum();
            assert_eq!(view.live_bytes, live, "{}", view.id);
        }
        Ok(())
    }))
    .unwrap();
}
