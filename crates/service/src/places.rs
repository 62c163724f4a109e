//! Whose tree a request acts in, how far, and what it may do there: the one authorisation of every door to files.
//!
//! A [`Place`] is made at the door: of a caller's own tree, of what another account lets the caller see, or of a link. It
//! gives nothing away by itself. Whoever looks at rows or changes them asks it first, in the same transaction
//! ([`Place::sees`], [`Place::changes`], [`Place::takes`]), and gets the [`Top`] without which [`crate::tree`] finds
//! nothing. So what was withdrawn while a body came in, or while a zip goes out, is withdrawn.

use catalogue::{Tx, access, entries, shown};
use model::{
    account::TokenScope,
    entry::{EntryRow, Kind, ROOT},
    id::{AccountId, EntryId, GrantId, ShareId},
    share::ShareRow,
};

use crate::{
    error::{Error, Result},
    quick::{self, Ticket},
    scopes::{self, Need},
    shares::{self, Link},
    tokens::{Caller, role_of},
    tree,
};

/// A tree, or a part of one, as somebody may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    account: AccountId,
    way: Way,
    /// How much of that right the token opens by which somebody is here; all of it for whoever came without one.
    scope: TokenScope,
}

/// By which right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It is the caller's own.
    Own,
    /// Its owner lets this account see it.
    Granted { grant: GrantId, to: AccountId },
    /// Its owner made a link of this code; asked at this time of the wall clock.
    Linked { code: [u8; 16], at_us: i64 },
    /// Somebody without an account leaves one file for a link that is made when all of it is there.
    Quick(Ticket),
}

/// Where a place's tree begins.
pub(crate) struct Top {
    /// Whose rows they are.
    pub account: AccountId,
    /// The folder that paths start in, or the one file there is.
    pub id: EntryId,
    /// Its row; the top of an account's own tree has none.
    pub row: Option<EntryRow>,
    /// How many names lead to it from the top of its owner's tree.
    pub depth: usize,
    /// Who acts, for the audit; a guest has no account.
    pub actor: Option<AccountId>,
    /// What its owner threw away before this is not brought back by others.
    pub since_us: i64,
}

impl From<&Caller> for Place {
    fn from(caller: &Caller) -> Self {
        Self { account: caller.account, way: Way::Own, scope: caller.scope }
    }
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Self {
        place.clone()
    }
}

impl Place {
    /// What `owner` lets `caller` see.
    pub(crate) fn granted(owner: AccountId, grant: GrantId, caller: &Caller) -> Self {
        Self { account: owner, way: Way::Granted { grant, to: caller.account }, scope: caller.scope }
    }

    /// What an open link shows or takes.
    pub(crate) fn linked(link: &Link, at_us: i64) -> Self {
        let way = Way::Linked { code: link.row.code, at_us };
        Self { account: link.account(), way, scope: TokenScope::All }
    }

    /// Where a file is left without an account.
    pub(crate) fn quick(account: AccountId, ticket: Ticket) -> Self {
        Self { account, way: Way::Quick(ticket), scope: TokenScope::All }
    }

    /// Which link a file will be that is left without an account.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self.way {
            Way::Quick(ticket) => Some(ticket),
            _ => None,
        }
    }

    /// The same place for somebody who asks now: a link may have reached its end meanwhile.
    pub(crate) fn renewed(&self, now_us: i64) -> Self {
        let way = match self.way {
            Way::Linked { code, .. } => Way::Linked { code, at_us: now_us },
            other => other,
        };
        Self { way, ..*self }
    }

    /// Whose bytes they are: what is kept counts for this account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Whether it is the caller's own tree.
    pub fn is_own(&self) -> bool {
        self.way == Way::Own
    }

    /// The code of the link that leads here.
    pub(crate) fn code(&self) -> Option<[u8; 16]> {
        match self.way {
            Way::Linked { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Who acts, for the audit; a guest has no account.
    pub(crate) fn actor(&self) -> Option<AccountId> {
        match self.way {
            Way::Own => Some(self.account),
            Way::Granted { to, .. } => Some(to),
            Way::Linked { .. } | Way::Quick(_) => None,
        }
    }

    /// Whether uploads are joined to one here: by whoever has an account. Strangers' are counted one by one.
    pub(crate) fn may_join(&self) -> bool {
        matches!(self.way, Way::Own | Way::Granted { .. })
    }

    /// Names the way, so that an upload is gone on with by the one it was begun by only. An own one has no name.
    pub(crate) fn name(&self) -> String {
        match self.way {
            Way::Own => String::new(),
            Way::Granted { grant, .. } => Self::way_of_grant(grant),
            Way::Linked { code, .. } => Self::way_of_link(code),
            Way::Quick(ticket) => ticket.name(),
        }
    }

    /// [`Place::name`] of a link.
    pub(crate) fn way_of_link(code: [u8; 16]) -> String {
        format!("link {}", ShareId(code))
    }

    /// [`Place::name`] of a grant.
    pub(crate) fn way_of_grant(grant: GrantId) -> String {
        format!("grant {grant}")
    }

    /// What may be seen here now.
    ///
    /// # Errors
    /// Whatever ended it: [`Error::Suspended`], [`Error::NoGrant`], [`Error::LinkEnded`]; a link that takes files shows none.
    pub(crate) fn sees(&self, tx: &Tx<'_>) -> Result<Top> {
        match self.way {
            Way::Linked { .. } => {
                let link = self.link(tx)?;
                if link.row.receives { Err(Error::NoLink) } else { self.below(tx, link.entry) }
            }
            _ => self.enter(tx).map(|(top, _)| top),
        }
    }

    /// The same, for whoever wants to change something.
    ///
    /// # Errors
    /// Those of [`Place::sees`]; [`Error::ReadOnly`], [`Error::TokenScope`].
    pub(crate) fn changes(&self, tx: &Tx<'_>) -> Result<Top> {
        scopes::must_allow(self.scope, Need::Change)?;
        match self.way {
            Way::Linked { .. } => self.sees(tx).and(Err(Error::ReadOnly)),
            _ => match self.enter(tx)? {
                (top, true) => Ok(top),
                (_, false) => Err(Error::ReadOnly),
            },
        }
    }

    /// The same, for whoever brings a file; and the link's row, if a link takes it.
    ///
    /// # Errors
    /// Those of [`Place::changes`].
    pub(crate) fn takes(&self, tx: &Tx<'_>) -> Result<(Top, Option<ShareRow>)> {
        match self.way {
            Way::Linked { .. } => {
                let link = self.link(tx)?;
                if !link.row.receives {
                    return Err(Error::ReadOnly);
                }
                Ok((self.below(tx, link.entry)?, Some(link.row)))
            }
            Way::Quick(_) => {
                let (_, account) = quick::open(tx)?;
                if account != self.account {
                    return Err(Error::NoLink);
                }
                Ok((Top { account, id: ROOT, row: None, depth: 0, actor: None, since_us: i64::MIN }, None))
            }
            _ => Ok((self.changes(tx)?, None)),
        }
    }

    /// Where an account's way leads, and whether it may change what is there.
    fn enter(&self, tx: &Tx<'_>) -> Result<(Top, bool)> {
        match self.way {
            Way::Granted { grant, to } => {
                let row = shown::grant(tx, self.account, grant)?;
                let row = row.filter(|row| row.ended_us.is_none() && row.to == to).ok_or(Error::NoGrant)?;
                role_of(tx, to)?;
                // Whose owner is suspended is not served; the other side need not know why.
                let suspended = access::sign_in(tx, self.account)?.is_some_and(|row| row.suspended_us.is_some());
                let entry = entries::get(tx, self.account, row.entry)?.filter(|_| !suspended).ok_or(Error::NoGrant)?;
                let writes = row.writes && entry.kind == Kind::Folder;
                let top = self.below(tx, entry).map_err(|error| match error {
                    Error::LinkEnded => Error::NoGrant,
                    other => other,
                })?;
                Ok((Top { since_us: row.made_us, ..top }, writes))
            }
            // Whoever leaves a file sees nothing and changes nothing.
            Way::Quick(_) => Err(Error::NoLink),
            _ => {
                role_of(tx, self.account)?;
                let (account, actor) = (self.account, self.actor());
                Ok((Top { account, id: ROOT, row: None, depth: 0, actor, since_us: i64::MIN }, true))
            }
        }
    }

    fn link(&self, tx: &Tx<'_>) -> Result<Link> {
        match self.way {
            Way::Linked { code, at_us } => shares::live(tx, &code, at_us),
            _ => Err(Error::NoLink),
        }
    }

    /// A shared entry as a top, unless it has no place any more.
    fn below(&self, tx: &Tx<'_>, entry: EntryRow) -> Result<Top> {
        let names = tree::names_to(tx, self.account, entry.id)?.ok_or(Error::LinkEnded)?;
        let (account, actor, depth) = (self.account, self.actor(), names.len());
        Ok(Top { account, id: entry.id, row: Some(entry), depth, actor, since_us: i64::MIN })
    }
}
