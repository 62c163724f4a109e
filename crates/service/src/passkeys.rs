//! Passkeys: made by whoever shows the password, kept as public keys, and a way in that needs no name.
//!
//! Each belongs to the host name under which it was made: browsers offer it there only, and a signature says for which host
//! it is. So the host is whatever the request came to; who forges it gets challenges that no browser signs. What is signed
//! in for is found by the passkey itself, and must be what the authenticator says it is (*user handle*). Whether the
//! signatures are good is decided in [`crate::webauthn`].
//!
//! The rows are journalled, with the counter of signatures as it was at first; counters as they are now, and when a passkey
//! was last used, are local and begin again after a rebuild.

use catalogue::{
    Tx, access, accounts,
    ways::{self, PasskeyUse},
};
use model::{
    Change, Class, Scope,
    id::{AccountId, PasskeyId, TokenId},
    ways::PasskeyRow,
};

use crate::{
    Service, SessionText,
    error::{Error, Result},
    networks::Network,
    sign_in::{keep_session, shortened},
    tokens::{Caller, role_of},
    waiting::Waiting,
    ways::{Taken, must_leave_one},
    webauthn::{self, Asked, CHALLENGE_BYTES, Fault, Site},
};

/// How long a challenge waits for its answer, in seconds.
pub const CHALLENGE_S: u64 = 300;
/// How many passkeys an account has at most.
const PASSKEYS_MAX: usize = 16;

/// Why a passkey opens nothing, or was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyFault {
    /// At the door.
    #[error("this passkey does not sign you in: {what}. Sign in in another way, or try again")]
    Refused {
        /// What is wrong with it.
        what: Fault,
    },
    /// While it was made.
    #[error("no passkey was made: {what}")]
    NotMade {
        /// What is wrong with it.
        what: Fault,
    },
    /// A counter went back: there may be two of one key.
    #[error(
        "this passkey was used elsewhere since, as if somebody had copied it, so it signs nobody in; sign in in another way, \
         and remove it"
    )]
    Copied,
    /// The account has enough.
    #[error("an account has at most {PASSKEYS_MAX} passkeys: remove one that you do not use any more")]
    TooMany,
    /// The page was reached by an address that browsers know no passkeys for.
    #[error("passkeys need a host name: open this page by its name, not by an IP address")]
    NoHost,
}

impl PasskeyFault {
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Refused { .. } | Self::NotMade { .. } | Self::Copied | Self::NoHost => Class::Refused,
            Self::TooMany => Class::Conflict,
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } | Self::Copied => "bad_passkey",
            Self::NotMade { .. } => "passkey_not_made",
            Self::TooMany => "too_many_passkeys",
            Self::NoHost => "no_passkeys_here",
        }
    }
}

const LATE: Fault = "it took longer than five minutes, or was done already";

/// One passkey, as its owner's list shows it.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Its row.
    pub row: PasskeyRow,
    /// When it last signed in, as far as is known here.
    pub used_us: Option<i64>,
}

/// What an authenticator is asked to sign.
#[derive(Clone, Debug)]
pub struct Question {
    /// Names it when the answer comes.
    pub id: TokenId,
    /// The challenge itself.
    pub challenge: [u8; CHALLENGE_BYTES],
    /// The host name that passkeys belong to.
    pub host: String,
}

/// What an authenticator is told of a passkey to be made.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// What it signs.
    pub question: Question,
    /// Whom it will sign in.
    pub account: AccountId,
    /// What they are called.
    pub name: String,
    /// What authenticators call the passkeys that the account has there already.
    pub known: Vec<Vec<u8>>,
}

/// What an authenticator answers who signs in.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// What it calls the passkey.
    pub credential: Vec<u8>,
    /// What the browser adds, as it was signed.
    pub client_data: Vec<u8>,
    /// What the authenticator says.
    pub authenticator_data: Vec<u8>,
    /// The signature over both.
    pub signature: Vec<u8>,
    /// Whom it says that the passkey is of.
    pub user: Vec<u8>,
}

/// Challenges that wait for an answer.
#[derive(Clone)]
pub(crate) struct Ceremonies {
    making: Waiting<(Caller, Asking)>,
    entering: Waiting<Asking>,
}

struct Asking {
    challenge: [u8; CHALLENGE_BYTES],
    site: Site,
}

impl Asking {
    fn asked(&self) -> Asked<'_> {
        Asked { challenge: &self.challenge, site: &self.site }
    }
}

impl Default for Ceremonies {
    fn default() -> Self {
        let lifetime_us = CHALLENGE_S * 1_000_000;
        Self { making: Waiting::new(lifetime_us), entering: Waiting::new(lifetime_us) }
    }
}

impl Service {
    /// The caller's passkeys, oldest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn passkeys(&self, caller: &Caller) -> Result<Vec<Passkey>> {
        let account = caller.account;
        self.look(move |tx| {
            let with_use = |row: PasskeyRow| {
                let used_us = ways::passkey_use(tx, row.id)?.map(|used| used.used_us);
                Ok(Passkey { row, used_us })
            };
            ways::passkeys(tx, account)?.into_iter().map(with_use).collect()
        })
        .await
    }

    /// Asks for a new passkey of the caller's, at the host that the request came to.
    ///
    /// # Errors
    /// [`PasskeyFault::NoHost`], [`PasskeyFault::TooMany`]; [`Error::BadLogin`], [`Error::SecondNeeded`], [`Error::BadSecond`].
    pub async fn begin_passkey(
        &self,
        caller: &Caller,
        authority: &str,
        password: String,
        second: Option<&str>,
    ) -> Result<NewPasskey> {
        let site = Site::of(authority).ok_or(PasskeyFault::NoHost)?;
        let (account, host) = (caller.account, site.host.clone());
        let (name, known) = self
            .look(move |tx| {
                let name = accounts::by_id(tx, account)?.map(|row| row.name).unwrap_or_default();
                let all = room_for_one(tx, account)?;
                let here = all.into_iter().filter(|row| row.host == host).map(|row| row.credential).collect();
                Ok((name, here))
            })
            .await?;
        self.shown(caller, password, second).await?;
        let (question, asking) = self.question(site);
        self.ceremonies.making.put(question.id, None, self.store.now().monotonic_us, (*caller, asking));
        Ok(NewPasskey { question, account, name, known })
    }

    /// Keeps a passkey that an authenticator has made.
    ///
    /// # Errors
    /// [`PasskeyFault::NotMade`] with what is wrong, [`PasskeyFault::TooMany`].
    pub async fn make_passkey(
        &self,
        caller: &Caller,
        challenge: TokenId,
        label: String,
        client_data: &[u8],
        attestation: &[u8],
    ) -> Result<Passkey> {
        let not_made = |what| PasskeyFault::NotMade { what };
        let begun = self.ceremonies.making.take(challenge, self.store.now().monotonic_us);
        // Whoever took another session's challenge has used it up, and gets nothing for it.
        let asking = begun.filter(|(by, _)| by == caller).map(|(_, asking)| asking).ok_or(not_made(LATE))?;
        let new = webauthn::registered(asking.asked(), client_data, attestation).map_err(not_made)?;
        let row = PasskeyRow {
            id: PasskeyId::random(self.store.entropy()),
            account: caller.account,
            label: shortened(label),
            host: asking.site.host,
            credential: new.credential,
            key: new.key,
            counter: new.counter,
            made_us: self.store.now().wall_us,
            ended_us: None,
        };
        let kept = row.clone();
        self.store
            .commit(move |tx, draft| {
                role_of(tx, row.account)?;
                room_for_one(tx, row.account)?;
                if ways::passkey_called(tx, &row.credential)?.is_some() {
                    return Err(not_made("this very passkey is known here already").into());
                }
                draft.audit(Some(row.account), "passkey made", row.id.to_string());
                draft.change(Scope::Cluster, Change::Passkey(row));
                Ok::<_, Error>(())
            })
            .await?;
        Ok(Passkey { row: kept, used_us: None })
    }

    /// Calls a passkey of the caller's something else.
    ///
    /// # Errors
    /// [`Error::NoSuchId`].
    pub async fn rename_passkey(&self, caller: &Caller, id: PasskeyId, label: String) -> Result<()> {
        let (account, label) = (caller.account, shortened(label));
        self.store
            .commit(move |tx, draft| {
                let row = own(tx, account, id)?;
                draft.change(Scope::Cluster, Change::Passkey(PasskeyRow { label, ..row }));
                Ok::<_, Error>(())
            })
            .await
    }

    /// Removes a passkey of the caller's; other sessions of the account end, as it may be a lost device's. `authority`: the host
    /// that the request came to.
    ///
    /// # Errors
    /// [`Error::NoSuchId`]; [`Error::LastWayIn`] if nothing else signs in there.
    pub async fn end_passkey(&self, caller: &Caller, id: PasskeyId, authority: &str) -> Result<()> {
        // A program that may act for a while must not end sessions, nor ways in.
        let session = Some(caller.session.ok_or(Error::NeedsSession)?);
        let (account, now_us, doors) = (caller.account, self.store.now().wall_us, self.doors(authority));
        self.store
            .commit(move |tx, draft| {
                let row = own(tx, account, id)?;
                must_leave_one(tx, account, &doors, Taken::Passkey(id))?;
                access::end_sessions(tx, account, session)?;
                draft.audit(Some(account), "passkey removed", id.to_string());
                draft.change(Scope::Cluster, Change::Passkey(PasskeyRow { ended_us: Some(now_us), ..row }));
                Ok::<_, Error>(())
            })
            .await?;
        self.known.forget();
        Ok(())
    }

    /// Asks whoever comes for a passkey of the host that the request came to.
    ///
    /// # Errors
    /// [`PasskeyFault::NoHost`].
    pub fn ask_for_passkey(&self, authority: &str, network: Option<Network>) -> Result<Question> {
        let (question, asking) = self.question(Site::of(authority).ok_or(PasskeyFault::NoHost)?);
        self.ceremonies.entering.put(question.id, network, self.store.now().monotonic_us, asking);
        Ok(question)
    }

    /// Signs in by a passkey, without a password and a second factor.
    ///
    /// # Errors
    /// [`PasskeyFault::Refused`] with what is wrong, [`PasskeyFault::Copied`], [`Error::Suspended`].
    pub async fn sign_in_by_passkey(
        &self,
        challenge: TokenId,
        assertion: Assertion,
        agent: &str,
    ) -> Result<SessionText> {
        let refused = |what| Error::from(PasskeyFault::Refused { what });
        const UNKNOWN: Fault = "it is not known here, or was removed";
        let asking =
            self.ceremonies.entering.take(challenge, self.store.now().monotonic_us).ok_or_else(|| refused(LATE))?;
        let credential = assertion.credential.clone();
        let row = self.look(move |tx| Ok(ways::passkey_called(tx, &credential)?)).await?;
        let row = row.ok_or_else(|| refused(UNKNOWN))?;
        if row.host != asking.site.host {
            return Err(refused("it belongs to another host name"));
        }
        if assertion.user != row.account.0 {
            return Err(refused("it says that it is somebody else's"));
        }
        let Assertion { client_data, authenticator_data, signature, .. } = assertion;
        let counter = webauthn::asserted(asking.asked(), &row.key, &client_data, &authenticator_data, &signature)
            .map_err(refused)?;
        let (text, session) = self.new_session(row.account, agent);
        let (used_us, session_id) = (session.made_us, session.id);
        let entered = self
            .store
            .commit(move |tx, draft| {
                let id = row.id;
                let row =
                    ways::passkey(tx, id)?.filter(|row| row.ended_us.is_none()).ok_or_else(|| refused(UNKNOWN))?;
                let before = ways::passkey_use(tx, id)?.map_or(row.counter, |used| used.counter);
                if (before > 0 || counter > 0) && counter <= before {
                    draft.audit(Some(row.account), "passkey's counter went back", format!("{id}: {before}, {counter}"));
                    return Ok(false);
                }
                let sign_in = access::sign_in(tx, row.account)?.ok_or_else(|| refused(UNKNOWN))?;
                if sign_in.suspended_us.is_some() {
                    return Err(Error::Suspended);
                }
                ways::use_passkey(tx, id, PasskeyUse { counter, used_us })?;
                keep_session(tx, draft, &session)?;
                Ok(true)
            })
            .await?;
        if !entered {
            return Err(PasskeyFault::Copied.into());
        }
        self.fresh.shown(session_id, self.store.now().monotonic_us);
        Ok(text)
    }

    fn question(&self, site: Site) -> (Question, Asking) {
        let mut challenge = [0; CHALLENGE_BYTES];
        self.store.entropy().fill(&mut challenge);
        let id = TokenId::random(self.store.entropy());
        (Question { id, challenge, host: site.host.clone() }, Asking { challenge, site })
    }
}

/// All passkeys of an account that may have one more.
fn room_for_one(tx: &Tx<'_>, account: AccountId) -> Result<Vec<PasskeyRow>> {
    let all = ways::passkeys(tx, account)?;
    if all.len() < PASSKEYS_MAX { Ok(all) } else { Err(PasskeyFault::TooMany.into()) }
}

fn own(tx: &Tx<'_>, account: AccountId, id: PasskeyId) -> Result<PasskeyRow> {
    let row = ways::passkey(tx, id)?.filter(|row| row.account == account && row.ended_us.is_none());
    row.ok_or(Error::NoSuchId)
}
