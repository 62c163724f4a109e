//! Leases and notices.

use crate::{
    error::Result,
    leases::{joined, lease_state_number, notice_state_number, served_number},
    tx::{Int, Tx},
};
use model::leases::{LeaseRow, NoticeRow};

pub(super) fn lease(tx: &mut Tx<'_>, revision: u64, row: &LeaseRow) -> Result<()> {
    let desk = row.desk.as_ref();
    let written = tx.run(
        "INSERT INTO lease (id, revision, provider, contract, price, month_micros, currency, notice_address, notice_days,
           ends_us, paid_until_us, state, desk_hash, desk_account, desk_made_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, provider = excluded.provider,
           contract = excluded.contract, price = excluded.price, month_micros = excluded.month_micros,
           currency = excluded.currency, notice_address = excluded.notice_address, notice_days = excluded.notice_days,
           ends_us = excluded.ends_us, paid_until_us = excluded.paid_until_us, state = excluded.state,
           desk_hash = excluded.desk_hash, desk_account = excluded.desk_account, desk_made_us = excluded.desk_made_us
         WHERE excluded.revision >= lease.revision",
        (
            row.id.0,
            Int(revision),
            row.provider.0,
            &row.contract,
            &row.price,
            row.month_micros.map(Int),
            &row.currency,
            &row.notice_address,
            row.notice_days,
            row.ends_us,
            row.paid_until_us,
            lease_state_number(row.state),
            desk.map(|desk| desk.hash),
            desk.map(|desk| desk.account.0),
            desk.map(|desk| desk.made_us),
        ),
    )?;
    if written == 0 {
        return Ok(());
    }
    tx.run("DELETE FROM lease_server WHERE lease = ?1", [row.id.0])?;
    for (position, server) in (0_i64..).zip(&row.servers) {
        let sql = "INSERT INTO lease_server (lease, position, name, site, targets) VALUES (?1, ?2, ?3, ?4, ?5)";
        tx.run(sql, (row.id.0, position, &server.name, &server.site, joined(&server.targets)))?;
    }
    Ok(())
}

pub(super) fn notice(tx: &mut Tx<'_>, revision: u64, row: &NoticeRow) -> Result<()> {
    let document = row.document.as_ref();
    let kept = document.and_then(|document| document.kept);
    let values = rusqlite::params![
        row.id.0,
        Int(revision),
        row.provider.map(|id| id.0),
        row.lease.map(|id| id.0),
        served_number(row.from),
        &row.cause,
        &row.addressee,
        row.servers.join("\n"),
        joined(&row.targets),
        row.deadline_us,
        &row.text,
        row.content,
        document.map(|document| document.name.as_str()),
        document.map(|document| document.sha256),
        document.map(|document| Int(document.bytes)),
        kept.map(|(account, _)| account.0),
        kept.map(|(_, entry)| entry.0),
        notice_state_number(row.state),
        row.made_us,
        row.acknowledged.map(|(who, _)| who.0),
        row.acknowledged.map(|(_, when)| when),
        row.changed_us,
        row.supersedes.map(|id| id.0),
    ];
    tx.run(
        "INSERT INTO notice (id, revision, provider, lease, served, cause, addressee, servers, targets, deadline_us, text,
           content, document, document_sha256, document_bytes, document_account, document_entry, state, made_us,
           acknowledged_by, acknowledged_us, changed_us, supersedes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, provider = excluded.provider, lease = excluded.lease,
           served = excluded.served, cause = excluded.cause, addressee = excluded.addressee, servers = excluded.servers,
           targets = excluded.targets, deadline_us = excluded.deadline_us, text = excluded.text,
           content = excluded.content, document = excluded.document, document_sha256 = excluded.document_sha256,
           document_bytes = excluded.document_bytes, document_account = excluded.document_account,
           document_entry = excluded.document_entry, state = excluded.state, made_us = excluded.made_us,
           acknowledged_by = excluded.acknowledged_by, acknowledged_us = excluded.acknowledged_us,
           changed_us = excluded.changed_us, supersedes = excluded.supersedes
         WHERE excluded.revision >= notice.revision",
        values,
    )?;
    Ok(())
}
