//! Which targets a person means: by a firm's name, by an address, by the name of a server in a lease. A name that two firms have
//! for a server of theirs is not guessed at.

use std::collections::BTreeSet;

use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ProviderId, TargetId},
    leases::{LeaseRow, LeaseState},
    stage::Which,
};

use crate::orders::OrderError;

/// The fleet's names.
pub(crate) struct Names<'a> {
    pub providers: &'a [ProviderRow],
    pub targets: &'a [TargetRow],
    pub leases: &'a [LeaseRow],
}

impl Names<'_> {
    /// The targets that are meant, those that are retired left out.
    pub fn targets(&self, which: &Which) -> Result<Vec<TargetId>, OrderError> {
        let kept = self.targets.iter().filter(|row| row.state != TargetState::Retired);
        match which {
            Which::Target(address) => {
                let found = kept.into_iter().find(|row| row.address == *address);
                let found = found.ok_or_else(|| OrderError::NoTarget { address: address.clone() })?;
                Ok(vec![found.id])
            }
            Which::Provider(name) => {
                let of = self.provider(name)?;
                Ok(kept.filter(|row| row.provider == of).map(|row| row.id).collect())
            }
            Which::Server { name, provider } => {
                let (of, meant) = self.on_server(name, provider.as_deref())?;
                Ok(kept.filter(|row| row.provider == of && meant.contains(&row.id)).map(|row| row.id).collect())
            }
        }
    }

    /// The provider of this name.
    pub fn provider(&self, name: &str) -> Result<ProviderId, OrderError> {
        let found = self.providers.iter().find(|row| row.name == name);
        Ok(found.ok_or_else(|| OrderError::NoProvider { name: name.to_owned() })?.id)
    }

    /// The firm of a server, and the targets on it. A lease that is over is looked at only where none that runs names the server.
    fn on_server(&self, name: &str, provider: Option<&str>) -> Result<(ProviderId, BTreeSet<TargetId>), OrderError> {
        let only = provider.map(|provider| self.provider(provider)).transpose()?;
        let has_it = |row: &&LeaseRow| {
            only.is_none_or(|of| of == row.provider) && row.servers.iter().any(|server| server.name == name)
        };
        let (over, running): (Vec<_>, Vec<_>) =
            self.leases.iter().filter(has_it).partition(|row| row.state == LeaseState::Ended);
        let named = if running.is_empty() { over } else { running };
        let firms: BTreeSet<_> = named.iter().map(|row| row.provider).collect();
        let of = match (firms.first(), firms.len()) {
            (Some(of), 1) => *of,
            (None, _) => {
                let provider = provider.map(str::to_owned);
                return Err(OrderError::NoServer { name: name.to_owned(), provider });
            }
            _ => {
                let names = self.providers.iter().filter(|row| firms.contains(&row.id)).map(|row| row.name.clone());
                return Err(OrderError::SeveralServers { name: name.to_owned(), providers: names.collect() });
            }
        };
        let servers = named.iter().flat_map(|row| &row.servers).filter(|server| server.name == name);
        let targets: BTreeSet<_> = servers.flat_map(|server| server.targets.iter().copied()).collect();
        if targets.is_empty() { Err(OrderError::BareServer { name: name.to_owned() }) } else { Ok((of, targets)) }
    }
}
