//! The queue's way out: rounds of whoever runs the service.
//!
//! A mail that a server does not take now is tried again at growing waits, for two days; one that it refuses for good is
//! dropped, with a line in the audit. A stop between the server's yes and our note of it sends the mail twice, never not at all.

use catalogue::{
    Tx, access,
    audit::append,
    limits,
    mail::{self, Queued},
};
use model::{
    account::TokenUse,
    id::{AccountId, MessageId},
    world::BoxFuture,
};

use store::Draft;

use super::{FORGOTTEN, Post, Telling, named, texts};
use crate::{
    Service,
    error::{Error, Result},
    people,
    tokens::Caller,
};

/// Mails that one round carries.
const ROUND: usize = 20;
/// How long a mail is tried.
const TRIED_US: i64 = 2 * 86_400_000_000;
/// The wait after the first vain try; each further one is twice as long, up to the longest.
const WAIT_US: i64 = 60_000_000;
const WAIT_MAX_US: i64 = 4 * 3_600_000_000;
/// How long the code that a forgetful owner asks for is good.
const FORGOTTEN_S: u64 = 2 * 3_600;
/// Percent of a quota that an account is told of.
const ALMOST: u64 = 80;
const FULL: u64 = 100;

/// A mail as it is carried.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id; the same for each try.
    pub id: MessageId,
    /// Where it goes: `name@host`, plain ASCII.
    pub address: String,
    /// One line.
    pub subject: String,
    /// Its text; may hold a one-time address.
    pub words: String,
    /// When it was written, microseconds since 1970.
    pub made_us: i64,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncarried {
    /// Whether it may be taken another time.
    pub again: bool,
    /// What was said.
    pub said: String,
}

/// Hands mails to a server.
pub trait Carrier: Send + Sync {
    /// Hands over one; returns when the server has taken it, within some minutes.
    fn carry<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, std::result::Result<(), Uncarried>>;
}

/// What a round came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Mails that were taken.
    pub carried: usize,
    /// What stood in the way of others; what they were about, never what they say.
    pub troubles: Vec<String>,
}

impl Service {
    /// Completes when something may wait to be carried.
    pub async fn mail_bell(&self) {
        match &self.post {
            Some(post) => post.0.bell.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Looks who forgot a password, who is almost full, and carries what is due.
    ///
    /// # Errors
    /// As the store says.
    pub async fn mail_round(&self) -> Result<Round> {
        let Some(post) = self.post.clone() else { return Ok(Round::default()) };
        while let Some(name) = post.next_asked() {
            self.remind(&post, name).await?;
        }
        self.tell_quotas(&post).await?;
        let now_us = self.store.now().wall_us;
        let mut round = Round::default();
        for queued in self.store.read(move |tx| mail::due(tx, now_us, ROUND)).await? {
            let letter = letter(&queued);
            let outcome = post.0.carrier.carry(&letter).await;
            match outcome {
                Ok(()) => {
                    self.store.commit(move |tx, _| Ok::<_, Error>(mail::done(tx, queued.id)?)).await?;
                    round.carried += 1;
                }
                Err(uncarried) => {
                    round.troubles.push(format!("mail about {}: {}", queued.about, uncarried.said));
                    let is_down = uncarried.again;
                    self.postpone(queued, uncarried.again).await?;
                    if is_down {
                        // The next one would meet the same.
                        break;
                    }
                }
            }
        }
        Ok(round)
    }

    /// Sends a mail to the caller's confirmed address at once.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoMail`] without a confirmed address; [`Error::MailFailed`] with what the
    /// server said.
    pub async fn test_mail(&self, caller: &Caller) -> Result<()> {
        caller.must_operate()?;
        let (post, account) = (self.post()?.clone(), caller.account);
        let found = self.look(move |tx| Ok((mail::of(tx, account)?, catalogue::shown::about(tx)?.name))).await?;
        let (row, name) = (found.0.ok_or(Error::NoMail)?, found.1);
        let confirmed = row.confirmed.ok_or(Error::NoMail)?;
        if !post.admits(&super::to(&confirmed.address), super::TO_OWNER) {
            return Err(Error::TooManyAttempts { wait_s: 3_600 });
        }
        let service = name.unwrap_or_else(|| "Holdfast".to_owned());
        let (subject, words) = texts::compose(row.language, &service, &post.0.page, &Telling::Test);
        let (id, made_us) = (MessageId::random(self.store.entropy()), self.store.now().wall_us);
        let letter = Letter { id, address: confirmed.address, subject, words, made_us };
        post.0.carrier.carry(&letter).await.map_err(|uncarried| Error::MailFailed { said: uncarried.said })
    }

    /// Mails a code for a new password to whoever this name or address is of.
    async fn remind(&self, post: &Post, name: String) -> Result<()> {
        let found = self
            .look(move |tx| {
                let Some(row) = named(tx, &name)? else { return Ok(None) };
                let opens = |tx: &Tx<'_>| {
                    let row = access::sign_in(tx, row.id)?;
                    Ok::<_, Error>(row.is_some_and(|row| row.password.is_some() && row.suspended_us.is_none()))
                };
                let reaches = mail::of(tx, row.id)?.is_some_and(|row| row.confirmed.is_some());
                Ok((reaches && opens(tx)?).then_some(row.id))
            })
            .await?;
        let Some(account) = found.filter(|account| post.admits(&format!("forgot {account}"), FORGOTTEN)) else {
            return Ok(());
        };
        // Of codes that were asked for like this the newest counts. One that an operator handed on stays good: a stranger who
        // asks does not take that away.
        let now_us = self.store.now().wall_us;
        let end = move |tx: &mut Tx<'_>, draft: &mut Draft| people::end_forgotten(tx, draft, account, now_us);
        self.store.commit(end).await?;
        let label = people::FORGOTTEN.to_owned();
        let made = self.new_token(move |_| Ok(account), TokenUse::Reset, label, Some(FORGOTTEN_S)).await?;
        let post = post.clone();
        self.store
            .commit(move |tx, _| {
                post.tell(tx, account, &Telling::Reset { code: &made.text, is_asked: true })?.ok();
                Ok(())
            })
            .await
    }

    /// Tells accounts that have come to 80 % of their quota, or filled it: once, until they fall below again.
    async fn tell_quotas(&self, post: &Post) -> Result<()> {
        let due = self
            .look(|tx| {
                let mut due = Vec::new();
                for account in mail::reached(tx)? {
                    let (now, _, _) = filled(tx, account)?;
                    if now != mail::quota_told(tx, account)? {
                        due.push(account);
                    }
                }
                Ok(due)
            })
            .await?;
        for account in due {
            let post = post.clone();
            self.store
                .commit(move |tx, _| {
                    let (now, used, limit) = filled(tx, account)?;
                    let before = mail::quota_told(tx, account)?;
                    mail::set_quota_told(tx, account, now)?;
                    if now > before {
                        let is_full = now == FULL;
                        post.tell(tx, account, &Telling::Quota { used, limit, is_full })?.ok();
                    }
                    Ok::<_, Error>(())
                })
                .await?;
        }
        Ok(())
    }

    /// Keeps a mail for another try, or gives it up.
    async fn postpone(&self, queued: Queued, again: bool) -> Result<()> {
        let now_us = self.store.now().wall_us;
        let is_over = now_us.saturating_sub(queued.made_us) >= TRIED_US;
        self.store
            .commit(move |tx, _| {
                if again && !is_over {
                    let wait_us = WAIT_US.saturating_mul(1 << queued.tries.min(20)).min(WAIT_MAX_US);
                    mail::postpone(tx, queued.id, now_us.saturating_add(wait_us), queued.tries.saturating_add(1))?;
                } else {
                    let verb = if again { "mail given up" } else { "mail refused" };
                    append(tx, now_us, queued.account, verb, &queued.about)?;
                    mail::done(tx, queued.id)?;
                }
                Ok::<_, Error>(())
            })
            .await
    }
}

impl Post {
    fn next_asked(&self) -> Option<String> {
        self.0.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_front()
    }
}

fn letter(queued: &Queued) -> Letter {
    let Queued { id, address, subject, words, made_us, .. } = queued.clone();
    Letter { id, address, subject, words, made_us }
}

/// How far an account's quota is filled: 0, [`ALMOST`] or [`FULL`] percent; and bytes used and allowed.
fn filled(tx: &Tx<'_>, account: AccountId) -> Result<(u64, u64, u64)> {
    let Some(limit) = crate::limits::in_force(tx, account)?.space_bytes else { return Ok((0, 0, 0)) };
    let used = limits::used_bytes(tx, account)?;
    Ok((level(used, limit), used, limit))
}

/// What less than half a percent is left of is full: no file fits as if it were made for the gap.
fn level(used: u64, limit: u64) -> u64 {
    let permille = u128::from(used) * 1_000 / u128::from(limit.max(1));
    match permille {
        995.. => FULL,
        800.. => ALMOST,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn levels() {
        for (used, limit, wanted) in
            [(0, 10, 0), (79, 100, 0), (80, 100, 80), (994, 1_000, 80), (995, 1_000, 100), (7, 5, 100), (1, 0, 100)]
        {
            assert_eq!(level(used, limit), wanted, "{used} of {limit}");
        }
        assert_eq!(level(u64::MAX, u64::MAX), 100);
    }
}
