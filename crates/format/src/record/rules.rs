//! What a change may say: the same rules before it is written and after it is read.
//!
//! They keep out what would hurt a reader later: a name that is a path, a manifest whose segments are not its file.

use model::{
    Change,
    about::{AboutRow, Logo},
    account::SecondFactor,
    entry::{Content, EntryRow, Version},
    leases::{LeaseRow, NoticeRow},
    ledger::LedgerEntry,
    outgoing::{MailRow, WebhookRow},
    pack::{Location, Make, Pack},
    scheme::Scheme,
    units::{SEGMENT_BYTES_MAX, sealed_bytes},
    ways::{IdentityRow, PasskeyRow},
};

use crate::{ledger, shard::cell_is_sound};

/// Longest name of anything, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Longest address of a target or recipient of a kit, in bytes.
const ADDRESS_BYTES_MAX: usize = 4096;
/// Longest hash of a password, in bytes.
const PASSWORD_BYTES_MAX: usize = 512;
/// Longest words of a guest or to one, in bytes.
const WORDS_BYTES_MAX: usize = 16 << 10;
/// Longest address for mail, in bytes.
const MAIL_BYTES_MAX: usize = 254;
/// Most labels of a provider.
const LABELS_MAX: usize = 64;

/// A rule that a change breaks.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) field: &'static str,
    pub(super) expected: String,
    pub(super) got: String,
}

/// Checks a change.
pub(super) fn check(change: &Change) -> Result<(), Broken> {
    match change {
        Change::Account(row) => text("name", &row.name, 1, NAME_BYTES_MAX),
        Change::SignIn(row) => {
            let codes = row.second.as_ref().map_or(0, |second| second.codes.len());
            let most = SecondFactor::CODES_MAX;
            that(codes <= most, "codes", format!("at most {most}"), codes)?;
            password(row.password.as_deref())
        }
        Change::Token(row) => text("label", &row.label, 0, NAME_BYTES_MAX),
        Change::Share(row) => {
            text("words", &row.words, 0, WORDS_BYTES_MAX)?;
            password(row.password.as_deref())
        }
        Change::Report(row) => {
            text("words", &row.words, 0, WORDS_BYTES_MAX)?;
            row.contact.as_deref().map_or(Ok(()), |contact| text("contact", contact, 1, WORDS_BYTES_MAX))
        }
        Change::About(row) => about(row),
        Change::Mail(row) => mail(row),
        Change::Webhook(row) => webhook(row),
        Change::Passkey(row) => passkey(row),
        Change::Identity(row) => identity(row),
        Change::Provider(row) => {
            text("name", &row.name, 1, NAME_BYTES_MAX)?;
            that(row.labels.len() <= LABELS_MAX, "labels", format!("at most {LABELS_MAX}"), row.labels.len())?;
            row.labels.iter().try_for_each(|(label, value)| {
                text("labels", label, 1, NAME_BYTES_MAX)?;
                text("labels", value, 0, NAME_BYTES_MAX)
            })
        }
        Change::Target(row) => {
            text("address", &row.address, 0, ADDRESS_BYTES_MAX)?;
            text("driver", &row.driver, 1, NAME_BYTES_MAX)
        }
        Change::Constraint(row) => text("label", &row.label, 1, NAME_BYTES_MAX),
        Change::Pack(row) => pack(row),
        Change::Makes { makes, .. } => makes.iter().try_for_each(make),
        Change::Kit(row) => text("recipient", &row.recipient, 1, ADDRESS_BYTES_MAX),
        Change::Entry(row) => entry(row),
        Change::Version(row) => version(row),
        Change::Lease(row) => lease(row),
        Change::Notice(row) => notice(row),
        Change::Ledger(row) => entry_of_ledger(row),
        Change::Plan(row) => text("name", &row.name, 1, NAME_BYTES_MAX),
        Change::Limits(row) => row.plan.as_deref().map_or(Ok(()), |plan| text("plan", plan, 1, NAME_BYTES_MAX)),
        Change::TargetOrders(_)
        | Change::AccountGone { .. }
        | Change::Grant(_)
        | Change::PackGone { .. }
        | Change::EntryGone(_)
        | Change::VersionGone(_) => Ok(()),
    }
}

/// Whether an entry may have this name: 1 to 255 bytes, no `/`, no control characters, not `.` or `..`.
fn name_is_sound(name: &str) -> bool {
    let sized = (1..=NAME_BYTES_MAX).contains(&name.len());
    sized && name != "." && name != ".." && !name.chars().any(|letter| letter == '/' || letter.is_control())
}

/// A password's hash as a PHC string.
fn password(hash: Option<&str>) -> Result<(), Broken> {
    let Some(hash) = hash else { return Ok(()) };
    text("password", hash, 1, PASSWORD_BYTES_MAX)?;
    that(hash.starts_with('$') && hash.is_ascii(), "password", "a PHC string", "something else")
}

fn about(row: &AboutRow) -> Result<(), Broken> {
    row.name.as_deref().map_or(Ok(()), |name| text("name", name, 1, NAME_BYTES_MAX))?;
    row.new_plan.as_deref().map_or(Ok(()), |plan| text("new_plan", plan, 1, NAME_BYTES_MAX))?;
    for (field, words) in [("contact", &row.contact), ("imprint", &row.imprint), ("terms", &row.terms)] {
        words.as_deref().map_or(Ok(()), |words| text(field, words, 1, AboutRow::TEXT_BYTES_MAX))?;
    }
    let Some(logo) = &row.logo else { return Ok(()) };
    text("logo", &logo.media_type, 1, NAME_BYTES_MAX)?;
    let (most, got) = (Logo::BYTES_MAX, logo.bytes.len());
    that((1..=most).contains(&got), "logo", format!("1 to {most} bytes"), got)
}

fn mail(row: &MailRow) -> Result<(), Broken> {
    let confirmed = row.confirmed.iter().map(|confirmed| &confirmed.address);
    for address in confirmed.chain(row.wanted.iter().map(|wanted| &wanted.address)) {
        text("address", address, 1, MAIL_BYTES_MAX)?;
        // It becomes a line of SMTP one day.
        let plain = address.bytes().all(|byte| byte.is_ascii_graphic());
        that(plain, "address", "printable ASCII without spaces", address.escape_debug())?;
    }
    Ok(())
}

fn webhook(row: &WebhookRow) -> Result<(), Broken> {
    text("address", &row.address, 1, ADDRESS_BYTES_MAX)?;
    text("label", &row.label, 0, NAME_BYTES_MAX)?;
    that(row.events.is_sorted_by(|one, next| one < next), "events", "each once, ascending", row.events.len())?;
    row.off.as_ref().map_or(Ok(()), |off| text("off", &off.why, 0, WORDS_BYTES_MAX))
}

fn passkey(row: &PasskeyRow) -> Result<(), Broken> {
    text("label", &row.label, 0, NAME_BYTES_MAX)?;
    text("host", &row.host, 1, NAME_BYTES_MAX)?;
    bytes("credential", &row.credential, PasskeyRow::CREDENTIAL_BYTES_MAX)?;
    bytes("key", &row.key, PasskeyRow::KEY_BYTES_MAX)
}

fn identity(row: &IdentityRow) -> Result<(), Broken> {
    text("issuer", &row.issuer, 1, ADDRESS_BYTES_MAX)?;
    text("subject", &row.subject, 1, NAME_BYTES_MAX)?;
    text("name", &row.name, 0, NAME_BYTES_MAX)
}

fn bytes(field: &'static str, bytes: &[u8], most: usize) -> Result<(), Broken> {
    that((1..=most).contains(&bytes.len()), field, format!("1 to {most} bytes"), bytes.len())
}

fn entry(row: &EntryRow) -> Result<(), Broken> {
    that(name_is_sound(&row.name), "name", "1 to 255 bytes, one path component", row.name.escape_debug())?;
    that(row.id != model::entry::ROOT, "id", "an id of its own", "the root's")
}

fn lease(row: &LeaseRow) -> Result<(), Broken> {
    text("contract", &row.contract, 1, NAME_BYTES_MAX)?;
    for (field, words) in [("price", &row.price), ("currency", &row.currency), ("notice_address", &row.notice_address)]
    {
        text(field, words, 0, NAME_BYTES_MAX)?;
    }
    row.servers.iter().try_for_each(|server| {
        text("servers", &server.name, 1, NAME_BYTES_MAX)?;
        text("servers", &server.site, 0, NAME_BYTES_MAX)
    })
}

fn notice(row: &NoticeRow) -> Result<(), Broken> {
    text("text", &row.text, 1, WORDS_BYTES_MAX)?;
    text("cause", &row.cause, 0, NAME_BYTES_MAX)?;
    text("addressee", &row.addressee, 1, NAME_BYTES_MAX)?;
    // They are kept as lines.
    row.servers.iter().try_for_each(|server| {
        text("servers", server, 1, NAME_BYTES_MAX)?;
        that(!server.contains('\n'), "servers", "names of one line", "a line break")
    })?;
    row.document.as_ref().map_or(Ok(()), |document| text("document", &document.name, 1, NAME_BYTES_MAX))
}

fn entry_of_ledger(row: &LedgerEntry) -> Result<(), Broken> {
    text("text", &row.text, 1, LedgerEntry::BYTES_MAX)?;
    let entry = ledger::Entry::parse(&row.text);
    let entry = entry.map_err(|why| Broken {
        field: "text",
        expected: "an entry of the ledger".to_owned(),
        got: why.to_string(),
    })?;
    that(entry.n == row.n, "n", entry.n, row.n)
}

fn pack(row: &Pack) -> Result<(), Broken> {
    that((1..=Scheme::LANES_MAX).contains(&row.k), "k", "1 to 32", row.k)?;
    that(cell_is_sound(row.cell_bytes), "cell_bytes", "a power of two, 4096 or more", row.cell_bytes)?;
    row.makes.iter().try_for_each(make)?;
    row.locations.iter().try_for_each(|location| place(location, row.k))
}

fn place(location: &Location, k: u8) -> Result<(), Broken> {
    let lane = location.lane.unwrap_or(0);
    that(lane < k, "location lane", "one of the k data lanes", lane)?;
    let end = location.offset.checked_add(location.bytes);
    that(end.is_some(), "offset", "offset and length of 64 bits together", location.offset)
}

fn make(make: &Make) -> Result<(), Broken> {
    that(make.lane < Scheme::LANES_MAX, "lane", "less than 32", make.lane)
}

fn version(row: &Version) -> Result<(), Broken> {
    text("media_type", &row.media_type, 0, NAME_BYTES_MAX)?;
    let plain_bytes = row.segments().iter().try_fold(0_u64, |sum, segment| sum.checked_add(segment.plain_bytes));
    that(plain_bytes == Some(row.size), "size", format!("the sum of its segments, {plain_bytes:?}"), row.size)?;
    let largest = row.segments().iter().map(|segment| segment.plain_bytes).max().unwrap_or(0);
    that(largest <= SEGMENT_BYTES_MAX, "plain_bytes", format!("at most {SEGMENT_BYTES_MAX}"), largest)?;
    if let Content::Inline { segment, sealed } = &row.content {
        let fits = sealed_bytes(segment.plain_bytes) == sealed.len() as u64;
        that(fits, "sealed", format!("the frames of {} plaintext bytes", segment.plain_bytes), sealed.len())?;
    }
    Ok(())
}

fn text(field: &'static str, text: &str, least: usize, most: usize) -> Result<(), Broken> {
    that((least..=most).contains(&text.len()), field, format!("{least} to {most} bytes"), text.len())
}

fn that(holds: bool, field: &'static str, expected: impl ToString, got: impl ToString) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { field, expected: expected.to_string(), got: got.to_string() }) }
}
