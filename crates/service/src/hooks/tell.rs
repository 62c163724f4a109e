//! The way out: events to webhooks, one at a time for each, so many at a time in all.
//!
//! What is not taken is tried again at growing waits for three days. A webhook that took nothing at all for three days is
//! switched off, and its line says why; one that answers 410 is so at once. A slow receiver keeps others waiting by nothing but
//! its own place, of which one account has two at most.

use std::{collections::HashSet, sync::Arc};

use catalogue::{
    Tx,
    hooks::{self, Event, Standing},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use model::{
    Change, Scope,
    id::{AccountId, EntryId, MessageId, ShareId, VersionId, WebhookId},
    outgoing::{EventKind, SwitchedOff, WebhookRow},
    world::{BoxFuture, Timer},
};

use store::Draft;

use super::Hooks;
use crate::{
    Service,
    error::{Error, Result},
    tokens::role_of,
};

/// How long events of a suspended account wait before it is looked at again.
const SUSPENDED_US: i64 = 600_000_000;
/// Events that are told at a time, and of them those of one account.
const AT_ONCE: usize = 16;
const OF_ONE: usize = 2;
/// How often the queue is looked at when nothing ends.
const LOOK_US: u64 = 1_000_000;
/// Waits after each vain try of an event, in seconds; the last one goes on.
const WAITS_S: [i64; 9] = [5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000];
/// How long an event is tried, and a webhook kept on that takes nothing.
const TRIED_US: i64 = 3 * 86_400_000_000;
/// How long a webhook is left alone after it took nothing, in seconds; twice as long each time, up to the longest.
const REST_S: i64 = 5;
const REST_MAX_S: i64 = 600;

/// An event on its way to an address. Its secret signs it and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Its id; the same for each try.
    pub id: MessageId,
    /// Where it goes.
    pub address: String,
    /// What it is signed with.
    pub secret: [u8; 32],
    /// What happened; `None`: nothing, this is a trial.
    pub kind: Option<EventKind>,
    /// When it happened, microseconds since 1970.
    pub at_us: i64,
    /// Where it was then, if it has a place.
    pub path: Option<String>,
    /// Plaintext bytes.
    pub size: Option<u64>,
    /// The file or folder.
    pub entry: Option<EntryId>,
    /// The version.
    pub version: Option<VersionId>,
    /// The link.
    pub share: Option<ShareId>,
    /// When this try is made.
    pub now_us: i64,
}

impl std::fmt::Debug for Parcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parcel").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Parcel {
    fn of(event: &Event, row: &WebhookRow, now_us: i64) -> Self {
        Self {
            id: event.id,
            kind: Some(event.kind),
            at_us: event.at_us,
            path: event.path.clone(),
            size: event.size,
            entry: event.entry,
            version: event.version,
            share: event.share,
            ..Self::trial(row, event.id, now_us)
        }
    }

    pub(super) fn trial(row: &WebhookRow, id: MessageId, now_us: i64) -> Self {
        let (address, secret) = (row.address.clone(), row.secret);
        let (kind, path, size, entry, version, share) = (None, None, None, None, None, None);
        Self { id, address, secret, kind, at_us: now_us, path, size, entry, version, share, now_us }
    }
}

/// What became of a try.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The status of the answer.
    pub status: Option<u16>,
    /// What went wrong; `None`: it was taken.
    pub trouble: Option<String>,
}

/// Carries events to addresses that users named.
pub trait Courier: Send + Sync {
    /// Whether anything may be sent there, as it looks now; else why not.
    fn admits<'a>(&'a self, address: &'a str) -> BoxFuture<'a, std::result::Result<(), String>>;

    /// Hands over one event, signed; returns within half a minute, whatever the other side does.
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Delivered>;
}

impl Service {
    /// Tells webhooks what happened, until it is dropped. What goes wrong with the store is handed to `trouble`.
    pub async fn tell_webhooks(&self, timer: Arc<dyn Timer>, trouble: impl Fn(Error)) {
        let Some(carries) = self.hooks.clone() else { return };
        let mut under_way = FuturesUnordered::new();
        let mut busy: HashSet<(AccountId, WebhookId)> = HashSet::new();
        loop {
            let now_us = self.store.now().wall_us;
            let due = match self.store.read(move |tx| hooks::due(tx, now_us)).await {
                Ok(due) => due,
                Err(error) => {
                    trouble(error.into());
                    Vec::new()
                }
            };
            for (account, hook) in due {
                let of_one = busy.iter().filter(|(other, _)| *other == account).count();
                if busy.len() < AT_ONCE && of_one < OF_ONE && busy.insert((account, hook)) {
                    let told = self.tell_next(carries.clone(), account, hook);
                    under_way.push(async move { ((account, hook), told.await) });
                }
            }
            tokio::select! {
                Some((hook, told)) = under_way.next(), if !under_way.is_empty() => {
                    busy.remove(&hook);
                    if let Err(error) = told {
                        trouble(error);
                        timer.sleep(LOOK_US).await;
                    }
                }
                () = timer.sleep(LOOK_US) => {}
            }
        }
    }

    /// Tells a webhook the next thing that is due.
    async fn tell_next(&self, carries: Hooks, account: AccountId, hook: WebhookId) -> Result<()> {
        let now_us = self.store.now().wall_us;
        let found =
            self.look(move |tx| Ok((hooks::get(tx, account, hook)?, hooks::next(tx, account, hook, now_us)?))).await?;
        let (Some(row), Some(event)) = found else {
            return self.forget_events(account, hook).await;
        };
        if row.ended_us.is_some() || row.off.is_some() {
            return self.forget_events(account, hook).await;
        }
        if self.look(move |tx| role_of(tx, account)).await.is_err() {
            // Nothing of a suspended account is told to anybody; later, if it is let go on.
            let not_before_us = now_us.saturating_add(SUSPENDED_US);
            let wait = move |tx: &mut Tx<'_>, _: &mut Draft| {
                let standing = Standing { not_before_us, ..hooks::standing(tx, account, hook)? };
                Ok::<_, Error>(hooks::set_standing(tx, account, hook, &standing)?)
            };
            return self.store.commit(wait).await;
        }
        let delivered = carries.courier().deliver(&Parcel::of(&event, &row, now_us)).await;
        self.note(account, event, delivered).await
    }

    async fn forget_events(&self, account: AccountId, hook: WebhookId) -> Result<()> {
        self.store.commit(move |tx, _| Ok::<_, Error>(hooks::forget(tx, account, hook)?)).await
    }

    /// Notes what became of a try, and decides about the next.
    async fn note(&self, account: AccountId, event: Event, delivered: Delivered) -> Result<()> {
        let now_us = self.store.now().wall_us;
        let hook = event.hook;
        self.store
            .commit(move |tx, draft| {
                let row = hooks::get(tx, account, hook)?.filter(|row| row.ended_us.is_none() && row.off.is_none());
                // Ended or switched off meanwhile: nothing is to be known of it.
                let Some(row) = row else { return Ok(hooks::forget(tx, account, hook)?) };
                let before = hooks::standing(tx, account, hook)?;
                let Delivered { status, trouble } = delivered;
                let mut standing =
                    Standing { last: Some((now_us, event.kind)), status, trouble, ..Standing::default() };
                let Some(why) = standing.trouble.clone() else {
                    hooks::done(tx, event.id)?;
                    return Ok(hooks::set_standing(tx, account, hook, &standing)?);
                };
                let failing_us = before.failing_us.unwrap_or(now_us);
                standing.failing_us = Some(failing_us);
                standing.failures = before.failures.saturating_add(1);
                standing.not_before_us = now_us.saturating_add(rest_s(before.failures) * 1_000_000);
                let is_dead = now_us.saturating_sub(failing_us) >= TRIED_US;
                if is_dead || status == Some(410) {
                    let why =
                        if is_dead { format!("it took nothing for three days; the last time: {why}") } else { why };
                    hooks::forget(tx, account, hook)?;
                    let off = Some(SwitchedOff { at_us: now_us, why });
                    draft.audit(Some(account), "webhook switched off", hook.to_string());
                    draft.change(Scope::Account(account), Change::Webhook(WebhookRow { off, ..row }));
                } else if now_us.saturating_sub(event.at_us) >= TRIED_US {
                    hooks::done(tx, event.id)?;
                } else {
                    let wait_s = WAITS_S[(event.tries as usize).min(WAITS_S.len() - 1)];
                    let due_us = now_us.saturating_add(wait_s * 1_000_000);
                    hooks::postpone(tx, event.id, due_us, event.tries.saturating_add(1))?;
                }
                Ok::<_, Error>(hooks::set_standing(tx, account, hook, &standing)?)
            })
            .await
    }
}

/// How long a webhook rests after it failed, having failed so often before.
fn rest_s(failures: u32) -> i64 {
    REST_S.saturating_mul(1 << failures.min(20)).min(REST_MAX_S)
}
