//! What an operator asks: how the fleet stands, what would happen if, and to read everything now.

use std::collections::BTreeMap;

use catalogue::fleet;
use model::{id::ProviderId, world::Now};
use store::{DrillReport, FleetReport, Gauges, HourRow, ScrubReport, WhatIfReport};

use crate::{
    Service,
    error::{Error, Result},
};

/// What is shown of the trend unless more is asked for: 30 days.
const TREND_SHOWN_US: i64 = 30 * 24 * 3_600 * 1_000_000;

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

    /// What would be left if the providers of these names were gone, all at once.
    ///
    /// # Errors
    /// Missing if there is none of a name.
    pub async fn what_if(&self, names: &[String]) -> Result<WhatIfReport> {
        let providers = self.store.read(|tx| fleet::providers(tx)).await?;
        let id = |name: &String| match providers.iter().find(|row| row.name == *name) {
            Some(row) => Ok(row.id),
            None => Err(Error::NoProvider { name: name.clone() }),
        };
        let gone = names.iter().map(id).collect::<Result<Vec<_>>>()?;
        Ok(self.store.what_if(&gone).await?)
    }

    /// How the fleet stood, hour by hour, since this wall time in microseconds since 1970, or for a month; with the names of the
    /// providers that are known now.
    ///
    /// # Errors
    /// As the store says.
    pub async fn trend(&self, since_us: Option<i64>) -> Result<(BTreeMap<ProviderId, String>, Vec<HourRow>)> {
        let month_us = self.store.now().wall_us.saturating_sub(TREND_SHOWN_US);
        let hours = self.store.trend(since_us.unwrap_or(month_us)).await?;
        let providers = self.store.read(|tx| fleet::providers(tx)).await?;
        Ok((providers.into_iter().map(|row| (row.id, row.name)).collect(), hours))
    }

    /// Reads what would be left without the provider of this name: everything, or so many packs and copied objects.
    ///
    /// # Errors
    /// Missing if there is none of that name; refused while another drill runs.
    pub async fn drill(&self, provider: &str, sample: Option<u64>) -> Result<DrillReport> {
        let id = self.provider_named(provider).await?;
        Ok(self.store.drill(id, sample).await?)
    }

    /// Since when a drill without each of the providers has passed, microseconds since 1970; for everybody who keeps files here.
    pub fn proven_since(&self) -> Option<i64> {
        self.store.proven_since()
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
