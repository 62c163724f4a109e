//! Signing in elsewhere: another service vouches for somebody, and the account that is tied to them opens.
//!
//! The browser is sent to the issuer with a *state* that names the try here, and comes back with a code, which is exchanged
//! directly with the issuer for a token that says who they are ([`token`]). A try ends with its first return, after ten
//! minutes, and for any other browser than the one that began it. Accounts are tied to issuer and subject, never to a name
//! or a mail address: those are given to others one day.
//!
//! The issuer answers for how it knows somebody: a second factor that is turned on here is asked for beside the password only.
//!
//! Source: OpenID Connect Core 1.0 section 3.1; RFC 6749 section 4.1, RFC 7636 (PKCE), RFC 9207, RFC 9700.

mod issuer;
mod token;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use catalogue::{Tx, accounts, shown, ways};
use model::{
    Change, Scope,
    account::{AccountRow, LimitsRow, Role, SignInRow},
    id::{AccountId, TokenId},
    ways::IdentityRow,
};
use serde_json::Value;
use store::Draft;

use crate::{
    Network, Service, SessionText, base64,
    error::{Error, Result},
    leaving,
    sign_in::{check_name, keep_session, shortened},
    tokens::{Caller, hash_of, role_of},
    waiting::Waiting,
    ways::{FRESH_S, Taken, must_leave_one},
};

pub use issuer::{Errand, Issuer, Messenger, Reply};

use issuer::{Line, Said};
use token::{Claims, Disbelief, Expected};

/// How long somebody may be away, in seconds: passwords are forgotten, phones looked for.
pub const AWAY_S: u32 = 600;
/// The most bytes of an answer that holds a token.
const TOKEN_BYTES_MAX: usize = 64 << 10;
/// Longest code that an issuer gives.
const CODE_BYTES_MAX: usize = 4_096;
/// How many names are tried for somebody new.
const NAMES_MAX: u32 = 1_000;

/// Why somebody was not signed in; the page says it in its own words.
#[derive(Debug, PartialEq, Eq)]
pub enum NotIn {
    /// They or the issuer said no.
    Refused,
    /// Nobody here is tied to them, and no account is made for newcomers.
    NoAccount,
    /// The account is suspended.
    Suspended,
    /// They are tied to another account.
    Taken,
    /// The try is unknown, over, or another browser's.
    Expired,
    /// Whoever ties their account has to have signed in just now, here and there.
    Again,
    /// The issuer is to ask them who they are: send them there once more ([`Aim::EnterAnew`]).
    Anew,
    /// It did not work, for a reason that the operator reads.
    Failed(String),
}

impl NotIn {
    /// Its name in addresses.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NoAccount => "no_account",
            Self::Suspended => "suspended",
            Self::Taken => "taken",
            Self::Expired => "expired",
            Self::Again => "again",
            Self::Anew => "anew",
            Self::Failed(_) => "failed",
        }
    }
}

impl From<Error> for NotIn {
    fn from(error: Error) -> Self {
        match error {
            Error::Suspended => Self::Suspended,
            other => Self::Failed(other.to_string()),
        }
    }
}

/// What somebody goes there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// To sign in.
    Enter,
    /// To sign in having shown there just now who they are, whatever the issuer remembers of them.
    EnterAnew,
    /// To be tied to the account of whoever asks, shown in the same way.
    Tie(Caller),
}

/// Where a browser is sent, and what it keeps until it is back.
pub struct Departure {
    /// The issuer's door.
    pub address: String,
    /// Shows that it is the same browser when it comes back.
    pub cookie: SessionText,
}

/// What a browser brings back in its address.
#[derive(Clone, Default)]
pub struct Returned {
    /// Which try it was.
    pub state: Option<String>,
    /// What is exchanged for a token.
    pub code: Option<String>,
    /// What went wrong there.
    pub error: Option<String>,
    /// Who says so.
    pub issuer: Option<String>,
}

/// Somebody is away.
struct Trip {
    nonce: String,
    /// What the code is good for only together with.
    verifier: String,
    /// Where they come back to.
    back: String,
    /// BLAKE3 of the browser's cookie.
    browser: [u8; 32],
    aim: Aim,
}

/// The issuer and those who are away.
#[derive(Clone)]
pub(crate) struct Elsewhere {
    line: Arc<Line>,
    away: Waiting<Trip>,
}

impl Service {
    /// With an issuer that vouches for people.
    #[must_use]
    pub fn with_issuer(mut self, issuer: Issuer, messenger: Arc<dyn Messenger>) -> Self {
        let away = Waiting::new(u64::from(AWAY_S) * 1_000_000);
        self.elsewhere = Some(Elsewhere { line: Arc::new(Line::new(issuer, messenger)), away });
        self
    }

    /// What people call the issuer, if there is one.
    pub fn issuer_name(&self) -> Option<&str> {
        self.elsewhere.as_ref().map(|elsewhere| elsewhere.line.issuer.name.as_str())
    }

    /// What the issuer calls itself, if there is one.
    pub(crate) fn issuer_address(&self) -> Option<&str> {
        self.elsewhere.as_ref().map(|elsewhere| elsewhere.line.issuer.address.as_str())
    }

    /// Sends a browser to the issuer. `back`: the address of ours that it comes back to.
    ///
    /// # Errors
    /// [`NotIn::Failed`] if the issuer cannot be reached or says what cannot be; [`NotIn::Again`] to whoever ties in an old
    /// session.
    pub async fn send_elsewhere(
        &self,
        back: String,
        aim: Aim,
        network: Option<Network>,
    ) -> std::result::Result<Departure, NotIn> {
        let Elsewhere { line, away } = self.elsewhere()?;
        if let Aim::Tie(caller) = &aim {
            // It opens the account for good: neither a program nor a browser that somebody left open may tie.
            caller.session.ok_or(NotIn::Refused)?;
            self.must_be_fresh(caller).await.map_err(|_| NotIn::Again)?;
        }
        let now_us = self.store.now().monotonic_us;
        let said = line.said(now_us).await.map_err(NotIn::Failed)?;
        let (nonce, verifier, cookie) = (self.secret(), self.secret(), self.secret());
        let state = TokenId::random(self.store.entropy());
        let (state_text, max_age) = (state.to_string(), FRESH_S.to_string());
        let challenge = base64::url::encode(digest(&SHA256, verifier.as_bytes()).as_ref());
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &line.issuer.client),
            ("redirect_uri", &back),
            ("scope", "openid profile email"),
            ("state", &state_text),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if aim != Aim::Enter {
            // Source: OpenID Connect Core 1.0 section 3.1.2.1.
            query.push(("max_age", &max_age));
        }
        let query = form(&query);
        let joint = if said.authorization.contains('?') { '&' } else { '?' };
        let address = format!("{}{joint}{query}", said.authorization);
        away.put(state, network, now_us, Trip { nonce, verifier, back, browser: hash_of(&cookie), aim });
        Ok(Departure { address, cookie: SessionText(cookie) })
    }

    /// Takes a browser back: signs it in, or ties whoever it is to the account of `caller` and answers `None`.
    ///
    /// # Errors
    /// Why not.
    pub async fn back_from_elsewhere(
        &self,
        returned: Returned,
        cookie: &str,
        caller: Option<Caller>,
        agent: &str,
    ) -> std::result::Result<Option<SessionText>, NotIn> {
        let Elsewhere { line, away } = self.elsewhere()?;
        let state = returned.state.as_deref().and_then(|text| TokenId::parse(text).ok()).ok_or(NotIn::Expired)?;
        let trip = away.take(state, self.store.now().monotonic_us).ok_or(NotIn::Expired)?;
        // Compared in constant time: the hash is of 256 random bits.
        let is_another = matches!(trip.aim, Aim::Tie(by) if Some(by) != caller);
        if blake3::Hash::from(hash_of(cookie)) != trip.browser || is_another {
            return Err(NotIn::Expired);
        }
        if returned.issuer.is_some_and(|issuer| issuer != line.issuer.address) {
            return Err(NotIn::Failed("another issuer than the one that was asked has answered".to_owned()));
        }
        match returned.error.as_deref() {
            None => {}
            Some("access_denied" | "login_required" | "interaction_required" | "consent_required") => {
                return Err(NotIn::Refused);
            }
            Some(other) => {
                let code: String = other.chars().filter(char::is_ascii_graphic).take(64).collect();
                return Err(NotIn::Failed(format!("the issuer answers: {code}")));
            }
        }
        let code = returned.code.filter(|code| (1..=CODE_BYTES_MAX).contains(&code.len())).ok_or(NotIn::Refused)?;
        let claims = self.exchange(line, &code, &trip).await.map_err(NotIn::Failed)?;
        let now_s = self.store.now().wall_us.div_euclid(1_000_000);
        let lately = now_s - FRESH_S - token::LEEWAY_S..=now_s + token::LEEWAY_S;
        let is_fresh = claims.signed_in_s.is_some_and(|at| lately.contains(&at));
        match trip.aim {
            Aim::Tie(_) if !is_fresh => Err(NotIn::Again),
            Aim::Tie(caller) => self.tie(&caller, line.issuer.address.clone(), claims).await.map(|()| None),
            aim => self.enter(&line.issuer, claims, agent, (aim, is_fresh)).await.map(Some),
        }
    }

    /// Ties nobody to the caller's account any more. `authority`: the host that the request came to.
    ///
    /// # Errors
    /// [`Error::NoSuchId`] if nobody is; [`Error::LastWayIn`] if nothing else signs in there.
    pub async fn untie(&self, caller: &Caller, authority: &str) -> Result<()> {
        // As making one: not by a program that may act for a while.
        caller.session.ok_or(Error::NeedsSession)?;
        let (account, now_us, doors) = (caller.account, self.store.now().wall_us, self.doors(authority));
        self.store
            .commit(move |tx, draft| {
                let row = ways::identity(tx, account)?.ok_or(Error::NoSuchId)?;
                must_leave_one(tx, account, &doors, Taken::Identity)?;
                draft.audit(Some(account), "identity untied", account.to_string());
                draft.change(Scope::Cluster, Change::Identity(IdentityRow { ended_us: Some(now_us), ..row }));
                Ok::<_, Error>(())
            })
            .await
    }

    fn elsewhere(&self) -> std::result::Result<&Elsewhere, NotIn> {
        self.elsewhere.as_ref().ok_or_else(|| NotIn::Failed("no issuer is configured ([oidc])".to_owned()))
    }

    /// Exchanges a code for what the issuer says of whoever it gave it to.
    async fn exchange(&self, line: &Line, code: &str, trip: &Trip) -> std::result::Result<Claims, String> {
        let now = self.store.now();
        let said = line.said(now.monotonic_us).await?;
        let Issuer { client, secret, .. } = &line.issuer;
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &trip.back),
            ("code_verifier", &trip.verifier),
        ];
        let authorization = if said.secret_in_form {
            pairs.extend([("client_id", client.as_str()), ("client_secret", secret.as_str())]);
            None
        } else {
            // Source: RFC 6749 section 2.3.1: both are encoded as in forms first.
            Some(format!("Basic {}", base64::encode(format!("{}:{}", encoded(client), encoded(secret)).as_bytes())))
        };
        let errand =
            Errand { address: said.token.clone(), form: Some(form(&pairs)), authorization, bytes_max: TOKEN_BYTES_MAX };
        let answer = line.carry(errand).await?;
        let token = answer.get("id_token").and_then(Value::as_str).ok_or("the issuer's answer holds no id_token")?;
        let expected = Expected {
            issuer: &line.issuer.address,
            client,
            nonce: &trip.nonce,
            now_s: now.wall_us.div_euclid(1_000_000),
        };
        for afresh in [false, true] {
            let keys = line.keys(&said, afresh, now.monotonic_us).await?;
            match token::believe(token, &keys, expected) {
                Ok(claims) => return Ok(named(line, &said, claims, &answer).await),
                Err(Disbelief::UnknownKey) => {}
                Err(Disbelief::Wrong(why)) => return Err(format!("the issuer's token is not believed: {why}")),
            }
        }
        Err("the issuer's token is not believed: none of the issuer's keys signed it".to_owned())
    }

    /// Ties somebody to the caller's account.
    async fn tie(&self, caller: &Caller, issuer: String, claims: Claims) -> std::result::Result<(), NotIn> {
        let (account, now_us) = (caller.account, self.store.now().wall_us);
        let tied = self
            .store
            .commit(move |tx, draft| {
                role_of(tx, account)?;
                if ways::identified(tx, &issuer, &claims.subject)?.is_some_and(|row| row.account != account) {
                    return Ok(false);
                }
                // One that is tied stays until its owner unties it.
                let own = ways::identity(tx, account)?.filter(|row| row.ended_us.is_none());
                if own.is_some_and(|row| row.issuer != issuer || row.subject != claims.subject) {
                    return Ok(false);
                }
                identify(draft, account, issuer, claims, now_us);
                Ok::<_, Error>(true)
            })
            .await?;
        if tied { Ok(()) } else { Err(NotIn::Taken) }
    }

    /// Signs somebody in, with a new account if there is none and one may be made. Whether they showed there just now who they
    /// are counts for what asks for it; who was asked to sign in again is sent there once more, or would never be done with it.
    async fn enter(
        &self,
        issuer: &Issuer,
        claims: Claims,
        agent: &str,
        (aim, is_fresh): (Aim, bool),
    ) -> std::result::Result<SessionText, NotIn> {
        let (address, subject) = (issuer.address.clone(), claims.subject.clone());
        let known = self.look(move |tx| Ok(ways::identified(tx, &address, &subject)?)).await?;
        let account = match known {
            Some(row) => row.account,
            None if !issuer.sign_up => return Err(NotIn::NoAccount),
            None => self.newcomer(issuer.address.clone(), claims.clone()).await?,
        };
        let now_us = self.store.now().monotonic_us;
        if aim == Aim::Enter && !is_fresh && self.fresh.is_asked(account, now_us) {
            return Err(NotIn::Anew);
        }
        let (text, session) = self.new_session(account, agent);
        let id = session.id;
        let (address, subject) = (issuer.address.clone(), claims.subject);
        self.store
            .commit(move |tx, draft| {
                // Untied, suspended or deleted meanwhile.
                let row = ways::identified(tx, &address, &subject)?.filter(|row| row.account == account);
                row.ok_or(Error::SignedOut)?;
                role_of(tx, account)?;
                keep_session(tx, draft, &session)
            })
            .await?;
        if is_fresh {
            self.fresh.shown(id, now_us);
        }
        Ok(text)
    }

    /// Makes an account for somebody new, under the first of the names that they might have here that nobody has.
    async fn newcomer(&self, issuer: String, claims: Claims) -> std::result::Result<AccountId, NotIn> {
        self.admit_newcomer()?;
        let names = claims.names.clone();
        let name = self.look(move |tx| free_name(tx, &names)).await?;
        let name = name.ok_or_else(|| NotIn::Failed("every name that fits a newcomer is taken".to_owned()))?;
        let changed_us = self.store.now().wall_us;
        let made = self.store.make_account_and(&name, true, move |tx, draft, account: &AccountRow| {
            let (account, role) = (account.id, Role::User);
            if ways::identified(tx, &issuer, &claims.subject)?.is_some() {
                // Two tries at once: the other one made it.
                return Err(Error::SignedOut);
            }
            let about = shown::about(tx)?;
            let (space_bytes, plan) = (about.new_space_bytes, about.new_plan);
            if space_bytes.is_some() || plan.is_some() {
                draft.change(Scope::Cluster, Change::Limits(LimitsRow { account, space_bytes, plan }));
            }
            let (password, suspended_us, second, leaving) = (None, None, None, None);
            let row = SignInRow { account, role, password, suspended_us, changed_us, second, leaving };
            draft.change(Scope::Cluster, Change::SignIn(row));
            identify(draft, account, issuer, claims, changed_us);
            Ok::<_, Error>(())
        });
        Ok(made.await?.id)
    }
}

/// With what somebody is called, which some issuers say only when they are asked. Who it is was said already; where nothing
/// is said of the name, something else will do.
///
/// Source: OpenID Connect Core 1.0 section 5.3.
async fn named(line: &Line, said: &Said, claims: Claims, answer: &Value) -> Claims {
    let access = answer.get("access_token").and_then(Value::as_str);
    let access = access.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
    let (true, Some(address), Some(access)) = (claims.names.is_empty(), &said.userinfo, access) else { return claims };
    let authorization = Some(format!("Bearer {access}"));
    let errand = Errand { address: address.clone(), form: None, authorization, bytes_max: TOKEN_BYTES_MAX };
    match line.carry(errand).await {
        Ok(more) if more.get("sub").and_then(Value::as_str) == Some(&claims.subject) => {
            Claims { names: token::names(&more), ..claims }
        }
        _ => claims,
    }
}

fn identify(draft: &mut Draft, account: AccountId, issuer: String, claims: Claims, made_us: i64) {
    let name = shortened(claims.names.into_iter().next().unwrap_or_else(|| claims.subject.clone()));
    let row = IdentityRow { account, issuer, subject: claims.subject, name, made_us, ended_us: None };
    draft.audit(Some(account), "identity tied", account.to_string());
    draft.change(Scope::Cluster, Change::Identity(row));
}

/// A name for somebody new: the best of theirs that can be one, with a number behind it where it is taken.
fn free_name(tx: &Tx<'_>, names: &[String]) -> Result<Option<String>> {
    let best = names.iter().find_map(|name| made_valid(name)).unwrap_or_else(|| "user".to_owned());
    for number in 1..=NAMES_MAX {
        let name = if number == 1 { best.clone() } else { format!("{best} {number}") };
        if accounts::by_name(tx, &name)?.is_none() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A name as it can be here: a mail address without its host, no slashes, not too long.
fn made_valid(name: &str) -> Option<String> {
    let local = name.split('@').next().unwrap_or_default();
    let plain: String = local.chars().filter(|letter| *letter != '/' && !letter.is_control()).collect();
    let plain = plain.trim();
    // Room for a number behind it, in letters as in bytes.
    let mut short: String = plain.trim_start_matches(leaving::GONE).chars().take(56).collect();
    while short.len() > 240 {
        short.pop();
    }
    let short = short.trim().to_owned();
    let sound = [short.clone(), format!("{short} {NAMES_MAX}")].iter().all(|name| check_name(name).is_ok());
    sound.then_some(short)
}

/// Names and values as forms and queries carry them.
fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// Source: URL Standard, `application/x-www-form-urlencoded`; a space as `%20`, which is read everywhere.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{form, made_valid};

    #[test]
    fn names_of_newcomers_can_be_names_here() {
        for (name, valid) in [
            ("bob", Some("bob")),
            ("bob@example.org", Some("bob")),
            (" Żółw / Ω ", Some("Żółw  Ω")),
            ("@example.org", None),
            ("..", None),
            ("\n", None),
            ("deleted bob", Some("bob")),
            ("deleted deleted ", None),
        ] {
            assert_eq!(made_valid(name).as_deref(), valid, "{name:?}");
        }
        assert_eq!(made_valid(&"𝄞".repeat(100)).map(|name| name.chars().count()), Some(56));
    }

    #[test]
    fn nothing_gets_out_of_a_form() {
        assert_eq!(
            form(&[("a", "b&c=d e"), ("u", "https://x/?y#é")]),
            "a=b%26c%3Dd%20e&u=https%3A%2F%2Fx%2F%3Fy%23%C3%A9"
        );
    }
}
