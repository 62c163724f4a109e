//! Changes of the fleet that are gathered, looked at together, and made at once.
//!
//! One list for the cluster. It is local: nothing of it is in force, so nothing is lost with it; after a rebuild it is empty. It
//! has a *number* that grows with each change of the list, and whenever the rows that it rests on changed (firms and their
//! labels, constraints, targets, orders, servers of leases). Who looked at number 7 applies 7 or nothing: if somebody else said
//! something meanwhile, or did it, the number is another one. All is one commit. [`fold`] says what the rows would be, and
//! [`effect`] what that would do; `docs/decisions/0029` argues it.

use std::sync::Arc;

use catalogue::Tx;
use model::{
    id::{AccountId, OrderId},
    stage::{Staged, StagedRow, Which},
    world::BoxFuture,
};

use crate::{
    Inner, Store,
    error::{Error, Result},
    ground::{Ground, Moment, Rules},
    ledger, meta,
    orders::{OrderError, draft_all},
};

mod effect;
mod fold;
mod named;

pub(crate) use effect::Looked;
pub use effect::{Effect, FirmEffect, Side};
pub(crate) use named::Names;

/// Changes that are staged at once: a person reads them.
const STAGED_MAX: usize = 200;

/// The list as it stands.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// What it is applied by.
    pub number: u64,
    /// What was said, in order.
    pub changes: Vec<StagedRow>,
    /// The first change that cannot be made as things are now, by its place in the list, and why. Nothing is applied then.
    pub fault: Option<(usize, String)>,
    /// What all of it would do; `None` if it was not asked for, there is nothing, or something cannot be made.
    pub effect: Option<Effect>,
}

impl Store {
    /// The targets that a person means, those that are retired left out.
    ///
    /// # Errors
    /// [`OrderError`] if there is no such name, or it is not clear which one is meant.
    pub async fn targets_named(&self, which: &Which) -> Result<Vec<model::id::TargetId>> {
        let ground = self.read(|tx| Ground::read(tx)).await?;
        Ok(ground.names().targets(which)?)
    }

    /// The list; with what it would do, which takes a look at everything that is stored.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn stage(&self, with_effect: bool) -> BoxFuture<'_, Result<Stage>> {
        Box::pin(async move {
            let inner = &self.0;
            let (number, ground) = inner.numbered().await?;
            let changes = ground.staged.clone();
            let (now_us, topology) = (self.now().wall_us, inner.fleet.topology(inner.now_us()));
            let rules = match rules_after(&ground, &topology, &moment(now_us)) {
                Ok(rules) => rules,
                Err((at, error)) => {
                    return Ok(Stage { number, changes, fault: Some((at, error.to_string())), effect: None });
                }
            };
            let effect = match with_effect && !changes.is_empty() {
                true => Some(inner.effect(number, &ground, &rules).await?),
                false => None,
            };
            Ok(Stage { number, changes, fault: None, effect })
        })
    }

    /// Adds changes to the list, all or none; its new number.
    ///
    /// # Errors
    /// [`OrderError`] if one of them cannot be made after those that are staged already.
    pub fn add_to_stage(&self, account: AccountId, changes: Vec<Staged>) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            let now_us = self.now().wall_us;
            let topology = self.0.fleet.topology(self.0.now_us());
            self.commit(move |tx, draft| {
                let before = catalogue::stage::all(tx)?.len();
                if before + changes.len() > STAGED_MAX {
                    return Err(OrderError::StageFull { most: STAGED_MAX }.into());
                }
                for change in changes {
                    let row = StagedRow { account, said_us: now_us, change };
                    draft.audit(Some(account), "change staged", format!("{:?}", row.change));
                    catalogue::stage::add(tx, &row)?;
                }
                let ground = ground(tx)?;
                // What was staged before and cannot be made any more is no reason to refuse this; it is shown.
                match rules_after(&ground, &topology, &moment(now_us)) {
                    Err((at, error)) if at >= before => return Err(error.into()),
                    _ => {}
                }
                Ok(renumber(tx, &ground, true)?)
            })
            .await
        })
    }

    /// Makes all staged changes in one commit; how many there were. `number` is the one that was shown.
    ///
    /// # Errors
    /// [`OrderError::StageChanged`] if the list or what it rests on is another one by now; [`OrderError::StageEmpty`]; what is in
    /// the way of a change. Nothing is changed then.
    pub fn apply_stage(&self, account: AccountId, number: u64) -> BoxFuture<'_, Result<usize>> {
        Box::pin(async move {
            let inner = &self.0;
            let now_us = self.now().wall_us;
            let (topology, entropy) = (inner.fleet.topology(inner.now_us()), inner.world.entropy.clone());
            let (count, done) = self
                .commit(move |tx, draft| {
                    let ground = ground(tx)?;
                    let now = number_of(tx, &ground)?;
                    if now != number {
                        return Err(OrderError::StageChanged { asked: number, now }.into());
                    }
                    if ground.staged.is_empty() {
                        return Err(OrderError::StageEmpty.into());
                    }
                    let order = || OrderId::random(entropy.as_ref());
                    let moment = Moment { now_us, order: &order };
                    let rules = rules_after(&ground, &topology, &moment).map_err(|(_, error)| error)?;
                    let done = ground.differences(&rules, now_us);
                    let count = catalogue::stage::clear(tx)?;
                    let fields = [("number", number.to_string()), ("changes", count.to_string())];
                    ledger::note(tx, draft, "stage.applied", &fields, now_us)?;
                    draft.audit(Some(account), "stage applied", format!("number {number}, {count} changes"));
                    draft_all(tx, draft, &ground, &done, now_us)?;
                    renumber(tx, &ground, true)?;
                    Ok::<_, Error>((count, done))
                })
                .await?;
            inner.go_by(done).await;
            // The rows are others now, and so is the number that the next list begins with.
            inner.numbered().await?;
            Ok(count)
        })
    }

    /// Forgets all staged changes; how many there were.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub fn revert_stage(&self, account: AccountId) -> BoxFuture<'_, Result<usize>> {
        Box::pin(async move {
            self.commit(move |tx, draft| {
                let count = catalogue::stage::clear(tx)?;
                if count > 0 {
                    draft.audit(Some(account), "stage reverted", format!("{count} changes"));
                    let ground = ground(tx)?;
                    renumber(tx, &ground, true)?;
                }
                Ok::<_, Error>(count)
            })
            .await
        })
    }
}

/// A moment for looking: the evacuation that it names is never recorded.
fn moment(now_us: i64) -> Moment<'static> {
    Moment { now_us, order: &|| OrderId([0; 16]) }
}

/// The rules after all staged changes, if enough firms are left then.
fn rules_after(
    ground: &Ground,
    topology: &plan::Topology,
    moment: &Moment<'_>,
) -> std::result::Result<Rules, (usize, OrderError)> {
    let rules = ground.fold(moment)?;
    match ground.may_be(topology, &rules) {
        Ok(()) => Ok(rules),
        Err(error) => Err((ground.staged.len().saturating_sub(1), error)),
    }
}

/// Reads what a stage rests on.
fn ground(tx: &Tx<'_>) -> catalogue::Result<Ground> {
    let mut ground = Ground { staged: catalogue::stage::all(tx)?, ..Ground::read(tx)? };
    let mut retiring = Vec::new();
    for change in ground.staged.iter().map(|row| &row.change) {
        if let Staged::Retire { which, .. } = change {
            retiring.extend(ground.names().targets(which).unwrap_or_default());
        }
    }
    // What was evacuated or given up may go whatever lies there: it need not be counted while others wait to write. Unless it is
    // staged, too, that it is left no more.
    let is_undone = |change: &Staged| matches!(change, Staged::Cancel { .. } | Staged::Evacuate { .. });
    if !ground.staged.iter().any(|row| is_undone(&row.change)) {
        retiring.retain(|target| ground.must_hold_nothing(*target));
    }
    ground.read_held(tx, &retiring)?;
    Ok(ground)
}

/// The number of a list on this ground: the one that is kept, or the next one if the ground is another by now.
fn number_of(tx: &Tx<'_>, ground: &Ground) -> catalogue::Result<u64> {
    let kept = catalogue::meta::number(tx, meta::STAGE_NUMBER)?.unwrap_or(0);
    let same = catalogue::meta::bytes(tx, meta::STAGE_GROUND)?.is_some_and(|kept| kept == ground.fingerprint());
    Ok(if same { kept } else { kept + 1 })
}

/// Keeps the number, raised if the list was changed or the ground is another.
fn renumber(tx: &mut Tx<'_>, ground: &Ground, changed: bool) -> catalogue::Result<u64> {
    let known = catalogue::meta::number(tx, meta::STAGE_NUMBER)?.unwrap_or(0);
    let number = if changed { known + 1 } else { number_of(tx, ground)? };
    catalogue::meta::set_number(tx, meta::STAGE_NUMBER, number)?;
    catalogue::meta::set_bytes(tx, meta::STAGE_GROUND, &ground.fingerprint())?;
    Ok(number)
}

impl Inner {
    /// The number of the list and what it rests on; kept, if it is another one by now.
    async fn numbered(self: &Arc<Self>) -> Result<(u64, Ground)> {
        let (kept, number, found) = self
            .catalogue
            .read(|tx| {
                let found = ground(tx)?;
                let kept = catalogue::meta::number(tx, meta::STAGE_NUMBER)?.unwrap_or(0);
                Ok((kept, number_of(tx, &found)?, found))
            })
            .await?;
        if kept == number {
            return Ok((number, found));
        }
        Store(self.clone())
            .commit(|tx, _| {
                let found = ground(tx)?;
                Ok::<_, Error>((renumber(tx, &found, false)?, found))
            })
            .await
    }
}
