//! The kinds of upkeep, for an operator: how each stands, and a pause.

use model::id::AccountId;
use store::JobStanding;

use crate::{Service, error::Result, tokens::Caller};

impl Service {
    /// How all kinds of upkeep stand, in the order of a round.
    pub fn jobs(&self) -> Vec<JobStanding> {
        self.store.jobs()
    }

    /// Pauses a kind of upkeep, or lets it go on; how it stands then.
    ///
    /// # Errors
    /// Refused if the caller is no operator, or it cannot be paused; Missing if there is none of that name.
    pub async fn pause_job(&self, caller: &Caller, kind: &str, paused: bool) -> Result<JobStanding> {
        caller.must_operate()?;
        // Whoever is at the machine has no account.
        let by = Some(caller.account).filter(|account| *account != AccountId::default());
        Ok(self.store.pause_job(kind, paused, by).await?)
    }
}
