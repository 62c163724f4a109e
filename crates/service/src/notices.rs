//! Notices: statements that firms serve on us, we on them, and the service on its operators.
//!
//! A notice stays for ever, and each change of its state is an entry of the ledger in the same commit. What came by letter is
//! entered by a person; what a firm files itself comes by [`crate::desk`]; what the service raises, and how often people are
//! told, is in [`crate::watch`]. Nothing happens to bytes because of a notice.

use aws_lc_rs::digest::{SHA256, digest};
use catalogue::{Tx, accounts, fleet, leases};
use model::{
    Change, Scope,
    id::{LeaseId, NoticeId, ProviderId, TargetId},
    leases::{Document, LeaseRow, NoticeRow, NoticeState, Served},
};
use store::{Draft, ledger::note};

use crate::{
    Service,
    error::{Error, Result},
    leases::name_of,
    tokens::Caller,
};

/// Longest words of a notice, in bytes.
pub const NOTICE_BYTES_MAX: usize = 16 << 10;
/// Longest list of servers that a notice names, in bytes: its entry in the ledger has to hold it.
const SERVERS_BYTES_MAX: usize = 8 << 10;
/// Longest document, in bytes.
pub const DOCUMENT_BYTES_MAX: u64 = 8 << 20;
/// Longest name of a document, in bytes.
const NAME_BYTES_MAX: usize = 128;
/// Notices that are listed.
const LISTED: usize = 500;

/// A notice as a person enters it.
#[derive(Clone, Debug, Default)]
pub struct Entered {
    /// The lease that it concerns, or else the firm, by name.
    pub lease: Option<LeaseId>,
    /// The firm.
    pub provider: Option<String>,
    /// Whether it is ours, to the firm, in force until it is released.
    pub to_firm: bool,
    /// To whom it is served; empty: the firm, or us.
    pub addressee: String,
    /// The servers that it names; none: all.
    pub servers: Vec<String>,
    /// By when something is to happen.
    pub deadline_us: Option<i64>,
    /// Its words.
    pub text: String,
    /// The document that follows: name, length, SHA-256.
    pub document: Option<(String, u64, [u8; 32])>,
    /// The notice whose place it takes.
    pub supersedes: Option<NoticeId>,
}

/// A notice with the names of what it concerns.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its row.
    pub row: NoticeRow,
    /// The firm, by name.
    pub provider: Option<String>,
    /// The lease's contract.
    pub contract: Option<String>,
    /// Who took note of it, by name; empty: at the machine.
    pub by: Option<String>,
}

/// What a person does with a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes note: nobody is told again.
    Acknowledge,
    /// Has decided what to do.
    Plan,
    /// Has done it.
    Finish,
    /// Gives up a statement of ours.
    Release,
}

impl Service {
    /// Notices, the latest first; with `open` those alone that need a person or hold.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn notices(&self, caller: &Caller, open: bool) -> Result<Vec<Notice>> {
        caller.must_operate()?;
        self.look(move |tx| {
            let rows = if open { leases::open_notices(tx, LISTED)? } else { leases::notices(tx, LISTED)? };
            let providers = fleet::providers(tx)?;
            rows.into_iter()
                .map(|row| {
                    let lease = row.lease.map(|id| leases::get(tx, id)).transpose()?.flatten();
                    let by = row.acknowledged.map(|(who, _)| accounts::by_id(tx, who)).transpose()?;
                    Ok(Notice {
                        provider: row.provider.map(|id| name_of(&providers, id)),
                        contract: lease.map(|lease| lease.contract),
                        by: by.map(|account| account.map(|account| account.name).unwrap_or_default()),
                        row,
                    })
                })
                .collect()
        })
        .await
    }

    /// Enters a notice that came by letter or mail, or one of ours to a firm.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::BadNotice`]; Missing if there is no such lease, firm or notice.
    pub async fn enter_notice(&self, caller: &Caller, entered: Entered) -> Result<NoticeId> {
        caller.must_operate()?;
        let (id, now_us) = (NoticeId::random(self.store.entropy()), self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let lease = entered.lease.map(|id| leases::get(tx, id)?.ok_or(Error::NoSuchId)).transpose()?;
                let provider = match (&lease, &entered.provider) {
                    (Some(lease), _) => lease.provider,
                    (None, Some(name)) => {
                        let found = fleet::providers(tx)?.into_iter().find(|row| row.name == *name);
                        found.ok_or_else(|| Error::NoProvider { name: name.clone() })?.id
                    }
                    (None, None) => return Err(bad("name the lease or the firm that it concerns")),
                };
                let firm = name_of(&fleet::providers(tx)?, provider);
                let addressee = match (entered.addressee.is_empty(), entered.to_firm) {
                    (false, _) => entered.addressee.clone(),
                    (true, true) => firm,
                    (true, false) => "the operator".to_owned(),
                };
                let text = entered.text.clone();
                let served = if entered.to_firm { Served::ToFirm } else { Served::ByLetter };
                let content = sha256(text.as_bytes());
                let row = drawn(tx, id, provider, lease.as_ref(), &entered, now_us)?;
                let state = if entered.to_firm { NoticeState::InForce } else { NoticeState::Received };
                let row = NoticeRow { from: served, addressee, content, state, ..row };
                if let Some(old) = entered.supersedes {
                    let old = leases::notice(tx, old)?.ok_or(Error::NoSuchId)?;
                    supersede(tx, draft, old, "another took its place", now_us)?;
                }
                serve(tx, draft, row, now_us)?;
                Ok(id)
            })
            .await
    }

    /// Does something with a notice.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoSuchId`]; [`Error::BadNotice`] for what does not go with its state.
    pub async fn act_on_notice(&self, caller: &Caller, id: NoticeId, act: Act) -> Result<()> {
        caller.must_operate()?;
        let (own, now_us) = (caller.account, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let row = leases::notice(tx, id)?.ok_or(Error::NoSuchId)?;
                let state = after(row.state, act)?;
                let acknowledged = row.acknowledged.or(Some((own, now_us)));
                let what = match state {
                    NoticeState::Acknowledged => "notice.acknowledged",
                    NoticeState::Planned => "notice.planned",
                    NoticeState::Released => "notice.released",
                    _ => "notice.done",
                };
                let by =
                    accounts::by_id(tx, own)?.map_or_else(|| "at the machine".to_owned(), |row| row.id.to_string());
                note(tx, draft, what, &[("notice", id.to_string()), ("by", by)], now_us)?;
                draft.change(
                    Scope::Cluster,
                    Change::Notice(NoticeRow { state, acknowledged, changed_us: now_us, ..row }),
                );
                Ok(())
            })
            .await
    }
}

/// Where a notice stands after what a person did.
fn after(state: NoticeState, act: Act) -> Result<NoticeState> {
    Ok(match (state, act) {
        (NoticeState::InForce, Act::Release) => NoticeState::Released,
        (NoticeState::InForce, _) => return Err(bad("a statement of ours is in force until it is released")),
        (_, Act::Release) => return Err(bad("only a statement of ours that is in force is released")),
        (NoticeState::Received, Act::Acknowledge) => NoticeState::Acknowledged,
        (NoticeState::Received | NoticeState::Acknowledged, Act::Plan) => NoticeState::Planned,
        (NoticeState::Received | NoticeState::Acknowledged | NoticeState::Planned, Act::Finish) => NoticeState::Done,
        _ => return Err(bad("the notice is beyond that already")),
    })
}

/// A notice's row as what was said of it, if that may be said.
pub(crate) fn drawn(
    tx: &Tx<'_>,
    id: NoticeId,
    provider: ProviderId,
    lease: Option<&LeaseRow>,
    said: &Entered,
    now_us: i64,
) -> Result<NoticeRow> {
    let sized = (1..=NOTICE_BYTES_MAX).contains(&said.text.len());
    if !sized || said.text.trim().is_empty() {
        return Err(bad("a notice has words, at most 16 KiB; what is longer goes into its document"));
    }
    if said.addressee.len() > NAME_BYTES_MAX || said.addressee.chars().any(char::is_control) {
        return Err(bad("an addressee has at most 128 bytes in one line"));
    }
    if said.servers.iter().map(|name| name.len() + 1).sum::<usize>() > SERVERS_BYTES_MAX {
        return Err(bad("the names of servers have at most 8 KiB together; name none for all of a lease"));
    }
    let targets = scope_of(tx, provider, lease, &said.servers)?;
    let document = said.document.as_ref().map(|(name, bytes, sha256)| {
        let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
        if !fits {
            return Err(bad("a document's name has 1 to 128 bytes in one line"));
        }
        if *bytes > DOCUMENT_BYTES_MAX {
            return Err(bad("a document has at most 8 MiB; send what matters, and the rest by other means"));
        }
        Ok(Document { name: name.clone(), sha256: *sha256, bytes: *bytes, kept: None })
    });
    Ok(NoticeRow {
        id,
        provider: Some(provider),
        lease: lease.map(|lease| lease.id),
        from: Served::ByLetter,
        cause: String::new(),
        addressee: said.addressee.clone(),
        servers: said.servers.clone(),
        targets,
        deadline_us: said.deadline_us,
        text: said.text.clone(),
        content: [0; 32],
        document: document.transpose()?,
        state: NoticeState::Received,
        made_us: now_us,
        acknowledged: None,
        changed_us: now_us,
        supersedes: said.supersedes,
    })
}

/// The targets on the servers that are named, or on all of the lease.
fn scope_of(tx: &Tx<'_>, provider: ProviderId, lease: Option<&LeaseRow>, servers: &[String]) -> Result<Vec<TargetId>> {
    let Some(lease) = lease else {
        if !servers.is_empty() {
            return Err(bad("servers belong to a lease: name it, or no server"));
        }
        return Ok(fleet::targets(tx)?.into_iter().filter(|row| row.provider == provider).map(|row| row.id).collect());
    };
    let mut found = Vec::new();
    for name in servers {
        let server = lease.servers.iter().find(|server| server.name == *name);
        let server = server.ok_or_else(|| {
            let what = format!(
                "this lease has no server called {:?}; it has {}. Nothing was filed: correct the name, or name none \
                 for all of them",
                short(name),
                some_names(lease)
            );
            Error::BadNotice { what }
        })?;
        found.extend(&server.targets);
    }
    if servers.is_empty() {
        found.extend(lease.servers.iter().flat_map(|server| &server.targets));
    }
    Ok(found)
}

fn some_names(lease: &LeaseRow) -> String {
    const NAMED: usize = 5;
    let names: Vec<_> = lease.servers.iter().take(NAMED).map(|server| server.name.as_str()).collect();
    match lease.servers.len() {
        0 => "none on record".to_owned(),
        all if all > NAMED => format!("{}, … ({all} in all)", names.join(", ")),
        _ => names.join(", "),
    }
}

/// Notes a notice and puts its row; the number of its entry.
pub(crate) fn serve(tx: &Tx<'_>, draft: &mut Draft, row: NoticeRow, now_us: i64) -> Result<u64> {
    let what = match row.from {
        Served::AtDesk => "notice.filed",
        Served::ByLetter => "notice.entered",
        Served::ToFirm => "notice.served",
        Served::Raised => "notice.raised",
    };
    let mut fields = vec![("notice", row.id.to_string()), ("addressee", row.addressee.clone())];
    fields.extend(row.provider.map(|id| ("provider", id.to_string())));
    fields.extend(row.lease.map(|id| ("lease", id.to_string())));
    fields.extend(row.deadline_us.map(|us| ("deadline", store::ledger::second(us))));
    fields.extend(row.supersedes.map(|id| ("supersedes", id.to_string())));
    if !row.servers.is_empty() {
        fields.push(("servers", row.servers.join(", ")));
    }
    fields.push(("content-sha256", hex(&row.content)));
    if let Some(document) = &row.document {
        fields.push(("document-sha256", hex(&document.sha256)));
    }
    fields.push(("text", row.text.clone()));
    let n = note(tx, draft, what, &fields, now_us)?;
    draft.change(Scope::Cluster, Change::Notice(row));
    Ok(n)
}

/// Ends a notice that another takes the place of, or whose cause is gone.
pub(crate) fn supersede(tx: &Tx<'_>, draft: &mut Draft, row: NoticeRow, why: &str, now_us: i64) -> Result<()> {
    if row.state.is_open() {
        note(tx, draft, "notice.superseded", &[("notice", row.id.to_string()), ("why", why.to_owned())], now_us)?;
        let state = NoticeState::Superseded;
        draft.change(Scope::Cluster, Change::Notice(NoticeRow { state, changed_us: now_us, ..row }));
    }
    Ok(())
}

pub(crate) fn bad(what: &str) -> Error {
    Error::BadNotice { what: what.to_owned() }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::{Act, NoticeState, after};

    #[test]
    fn a_notice_goes_forward_only() {
        for (state, act, then) in [
            (NoticeState::Received, Act::Acknowledge, Some(NoticeState::Acknowledged)),
            (NoticeState::Received, Act::Finish, Some(NoticeState::Done)),
            (NoticeState::Acknowledged, Act::Acknowledge, None),
            (NoticeState::Planned, Act::Finish, Some(NoticeState::Done)),
            (NoticeState::Done, Act::Plan, None),
            (NoticeState::Superseded, Act::Acknowledge, None),
            (NoticeState::InForce, Act::Release, Some(NoticeState::Released)),
            (NoticeState::InForce, Act::Finish, None),
            (NoticeState::Received, Act::Release, None),
            (NoticeState::Released, Act::Release, None),
        ] {
            assert_eq!(after(state, act).ok(), then, "{state:?} {act:?}");
        }
    }
}
