//! Orders of an operator: to cordon, evacuate or retire a target, or all targets of a server or provider, by their names.
//!
//! Which targets lie on a server is what its lease says. A name that two firms have for a server of theirs is not guessed at.

use catalogue::{fleet, leases};
use model::{
    Class,
    fleet::ProviderRow,
    id::{ProviderId, TargetId},
    leases::{LeaseRow, LeaseState},
};
use store::{Constraints, OrderError, TargetReport};

use crate::{
    Service,
    error::{Error, Result},
};

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All targets of the provider of this name.
    Provider(String),
    /// The target at this address.
    Target(String),
    /// All targets on a server.
    Server {
        /// What its firm calls it.
        name: String,
        /// The firm's name; it may be left out where no other firm has a server of that name.
        provider: Option<String>,
    },
}

impl Which {
    /// The name that gives up what is meant, said once more.
    pub fn name(&self) -> &str {
        let (Self::Provider(name) | Self::Target(name) | Self::Server { name, .. }) = self;
        name
    }
}

/// Why it is not clear which targets a server's name means. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerFault {
    /// No lease has it.
    #[error("no lease has a server '{name}'{}; `holdfast lease ls` shows them", of_firm(provider.as_deref()))]
    None {
        /// The server's name.
        name: String,
        /// The firm that it was looked for at.
        provider: Option<String>,
    },
    /// Several firms have one of that name.
    #[error("several firms have a server '{name}': {}; name the one that is meant as well", providers.join(", "))]
    Several {
        /// The server's name.
        name: String,
        /// The firms.
        providers: Vec<String>,
    },
    /// It has no targets.
    #[error("no target is noted on server '{name}'; `holdfast lease set` says which targets lie on it")]
    Bare {
        /// The server's name.
        name: String,
    },
}

fn of_firm(provider: Option<&str>) -> String {
    provider.map_or(String::new(), |provider| format!(" at {provider}"))
}

impl ServerFault {
    /// How a reader acts on it.
    pub fn class(&self) -> Class {
        match self {
            Self::None { .. } => Class::Missing,
            Self::Several { .. } => Class::Refused,
            Self::Bare { .. } => Class::Conflict,
        }
    }

    /// A stable name for programs; never reworded.
    pub fn code(&self) -> &'static str {
        match self {
            Self::None { .. } => "no_server",
            Self::Several { .. } => "several_servers",
            Self::Bare { .. } => "bare_server",
        }
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FleetOrder {
    /// Take no new shards.
    Cordon,
    /// Take new shards again.
    Uncordon,
    /// Everything is to move away.
    Evacuate {
        /// By when, microseconds since 1970.
        by_us: i64,
    },
    /// Hold an evacuation.
    Pause,
    /// Let it go on.
    Resume,
    /// Take it back.
    Cancel,
    /// Take the shards off the records, delete them, and forget the target.
    Retire {
        /// Delete nothing.
        keeps_shards: bool,
    },
    /// It will never answer again: do without.
    GiveUp {
        /// The name or address once more.
        confirmed: String,
    },
}

impl Service {
    /// Gives an order; the targets that it is about, as they are seen then.
    ///
    /// # Errors
    /// Missing if there is no such provider or target; what the store refuses.
    pub async fn order(&self, which: &Which, order: FleetOrder) -> Result<Vec<TargetReport>> {
        let targets = self.ordered(which).await?;
        let store = &self.store;
        match order {
            FleetOrder::Cordon => store.cordon(targets.clone(), true).await?,
            FleetOrder::Uncordon => store.cordon(targets.clone(), false).await?,
            FleetOrder::Evacuate { by_us } => _ = store.evacuate(targets.clone(), by_us).await?,
            FleetOrder::Pause => store.pause_evacuation(targets.clone(), true).await?,
            FleetOrder::Resume => store.pause_evacuation(targets.clone(), false).await?,
            FleetOrder::Cancel => store.cancel_evacuation(targets.clone()).await?,
            FleetOrder::Retire { keeps_shards } => store.order_retirement(targets.clone(), keeps_shards).await?,
            FleetOrder::GiveUp { confirmed } => {
                let name = which.name();
                if confirmed != name {
                    return Err(store::Error::Order(OrderError::Unconfirmed { name: name.to_owned() }).into());
                }
                store.give_up(targets.clone()).await?;
            }
        }
        Ok(targets.into_iter().filter_map(|target| store.target_seen(target)).collect())
    }

    /// Which firms count as one, and by which labels.
    pub fn constraints(&self) -> Constraints {
        self.store.constraints()
    }

    /// Makes a label a constraint, or makes it none any more; which firms count as one then.
    ///
    /// # Errors
    /// Refused if it can be none, or too few firms would be left.
    pub async fn set_constraint(&self, label: &str, holds: bool) -> Result<Constraints> {
        self.store.set_constraint(label.trim().to_owned(), holds).await?;
        Ok(self.store.constraints())
    }

    /// Looks at a target now.
    ///
    /// # Errors
    /// Missing if there is none at that address.
    pub async fn probe_target(&self, address: &str) -> Result<TargetReport> {
        let target = self.store.target_at(address)?;
        let unknown = || store::Error::Order(OrderError::NoTarget { address: address.to_owned() });
        Ok(self.store.probe_target(target).await.ok_or_else(unknown)?)
    }

    /// The targets that an order is about.
    pub(crate) async fn ordered(&self, which: &Which) -> Result<Vec<TargetId>> {
        match which {
            Which::Target(address) => Ok(vec![self.store.target_at(address)?]),
            Which::Provider(name) => {
                let unknown = || Error::NoProvider { name: name.clone() };
                Ok(self.store.targets_of(self.store.provider(name).ok_or_else(unknown)?))
            }
            Which::Server { name, provider } => {
                let (name, provider) = (name.clone(), provider.clone());
                let (of, mut targets) = self
                    .look(move |tx| {
                        let (leases, providers) = (leases::all(tx)?, fleet::providers(tx)?);
                        Ok(on_server(&leases, &providers, &name, provider.as_deref())?)
                    })
                    .await?;
                let known = self.store.targets_of(of);
                targets.retain(|target| known.contains(target));
                Ok(targets)
            }
        }
    }
}

/// The firm of a server, and the targets on it. A lease that is over is looked at only where none that runs names the server.
fn on_server(
    leases: &[LeaseRow],
    providers: &[ProviderRow],
    name: &str,
    provider: Option<&str>,
) -> Result<(ProviderId, Vec<TargetId>)> {
    let firm = |id: ProviderId| providers.iter().find(|row| row.id == id).map_or("", |row| row.name.as_str());
    if let Some(provider) = provider.filter(|provider| providers.iter().all(|row| row.name != *provider)) {
        return Err(Error::NoProvider { name: provider.to_owned() });
    }
    let is_meant = |row: &&LeaseRow| {
        row.servers.iter().any(|server| server.name == name) && provider.is_none_or(|meant| meant == firm(row.provider))
    };
    let named: Vec<_> = leases.iter().filter(is_meant).collect();
    let running: Vec<_> = named.iter().copied().filter(|row| row.state != LeaseState::Ended).collect();
    let named = if running.is_empty() { named } else { running };
    let Some(of) = named.first().map(|row| row.provider) else {
        return Err(ServerFault::None { name: name.to_owned(), provider: provider.map(str::to_owned) }.into());
    };
    let firms: std::collections::BTreeSet<_> = named.iter().map(|row| firm(row.provider).to_owned()).collect();
    if firms.len() > 1 {
        return Err(ServerFault::Several { name: name.to_owned(), providers: firms.into_iter().collect() }.into());
    }
    let servers = named.iter().flat_map(|row| &row.servers).filter(|server| server.name == name);
    let mut targets: Vec<_> = servers.flat_map(|server| server.targets.iter().copied()).collect();
    targets.sort_unstable();
    targets.dedup();
    if targets.is_empty() { Err(ServerFault::Bare { name: name.to_owned() }.into()) } else { Ok((of, targets)) }
}
