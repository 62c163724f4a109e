//! Which ways lead into an account: its password, its passkeys, an identity elsewhere.

use catalogue::{Tx, access, ways};
use model::{
    Change, Scope,
    id::{AccountId, PasskeyId},
    ways::{IdentityRow, PasskeyRow},
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    tokens::Caller,
    webauthn::Site,
};

/// How new a session is of which whoever has no password need not show one.
const FRESH_US: i64 = 600_000_000;

impl Service {
    /// The doors that somebody finds who came to this host.
    pub(crate) fn doors(&self, authority: &str) -> Doors {
        let host = Site::of(authority).map(|site| site.host);
        Doors { host, issuer: self.issuer_address().map(str::to_owned) }
    }

    /// Whether the caller's session has only just begun: what shows who they are where there is no password.
    ///
    /// # Errors
    /// [`Error::SignInAgain`] if it has not.
    pub(crate) async fn must_be_fresh(&self, caller: &Caller) -> Result<()> {
        let (account, session, now_us) = (caller.account, caller.session, self.store.now().wall_us);
        let sessions = self.look(move |tx| Ok(access::sessions(tx, account)?)).await?;
        let own = sessions.into_iter().find(|one| Some(one.id) == session);
        match own {
            Some(own) if (0..FRESH_US).contains(&now_us.saturating_sub(own.made_us)) => Ok(()),
            _ => Err(Error::SignInAgain),
        }
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
