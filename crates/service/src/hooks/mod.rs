//! Webhooks: addresses of its owner's programs that an account's events are told to.
//!
//! An event is a row, written in the transaction of what it tells of ([`happened`]), so that none is lost and none tells of what
//! was not done; [`tell`] is the queue's way out. Users name the machines that we speak to: what may be reached is decided by
//! whoever carries ([`Courier`]), for each try anew.

mod tell;

pub use tell::{Courier, Delivered, Parcel};

use std::sync::Arc;

use catalogue::{
    Tx,
    hooks::{self, Event, Standing},
};
use model::{
    Change, Scope,
    entry::EntryRow,
    id::{AccountId, EntryId, MessageId, ShareId, VersionId, WebhookId},
    outgoing::{EventKind, SwitchedOff, WebhookRow},
    world::Entropy,
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    hours::Hours,
    paths::Path,
    places::Top,
    sign_in,
    tokens::{Caller, role_of},
    tree,
};

/// The most webhooks of an account.
const HOOKS_MAX: usize = 10;
/// The longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 2_048;
/// Events that wait, for one account and in all; and how many of one account wait whatever all others have.
const WAITING_MAX: u64 = 10_000;
const WAITING_ALL_MAX: u64 = 100_000;
const WAITING_ALWAYS: u64 = 100;
/// How often an hour an account may try its webhooks.
const TRIES: u32 = 60;
/// And how often it may name an address: each is looked up.
const NAMES: u32 = 30;

/// Who carries events, and how often somebody had one tried.
#[derive(Clone)]
pub(crate) struct Hooks(Arc<(Arc<dyn Courier>, Hours)>);

impl Hooks {
    fn courier(&self) -> &dyn Courier {
        &*self.0.0
    }
}

/// A webhook as its owner sees it.
#[derive(Clone, Debug)]
pub struct Hooked {
    /// Its row.
    pub row: WebhookRow,
    /// How it went the last time.
    pub standing: Standing,
    /// How many events wait.
    pub waiting: u64,
}

/// What its owner wants of a webhook. What is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct HookWish {
    /// Whether anything is sent.
    pub on: Option<bool>,
    /// What is told.
    pub events: Option<Vec<EventKind>>,
    /// What it is called.
    pub label: Option<String>,
}

/// Something that happened in an account.
pub(crate) struct Happened {
    pub kind: EventKind,
    pub path: Option<String>,
    pub size: Option<u64>,
    pub entry: Option<EntryId>,
    pub version: Option<VersionId>,
    pub share: Option<ShareId>,
}

impl Service {
    /// With webhooks, carried by `courier`.
    #[must_use]
    pub fn with_webhooks(self, courier: Arc<dyn Courier>) -> Self {
        Self { hooks: Some(Hooks(Arc::new((courier, Hours::default())))), ..self }
    }

    /// The caller's webhooks, oldest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn webhooks(&self, caller: &Caller) -> Result<Vec<Hooked>> {
        let account = caller.account;
        self.look(move |tx| hooks::all(tx, account)?.into_iter().map(|row| hooked(tx, account, row)).collect()).await
    }

    /// Makes a webhook; its secret is in the row and is shown this once.
    ///
    /// # Errors
    /// [`Error::BadWebhook`]: it cannot be reached by our rules, tells of nothing, or there are ten.
    pub async fn add_webhook(
        &self,
        caller: &Caller,
        address: String,
        events: Vec<EventKind>,
        label: String,
    ) -> Result<Hooked> {
        let Some(carries) = &self.hooks else { return Err(bad("this service sends nothing to webhooks")) };
        check_address(&address)?;
        let events = sorted(events)?;
        if !carries.0.1.admits(&format!("name {}", caller.account), NAMES, self.store.now().monotonic_us) {
            return Err(Error::TooManyAttempts { wait_s: 3_600 });
        }
        carries.courier().admits(&address).await.map_err(bad)?;
        let (account, made_us) = (caller.account, self.store.now().wall_us);
        let id = WebhookId::random(self.store.entropy());
        let mut secret = [0; 32];
        self.store.entropy().fill(&mut secret);
        let label = sign_in::shortened(label);
        let row = WebhookRow { id, address, secret, events, label, made_us, ended_us: None, off: None };
        self.store
            .commit(move |tx, draft| {
                role_of(tx, account)?;
                if hooks::all(tx, account)?.len() >= HOOKS_MAX {
                    return Err(bad("ten webhooks are the most; remove one first"));
                }
                draft.audit(Some(account), "webhook made", id.to_string());
                draft.change(Scope::Account(account), Change::Webhook(row.clone()));
                Ok(Hooked { row, standing: Standing::default(), waiting: 0 })
            })
            .await
    }

    /// Changes a webhook. Switched on again, it begins anew; switched off, what waited is forgotten.
    ///
    /// # Errors
    /// Missing if the caller has none such; [`Error::BadWebhook`] if it would tell of nothing.
    pub async fn change_webhook(&self, caller: &Caller, id: WebhookId, wish: HookWish) -> Result<Hooked> {
        let (account, now_us) = (caller.account, self.store.now().wall_us);
        let events = wish.events.map(sorted).transpose()?;
        self.store
            .commit(move |tx, draft| {
                let mut row = live(tx, account, id)?;
                row.events = events.unwrap_or(row.events);
                row.label = wish.label.map_or(row.label, sign_in::shortened);
                match (wish.on, &row.off) {
                    (Some(true), Some(_)) => {
                        row.off = None;
                        hooks::forget(tx, account, id)?;
                    }
                    (Some(false), None) => {
                        row.off = Some(SwitchedOff { at_us: now_us, why: String::new() });
                        hooks::forget(tx, account, id)?;
                    }
                    _ => {}
                }
                draft.change(Scope::Account(account), Change::Webhook(row.clone()));
                hooked(tx, account, row)
            })
            .await
    }

    /// Ends a webhook; what waited is forgotten.
    ///
    /// # Errors
    /// Missing if the caller has none such.
    pub async fn end_webhook(&self, caller: &Caller, id: WebhookId) -> Result<()> {
        let (account, now_us) = (caller.account, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let row = live(tx, account, id)?;
                draft.audit(Some(account), "webhook ended", id.to_string());
                end(tx, draft, account, row, now_us)
            })
            .await
    }

    /// Sends a trial event at once, whether the webhook is on or off, and says what came of it.
    ///
    /// # Errors
    /// Missing if the caller has none such; [`Error::TooManyAttempts`].
    pub async fn try_webhook(&self, caller: &Caller, id: WebhookId) -> Result<Delivered> {
        let (account, now) = (caller.account, self.store.now());
        let row = self.look(move |tx| live(tx, account, id)).await?;
        let Some(carries) = &self.hooks else { return Err(bad("this service sends nothing to webhooks")) };
        if !carries.0.1.admits(&account.to_string(), TRIES, now.monotonic_us) {
            return Err(Error::TooManyAttempts { wait_s: 3_600 });
        }
        let message = MessageId::random(self.store.entropy());
        Ok(carries.courier().deliver(&Parcel::trial(&row, message, now.wall_us)).await)
    }
}

/// Has an account's webhooks told of something, when the transaction that it happens in is done.
pub(crate) fn happened(
    tx: &mut Tx<'_>,
    entropy: &dyn Entropy,
    account: AccountId,
    now_us: i64,
    what: &Happened,
) -> Result<()> {
    let mut is_full = None;
    for row in hooks::all(tx, account)? {
        if row.off.is_some() || !row.events.contains(&what.kind) {
            continue;
        }
        // Counted once: a change tells ten webhooks at most.
        let is_full = match is_full {
            Some(known) => known,
            None => *is_full.insert(full(tx, account)?),
        };
        if is_full {
            let trouble = Some("very many events wait already; later ones were left out".to_owned());
            let standing = Standing { trouble, ..hooks::standing(tx, account, row.id)? };
            hooks::set_standing(tx, account, row.id, &standing)?;
            continue;
        }
        let event = Event {
            id: MessageId::random(entropy),
            account,
            hook: row.id,
            kind: what.kind,
            at_us: now_us,
            path: what.path.clone(),
            size: what.size,
            entry: what.entry,
            version: what.version,
            share: what.share,
            due_us: now_us,
            tries: 0,
        };
        hooks::put(tx, &event)?;
    }
    Ok(())
}

/// Whether as many events of an account wait as may.
fn full(tx: &Tx<'_>, account: AccountId) -> Result<bool> {
    let own = hooks::waiting_of(tx, Some(account), WAITING_MAX)?;
    // All are counted for those alone of whom much waits.
    let is_much = own >= WAITING_ALWAYS;
    Ok(own >= WAITING_MAX || (is_much && hooks::waiting_of(tx, None, WAITING_ALL_MAX)? >= WAITING_ALL_MAX))
}

/// The path of a file, from the top of its owner's tree.
pub(crate) fn path_in(tx: &Tx<'_>, top: &Top, path: &Path) -> Result<Option<String>> {
    let above = match &top.row {
        None => String::new(),
        Some(EntryRow { id, .. }) => match tree::path_of(tx, top.account, *id)? {
            Some(above) => above,
            None => return Ok(None),
        },
    };
    Ok(Some(format!("{above}/{}", path.names().join("/"))))
}

/// Ends all of an account that goes.
pub(crate) fn end_all(tx: &mut Tx<'_>, draft: &mut Draft, account: AccountId, now_us: i64) -> Result<()> {
    for row in hooks::all(tx, account)? {
        end(tx, draft, account, row, now_us)?;
    }
    Ok(())
}

fn end(tx: &mut Tx<'_>, draft: &mut Draft, account: AccountId, row: WebhookRow, now_us: i64) -> Result<()> {
    hooks::forget(tx, account, row.id)?;
    draft.change(Scope::Account(account), Change::Webhook(WebhookRow { ended_us: Some(now_us), ..row }));
    Ok(())
}

fn live(tx: &Tx<'_>, account: AccountId, id: WebhookId) -> Result<WebhookRow> {
    hooks::get(tx, account, id)?.filter(|row| row.ended_us.is_none()).ok_or(Error::NoSuchId)
}

fn hooked(tx: &Tx<'_>, account: AccountId, row: WebhookRow) -> Result<Hooked> {
    let (standing, waiting) = (hooks::standing(tx, account, row.id)?, hooks::waiting(tx, account, row.id)?);
    Ok(Hooked { row, standing, waiting })
}

/// Each event once, in order.
fn sorted(mut events: Vec<EventKind>) -> Result<Vec<EventKind>> {
    events.sort_unstable();
    events.dedup();
    if events.is_empty() { Err(bad("name at least one event that the webhook is told of")) } else { Ok(events) }
}

fn check_address(address: &str) -> Result<()> {
    let web = address.starts_with("https://") || address.starts_with("http://");
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic()) && !address.contains('#');
    if web && plain && address.len() <= ADDRESS_BYTES_MAX {
        return Ok(());
    }
    Err(bad("the address of a webhook begins with https:// and has at most 2,048 plain characters"))
}

fn bad(what: impl Into<String>) -> Error {
    Error::BadWebhook { what: what.into() }
}
