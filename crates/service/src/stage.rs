//! Staged changes of the fleet, for operators: said, looked at together, and made at once or not at all.

use std::collections::BTreeMap;

use catalogue::accounts;
use model::{id::AccountId, stage::Staged};
use store::{Effect, Stage};

use crate::{Service, error::Result, tokens::Caller};

/// The list as an operator sees it.
#[derive(Clone, Debug)]
pub struct StageShown {
    /// What it is applied by.
    pub number: u64,
    /// What was said, in order.
    pub changes: Vec<StageLine>,
    /// What all of it would do, if that was asked for and can be said.
    pub effect: Option<Effect>,
}

/// One staged change.
#[derive(Clone, Debug)]
pub struct StageLine {
    /// Whose it is; `None`: it was said at the machine.
    pub by: Option<String>,
    /// When it was said, microseconds since 1970.
    pub said_us: i64,
    /// What.
    pub change: Staged,
    /// Why it cannot be made as things are now: nothing is applied then.
    pub fault: Option<String>,
}

impl Service {
    /// The list; with what it would do, which takes a look at everything that is stored.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn stage(&self, caller: &Caller, with_effect: bool) -> Result<StageShown> {
        caller.must_operate()?;
        let Stage { number, changes, fault, effect } = self.store.stage(with_effect).await?;
        let who: Vec<_> = changes.iter().map(|row| row.account).collect();
        let names: BTreeMap<AccountId, String> = self
            .look(move |tx| {
                let mut names = BTreeMap::new();
                for id in who {
                    names.extend(accounts::by_id(tx, id)?.map(|row| (id, row.name)));
                }
                Ok(names)
            })
            .await?;
        let line = |(at, row): (usize, model::stage::StagedRow)| StageLine {
            by: names.get(&row.account).cloned(),
            said_us: row.said_us,
            change: row.change,
            fault: fault.as_ref().filter(|(place, _)| *place == at).map(|(_, why)| why.clone()),
        };
        Ok(StageShown { number, changes: changes.into_iter().enumerate().map(line).collect(), effect })
    }

    /// Adds changes to the list, all or none.
    ///
    /// # Errors
    /// Refused if the caller is no operator; what is in the way of one of them.
    pub async fn add_to_stage(&self, caller: &Caller, changes: Vec<Staged>) -> Result<StageShown> {
        caller.must_operate()?;
        self.store.add_to_stage(caller.account, changes).await?;
        self.stage(caller, false).await
    }

    /// Makes all of them, if this is still their number; how many there were.
    ///
    /// # Errors
    /// Refused if the caller is no operator; Conflict if the list or the fleet changed since; what is in the way of a change.
    pub async fn apply_stage(&self, caller: &Caller, number: u64) -> Result<usize> {
        caller.must_operate()?;
        Ok(self.store.apply_stage(caller.account, number).await?)
    }

    /// Forgets all of them; how many there were.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn revert_stage(&self, caller: &Caller) -> Result<usize> {
        caller.must_operate()?;
        Ok(self.store.revert_stage(caller.account).await?)
    }
}
