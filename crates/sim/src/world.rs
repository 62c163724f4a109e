//! One played world: its disks, the running service, and its lives between crashes.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use catalogue::Catalogue;
use fleet::{FaultControl, Image, MemoryDisk, Roster, Target, layer::Verb};
use format::{Identity, Kit, KitAddress};
use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{AccountId, EntryId, ProviderId, TargetId},
    world::{Entropy, Timer, World as Door},
};
use store::{Opening, Settings, Store};

use crate::{
    auditor::Auditor,
    census::Census,
    chance::Chance,
    client::Client,
    disks::Disk,
    exec::{Exec, Stop, Time},
    fate::Victim,
    model::Model,
    power::{Moment, Power},
};

/// Providers at the founding. The first has two targets.
pub const PROVIDERS: usize = 6;
/// The operator's identity in every world: keys that nobody else has are not wanted here, equal bytes are.
const SERVICE_SECRET: &str = "AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE";
/// The identity of the kit.
const KIT_SECRET: &str = "AGE-SECRET-KEY-1V4NXW6RFDF4KCMTWDAC8ZUNNW36HVAMC09A8KLRA0ELCPQVZSWZQA3Y2A3";
/// Restarts in a row that may crash again before one is left in peace.
const CRASHES_IN_A_ROW: u32 = 3;

/// Calls that a crash is often laid on: those that change something, and of these the seldom ones.
const RARE: &[(Verb, &str)] = &[
    (Verb::Finish, "shard"),
    (Verb::Put, "snapshot"),
    (Verb::Delete, "journal"),
    (Verb::Delete, "snapshot"),
    (Verb::Delete, "shard"),
    (Verb::SetAside, "shard"),
    (Verb::WriteMarker, "marker"),
];

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

/// What a step answers.
pub type Step<T = ()> = Result<T, Broken>;

/// What a world is built from. Tests put wrong parts in, to see whether anybody notices.
#[derive(Clone)]
pub struct Parts {
    /// Laid around each target.
    pub target: fn(Arc<dyn Target>, &Time) -> Arc<dyn Target>,
    /// Laid around the chance that the store draws from.
    pub entropy: fn(Arc<dyn Entropy>) -> Arc<dyn Entropy>,
    /// What the store is told whose a target is.
    pub owner: fn(&Disk) -> ProviderId,
    /// Done by the operator after each step that brought a provider back, or by whim.
    pub meddle: Option<fn(&World) -> Option<Meddling>>,
}

/// A change that a wrong part makes through the store's own door.
pub type Meddling = std::pin::Pin<Box<dyn Future<Output = ()>>>;

impl Default for Parts {
    fn default() -> Self {
        Self { target: |target, _| target, entropy: |entropy| entropy, owner: |disk| disk.provider_id, meddle: None }
    }
}

/// Everything there is.
pub struct World {
    /// What it is built from.
    pub parts: Parts,
    /// Its seed.
    pub seed: u64,
    /// The step that runs.
    pub step: u64,
    /// Clock and timer.
    pub time: Time,
    /// The switch.
    pub power: Power,
    /// Its executor.
    pub exec: Exec,
    /// All targets.
    pub disks: Vec<Disk>,
    /// Targets by id.
    pub by_target: BTreeMap<TargetId, usize>,
    /// Providers that were wiped and never came back.
    pub gone: BTreeSet<usize>,
    /// The one provider that is hurt now.
    pub victim: Option<Victim>,
    /// The running service.
    pub store: Option<Store>,
    /// Its catalogue.
    pub catalogue: Catalogue,
    /// The operator's identity, as text.
    pub service: String,
    /// Whose files.
    pub account: AccountId,
    /// Folders to put files in; the root is the first.
    pub folders: Vec<EntryId>,
    /// The account's kit, made before its first file.
    pub kit: Option<Kit>,
    /// The reference.
    pub model: Rc<RefCell<Model>>,
    /// Who compares.
    pub auditor: Auditor,
    /// What happened how often.
    pub census: Rc<RefCell<Census>>,
    /// Chance of the actors.
    pub chance: Chance,
    /// Providers that were found later.
    pub grown: usize,
    /// What providers held once.
    pub old_images: BTreeMap<usize, Vec<(usize, Image)>>,
    /// The catalogue was rebuilt since: uploads under way are not known any more.
    pub uploads_may_be_lost: bool,
    /// Whether a crash may be armed.
    pub crashes: bool,
    /// What happened, for people.
    pub history: Rc<RefCell<Vec<String>>>,
    store_chance: Chance,
    disk_chance: Chance,
}

/// The numbers of a small service: a pack holds half a megabyte.
pub fn settings() -> Settings {
    Settings {
        cell_bytes: 64 << 10,
        lane_bytes_max: 128 << 10,
        segment_bytes_max: 320 << 10,
        small_file_bytes_max: 40 << 10,
        inline_bytes_max: 2 << 10,
        buffer_bytes: 32 << 20,
        write_deadline_s: 2,
        pause_s: 2,
        pack_after_s: 20,
        down_wait_s: 5,
        grace_s: 60,
        upload_s: 24 * 3_600,
        overtake_after_ms: 100,
        ..Settings::default()
    }
}

impl World {
    /// A founded service with an account, its folders and its kit.
    ///
    /// # Errors
    /// [`Broken`] if even that does not work.
    pub fn found(seed: u64, parts: Parts) -> Step<Self> {
        let time = Time::default();
        let power = Power::new(time.clone(), Chance::fork(seed, "power"));
        let disks: Vec<Disk> = (0..=PROVIDERS).map(|index| new_disk(index, index % PROVIDERS)).collect();
        let catalogue = Catalogue::open_inline_memory().map_err(|error| Broken(error.to_string()))?;
        let mut world = Self {
            seed,
            parts,
            step: 0,
            exec: Exec::new(time.clone(), Chance::fork(seed, "order")),
            time,
            power,
            by_target: disks.iter().map(|disk| (disk.target, disk.index)).collect(),
            disks,
            gone: BTreeSet::new(),
            victim: None,
            store: None,
            catalogue,
            service: SERVICE_SECRET.to_owned(),
            account: AccountId::default(),
            folders: vec![model::entry::ROOT],
            kit: None,
            model: Rc::default(),
            auditor: Auditor::default(),
            census: Rc::default(),
            chance: Chance::fork(seed, "actors"),
            grown: 0,
            old_images: BTreeMap::new(),
            uploads_may_be_lost: false,
            crashes: false,
            history: Rc::default(),
            store_chance: Chance::fork(seed, "store"),
            disk_chance: Chance::fork(seed, "disks"),
        };
        let opening = world.opening()?;
        let (providers, targets) = world.rows(0..=PROVIDERS);
        let store = world.peacefully("founding", Store::found(opening, providers, targets))?;
        world.store = Some(store);
        world.power.watch(world.catalogue.clone());
        world.settle_in()?;
        world.crashes = true;
        Ok(world)
    }

    fn settle_in(&mut self) -> Step {
        let store = self.store()?.clone();
        let account = self.peacefully("making an account", store.make_account("owner", true))?;
        self.account = account.id;
        let identity = Identity::parse(KIT_SECRET).map_err(|error| Broken(error.to_string()))?;
        let row = self.peacefully("making a kit", store.add_kit(account.id, identity.recipient()))?;
        let addresses = self.peacefully("addresses", store.addresses())?;
        let known = |(provider, driver, address)| KitAddress { provider, driver, address };
        self.kit = Some(Kit {
            format_version: format::FORMAT_VERSION,
            cluster: store.cluster(),
            account: account.id,
            kit: row.id,
            identity,
            addresses: addresses.into_iter().map(known).collect(),
            made_us: row.made_us,
        });
        let client = self.client()?;
        for name in ["letters", "photos"] {
            let id = EntryId::random(self.chance.entropy().as_ref());
            self.peacefully("making a folder", client.make_folder(id, name))?;
            self.folders.push(id);
        }
        Ok(())
    }

    /// The rows of these disks and their providers, as the store is told.
    pub fn rows(&self, which: impl IntoIterator<Item = usize>) -> (Vec<ProviderRow>, Vec<TargetRow>) {
        let disks: Vec<&Disk> = which.into_iter().map(|index| &self.disks[index]).collect();
        let owners: BTreeMap<ProviderId, String> =
            disks.iter().map(|disk| ((self.parts.owner)(disk), format!("firm {}", disk.index))).collect();
        let providers = owners.into_iter().map(|(id, name)| ProviderRow { id, name, labels: vec![] }).collect();
        let target = |disk: &&Disk| TargetRow {
            id: disk.target,
            provider: (self.parts.owner)(disk),
            address: disk.address(),
            driver: "memory".into(),
            generation: 0,
            state: TargetState::Up,
        };
        (providers, disks.iter().map(target).collect())
    }

    /// A new life's way to a disk.
    pub fn driver(&self, disk: &Disk) -> Arc<dyn Target> {
        (self.parts.target)(disk.open(&self.time, &self.power, &self.disk_chance), &self.time)
    }

    /// What the store is opened with.
    pub fn opening(&self) -> Step<Opening> {
        let roster = Roster::default();
        for disk in &self.disks {
            roster.insert(disk.target, self.driver(disk));
        }
        self.opening_with(roster, self.catalogue.clone())
    }

    /// As [`World::opening`], with another roster and catalogue.
    pub fn opening_with(&self, roster: Roster, catalogue: Catalogue) -> Step<Opening> {
        let service = Identity::parse(&self.service).map_err(|error| Broken(error.to_string()))?;
        let world = Door {
            clock: Arc::new(self.time.clone()),
            entropy: (self.parts.entropy)(self.store_chance.entropy()),
            timer: Arc::new(self.time.clone()),
        };
        Ok(Opening { world, catalogue, roster, service, settings: settings() })
    }

    /// The running service.
    pub fn store(&self) -> Step<&Store> {
        self.store.as_ref().ok_or_else(|| Broken("the service does not run".to_owned()))
    }

    /// A client of it.
    pub fn client(&self) -> Step<Client> {
        Ok(Client { store: self.store()?.clone(), account: self.account, time: self.time.clone() })
    }

    /// Counts something.
    pub fn count(&self, what: impl Into<String>) {
        self.census.borrow_mut().count(what);
    }

    /// Notes something for people.
    pub fn note(&self, what: impl AsRef<str>) {
        let now_us = model::world::Clock::now(&self.time).monotonic_us;
        self.history.borrow_mut().push(format!("step {:>4} at {:>12} us: {}", self.step, now_us, what.as_ref()));
    }

    /// Runs something that must succeed and is not disturbed.
    fn peacefully<T, E: std::fmt::Display>(
        &mut self,
        doing: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Step<T> {
        self.power.doing(doing);
        let power = self.power.clone();
        match self.exec.run(work, || power.is_off()) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Broken(format!("{doing}: {error}"))),
            Err(stop) => Err(Broken(format!("{doing}: {stop:?}"))),
        }
    }

    /// Runs something while the power may go out: `None` if it did, and the service was started again.
    ///
    /// # Errors
    /// [`Broken`] when everybody waits for ever, or the service does not start again.
    pub fn drive<T>(&mut self, doing: &'static str, work: impl Future<Output = T>) -> Step<Option<T>> {
        self.power.doing(doing);
        let power = self.power.clone();
        let ran = self.exec.run(work, || power.is_off());
        match ran {
            Ok(value) => {
                self.power.disarm();
                Ok(Some(value))
            }
            Err(Stop::Crash) => {
                self.start_again()?;
                Ok(None)
            }
            Err(stop) => Err(Broken(format!("{doing}: {stop:?}"))),
        }
    }

    /// Arms a crash with the given odds.
    pub fn maybe_arm(&self, one_in: u64) {
        if !self.crashes || !self.chance.one_in(one_in) {
            return;
        }
        let moment = *self.chance.pick(&Moment::ALL).unwrap_or(&Moment::After);
        if self.chance.one_in(3)
            && let Some((verb, kind)) = self.chance.pick(RARE).copied()
        {
            self.note(format!("(the power may go out {moment:?} the next {} of a {kind})", verb.name()));
            self.power.arm_at(verb, kind, moment);
            return;
        }
        let range = *self.chance.pick(&[6, 40, 300]).unwrap_or(&40);
        let ahead = self.chance.between(1, range);
        self.note(format!("(the power may go out {moment:?} effect {ahead} from here)"));
        self.power.arm(ahead, moment);
    }

    /// Starts the service after the power was out.
    ///
    /// # Errors
    /// [`Broken`] if it does not start although at most one provider is hurt.
    pub fn start_again(&mut self) -> Step {
        for attempt in 0.. {
            self.store = None;
            self.exec.drop_tasks();
            let Some((point, image)) = self.power.restore() else {
                return Err(Broken("started again although the power was on".to_owned()));
            };
            self.note(format!("crash {:?} {} while {}", point.moment, point.effect, point.doing));
            self.count(format!("crash: {:?} {}", point.moment, point.effect));
            self.count(format!("crash while: {}", point.doing));
            self.catalogue = Catalogue::inline_from_image(&image).map_err(|error| Broken(error.to_string()))?;
            self.power.watch(self.catalogue.clone());
            self.power.doing("start");
            if attempt < CRASHES_IN_A_ROW {
                self.maybe_arm(4);
            }
            let opening = self.opening()?;
            let power = self.power.clone();
            match self.exec.run(Store::open(opening), || power.is_off()) {
                Ok(Ok(store)) => {
                    self.power.disarm();
                    self.store = Some(store);
                    break;
                }
                Ok(Err(error)) => return Err(Broken(format!("the service does not start: {error}"))),
                Err(Stop::Crash) => {}
                Err(stop) => return Err(Broken(format!("start: {stop:?}"))),
            }
        }
        self.auditor.begin_again();
        self.note("started again");
        self.audit(true)
    }

    /// Lets time pass.
    pub fn pass(&mut self, us: u64) -> Step {
        let sleep = self.time.sleep(us);
        self.drive("waiting", sleep).map(drop)
    }
}

/// An empty disk of a provider.
pub fn new_disk(index: usize, provider: usize) -> Disk {
    Disk {
        index,
        target: TargetId([index as u8 + 101; 16]),
        provider,
        provider_id: ProviderId([provider as u8 + 1; 16]),
        disk: MemoryDisk::default(),
        faults: FaultControl::default(),
    }
}
