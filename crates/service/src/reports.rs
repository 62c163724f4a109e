//! What guests report of links, and the switch with which an operator keeps a link from being opened. No byte is touched
//! by it, and its owner sees since when.

use catalogue::{Tx, accounts, entries, shares, shown};
use model::{
    Change, Scope,
    entry::Kind,
    id::ReportId,
    share::{Reason, ReportRow, ShareRow},
};

use crate::{
    Service,
    error::{Error, Result},
    ledger,
    tokens::Caller,
};

/// The most bytes of a guest's words, and of how to reach them.
const WORDS_BYTES_MAX: usize = 8_000;
const CONTACT_BYTES_MAX: usize = 800;
/// Reports of one link, and of all links, that wait for an operator at a time.
const OPEN_EACH_MAX: u64 = 20;
const OPEN_MAX: u64 = 2_000;
/// Settled reports that are listed.
const SETTLED_SHOWN: usize = 200;

/// A report as an operator sees it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its row.
    pub row: ReportRow,
    /// The link, if its row is known.
    pub link: Option<ShareRow>,
    /// Whose it is.
    pub account: String,
    /// What it shows: its name, and what it is.
    pub shows: Option<(String, Kind)>,
}

/// What an operator does with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It needs nobody any more, or does again.
    Settled(bool),
    /// Nobody can open the link any more, or everybody can again.
    Off(bool),
}

impl Service {
    /// Keeps what a guest says of a link. Its password is not asked for: who was sent the address may report it.
    ///
    /// # Errors
    /// [`Error::NoLink`]; Refused for words that are too long; Retry while too many wait.
    pub async fn report(&self, code: [u8; 16], reason: Reason, words: String, contact: Option<String>) -> Result<()> {
        let contact = contact.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if words.len() > WORDS_BYTES_MAX || contact.as_ref().is_some_and(|text| text.len() > CONTACT_BYTES_MAX) {
            return Err(Error::BadShare {
                what: "say it in at most 2,000 characters, and your address in at most 200",
            });
        }
        let (id, made_us) = (ReportId::random(self.store.entropy()), self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let (account, share) = shares::by_code(tx, &code)?.ok_or(Error::NoLink)?;
                let (of_it, all) = shown::open_reports(tx, share.id)?;
                if of_it >= OPEN_EACH_MAX || all >= OPEN_MAX {
                    return Err(Error::TooManyReports);
                }
                let share = share.id;
                let row = ReportRow { id, account, share, reason, words, contact, made_us, settled_us: None };
                draft.change(Scope::Cluster, Change::Report(row));
                Ok(())
            })
            .await
    }

    /// What guests reported: what waits first, then the latest of what is settled.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn reports(&self, caller: &Caller) -> Result<Vec<Report>> {
        caller.must_operate()?;
        self.look(|tx| {
            let mut rows = shown::reports(tx, false, OPEN_MAX as usize)?;
            rows.extend(shown::reports(tx, true, SETTLED_SHOWN)?);
            rows.into_iter().map(|row| told(tx, row)).collect()
        })
        .await
    }

    /// Settles a report, or switches its link off or on.
    ///
    /// # Errors
    /// Refused if the caller is no operator; Missing if there is no such report, or its link is gone.
    pub async fn rule(&self, caller: &Caller, id: ReportId, ruling: Ruling) -> Result<()> {
        caller.must_operate()?;
        let (own, now_us) = (caller.account, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let row = shown::report(tx, id)?.ok_or(Error::NoSuchId)?;
                match ruling {
                    Ruling::Settled(settled) => {
                        draft.audit(
                            Some(own),
                            if settled { "report settled" } else { "report opened" },
                            id.to_string(),
                        );
                        let settled_us = settled.then(|| row.settled_us.unwrap_or(now_us));
                        draft.change(Scope::Cluster, Change::Report(ReportRow { settled_us, ..row }));
                    }
                    Ruling::Off(off) => {
                        let share = shares::get(tx, row.account, row.share)?.ok_or(Error::NoSuchId)?;
                        draft.audit(
                            Some(own),
                            if off { "link switched off" } else { "link switched on" },
                            share.id.to_string(),
                        );
                        let fields = [("report", id.to_string()), ("link", share.id.to_string())];
                        ledger::note_link(tx, draft, off, &fields, now_us)?;
                        let off_us = off.then(|| share.off_us.unwrap_or(now_us));
                        draft.change(Scope::Account(row.account), Change::Share(ShareRow { off_us, ..share }));
                    }
                }
                Ok(())
            })
            .await
    }
}

fn told(tx: &Tx<'_>, row: ReportRow) -> Result<Report> {
    let link = shares::get(tx, row.account, row.share)?;
    let account = accounts::by_id(tx, row.account)?.map(|row| row.name).unwrap_or_default();
    let entry = link.as_ref().map(|link| entries::get(tx, row.account, link.entry)).transpose()?.flatten();
    Ok(Report { row, link, account, shows: entry.map(|entry| (entry.name, entry.kind)) })
}
