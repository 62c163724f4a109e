//! What an operator asks: how the fleet stands, what would happen if, and to read everything now.

use catalogue::fleet;
use model::world::Now;
use store::{FleetReport, Gauges, ScrubReport, WhatIfReport};

use crate::{
    Service,
    error::{Error, Result},
};

impl Service {
    /// How providers, targets, files and jobs stand.
    ///
    /// # Errors
    /// As the store says.
    pub async fn fleet(&self) -> Result<FleetReport> {
        Ok(self.store.fleet_report().await?)
    }

    /// What the clocks say.
    pub fn now(&self) -> Now {
        self.store.now()
    }

    /// What a monitor is told: what is at hand, without a look at everything.
    pub fn gauges(&self) -> Gauges {
        self.store.gauges()
    }

    /// What would be left if the provider of this name were gone.
    ///
    /// # Errors
    /// Missing if there is none of that name.
    pub async fn what_if(&self, provider: &str) -> Result<WhatIfReport> {
        let providers = self.store.read(|tx| fleet::providers(tx)).await?;
        let found = providers.iter().find(|row| row.name == provider);
        let id = found.ok_or_else(|| Error::NoProvider { name: provider.to_owned() })?.id;
        Ok(self.store.what_if(&[id]).await?)
    }

    /// Reads everything that is stored, repairs what it finds, and says what it was.
    ///
    /// # Errors
    /// As the store says.
    pub async fn scrub(&self) -> Result<ScrubReport> {
        Ok(self.store.scrub().await?)
    }
}
