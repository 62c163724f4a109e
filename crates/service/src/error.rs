//! What the rules of hosting refuse, with a code for programs and a sentence for people.

use model::{Class, account::TokenScope, id::UploadId};

use crate::{passkeys::PasskeyFault, paths::BadPath, scopes};

/// Why the service did not do what was asked. Nothing was changed unless a variant says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path breaks a rule for names.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// The token is not one of ours, or was withdrawn.
    #[error("this token is not known here; make one with `holdfast token create`")]
    TokenUnknown,
    /// The token was good until its end.
    #[error("this token has expired; make a new one with `holdfast token create`")]
    TokenExpired,
    /// The token is good, but not for this.
    #[error(
        "this token may {}; make one with a wider scope on the account's page, or with `holdfast token create --scope`. \
         Nothing was changed",
        scopes::said(*.scope)
    )]
    TokenScope {
        /// How far it goes.
        scope: TokenScope,
    },
    /// Name or password is wrong; which of them is not said.
    #[error("the name or the password is wrong")]
    BadLogin,
    /// The password is right, and the account asks for more.
    #[error("this account also asks for the six digits of your authenticator, or one of your one-time codes")]
    SecondNeeded,
    /// Wrong digits or a wrong one-time code, or used before.
    #[error("these digits or this code are wrong or were used before; wait for the next digits, or take another code")]
    BadSecond,
    /// The account has one, and would lose it to whoever has only the password.
    #[error("a second factor is on already; turn it off with its digits first")]
    SecondOn,
    /// The account has no second factor.
    #[error("no second factor is turned on for this account")]
    NoSecond,
    /// The account is full.
    #[error(
        "this does not fit: {} of the {} that this account may keep are used, with older versions and the trash; empty the \
         trash, or ask the operator for more room. Nothing that is stored is touched",
        units(*.used),
        units(*.limit)
    )]
    Quota {
        /// Bytes that it takes.
        used: u64,
        /// Bytes that it may take.
        limit: u64,
    },
    /// A file that is larger than the account's plan allows.
    #[error("one file has at most {} here; send smaller ones, or ask the operator for another plan", units(*.limit))]
    FileTooLarge {
        /// The most bytes of one.
        limit: u64,
    },
    /// Guests have taken what the owner's plan allows in a day.
    #[error("this link's owner has shared as much today as their plan allows; it opens again after midnight, UTC")]
    LinkTraffic {
        /// Seconds until then.
        wait_s: u64,
    },
    /// A plan that means nothing.
    #[error("{what}")]
    BadPlan {
        /// What is wrong with it.
        what: &'static str,
    },
    /// No plan has the name.
    #[error("no plan is called {name}; an operator makes plans")]
    NoPlan {
        /// The name asked for.
        name: String,
    },
    /// Accounts have the plan, or new ones get it.
    #[error("this plan is in use by {count} accounts, or is what new ones get; give them another one first")]
    PlanInUse {
        /// How many.
        count: u64,
    },
    /// Nobody leaves files here without an account.
    #[error("files without an account are not taken here; sign in, or ask the operator")]
    QuickOff,
    /// Too much of it comes from one network, at a time, or in a day.
    #[error("as much as this service takes without an account has come for now; try again later, or sign in")]
    TooManyQuick,
    /// There is no room for it now.
    #[error("there is no room for files without an account now; try again when others have ended, or sign in")]
    QuickFull,
    /// A wish for such a file, or for what may be left, that means nothing.
    #[error("{what}")]
    BadQuick {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A quota that no number here can hold.
    #[error("a quota is at most 2^53 bytes; leave it out for none")]
    BadQuota,
    /// Too many wrong passwords came one after the other.
    #[error("too many wrong tries; try again in {wait_s} seconds")]
    TooManyAttempts {
        /// Seconds until the next one is looked at.
        wait_s: u64,
    },
    /// No session has this cookie: it ended, or was revoked.
    #[error("you are signed out; sign in again, nothing was lost")]
    SignedOut,
    /// The account is suspended.
    #[error("this account is suspended; its files are kept, ask the operator")]
    Suspended,
    /// The verb is an operator's.
    #[error("only an operator of this service may do that")]
    NotOperator,
    /// A program asked for what a person decides.
    #[error(
        "only somebody who is signed in to the page can make a token; or `holdfast token create` at the service's machine"
    )]
    NeedsSession,
    /// An invitation or a one-time address that opens nothing.
    #[error("this one-time address was used, withdrawn, or has ended; ask whoever gave it to you for a new one")]
    BadCode,
    /// The password is too short or too long.
    #[error("a password has {least} to {most} bytes", least = crate::passwords::LEAST, most = crate::passwords::MOST)]
    BadPassword,
    /// The account's name cannot be one.
    #[error("a name has 1 to 64 letters, with no slash, no line break and no space at its ends")]
    BadName,
    /// The account's name looks like an address for mail, which may be another's.
    #[error(
        "a name here has no @ in it: choose another, and give your address in the account's settings; it signs in as well"
    )]
    AddressAsName,
    /// No account has the name.
    #[error("no account is called {name}")]
    NoAccount {
        /// The name asked for.
        name: String,
    },
    /// What another operator has to decide.
    #[error("this is your own account: another operator can do that, or the service's machine (`holdfast account`)")]
    OwnAccount,
    /// The account has no such token, session or invitation.
    #[error("there is none of that id; it may have ended already")]
    NoSuchId,
    /// The account has no such share.
    #[error("you have no such share; it may have been ended already")]
    NoShare,
    /// A folder with more in it than one archive takes.
    #[error("more than {max} files and folders, or 8 MiB of their paths, do not fit one archive: take its folders one by one, or `holdfast export`", max = crate::archive::ARCHIVE_ENTRIES_MAX)]
    ArchiveTooLarge,
    /// As many archives are under way as memory is set aside for.
    #[error("as many archives as this service makes at a time are under way; try again in a while")]
    ArchivesBusy,
    /// A limit or an end of a share that means nothing.
    #[error("{what}")]
    BadShare {
        /// What is wrong with it.
        what: &'static str,
    },
    /// No link has this address.
    #[error("there is no such link; check that the address is complete")]
    NoLink,
    /// The link has ended: by its owner, its date, its count of downloads, or because what it shows is gone.
    #[error("this link has ended; ask whoever gave it to you for a new one")]
    LinkEnded,
    /// Others take what is left of the link.
    #[error("everything that this link is still good for is being downloaded just now; try again in a while")]
    LinkTaken,
    /// The link takes no more.
    #[error("as many files as were asked for have come; nothing more is taken here")]
    RequestFull,
    /// Too many files come through one link at the same time.
    #[error("very many files are on their way here at once; try again in a while")]
    RequestBusy,
    /// Whoever asked for files has no room for this one.
    #[error("whoever this belongs to has no room for it now; tell them, and try again later")]
    NoRoomThere,
    /// A stranger's upload without an end.
    #[error("say how long the file is: what comes by a link has a length from the start")]
    LengthNeeded,
    /// Parts that are not joined here.
    #[error(
        "here a file comes as one upload: parts are joined for who has an account, 1 to 1,000 of them; nothing was begun (with tus-js-client, leave `parallelUploads` at 1)"
    )]
    NoJoining,
    /// Somebody asked for the same a moment ago.
    #[error("these parts are being joined just now; ask again in a while, and nothing need be sent once more")]
    Joining,
    /// More words about an upload than are kept.
    #[error("the metadata of an upload has at most 16 KiB")]
    LongNote,
    /// An operator keeps the link from being opened.
    #[error("the operator of this service has switched this link off; nothing was deleted, ask the operator")]
    LinkOff,
    /// The caller may look, not change.
    #[error("you may look at this, not change it; ask its owner for the right to change it")]
    ReadOnly,
    /// What only the owner of a tree may do with it.
    #[error("only its owner can delete it for good; you can put it into the owner's trash")]
    OwnersAlone,
    /// Nobody lets the caller see it, or not any more.
    #[error("this is not shared with you, or not any more; ask its owner")]
    NoGrant,
    /// Sharing with oneself.
    #[error("this account is you: what is in it you can see and change already")]
    GrantToSelf,
    /// The operator invites, or lets nobody in.
    #[error("this service makes accounts by invitation only; ask its operator for one")]
    SignUpClosed,
    /// More newcomers than an hour takes.
    #[error("very many accounts were made here in the last hour; come back in an hour")]
    TooManyAccounts,
    /// More reports than an operator can read.
    #[error("many reports of this wait for the operator already; they will see it")]
    TooManyReports,
    /// Something of the service's face that cannot be.
    #[error("{what}")]
    BadAbout {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operator has set up no mail.
    #[error("this service sends no mail; ask its operator, who can hand a one-time address on")]
    MailOff,
    /// Not an address that mail is sent to.
    #[error("an address for mail is name@host, in plain letters and at most 254 of them")]
    BadMail,
    /// The address is known to be somebody else's.
    #[error("this address belongs to another account here; take it away there first, or use another one")]
    MailTaken,
    /// No address is known to be the account's.
    #[error("your account has no confirmed address; say which, and open what comes there")]
    NoMail,
    /// Too much waits already.
    #[error("very many mails wait to be sent; try again later")]
    MailBusy,
    /// The mail server did not take it.
    #[error("the mail server did not take it: {said}")]
    MailFailed {
        /// What it said.
        said: String,
    },
    /// A webhook that cannot be.
    #[error("this webhook cannot be: {what}")]
    BadWebhook {
        /// What is wrong with it.
        what: String,
    },
    /// Nobody would be left to run the service.
    #[error("nobody else runs this service: make another account an operator first, then delete this one")]
    LastOperator,
    /// The link takes a password.
    #[error("this link takes a password")]
    LinkPassword,
    /// The request names an account that is not the caller's.
    #[error("this token is not one of account {name}: leave the account out, or use a token of its own")]
    OtherAccount {
        /// The account that was named.
        name: String,
    },
    /// Nothing is there.
    #[error("there is nothing at {path}")]
    Missing {
        /// What was named.
        path: String,
    },
    /// A path leads through a file, or a folder was named where a file is.
    #[error("{path} is a file, not a folder")]
    NotAFolder {
        /// The file in the way.
        path: String,
    },
    /// A file was asked for or would be written where a folder is.
    #[error("{path} is a folder; to list it, ask for it with a slash at its end")]
    IsAFolder {
        /// The folder in the way.
        path: String,
    },
    /// The name is taken.
    #[error("something is at {path} already; it was left as it is (`replace` puts it into the trash)")]
    Exists {
        /// The path taken.
        path: String,
    },
    /// A folder cannot come to lie in itself.
    #[error("{from} cannot be put at {to}, which is inside of it")]
    IntoItself {
        /// The folder.
        from: String,
        /// Where it was to go.
        to: String,
    },
    /// Nothing with that place of origin is in the trash.
    #[error("nothing in the trash comes from {path}")]
    NotInTrash {
        /// The place of origin that was named.
        path: String,
    },
    /// `If-Match` or `If-None-Match` does not hold.
    #[error("{path} is not, or not any more, in the state that the request depends on")]
    Precondition {
        /// The file.
        path: String,
    },
    /// Neither sent as a media type can be, nor short enough to be kept.
    #[error("this media type cannot be kept: send type/subtype in at most {max} printable characters", max = crate::media::MEDIA_TYPE_BYTES_MAX)]
    MediaType,
    /// No upload of this caller has the id.
    #[error("there is no upload {upload}; it was finished, or never begun")]
    NoUpload {
        /// The id that was named.
        upload: UploadId,
    },
    /// The upload's time ran out before it was finished.
    #[error("upload {upload} has expired; begin a new one")]
    UploadExpired {
        /// The upload.
        upload: UploadId,
    },
    /// More bytes than were announced.
    #[error("the upload is {length} bytes long as announced; {got} would go beyond its end")]
    UploadTooLong {
        /// Announced length.
        length: u64,
        /// Where the body would end.
        got: u64,
    },
    /// The file has no such version.
    #[error("the file has no such version; replaced ones are kept as long as what is in the trash")]
    NoVersion,
    /// The account has no such kit.
    #[error("this account has no such kit")]
    NoKit,
    /// Not an age recipient.
    #[error("a kit's recipient is an age public key: `age1` and 58 more characters")]
    Recipient,
    /// Not the token of this desk.
    #[error(
        "this token does not open this desk: it was mistyped, or another took its place; ask the operator for a new one. Nothing \
         was filed"
    )]
    DeskToken,
    /// A desk took as many notices as it takes in a day.
    #[error(
        "this desk took twenty notices today and takes no more until tomorrow; what was filed is kept. Send what is \
         urgent by mail or letter"
    )]
    TooManyNotices,
    /// A notice that cannot be filed so, or an act that does not go with it.
    #[error("{what}")]
    BadNotice {
        /// Why, and what to do.
        what: String,
    },
    /// A lease that cannot be.
    #[error("{what}")]
    BadLease {
        /// Why.
        what: &'static str,
    },
    /// No provider of that name.
    #[error("no provider is called {name}; `holdfast fleet` lists them")]
    NoProvider {
        /// The name asked for.
        name: String,
    },
    /// A passkey's trouble.
    #[error(transparent)]
    Passkey(#[from] PasskeyFault),
    /// Nothing else would open the account.
    #[error("nothing else would sign you in: set a password or make a passkey first")]
    LastWayIn,
    /// Who has no password shows who they are by having signed in just now.
    #[error("this account has no password to ask for: sign out, sign in again, and do this within ten minutes")]
    SignInAgain,
    /// The store's own trouble.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// How a reader acts on it.
    pub fn class(&self) -> Class {
        match self {
            Self::Path(_)
            | Self::TokenUnknown
            | Self::TokenExpired
            | Self::TokenScope { .. }
            | Self::MediaType
            | Self::Recipient => Class::Refused,
            Self::UploadTooLong { .. } | Self::OtherAccount { .. } => Class::Refused,
            Self::BadLogin | Self::SignedOut | Self::Suspended | Self::NotOperator | Self::LinkPassword => {
                Class::Refused
            }
            Self::ArchiveTooLarge | Self::NeedsSession => Class::Refused,
            Self::SecondNeeded | Self::BadSecond | Self::BadQuota => Class::Refused,
            Self::Quota { .. } => Class::Exhausted,
            Self::FileTooLarge { .. } | Self::BadPlan { .. } => Class::Refused,
            Self::QuickOff | Self::BadQuick { .. } => Class::Refused,
            Self::TooManyQuick => Class::Retry,
            Self::QuickFull => Class::Exhausted,
            Self::LinkTraffic { .. } => Class::Retry,
            Self::NoPlan { .. } => Class::Missing,
            Self::PlanInUse { .. } => Class::Conflict,
            Self::NoSecond => Class::Missing,
            Self::SecondOn => Class::Conflict,
            Self::ArchivesBusy => Class::Retry,
            Self::BadPassword | Self::BadName | Self::AddressAsName | Self::OwnAccount | Self::BadShare { .. } => {
                Class::Refused
            }
            Self::TooManyAttempts { .. } => Class::Retry,
            Self::BadCode | Self::NoAccount { .. } | Self::NoSuchId | Self::NoShare => Class::Missing,
            Self::NoLink | Self::LinkEnded | Self::LinkOff | Self::NoGrant => Class::Missing,
            Self::ReadOnly | Self::OwnersAlone | Self::GrantToSelf | Self::SignUpClosed | Self::BadAbout { .. } => {
                Class::Refused
            }
            Self::NoJoining | Self::LengthNeeded | Self::LongNote => Class::Refused,
            Self::NoRoomThere => Class::Exhausted,
            Self::RequestFull | Self::LastOperator => Class::Conflict,
            Self::BadMail | Self::BadWebhook { .. } => Class::Refused,
            Self::MailOff | Self::MailTaken | Self::NoMail => Class::Conflict,
            Self::MailBusy | Self::MailFailed { .. } => Class::Retry,
            Self::Joining | Self::LinkTaken | Self::RequestBusy | Self::TooManyAccounts | Self::TooManyReports => {
                Class::Retry
            }
            Self::Missing { .. } | Self::NotInTrash { .. } | Self::NoUpload { .. } | Self::UploadExpired { .. } => {
                Class::Missing
            }
            Self::NoKit | Self::NoVersion | Self::NoProvider { .. } => Class::Missing,
            Self::NotAFolder { .. } | Self::IsAFolder { .. } | Self::Exists { .. } => Class::Conflict,
            Self::IntoItself { .. } | Self::Precondition { .. } => Class::Conflict,
            Self::DeskToken | Self::BadNotice { .. } | Self::BadLease { .. } => Class::Refused,
            Self::TooManyNotices => Class::Retry,
            Self::Passkey(fault) => fault.class(),
            Self::LastWayIn => Class::Conflict,
            Self::SignInAgain => Class::Refused,
            Self::Store(error) => error.class(),
        }
    }

    /// A stable name for programs; never reworded.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Path(_) => "bad_path",
            Self::TokenUnknown => "token_unknown",
            Self::TokenExpired => "token_expired",
            Self::TokenScope { .. } => "token_scope",
            Self::BadLogin => "bad_login",
            Self::SecondNeeded => "second_factor_needed",
            Self::BadSecond => "bad_second_factor",
            Self::NoSecond => "no_second_factor",
            Self::SecondOn => "second_factor_on",
            Self::Quota { .. } => "quota",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::LinkTraffic { .. } => "link_traffic",
            Self::QuickOff => "quick_off",
            Self::TooManyQuick => "too_many_quick",
            Self::QuickFull => "quick_full",
            Self::BadQuick { .. } => "bad_quick",
            Self::BadPlan { .. } => "bad_plan",
            Self::NoPlan { .. } => "no_plan",
            Self::PlanInUse { .. } => "plan_in_use",
            Self::BadQuota => "bad_quota",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::SignedOut => "signed_out",
            Self::Suspended => "suspended",
            Self::NotOperator => "not_operator",
            Self::BadCode => "bad_code",
            Self::BadPassword => "bad_password",
            Self::BadName | Self::AddressAsName => "bad_name",
            Self::NoAccount { .. } => "no_account",
            Self::OwnAccount => "own_account",
            Self::NoSuchId => "no_such_id",
            Self::NoShare => "no_share",
            Self::ArchiveTooLarge => "archive_too_large",
            Self::ArchivesBusy => "archives_busy",
            Self::NeedsSession => "needs_session",
            Self::BadShare { .. } => "bad_share",
            Self::NoLink => "no_link",
            Self::LinkEnded => "link_ended",
            Self::LinkOff => "link_off",
            Self::RequestFull => "request_full",
            Self::NoJoining => "no_concatenation",
            Self::Joining => "joining",
            Self::LinkTaken => "link_taken",
            Self::RequestBusy => "request_busy",
            Self::NoRoomThere => "quota",
            Self::LengthNeeded => "length_needed",
            Self::LongNote => "bad_metadata",
            Self::ReadOnly => "read_only",
            Self::OwnersAlone => "owners_alone",
            Self::NoGrant => "no_shared",
            Self::GrantToSelf => "own_account_grant",
            Self::SignUpClosed => "sign_up_closed",
            Self::TooManyAccounts => "too_many_accounts",
            Self::TooManyReports => "too_many_reports",
            Self::BadAbout { .. } => "bad_about",
            Self::LastOperator => "last_operator",
            Self::MailOff => "mail_off",
            Self::BadMail => "bad_mail",
            Self::BadWebhook { .. } => "bad_webhook",
            Self::MailTaken => "mail_taken",
            Self::NoMail => "no_mail",
            Self::MailBusy => "mail_busy",
            Self::MailFailed { .. } => "mail_failed",
            Self::LinkPassword => "link_password",
            Self::OtherAccount { .. } => "other_account",
            Self::Missing { .. } => "missing",
            Self::NotAFolder { .. } => "not_a_folder",
            Self::IsAFolder { .. } => "is_a_folder",
            Self::Exists { .. } => "exists",
            Self::IntoItself { .. } => "into_itself",
            Self::NotInTrash { .. } => "not_in_trash",
            Self::Precondition { .. } => "precondition_failed",
            Self::MediaType => "bad_media_type",
            Self::NoUpload { .. } => "no_upload",
            Self::UploadExpired { .. } => "upload_expired",
            Self::UploadTooLong { .. } => "upload_too_long",
            Self::NoKit => "no_kit",
            Self::NoVersion => "no_version",
            Self::Recipient => "bad_recipient",
            Self::NoProvider { .. } => "no_provider",
            Self::DeskToken => "desk_token",
            Self::TooManyNotices => "too_many_notices",
            Self::BadNotice { .. } => "bad_notice",
            Self::BadLease { .. } => "bad_lease",
            Self::Passkey(fault) => fault.code(),
            Self::LastWayIn => "last_way_in",
            Self::SignInAgain => "sign_in_again",
            Self::Store(error) => store_code(error),
        }
    }
}

impl From<catalogue::Error> for Error {
    fn from(error: catalogue::Error) -> Self {
        Self::Store(store::Error::Catalogue(error))
    }
}

fn store_code(error: &store::Error) -> &'static str {
    match error {
        store::Error::Unsafe { .. } | store::Error::Plan { .. } => "unsafe",
        store::Error::Stopping => "stopping",
        store::Error::Unfinished { .. } => "unfinished",
        store::Error::Unreadable { .. } => "unreadable",
        store::Error::BodyLength { .. } => "body_length",
        store::Error::BodyDigest => "body_digest",
        store::Error::Body { .. } => "body_broken",
        store::Error::NoAccount => "no_account",
        store::Error::NoKey { .. } => "account_locked",
        store::Error::NoKit { .. } => "no_kit",
        store::Error::NoUpload { .. } => "no_upload",
        store::Error::UploadOffset { .. } => "upload_offset",
        store::Error::UploadTaken => "upload_taken",
        store::Error::NewerEpoch { .. } => "newer_epoch",
        store::Error::Order(error) => error.code(),
        store::Error::Job(error) => error.code(),
        other => match other.class() {
            Class::Retry => "retry",
            Class::Refused => "refused",
            Class::Missing => "missing",
            Class::Conflict => "conflict",
            Class::Damaged => "damaged",
            Class::Exhausted => "exhausted",
            Class::Bug => "bug",
        },
    }
}

/// Bytes as people read them; rounded down, so that what is full does not look larger than it may be.
pub(crate) fn units(bytes: u64) -> String {
    let mut unit = (1, "B");
    for next in [(1_000, "kB"), (1_000_000, "MB"), (1_000_000_000, "GB"), (1_000_000_000_000, "TB")] {
        if bytes >= next.0 {
            unit = next;
        }
    }
    let tenths = u128::from(bytes) * 10 / u128::from(unit.0);
    if unit.0 == 1 { format!("{bytes} B") } else { format!("{}.{} {}", tenths / 10, tenths % 10, unit.1) }
}

/// What the service answers.
pub type Result<T> = std::result::Result<T, Error>;
