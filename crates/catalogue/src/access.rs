//! Who may come in: sign-ins, tokens and sessions.

use crate::{
    error::{Error, Result},
    tx::{Int, Tx, int_or_null},
};
use model::{
    account::{AccountRow, Leaving, Role, SecondFactor, SignInRow, TokenRow, TokenScope, TokenUse},
    id::{AccountId, TokenId},
    units::ServiceTime,
};
use rusqlite::Row;

pub(crate) const SIGN_IN: &str = "account, role, password, suspended_us, changed_us, second_secret, second_since_us, second_codes, leaving_at, leaving_us";
/// How many of them there are.
pub(crate) const SIGN_IN_COUNT: usize = 10;
pub(crate) const TOKEN: &str = "id, hash, account, opens, label, made_us, expires_us, ended_us, scope";
/// How many of them there are.
pub(crate) const TOKEN_COUNT: usize = 9;
const SESSION: &str = "hash, id, account, agent, made_us, seen_us, expires_us";

/// How an account is signed in to; `None`: by tokens only.
///
/// # Errors
/// As for every reading.
pub fn sign_in(tx: &Tx<'_>, account: AccountId) -> Result<Option<SignInRow>> {
    let found = tx.all(&format!("SELECT {SIGN_IN} FROM sign_in WHERE account = ?1"), [account.0], sign_in_from)?;
    Ok(found.into_iter().next())
}

/// Whether an operator can sign in: until then the service has no owner.
///
/// # Errors
/// As for every reading.
pub fn is_claimed(tx: &Tx<'_>) -> Result<bool> {
    tx.any("SELECT 1 FROM sign_in WHERE role = 1 AND password IS NOT NULL", [])
}

/// All accounts with how they are signed in to, by name.
///
/// # Errors
/// As for every reading.
pub fn accounts(tx: &Tx<'_>) -> Result<Vec<(AccountRow, Option<SignInRow>)>> {
    crate::accounts::all(tx)?
        .into_iter()
        .map(|row| {
            let sign_in = sign_in(tx, row.id)?;
            Ok((row, sign_in))
        })
        .collect()
}

/// The token with this hash, ended or not.
///
/// # Errors
/// As for every reading.
pub fn token_by_hash(tx: &Tx<'_>, hash: &[u8; 32]) -> Result<Option<TokenRow>> {
    Ok(tx.all(&format!("SELECT {TOKEN} FROM token WHERE hash = ?1"), [hash], token_from)?.pop())
}

/// All tokens that an account made or that speak for it and that have not ended, oldest first; expired ones too.
///
/// # Errors
/// As for every reading.
pub fn tokens(tx: &Tx<'_>, account: AccountId) -> Result<Vec<TokenRow>> {
    let sql = format!("SELECT {TOKEN} FROM token WHERE account = ?1 AND ended_us IS NULL ORDER BY made_us, id");
    tx.all(&sql, [account.0], token_from)
}

/// One token, ended or not.
///
/// # Errors
/// As for every reading.
pub fn token(tx: &Tx<'_>, id: TokenId) -> Result<Option<TokenRow>> {
    Ok(tx.all(&format!("SELECT {TOKEN} FROM token WHERE id = ?1"), [id.0], token_from)?.pop())
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Hash of its cookie's secret.
    pub hash: [u8; 32],
    /// Names it in lists.
    pub id: TokenId,
    /// Whom it acts for.
    pub account: AccountId,
    /// What the browser called itself.
    pub agent: String,
    /// When it began.
    pub made_us: i64,
    /// When it was last used, to within an hour.
    pub seen_us: i64,
    /// When it ends.
    pub expires_us: i64,
}

/// Keeps a session.
///
/// # Errors
/// As for every writing.
pub fn put_session(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    let sql = format!("INSERT INTO session ({SESSION}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    let Session { hash, id, account, agent, made_us, seen_us, expires_us } = session;
    tx.run(&sql, (hash, id.0, account.0, agent, made_us, seen_us, expires_us)).map(drop)
}

/// The session with this hash, expired or not.
///
/// # Errors
/// As for every reading.
pub fn session_by_hash(tx: &Tx<'_>, hash: &[u8; 32]) -> Result<Option<Session>> {
    tx.one(&format!("SELECT {SESSION} FROM session WHERE hash = ?1"), [hash], session_from)
}

/// An account's sessions, oldest first, those that are over too.
///
/// # Errors
/// As for every reading.
pub fn sessions(tx: &Tx<'_>, account: AccountId) -> Result<Vec<Session>> {
    let sql = format!("SELECT {SESSION} FROM session WHERE account = ?1 ORDER BY made_us, id");
    tx.all(&sql, [account.0], |row| Ok(session_from(row)?))
}

/// Notes that a session was used; false if it has ended meanwhile.
///
/// # Errors
/// As for every writing.
pub fn session_used(tx: &mut Tx<'_>, session: &Session) -> Result<bool> {
    let sql = "UPDATE session SET seen_us = ?2, expires_us = ?3 WHERE hash = ?1";
    Ok(tx.run(sql, (session.hash, session.seen_us, session.expires_us))? > 0)
}

/// All invitations and codes for new passwords that have not ended, oldest first; expired ones too.
///
/// # Errors
/// As for every reading.
pub fn one_time_tokens(tx: &Tx<'_>) -> Result<Vec<TokenRow>> {
    let sql = format!("SELECT {TOKEN} FROM token WHERE opens > 0 AND ended_us IS NULL ORDER BY made_us, id");
    tx.all(&sql, [], token_from)
}

/// Ends one session of an account; false if there is none such.
///
/// # Errors
/// As for every writing.
pub fn end_session(tx: &mut Tx<'_>, account: AccountId, id: TokenId) -> Result<bool> {
    Ok(tx.run("DELETE FROM session WHERE account = ?1 AND id = ?2", (account.0, id.0))? > 0)
}

/// Ends all sessions of an account but one.
///
/// # Errors
/// As for every writing.
pub fn end_sessions(tx: &mut Tx<'_>, account: AccountId, but: Option<TokenId>) -> Result<()> {
    let kept = but.unwrap_or_default().0;
    tx.run("DELETE FROM session WHERE account = ?1 AND id <> ?2", (account.0, kept)).map(drop)
}

/// Forgets the sessions that were over at `now_us`.
///
/// # Errors
/// As for every writing.
pub fn forget_sessions(tx: &mut Tx<'_>, now_us: i64) -> Result<()> {
    tx.run("DELETE FROM session WHERE expires_us <= ?1", [now_us]).map(drop)
}

fn session_from(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        hash: row.get(0)?,
        id: TokenId(row.get(1)?),
        account: AccountId(row.get(2)?),
        agent: row.get(3)?,
        made_us: row.get(4)?,
        seen_us: row.get(5)?,
        expires_us: row.get(6)?,
    })
}

pub(crate) fn sign_in_from(row: &Row<'_>) -> Result<SignInRow> {
    Ok(SignInRow {
        account: AccountId(row.get(0)?),
        role: match row.get(1)? {
            0 => Role::User,
            1 => Role::Operator,
            _ => return Err(Error::Value { what: "role" }),
        },
        password: row.get(2)?,
        suspended_us: row.get(3)?,
        changed_us: row.get(4)?,
        second: second_from(row)?,
        leaving: match (int_or_null(row, 8)?, row.get(9)?) {
            (Some(at), Some(wall_us)) => Some(Leaving { at: ServiceTime(at), wall_us }),
            _ => None,
        },
    })
}

fn second_from(row: &Row<'_>) -> Result<Option<SecondFactor>> {
    let (Some(secret), Some(since_us), Some(codes)) = (row.get(5)?, row.get(6)?, row.get::<_, Option<Vec<u8>>>(7)?)
    else {
        return Ok(None);
    };
    let (codes, rest) = codes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(Error::Value { what: "second_codes" });
    }
    Ok(Some(SecondFactor { secret, since_us, codes: codes.to_vec() }))
}

/// Notes that the digits of a step of time were used; false if they, or later ones, were before. What was noted while a
/// clock was ahead of `now` counts for nothing.
///
/// # Errors
/// As for every writing.
pub fn use_second(tx: &mut Tx<'_>, account: AccountId, step: u64, now: u64) -> Result<bool> {
    let sql = "INSERT INTO second_used (account, step) VALUES (?1, ?2)
               ON CONFLICT (account) DO UPDATE SET step = excluded.step WHERE excluded.step > step OR step > ?3 + 1";
    Ok(tx.run(sql, (account.0, Int(step), Int(now)))? > 0)
}

/// Notes the first digits of a new secret.
///
/// # Errors
/// As for every writing.
pub fn begin_second(tx: &mut Tx<'_>, account: AccountId, step: u64) -> Result<()> {
    tx.run("INSERT OR REPLACE INTO second_used (account, step) VALUES (?1, ?2)", (account.0, Int(step))).map(drop)
}

pub(crate) const fn role_number(role: Role) -> u8 {
    match role {
        Role::User => 0,
        Role::Operator => 1,
    }
}

pub(crate) fn token_from(row: &Row<'_>) -> Result<TokenRow> {
    Ok(TokenRow {
        id: TokenId(row.get(0)?),
        hash: row.get(1)?,
        account: AccountId(row.get(2)?),
        opens: match row.get(3)? {
            0 => TokenUse::Access(scope_from(row)?),
            1 => TokenUse::Invitation(Role::User),
            2 => TokenUse::Invitation(Role::Operator),
            3 => TokenUse::Reset,
            _ => return Err(Error::Value { what: "opens" }),
        },
        label: row.get(4)?,
        made_us: row.get(5)?,
        expires_us: row.get(6)?,
        ended_us: row.get(7)?,
    })
}

fn scope_from(row: &Row<'_>) -> Result<TokenScope> {
    match row.get(8)? {
        0 => Ok(TokenScope::Read),
        1 => Ok(TokenScope::Files),
        2 => Ok(TokenScope::All),
        _ => Err(Error::Value { what: "scope" }),
    }
}

pub(crate) const fn scope_number(opens: TokenUse) -> u8 {
    match opens {
        TokenUse::Access(TokenScope::Read) => 0,
        TokenUse::Access(TokenScope::Files) => 1,
        TokenUse::Access(TokenScope::All) | TokenUse::Invitation(_) | TokenUse::Reset => 2,
    }
}

pub(crate) const fn use_number(opens: TokenUse) -> u8 {
    match opens {
        TokenUse::Access(_) => 0,
        TokenUse::Invitation(Role::User) => 1,
        TokenUse::Invitation(Role::Operator) => 2,
        TokenUse::Reset => 3,
    }
}
