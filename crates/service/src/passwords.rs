//! Passwords: hashed slowly, a few at a time, and not guessed by the thousand.
//!
//! Argon2id with 19 MiB and two passes, the first choice of the OWASP password storage cheat sheet. Each hash costs that
//! memory, so only [`AT_ONCE`] run at a time and [`LINE`] wait. After [`FREE_ATTEMPTS`] wrong passwords for one name
//! or link the next is looked at only when [`PAUSE_US`] have passed since the last: whoever knows it waits a minute, whoever
//! guesses gets 1,440 a day.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier},
};
use model::{id::AccountId, world::Entropy};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// The fewest bytes of a password.
pub(crate) const LEAST: usize = 10;
/// The most bytes of a password.
pub(crate) const MOST: usize = 1_024;
/// Hashes that are made at a time, at 19 MiB each.
const AT_ONCE: usize = 2;
/// Wrong passwords in a row that cost nothing.
const FREE_ATTEMPTS: u32 = 10;
/// How long the next one waits then.
const PAUSE_US: u64 = 60_000_000;
/// Names and links that are remembered; those not tried for a while make room.
const SUBJECTS_MAX: usize = 10_000;
/// Who may hash or wait to; more are asked to come again.
const LINE: usize = 64;

/// What a password is checked against where there is none, so that time does not say which names exist.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IQ$N0Yd5vGmDqVvOXGGzHJzzOnLFpV4cLkkVcS7pbUVh4o";

/// The one place where passwords are hashed.
#[derive(Clone)]
pub(crate) struct Passwords {
    slots: Arc<Semaphore>,
    /// Who hashes or waits to.
    line: Arc<Semaphore>,
    /// Tries since the last right one, by BLAKE3 of what is guessed at.
    tried: Arc<Mutex<Tries>>,
    /// Tries at second factors, of accounts that have one: names that somebody invents push none of them out.
    second: Arc<Mutex<Tries>>,
}

type Tries = HashMap<[u8; 32], Tried>;

#[derive(Clone, Copy)]
struct Tried {
    count: u32,
    last_us: u64,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            line: Arc::new(Semaphore::new(LINE)),
            tried: Arc::default(),
            second: Arc::default(),
        }
    }
}

impl Passwords {
    /// A password's hash as a PHC string.
    ///
    /// # Errors
    /// Refused if it is too short or too long.
    pub async fn hash(&self, entropy: &dyn Entropy, password: String) -> Result<String> {
        check_length(&password)?;
        self.hash_any(entropy, password).await
    }

    /// The same for a link's password, which may be short: who gives it out decides.
    ///
    /// # Errors
    /// Refused if it is empty or too long.
    pub async fn hash_any(&self, entropy: &dyn Entropy, password: String) -> Result<String> {
        if !(1..=MOST).contains(&password.len()) {
            return Err(Error::BadShare { what: "a link's password has 1 to 1024 bytes" });
        }
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        self.work(move || {
            let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|_| Error::BadPassword)
        })
        .await?
    }

    /// Whether `password` is the one that `hash` is of. `subject` is what is guessed at: a name, a link.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub async fn matches(&self, subject: &str, hash: Option<String>, password: String, now_us: u64) -> Result<bool> {
        if password.len() > MOST {
            return Ok(false);
        }
        let subject = *blake3::hash(subject.as_bytes()).as_bytes();
        // Who finds no place in the line has tried nothing.
        let place = self.line.try_acquire().map_err(|_| Error::TooManyAttempts { wait_s: 1 })?;
        admit(&self.tried, subject, now_us)?;
        drop(place);
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.to_owned());
        let fits = move || Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok();
        let right = self.work(fits).await? && known;
        if right {
            self.tried.lock().unwrap_or_else(PoisonError::into_inner).remove(&subject);
        }
        Ok(right)
    }

    /// Counts a try at an account's second factor.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub fn attempt(&self, account: AccountId, now_us: u64) -> Result<()> {
        admit(&self.second, *blake3::hash(&account.0).as_bytes(), now_us)
    }

    /// The last try at an account's second factor was right: those before it are forgotten.
    pub fn forgive(&self, account: AccountId) {
        let subject = *blake3::hash(&account.0).as_bytes();
        self.second.lock().unwrap_or_else(PoisonError::into_inner).remove(&subject);
    }

    /// Runs `f` beside the doors, when a slot is free. Only so many wait: each holds a password in memory.
    async fn work<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let busy = || Error::TooManyAttempts { wait_s: 1 };
        let _place = self.line.try_acquire().map_err(|_| busy())?;
        let _slot = self.slots.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(f).await.map_err(|_| busy())
    }
}

/// Whether a new password is neither too short nor too long.
///
/// # Errors
/// [`Error::BadPassword`].
pub(crate) fn check_length(password: &str) -> Result<()> {
    if (LEAST..=MOST).contains(&password.len()) { Ok(()) } else { Err(Error::BadPassword) }
}

/// Counts a try before it is made, so that a thousand at once are a thousand; the right one forgets them all.
fn admit(tried: &Mutex<Tries>, subject: [u8; 32], now_us: u64) -> Result<()> {
    let mut tried = tried.lock().unwrap_or_else(PoisonError::into_inner);
    if tried.len() >= SUBJECTS_MAX {
        tried.retain(|_, seen| now_us.saturating_sub(seen.last_us) < PAUSE_US);
    }
    let full = tried.len() >= SUBJECTS_MAX;
    match tried.get_mut(&subject) {
        Some(seen) => {
            let wait_us = seen.last_us.saturating_add(PAUSE_US).saturating_sub(now_us);
            if seen.count >= FREE_ATTEMPTS && wait_us > 0 {
                return Err(Error::TooManyAttempts { wait_s: wait_us.div_ceil(1_000_000) });
            }
            *seen = Tried { count: seen.count.saturating_add(1), last_us: now_us };
        }
        // As many names at once as no crowd of users has: somebody invents them.
        None if full => return Err(Error::TooManyAttempts { wait_s: PAUSE_US / 1_000_000 }),
        None => drop(tried.insert(subject, Tried { count: 1, last_us: now_us })),
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use model::world::Entropy;

    use super::{FREE_ATTEMPTS, NOBODYS, PAUSE_US, Passwords};
    use crate::Error;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_hash_is_of_its_password_only() {
        run(async {
            let passwords = Passwords::default();
            let hash = passwords.hash(&Zeros, "correct horse".to_owned()).await.unwrap();
            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
            assert!(NOBODYS.starts_with(hash.rsplitn(3, '$').last().unwrap()), "it costs the same to find nobody");
            let matches =
                async |password: &str| passwords.matches("a", Some(hash.clone()), password.to_owned(), 0).await;
            assert!(matches("correct horse").await.unwrap());
            assert!(!matches("correct horsE").await.unwrap());
            assert!(!passwords.matches("b", None, "correct horse".to_owned(), 0).await.unwrap());
            for bad in ["short", &"x".repeat(1_025)] {
                assert!(matches!(passwords.hash(&Zeros, bad.to_owned()).await, Err(Error::BadPassword)));
            }
        });
    }

    #[test]
    fn a_thousand_guesses_at_once_are_a_thousand() {
        run(async {
            let passwords = Passwords::default();
            let guess = || passwords.matches("a", None, "wrong".to_owned(), 0);
            let all = futures_util::future::join_all((0..30).map(|_| guess())).await;
            assert_eq!(all.iter().filter(|answer| answer.is_ok()).count(), FREE_ATTEMPTS as usize);
        });
    }

    #[test]
    fn guesses_are_slowed_down_for_one_name_only() {
        run(async {
            let passwords = Passwords::default();
            let guess = async |name: &str, at_us| passwords.matches(name, None, "wrong".to_owned(), at_us).await;
            for _ in 0..FREE_ATTEMPTS {
                assert!(!guess("a", 0).await.unwrap());
            }
            assert!(matches!(guess("a", PAUSE_US - 1).await, Err(Error::TooManyAttempts { wait_s: 1 })));
            assert!(!guess("b", 0).await.unwrap());
            assert!(!guess("a", PAUSE_US).await.unwrap());
            assert!(guess("a", PAUSE_US).await.is_err());
        });
    }
}
