//! Which ways lead into an account: its password, its passkeys, an identity elsewhere.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use catalogue::{Tx, access, ways};
use model::{
    Change, Scope,
    id::{AccountId, PasskeyId, TokenId},
    ways::{IdentityRow, PasskeyRow},
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    tokens::Caller,
    webauthn::Site,
};

/// How long ago whoever has no password has shown who they are, so that they need not show one; in seconds.
pub(crate) const FRESH_S: i64 = 600;
const FRESH_US: u64 = FRESH_S as u64 * 1_000_000;
/// Sessions and accounts that are remembered; of more the oldest are forgotten, and have to sign in again.
const MOST: usize = 4_096;

/// In which sessions somebody has just shown who they are, and whose owners were asked to. Signing in elsewhere shows it only
/// if the issuer has just asked them: it may have remembered whoever sat there before. Gone with the process: then they sign
/// in again.
#[derive(Clone, Default)]
pub(crate) struct Fresh(Arc<Mutex<Lately>>);

#[derive(Default)]
struct Lately {
    /// With when that was, on the monotonic clock; oldest first.
    shown: VecDeque<(TokenId, u64)>,
    asked: VecDeque<(AccountId, u64)>,
}

fn remember<T>(all: &mut VecDeque<(T, u64)>, one: T, now_us: u64) {
    while all.len() >= MOST || all.front().is_some_and(|(_, at)| is_over(*at, now_us)) {
        all.pop_front();
    }
    all.push_back((one, now_us));
}

fn is_over(at_us: u64, now_us: u64) -> bool {
    now_us.saturating_sub(at_us) >= FRESH_US
}

impl Fresh {
    fn locked(&self) -> MutexGuard<'_, Lately> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In this session somebody has shown who they are.
    pub fn shown(&self, session: TokenId, now_us: u64) {
        remember(&mut self.locked().shown, session, now_us);
    }

    fn is_shown(&self, session: TokenId, now_us: u64) -> bool {
        self.locked().shown.iter().any(|(one, at)| *one == session && !is_over(*at, now_us))
    }

    /// Whether an account's owner was just told to sign in again.
    pub fn is_asked(&self, account: AccountId, now_us: u64) -> bool {
        self.locked().asked.iter().any(|(one, at)| *one == account && !is_over(*at, now_us))
    }

    fn ask(&self, account: AccountId, now_us: u64) {
        remember(&mut self.locked().asked, account, now_us);
    }
}

impl Service {
    /// The doors that somebody finds who came to this host.
    pub(crate) fn doors(&self, authority: &str) -> Doors {
        let host = Site::of(authority).map(|site| site.host);
        Doors { host, issuer: self.issuer_address().map(str::to_owned) }
    }

    /// Whether the caller's session has only just begun, by showing who they are: what has to do where there is no password.
    ///
    /// # Errors
    /// [`Error::SignInAgain`] if it has not.
    pub(crate) async fn must_be_fresh(&self, caller: &Caller) -> Result<()> {
        let (account, session, now_us) = (caller.account, caller.session, self.store.now().monotonic_us);
        let sessions = self.look(move |tx| Ok(access::sessions(tx, account)?)).await?;
        if sessions.iter().any(|one| Some(one.id) == session && self.fresh.is_shown(one.id, now_us)) {
            return Ok(());
        }
        self.fresh.ask(account, now_us);
        Err(Error::SignInAgain)
    }
}

/// Where somebody signs in: at the host that they came to, if it can have passkeys, and with the issuer that is asked.
pub(crate) struct Doors {
    pub host: Option<String>,
    pub issuer: Option<String>,
}

/// A way in that is to be taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Passkey(PasskeyId),
    Identity,
}

/// Refuses to take away what alone opens an account at these doors. A passkey of another host opens nothing there, nor does
/// an issuer that nobody asks any more.
///
/// # Errors
/// [`Error::LastWayIn`].
pub(crate) fn must_leave_one(tx: &Tx<'_>, account: AccountId, doors: &Doors, taken: Taken) -> Result<()> {
    let opens = |row: &PasskeyRow| Some(&row.host) == doors.host.as_ref() && taken != Taken::Passkey(row.id);
    let identity = ways::identity(tx, account)?.filter(|_| taken != Taken::Identity);
    let is_one_left = identity.is_some_and(|row| Some(row.issuer) == doors.issuer)
        || ways::passkeys(tx, account)?.iter().any(opens)
        || has_password(tx, account)?;
    if is_one_left { Ok(()) } else { Err(Error::LastWayIn) }
}

/// Whether a password opens an account.
pub(crate) fn has_password(tx: &Tx<'_>, account: AccountId) -> Result<bool> {
    Ok(access::sign_in(tx, account)?.is_some_and(|row| row.password.is_some()))
}

/// Ends passkeys and identity of an account that is deleted.
pub(crate) fn end_all(tx: &Tx<'_>, draft: &mut Draft, account: AccountId, now_us: i64) -> Result<()> {
    for row in ways::passkeys(tx, account)? {
        draft.change(Scope::Cluster, Change::Passkey(PasskeyRow { ended_us: Some(now_us), ..row }));
    }
    if let Some(row) = ways::identity(tx, account)? {
        draft.change(Scope::Cluster, Change::Identity(IdentityRow { ended_us: Some(now_us), ..row }));
    }
    Ok(())
}
