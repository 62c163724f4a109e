//! Changes of the fleet that are gathered, looked at together, and made at once.
//!
//! One list for the cluster. It is local: nothing of it is in force, so nothing is lost with it; after a rebuild it is empty. It
//! has a *number* that grows with each change of the list, and whenever the rows that it rests on changed (firms and their
//! labels, constraints, targets, orders, servers of leases). Who looked at number 7 applies 7 or nothing: if somebody else said
//! something meanwhile, or did it, the number is another one. All is one commit. [`fold`] says what the rows would be, and
//! [`effect`] what that would do; `docs/decisions/0029` argues it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use catalogue::Tx;
use model::{
    Change, Scope,
    fleet::{ConstraintRow, ProviderRow},
    id::{AccountId, OrderId},
    orders::TargetOrders,
    stage::{Staged, StagedRow, Which},
    world::BoxFuture,
};

use crate::{
    Draft, Inner, Store,
    constraints::draft_constraint,
    error::{Error, Result},
    ledger, meta,
    orders::OrderError,
};

mod effect;
mod fold;
mod named;

pub use effect::{Effect, FirmEffect, Side};
use fold::{Ground, Moment, Rules};
use named::Names;

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

/// The rows that changed when a stage was applied.
#[derive(Clone, Debug, Default)]
struct Done {
    providers: Vec<ProviderRow>,
    constraints: Vec<ConstraintRow>,
    orders: Vec<TargetOrders>,
}

impl Store {
    /// The targets that a person means, those that are retired left out.
    ///
    /// # Errors
    /// [`OrderError`] if there is no such name, or it is not clear which one is meant.
    pub async fn targets_named(&self, which: &Which) -> Result<Vec<model::id::TargetId>> {
        let ground = self.read(|tx| ground(tx)).await?;
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
                true => Some(inner.effect(&ground, &rules).await?),
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
                    let done = differences(&ground, &rules, now_us);
                    let count = catalogue::stage::clear(tx)?;
                    let fields = [("number", number.to_string()), ("changes", count.to_string())];
                    ledger::note(tx, draft, "stage.applied", &fields, now_us)?;
                    draft.audit(Some(account), "stage applied", format!("number {number}, {count} changes"));
                    draft_all(tx, draft, &ground, &done, now_us)?;
                    renumber(tx, &ground, true)?;
                    Ok::<_, Error>((count, done))
                })
                .await?;
            inner.take(done);
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
    let providers = catalogue::fleet::providers(tx)?;
    let orders = catalogue::orders::all(tx)?;
    let rules = Rules {
        labels: providers.iter().map(|row| (row.id, row.labels.clone())).collect(),
        constraints: crate::constraints(tx)?,
        orders: orders.into_iter().map(|row| (row.target, row)).collect(),
    };
    let (targets, leases) = (catalogue::fleet::targets(tx)?, catalogue::leases::all(tx)?);
    let staged = catalogue::stage::all(tx)?;
    let mut held = BTreeMap::new();
    let names = Names { providers: &providers, targets: &targets, leases: &leases };
    for change in staged.iter().map(|row| &row.change) {
        let Staged::Retire { which, .. } = change else { continue };
        for target in names.targets(which).unwrap_or_default() {
            held.insert(target, catalogue::orders::held(tx, target)?);
        }
    }
    Ok(Ground { providers, targets, leases, rules, staged, held })
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

/// The rows that differ.
fn differences(ground: &Ground, rules: &Rules, now_us: i64) -> Done {
    let labelled = ground.labelled(rules);
    let changed = labelled.into_iter().filter(|row| ground.rules.labels.get(&row.id) != Some(&row.labels));
    let (before, after): (&BTreeSet<_>, &BTreeSet<_>) = (&ground.rules.constraints, &rules.constraints);
    let constraint =
        |label: &String| ConstraintRow { label: label.clone(), holds: after.contains(label), changed_us: now_us };
    let was = |target| ground.rules.orders.get(&target).cloned().unwrap_or_else(|| TargetOrders::none(target));
    Done {
        providers: changed.collect(),
        constraints: before.symmetric_difference(after).map(constraint).collect(),
        orders: rules.orders.values().filter(|row| **row != was(row.target)).cloned().collect(),
    }
}

/// Adds the rows to what is committed, each with its entry in the ledger, as if it had been ordered by itself.
fn draft_all(tx: &mut Tx<'_>, draft: &mut Draft, ground: &Ground, done: &Done, now_us: i64) -> Result<()> {
    for row in &done.providers {
        crate::joining::note_provider(tx, draft, row, now_us)?;
        draft.change(Scope::Cluster, Change::Provider(row.clone()));
    }
    if !done.providers.is_empty() {
        catalogue::meta::set_number(tx, meta::FLEET_KEPT, 1)?;
    }
    for row in &done.constraints {
        draft_constraint(tx, draft, row.clone())?;
    }
    for row in &done.orders {
        let was = ground.rules.orders.get(&row.target).cloned().unwrap_or_else(|| TargetOrders::none(row.target));
        let address =
            ground.targets.iter().find(|target| target.id == row.target).map_or("", |row| row.address.as_str());
        for verb in verbs(&was, row) {
            let mut fields = vec![("target", format!("{} {address}", row.target))];
            fields.extend(row.evacuation.map(|order| ("order", order.id.to_string())));
            ledger::note(tx, draft, &verb.replace(' ', "."), &fields, now_us)?;
            draft.audit(None, verb, row.target.to_string());
        }
        draft.change(Scope::Cluster, Change::TargetOrders(row.clone()));
    }
    Ok(())
}

/// What was ordered, in the words of single orders.
fn verbs(was: &TargetOrders, is: &TargetOrders) -> Vec<&'static str> {
    let mut verbs = Vec::new();
    match (was.cordoned, is.cordoned) {
        (false, true) => verbs.push("target cordoned"),
        (true, false) => verbs.push("target uncordoned"),
        _ => {}
    }
    match (was.evacuation, is.evacuation) {
        (Some(_), None) => verbs.push("evacuation cancelled"),
        (before, Some(order)) if before.is_none_or(|before| before.id != order.id) => verbs.push("evacuation ordered"),
        _ => {}
    }
    if was.retirement.is_none() && is.retirement.is_some() {
        verbs.push("retirement ordered");
    }
    verbs
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

    /// Goes by rows that were recorded.
    fn take(&self, done: Done) {
        let domains = self.fleet.domains();
        done.providers.into_iter().for_each(|row| self.fleet.set_provider(row));
        done.constraints.into_iter().for_each(|row| self.fleet.set_constraint(row));
        done.orders.into_iter().for_each(|row| self.fleet.set_orders(row));
        if domains != self.fleet.domains() {
            self.regrouped();
        }
        self.upkeep.evacuating.look_again();
        self.upkeep.wake();
    }
}
