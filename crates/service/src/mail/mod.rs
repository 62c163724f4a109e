//! Mail to people: where it reaches them, and what goes out.
//!
//! Everything works without mail: one-time addresses are handed on by a person then. With it, a mail is a row of the
//! catalogue's queue, written in the transaction of what it tells of ([`Post::tell`]) and carried later ([`carry`]) by whoever
//! runs the service: this crate knows no protocol. Nobody can use us to bomb others: an address that is not known to be its
//! owner's gets five mails an hour, whoever asks.

mod address;
mod carry;
mod texts;

pub use carry::{Carrier, Letter, Round, Uncarried};
pub use texts::language_of;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use catalogue::{
    Tx, access, accounts,
    mail::{self, Queued},
    shown,
};
use model::{
    Change, Scope,
    account::AccountRow,
    id::{AccountId, MessageId},
    outgoing::{Confirmed, Language, MailRow, WantedMail},
};
use store::Store;
use tokio::sync::Notify;

use crate::{
    Service,
    error::{Error, Result},
    hours::Hours,
    people, sign_in,
    tokens::{Caller, Token, hash_of, role_of},
};
use texts::Told;

/// Mails an hour to an address that nobody has confirmed, and to one that somebody has.
const TO_STRANGER: u32 = 5;
const TO_OWNER: u32 = 40;
/// Times an hour that an account may say what its address is, and have others told of what it grants.
const WISHES: u32 = 10;
const GRANTS: u32 = 30;
/// Times an hour that somebody is told of what was granted to them.
const GRANTED: u32 = 10;
/// Times an hour that a new password is asked for, for one account.
const FORGOTTEN: u32 = 3;
/// Mails that wait, in all and for one account.
const QUEUE: u64 = 10_000;
const QUEUE_OF_ONE: u64 = 50;
/// Names for which a new password was asked and that were not looked at yet.
const ASKED_MAX: usize = 256;
/// How long the code that confirms an address is good.
const CONFIRM_US: i64 = 86_400_000_000;

/// Whether a mail goes out; else why not.
pub type Posted = std::result::Result<(), &'static str>;

/// What mail takes.
#[derive(Clone)]
pub(crate) struct Post(Arc<Inner>);

struct Inner {
    store: Store,
    /// What the addresses in mails begin with, without a slash at its end.
    page: String,
    carrier: Arc<dyn Carrier>,
    hours: Hours,
    /// Rung when there may be something to carry.
    bell: Notify,
    /// Who asked for a new password.
    asked: Mutex<VecDeque<String>>,
}

/// Where mail reaches the caller, as the page shows it.
#[derive(Clone, Debug)]
pub struct OwnMail {
    /// The confirmed address, or the one that is to be.
    pub address: String,
    /// Whether it is confirmed.
    pub confirmed: bool,
    /// The one that is to take its place.
    pub pending: Option<String>,
}

impl Service {
    /// With mail, carried by `carrier`. Addresses in mails begin with `page`.
    #[must_use]
    pub fn with_mail(self, page: &str, carrier: Arc<dyn Carrier>) -> Self {
        let inner = Inner {
            store: self.store.clone(),
            page: page.trim_end_matches('/').to_owned(),
            carrier,
            hours: Hours::default(),
            bell: Notify::new(),
            asked: Mutex::default(),
        };
        Self { post: Some(Post(Arc::new(inner))), ..self }
    }

    /// Whether the service sends mail.
    pub fn has_mail(&self) -> bool {
        self.post.is_some()
    }

    fn post(&self) -> Result<&Post> {
        self.post.as_ref().ok_or(Error::MailOff)
    }

    /// Says where mail reaches the caller; a code goes there that [`Service::confirm_mail`] takes. An address that was
    /// confirmed before stays until then.
    ///
    /// # Errors
    /// [`Error::MailOff`], [`Error::BadMail`]; [`Error::BadLogin`] without the account's password, if it has one: who finds a
    /// browser open could else get a new password by mail; [`Error::TooManyAttempts`].
    pub async fn set_mail(
        &self,
        caller: &Caller,
        address: &str,
        password: Option<String>,
        language: Language,
    ) -> Result<()> {
        let (post, account) = (self.post()?.clone(), caller.account);
        let address = address::checked(address)?;
        self.know_password(caller, password).await?;
        let now = self.store.now();
        let own = post.admits(&format!("wish {account}"), WISHES);
        if !own || !post.admits(&to(&address), TO_STRANGER) {
            return Err(Error::TooManyAttempts { wait_s: 3_600 });
        }
        let (code, now_us) = (self.secret(), now.wall_us);
        let bell = post.clone();
        self.store
            .commit(move |tx, draft| {
                role_of(tx, account)?;
                let row = mail::of(tx, account)?.unwrap_or_else(|| empty(account));
                let expires_us = now_us.saturating_add(CONFIRM_US);
                let wanted = Some(WantedMail { address: address.clone(), hash: hash_of(&code), expires_us });
                draft.audit(Some(account), "mail address given", account.to_string());
                draft.change(Scope::Cluster, Change::Mail(MailRow { wanted, language, ..row }));
                let name = accounts::by_id(tx, account)?.map(|row| row.name).unwrap_or_default();
                let told = Told::Confirm { name: &name, code: &code };
                post.write(tx, Some(account), &address, language, &told)?.map_err(|_| Error::MailBusy)
            })
            .await?;
        bell.ring();
        Ok(())
    }

    /// Confirms the address that a code was sent to.
    ///
    /// # Errors
    /// [`Error::BadCode`]; [`Error::MailTaken`] if it is another account's.
    pub async fn confirm_mail(&self, code: &str) -> Result<()> {
        let (post, hash, now_us) = (self.post.clone(), hash_of(code), self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let row = mail::by_code(tx, &hash)?.ok_or(Error::BadCode)?;
                let wanted = row.wanted.clone().filter(|wanted| now_us < wanted.expires_us).ok_or(Error::BadCode)?;
                let account = row.account;
                if mail::by_address(tx, &wanted.address)?.is_some_and(|other| other != account) {
                    return Err(Error::MailTaken);
                }
                let is_other = |before: &Confirmed| !before.address.eq_ignore_ascii_case(&wanted.address);
                if let (Some(post), true) = (&post, row.confirmed.as_ref().is_some_and(is_other)) {
                    // Who reads the old one should know.
                    post.tell(tx, account, &Told::Moved)?.ok();
                }
                // A code that lies in the old mailbox opens nothing any more.
                people::end_resets(tx, draft, account, now_us)?;
                let confirmed = Some(Confirmed { address: wanted.address, since_us: now_us });
                draft.audit(Some(account), "mail address confirmed", account.to_string());
                draft.change(Scope::Cluster, Change::Mail(MailRow { confirmed, wanted: None, ..row }));
                Ok(())
            })
            .await?;
        self.ring();
        Ok(())
    }

    /// No mail reaches the caller from now on.
    ///
    /// # Errors
    /// As the store says.
    pub async fn drop_mail(&self, caller: &Caller) -> Result<()> {
        let (post, account, now_us) = (self.post.clone(), caller.account, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let Some(row) = mail::of(tx, account)? else { return Ok(()) };
                if let Some(post) = &post {
                    post.tell(tx, account, &Told::Moved)?.ok();
                }
                people::end_resets(tx, draft, account, now_us)?;
                draft.audit(Some(account), "mail address removed", account.to_string());
                draft.change(Scope::Cluster, Change::Mail(MailRow { confirmed: None, wanted: None, ..row }));
                Ok::<_, Error>(())
            })
            .await?;
        self.ring();
        Ok(())
    }

    /// Sends a code for a new password to the confirmed address of the account of this name or address, if there is one.
    /// Whoever asks learns nothing: it is looked at later.
    ///
    /// # Errors
    /// [`Error::MailOff`].
    pub fn forgot(&self, name: &str) -> Result<()> {
        let post = self.post()?;
        let mut asked = post.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // Longer than any name or address can be.
        if asked.len() < ASKED_MAX && name.len() <= 512 {
            asked.push_back(name.to_owned());
        }
        drop(asked);
        post.ring();
        Ok(())
    }

    /// Mails an invitation that was just made.
    ///
    /// # Errors
    /// As the store says; inside, why it was not mailed.
    pub async fn mail_invitation(
        &self,
        caller: &Caller,
        made: &Token,
        address: &str,
        language: Language,
    ) -> Result<Posted> {
        let Some(post) = self.post.clone() else { return Ok(Err("this service sends no mail")) };
        let Ok(address) = address::checked(address) else { return Ok(Err("this is no address for mail")) };
        if !post.admits(&to(&address), TO_STRANGER) {
            return Ok(Err("several mails went to this address within an hour; hand the invitation on yourself"));
        }
        let (account, code) = (caller.account, made.text.clone());
        let posted = self
            .store
            .commit(move |tx, _| {
                let from = accounts::by_id(tx, account)?.map(|row| row.name).unwrap_or_default();
                post.write(tx, None, &address, language, &Told::Invitation { from: &from, code: &code })
            })
            .await?;
        self.ring();
        Ok(posted)
    }

    /// Mails a code for a new password that an operator just made, if the account has a confirmed address.
    ///
    /// # Errors
    /// As the store says; inside, why it was not mailed.
    pub async fn mail_reset(&self, name: String, made: &Token) -> Result<Posted> {
        let Some(post) = self.post.clone() else { return Ok(Err("this service sends no mail")) };
        let code = made.text.clone();
        let posted = self
            .store
            .commit(move |tx, _| {
                let account = accounts::by_name(tx, &name)?.ok_or(Error::NoAccount { name })?.id;
                post.tell(tx, account, &Told::Reset { code: &code, is_asked: false })
            })
            .await?;
        self.ring();
        Ok(posted)
    }

    /// Whether an address could be one; for whoever has to say so before something is made.
    ///
    /// # Errors
    /// [`Error::BadMail`].
    pub fn check_mail(&self, address: &str) -> Result<()> {
        address::checked(address).map(drop)
    }

    /// Something may wait to be carried.
    pub(crate) fn ring(&self) {
        if let Some(post) = &self.post {
            post.ring();
        }
    }

    async fn know_password(&self, caller: &Caller, password: Option<String>) -> Result<()> {
        let account = caller.account;
        let (name, row) = self
            .look(move |tx| {
                let name = accounts::by_id(tx, account)?.map(|row| row.name).unwrap_or_default();
                Ok((name, access::sign_in(tx, account)?))
            })
            .await?;
        // One that is reached by tokens alone has nothing to show.
        let Some(row) = row else { return Ok(()) };
        let Some(hash) = row.password else { return self.must_be_fresh(caller).await };
        let password = password.ok_or(Error::BadLogin)?;
        let now_us = self.store.now().monotonic_us;
        let is_right = self.passwords.matches(&sign_in::subject_of(&name), Some(hash), password, now_us).await?;
        if is_right { Ok(()) } else { Err(Error::BadLogin) }
    }
}

impl Post {
    /// Rings for whoever carries.
    pub fn ring(&self) {
        self.0.bell.notify_one();
    }

    /// Counts something that is done at most `most` times an hour.
    fn admits(&self, what: &str, most: u32) -> bool {
        self.0.hours.admits(what, most, self.0.store.now().monotonic_us)
    }

    /// Writes to an account's confirmed address; inside, why not.
    pub fn tell(&self, tx: &mut Tx<'_>, account: AccountId, told: &Told<'_>) -> Result<Posted> {
        let Some(MailRow { confirmed: Some(confirmed), language, .. }) = mail::of(tx, account)? else {
            return Ok(Err("the account has no confirmed address"));
        };
        if access::sign_in(tx, account)?.is_some_and(|row| row.suspended_us.is_some()) {
            return Ok(Err("the account is suspended"));
        }
        if !self.admits(&to(&confirmed.address), TO_OWNER) && !told.is_warning() {
            return Ok(Err("very many mails went to this address within an hour"));
        }
        self.write(tx, Some(account), &confirmed.address, language, told)
    }

    /// Serves a statement of ours at a firm's address; inside, why not.
    pub fn serve(&self, tx: &mut Tx<'_>, address: &str, text: &str) -> Result<Posted> {
        if !self.admits(&to(address), TO_OWNER) {
            return Ok(Err("very many mails went to this address within an hour"));
        }
        self.write(tx, None, address, Language::English, &Told::Statement { text })
    }

    /// Tells somebody that `from` lets them see something; not too often from one, nor to one.
    pub fn tell_grant(&self, tx: &mut Tx<'_>, from: AccountId, to: AccountId) -> Result<()> {
        if self.admits(&format!("grants {from}"), GRANTS) && self.admits(&format!("granted {to}"), GRANTED) {
            let name = accounts::by_id(tx, from)?.map(|row| row.name).unwrap_or_default();
            self.tell(tx, to, &Told::Granted { from: &name })?.ok();
        }
        Ok(())
    }

    /// Puts a mail into the queue; inside, why not.
    fn write(
        &self,
        tx: &mut Tx<'_>,
        account: Option<AccountId>,
        address: &str,
        language: Language,
        told: &Told<'_>,
    ) -> Result<Posted> {
        let (all, of_one) = mail::waiting(tx, account)?;
        if all >= QUEUE || of_one >= QUEUE_OF_ONE {
            return Ok(Err("very many mails wait to be sent; the operator can see why"));
        }
        let service = shown::about(tx)?.name.unwrap_or_else(|| "Holdfast".to_owned());
        let (subject, words) = texts::compose(language, &service, &self.0.page, told);
        let made_us = self.0.store.now().wall_us;
        let queued = Queued {
            id: MessageId::random(self.0.store.entropy()),
            account,
            about: told.about().to_owned(),
            address: address.to_owned(),
            subject,
            words,
            made_us,
            due_us: made_us,
            tries: 0,
        };
        mail::queue(tx, &queued)?;
        Ok(Ok(()))
    }
}

/// Tells an account's owner, where there is mail; that it could not be told stops nothing.
pub(crate) fn tell(post: Option<&Post>, tx: &mut Tx<'_>, account: AccountId, what: &Told<'_>) -> Result<()> {
    if let Some(post) = post {
        post.tell(tx, account, what)?.ok();
    }
    Ok(())
}

pub(crate) use texts::{Told as Telling, Waiting};

/// Whether a text could be an address for mail.
pub(crate) fn is_address(text: &str) -> bool {
    address::checked(text).is_ok()
}

/// The account of this name, or else of this confirmed address.
pub(crate) fn named(tx: &Tx<'_>, text: &str) -> Result<Option<AccountRow>> {
    if let Some(row) = accounts::by_name(tx, text)? {
        return Ok(Some(row));
    }
    match mail::by_address(tx, text).map(|found| found.filter(|_| text.contains('@')))? {
        Some(account) => Ok(accounts::by_id(tx, account)?),
        None => Ok(None),
    }
}

/// Where mail reaches an account, for its owner.
pub(crate) fn own(tx: &Tx<'_>, account: AccountId) -> Result<Option<OwnMail>> {
    let Some(row) = mail::of(tx, account)? else { return Ok(None) };
    let pending = row.wanted.map(|wanted| wanted.address);
    Ok(match (row.confirmed, pending) {
        (Some(confirmed), pending) => Some(OwnMail { address: confirmed.address, confirmed: true, pending }),
        (None, Some(address)) => Some(OwnMail { address, confirmed: false, pending: None }),
        (None, None) => None,
    })
}

/// Ends it for an account that goes.
pub(crate) fn end(tx: &Tx<'_>, draft: &mut store::Draft, account: AccountId) -> Result<()> {
    if let Some(row) = mail::of(tx, account)? {
        draft.change(Scope::Cluster, Change::Mail(MailRow { confirmed: None, wanted: None, ..row }));
    }
    Ok(())
}

fn empty(account: AccountId) -> MailRow {
    MailRow { account, confirmed: None, wanted: None, language: Language::default() }
}

/// What mails to an address are counted under.
fn to(address: &str) -> String {
    format!("to {}", address.to_ascii_lowercase())
}
