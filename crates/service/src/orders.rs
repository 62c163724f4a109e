//! Orders of an operator: to cordon, evacuate or retire a target, or all targets of a server or provider, by their names; and
//! which firms count as one.

pub use model::stage::Which;
use store::{Constraints, OrderError, TargetReport};

use crate::{Service, error::Result};

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
        let targets = self.store.targets_named(which).await?;
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
}
