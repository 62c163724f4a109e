//! A small cluster built by hand from the format's encoders alone: what a service leaves behind at six firms.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use fleet::{MemoryDisk, MemoryTarget, target::Target};
use format::{
    AccountKey, AddressBook, ClusterKey, Identity, JournalBuilder, JournalHeader, Key, Kit, KitAddress, LaneHasher,
    Marker, RecordKey, ShardHeader,
    envelope::{Address, seal_account_envelope, seal_address_book},
    name::{address_book_name, envelope_name, shard_name},
    segment::seal_whole,
    shard::{encode_header, encode_tail, striped},
    snapshot::{LayerBase, encode_layer},
};
use model::{
    Change, Record, Scheme, Scope,
    account::KitRow,
    entry::{Content, EntryRow, Kind, ROOT, SegmentRef, Trashed, Version},
    id::{AccountId, ClusterId, EntryId, KitId, MakeId, ObjectId, PackId, ProviderId, SegmentId, TargetId, VersionId},
    pack::{Location, Make, Pack},
    scheme::CODEC_RS8,
    units::ServiceTime,
    world::Entropy,
};

pub const FIRMS: usize = 6;
pub const K: u8 = 4;
pub const CELL: u32 = 64 << 10;

/// Numbers from a seed (splitmix64).
pub struct Seeded(Mutex<u64>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

pub struct World {
    pub entropy: Seeded,
    pub cluster: ClusterId,
    pub account: AccountId,
    pub key: AccountKey,
    pub cluster_key: ClusterKey,
    pub kit: Kit,
    pub disks: Vec<MemoryDisk>,
    pub targets: Vec<TargetId>,
    /// What the tree must be: path to content.
    pub files: BTreeMap<String, Vec<u8>>,
    pub folders: Vec<String>,
    /// Packs as recorded: the striped one first.
    pub packs: Vec<Pack>,
    /// The account's last revision.
    pub revision: u64,
    pub cluster_revision: u64,
    pub epoch: u64,
    pub journal: Option<JournalHeader>,
}

/// A sealed file on its way into the cluster.
pub struct Sealed {
    pub version: Version,
    pub segments: Vec<(SegmentId, Vec<u8>)>,
}

impl World {
    /// Six firms, a kit, and a tree with every kind of content and of change.
    pub fn build() -> Self {
        let entropy = Seeded::new(7);
        let (cluster, account) = (ClusterId::random(&entropy), AccountId::random(&entropy));
        let targets: Vec<_> = (0..FIRMS).map(|_| TargetId::random(&entropy)).collect();
        let addresses = |at: usize| KitAddress {
            provider: format!("firm-{at}"),
            driver: "dir".to_owned(),
            address: format!("/srv/firm-{at}"),
        };
        let kit = Kit {
            format_version: format::FORMAT_VERSION,
            cluster,
            account,
            kit: KitId::random(&entropy),
            identity: Identity::generate(),
            addresses: (0..2).map(addresses).collect(),
            made_us: 1_359_676_800_000_000,
        };
        let mut world = Self {
            cluster,
            account,
            key: AccountKey::random(&entropy),
            cluster_key: ClusterKey::random(&entropy),
            kit,
            disks: (0..FIRMS).map(|_| MemoryDisk::default()).collect(),
            targets,
            files: BTreeMap::new(),
            folders: vec!["photos".to_owned(), "photos/2012".to_owned()],
            packs: Vec::new(),
            revision: 0,
            cluster_revision: 0,
            epoch: 1,
            journal: None,
            entropy,
        };
        world.markers();
        world.envelope(1, &[world.kit.identity.recipient()]);
        world.address_book();
        world.tree();
        world
    }

    pub fn bytes(&self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// The driver of each disk, under an address that tells nothing.
    pub fn open(&self, firms: impl IntoIterator<Item = usize>) -> Vec<(String, Arc<dyn Target>)> {
        let target = |at: usize| -> (String, Arc<dyn Target>) {
            let name = format!("place-{at}");
            (name.clone(), Arc::new(MemoryTarget::on(name, self.disks[at].clone())))
        };
        firms.into_iter().map(target).collect()
    }

    fn markers(&self) {
        for (disk, target) in self.disks.iter().zip(&self.targets) {
            let marker = Marker::new(self.cluster, *target, ProviderId::random(&self.entropy), 1, 1);
            let mut image = disk.image();
            image.marker = Some(marker.encode().into());
            disk.restore(image);
        }
    }

    /// Puts a copied object at three firms from `first` on.
    pub fn copies(&self, first: usize, name: &str, bytes: &[u8]) {
        for at in first..first + 3 {
            self.disks[at % FIRMS].plant(name, Some(Bytes::copy_from_slice(bytes)));
        }
    }

    pub fn envelope(&self, generation: u64, recipients: &[String]) {
        let name = envelope_name(Scope::Account(self.account), generation, ObjectId::random(&self.entropy));
        let bytes = seal_account_envelope(&name, self.account, &self.key, true, recipients).unwrap();
        (0..2).for_each(|half| self.copies(3 * half, &name, &bytes));
    }

    fn address_book(&self) {
        let entry = |(at, target): (usize, &TargetId)| Address {
            provider: format!("firm-{at}"),
            target: *target,
            driver: "dir".to_owned(),
            address: format!("/srv/firm-{at}"),
        };
        let entries = self.targets.iter().enumerate().map(entry).collect();
        let book = AddressBook { cluster: self.cluster, epoch: 1, entries };
        let name = address_book_name(self.account, 1, ObjectId::random(&self.entropy));
        let bytes = seal_address_book(&name, &book, &[self.kit.identity.recipient()]).unwrap();
        (0..2).for_each(|half| self.copies(3 * half, &name, &bytes));
    }

    /// Seals a file into segments of at most `segment_bytes`.
    pub fn seal(&self, entry: EntryId, plain: &[u8], segment_bytes: usize) -> Sealed {
        let file_key = Key::random(&self.entropy);
        let mut segments = Vec::new();
        let mut refs = Vec::new();
        for part in plain.chunks(segment_bytes) {
            let mut salt = [0; 32];
            self.entropy.fill(&mut salt);
            let id = SegmentId::random(&self.entropy);
            refs.push(SegmentRef { id, salt, plain_bytes: part.len() as u64 });
            segments.push((id, seal_whole(&file_key, id, salt, part).unwrap()));
        }
        let version = Version {
            id: VersionId::random(&self.entropy),
            entry,
            size: plain.len() as u64,
            modified_us: 1_328_054_400_000_000,
            made_us: 0,
            media_type: "application/octet-stream".to_owned(),
            blake3: *blake3::hash(plain).as_bytes(),
            crc32: crc32fast::hash(plain),
            sha256: None,
            key: self.key.wrap(&file_key),
            content: Content::Segments(refs),
            replaced: None,
        };
        Sealed { version, segments }
    }

    pub fn entry(&self, parent: EntryId, name: &str, kind: Kind) -> EntryRow {
        EntryRow {
            id: EntryId::random(&self.entropy),
            parent,
            name: name.to_owned(),
            kind,
            modified_us: 1_328_054_400_000_000,
            trashed: None,
            current: None,
        }
    }

    /// Writes the lanes of a pack with `m` parity lanes, in turn over the firms.
    pub fn pack(&mut self, mut data: Vec<Vec<u8>>, m: u8, cell_bytes: u32, locations: Vec<Location>) -> Pack {
        let k = data.len() as u8;
        let longest = data.iter().map(Vec::len).max().unwrap();
        let code = erasure::Code::new(k, m).unwrap();
        let mut parity = vec![vec![0; longest]; usize::from(m)];
        let inputs: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        code.encode(&inputs, &mut parity.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
        data.extend(parity);
        let mut pack =
            Pack { id: PackId::random(&self.entropy), k, codec: CODEC_RS8, cell_bytes, makes: Vec::new(), locations };
        for (lane, bytes) in data.iter().enumerate() {
            let make = self.shard(&pack, lane as u8, bytes, lane % FIRMS);
            pack.makes.push(make);
        }
        self.packs.push(pack.clone());
        pack
    }

    /// Writes one shard to one firm.
    pub fn shard(&self, pack: &Pack, lane: u8, bytes: &[u8], firm: usize) -> Make {
        let make = MakeId::random(&self.entropy);
        let Pack { id, k, codec, cell_bytes, .. } = *pack;
        let header = ShardHeader { cluster: self.cluster, pack: id, make, lane, k, codec, cell_bytes };
        let mut hasher = LaneHasher::new();
        hasher.update(bytes);
        let list = hasher.finish();
        let root = list.root();
        let whole = [&encode_header(&header)[..], bytes, &encode_tail(&header, &list, &pack.locations)].concat();
        self.disks[firm].plant(&shard_name(id, lane, make), Some(whole.into()));
        Make { lane, make, target: self.targets[firm], lane_bytes: bytes.len() as u64, root }
    }

    /// Segments one after the other over all data lanes.
    pub fn striped_pack(&mut self, segments: &[(SegmentId, Vec<u8>)], scheme: Scheme, cell_bytes: u32) -> Pack {
        let mut lanes = vec![Vec::new(); usize::from(scheme.k)];
        let (mut locations, mut offset) = (Vec::new(), 0);
        for (segment, sealed) in segments {
            let mut rest = sealed.as_slice();
            for piece in striped(scheme.k, u64::from(cell_bytes), offset, sealed.len() as u64) {
                let (now, later) = rest.split_at(piece.len as usize);
                lanes[usize::from(piece.lane)].extend_from_slice(now);
                rest = later;
            }
            locations.push(Location { segment: *segment, lane: None, offset, bytes: sealed.len() as u64 });
            offset += sealed.len() as u64;
        }
        self.pack(lanes, scheme.m, cell_bytes, locations)
    }

    /// Segments whole, in turn over the data lanes.
    pub fn shared_pack(&mut self, segments: &[(SegmentId, Vec<u8>)]) -> Pack {
        let mut lanes = vec![Vec::new(); usize::from(K)];
        let mut locations = Vec::new();
        for (at, (segment, sealed)) in segments.iter().enumerate() {
            let lane = &mut lanes[at % usize::from(K)];
            let (offset, bytes) = (lane.len() as u64, sealed.len() as u64);
            locations.push(Location { segment: *segment, lane: Some((at % usize::from(K)) as u8), offset, bytes });
            lane.extend_from_slice(sealed);
        }
        self.pack(lanes, 2, CELL, locations)
    }

    /// Puts a layer of the snapshot at three firms.
    pub fn layer(&self, scope: Scope, from: u64, to: u64, rows: &[(u64, Change)]) {
        let layer = ObjectId::random(&self.entropy);
        let base = LayerBase { cluster: self.cluster, epoch: self.epoch, scope, from, to, layer, made_at_seq: 0 };
        for (header, bytes) in encode_layer(&base, rows, self.record_key(scope), &self.entropy).unwrap() {
            (0..2).for_each(|half| self.copies(3 * half, &header.name(), &bytes));
        }
    }

    fn record_key(&self, scope: Scope) -> RecordKey<'_> {
        match scope {
            Scope::Cluster => RecordKey::Cluster(&self.cluster_key),
            Scope::Account(_) => RecordKey::Account(&self.key),
        }
    }

    /// Journals records with the next revisions, at three firms from `first` on. Returns the object's name.
    pub fn journal(
        &mut self,
        first: usize,
        changes: Vec<(Scope, Vec<Change>)>,
        payloads: &[(SegmentId, Vec<u8>)],
    ) -> String {
        let header = JournalHeader {
            cluster: self.cluster,
            epoch: self.epoch,
            seq: self.journal.map_or(1, |header| header.seq + 1),
            stamp: 1 << 32,
            id: ObjectId::random(&self.entropy),
            prev: self.journal.map_or(ObjectId::default(), |header| header.id),
        };
        let mut salt = [0; 32];
        self.entropy.fill(&mut salt);
        let mut builder = JournalBuilder::new(&header, salt);
        let mut payloads: Vec<_> =
            payloads.iter().map(|(segment, sealed)| (*segment, vec![Bytes::copy_from_slice(sealed)])).collect();
        for (scope, changes) in changes {
            let counter = if scope == Scope::Cluster { &mut self.cluster_revision } else { &mut self.revision };
            *counter += 1;
            let record = Record { epoch: self.epoch, scope, revision: *counter, changes };
            let travelling = if scope == Scope::Cluster { Vec::new() } else { std::mem::take(&mut payloads) };
            builder.push(&record, self.record_key(scope), &travelling).unwrap();
        }
        let bytes = builder.finish().0.concat();
        (0..2).for_each(|half| self.copies(first + 3 * half, &header.name(), &bytes));
        self.journal = Some(header);
        header.name()
    }

    pub fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    /// The tree: a large file in two segments, small ones in a shared pack, one in the journal, one inline, an empty one;
    /// one overwritten, one renamed, one deleted, one in the trash.
    fn tree(&mut self) {
        let photos = self.entry(ROOT, "photos", Kind::Folder);
        let year = self.entry(photos.id, "2012", Kind::Folder);
        let mut rows = vec![
            Change::Kit(KitRow {
                id: self.kit.kit,
                recipient: self.kit.identity.recipient(),
                made_us: self.kit.made_us,
                revoked_us: None,
                tested_us: None,
            }),
            Change::Entry(photos.clone()),
            Change::Entry(year.clone()),
        ];
        let mut small = Vec::new();
        let mut add = |world: &mut Self, parent: EntryId, path: &str, plain: Vec<u8>, shared: bool| {
            let name = path.rsplit('/').next().unwrap();
            let mut entry = world.entry(parent, name, Kind::File);
            let sealed = world.seal(entry.id, &plain, 1_100_000);
            entry.current = Some(sealed.version.id);
            rows.push(Change::Version(sealed.version.clone()));
            rows.push(Change::Entry(entry.clone()));
            world.files.insert(path.to_owned(), plain);
            if shared {
                small.extend(sealed.segments.clone());
            }
            (entry, sealed)
        };
        let plain = self.bytes(2_000_003);
        let (_, film) = add(self, year.id, "photos/2012/film.mkv", plain, false);
        let mut victims = Vec::new();
        for name in [
            "a.jpg",
            "b.jpg",
            "c.jpg",
            "renamed-later.txt",
            "deleted-later.txt",
            "trashed-later.txt",
            "overwritten.txt",
        ] {
            let plain = self.bytes(10_000 + 7_000 * victims.len());
            victims.push(add(self, photos.id, &format!("photos/{name}"), plain, true));
        }
        let _ = add(self, ROOT, "empty", Vec::new(), false);
        self.inline(&mut rows);

        self.revision = 10;
        let rows: Vec<_> = rows.into_iter().map(|row| (10, row)).collect();
        self.layer(self.scope(), 0, 10, &rows);
        let striped = self.striped_pack(&film.segments, Scheme::new(K, 2), CELL);
        let shared = self.shared_pack(&small);
        self.cluster_revision = 2;
        self.layer(Scope::Cluster, 0, 2, &[(1, Change::Pack(striped)), (2, Change::Pack(shared))]);
        self.changes_since(&victims);
    }

    fn inline(&mut self, rows: &mut Vec<Change>) {
        let plain = b"It said: this server was seized.".to_vec();
        let mut entry = self.entry(ROOT, "note.txt", Kind::File);
        let mut sealed = self.seal(entry.id, &plain, 2_048);
        let segment = sealed.version.segments()[0];
        sealed.version.content = Content::Inline { segment, sealed: sealed.segments.remove(0).1 };
        entry.current = Some(sealed.version.id);
        rows.extend([Change::Version(sealed.version), Change::Entry(entry)]);
        self.files.insert("note.txt".to_owned(), plain);
    }

    fn changes_since(&mut self, victims: &[(EntryRow, Sealed)]) {
        let scope = self.scope();
        let renamed = EntryRow { name: "renamed.txt".to_owned(), parent: ROOT, ..victims[3].0.clone() };
        let plain = self.files.remove("photos/renamed-later.txt").unwrap();
        self.files.insert("renamed.txt".to_owned(), plain);
        self.files.remove("photos/deleted-later.txt");
        self.files.remove("photos/trashed-later.txt");
        let trashed = Trashed { at: ServiceTime(5), wall_us: 0 };
        let trash = EntryRow { trashed: Some(trashed), ..victims[5].0.clone() };
        let gone = vec![Change::EntryGone(victims[4].0.id), Change::VersionGone(victims[4].1.version.id)];
        self.journal(
            1,
            vec![(scope, vec![Change::Entry(renamed)]), (scope, gone), (scope, vec![Change::Entry(trash)])],
            &[],
        );

        let plain = self.bytes(70_000);
        let new = self.seal(victims[6].0.id, &plain, 1_100_000);
        let old = Version { replaced: Some(ServiceTime(6)), ..victims[6].1.version.clone() };
        let entry = EntryRow { current: Some(new.version.id), ..victims[6].0.clone() };
        let changes = vec![Change::Version(old), Change::Version(new.version), Change::Entry(entry)];
        self.files.insert("photos/overwritten.txt".to_owned(), plain);
        self.journal(2, vec![(scope, changes)], &new.segments);
    }
}
