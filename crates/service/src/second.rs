//! The second factor: six digits of an authenticator, or a one-time code from the page that its owner printed.
//!
//! The secret is journalled as passwords are: after a rebuild the same phone and the same page of codes open the account.
//! Which digits were used is local; they are good for a minute and a half at most. Digits and codes open once each, and
//! tries are counted before they are looked at, apart from those of the password.
//!
//! Source: RFC 6238 (TOTP), RFC 4226 section 7.3 (throttling).

use catalogue::{Tx, access, accounts};
use model::{
    Change, Scope,
    account::{SecondFactor, SignInRow},
    id::AccountId,
    world::Entropy,
};
use store::Draft;
use totp_rs::{Builder, Secret};

use crate::{
    Service,
    error::{Error, Result},
    sign_in::subject_of,
    tokens::{Caller, hash_of},
};

/// One-time codes that are made at a time.
const CODES: usize = 10;
/// Letters of one, of which each is five random bits.
const CODE_LETTERS: usize = 16;
/// Without `l`, `o`, `0` and `1`, which look alike on paper.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What an authenticator is given; nothing of it is kept until its owner shows that it works.
pub struct NewSecond {
    /// The secret in base 32.
    pub secret: String,
    /// The account's name.
    pub name: String,
}

impl std::fmt::Debug for NewSecond {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSecond").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Service {
    /// A new secret for the caller's authenticator.
    ///
    /// # Errors
    /// As the store says.
    pub async fn propose_second(&self, caller: &Caller) -> Result<NewSecond> {
        let account = caller.account;
        let name = self.store.read(move |tx| accounts::by_id(tx, account)).await?.map(|row| row.name);
        let mut secret = [0; SecondFactor::SECRET_BYTES];
        self.store.entropy().fill(&mut secret);
        Ok(NewSecond { secret: Secret::new_stack(secret).to_base32(), name: name.unwrap_or_default() })
    }

    /// Asks for a second factor from now on; other sessions of the account end. Returns the one-time codes, which exist
    /// nowhere else.
    ///
    /// # Errors
    /// [`Error::BadLogin`] for a wrong password; [`Error::BadSecond`] if `digits` are not of `secret`; [`Error::SecondOn`].
    pub async fn set_second(
        &self,
        caller: &Caller,
        password: String,
        secret: &str,
        digits: &str,
    ) -> Result<Vec<String>> {
        let row = self.proven(caller, password).await?;
        if row.second.is_some() {
            return Err(Error::SecondOn);
        }
        let now_us = self.store.now().wall_us;
        let secret: [u8; SecondFactor::SECRET_BYTES] = Secret::try_from_base32(secret.trim())
            .ok()
            .and_then(|secret| secret.as_bytes().try_into().ok())
            .ok_or(Error::BadSecond)?;
        let step = step_of(secret, digits, now_us).ok_or(Error::BadSecond)?;
        let (texts, codes) = new_codes(self.store.entropy());
        let second = Some(SecondFactor { secret, since_us: now_us, codes });
        self.keep_second(caller, row, second, "second factor on", Some(step)).await?;
        Ok(texts)
    }

    /// Makes new one-time codes; the ones before open nothing more.
    ///
    /// # Errors
    /// [`Error::BadLogin`], [`Error::NoSecond`], [`Error::BadSecond`].
    pub async fn new_second_codes(&self, caller: &Caller, password: String, second: &str) -> Result<Vec<String>> {
        let row = self.shown_second(caller, password, second).await?;
        let (texts, codes) = new_codes(self.store.entropy());
        let second = row.second.clone().map(|second| SecondFactor { codes, ..second });
        self.keep_second(caller, row, second, "one-time codes made", None).await?;
        Ok(texts)
    }

    /// Asks for the password alone from now on.
    ///
    /// # Errors
    /// [`Error::BadLogin`], [`Error::NoSecond`], [`Error::BadSecond`].
    pub async fn drop_second(&self, caller: &Caller, password: String, second: &str) -> Result<()> {
        let row = self.shown_second(caller, password, second).await?;
        self.keep_second(caller, row, None, "second factor off", None).await
    }

    /// For somebody who lost phone and codes: an operator who knows them lets the password alone do.
    ///
    /// # Errors
    /// Refused if the caller is no operator or means their own account; Missing if there is no such account or it has no
    /// second factor.
    pub async fn remove_second(&self, caller: &Caller, name: String) -> Result<()> {
        caller.must_operate()?;
        let own = caller.account;
        self.store
            .commit(move |tx, draft| {
                let account = accounts::by_name(tx, &name)?.ok_or(Error::NoAccount { name })?.id;
                if account == own {
                    // Whoever got at an operator's session would be rid of it; its owner turns it off with the code.
                    return Err(Error::OwnAccount);
                }
                let row = access::sign_in(tx, account)?.filter(|row| row.second.is_some()).ok_or(Error::NoSecond)?;
                access::end_sessions(tx, account, None)?;
                draft.audit(Some(own), "second factor removed", account.to_string());
                draft.change(Scope::Cluster, Change::SignIn(SignInRow { second: None, ..row }));
                Ok::<_, Error>(())
            })
            .await?;
        self.known.forget();
        Ok(())
    }

    /// How the caller signs in, if `password` is right; where there is none, if they have signed in just now.
    pub(crate) async fn proven(&self, caller: &Caller, password: String) -> Result<SignInRow> {
        let account = caller.account;
        let (name, row) = self
            .look(move |tx| {
                let name = accounts::by_id(tx, account)?.map(|row| row.name).unwrap_or_default();
                Ok((name, access::sign_in(tx, account)?))
            })
            .await?;
        let hash = row.as_ref().and_then(|row| row.password.clone());
        if let Some(row) = row.as_ref().filter(|row| row.password.is_none()) {
            self.must_be_fresh(caller).await?;
            return Ok(row.clone());
        }
        if !self.passwords.matches(&subject_of(&name), hash, password, self.store.now().monotonic_us).await? {
            return Err(Error::BadLogin);
        }
        row.ok_or(Error::BadLogin)
    }

    /// Whether it is the caller's owner who asks: by the password, and by the second factor where one is on.
    ///
    /// # Errors
    /// [`Error::BadLogin`], [`Error::SecondNeeded`], [`Error::BadSecond`].
    pub(crate) async fn shown(&self, caller: &Caller, password: String, second: Option<&str>) -> Result<()> {
        let asked = caller.account;
        let is_on =
            self.look(move |tx| Ok(access::sign_in(tx, asked)?.is_some_and(|row| row.second.is_some()))).await?;
        match (is_on, second) {
            (true, Some(second)) => self.shown_second(caller, password, second).await.map(drop),
            (true, None) => self.proven(caller, password).await.and(Err(Error::SecondNeeded)),
            (false, _) => self.proven(caller, password).await.map(drop),
        }
    }

    /// The same, if the second factor is right as well; it is used then.
    async fn shown_second(&self, caller: &Caller, password: String, second: &str) -> Result<SignInRow> {
        let (row, account) = (self.proven(caller, password).await?, caller.account);
        if row.second.is_none() {
            return Err(Error::NoSecond);
        }
        self.admit_second(account, Some(second))?;
        let (second, now_us) = (second.to_owned(), self.store.now().wall_us);
        let row = self
            .store
            .commit(move |tx, draft| {
                let row = access::sign_in(tx, account)?.ok_or(Error::NoSecond)?;
                let row = show(tx, row, Some(&second), now_us)?;
                draft.change(Scope::Cluster, Change::SignIn(row.clone()));
                Ok::<_, Error>(row)
            })
            .await?;
        self.forgive_second(account);
        Ok(row)
    }

    /// Writes a second factor, if the row is still the one that was shown to be known.
    async fn keep_second(
        &self,
        caller: &Caller,
        shown: SignInRow,
        second: Option<SecondFactor>,
        act: &'static str,
        step: Option<u64>,
    ) -> Result<()> {
        let (account, session) = (caller.account, caller.session);
        self.store
            .commit(move |tx, draft| {
                let row = access::sign_in(tx, account)?.filter(|row| *row == shown).ok_or(Error::BadLogin)?;
                if let Some(step) = step {
                    access::begin_second(tx, account, step)?;
                }
                access::end_sessions(tx, account, session)?;
                draft.audit(Some(account), act, account.to_string());
                draft.change(Scope::Cluster, Change::SignIn(SignInRow { second, ..row }));
                Ok::<_, Error>(())
            })
            .await?;
        self.known.forget();
        Ok(())
    }

    /// Counts a try before it is looked at.
    pub(crate) fn admit_second(&self, account: AccountId, second: Option<&str>) -> Result<()> {
        match second {
            Some(_) => self.passwords.attempt(account, self.store.now().monotonic_us),
            None => Ok(()),
        }
    }

    /// Forgets the tries before a right one.
    pub(crate) fn forgive_second(&self, account: AccountId) {
        self.passwords.forgive(account);
    }
}

/// The row after `given` was used, or the row itself where no second factor is asked for.
///
/// # Errors
/// [`Error::SecondNeeded`] if nothing is given; [`Error::BadSecond`] if it is wrong or was used before.
pub(crate) fn show(tx: &mut Tx<'_>, mut row: SignInRow, given: Option<&str>, now_us: i64) -> Result<SignInRow> {
    let Some(second) = row.second.as_mut() else { return Ok(row) };
    let given: String = given
        .ok_or(Error::SecondNeeded)?
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if given.len() == CODE_LETTERS {
        let hash = hash_of(&given);
        let at = second.codes.iter().position(|code| *code == hash).ok_or(Error::BadSecond)?;
        second.codes.remove(at);
        return Ok(row);
    }
    let step = step_of(second.secret, &given, now_us).ok_or(Error::BadSecond)?;
    if access::use_second(tx, row.account, step, step_at(now_us))? { Ok(row) } else { Err(Error::BadSecond) }
}

/// Uses a second factor where one is asked for, and journals what is left of the one-time codes.
pub(crate) fn use_up(
    tx: &mut Tx<'_>,
    draft: &mut Draft,
    row: SignInRow,
    given: Option<&str>,
    now_us: i64,
) -> Result<SignInRow> {
    let shown = show(tx, row.clone(), given, now_us)?;
    if shown != row {
        draft.audit(Some(row.account), "one-time code used", row.account.to_string());
        draft.change(Scope::Cluster, Change::SignIn(shown.clone()));
    }
    Ok(shown)
}

/// The step of time whose digits these are: the present one, the one before or the one after it.
fn step_of(secret: [u8; SecondFactor::SECRET_BYTES], digits: &str, now_us: i64) -> Option<u64> {
    let now_s = u64::try_from(now_us).ok()? / 1_000_000;
    let totp = Builder::new().with_secret(Secret::new_stack(secret)).build().ok()?;
    let digits: String = digits.chars().filter(|letter| !letter.is_whitespace()).collect();
    totp.check(&digits, now_s)
}

/// The number of a moment's step of 30 s.
fn step_at(now_us: i64) -> u64 {
    u64::try_from(now_us).unwrap_or(0) / 30_000_000
}

/// One-time codes as they are printed, and what is kept of them.
fn new_codes(entropy: &dyn Entropy) -> (Vec<String>, Vec<[u8; 32]>) {
    let mut texts = Vec::with_capacity(CODES);
    let mut hashes = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        let mut random = [0; CODE_LETTERS];
        entropy.fill(&mut random);
        let letters: String = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
        hashes.push(hash_of(&letters));
        let (a, b) = letters.split_at(CODE_LETTERS / 2);
        texts.push([a.split_at(4), b.split_at(4)].map(|(x, y)| format!("{x}-{y}")).join("-"));
    }
    (texts, hashes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::step_of;

    /// Source: RFC 6238, appendix B (SHA-1), the last six of its eight digits.
    #[test]
    fn digits_are_those_of_the_standard() {
        let secret = *b"12345678901234567890";
        for (at_s, digits, step) in
            [(59, "287082", 1), (1_111_111_109, "081804", 37_037_036), (20_000_000_000, "353130", 666_666_666)]
        {
            let at = |seconds: i64| step_of(secret, digits, seconds * 1_000_000);
            assert_eq!(at(at_s), Some(step));
            assert_eq!((at(at_s + 30), at(at_s - 30)), (Some(step), Some(step)), "a clock may be off by a step");
            assert_eq!((at(at_s + 60), at(at_s - 60)), (None, None));
        }
        assert_eq!(step_of(secret, "287 082", 59_000_000), Some(1), "as authenticators show them");
        for bad in ["", "28708", "2870820", "28708x", "+87082"] {
            assert_eq!(step_of(secret, bad, 59_000_000), None, "{bad}");
        }
    }
}
