//! The bodies of changes that say who may come in: sign-ins and tokens.

use model::{
    account::{Leaving, LimitsRow, Role, SecondFactor, SignInRow, TokenRow, TokenScope, TokenUse},
    id::{AccountId, TokenId},
    units::ServiceTime,
};

use super::rows::put_time;
use crate::{
    error::Result,
    wire::{Reader, put_blob, put_option, put_varint},
};

pub(super) fn put_sign_in(bytes: &mut Vec<u8>, row: &SignInRow) {
    bytes.extend_from_slice(&row.account.0);
    bytes.push(role_number(row.role));
    put_option(bytes, row.password.as_deref(), put_text);
    put_option(bytes, row.suspended_us, put_time);
    put_time(bytes, row.changed_us);
    put_option(bytes, row.second.as_ref(), put_second);
    put_option(bytes, row.leaving, |bytes, leaving| {
        put_varint(bytes, leaving.at.0);
        put_time(bytes, leaving.wall_us);
    });
}

fn put_second(bytes: &mut Vec<u8>, second: &SecondFactor) {
    bytes.extend_from_slice(&second.secret);
    put_time(bytes, second.since_us);
    put_varint(bytes, second.codes.len() as u64);
    second.codes.iter().for_each(|code| bytes.extend_from_slice(code));
}

pub(super) fn take_sign_in(reader: &mut Reader<'_>, shape: u8) -> Result<SignInRow> {
    Ok(SignInRow {
        account: AccountId(reader.array("account")?),
        role: take_role(reader)?,
        password: reader.option("password", Reader::text)?,
        suspended_us: reader.option("suspended_us", Reader::i64)?,
        changed_us: reader.i64("changed_us")?,
        second: reader.option("second", take_second)?,
        // Shape 1 knew no deletion of accounts.
        leaving: if shape == 1 { None } else { reader.option("leaving", take_leaving)? },
    })
}

fn take_leaving(reader: &mut Reader<'_>, field: &'static str) -> Result<Leaving> {
    Ok(Leaving { at: ServiceTime(reader.varint(field)?), wall_us: reader.i64(field)? })
}

fn take_second(reader: &mut Reader<'_>, _: &'static str) -> Result<SecondFactor> {
    let (secret, since_us) = (reader.array("secret")?, reader.i64("since_us")?);
    let count = reader.varint("codes")?;
    if count > SecondFactor::CODES_MAX as u64 {
        return Err(reader.value("codes", format!("at most {}", SecondFactor::CODES_MAX), count));
    }
    let codes = (0..count).map(|_| reader.array("codes")).collect::<Result<_>>()?;
    Ok(SecondFactor { secret, since_us, codes })
}

pub(super) fn put_limits(bytes: &mut Vec<u8>, row: &LimitsRow) {
    bytes.extend_from_slice(&row.account.0);
    put_option(bytes, row.space_bytes, put_varint);
    put_option(bytes, row.plan.as_deref(), put_text);
}

pub(super) fn take_limits(reader: &mut Reader<'_>, shape: u8) -> Result<LimitsRow> {
    let (account, space_bytes) = (AccountId(reader.array("account")?), reader.option("space_bytes", Reader::varint)?);
    // Shape 1 knew no plans.
    let plan = if shape == 1 { None } else { reader.option("plan", Reader::text)? };
    Ok(LimitsRow { account, space_bytes, plan })
}

pub(super) fn put_token(bytes: &mut Vec<u8>, row: &TokenRow) {
    bytes.extend_from_slice(&row.id.0);
    bytes.extend_from_slice(&row.hash);
    bytes.extend_from_slice(&row.account.0);
    match row.opens {
        TokenUse::Access(TokenScope::All) => bytes.push(0),
        TokenUse::Invitation(role) => bytes.extend_from_slice(&[1, role_number(role)]),
        TokenUse::Reset => bytes.push(2),
        TokenUse::Access(TokenScope::Read) => bytes.push(3),
        TokenUse::Access(TokenScope::Files) => bytes.push(4),
    }
    put_text(bytes, &row.label);
    put_time(bytes, row.made_us);
    put_option(bytes, row.expires_us, put_time);
    put_option(bytes, row.ended_us, put_time);
}

pub(super) fn take_token(reader: &mut Reader<'_>, shape: u8) -> Result<TokenRow> {
    Ok(TokenRow {
        id: TokenId(reader.array("id")?),
        hash: reader.array("hash")?,
        account: AccountId(reader.array("account")?),
        // Shape 2 added the narrower scopes, and is written for them alone: who knows no scopes must not take one for all.
        opens: match (shape, reader.u8("opens")?) {
            (1, 0) => TokenUse::Access(TokenScope::All),
            (1, 1) => TokenUse::Invitation(take_role(reader)?),
            (1, 2) => TokenUse::Reset,
            (2, 3) => TokenUse::Access(TokenScope::Read),
            (2, 4) => TokenUse::Access(TokenScope::Files),
            (_, other) => return Err(reader.value("opens", "0 to 2 in shape 1, 3 or 4 in shape 2", other)),
        },
        label: reader.text("label")?,
        made_us: reader.i64("made_us")?,
        expires_us: reader.option("expires_us", Reader::i64)?,
        ended_us: reader.option("ended_us", Reader::i64)?,
    })
}

pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_blob(bytes, text.as_bytes());
}

fn role_number(role: Role) -> u8 {
    match role {
        Role::User => 0,
        Role::Operator => 1,
    }
}

fn take_role(reader: &mut Reader<'_>) -> Result<Role> {
    match reader.u8("role")? {
        0 => Ok(Role::User),
        1 => Ok(Role::Operator),
        other => Err(reader.value("role", "0 or 1", other)),
    }
}
