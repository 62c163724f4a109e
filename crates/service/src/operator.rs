//! What an operator asks: how the fleet stands, what would happen if, and to read everything now.

use catalogue::fleet;
use model::{id::ProviderId, world::Now};
use store::{DrillReport, FleetReport, Gauges, ScrubReport, WhatIfReport};

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
        let id = self.provider_named(provider).await?;
        Ok(self.store.what_if(&[id]).await?)
    }

    /// Reads what would be left without the provider of this name: everything, or so many packs and copied objects.
    ///
    /// # Errors
    /// Missing if there is none of that name; refused while another drill runs.
    pub async fn drill(&self, provider: &str, sample: Option<u64>) -> Result<DrillReport> {
        let id = self.provider_named(provider).await?;
        Ok(self.store.drill(id, sample).await?)
    }

    async fn provider_named(&self, name: &str) -> Result<ProviderId> {
        let providers = self.store.read(|tx| fleet::providers(tx)).await?;
        let found = providers.iter().find(|row| row.name == name);
        Ok(found.ok_or_else(|| Error::NoProvider { name: name.to_owned() })?.id)
    }

    /// Reads everything that is stored, repairs what it finds, and says what it was.
    ///
    /// # Errors
    /// As the store says.
    pub async fn scrub(&self) -> Result<ScrubReport> {
        Ok(self.store.scrub().await?)
    }
}
