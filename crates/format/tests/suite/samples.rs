//! Sound things of every kind, the same in every run: from a seed, or fixed for the vectors.

use std::sync::Mutex;

use model::{
    Change, Record, Scope,
    about::{AboutRow, Logo, Quick, SignUp},
    account::{AccountRow, KitRow, Leaving, LimitsRow, Role, SecondFactor, SignInRow, TokenRow, TokenScope, TokenUse},
    entry::{Content, EntryRow, Kind, ROOT, SegmentRef, Trashed, Version},
    fleet::{ConstraintRow, ProviderRow, TargetRow, TargetState},
    id::{
        AccountId, ClusterId, EntryId, GrantId, KitId, LeaseId, MakeId, NoticeId, ObjectId, OrderId, PackId, PasskeyId,
        ProviderId, ReportId, SegmentId, ShareId, TargetId, TokenId, VersionId, WebhookId,
    },
    leases::{Desk, Document, LeaseRow, LeaseState, NoticeRow, NoticeState, Served, Server},
    ledger::LedgerEntry,
    orders::{Evacuated, Evacuation, Retirement, TargetOrders},
    outgoing::{Confirmed, EventKind, Language, MailRow, SwitchedOff, WantedMail, WebhookRow},
    pack::{Location, Make, Pack},
    plans::PlanRow,
    share::{GrantRow, Reason, ReportRow, ShareRow},
    units::{ServiceTime, sealed_bytes},
    ways::{IdentityRow, PasskeyRow},
    world::Entropy,
};

use format::{AccountKey, ClusterKey, JournalHeader, Key, Keyring, ShardHeader, snapshot::LayerBase};

/// Chance from a seed.
pub struct Seeded(Mutex<blake3::OutputReader>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof()))
    }

    /// A number below `end`.
    pub fn below(&self, end: usize) -> usize {
        (self.number() % end.max(1) as u64) as usize
    }

    pub fn number(&self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    pub fn coin(&self) -> bool {
        self.below(2) == 1
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    pub fn vec(&self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes);
        bytes
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill(bytes);
    }
}

pub const CLUSTER: ClusterId = ClusterId([0xc1; 16]);
pub const ACCOUNT: AccountId = AccountId([0xa1; 16]);
pub const OTHER: AccountId = AccountId([0xa2; 16]);
/// The secret bytes 1 to 32.
pub const IDENTITY: &str = "AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE";

pub fn account_key() -> AccountKey {
    AccountKey::new(Key::from_bytes([0x11; 32]))
}

pub fn cluster_key() -> ClusterKey {
    ClusterKey::new(Key::from_bytes([0x22; 32]))
}

pub fn keyring() -> Keyring {
    Keyring { cluster: Some(cluster_key()), accounts: [(ACCOUNT, account_key())].into() }
}

/// Bytes 0, 1, …, 250, 0, 1, ….
pub fn plain(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 251) as u8).collect()
}

pub fn segment(tag: u8, plain_bytes: u64) -> SegmentRef {
    SegmentRef { id: SegmentId([tag; 16]), salt: [tag ^ 0xff; 32], plain_bytes }
}

pub fn shard_header() -> ShardHeader {
    ShardHeader {
        cluster: CLUSTER,
        pack: PackId([0x50; 16]),
        make: MakeId([0x60; 16]),
        lane: 3,
        k: 4,
        codec: 1,
        cell_bytes: 65_536,
    }
}

pub fn locations() -> Vec<Location> {
    vec![
        Location { segment: SegmentId([0x71; 16]), lane: Some(2), offset: 4096, bytes: 1_000 },
        Location { segment: SegmentId([0x72; 16]), lane: None, offset: 300_000, bytes: 131_072 },
    ]
}

pub fn make(lane: u8) -> Make {
    Make {
        lane,
        make: MakeId([0x60 + lane; 16]),
        target: TargetId([0x30 + lane; 16]),
        lane_bytes: 150_000,
        root: [lane; 32],
    }
}

pub fn pack() -> Pack {
    Pack {
        id: PackId([0x50; 16]),
        k: 4,
        codec: 1,
        cell_bytes: 65_536,
        makes: (0..6).map(make).collect(),
        locations: locations(),
    }
}

/// One cluster row of each kind, options set and unset.
pub fn cluster_changes() -> Vec<Change> {
    let provider = ProviderId([0x20; 16]);
    let labels = vec![("country".to_owned(), "NL".to_owned()), ("payment".to_owned(), String::new())];
    let target = TargetRow {
        id: TargetId([0x30; 16]),
        provider,
        address: "/srv/one".to_owned(),
        driver: "dir".to_owned(),
        generation: 300,
        state: TargetState::Suspect,
    };
    let name = "Żółw Ω".to_owned();
    vec![
        Change::Pack(pack()),
        Change::Makes { pack: PackId([0x50; 16]), makes: vec![make(1), make(7)] },
        Change::PackGone { pack: PackId([0x51; 16]), at: ServiceTime(86_400) },
        Change::Account(AccountRow { id: ACCOUNT, name, managed: true, made_us: -5 }),
        Change::Provider(ProviderRow { id: provider, name: "firm".to_owned(), labels }),
        Change::Target(target),
    ]
}

/// Who may come in, as far as the cluster says: each kind, options set and unset.
pub fn cluster_access_changes() -> Vec<Change> {
    vec![
        sign_in(Role::Operator, Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned()), None, None),
        sign_in(Role::User, None, Some(6), None),
        sign_in(
            Role::User,
            None,
            None,
            Some(SecondFactor { secret: [0x64; 20], since_us: 7, codes: vec![[0x65; 32], [0x66; 32]] }),
        ),
        Change::Limits(LimitsRow { account: ACCOUNT, space_bytes: None, plan: None }),
        Change::Limits(LimitsRow { account: ACCOUNT, space_bytes: Some(1 << 40), plan: None }),
        token(0x60, TokenUse::Access(TokenScope::All), None, None),
        token(0x61, TokenUse::Invitation(Role::User), Some(7), Some(8)),
        token(0x62, TokenUse::Invitation(Role::Operator), Some(7), None),
        token(0x63, TokenUse::Reset, None, Some(8)),
        report(0x64, Reason::Illegal, None, None),
        report(0x65, Reason::Other, Some("guest@example.org".to_owned()), Some(11)),
        Change::About(AboutRow::default()),
        Change::About(about()),
    ]
}

/// The ways into an account beside its password: options set and unset.
pub fn cluster_ways_changes() -> Vec<Change> {
    let passkey = |tag: u8, counter: u32, ended_us: Option<i64>| {
        Change::Passkey(PasskeyRow {
            id: PasskeyId([tag; 16]),
            account: ACCOUNT,
            label: "the phone".to_owned(),
            host: "files.example".to_owned(),
            credential: vec![tag; 20],
            key: plain(77),
            counter,
            made_us: 14,
            ended_us,
        })
    };
    let identity = |ended_us: Option<i64>| {
        Change::Identity(IdentityRow {
            account: ACCOUNT,
            issuer: "https://id.example/realm".to_owned(),
            subject: "248289761001".to_owned(),
            name: "żółw@example.org".to_owned(),
            made_us: 15,
            ended_us,
        })
    };
    vec![passkey(0x67, 0, None), passkey(0x68, 300, Some(16)), identity(None), identity(Some(17))]
}

fn report(tag: u8, reason: Reason, contact: Option<String>, settled_us: Option<i64>) -> Change {
    let (id, words) = (ReportId([tag; 16]), "this is mine".to_owned());
    let share = ShareId([0x70; 16]);
    Change::Report(ReportRow { id, account: ACCOUNT, share, reason, words, contact, made_us: 10, settled_us })
}

fn about() -> AboutRow {
    AboutRow {
        name: Some("Attic".to_owned()),
        sign_up: SignUp::Open,
        new_space_bytes: Some(5 << 30),
        colour: Some([1, 2, 0xfe]),
        logo: Some(Logo { media_type: "image/png".to_owned(), bytes: vec![0x89, 0x50, 0x4e, 0x47] }),
        contact: Some("attic@example.org".to_owned()),
        imprint: Some("# Who".to_owned()),
        terms: Some("Be kind.".to_owned()),
        ..AboutRow::default()
    }
}

/// An account's links: options set and unset.
pub fn account_access_changes() -> Vec<Change> {
    vec![share(0x70, false), share(0x71, true), grant(0x73, false, None), grant(0x74, true, Some(12))]
}

/// Where mail reaches accounts: options set and unset.
pub fn cluster_outgoing_changes() -> Vec<Change> {
    let confirmed = Confirmed { address: "ann@example.org".to_owned(), since_us: 14 };
    let wanted = WantedMail { address: "Ann@example.net".to_owned(), hash: [0x67; 32], expires_us: 15 };
    vec![
        Change::Mail(MailRow { account: ACCOUNT, confirmed: None, wanted: None, language: Language::English }),
        Change::Mail(MailRow {
            account: OTHER,
            confirmed: Some(confirmed),
            wanted: Some(wanted),
            language: Language::German,
        }),
    ]
}

/// An account's webhooks: options set and unset.
pub fn account_outgoing_changes() -> Vec<Change> {
    let hook = |tag: u8, events: &[EventKind], ended_us, off| {
        Change::Webhook(WebhookRow {
            id: WebhookId([tag; 16]),
            address: "https://hooks.example.org/in?for=ann".to_owned(),
            secret: [tag; 32],
            events: events.to_vec(),
            label: "the shop's".to_owned(),
            made_us: 16,
            ended_us,
            off,
        })
    };
    let off = SwitchedOff { at_us: 17, why: "nobody answers".to_owned() };
    vec![hook(0x76, &EventKind::ALL[..5], None, None), hook(0x77, &[EventKind::ShareEnded], Some(18), Some(off))]
}

fn grant(tag: u8, writes: bool, ended_us: Option<i64>) -> Change {
    let (id, entry) = (GrantId([tag; 16]), EntryId([0x40; 16]));
    Change::Grant(GrantRow { id, entry, to: OTHER, writes, made_us: 5, ended_us })
}

fn sign_in(role: Role, password: Option<String>, suspended_us: Option<i64>, second: Option<SecondFactor>) -> Change {
    let leaving = suspended_us.map(|_| Leaving { at: ServiceTime(86_400), wall_us: 1_326_931_200_000_004 });
    Change::SignIn(SignInRow { account: ACCOUNT, role, password, suspended_us, changed_us: 5, second, leaving })
}

pub fn token(tag: u8, opens: TokenUse, expires_us: Option<i64>, ended_us: Option<i64>) -> Change {
    let label = "the laptop's".to_owned();
    let id = TokenId([tag; 16]);
    Change::Token(TokenRow { id, hash: [tag; 32], account: ACCOUNT, opens, label, made_us: 3, expires_us, ended_us })
}

fn share(tag: u8, limited: bool) -> Change {
    Change::Share(ShareRow {
        id: ShareId([tag; 16]),
        entry: EntryId([0x41; 16]),
        code: [tag; 16],
        password: limited.then(|| "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned()),
        expires_us: limited.then_some(1_326_931_200_000_003),
        downloads_max: limited.then_some(300),
        downloads: 299,
        made_us: 4,
        ended_us: limited.then_some(9),
        receives: limited,
        words: if limited { "your photos, please".to_owned() } else { String::new() },
        off_us: limited.then_some(13),
    })
}

/// One account row of each kind, options set and unset.
pub fn account_changes() -> Vec<Change> {
    let folder = EntryRow {
        id: EntryId([0x40; 16]),
        parent: ROOT,
        name: "Fotos 2012".to_owned(),
        kind: Kind::Folder,
        modified_us: 1_326_931_200_000_000,
        trashed: Some(Trashed { at: ServiceTime(77), wall_us: 1_326_931_200_000_001 }),
        current: None,
    };
    let file = EntryRow {
        id: EntryId([0x41; 16]),
        parent: EntryId([0x40; 16]),
        name: "plan.txt".to_owned(),
        kind: Kind::File,
        modified_us: 1_326_931_200_000_002,
        trashed: None,
        current: Some(VersionId([0x80; 16])),
    };
    let kit = |tag: u8, revoked_us, tested_us| {
        let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj".to_owned();
        Change::Kit(KitRow { id: KitId([tag; 16]), recipient, made_us: 4, revoked_us, tested_us })
    };
    vec![
        kit(0x90, None, Some(9)),
        kit(0x91, Some(8), None),
        Change::Entry(folder),
        Change::Entry(file),
        Change::EntryGone(EntryId([0x42; 16])),
        Change::Version(inline_version()),
        Change::Version(large_version()),
        Change::VersionGone(VersionId([0x82; 16])),
    ]
}

/// A version of eleven bytes, sealed for real.
pub fn inline_version() -> Version {
    let bytes = b"hello again";
    let file_key = Key::from_bytes([0x33; 32]);
    let segment = segment(0x73, bytes.len() as u64);
    let sealed = format::segment::seal_whole(&file_key, segment.id, segment.salt, bytes).unwrap();
    Version {
        id: VersionId([0x80; 16]),
        entry: EntryId([0x41; 16]),
        size: bytes.len() as u64,
        modified_us: 5,
        made_us: 6,
        media_type: "text/plain".to_owned(),
        blake3: *blake3::hash(bytes).as_bytes(),
        crc32: crc32fast::hash(bytes),
        sha256: None,
        key: account_key().wrap(&file_key),
        content: Content::Inline { segment, sealed },
        replaced: None,
    }
}

/// A version of three segments.
pub fn large_version() -> Version {
    let segments: Vec<_> =
        [(0x74, 256 << 20), (0x75, 256 << 20), (0x76, 12_345)].map(|(tag, n)| segment(tag, n)).into();
    Version {
        id: VersionId([0x81; 16]),
        size: segments.iter().map(|segment| segment.plain_bytes).sum(),
        media_type: String::new(),
        sha256: Some([0x5a; 32]),
        content: Content::Segments(segments),
        replaced: Some(ServiceTime(1 << 40)),
        ..inline_version()
    }
}

pub fn cluster_record() -> Record {
    Record { epoch: 3, scope: Scope::Cluster, revision: 40, changes: cluster_changes() }
}

pub fn account_record() -> Record {
    Record { epoch: 3, scope: Scope::Account(ACCOUNT), revision: 7, changes: account_changes() }
}

pub fn journal_header() -> JournalHeader {
    JournalHeader {
        cluster: CLUSTER,
        epoch: 3,
        seq: 12,
        stamp: (5 << 32) | 1,
        id: ObjectId([0xd2; 16]),
        prev: ObjectId([0xd1; 16]),
    }
}

pub fn layer_base(scope: Scope) -> LayerBase {
    LayerBase { cluster: CLUSTER, epoch: 3, scope, from: 5, to: 60, layer: ObjectId([0xe0; 16]), made_at_seq: 12 }
}

fn some_text(chance: &Seeded, most: usize) -> String {
    let letters = ["a", "B", "7", " ", "é", "漢", "%", "'", "-", "#"];
    let mut text = "x".to_owned();
    for _ in 0..chance.below(most / 4) {
        text.push_str(letters[chance.below(letters.len())]);
    }
    text
}

/// A sound change of the scope's kind, from chance.
pub fn some_change(chance: &Seeded, scope: Scope) -> Change {
    match scope {
        Scope::Cluster => some_cluster_change(chance),
        Scope::Account(_) => some_account_change(chance),
    }
}

fn some_cluster_change(chance: &Seeded) -> Change {
    let some_make = |_| Make {
        lane: chance.below(32) as u8,
        make: MakeId(chance.bytes()),
        target: TargetId(chance.bytes()),
        lane_bytes: chance.number() >> chance.below(64),
        root: chance.bytes(),
    };
    let makes: Vec<_> = (0..chance.below(5)).map(some_make).collect();
    let k = chance.below(32) as u8 + 1;
    let some_location = |_| Location {
        segment: SegmentId(chance.bytes()),
        lane: chance.coin().then(|| chance.below(usize::from(k)) as u8),
        offset: chance.number() >> (1 + chance.below(63)),
        bytes: chance.number() >> (1 + chance.below(63)),
    };
    let id = chance.bytes();
    match chance.below(21) {
        0 => Change::Pack(Pack {
            id: PackId(id),
            k,
            codec: chance.below(256) as u8,
            cell_bytes: 4096 << chance.below(20),
            makes,
            locations: (0..chance.below(5)).map(some_location).collect(),
        }),
        1 => Change::Makes { pack: PackId(id), makes },
        2 => Change::PackGone { pack: PackId(id), at: ServiceTime(chance.number() >> chance.below(64)) },
        3 => Change::Account(AccountRow {
            id: AccountId(id),
            name: some_text(chance, 100),
            managed: chance.coin(),
            made_us: chance.number() as i64,
        }),
        4 => Change::Provider(ProviderRow {
            id: ProviderId(id),
            name: some_text(chance, 100),
            labels: (0..chance.below(4)).map(|_| (some_text(chance, 50), some_text(chance, 50))).collect(),
        }),
        5 => Change::SignIn(SignInRow {
            account: AccountId(id),
            role: [Role::User, Role::Operator][chance.below(2)],
            password: chance.coin().then(|| format!("$argon2id${}", "x".repeat(chance.below(100)))),
            suspended_us: chance.coin().then(|| chance.number() as i64),
            changed_us: chance.number() as i64,
            second: chance.coin().then(|| SecondFactor {
                secret: chance.bytes::<32>()[..20].try_into().unwrap(),
                since_us: chance.number() as i64,
                codes: (0..chance.below(11)).map(|_| chance.bytes()).collect(),
            }),
            leaving: chance.coin().then(|| Leaving {
                at: ServiceTime(chance.number() >> chance.below(64)),
                wall_us: chance.number() as i64,
            }),
        }),
        8 => Change::Report(ReportRow {
            id: ReportId(id),
            account: AccountId(chance.bytes()),
            share: ShareId(chance.bytes()),
            reason: [Reason::Illegal, Reason::Copyright, Reason::Malware, Reason::Other][chance.below(4)],
            words: some_text(chance, 500),
            contact: chance.coin().then(|| some_text(chance, 100)),
            made_us: chance.number() as i64,
            settled_us: chance.coin().then(|| chance.number() as i64),
        }),
        9 => Change::About(AboutRow {
            name: chance.coin().then(|| some_text(chance, 50)),
            sign_up: [SignUp::Invitation, SignUp::Open, SignUp::Closed][chance.below(3)],
            new_space_bytes: chance.coin().then(|| chance.number() >> chance.below(64)),
            colour: chance.coin().then(|| [chance.below(256) as u8; 3]),
            logo: chance
                .coin()
                .then(|| Logo { media_type: "image/webp".to_owned(), bytes: vec![7; 1 + chance.below(99)] }),
            contact: chance.coin().then(|| some_text(chance, 100)),
            imprint: chance.coin().then(|| some_text(chance, 400)),
            terms: chance.coin().then(|| some_text(chance, 400)),
            new_plan: chance.coin().then(|| some_text(chance, 50)),
            quick: chance.coin().then(|| Quick {
                file_bytes: chance.number() >> chance.below(64),
                days_max: chance.number() as u32,
                space_bytes: chance.number() >> chance.below(64),
                bytes_per_day: chance.number() >> chance.below(64),
            }),
            quick_account: chance.coin().then(|| AccountId(chance.bytes())),
        }),
        10 => Change::Mail(MailRow {
            account: AccountId(id),
            confirmed: chance
                .coin()
                .then(|| Confirmed { address: "x@".repeat(1 + chance.below(99)), since_us: chance.number() as i64 }),
            wanted: chance.coin().then(|| WantedMail {
                address: "y@".repeat(1 + chance.below(99)),
                hash: chance.bytes(),
                expires_us: chance.number() as i64,
            }),
            language: [Language::English, Language::German][chance.below(2)],
        }),
        13 => Change::Passkey(PasskeyRow {
            id: PasskeyId(id),
            account: AccountId(chance.bytes()),
            label: some_text(chance, 50),
            host: some_text(chance, 50),
            credential: vec![9; 1 + chance.below(PasskeyRow::CREDENTIAL_BYTES_MAX)],
            key: vec![8; 1 + chance.below(PasskeyRow::KEY_BYTES_MAX)],
            counter: chance.number() as u32,
            made_us: chance.number() as i64,
            ended_us: chance.coin().then(|| chance.number() as i64),
        }),
        14 => Change::Identity(IdentityRow {
            account: AccountId(id),
            issuer: some_text(chance, 100),
            subject: some_text(chance, 50),
            name: some_text(chance, 50),
            made_us: chance.number() as i64,
            ended_us: chance.coin().then(|| chance.number() as i64),
        }),
        7 => Change::Limits(LimitsRow {
            account: AccountId(id),
            space_bytes: chance.coin().then(|| chance.number() >> chance.below(64)),
            plan: chance.coin().then(|| some_text(chance, 50)),
        }),
        11 => Change::Plan(PlanRow {
            name: some_text(chance, 50),
            space_bytes: chance.coin().then(|| chance.number() >> chance.below(64)),
            file_bytes: chance.coin().then(|| chance.number() >> chance.below(64)),
            keep_days: chance.coin().then(|| chance.number() as u32),
            link_bytes_per_day: chance.coin().then(|| chance.number() >> chance.below(64)),
            guest_bytes_per_s: chance.coin().then(|| chance.number() >> chance.below(64)),
            ended_us: chance.coin().then(|| chance.number() as i64),
        }),
        16 => Change::TargetOrders(TargetOrders {
            target: TargetId(id),
            cordoned: chance.coin(),
            evacuation: chance.coin().then(|| Evacuation {
                id: OrderId(chance.bytes()),
                ordered_us: chance.number() as i64,
                by_us: chance.number() as i64,
                paused: chance.coin(),
                evacuated: chance.coin().then(|| Evacuated {
                    at_us: chance.number() as i64,
                    packs_read: chance.number() >> (1 + chance.below(63)),
                    packs_listed: chance.number() >> (1 + chance.below(63)),
                    objects_read: chance.number() >> (1 + chance.below(63)),
                    objects_listed: chance.number() >> (1 + chance.below(63)),
                }),
            }),
            retirement: chance
                .coin()
                .then(|| Retirement { ordered_us: chance.number() as i64, keeps_shards: chance.coin() }),
        }),
        12 => Change::AccountGone { account: AccountId(id), at: ServiceTime(chance.number() >> chance.below(64)) },
        17 => Change::Lease(some_lease(chance, id)),
        18 => Change::Notice(some_notice(chance, id)),
        19 => Change::Constraint(ConstraintRow {
            label: some_text(chance, 50),
            holds: chance.coin(),
            changed_us: chance.number() as i64,
        }),
        15 => Change::Ledger(some_entry(1 + chance.number() / 2, chance)),
        6 => Change::Token(TokenRow {
            id: TokenId(id),
            hash: chance.bytes(),
            account: AccountId(chance.bytes()),
            opens: [
                TokenUse::Access(TokenScope::All),
                TokenUse::Invitation(Role::User),
                TokenUse::Reset,
                TokenUse::Access(TokenScope::Read),
                TokenUse::Access(TokenScope::Files),
            ][chance.below(5)],
            label: some_text(chance, 100),
            made_us: chance.number() as i64,
            expires_us: chance.coin().then(|| chance.number() as i64),
            ended_us: chance.coin().then(|| chance.number() as i64),
        }),
        _ => Change::Target(TargetRow {
            id: TargetId(id),
            provider: ProviderId(chance.bytes()),
            address: some_text(chance, 200),
            driver: "dir".to_owned(),
            generation: chance.number() >> chance.below(64),
            state: [TargetState::Up, TargetState::Down, TargetState::Lost, TargetState::Retired][chance.below(4)],
        }),
    }
}

fn some_lease(chance: &Seeded, id: [u8; 16]) -> LeaseRow {
    let some_server = |_| Server {
        name: some_text(chance, 50),
        site: some_text(chance, 50),
        targets: (0..chance.below(3)).map(|_| TargetId(chance.bytes())).collect(),
    };
    LeaseRow {
        id: LeaseId(id),
        provider: ProviderId(chance.bytes()),
        contract: some_text(chance, 50),
        servers: (0..chance.below(4)).map(some_server).collect(),
        price: some_text(chance, 50),
        month_micros: chance.coin().then(|| chance.number() >> chance.below(64)),
        currency: "EUR".to_owned(),
        notice_address: some_text(chance, 50),
        notice_days: chance.number() as u32,
        ends_us: chance.coin().then(|| chance.number() as i64),
        paid_until_us: chance.coin().then(|| chance.number() as i64),
        state: [LeaseState::Active, LeaseState::Ending, LeaseState::Ended][chance.below(3)],
        desk: chance.coin().then(|| Desk {
            hash: chance.bytes(),
            account: AccountId(chance.bytes()),
            made_us: chance.number() as i64,
        }),
    }
}

fn some_notice(chance: &Seeded, id: [u8; 16]) -> NoticeRow {
    let states = [
        NoticeState::Received,
        NoticeState::Acknowledged,
        NoticeState::Planned,
        NoticeState::Done,
        NoticeState::Superseded,
        NoticeState::InForce,
        NoticeState::Released,
    ];
    NoticeRow {
        id: NoticeId(id),
        provider: chance.coin().then(|| ProviderId(chance.bytes())),
        lease: chance.coin().then(|| LeaseId(chance.bytes())),
        from: [Served::AtDesk, Served::ByLetter, Served::ToFirm, Served::Raised][chance.below(4)],
        cause: some_text(chance, 50),
        addressee: some_text(chance, 50),
        servers: (0..chance.below(4)).map(|n| format!("server {n}")).collect(),
        targets: (0..chance.below(4)).map(|_| TargetId(chance.bytes())).collect(),
        deadline_us: chance.coin().then(|| chance.number() as i64),
        text: some_text(chance, 500),
        content: chance.bytes(),
        document: chance.coin().then(|| Document {
            name: some_text(chance, 50),
            sha256: chance.bytes(),
            bytes: chance.number() >> chance.below(64),
            kept: chance.coin().then(|| (AccountId(chance.bytes()), EntryId(chance.bytes()))),
        }),
        state: states[chance.below(7)],
        made_us: chance.number() as i64,
        acknowledged: chance.coin().then(|| (AccountId(chance.bytes()), chance.number() as i64)),
        changed_us: chance.number() as i64,
        supersedes: chance.coin().then(|| NoticeId(chance.bytes())),
    }
}

/// An entry of the ledger with this number.
pub fn some_entry(n: u64, chance: &Seeded) -> LedgerEntry {
    let entry = format::ledger::Entry {
        n,
        at_us: (chance.number() >> 12) as i64,
        prev: chance.bytes(),
        what: "what.happened".to_owned(),
        fields: (0..chance.below(4)).map(|field| (format!("field-{field}"), some_text(chance, 80))).collect(),
    };
    entry.to_row().unwrap()
}

fn some_account_change(chance: &Seeded) -> Change {
    let id = chance.bytes();
    match chance.below(8) {
        0 => Change::Kit(KitRow {
            id: KitId(id),
            recipient: some_text(chance, 100),
            made_us: chance.number() as i64,
            revoked_us: chance.coin().then(|| chance.number() as i64),
            tested_us: chance.coin().then(|| chance.number() as i64),
        }),
        1 => Change::Entry(EntryRow {
            id: EntryId(id),
            parent: EntryId(chance.bytes()),
            name: some_text(chance, 200),
            kind: [Kind::Folder, Kind::File][chance.below(2)],
            modified_us: chance.number() as i64,
            trashed: chance
                .coin()
                .then(|| Trashed { at: ServiceTime(chance.number()), wall_us: chance.number() as i64 }),
            current: chance.coin().then(|| VersionId(chance.bytes())),
        }),
        2 => Change::EntryGone(EntryId(id)),
        3 => Change::Version(some_version(chance, id)),
        4 => Change::Share(ShareRow {
            id: ShareId(id),
            entry: EntryId(chance.bytes()),
            code: chance.bytes(),
            password: chance.coin().then(|| format!("$argon2id${}", "x".repeat(chance.below(100)))),
            expires_us: chance.coin().then(|| chance.number() as i64),
            downloads_max: chance.coin().then(|| chance.number() >> 1),
            downloads: chance.number() >> 1,
            made_us: chance.number() as i64,
            ended_us: chance.coin().then(|| chance.number() as i64),
            receives: chance.coin(),
            words: some_text(chance, 400),
            off_us: chance.coin().then(|| chance.number() as i64),
        }),
        5 => Change::Grant(GrantRow {
            id: GrantId(id),
            entry: EntryId(chance.bytes()),
            to: AccountId(chance.bytes()),
            writes: chance.coin(),
            made_us: chance.number() as i64,
            ended_us: chance.coin().then(|| chance.number() as i64),
        }),
        6 => Change::Webhook(WebhookRow {
            id: WebhookId(id),
            address: format!("https://{}", some_text(chance, 100)),
            secret: chance.bytes(),
            events: EventKind::ALL[..chance.below(7)].to_vec(),
            label: some_text(chance, 100),
            made_us: chance.number() as i64,
            ended_us: chance.coin().then(|| chance.number() as i64),
            off: chance.coin().then(|| SwitchedOff { at_us: chance.number() as i64, why: some_text(chance, 200) }),
        }),
        _ => Change::VersionGone(VersionId(id)),
    }
}

fn some_version(chance: &Seeded, id: [u8; 16]) -> Version {
    let some_segment = |_| SegmentRef {
        id: SegmentId(chance.bytes()),
        salt: chance.bytes(),
        plain_bytes: chance.below((256 << 20) + 1) as u64,
    };
    let content = if chance.coin() {
        let segment = SegmentRef { plain_bytes: chance.below(2049) as u64, ..some_segment(0) };
        Content::Inline { segment, sealed: chance.vec(sealed_bytes(segment.plain_bytes) as usize) }
    } else {
        Content::Segments((0..chance.below(6)).map(some_segment).collect())
    };
    let mut version = Version { id: VersionId(id), content, ..large_version() };
    version.size = version.segments().iter().map(|segment| segment.plain_bytes).sum();
    version.crc32 = chance.number() as u32;
    version.key = chance.bytes();
    version.sha256 = chance.coin().then(|| chance.bytes());
    version.replaced = chance.coin().then(|| ServiceTime(chance.number()));
    version
}
