//! The rules of hosting, with no protocol in them: who may call, what a name may be, what an upload, a move or a
//! deletion means.
//!
//! [`Service`] is one value over one [`store::Store`]; each noun has a file that adds its verbs to it. Every change is
//! decided inside the transaction of [`store::Store::commit`], where nothing can slip in between; what can be known
//! before a body is read is asked before it, so that a hopeless upload is refused at its first byte.
//!
//! A protocol (`gateway`) needs this crate and `model` only: what it has to name of the layers below is re-exported here.

mod about;
mod archive;
mod arriving;
mod desk;
mod documents;
mod downloads;
mod elsewhere;
mod error;
mod files;
mod grants;
mod guests;
mod hooks;
mod hours;
mod jobs;
mod joined;
mod kits;
mod leases;
mod leaving;
mod ledger;
mod limits;
mod mail;
mod networks;
mod notices;
mod operator;
mod orders;
mod passkeys;
mod passwords;
mod people;
mod places;
mod plans;
mod quick;
mod reports;
mod scopes;
mod search;
mod second;
mod shares;
mod sign_in;
mod stage;
mod takeout;
mod tokens;
mod trash;
mod tree;
mod uploads;
mod waiting;
mod walk;
mod watch;
mod ways;
mod webauthn;

pub mod base64;
pub mod media;
pub mod paths;

pub use about::{Said, logo_tag};
pub use archive::{Archive, Archived};
pub use catalogue::{
    access::Session,
    entries::{Cursor, Order, Sorting},
};
pub use desk::{DeskSign, Filed};
pub use downloads::Download;
pub use elsewhere::{AWAY_S, Aim, Departure, Errand, Issuer, Messenger, NotIn, Reply, Returned};
pub use error::{Error, Result};
pub use files::{Deletion, File, Listed, Listing, Made, Matches, Put, Transfer};
pub use grants::{Given, Received};
pub use hooks::{Courier, Delivered, HookWish, Hooked, Parcel};
pub use kits::NewKit;
pub use leases::{Lease, LeaseWish};
pub use ledger::{Checkpointed, LEDGER_PAGE, Noted};
pub use limits::InForce;
pub use mail::{Carrier, Letter, OwnMail, Posted, Round, Uncarried, language_of};
pub use model::stage::Staged;
pub use networks::{Knock, Network};
pub use notices::{Act, DOCUMENT_BYTES_MAX, Entered, NOTICE_BYTES_MAX, Notice};
pub use orders::{FleetOrder, Which};
pub use passkeys::{Assertion, CHALLENGE_S, NewPasskey, Passkey, PasskeyFault, Question};
pub use people::{Invited, Person};
pub use places::Place;
pub use quick::{QuickBegun, QuickFile};
pub use reports::{Report, Ruling};
pub use scopes::Need;
pub use search::{Hit, Hits, Look, Sought, Wanted};
pub use second::NewSecond;
pub use shares::{Link, Shared, Wish};
pub use sign_in::{Me, SessionText};
pub use stage::{StageLine, StageShown};
pub use store::{
    Constraints, Counts, DrillReport, Effect, Error as StoreError, EvacuationReport, Expect, FirmEffect, FleetReport,
    Forecast, Gauges, HourRow, JobReport, JobStanding, Ladder, ProviderReport, Reading, RepairCost, ScrubReport, Side,
    Spending, Standing, Tally, TargetReport, WhatIfReport, Without, ledger::EXPORT_HEAD,
};
pub use takeout::{Cut, Part, Parts, TAKEOUT_PART_BYTES};
pub use tokens::{Caller, Token};
pub use trash::{TrashCursor, Trashed};
pub use uploads::{Begin, Progress};
pub use webauthn::ALGORITHMS as PASSKEY_ALGORITHMS;

use std::sync::{Arc, Mutex};

use store::Store;

/// The service: a cheap handle, one for each door.
#[derive(Clone)]
pub struct Service {
    store: Store,
    known: tokens::Known,
    passwords: passwords::Passwords,
    /// Opens the service to its first owner; gone when the process ends.
    claim: Arc<Mutex<Option<[u8; 32]>>>,
    downloads: downloads::Downloads,
    joining: joined::Joining,
    archives: archive::Places,
    /// Uploads that have not said how long they will be.
    arriving: arriving::Arriving,
    newcomers: about::Newcomers,
    networks: networks::Networks,
    /// Mail, where the operator has set it up.
    post: Option<mail::Post>,
    /// Who tells webhooks, if anybody does.
    hooks: Option<hooks::Hooks>,
    guests: guests::Guests,
    reached: files::Reached,
    ceremonies: passkeys::Ceremonies,
    fresh: ways::Fresh,
    /// Rung when a notice came.
    notice_bell: Arc<tokio::sync::Notify>,
    /// Who else vouches for people, if anybody does.
    elsewhere: Option<elsewhere::Elsewhere>,
}

impl Service {
    /// The rules over `store`.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            known: tokens::Known::default(),
            passwords: passwords::Passwords::default(),
            claim: Arc::default(),
            downloads: downloads::Downloads::default(),
            joining: joined::Joining::default(),
            archives: archive::Places::default(),
            arriving: arriving::Arriving::default(),
            newcomers: about::Newcomers::default(),
            networks: networks::Networks::default(),
            post: None,
            hooks: None,
            guests: guests::Guests::default(),
            reached: files::Reached::default(),
            ceremonies: passkeys::Ceremonies::default(),
            fresh: ways::Fresh::default(),
            notice_bell: Arc::default(),
            elsewhere: None,
        }
    }
}

/// An amount of money in millionths, as people read it.
pub fn money(micros: u64) -> String {
    store::Money(micros).to_string()
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Service")
    }
}
