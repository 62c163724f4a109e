//! What a power cut would leave, read off the server's own system calls: before every acknowledgement everything that it
//! counts on is synced, and from what was synced by then alone a catalogue is rebuilt and the tree rescued.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use fleet::{Directory, Target};

use crate::{
    common::{Scratch, holdfast, succeed, tree},
    support::{
        Dice, Door, Server, Truth,
        disk::Disk,
        trace::{self, Call, Event},
        truth::Content,
    },
};

const PROVIDERS: usize = 6;

/// An acknowledgement: what was sent, and from where.
struct Acknowledged {
    path: String,
    content: Option<Content>,
    from: String,
    /// What is there from then on.
    truth: Truth,
}

/// A service that was watched from its founding to its death.
struct Watched {
    scratch: Scratch,
    data: PathBuf,
    kit: PathBuf,
    events: Vec<Event>,
    acknowledged: Vec<Acknowledged>,
    /// Everything that ever lay at a target, also what was released later.
    kept: PathBuf,
}

impl Watched {
    fn run() -> Self {
        let scratch = Scratch::new();
        let (data, kit, kept) = (scratch.join("data"), scratch.join("kit.txt"), scratch.join("kept"));
        let file = scratch.join("trace");
        let server = Server::start_through(&trace::tracer(&file, &[]), &data);
        let door = server.door();
        let make =
            ["kit", "make", "--account", "owner", "--out", kit.to_str().unwrap(), "--data", data.to_str().unwrap()];
        succeed(holdfast(&make));
        let mut acknowledged = Vec::new();
        let mut truth = Truth::default();
        for (serial, (path, bytes)) in WRITES.into_iter().enumerate() {
            let content = bytes.map(|bytes| Content::new(serial as u64 + 1, bytes));
            let answer = match content {
                Some(content) => door.put(path, &content.make()),
                None => door.ask("DELETE", &format!("/api/v1/files/{path}"), &[], b""),
            };
            assert!(answer.is_done(), "{path}: {answer:?}");
            truth.is(path, content);
            keep(&data.join("providers"), &kept);
            acknowledged.push(Acknowledged { path: path.to_owned(), content, from: answer.from, truth: truth.clone() });
        }
        server.kill();
        keep(&data.join("providers"), &kept);
        // A rebuilt service would find the one that it was not given at its old place.
        fs::remove_dir_all(data.join("providers")).unwrap();
        Self { events: trace::read(&file), scratch, data, kit, acknowledged, kept }
    }

    /// The line on which the first byte of an acknowledgement left.
    fn line_of(&self, one: &Acknowledged) -> usize {
        let is_it = |event: &&Event| match &event.call {
            Call::Send { peer, head } => *peer == one.from && head.starts_with("HTTP/1.1 20"),
            _ => false,
        };
        self.events.iter().filter(is_it).map(|event| event.begun).min().expect("every answer is in the trace")
    }

    /// Names of objects that a power cut at `line` leaves, with the providers that have each and the bytes written to it.
    fn objects(&self, line: usize) -> BTreeMap<String, (BTreeSet<String>, u64)> {
        let disk = Disk::before(&self.events, line);
        let root = self.data.join("providers");
        let mut objects: BTreeMap<String, (BTreeSet<String>, u64)> = BTreeMap::new();
        for (path, bytes) in disk.kept_below(root.to_str().unwrap()) {
            let name = Path::new(path).strip_prefix(&root).unwrap().to_str().unwrap();
            let (provider, object) = name.split_once('/').unwrap();
            let (providers, size) = objects.entry(object.to_owned()).or_default();
            providers.insert(provider.to_owned());
            *size = bytes;
        }
        objects
    }
}

/// What is written in turn: inline, journalled, in packs; new folders, new versions, deletions, nothing at all.
const WRITES: [(&str, Option<usize>); 12] = [
    ("inline", Some(700)),
    ("new/folders/below/small", Some(40_000)),
    ("large", Some(3 << 20)),
    ("new/folders/empty", Some(0)),
    ("inline", Some(1_900)),
    ("new/folders/below/large", Some((5 << 20) + 17)),
    ("new/folders/below/small", None),
    ("other/full", Some(1 << 20)),
    ("large", Some(2 << 20)),
    ("other/small", Some(300_000)),
    ("inline", None),
    ("last", Some(9_000)),
];

/// Links what lies at the targets now into `kept`: objects are written once, so a link stays what it was.
fn keep(from: &Path, kept: &Path) {
    fs::create_dir_all(kept).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = entry.map(|entry| (entry.path(), kept.join(entry.file_name()))).unwrap();
        match path.is_dir() {
            true => keep(&path, &to),
            // It may have been released or named just now.
            false => drop(fs::hard_link(path, to)),
        }
    }
}

#[test]
fn synced_before_acknowledged() {
    if !trace::can_trace("synced_before_acknowledged") {
        return;
    }
    let watched = Watched::run();
    let end = watched.events.iter().map(|event| event.ended).max().unwrap() + 1;
    let broken = Disk::before(&watched.events, end).broken;
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(watched.events.iter().all(|event| !event.injected), "nothing was made to fail here");
    let log = watched.data.join("catalogue/catalogue.sqlite-wal");
    let log = log.to_str().unwrap();
    let mut before = 0;
    for one in &watched.acknowledged {
        let line = watched.line_of(one);
        assert!(line > before, "one request at a time");
        let (known, objects) = (watched.objects(before), watched.objects(line));
        let new = |prefix: &str| {
            let fresh = objects.iter().filter(|(name, _)| name.starts_with(prefix) && !known.contains_key(*name));
            fresh.map(|(name, (providers, bytes))| (name.clone(), providers.len(), *bytes)).collect::<Vec<_>>()
        };
        let what = format!("{} {:?}", one.path, one.content);
        let bytes = one.content.map_or(0, |content| content.bytes as u64);
        let small = if bytes <= 1 << 20 { bytes } else { 0 };
        assert!(
            new("journal/").iter().any(|(_, providers, size)| *providers >= 2 && *size > small),
            "{what}: no new journal object at two providers: {:?}",
            new("journal/")
        );
        if bytes > 1 << 20 {
            // 4+2: with five of six lanes at as many providers, any one provider may go.
            let shards = new("shards/");
            let packs: BTreeSet<_> =
                shards.iter().map(|(name, ..)| name.split('.').next().unwrap().to_owned()).collect();
            let safe = packs.iter().any(|pack| {
                let lanes: Vec<_> = shards.iter().filter(|(name, ..)| name.starts_with(pack.as_str())).collect();
                lanes.len() >= PROVIDERS - 1 && lanes.iter().map(|(_, _, size)| size).sum::<u64>() > bytes * 5 / 4
            });
            assert!(safe, "{what}: no pack is safe: {shards:?}");
        }
        // The catalogue's own commit: written to its log since the request before, and then synced. Upkeep may already be
        // writing the next commit to the log, so the log as a whole need not be still.
        let of_log = |event: &&Event| event.begun > before && event.ended < line && event.error.is_none();
        let mut calls = watched.events.iter().filter(of_log);
        assert!(calls.any(|event| matches!(&event.call, Call::Write { path, .. } if path == log)), "{what}: no commit");
        assert!(calls.any(|event| matches!(&event.call, Call::Sync { path } if path == log)), "{what}: no sync");
        before = line;
    }
}

#[test]
fn prefixes_of_a_trace_are_rebuilt_and_rescued_from() {
    if !trace::can_trace("prefixes_of_a_trace_are_rebuilt_and_rescued_from") {
        return;
    }
    let watched = Watched::run();
    let mut dice = Dice::new(3);
    let mut told = 0;
    for (number, one) in watched.acknowledged.iter().enumerate() {
        let folder = watched.scratch.join(&format!("cut-{number}"));
        // Half of the cuts leave some names whose folder was not synced: that is as legal as losing them.
        let luck = if number % 2 == 0 { 0 } else { 1 };
        let disk = Disk::before(&watched.events, watched.line_of(one));
        let root = watched.data.join("providers");
        let root = root.to_str().unwrap();
        let mut left: Vec<String> = disk.kept_below(root).map(|(path, _)| path.to_owned()).collect();
        left.extend(disk.perhaps_below(root).filter(|_| dice.roll(2) < luck).map(str::to_owned));
        if !lay_out(&left, root, &watched.kept, &folder) {
            continue;
        }
        rescued(&watched, one, &folder);
        rebuilt(&watched, one, &folder);
        told += 1;
    }
    assert!(told >= WRITES.len() - 2, "only {told} cuts could be laid out");
}

/// Makes the targets as the cut leaves them; false if an object was deleted before the test could keep it.
fn lay_out(left: &[String], root: &str, kept: &Path, folder: &Path) -> bool {
    let names = left.iter().map(|path| path.strip_prefix(root).unwrap().trim_start_matches('/'));
    names.filter(|name| !name.contains("/tmp/")).all(|name| {
        let to = folder.join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(kept.join(name), to).is_ok()
    })
}

/// With the kit alone, from all targets and without each of two: the tree is what was acknowledged.
fn rescued(watched: &Watched, one: &Acknowledged, folder: &Path) {
    let kit = format::Kit::parse(&fs::read_to_string(&watched.kit).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for gone in [None, Some("amber"), Some("fjord")] {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let targets = paths.filter(|path| gone.is_none_or(|gone| !path.ends_with(gone))).map(|path| {
            let target: Arc<dyn Target> = Arc::new(Directory::open(path.clone()));
            (path.display().to_string(), target)
        });
        let home = folder.with_extension(format!("home-{}", gone.unwrap_or("all")));
        let report = runtime.block_on(async {
            let rescue = rescue::Rescue::open(&kit, targets.collect()).await.unwrap();
            rescue::home::bring(&rescue, &home, &mut |_| {}).await.unwrap()
        });
        assert!(report.is_whole(), "{} without {gone:?}: {:?}", one.path, report.lost);
        let mut truth = one.truth.clone();
        let found: BTreeMap<String, Vec<u8>> =
            tree(&home).into_iter().map(|(path, bytes, _)| (path.display().to_string(), bytes)).collect();
        for path in truth.paths() {
            truth.found(&path, found.get(&path).map(Vec::as_slice)).unwrap();
        }
    }
}

/// With the service identity alone, one provider unread: the service answers as it had acknowledged.
fn rebuilt(watched: &Watched, one: &Acknowledged, folder: &Path) {
    let (new, identity) = (folder.with_extension("new"), watched.data.join("keys/service-identity.txt"));
    let mut command = holdfast(&["rebuild", "--service-identity", identity.to_str().unwrap(), "--data"]);
    command.arg(&new).arg("--target");
    command
        .args(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("cedar")));
    succeed(command);
    let server = Server::start(&new);
    let door: Door = server.door();
    one.truth.clone().check_all(&door);
    server.stop();
}
