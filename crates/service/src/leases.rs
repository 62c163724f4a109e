//! Leases: what is rented from which firm, until when, and who says so. Operators keep them; nothing happens to bytes
//! because of what they say.

use catalogue::{Tx, accounts, fleet, leases};
use model::{
    Change, Scope,
    id::{AccountId, LeaseId, ProviderId, TargetId},
    leases::{Desk, LeaseRow, LeaseState, Server},
};
use store::{Draft, ledger::note};

use crate::{
    Service,
    error::{Error, Result},
    tokens::{Caller, hash_of},
};

/// Servers of a lease, and bytes of all that names them: an entry of the ledger holds them.
const SERVERS_MAX: usize = 5_000;
const SERVERS_BYTES_MAX: usize = 512 << 10;
/// Longest line that an operator gives, in bytes.
const LINE_BYTES_MAX: usize = 255;
/// Most days of notice: ten years.
const NOTICE_DAYS_MAX: u32 = 3_650;

/// What an operator says of a lease; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct LeaseWish {
    /// What the contract is called.
    pub contract: Option<String>,
    /// The servers: name, site, and the addresses or ids of targets that lie there.
    pub servers: Option<Vec<(String, String, Vec<String>)>>,
    /// What it costs, in the contract's words.
    pub price: Option<String>,
    /// What a month of it costs: `4.99`; empty: not known.
    pub month: Option<String>,
    /// The currency of that.
    pub currency: Option<String>,
    /// Where the firm wants statements of ours.
    pub notice_address: Option<String>,
    /// Days before its end by which a party says that it ends.
    pub notice_days: Option<u32>,
    /// When it ends; inside `None`: nobody said so.
    pub ends_us: Option<Option<i64>>,
    /// Up to when it is paid for.
    pub paid_until_us: Option<Option<i64>>,
    /// Where it stands.
    pub state: Option<LeaseState>,
}

/// A lease with its firm's name.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Its row.
    pub row: LeaseRow,
    /// The firm.
    pub provider: String,
    /// What its servers' firm has in common with other firms, unless constraints keep them apart.
    pub warnings: Vec<String>,
}

impl Service {
    /// All leases, by contract.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn leases(&self, caller: &Caller) -> Result<Vec<Lease>> {
        caller.must_operate()?;
        self.look(|tx| {
            let providers = fleet::providers(tx)?;
            let targets = fleet::targets(tx)?.into_iter().map(|row| (row.provider, row.state));
            let domains = store::domains(&providers, targets, &store::constraints(tx)?);
            let found = leases::all(tx)?.into_iter().map(|row| {
                let provider = name_of(&providers, row.provider);
                Lease { warnings: store::shared_labels(&providers, &domains, row.provider), row, provider }
            });
            Ok(found.collect())
        })
        .await
    }

    /// Adds a lease of the provider of this name.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoProvider`]; [`Error::BadLease`].
    pub async fn add_lease(&self, caller: &Caller, provider: String, wish: LeaseWish) -> Result<LeaseId> {
        caller.must_operate()?;
        let (id, now_us) = (LeaseId::random(self.store.entropy()), self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let provider = provider_of(tx, &provider)?;
                let empty = LeaseRow {
                    id,
                    provider,
                    contract: String::new(),
                    servers: Vec::new(),
                    price: String::new(),
                    month_micros: None,
                    currency: String::new(),
                    notice_address: String::new(),
                    notice_days: 0,
                    ends_us: None,
                    paid_until_us: None,
                    state: LeaseState::Active,
                    desk: None,
                };
                let row = wished(tx, empty, wish)?;
                state(tx, draft, "lease.added", row, now_us)?;
                Ok(id)
            })
            .await
    }

    /// Changes what is known of a lease.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoSuchId`]; [`Error::BadLease`].
    pub async fn set_lease(&self, caller: &Caller, id: LeaseId, wish: LeaseWish) -> Result<()> {
        caller.must_operate()?;
        let now_us = self.store.now().wall_us;
        self.store
            .commit(move |tx, draft| {
                let row = leases::get(tx, id)?.ok_or(Error::NoSuchId)?;
                let what = match wish.state {
                    Some(LeaseState::Ended) if row.state != LeaseState::Ended => "lease.ended",
                    _ => "lease.changed",
                };
                let row = wished(tx, row, wish)?;
                state(tx, draft, what, row, now_us)
            })
            .await
    }

    /// Opens a lease's desk, or gives it another token: the one before opens nothing any more. The token's text exists here
    /// and nowhere else. Documents that the firm files are kept in the tree of `keeper`.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoSuchId`]; [`Error::NoAccount`] if there is no keeper of that name.
    pub async fn open_desk(&self, caller: &Caller, id: LeaseId, keeper: Option<String>) -> Result<String> {
        caller.must_operate()?;
        let (own, now_us) = (caller.account, self.store.now().wall_us);
        let text = format!("hfd_{}", self.secret());
        let hash = hash_of(&text);
        self.store
            .commit(move |tx, draft| {
                let row = leases::get(tx, id)?.ok_or(Error::NoSuchId)?;
                let account = match keeper {
                    Some(name) => accounts::by_name(tx, &name)?.ok_or(Error::NoAccount { name })?.id,
                    None if own != AccountId::default() => own,
                    None => return Err(Error::BadLease { what: "say in whose files the firm's documents are kept" }),
                };
                let what = if row.desk.is_some() { "desk.new-token" } else { "desk.opened" };
                let fields = [("lease", id.to_string()), ("contract", row.contract.clone())];
                note(tx, draft, what, &fields, now_us)?;
                draft.audit(Some(own), "desk opened", id.to_string());
                let desk = Some(Desk { hash, account, made_us: now_us });
                draft.change(Scope::Cluster, Change::Lease(LeaseRow { desk, ..row }));
                Ok::<_, Error>(())
            })
            .await?;
        Ok(text)
    }

    /// Closes a lease's desk: its token opens nothing any more. What was filed there stays.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoSuchId`]; [`Error::BadLease`] if there is no desk.
    pub async fn close_desk(&self, caller: &Caller, id: LeaseId) -> Result<()> {
        caller.must_operate()?;
        let (own, now_us) = (caller.account, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let row = leases::get(tx, id)?.ok_or(Error::NoSuchId)?;
                if row.desk.is_none() {
                    return Err(Error::BadLease { what: "this lease has no desk; nothing was changed" });
                }
                let fields = [("lease", id.to_string()), ("contract", row.contract.clone())];
                note(tx, draft, "desk.closed", &fields, now_us)?;
                draft.audit(Some(own), "desk closed", id.to_string());
                draft.change(Scope::Cluster, Change::Lease(LeaseRow { desk: None, ..row }));
                Ok(())
            })
            .await
    }
}

/// Puts a lease's new state and its entry in the ledger. Prices and addresses are between the two parties: the entry has
/// what a third needs.
fn state(tx: &Tx<'_>, draft: &mut Draft, what: &str, row: LeaseRow, now_us: i64) -> Result<()> {
    let word = match row.state {
        LeaseState::Active => "active",
        LeaseState::Ending => "ending",
        LeaseState::Ended => "ended",
    };
    let day = |us: Option<i64>| us.map_or_else(|| "unknown".to_owned(), store::ledger::second);
    let fields = [
        ("lease", row.id.to_string()),
        ("provider", row.provider.to_string()),
        ("contract", row.contract.clone()),
        ("state", word.to_owned()),
        ("servers", row.servers.len().to_string()),
        ("notice-days", row.notice_days.to_string()),
        ("ends", day(row.ends_us)),
        ("paid-until", day(row.paid_until_us)),
    ];
    note(tx, draft, what, &fields, now_us)?;
    draft.change(Scope::Cluster, Change::Lease(row));
    Ok(())
}

fn wished(tx: &Tx<'_>, row: LeaseRow, wish: LeaseWish) -> Result<LeaseRow> {
    let bad = |what| Error::BadLease { what };
    let row = LeaseRow {
        contract: wish.contract.unwrap_or(row.contract),
        servers: wish.servers.map_or(Ok(row.servers), |servers| servers_of(tx, servers))?,
        price: wish.price.unwrap_or(row.price),
        month_micros: match wish.month.as_deref() {
            None => row.month_micros,
            Some("") => None,
            Some(text) => {
                let month = store::Money::parse(text);
                Some(month.ok_or_else(|| bad("what a month costs is a number as 4.99"))?.0)
            }
        },
        currency: wish.currency.unwrap_or(row.currency),
        notice_address: wish.notice_address.unwrap_or(row.notice_address),
        notice_days: wish.notice_days.unwrap_or(row.notice_days),
        ends_us: wish.ends_us.unwrap_or(row.ends_us),
        paid_until_us: wish.paid_until_us.unwrap_or(row.paid_until_us),
        state: wish.state.unwrap_or(row.state),
        ..row
    };
    let line = |text: &str| text.len() <= LINE_BYTES_MAX && !text.chars().any(char::is_control);
    if row.contract.trim().is_empty() || row.contract.trim() != row.contract || !line(&row.contract) {
        return Err(bad("a lease is called as its contract: 1 to 255 bytes in one line, with no space at its ends"));
    }
    if leases::by_contract(tx, &row.contract)?
        .is_some_and(|other| other.id != row.id && other.state != LeaseState::Ended)
    {
        return Err(bad("another lease that has not ended has a contract of this name"));
    }
    if !line(&row.price) || !line(&row.currency) || !line(&row.notice_address) {
        return Err(bad("price, currency and address for notices have at most 255 bytes each, in one line"));
    }
    if row.notice_days > NOTICE_DAYS_MAX {
        return Err(bad("a contract asks for at most 3,650 days of notice"));
    }
    Ok(row)
}

fn servers_of(tx: &Tx<'_>, servers: Vec<(String, String, Vec<String>)>) -> Result<Vec<Server>> {
    let bytes: usize = servers.iter().map(|(name, site, _)| name.len() + site.len()).sum();
    if servers.len() > SERVERS_MAX || bytes > SERVERS_BYTES_MAX {
        return Err(Error::BadLease {
            what: "a lease has at most 5,000 servers, whose names have at most 512 KiB together",
        });
    }
    let targets = fleet::targets(tx)?;
    let known = |text: &String| -> Result<TargetId> {
        let found = targets.iter().find(|row| row.address == *text || row.id.to_string() == *text);
        found
            .map(|row| row.id)
            .ok_or(Error::BadLease { what: "a server names a target that is not there; `holdfast fleet` lists them" })
    };
    let mut found: Vec<Server> = Vec::with_capacity(servers.len());
    let mut names = std::collections::BTreeSet::new();
    for (name, site, targets) in servers {
        let sound = !name.trim().is_empty() && name.len() <= LINE_BYTES_MAX && site.len() <= LINE_BYTES_MAX;
        if !sound || name.chars().chain(site.chars()).any(char::is_control) || !names.insert(name.clone()) {
            return Err(Error::BadLease { what: "each server has a name of its own, of 1 to 255 bytes in one line" });
        }
        found.push(Server { name, site, targets: targets.iter().map(known).collect::<Result<_>>()? });
    }
    Ok(found)
}

fn provider_of(tx: &Tx<'_>, name: &str) -> Result<ProviderId> {
    let found = fleet::providers(tx)?.into_iter().find(|row| row.name == name);
    Ok(found.ok_or_else(|| Error::NoProvider { name: name.to_owned() })?.id)
}

/// A provider's name; its id if it is not known.
pub(crate) fn name_of(providers: &[model::fleet::ProviderRow], id: ProviderId) -> String {
    providers.iter().find(|row| row.id == id).map_or_else(|| id.to_string(), |row| row.name.clone())
}
