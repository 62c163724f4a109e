//! Changes of what goes out by itself: addresses for mail, webhooks.

use crate::{
    error::Result,
    hooks::event_number,
    mail::language_number,
    tx::{Int, Tx},
};
use model::{
    id::AccountId,
    outgoing::{MailRow, WebhookRow},
};

pub(super) fn mail(tx: &mut Tx<'_>, revision: u64, row: &MailRow) -> Result<()> {
    let (confirmed, wanted) = (row.confirmed.as_ref(), row.wanted.as_ref());
    tx.run(
        "INSERT INTO mail (account, revision, address, since_us, wanted, code, expires_us, language)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (account) DO UPDATE SET revision = excluded.revision, address = excluded.address,
           since_us = excluded.since_us, wanted = excluded.wanted, code = excluded.code,
           expires_us = excluded.expires_us, language = excluded.language
         WHERE excluded.revision >= mail.revision",
        (
            row.account.0,
            Int(revision),
            confirmed.map(|confirmed| &confirmed.address),
            confirmed.map(|confirmed| confirmed.since_us),
            wanted.map(|wanted| &wanted.address),
            wanted.map(|wanted| wanted.hash),
            wanted.map(|wanted| wanted.expires_us),
            language_number(row.language),
        ),
    )?;
    Ok(())
}

pub(super) fn webhook(tx: &mut Tx<'_>, account: AccountId, revision: u64, row: &WebhookRow) -> Result<()> {
    let events: Vec<u8> = row.events.iter().map(|event| event_number(*event)).collect();
    tx.run(
        "INSERT INTO webhook (account, id, revision, address, secret, events, label, made_us, ended_us, off_us, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (account, id) DO UPDATE SET revision = excluded.revision, address = excluded.address,
           secret = excluded.secret, events = excluded.events, label = excluded.label, made_us = excluded.made_us,
           ended_us = excluded.ended_us, off_us = excluded.off_us, why = excluded.why
         WHERE excluded.revision >= webhook.revision",
        (
            account.0,
            row.id.0,
            Int(revision),
            &row.address,
            row.secret,
            events,
            &row.label,
            row.made_us,
            row.ended_us,
            row.off.as_ref().map(|off| off.at_us),
            row.off.as_ref().map(|off| &off.why),
        ),
    )?;
    Ok(())
}
