//! Which ways lead into an account: its password, its passkeys, an identity elsewhere.

use catalogue::{Tx, access, ways};
use model::{
    Change, Scope,
    id::AccountId,
    ways::{IdentityRow, PasskeyRow},
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    tokens::Caller,
};

/// How new a session is of which whoever has no password need not show one.
const FRESH_US: i64 = 600_000_000;

impl Service {
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
