//! Changes as bytes, in three parts: *open* (random ids and places, for everybody), *account* (under the account key) and
//! *service* (under the cluster key).
//!
//! A part is a run of changes, each `kind ‖ shape ‖ length ‖ body`. The shape number is a kind's own version: a kind that
//! needs another field gets a new shape, and old shapes are read for ever. What may be written is checked by the same
//! rules when it is read.

use model::{
    Change, Scope,
    account::{TokenScope, TokenUse},
    id::{AccountId, EntryId, PackId, VersionId},
    outgoing::EventKind,
    units::ServiceTime,
};

use crate::{
    error::{Error, Result},
    wire::{Reader, put_blob, put_varint},
};

mod access;
mod leases;
mod ledger;
mod orders;
mod outgoing;
mod plans;
mod rows;
mod rules;
mod shown;
mod ways;

const OBJECT: &str = "record";
const SIGN_IN: u8 = 7;
const TOKEN: u8 = 8;
const LIMITS: u8 = 9;
const REPORT: u8 = 10;
const ABOUT: u8 = 11;
const PASSKEY: u8 = 12;
const IDENTITY: u8 = 13;
const MAIL: u8 = 14;
const PLAN: u8 = 15;
const SHARE: u8 = 21;
const GRANT: u8 = 22;
const WEBHOOK: u8 = 23;
const TARGET_ORDERS: u8 = 24;
const ACCOUNT_GONE: u8 = 25;
const LEASE: u8 = 26;
const NOTICE: u8 = 27;
const LEDGER: u8 = 28;
const CONSTRAINT: u8 = 29;

/// The oldest shape of a kind that there ever was, and the one that it is written in. A kind that came later begins at 2, so
/// that an older reader sees that it is too old and does not take it for damage.
const fn shapes_of(kind: u8) -> (u8, u8) {
    match kind {
        SIGN_IN | TOKEN | LIMITS | SHARE => (1, 2),
        REPORT | PASSKEY | IDENTITY | MAIL | PLAN | GRANT | TARGET_ORDERS | ACCOUNT_GONE | LEASE | NOTICE | LEDGER
        | CONSTRAINT => (2, 2),
        ABOUT | WEBHOOK => (2, 3),
        _ => (1, 1),
    }
}

/// The shape that a change is written in: the newest of its kind. A webhook or token that older readers understand is written for them.
fn shape_of(change: &Change) -> u8 {
    match change {
        Change::Token(row) if !matches!(row.opens, TokenUse::Access(TokenScope::Read | TokenScope::Files)) => 1,
        Change::Webhook(row) if !row.events.contains(&EventKind::NoticeWaits) => 2,
        _ => shapes_of(kind_of(change)).1,
    }
}

/// Who may read a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Everybody.
    Open,
    /// Who has the account key.
    Account,
    /// Who has the cluster key.
    Service,
}

/// A record's changes as bytes, not sealed yet.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Parts {
    /// For everybody.
    pub open: Vec<u8>,
    /// To be sealed under the account key.
    pub account: Vec<u8>,
    /// To be sealed under the cluster key.
    pub service: Vec<u8>,
}

/// Which part a change belongs to.
pub fn part_of(change: &Change) -> Part {
    match change {
        Change::Pack(_) | Change::Makes { .. } | Change::PackGone { .. } => Part::Open,
        Change::Account(_)
        | Change::SignIn(_)
        | Change::Limits(_)
        | Change::Plan(_)
        | Change::AccountGone { .. }
        | Change::Token(_)
        | Change::Report(_)
        | Change::About(_)
        | Change::Mail(_)
        | Change::Passkey(_)
        | Change::Identity(_)
        | Change::Provider(_)
        | Change::Target(_)
        | Change::Constraint(_)
        | Change::Lease(_)
        | Change::Notice(_)
        | Change::TargetOrders(_)
        | Change::Ledger(_) => Part::Service,
        Change::Kit(_)
        | Change::Share(_)
        | Change::Grant(_)
        | Change::Webhook(_)
        | Change::Entry(_)
        | Change::EntryGone(_)
        | Change::Version(_)
        | Change::VersionGone(_) => Part::Account,
    }
}

/// Whether a change takes part in this scope's revisions: account parts in accounts', the others in the cluster's.
pub fn belongs(change: &Change, scope: Scope) -> bool {
    matches!(scope, Scope::Account(_)) == (part_of(change) == Part::Account)
}

/// Whether a change may be written: the rules that its reader checks.
///
/// # Errors
/// Bug, naming the field.
pub fn check(change: &Change) -> Result<()> {
    rules::check(change).map_err(|broken| Error::Misuse {
        object: OBJECT,
        field: broken.field,
        expected: broken.expected,
        got: broken.got,
    })
}

/// Writes changes. Within a part they keep their order.
///
/// # Errors
/// Bug: a change breaks a rule of the format, such as a name with a slash.
pub fn encode(changes: &[Change]) -> Result<Parts> {
    let mut parts = Parts::default();
    for change in changes {
        let part = match part_of(change) {
            Part::Open => &mut parts.open,
            Part::Account => &mut parts.account,
            Part::Service => &mut parts.service,
        };
        put_change(part, change)?;
    }
    Ok(parts)
}

/// Reads changes: the open ones, then the account's, then the service's.
///
/// # Errors
/// Damaged, or refused if a change is of a newer shape.
pub fn decode(parts: &Parts) -> Result<Vec<Change>> {
    let mut changes = decode_part(Part::Open, &parts.open)?;
    changes.extend(decode_part(Part::Account, &parts.account)?);
    changes.extend(decode_part(Part::Service, &parts.service)?);
    Ok(changes)
}

/// Reads one part's changes.
///
/// # Errors
/// As [`decode`]; damaged also if a change belongs to another part.
pub fn decode_part(part: Part, bytes: &[u8]) -> Result<Vec<Change>> {
    let mut reader = Reader::new(OBJECT, bytes);
    let mut changes = Vec::new();
    while reader.left() > 0 {
        changes.push(take_change(&mut reader, part)?);
    }
    Ok(changes)
}

/// Writes one change.
pub(crate) fn put_change(bytes: &mut Vec<u8>, change: &Change) -> Result<()> {
    check(change)?;
    let mut body = Vec::new();
    put_body(&mut body, change);
    bytes.extend_from_slice(&[kind_of(change), shape_of(change)]);
    put_blob(bytes, &body);
    Ok(())
}

/// Reads one change, which must belong to `part`.
pub(crate) fn take_change(reader: &mut Reader<'_>, part: Part) -> Result<Change> {
    let kind = reader.u8("kind")?;
    let shape = reader.u8("shape")?;
    let body = reader.blob("body")?;
    let (oldest, newest) = shapes_of(kind);
    if !(oldest..=newest).contains(&shape) {
        let (expected, got) = (u32::from(newest), u32::from(shape));
        return Err(Error::Newer { object: OBJECT, expected, got });
    }
    let mut body = Reader::new(OBJECT, body);
    let change = take_body(&mut body, kind, shape)?;
    if part_of(&change) != part {
        return Err(body.value("kind", format!("a kind of the {part:?} part"), kind));
    }
    body.end()?;
    rules::check(&change).map_err(|broken| Error::Value {
        object: OBJECT,
        field: broken.field,
        expected: broken.expected,
        got: broken.got,
    })?;
    Ok(change)
}

/// The kind of a change, as a record says it.
fn kind_of(change: &Change) -> u8 {
    match change {
        Change::Account(_) => 1,
        Change::Provider(_) => 2,
        Change::Target(_) => 3,
        Change::Pack(_) => 4,
        Change::Makes { .. } => 5,
        Change::PackGone { .. } => 6,
        Change::SignIn(_) => SIGN_IN,
        Change::Token(_) => TOKEN,
        Change::Limits(_) => LIMITS,
        Change::Plan(_) => PLAN,
        Change::TargetOrders(_) => TARGET_ORDERS,
        Change::AccountGone { .. } => ACCOUNT_GONE,
        Change::Lease(_) => LEASE,
        Change::Notice(_) => NOTICE,
        Change::Ledger(_) => LEDGER,
        Change::Constraint(_) => CONSTRAINT,
        Change::Report(_) => REPORT,
        Change::About(_) => ABOUT,
        Change::Mail(_) => MAIL,
        Change::Passkey(_) => PASSKEY,
        Change::Identity(_) => IDENTITY,
        Change::Kit(_) => 16,
        Change::Entry(_) => 17,
        Change::EntryGone(_) => 18,
        Change::Version(_) => 19,
        Change::VersionGone(_) => 20,
        Change::Share(_) => SHARE,
        Change::Grant(_) => GRANT,
        Change::Webhook(_) => WEBHOOK,
    }
}

fn put_body(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Account(row) => rows::put_account(bytes, row),
        Change::SignIn(row) => access::put_sign_in(bytes, row),
        Change::Token(row) => access::put_token(bytes, row),
        Change::Limits(row) => access::put_limits(bytes, row),
        Change::Plan(row) => plans::put_plan(bytes, row),
        Change::AccountGone { account, at } => {
            bytes.extend_from_slice(&account.0);
            put_varint(bytes, at.0);
        }
        Change::Report(row) => shown::put_report(bytes, row),
        Change::About(row) => shown::put_about(bytes, row),
        Change::Mail(row) => outgoing::put_mail(bytes, row),
        Change::Passkey(row) => ways::put_passkey(bytes, row),
        Change::Identity(row) => ways::put_identity(bytes, row),
        Change::Provider(row) => rows::put_provider(bytes, row),
        Change::Target(row) => rows::put_target(bytes, row),
        Change::Constraint(row) => rows::put_constraint(bytes, row),
        Change::Lease(row) => leases::put_lease(bytes, row),
        Change::Notice(row) => leases::put_notice(bytes, row),
        Change::Ledger(entry) => ledger::put_entry(bytes, entry),
        Change::TargetOrders(row) => orders::put_orders(bytes, row),
        Change::Pack(pack) => rows::put_pack(bytes, pack),
        Change::Makes { pack, makes } => {
            bytes.extend_from_slice(&pack.0);
            rows::put_makes(bytes, makes);
        }
        Change::PackGone { pack, at } => {
            bytes.extend_from_slice(&pack.0);
            put_varint(bytes, at.0);
        }
        Change::Kit(row) => rows::put_kit(bytes, row),
        Change::Share(row) => shown::put_share(bytes, row),
        Change::Grant(row) => shown::put_grant(bytes, row),
        Change::Webhook(row) => outgoing::put_webhook(bytes, row),
        Change::Entry(row) => rows::put_entry(bytes, row),
        Change::EntryGone(id) => bytes.extend_from_slice(&id.0),
        Change::Version(version) => rows::put_version(bytes, version),
        Change::VersionGone(id) => bytes.extend_from_slice(&id.0),
    }
}

fn take_body(reader: &mut Reader<'_>, kind: u8, shape: u8) -> Result<Change> {
    Ok(match kind {
        1 => Change::Account(rows::take_account(reader)?),
        2 => Change::Provider(rows::take_provider(reader)?),
        3 => Change::Target(rows::take_target(reader)?),
        4 => Change::Pack(rows::take_pack(reader)?),
        5 => Change::Makes { pack: PackId(reader.array("pack")?), makes: rows::take_makes(reader)? },
        6 => Change::PackGone { pack: PackId(reader.array("pack")?), at: ServiceTime(reader.varint("at")?) },
        SIGN_IN => Change::SignIn(access::take_sign_in(reader, shape)?),
        TOKEN => Change::Token(access::take_token(reader, shape)?),
        LIMITS => Change::Limits(access::take_limits(reader, shape)?),
        PLAN => Change::Plan(plans::take_plan(reader)?),
        REPORT => Change::Report(shown::take_report(reader)?),
        ABOUT => Change::About(shown::take_about(reader, shape)?),
        MAIL => Change::Mail(outgoing::take_mail(reader)?),
        PASSKEY => Change::Passkey(ways::take_passkey(reader)?),
        IDENTITY => Change::Identity(ways::take_identity(reader)?),
        16 => Change::Kit(rows::take_kit(reader)?),
        17 => Change::Entry(rows::take_entry(reader)?),
        18 => Change::EntryGone(EntryId(reader.array("id")?)),
        19 => Change::Version(rows::take_version(reader)?),
        20 => Change::VersionGone(VersionId(reader.array("id")?)),
        SHARE => Change::Share(shown::take_share(reader, shape)?),
        GRANT => Change::Grant(shown::take_grant(reader)?),
        WEBHOOK => Change::Webhook(outgoing::take_webhook(reader, shape)?),
        TARGET_ORDERS => Change::TargetOrders(orders::take_orders(reader)?),
        ACCOUNT_GONE => {
            Change::AccountGone { account: AccountId(reader.array("account")?), at: ServiceTime(reader.varint("at")?) }
        }
        LEASE => Change::Lease(leases::take_lease(reader)?),
        NOTICE => Change::Notice(leases::take_notice(reader)?),
        LEDGER => Change::Ledger(ledger::take_entry(reader)?),
        CONSTRAINT => Change::Constraint(rows::take_constraint(reader)?),
        other => return Err(reader.value("kind", "1 to 29", other)),
    })
}
