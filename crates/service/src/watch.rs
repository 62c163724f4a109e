//! What the service tells its operators of by itself: leases that end, bills, firms that do not answer, kits that are old, upkeep
//! that is silent; and notices that nobody took note of, again and again.
//!
//! What is due is decided in `plan`; here it becomes rows, mails and events. A statement of ours that is in force is served
//! again whenever what it covers changes its state.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Tx, accounts, fleet, leases};
use model::{
    account::Role,
    fleet::TargetState,
    id::{AccountId, NoticeId, TargetId},
    leases::{NoticeRow, NoticeState, Served},
    outgoing::EventKind,
};
use store::{Due, Kits, Seen, due, is_told_again, ledger::note, still_stands};

use crate::{
    Service,
    error::{Error, Result},
    hooks::{self, Happened},
    leases::name_of,
    mail::{self, Telling, Waiting},
    notices::{serve, sha256, supersede},
    tokens::role_of,
};

/// Notices that people are told of at once, and those that a mail spells out.
const WAITING_MAX: usize = 2_000;
const TOLD_MAX: usize = 10;
/// Characters of a notice's words that a mail repeats.
const WORDS_CHARS: usize = 160;

impl Service {
    /// Raises what is due, closes what is not any more, tells operators of what nobody took note of, and serves statements
    /// again whose matter changed. What there is nothing to do about costs a look.
    ///
    /// # Errors
    /// As the store says; the next round goes on.
    pub async fn watch(&self) -> Result<()> {
        let (seen, jobs) = (self.store.targets_seen(), self.store.jobs_seen());
        let age = self.store.operator_kit().await?;
        let trial = self.store.is_trial();
        let now_us = self.store.now().wall_us;
        let (leases, open, untested) =
            self.look(|tx| Ok((leases::all(tx)?, leases::raised_notices(tx)?, accounts::kits_untested(tx)?))).await?;
        let kits = Kits { trial, operator_made: age.made_us.is_some(), operator_current: age.is_current, untested };
        let all = due(&leases, &seen, kits, &jobs, &self.store.budgets_used_up(), now_us);
        let causes: BTreeSet<&str> = all.iter().map(|due| due.cause.as_str()).collect();
        let raised: BTreeSet<&str> = open.iter().map(|row| row.cause.as_str()).collect();
        let fresh: Vec<Due> = all.iter().filter(|due| !raised.contains(due.cause.as_str())).cloned().collect();
        let stands = |cause: &str| causes.contains(cause) || still_stands(cause, &jobs);
        let gone: Vec<NoticeId> = open.iter().filter(|row| !stands(&row.cause)).map(|row| row.id).collect();
        if !fresh.is_empty() || !gone.is_empty() {
            self.raise(fresh, gone, now_us).await?;
        }
        self.serve_again(&seen, now_us).await?;
        self.tell_of_notices().await
    }

    async fn raise(&self, fresh: Vec<Due>, gone: Vec<NoticeId>, now_us: i64) -> Result<()> {
        let ids: Vec<NoticeId> = fresh.iter().map(|_| NoticeId::random(self.store.entropy())).collect();
        self.store
            .commit(move |tx, draft| {
                for id in gone {
                    if let Some(row) = leases::notice(tx, id)? {
                        supersede(tx, draft, row, "its cause is gone", now_us)?;
                    }
                }
                for (id, due) in ids.into_iter().zip(fresh) {
                    let content = sha256(due.text.as_bytes());
                    let row = NoticeRow {
                        id,
                        provider: due.provider,
                        lease: due.lease,
                        from: Served::Raised,
                        cause: due.cause,
                        addressee: "the operator".to_owned(),
                        servers: Vec::new(),
                        targets: due.targets,
                        deadline_us: due.deadline_us,
                        text: due.text,
                        content,
                        document: None,
                        state: NoticeState::Received,
                        made_us: now_us,
                        acknowledged: None,
                        changed_us: now_us,
                        supersedes: None,
                    };
                    serve(tx, draft, row, now_us)?;
                }
                Ok::<_, Error>(())
            })
            .await
    }

    /// Serves statements again whose matter changed since they were last served.
    async fn serve_again(&self, seen: &[Seen], now_us: i64) -> Result<()> {
        let statements = self.look(|tx| Ok(leases::statements_in_force(tx)?)).await?;
        let states: BTreeMap<TargetId, TargetState> = seen.iter().map(|seen| (seen.id, seen.state)).collect();
        for row in statements {
            let states = states.clone();
            let known = self.look(move |tx| Ok((covered(tx, &row, &states)?, leases::told(tx, row.id)?, row))).await?;
            let (covered, told, row) = known;
            if told.as_ref().is_some_and(|(.., before)| *before == covered) {
                continue;
            }
            let post = self.post.clone();
            self.store
                .commit(move |tx, draft| {
                    let Some(row) = leases::notice(tx, row.id)?.filter(|row| row.state == NoticeState::InForce) else {
                        return Ok(());
                    };
                    let times = told.as_ref().map_or(0, |(times, ..)| *times);
                    if told.is_some() {
                        let fields = [("notice", row.id.to_string()), ("matter", covered.clone())];
                        note(tx, draft, "notice.served-again", &fields, now_us)?;
                    }
                    let address =
                        row.lease.map(|id| leases::get(tx, id)).transpose()?.flatten().map(|row| row.notice_address);
                    if let (Some(post), Some(address)) = (&post, address.filter(|address| mail::is_address(address))) {
                        post.serve(tx, &address, &row.text)?.ok();
                    }
                    Ok::<_, Error>(leases::set_told(tx, row.id, times.saturating_add(1), now_us, &covered)?)
                })
                .await?;
        }
        self.ring();
        Ok(())
    }

    /// Tells operators of notices that nobody took note of, at growing intervals.
    ///
    /// # Errors
    /// As the store says; the next round goes on.
    pub async fn tell_of_notices(&self) -> Result<()> {
        let now_us = self.store.now().wall_us;
        let waiting = move |tx: &Tx<'_>| {
            let mut found = Vec::new();
            for row in leases::waiting_notices(tx, WAITING_MAX)? {
                let (times, told_us, _) = leases::told(tx, row.id)?.unwrap_or_default();
                if is_told_again(times, told_us, now_us) {
                    found.push((row, times));
                }
            }
            Ok(found)
        };
        let due = self.look(waiting).await?;
        if due.is_empty() {
            return Ok(());
        }
        let (post, store) = (self.post.clone(), self.store.clone());
        self.store
            .commit(move |tx, _| {
                let first = first_of(tx, &due)?;
                for account in operators(tx)? {
                    let told = Telling::Notices { count: due.len(), first: &first };
                    mail::tell(post.as_ref(), tx, account, &told)?;
                    let what = Happened {
                        kind: EventKind::NoticeWaits,
                        path: None,
                        size: None,
                        entry: None,
                        version: None,
                        share: None,
                    };
                    hooks::happened(tx, store.entropy(), account, now_us, &what)?;
                }
                for (row, times) in &due {
                    leases::set_told(tx, row.id, times.saturating_add(1), now_us, "")?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        self.ring();
        Ok(())
    }

    /// Has notices told of soon: one came.
    pub(crate) fn ring_for_notices(&self) {
        self.notice_bell.notify_one();
    }

    /// Completes when a notice came, or was there already.
    pub async fn notice_came(&self) {
        self.notice_bell.notified().await;
    }
}

/// How the matter of a statement stands: its lease and its targets.
fn covered(tx: &Tx<'_>, row: &NoticeRow, states: &BTreeMap<TargetId, TargetState>) -> Result<String> {
    let lease = row.lease.map(|id| leases::get(tx, id)).transpose()?.flatten();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for target in &row.targets {
        let word = states.get(target).map_or("unknown".to_owned(), |state| format!("{state:?}").to_lowercase());
        *counts.entry(word).or_default() += 1;
    }
    let targets: Vec<_> = counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    let lease = lease.map_or("no lease".to_owned(), |row| format!("lease {:?}", row.state).to_lowercase());
    Ok(format!("{lease}; targets: {}", if targets.is_empty() { "none".to_owned() } else { targets.join(", ") }))
}

/// The first few, as a mail tells of them.
fn first_of(tx: &Tx<'_>, due: &[(NoticeRow, u32)]) -> Result<Vec<Waiting>> {
    let providers = fleet::providers(tx)?;
    let waiting = |(row, _): &(NoticeRow, u32)| {
        let mut letters = row.text.chars().map(|c| if c.is_control() { ' ' } else { c });
        let mut words: String = letters.by_ref().take(WORDS_CHARS).collect();
        if letters.next().is_some() {
            words.push_str(" ...");
        }
        Waiting { id: row.id, firm: row.provider.map(|id| name_of(&providers, id)), by_us: row.deadline_us, words }
    };
    Ok(due.iter().take(TOLD_MAX).map(waiting).collect())
}

/// Who runs the service: those who may change it now. Until somebody owns it, whoever has a token may.
fn operators(tx: &Tx<'_>) -> Result<Vec<AccountId>> {
    let mut found = Vec::new();
    for row in accounts::all(tx)? {
        match role_of(tx, row.id) {
            Ok(Role::Operator) => found.push(row.id),
            Ok(_) | Err(Error::Suspended) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
