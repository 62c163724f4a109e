//! What the kit opens: the account's key in its newest envelope, and the newest address book.

use std::collections::BTreeSet;

use format::{
    AccountKey, AddressBook, Kit,
    envelope::{open_account_envelope, open_address_book},
    name::{EnvelopeName, parse_address_book_name, parse_envelope_name},
};
use model::Scope;

use crate::{
    error::{Error, Result},
    sources::{Holders, Sources},
};

/// An account's key, and how it was come by.
pub(crate) struct Opened {
    pub(crate) key: AccountKey,
    /// Generation of the envelope that opened.
    pub(crate) generation: u64,
    /// The newest generation that was seen, also if the kit does not open it.
    pub(crate) newest: u64,
}

/// Opens the newest envelope of the account that the kit opens, on whichever target.
pub(crate) async fn account_key(kit: &Kit, sources: &Sources) -> Result<Opened> {
    let holders = sources.list(&format!("envelopes/{}/", kit.account)).await;
    let names = newest_first(&holders, parse_envelope_name);
    let Some(newest) = names.first().map(|(name, _)| name.generation) else {
        return Err(nothing_of_the_account(kit, sources).await);
    };
    for (parsed, name) in &names {
        let opened =
            open_any(sources, name, &holders, |bytes| open_account_envelope(Some(name), bytes, &kit.identity)).await;
        if let Some((account, key)) = opened {
            if account != kit.account {
                return Err(Error::AccountMismatch { expected: kit.account, got: account });
            }
            return Ok(Opened { key, generation: parsed.generation, newest });
        }
    }
    Err(Error::KitOpensNothing { account: kit.account, envelopes: names.len() })
}

/// The newest address book that the kit opens, if there is one.
pub(crate) async fn address_book(kit: &Kit, sources: &Sources) -> Option<AddressBook> {
    let holders = sources.list(&format!("addresses/{}/", kit.account)).await;
    for (_, name) in newest_first(&holders, parse_address_book_name) {
        let opened = open_any(sources, name, &holders, |bytes| open_address_book(name, bytes, &kit.identity)).await;
        if let Some(book) = opened
            && book.cluster == kit.cluster
        {
            return Some(book);
        }
    }
    None
}

/// What `open` makes of the first copy that it opens. One that is sealed to others only is no damage and is not noted; but
/// damage can look like that, so the other copies are tried all the same.
async fn open_any<T>(
    sources: &Sources,
    name: &str,
    holders: &Holders,
    open: impl Fn(&[u8]) -> format::Result<T>,
) -> Option<T> {
    for copy in &holders[name] {
        let decode = |bytes: bytes::Bytes| match open(&bytes) {
            Err(format::Error::NotRecipient { .. }) => Ok(None),
            other => other.map(Some),
        };
        if let Some((_, Some(opened))) = sources.first_good(name, std::slice::from_ref(copy), decode).await {
            return Some(opened);
        }
    }
    None
}

fn newest_first(holders: &Holders, parse: fn(&str) -> Option<EnvelopeName>) -> Vec<(EnvelopeName, &str)> {
    let mut names: Vec<_> = holders.keys().filter_map(|name| Some((parse(name)?, name.as_str()))).collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse((name.generation, name.id)));
    names
}

/// Says why there is no envelope: other accounts are there, or nobody's.
async fn nothing_of_the_account(kit: &Kit, sources: &Sources) -> Error {
    let all = sources.list("envelopes/").await;
    let accounts: BTreeSet<_> = all
        .keys()
        .filter_map(|name| parse_envelope_name(name))
        .filter_map(|name| match name.scope {
            Scope::Account(account) => Some(account),
            Scope::Cluster => None,
        })
        .collect();
    match accounts.len() {
        0 => Error::NoEnvelope { read: sources.all().len() },
        others => Error::OtherAccount { expected: kit.account, others },
    }
}
