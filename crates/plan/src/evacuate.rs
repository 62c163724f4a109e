//! Leaving a firm by a date: what is ahead, whether it is done in time, what would help, and what proves that it is done.
//!
//! What moves is decided by [`mod@crate::repair`], asked about the world in which the leaving targets can be read and count
//! no more ([`Topology::staying`]): least margin first, and a pack that stands without them needs nothing. Lanes keep their
//! numbers where they can, so that a lane which the leaving firm still serves is *copied*: one read instead of the k that
//! making it from others takes.
//!
//! *The forecast is honest.* It is the rate that was seen, carried on, against the date; and no shorter than the budget of a firm
//! allows. When the date cannot be met it says by how much, and what could help: more bandwidth, or a larger budget, and whose;
//! making a part of the lanes from the other firms at the same time, where it is the leaving firm that is slow; or to be content
//! with *safe* until the date.
//!
//! *The proof is for each pack.* It is proven settled without the leaving targets by makes that were read back since the order,
//! or by those that were read lately and seen in a listing since the order. Anything less is no proof, and the pack says so.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    id::{ProviderId, TargetId},
    pack::MakeState,
    world::Entropy,
};

use crate::{
    add::{absent_lanes, fewest, place_added, place_more_copies},
    budget::Narrow,
    error::Error,
    margin::{LANES_COUNTED_MAX, Spread},
    scheme::Aim,
    view::{CopyView, LaneView, ObjectView, PackView, Topology},
};

/// A proof younger than so many seconds, with a listing since the order, need not be made anew: the month in which everything
/// is read once anyway.
pub const LATELY_S: u64 = 30 * 24 * 3_600;

/// A rate below so many percent of the bandwidth that is allowed is the firm's, not the limit's.
const BOUND_PERCENT: u64 = 80;

/// Whether an order to leave may be given: `topology` has the targets in question as leaving already.
///
/// # Errors
/// [`Error::LastProviders`] when fewer than two providers would be left.
pub fn may_leave(topology: &Topology) -> Result<(), Error> {
    let stays = topology.targets().filter(|target| target.is_ours() && !target.leaving && !target.cordoned);
    let left = stays.map(|target| target.provider).collect::<BTreeSet<_>>().len();
    if left < 2 { Err(Error::LastProviders { left }) } else { Ok(()) }
}

/// What is ahead of an evacuation. Sums over pages of packs and objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Ahead {
    /// Packs that do not stand without the leaving targets yet.
    pub packs: u64,
    /// Copied objects likewise.
    pub objects: u64,
    /// Of both, those for which there is no place now.
    pub stuck: u64,
    /// Bytes that are read, written and read back.
    pub bytes: u64,
    /// Of the bytes read, those that the leaving targets serve.
    pub copied_bytes: u64,
}

impl Ahead {
    /// Adds what another page came to.
    pub fn add(&mut self, other: &Self) {
        self.packs += other.packs;
        self.objects += other.objects;
        self.stuck += other.stuck;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.copied_bytes = self.copied_bytes.saturating_add(other.copied_bytes);
    }
}

/// Counts what is ahead of these packs and objects until they reach `aim` without the leaving targets, objects at `copies`
/// providers or as many as there are.
pub fn ahead(
    packs: &[PackView],
    objects: &[ObjectView],
    topology: &Topology,
    (aim, copies): (Aim, usize),
    entropy: &dyn Entropy,
) -> Ahead {
    let staying = topology.staying();
    let mut ahead = Ahead::default();
    let mut rooms = BTreeMap::new();
    for pack in packs {
        let spread = Spread::of_pack(pack, &staying);
        if spread.reaches(aim) {
            continue;
        }
        ahead.packs += 1;
        let room = rooms.entry(pack.lane_bytes).or_insert_with(|| room(&staying, pack.lane_bytes));
        match lanes_ahead(pack, &spread, room, aim, &staying, entropy) {
            Ok(lanes) => {
                let moved = moved_bytes(pack, topology, &lanes);
                ahead.bytes = ahead.bytes.saturating_add(moved.0);
                ahead.copied_bytes = ahead.copied_bytes.saturating_add(moved.1);
            }
            Err(_) => ahead.stuck += 1,
        }
    }
    for object in objects.iter().filter(|object| !object_stands(object, copies, &staying)) {
        ahead.objects += 1;
        match place_more_copies(object, copies, aim, &staying, entropy) {
            // A target keeps one copy. One read; each copy is written and read back.
            Ok(write) if write.iter().any(|place| place.copy == 0) => {
                let copies = write.iter().filter(|place| place.copy == 0).count() as u64;
                ahead.bytes = ahead.bytes.saturating_add(object.bytes.saturating_mul(1 + 2 * copies));
            }
            _ => ahead.stuck += 1,
        }
    }
    ahead
}

/// How many lanes of so many bytes fit at each provider.
fn room(staying: &Topology, bytes: u64) -> Vec<(ProviderId, usize)> {
    let mut room: BTreeMap<ProviderId, usize> = BTreeMap::new();
    for target in staying.targets().filter(|target| target.takes(bytes)) {
        let fits = target.free_bytes.filter(|_| bytes > 0).map_or(LANES_COUNTED_MAX as u64, |free| free / bytes);
        *room.entry(target.provider).or_default() += fits.min(LANES_COUNTED_MAX as u64) as usize;
    }
    room.into_iter().collect()
}

/// The lanes that are written for a pack. Where new numbers do, they are counted, which is much quicker than placing them.
fn lanes_ahead(
    pack: &PackView,
    spread: &Spread,
    room: &[(ProviderId, usize)],
    aim: Aim,
    staying: &Topology,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let mut lanes = absent_lanes(pack, spread);
    match fewest(spread, room.iter().copied(), aim).and_then(|count| usize::try_from(count).ok()) {
        Some(count) if count <= lanes.len() => lanes.truncate(count),
        _ => lanes = place_added(pack, aim, staying, entropy)?.into_iter().map(|new| new.lane).collect(),
    }
    Ok(lanes)
}

/// Whether a copied object needs nothing more: settled, and at as many providers as are wanted and can be had.
pub fn object_stands(object: &ObjectView, copies: usize, staying: &Topology) -> bool {
    let spread = Spread::of_object(object, staying);
    let mut possible = staying.open_providers(object.bytes);
    possible.extend(spread.held().map(|(provider, _)| provider));
    spread.is_settled() && spread.held().count() >= copies.min(possible.len())
}

/// Bytes that writing these lanes of a pack reads, writes and reads back; and of those read, how many the leaving targets serve.
fn moved_bytes(pack: &PackView, topology: &Topology, lanes: &[u8]) -> (u64, u64) {
    let at_hand = |new: &&u8| {
        let good = |lane: &&LaneView| lane.lane == **new && lane.state == MakeState::Good;
        pack.lanes.iter().filter(good).any(|lane| topology.counts_at(lane.target).is_some())
    };
    let copied = lanes.iter().filter(at_hand).count() as u64;
    let count = lanes.len() as u64;
    let read = copied + if copied < count { u64::from(pack.k) } else { 0 };
    (pack.lane_bytes.saturating_mul(read + 2 * count), pack.lane_bytes.saturating_mul(copied))
}

/// What a forecast is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What was seen to be moved, in bytes a second; `None` while nothing was.
    pub bytes_per_s: Option<u64>,
    /// The bandwidth that upkeep is allowed, if it is limited.
    pub allowed: Option<u64>,
    /// Seconds until the date; negative behind it.
    pub left_s: i64,
    /// Providers that stay.
    pub staying: usize,
    /// Data lanes of a pack written now: what making a lane from others reads.
    pub k: u8,
    /// The narrowest budget at the firms that are left, which serve what is copied; taken to do so evenly.
    pub leaving: Option<Narrow>,
    /// And at those that stay, which serve and take the rest.
    pub staying_at: Option<Narrow>,
}

impl Pace {
    /// Seconds that the budget takes which is the narrowest place; whose it is, and whether that firm stays.
    fn narrowest(&self, ahead: &Ahead) -> Option<(u64, ProviderId, bool)> {
        let there = self.leaving.map(|narrow| (narrow.seconds(ahead.copied_bytes), narrow.provider, false));
        let rest = ahead.bytes.saturating_sub(ahead.copied_bytes);
        let here = self.staying_at.map(|narrow| (narrow.seconds(rest), narrow.provider, true));
        there.into_iter().chain(here).max()
    }
}

/// Whether the date is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forecast {
    /// Nothing was moved yet, or something has no place on the firms that stay, so nothing can be said.
    Unknown,
    /// So many seconds are left of the work, and that is in time.
    InTime {
        /// Seconds of work; 0 when nothing is ahead.
        seconds: u64,
    },
    /// The date is missed.
    Late {
        /// Seconds of work.
        seconds: u64,
        /// How much later than the date that is, in seconds.
        late_s: u64,
        /// What could help.
        help: Help,
    },
}

/// What could help to meet a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Help {
    /// The bandwidth that would do, in percent of what was seen; `None` when no bandwidth would: the date is over.
    pub bandwidth_percent: Option<u64>,
    /// Whose budget of bytes a second is the narrow place: it is that which would have to be so much larger.
    pub budget_of: Option<ProviderId>,
    /// Seconds of work if lanes were also made from the other firms meanwhile, each taken to be as fast; `None` where it is the
    /// limit, or the budget of one that stays, that is in the way, which that would only press harder.
    pub rebuilding_s: Option<u64>,
    /// Seconds until everything is safe without the leaving firm, which is less than settled.
    pub safe_s: u64,
}

/// Carries the pace on against the date. `safe_bytes` is what is ahead until everything is only safe.
pub fn forecast(ahead: &Ahead, safe_bytes: u64, pace: &Pace) -> Forecast {
    if ahead.packs + ahead.objects == 0 {
        return Forecast::InTime { seconds: 0 };
    }
    // Until something was seen, what is allowed is what is hoped for.
    let rate = pace.bytes_per_s.or(pace.allowed).filter(|rate| *rate > 0);
    let narrow = pace.narrowest(ahead);
    let seen = rate.map(|rate| ahead.bytes.div_ceil(rate));
    let Some(seconds) = seen.into_iter().chain(narrow.map(|(seconds, ..)| seconds)).max().map(|some| some.max(1))
    else {
        return Forecast::Unknown;
    };
    let left_s = u64::try_from(pace.left_s).unwrap_or(0);
    if seconds <= left_s {
        // What has no place takes as long as it takes somebody to find one.
        return if ahead.stuck > 0 { Forecast::Unknown } else { Forecast::InTime { seconds } };
    }
    let scaled = |value: u64, by: u64, of: u64| {
        u64::try_from((u128::from(value) * u128::from(by)).div_ceil(u128::from(of.max(1)))).unwrap_or(u64::MAX)
    };
    // What was seen is the pace of the budget, where that is the narrow place.
    let narrow = narrow.filter(|(own, ..)| scaled(*own, 100, seconds) >= BOUND_PERCENT);
    let limit_binds = pace.allowed.zip(rate).is_some_and(|(allowed, rate)| rate >= allowed / 100 * BOUND_PERCENT);
    let is_pressed = limit_binds || narrow.is_some_and(|(.., stays)| stays);
    let (k, staying) = (u64::from(pace.k.max(1)), pace.staying as u64);
    let help = Help {
        bandwidth_percent: (left_s > 0).then(|| scaled(seconds, 100, left_s)),
        budget_of: narrow.map(|(_, provider, _)| provider),
        rebuilding_s: (!is_pressed && ahead.copied_bytes > 0).then(|| scaled(seconds, k, k + staying)),
        safe_s: scaled(seconds, safe_bytes, ahead.bytes),
    };
    let late_s = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_sub(pace.left_s);
    Forecast::Late { seconds, late_s: late_s.unsigned_abs(), help }
}

impl Forecast {
    /// Whether to hurry: not to give way to clients, and to do more at once.
    pub fn is_late(&self) -> bool {
        matches!(self, Self::Late { .. })
    }

    /// Whether the `number`th pack is made from the other firms, though the leaving one could serve a copy: as many as those
    /// firms can make in the time in which it serves the rest.
    pub fn from_others(&self, number: usize, pace: &Pace) -> bool {
        let rebuilding = matches!(self, Self::Late { help: Help { rebuilding_s: Some(_), .. }, .. });
        rebuilding && number % (usize::from(pace.k) + pace.staying).max(1) < pace.staying
    }
}

/// What is known of a make or copy as a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Nothing since the order.
    None,
    /// Read within [`LATELY_S`], and seen in a listing since the order.
    Listing,
    /// Read back, every byte, since the order.
    Read,
}

/// How something is proven to stand without the leaving targets: by the weakest evidence that was needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// By makes that were read lately and listed since the order.
    Listing,
    /// By makes that were all read back since the order.
    Read,
}

impl Proof {
    /// The word for it in a certificate.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Read => "read",
        }
    }
}

/// Why something is not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// It does not stand without the leaving targets.
    Unsettled,
    /// It would, but of this many makes there is no evidence.
    Unread {
        /// Makes without evidence.
        makes: usize,
    },
}

/// How a pack is proven settled without the leaving targets.
///
/// # Errors
/// Why it is not.
pub fn prove_pack(
    pack: &PackView,
    staying: &Topology,
    evidence: impl Fn(&LaneView) -> Evidence,
) -> Result<Proof, Unproven> {
    let counts = |lane: &&LaneView| lane.state == MakeState::Good && staying.counts_at(lane.target).is_some();
    prove(
        pack.lanes.iter().filter(counts).map(|lane| (lane.lane, lane.target, evidence(lane))),
        |lanes| Spread::new(pack.k, lanes).is_settled(),
        staying,
    )
}

/// The same of a copied object.
///
/// # Errors
/// Why it is not.
pub fn prove_object(
    object: &ObjectView,
    staying: &Topology,
    evidence: impl Fn(&CopyView) -> Evidence,
) -> Result<Proof, Unproven> {
    let counts = |copy: &&CopyView| copy.state == MakeState::Good && staying.counts_at(copy.target).is_some();
    let copies = (0u8..).zip(object.copies.iter().filter(counts));
    prove(
        copies.map(|(number, copy)| (number, copy.target, evidence(copy))),
        |lanes| Spread::new(1, lanes).is_settled(),
        staying,
    )
}

fn prove(
    makes: impl Iterator<Item = (u8, TargetId, Evidence)>,
    settles: impl Fn(Vec<(u8, ProviderId)>) -> bool,
    staying: &Topology,
) -> Result<Proof, Unproven> {
    let makes: Vec<_> =
        makes.filter_map(|(lane, target, known)| Some(((lane, staying.counts_at(target)?), known))).collect();
    let by = |least: Evidence| {
        settles(makes.iter().filter(|(_, known)| *known >= least).map(|(lane, _)| *lane).collect::<Vec<_>>())
    };
    if by(Evidence::Read) {
        Ok(Proof::Read)
    } else if by(Evidence::Listing) {
        Ok(Proof::Listing)
    } else if by(Evidence::None) {
        Err(Unproven::Unread { makes: makes.iter().filter(|(_, known)| *known == Evidence::None).count() })
    } else {
        Err(Unproven::Unsettled)
    }
}
