//! Signing in: the first owner, passwords, the sessions of browsers.
//!
//! A session is a cookie with 256 random bits of which the catalogue keeps the hash. It is local: after a rebuild people
//! sign in again. Everything else here is journalled: who has an account, which password opens it.

use std::sync::PoisonError;

use catalogue::{
    Tx,
    access::{self, Session},
    accounts, limits, shown, ways,
};
use model::{
    Change, Scope,
    about::{AboutRow, SignUp},
    account::{AccountRow, LimitsRow, Role, SignInRow, TokenRow, TokenScope, TokenUse},
    id::{AccountId, TokenId},
    ways::IdentityRow,
};
use store::Draft;

use crate::{
    Service,
    error::{Error, Result},
    leaving,
    limits::{InForce, in_force},
    mail::{self, OwnMail, Telling},
    passwords::check_length,
    second,
    tokens::{Caller, Seen, hash_of, role_of},
};

/// How long a browser that is not used stays signed in; its cookie ends 30 days after it signed in in any case.
const SESSION_US: i64 = 30 * 86_400_000_000;
/// How often it is written down that a session was used.
const SEEN_EVERY_US: i64 = 3_600_000_000;
/// Longest name of an account, in characters.
const NAME_CHARS_MAX: usize = 64;
/// And in bytes, as the format has it.
const NAME_BYTES_MAX: usize = 255;
/// Longest label or browser's name that is kept, in bytes.
const LABEL_BYTES_MAX: usize = 200;

/// What a browser sends to show that it is signed in. It exists here and in the browser.
pub struct SessionText(pub String);

impl std::fmt::Debug for SessionText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionText")
    }
}

/// Whether whoever signs in has still to show the second factor.
enum Second {
    /// It is asked for where it is turned on; this is what was given.
    Asked(Option<String>),
    /// It was shown already, or there can be none.
    Shown,
}

/// The caller's own account, as its page shows it.
#[derive(Clone, Debug)]
pub struct Me {
    /// Its row.
    pub account: AccountRow,
    /// What it may do.
    pub role: Role,
    /// Plaintext bytes of all versions, those before the current ones and those in the trash too.
    pub used_bytes: u64,
    /// What holds for it.
    pub limits: InForce,
    /// Bytes that guests took through its links today.
    pub link_bytes_today: u64,
    /// Since when a second factor is asked for, and how many one-time codes are left.
    pub second_factor: Option<(i64, usize)>,
    /// When the account will be deleted, if that was decided.
    pub leaves_us: Option<i64>,
    /// Where mail reaches its owner.
    pub mail: Option<OwnMail>,
    /// Whether a password opens it.
    pub has_password: bool,
    /// Who its owner is elsewhere, if they sign in there.
    pub identity: Option<IdentityRow>,
}

impl Service {
    /// A one-time code with which the first owner takes the service over; `None` once somebody has. A new one ends the one
    /// before, and each ends with the process.
    ///
    /// # Errors
    /// As the store says.
    pub async fn claim_code(&self) -> Result<Option<String>> {
        if self.store.read(|tx| access::is_claimed(tx)).await? {
            return Ok(None);
        }
        let code = self.secret();
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash_of(&code));
        Ok(Some(code))
    }

    /// Makes the account that an invitation is for, or takes the service's first account over with the code of its start.
    ///
    /// # Errors
    /// [`Error::BadCode`], [`Error::BadName`], [`Error::BadPassword`]; Conflict if the name is taken.
    pub async fn sign_up(&self, code: &str, name: String, password: String, agent: &str) -> Result<SessionText> {
        self.check_new_name(&name)?;
        let hash = hash_of(code);
        if *self.claim.lock().unwrap_or_else(PoisonError::into_inner) == Some(hash) {
            return self.claim(name, password, agent).await;
        }
        let now_us = self.store.now().wall_us;
        // Before the slow hash: guesses of codes cost us little.
        self.look(move |tx| one_time(tx, &hash, now_us).map(drop)).await?;
        let password = Some(self.passwords.hash(self.store.entropy(), password).await?);
        let kept = password.clone();
        let row = self
            .store
            .make_account_and(&name, true, move |tx, draft, account| {
                let token = one_time(tx, &hash, now_us)?;
                let TokenUse::Invitation(role) = token.opens else { return Err(Error::BadCode) };
                draft.change(Scope::Cluster, Change::Token(TokenRow { ended_us: Some(now_us), ..token }));
                let (account, changed_us) = (account.id, now_us);
                let row =
                    SignInRow { account, role, password, suspended_us: None, changed_us, second: None, leaving: None };
                draft.change(Scope::Cluster, Change::SignIn(row));
                if role == Role::Operator {
                    note_operator(tx, draft, account, now_us)?;
                }
                Ok(())
            })
            .await?;
        self.begin_session(row.id, kept, Second::Shown, agent).await
    }

    /// Makes an account for whoever asks, where the operator lets anybody in.
    ///
    /// # Errors
    /// [`Error::SignUpClosed`], [`Error::TooManyAccounts`], [`Error::BadName`], [`Error::BadPassword`]; Conflict if the name is
    /// taken.
    pub async fn sign_up_openly(&self, name: String, password: String, agent: &str) -> Result<SessionText> {
        self.check_new_name(&name)?;
        check_length(&password)?;
        let asked = name.clone();
        self.look(move |tx| {
            open_to_all(tx)?;
            match accounts::by_name(tx, &asked)? {
                Some(_) => Err(store::Error::NameTaken { name: asked }.into()),
                None => Ok(()),
            }
        })
        .await?;
        self.admit_newcomer()?;
        let password = Some(self.passwords.hash(self.store.entropy(), password).await?);
        let (kept, changed_us) = (password.clone(), self.store.now().wall_us);
        let row = self
            .store
            .make_account_and(&name, true, move |tx, draft, account| {
                let about = open_to_all(tx)?;
                let (account, role) = (account.id, Role::User);
                let (space_bytes, plan) = (about.new_space_bytes, about.new_plan);
                if space_bytes.is_some() || plan.is_some() {
                    draft.change(Scope::Cluster, Change::Limits(LimitsRow { account, space_bytes, plan }));
                }
                let row =
                    SignInRow { account, role, password, suspended_us: None, changed_us, second: None, leaving: None };
                draft.change(Scope::Cluster, Change::SignIn(row));
                Ok::<_, Error>(())
            })
            .await?;
        self.begin_session(row.id, kept, Second::Shown, agent).await
    }

    /// Refuses what no new account can be called. Where there is mail, people sign in by their confirmed addresses too, and a
    /// name is looked for first: nobody may stand in front of somebody's address.
    fn check_new_name(&self, name: &str) -> Result<()> {
        check_name(name)?;
        if self.has_mail() && name.contains('@') { Err(Error::AddressAsName) } else { Ok(()) }
    }

    /// Gives the first account, which was made with the service, to whoever holds the code of the start.
    async fn claim(&self, name: String, password: String, agent: &str) -> Result<SessionText> {
        let password = Some(self.passwords.hash(self.store.entropy(), password).await?);
        let kept = password.clone();
        let now_us = self.store.now().wall_us;
        let account = self
            .store
            .commit(move |tx, draft| {
                if access::is_claimed(tx)? {
                    return Err(Error::BadCode);
                }
                let first = accounts::all(tx)?.into_iter().min_by_key(|row| (row.made_us, row.id));
                let first = first.ok_or(Error::Store(store::Error::NoAccount))?;
                let account = first.id;
                if first.name != name {
                    if accounts::by_name(tx, &name)?.is_some() {
                        return Err(store::Error::NameTaken { name }.into());
                    }
                    draft.change(Scope::Cluster, Change::Account(AccountRow { name, ..first }));
                }
                let (role, changed_us) = (Role::Operator, now_us);
                let row =
                    SignInRow { account, role, password, suspended_us: None, changed_us, second: None, leaving: None };
                draft.audit(Some(account), "service claimed", account.to_string());
                note_operator(tx, draft, account, now_us)?;
                draft.change(Scope::Cluster, Change::SignIn(row));
                Ok(account)
            })
            .await?;
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.known.forget();
        self.begin_session(account, kept, Second::Shown, agent).await
    }

    /// Signs in by name or confirmed address and password, and by what `second` gives where a second factor is asked for.
    ///
    /// # Errors
    /// [`Error::BadLogin`] for a wrong name as for a wrong password, [`Error::SecondNeeded`], [`Error::BadSecond`],
    /// [`Error::TooManyAttempts`], [`Error::Suspended`].
    pub async fn sign_in(
        &self,
        name: &str,
        password: String,
        second: Option<&str>,
        agent: &str,
    ) -> Result<SessionText> {
        let asked = name.to_owned();
        let (name, found) = self
            .look(move |tx| {
                let row = mail::named(tx, &asked)?;
                let found = row.as_ref().map(|row| access::sign_in(tx, row.id)).transpose()?.flatten();
                // Counted by what was typed: a count of the account's would tell that an address is somebody's.
                Ok((if asked.contains('@') { asked.to_lowercase() } else { asked }, found))
            })
            .await?;
        let hash = found.as_ref().and_then(|row| row.password.clone());
        if !self.passwords.matches(&subject_of(&name), hash, password, self.store.now().monotonic_us).await? {
            return Err(Error::BadLogin);
        }
        let row = found.ok_or(Error::BadLogin)?;
        self.admit_second(row.account, second.filter(|_| row.second.is_some()))?;
        let second = Second::Asked(second.map(str::to_owned));
        let session = self.begin_session(row.account, row.password, second, agent).await?;
        self.forgive_second(row.account);
        Ok(session)
    }

    /// Sets a new password with a one-time code, ends every session and begins one. A second factor is asked for here as
    /// when signing in; until all of it is right the code stays good.
    ///
    /// # Errors
    /// [`Error::BadCode`], [`Error::BadPassword`], [`Error::SecondNeeded`], [`Error::BadSecond`].
    pub async fn reset_password(
        &self,
        code: &str,
        password: String,
        second: Option<&str>,
        agent: &str,
    ) -> Result<SessionText> {
        let (hash, now_us) = (hash_of(code), self.store.now().wall_us);
        let (account, asks) = self
            .look(move |tx| {
                let token = one_time(tx, &hash, now_us)?;
                if token.opens != TokenUse::Reset {
                    // Who was invited has no business with the second factor of who invited.
                    return Err(Error::BadCode);
                }
                let account = token.account;
                Ok((account, access::sign_in(tx, account)?.is_some_and(|row| row.second.is_some())))
            })
            .await?;
        if asks && second.is_none() {
            return Err(Error::SecondNeeded);
        }
        self.admit_second(account, second.filter(|_| asks))?;
        let given = second.map(str::to_owned);
        let password = Some(self.passwords.hash(self.store.entropy(), password).await?);
        let (kept, post) = (password.clone(), self.post.clone());
        let account = self
            .store
            .commit(move |tx, draft| {
                let token = one_time(tx, &hash, now_us)?;
                if token.opens != TokenUse::Reset {
                    return Err(Error::BadCode);
                }
                let account = token.account;
                // Refuses a suspended one, and leaves it the code.
                let role = role_of(tx, account)?;
                let before = access::sign_in(tx, account)?;
                let before = before.map(|row| second::show(tx, row, given.as_deref(), now_us)).transpose()?;
                let leaving = before.as_ref().and_then(|row| row.leaving);
                let second = before.and_then(|row| row.second);
                access::end_sessions(tx, account, None)?;
                draft.audit(Some(account), "password reset", account.to_string());
                crate::people::end_resets(tx, draft, account, now_us)?;
                mail::tell(post.as_ref(), tx, account, &Telling::PasswordChanged)?;
                let changed_us = now_us;
                let row = SignInRow { account, role, password, suspended_us: None, changed_us, second, leaving };
                draft.change(Scope::Cluster, Change::SignIn(row));
                Ok::<_, Error>(account)
            })
            .await?;
        self.forgive_second(account);
        self.known.forget();
        self.ring();
        self.begin_session(account, kept, Second::Shown, agent).await
    }

    /// Changes the caller's password, or sets the first one; other sessions of the account end.
    ///
    /// # Errors
    /// [`Error::BadLogin`] if `old` is not the password, [`Error::TooManyAttempts`], [`Error::BadPassword`].
    pub async fn change_password(&self, caller: &Caller, old: String, new: String) -> Result<()> {
        let account = caller.account;
        let hash = self.proven(caller, old).await?.password;
        let password = Some(self.passwords.hash(self.store.entropy(), new).await?);
        let (now_us, session, post) = (self.store.now().wall_us, caller.session, self.post.clone());
        self.store
            .commit(move |tx, draft| {
                // Somebody may have set another one meanwhile.
                let row = access::sign_in(tx, account)?.filter(|row| row.password == hash).ok_or(Error::BadLogin)?;
                access::end_sessions(tx, account, session)?;
                crate::people::end_resets(tx, draft, account, now_us)?;
                mail::tell(post.as_ref(), tx, account, &Telling::PasswordChanged)?;
                draft.audit(Some(account), "password changed", account.to_string());
                draft.change(Scope::Cluster, Change::SignIn(SignInRow { password, changed_us: now_us, ..row }));
                Ok::<_, Error>(())
            })
            .await?;
        self.known.forget();
        self.ring();
        Ok(())
    }

    /// Who a browser is, by its cookie.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::Suspended`].
    pub async fn session(&self, text: &str) -> Result<Caller> {
        let now = self.store.now();
        let (hash, times) = (hash_of(text), self.known.times());
        if let Some(seen) = self.known.get(&hash, now.monotonic_us) {
            return if seen.expires_us.is_some_and(|end| now.wall_us >= end) {
                Err(Error::SignedOut)
            } else {
                Ok(seen.caller)
            };
        }
        let (session, role) = self
            .look(move |tx| {
                let session = access::session_by_hash(tx, &hash)?.filter(|session| now.wall_us < session.expires_us);
                let session = session.ok_or(Error::SignedOut)?;
                let role = role_of(tx, session.account)?;
                Ok((session, role))
            })
            .await?;
        if now.wall_us - session.seen_us > SEEN_EVERY_US {
            let used =
                Session { seen_us: now.wall_us, expires_us: now.wall_us.saturating_add(SESSION_US), ..session.clone() };
            if !self.store.commit(move |tx, _| Ok::<_, Error>(access::session_used(tx, &used)?)).await? {
                return Err(Error::SignedOut);
            }
        }
        let caller = Caller { account: session.account, role, session: Some(session.id), scope: TokenScope::All };
        let seen = Seen { caller, expires_us: Some(session.expires_us), asked_us: now.monotonic_us };
        Ok(self.known.put(times, hash, seen).caller)
    }

    /// The browsers in which the caller's account is signed in, oldest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        let (account, now_us) = (caller.account, self.store.now().wall_us);
        let mut all = self.store.read(move |tx| access::sessions(tx, account)).await?;
        all.retain(|session| now_us < session.expires_us);
        Ok(all)
    }

    /// Signs a browser out.
    ///
    /// # Errors
    /// Missing if the account has no such session.
    pub async fn end_session(&self, caller: &Caller, id: TokenId) -> Result<()> {
        let account = caller.account;
        let ended = self.store.commit(move |tx, _| Ok::<_, Error>(access::end_session(tx, account, id)?)).await?;
        self.known.forget();
        if ended { Ok(()) } else { Err(Error::NoSuchId) }
    }

    /// The caller's account and the space that it takes.
    ///
    /// # Errors
    /// As the store says.
    pub async fn me(&self, caller: &Caller) -> Result<Me> {
        let Caller { account, role, .. } = *caller;
        let (at, wall_us) = (self.store.service_time(), self.store.now().wall_us);
        let link_bytes_today = self.link_bytes_today(account).await?;
        self.look(move |tx| {
            let row = accounts::by_id(tx, account)?.ok_or(Error::Store(store::Error::NoAccount))?;
            let sign_in = access::sign_in(tx, account)?;
            let leaving = sign_in.as_ref().and_then(|row| row.leaving);
            let has_password = sign_in.as_ref().is_some_and(|row| row.password.is_some());
            let second = sign_in.and_then(|row| row.second);
            Ok(Me {
                account: row,
                role,
                used_bytes: limits::used_bytes(tx, account)?,
                limits: in_force(tx, account)?,
                link_bytes_today,
                second_factor: second.map(|second| (second.since_us, second.codes.len())),
                leaves_us: leaving.map(|leaving| leaving::due_us(leaving, at, wall_us)),
                mail: mail::own(tx, account)?,
                has_password,
                identity: ways::identity(tx, account)?,
            })
        })
        .await
    }

    /// Signs a browser in, if the account's password is still the one that was shown to be known.
    async fn begin_session(
        &self,
        account: AccountId,
        password: Option<String>,
        second: Second,
        agent: &str,
    ) -> Result<SessionText> {
        let (text, session) = self.new_session(account, agent);
        let (now_us, id) = (session.made_us, session.id);
        self.store
            .commit(move |tx, draft| {
                let row =
                    access::sign_in(tx, account)?.filter(|row| row.password == password).ok_or(Error::BadLogin)?;
                if row.suspended_us.is_some() {
                    return Err(Error::Suspended);
                }
                if let Second::Asked(given) = second {
                    second::use_up(tx, draft, row, given.as_deref(), now_us)?;
                }
                keep_session(tx, draft, &session)
            })
            .await?;
        self.fresh.shown(id, self.store.now().monotonic_us);
        Ok(text)
    }

    /// A session that is not kept yet.
    pub(crate) fn new_session(&self, account: AccountId, agent: &str) -> (SessionText, Session) {
        let (text, id) = (self.secret(), TokenId::random(self.store.entropy()));
        let now_us = self.store.now().wall_us;
        let session = Session {
            hash: hash_of(&text),
            id,
            account,
            agent: shortened(agent.to_owned()),
            made_us: now_us,
            seen_us: now_us,
            expires_us: now_us.saturating_add(SESSION_US),
        };
        (SessionText(text), session)
    }
}

/// Keeps a session of somebody who showed who they are.
pub(crate) fn keep_session(tx: &mut Tx<'_>, draft: &mut Draft, session: &Session) -> Result<()> {
    access::forget_sessions(tx, session.made_us)?;
    draft.audit(Some(session.account), "signed in", session.id.to_string());
    Ok(access::put_session(tx, session)?)
}

/// What the operator says of newcomers, if anybody may come.
/// Notes that an account may run the service from now on.
fn note_operator(tx: &Tx<'_>, draft: &mut Draft, account: AccountId, now_us: i64) -> Result<()> {
    let fields = [("account", account.to_string()), ("role", "operator".to_owned())];
    store::ledger::note(tx, draft, "role.given", &fields, now_us)?;
    Ok(())
}

fn open_to_all(tx: &Tx<'_>) -> Result<AboutRow> {
    let about = shown::about(tx)?;
    if about.sign_up == SignUp::Open { Ok(about) } else { Err(Error::SignUpClosed) }
}

/// The token of this hash, if it opens something once and still does.
fn one_time(tx: &Tx<'_>, hash: &[u8; 32], now_us: i64) -> Result<TokenRow> {
    let good = |row: &TokenRow| {
        let open = row.ended_us.is_none() && row.expires_us.is_none_or(|end| now_us < end);
        open && !matches!(row.opens, TokenUse::Access(_))
    };
    let token = access::token_by_hash(tx, hash)?.filter(good).ok_or(Error::BadCode)?;
    // Who invited must still be somebody who may.
    if matches!(token.opens, TokenUse::Invitation(_)) && role_of(tx, token.account).ok() != Some(Role::Operator) {
        return Err(Error::BadCode);
    }
    Ok(token)
}

/// What is guessed at when a password for a name is tried. Links and second factors begin with other words.
pub(crate) fn subject_of(name: &str) -> String {
    format!("name {name}")
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    // A letter may have four bytes, and a name goes into records and addresses.
    let sized = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && name.len() <= NAME_BYTES_MAX;
    let plain = name != "."
        && name != ".."
        && name.trim() == name
        && !name.starts_with(leaving::GONE)
        && !name.chars().any(|letter| letter == '/' || letter.is_control());
    if sized && plain { Ok(()) } else { Err(Error::BadName) }
}

/// A text that somebody else chose, as long as it is kept.
pub(crate) fn shortened(mut text: String) -> String {
    text.retain(|letter| !letter.is_control());
    while text.len() > LABEL_BYTES_MAX {
        text.pop();
    }
    text
}
