//! What can go wrong in the store, and what still works then.

use model::{
    Class,
    id::{PackId, SegmentId, UploadId},
};

/// Why the store did not do what was asked. Nothing acknowledged earlier is harmed by any of these.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too few providers answer to keep the promise for new bytes; reads go on.
    #[error(
        "nothing was changed: what is acknowledged must survive the loss of any one provider, and too few take new bytes \
         now ({providers_up} answer; {detail}); reading goes on, try again when another provider is back or has space"
    )]
    Unsafe {
        /// Providers with a target that is up.
        providers_up: usize,
        /// What was tried.
        detail: String,
    },
    /// The service is stopping or the commit door is closed.
    #[error("the service is stopping; nothing was changed")]
    Stopping,
    /// A batch reached the providers but the catalogue could not take it (its disk is full, or failed). It is finished
    /// as soon as the catalogue can write again.
    #[error(
        "the outcome is not known yet: the catalogue cannot be written ({detail}); reading goes on, look again later"
    )]
    Unfinished {
        /// What the catalogue said.
        detail: String,
    },
    /// The catalogue cannot be written (its disk is full, or failed): nothing was changed.
    #[error(
        "nothing was changed: the catalogue cannot be written ({detail}); reading goes on, free some space on its disk"
    )]
    CatalogueRefuses {
        /// What the catalogue said.
        detail: String,
    },
    /// A pack's intent was closed before its record: the writer stalled too long.
    #[error("pack {pack} was given up while it was written; send the bytes again")]
    IntentClosed {
        /// The pack.
        pack: PackId,
    },
    /// These bytes cannot be read now from any combination of lanes.
    #[error("segment {segment} cannot be read now: {detail}")]
    Unreadable {
        /// The segment.
        segment: SegmentId,
        /// Which lanes or copies were tried.
        detail: String,
    },
    /// A block of a lane does not have the hash that was recorded.
    #[error("block {block} of lane {lane} of pack {pack} is damaged; it is read around and made again")]
    DamagedBlock {
        /// The pack.
        pack: PackId,
        /// Its lane.
        lane: u8,
        /// Which 64 KiB block of the lane.
        block: u64,
    },
    /// The body ended early, went on too long, or broke.
    #[error("the body broke off or has another length than announced: expected {expected:?} bytes, got {got}")]
    BodyLength {
        /// What was announced.
        expected: Option<u64>,
        /// What came.
        got: u64,
    },
    /// The body's SHA-256 is not the one that was announced.
    #[error("the body's SHA-256 does not match the digest that was sent with it; nothing was stored")]
    BodyDigest,
    /// The sender's connection failed.
    #[error("the sender broke off: {source}")]
    Body {
        /// The cause.
        source: std::io::Error,
    },
    /// A pack changed while it was repaired.
    #[error("pack {pack} changed while it was repaired; the repair is planned again")]
    PackChanged {
        /// The pack.
        pack: PackId,
    },
    /// No whole copy of a copied object could be read or written.
    #[error("no copy of {name} could be made; the copies that are left stay as they are")]
    NoCopy {
        /// The object's name.
        name: String,
    },
    /// There is no such kit.
    #[error("this account has no kit {kit}")]
    NoKit {
        /// The kit asked for.
        kit: model::id::KitId,
    },
    /// Another change of kits came first.
    #[error("the account's kits were changed by another request just now; try again")]
    KitsChanged,
    /// The account name is taken.
    #[error("there is an account called {name:?} already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no such account.
    #[error("there is no such account")]
    NoAccount,
    /// The account's key cannot be opened by this service.
    #[error("the key of this account cannot be opened by this service: {detail}")]
    NoKey {
        /// Why.
        detail: String,
    },
    /// There is no such upload, or it expired.
    #[error("upload {upload} does not exist, or it expired")]
    NoUpload {
        /// The upload asked for.
        upload: UploadId,
    },
    /// The offset sent is not where the upload stands.
    #[error("the upload stands at {expected} bytes, the request continues at {got}")]
    UploadOffset {
        /// Safe bytes.
        expected: u64,
        /// What the request said.
        got: u64,
    },
    /// Another request took the upload over.
    #[error("another request has taken this upload over")]
    UploadTaken,
    /// A target carries a newer epoch of this cluster: another catalogue was rebuilt from it.
    #[error(
        "{target} carries epoch {found} of this cluster, this catalogue is epoch {ours}: a newer life of the service exists; \
         this one only reads"
    )]
    NewerEpoch {
        /// The target.
        target: String,
        /// Its epoch.
        found: u64,
        /// Ours.
        ours: u64,
    },
    /// The data folder or targets do not fit what was asked.
    #[error("{what}")]
    Setup {
        /// What does not fit and what to do.
        what: String,
    },
    /// What a person ordered of the fleet was not taken.
    #[error(transparent)]
    Order(#[from] crate::orders::OrderError),
    /// A kind of upkeep was not paused or resumed.
    #[error(transparent)]
    Job(#[from] crate::kinds::JobError),
    /// The catalogue failed.
    #[error(transparent)]
    Catalogue(#[from] catalogue::Error),
    /// A target failed.
    #[error(transparent)]
    Fleet(#[from] fleet::Error),
    /// Bytes are not what they should be.
    #[error(transparent)]
    Format(#[from] format::Error),
    /// No placement keeps the promise.
    #[error(
        "nothing was changed: no placement of new bytes would survive the loss of any one provider ({detail}); reading \
         goes on, try again when another provider is back or has space"
    )]
    Plan {
        /// What `plan` said.
        detail: String,
    },
}

impl Error {
    /// How a reader acts on it.
    pub fn class(&self) -> Class {
        match self {
            Self::Unsafe { .. }
            | Self::Stopping
            | Self::Unfinished { .. }
            | Self::Plan { .. }
            | Self::Body { .. }
            | Self::NoCopy { .. } => Class::Retry,
            Self::IntentClosed { .. }
            | Self::UploadTaken
            | Self::UploadOffset { .. }
            | Self::NewerEpoch { .. }
            | Self::KitsChanged
            | Self::NameTaken { .. }
            | Self::PackChanged { .. } => Class::Conflict,
            Self::Unreadable { .. } | Self::DamagedBlock { .. } => Class::Damaged,
            Self::CatalogueRefuses { .. } => Class::Exhausted,
            Self::BodyLength { .. } | Self::BodyDigest | Self::NoKey { .. } | Self::Setup { .. } => Class::Refused,
            Self::NoAccount | Self::NoUpload { .. } | Self::NoKit { .. } => Class::Missing,
            Self::Order(error) => error.class(),
            Self::Job(error) => error.class(),
            Self::Catalogue(error) => error.class(),
            Self::Fleet(error) => error.class(),
            Self::Format(error) => error.class(),
        }
    }
}

/// What the store answers.
pub type Result<T> = std::result::Result<T, Error>;
