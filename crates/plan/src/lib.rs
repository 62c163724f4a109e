//! All decisions, as pure functions from plain values to plain values.
//!
//! The store looks at the world, hands over *views* ([`view`]: targets, packs, copied objects), gets back a value that
//! says what to do, and does it. The same functions run in the simulator, in a dry run and in a test with three-element
//! arrays.
//!
//! Firms that may vanish together are one ([`mod@domains`]). Everything stands on one count. D(S) is the number of *distinct* lanes of a pack with a good make outside the
//! providers S ([`margin`]). A pack is *safe* when D({P}) ≥ k for every provider P, *settled* when D({P}) ≥ k + 1. From
//! it follow which scheme fits how many providers ([`scheme`]), where lanes go ([`mod@place`], within placement
//! [`sets`]), what is made again, where and in which order ([`mod@repair`], [`add`]), what moves to a firm that joined
//! ([`mod@fill`]) and away from one that is left ([`evacuate`]), what would be lost with a provider ([`whatif`], and for several
//! losses at one look [`outlook`] and [`margins`]) and what repair would take then ([`effort`]), where a second target helps
//! ([`lone`]), what is read back next ([`mod@scrub`]), and what may
//! be destroyed ([`mod@reclaim`]) on a clock that can be trusted with it ([`clockwatch`]). What it all costs is in
//! [`mod@cost`], and what of it upkeep may use up in [`budget`]; where bytes are fetched from, who is too slow to be asked first, and how much may be read twice for the
//! sake of speed, in [`mod@prefer`], [`pace`] and [`hedge`]; and when a target is looked at, in [`look`].
//!
//! A copied object (journal object, snapshot, envelope) is a pack with k = 1 whose every copy is a distinct lane, so
//! that no rule is written twice.
//!
//! Invariants: no I/O, no clock, no chance of its own (it comes in as `&dyn Entropy`), ordered collections only. The
//! same arguments give the same answer, on every machine.
//!
//! ```
//! use plan::{Aim, parity_for};
//!
//! // A pack of four data lanes needs more parity on fewer providers; its data lanes stay as they are.
//! assert_eq!(parity_for(4, 6, Aim::Settled).ok(), Some(2));
//! assert_eq!(parity_for(4, 3, Aim::Settled).ok(), Some(4));
//! assert_eq!(parity_for(4, 2, Aim::Settled).ok(), Some(6));
//! assert!(parity_for(4, 1, Aim::Settled).is_err());
//! ```

pub mod add;
pub mod budget;
mod chance;
pub mod clockwatch;
pub mod cost;
pub mod domains;
pub mod drills;
pub mod effort;
mod error;
pub mod evacuate;
pub mod fill;
pub mod forecast;
pub mod hedge;
pub mod lone;
pub mod look;
pub mod margin;
pub mod margins;
pub mod month;
pub mod notices;
pub mod outlook;
pub mod pace;
pub mod place;
pub mod prefer;
pub mod reclaim;
pub mod release;
pub mod repack;
pub mod repair;
pub mod scheme;
pub mod scrub;
pub mod sets;
pub mod shared;
pub mod view;
pub mod whatif;
mod yard;

pub use add::{NewLane, place_added, place_more_copies};
pub use budget::{Budget, UsedUp};
pub use clockwatch::ClockWatch;
pub use cost::{Cost, Money, Price, Usage, cost};
pub use domains::{OWNER, domains, groups, may_group};
pub use effort::Effort;
pub use error::{Error, Shortage};
pub use evacuate::{Ahead, Forecast, Proof, Unproven};
pub use fill::{FillPolicy, Move, Stored, fill};
pub use hedge::{EarlyLook, HedgeBudget};
pub use lone::lone_targets;
pub use margin::{Ladder, Spread, object_state, pack_state};
pub use margins::Margins;
pub use month::Month;
pub use notices::{Due, JobSeen, Kits, Seen, due, is_told_again, still_stands};
pub use outlook::{Counts, Outlook};
pub use place::{CopyPlace, Placement, Wish, place, place_copies, spares};
pub use prefer::{Source, prefer};
pub use reclaim::{Doomed, Reclaim, reclaim};
pub use release::{Covered, JournalView, release};
pub use repack::{RepackPolicy, RepackView, repack};
pub use repair::{Repair, RepairPolicy, RepairStep, repair};
pub use scheme::{Aim, copies_for, default_scheme, offered, parity_for, scheme_now};
pub use scrub::{Scrub, ScrubPolicy, ScrubStep, scrub};
pub use sets::{PlacementSet, Sets};
pub use shared::shared_labels;
pub use view::{CopyView, LaneView, ObjectView, PackView, TargetView, Topology};
pub use whatif::{Census, Tally, what_if};
