//! What an operator does with accounts: invites, suspends, helps back in.

use catalogue::{Tx, access, accounts, limits};
use model::{
    Change, Scope,
    account::{AccountRow, Role, SignInRow, TokenRow, TokenUse},
    id::AccountId,
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    leaving,
    tokens::{Caller, Token},
};

/// What a code for a new password is labelled that was mailed to whoever had forgotten the old one.
pub(crate) const FORGOTTEN: &str = "forgotten";
/// How long a one-time address for a new password is good.
const RESET_S: u64 = 86_400;

/// One account as an operator sees it: nothing of its files.
#[derive(Clone, Debug)]
pub struct Person {
    /// Its row.
    pub account: AccountRow,
    /// What it may do.
    pub role: Role,
    /// Since when it is suspended.
    pub suspended_us: Option<i64>,
    /// Whether somebody can sign in to it.
    pub signs_in: bool,
    /// Whether signing in asks for a second factor.
    pub second_factor: bool,
    /// Plaintext bytes of all its versions.
    pub used_bytes: u64,
    /// How many of them it may have, above what its plan says.
    pub quota_bytes: Option<u64>,
    /// Its plan, by name.
    pub plan: Option<String>,
    /// When it will be deleted, if that was decided.
    pub leaves_us: Option<i64>,
}

/// An invitation that nobody used yet.
#[derive(Clone, Debug)]
pub struct Invited {
    /// Its row.
    pub row: TokenRow,
    /// What its account will be.
    pub role: Role,
}

impl Service {
    /// All accounts, by name.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn people(&self, caller: &Caller) -> Result<Vec<Person>> {
        caller.must_operate()?;
        let (at, wall_us) = (self.store.service_time(), self.store.now().wall_us);
        self.look(move |tx| {
            let person = |(account, sign_in): (AccountRow, Option<SignInRow>)| {
                let limits = limits::of(tx, account.id)?;
                Ok(Person {
                    role: sign_in.as_ref().map_or(Role::User, |row| row.role),
                    suspended_us: sign_in.as_ref().and_then(|row| row.suspended_us),
                    second_factor: sign_in.as_ref().is_some_and(|row| row.second.is_some()),
                    leaves_us: sign_in
                        .as_ref()
                        .and_then(|row| row.leaving)
                        .map(|leaving| leaving::due_us(leaving, at, wall_us)),
                    signs_in: sign_in.is_some(),
                    used_bytes: limits::used_bytes(tx, account.id)?,
                    quota_bytes: limits.space_bytes,
                    plan: limits.plan,
                    account,
                })
            };
            access::accounts(tx)?.into_iter().filter(|(account, _)| !leaving::is_gone(account)).map(person).collect()
        })
        .await
    }

    /// Suspends an account, or lets it go on. Its files are kept; while it is suspended nothing of it is served to anybody.
    ///
    /// # Errors
    /// Refused if the caller is no operator or means their own account; Missing if there is none of that name.
    pub async fn suspend(&self, caller: &Caller, name: String, suspended: bool) -> Result<()> {
        caller.must_operate()?;
        let (own, now_us) = (caller.account, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let account = accounts::by_name(tx, &name)?.ok_or(Error::NoAccount { name })?.id;
                if account == own {
                    return Err(Error::OwnAccount);
                }
                let row = leaving::row_of(tx, account, now_us)?;
                access::end_sessions(tx, account, None)?;
                end_one_time(tx, draft, account, now_us)?;
                draft.audit(Some(own), if suspended { "suspended" } else { "let go on" }, account.to_string());
                let suspended_us = suspended.then(|| row.suspended_us.unwrap_or(now_us));
                draft.change(Scope::Cluster, Change::SignIn(SignInRow { suspended_us, ..row }));
                Ok(())
            })
            .await?;
        self.known.forget();
        Ok(())
    }

    /// Makes a one-time code that sets a new password for the account of this name, good for a day.
    ///
    /// # Errors
    /// Refused if the caller is no operator; Missing if there is none of that name.
    pub async fn reset_code(&self, caller: &Caller, name: String) -> Result<Token> {
        caller.must_operate()?;
        let now_us = self.store.now().wall_us;
        let account = self
            .store
            .commit(move |tx, draft| {
                let account = accounts::by_name(tx, &name)?.ok_or(Error::NoAccount { name })?.id;
                // One code at a time: an older one may have reached somebody else.
                end_resets(tx, draft, account, now_us)?;
                Ok::<_, Error>(account)
            })
            .await?;
        self.new_token(move |_| Ok(account), TokenUse::Reset, String::new(), Some(RESET_S)).await
    }

    /// Makes a one-time code for a new account of this role, good for `lifetime_s` seconds.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn invite(&self, caller: &Caller, role: Role, lifetime_s: u64) -> Result<Token> {
        caller.must_operate()?;
        let account = caller.account;
        self.new_token(move |_| Ok(account), TokenUse::Invitation(role), String::new(), Some(lifetime_s)).await
    }

    /// All invitations that can still be used, whoever made them, oldest first.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn invitations(&self, caller: &Caller) -> Result<Vec<Invited>> {
        caller.must_operate()?;
        let now_us = self.store.now().wall_us;
        let rows = self.store.read(|tx| access::one_time_tokens(tx)).await?;
        let invited = |row: TokenRow| match row.opens {
            TokenUse::Invitation(role) if row.expires_us.is_none_or(|end| now_us < end) => Some(Invited { row, role }),
            _ => None,
        };
        Ok(rows.into_iter().filter_map(invited).collect())
    }
}

/// Ends the codes for a new password of an account.
pub(crate) fn end_resets(tx: &Tx<'_>, draft: &mut Draft, account: AccountId, now_us: i64) -> Result<()> {
    end_where(tx, draft, now_us, |row| row.account == account && row.opens == TokenUse::Reset)
}

/// Ends those of them that were mailed because somebody said that the password is forgotten.
pub(crate) fn end_forgotten(tx: &Tx<'_>, draft: &mut Draft, account: AccountId, now_us: i64) -> Result<()> {
    let is_one = |row: &TokenRow| row.account == account && row.opens == TokenUse::Reset && row.label == FORGOTTEN;
    end_where(tx, draft, now_us, is_one)
}

/// Ends every one-time code that an account made or that is for it.
fn end_one_time(tx: &Tx<'_>, draft: &mut Draft, account: AccountId, now_us: i64) -> Result<()> {
    end_where(tx, draft, now_us, |row| row.account == account)
}

fn end_where(tx: &Tx<'_>, draft: &mut Draft, now_us: i64, which: impl Fn(&TokenRow) -> bool) -> Result<()> {
    for row in access::one_time_tokens(tx)?.into_iter().filter(which) {
        draft.change(Scope::Cluster, Change::Token(TokenRow { ended_us: Some(now_us), ..row }));
    }
    Ok(())
}
