//! Plans: named sets of limits. An operator makes them and gives them to accounts; who has none may take what there is.

use catalogue::{Tx, accounts, limits, plans, shown};
use model::{Change, Scope, account::LimitsRow, plans::PlanRow};

use crate::{
    Service,
    error::{Error, Result},
    tokens::Caller,
};

/// The most plans of a service: more than anybody can tell apart.
const PLANS_MAX: usize = 100;
/// Longest name of a plan, in characters.
const NAME_CHARS_MAX: usize = 64;
/// What SQLite and JSON both keep exactly.
const NUMBER_MAX: u64 = 1 << 53;
/// The most days that a file may be kept: a century.
const DAYS_MAX: u32 = 36_500;
/// The least speed for guests, in bytes a second: below it browsers give a download up.
const SPEED_LEAST: u64 = 1_024;

impl Service {
    /// All plans, by name, with how many accounts have each.
    ///
    /// # Errors
    /// Refused if the caller is no operator.
    pub async fn plans(&self, caller: &Caller) -> Result<Vec<(PlanRow, u64)>> {
        caller.must_operate()?;
        self.look(|tx| plans::all(tx)?.into_iter().map(|row| counted(tx, row)).collect()).await
    }

    /// Makes a plan, or changes it for all who have it. What they have stays, also where it is more.
    ///
    /// # Errors
    /// Refused if the caller is no operator, or for a name or a number that means nothing.
    pub async fn set_plan(&self, caller: &Caller, plan: PlanRow) -> Result<(PlanRow, u64)> {
        caller.must_operate()?;
        check(&plan)?;
        let own = caller.account;
        self.store
            .commit(move |tx, draft| {
                if plans::of(tx, &plan.name)?.is_none() && plans::all(tx)?.len() >= PLANS_MAX {
                    return Err(Error::BadPlan { what: "a service has at most 100 plans; end one first" });
                }
                let row = PlanRow { ended_us: None, ..plan };
                draft.audit(Some(own), "plan set", row.name.clone());
                draft.change(Scope::Cluster, Change::Plan(row.clone()));
                counted(tx, row)
            })
            .await
    }

    /// Ends a plan that nobody has.
    ///
    /// # Errors
    /// Refused if the caller is no operator; [`Error::NoPlan`]; [`Error::PlanInUse`].
    pub async fn end_plan(&self, caller: &Caller, name: String) -> Result<()> {
        caller.must_operate()?;
        let (own, now_us) = (caller.account, self.store.now().wall_us);
        self.store
            .commit(move |tx, draft| {
                let row = known(tx, &name)?;
                let count = plans::accounts(tx, &name)?;
                if count > 0 || shown::about(tx)?.new_plan.as_ref() == Some(&name) {
                    return Err(Error::PlanInUse { count });
                }
                draft.audit(Some(own), "plan ended", name);
                draft.change(Scope::Cluster, Change::Plan(PlanRow { ended_us: Some(now_us), ..row }));
                Ok(())
            })
            .await
    }

    /// Gives the account of this name a plan, or takes it away. What it has stays.
    ///
    /// # Errors
    /// Refused if the caller is no operator; Missing if there is no such account or plan.
    pub async fn give_plan(&self, caller: &Caller, name: String, plan: Option<String>) -> Result<()> {
        caller.must_operate()?;
        let own = caller.account;
        self.store
            .commit(move |tx, draft| {
                let account = accounts::by_name(tx, &name)?.ok_or(Error::NoAccount { name })?.id;
                if let Some(plan) = &plan {
                    known(tx, plan)?;
                }
                let row = LimitsRow { plan, ..limits::of(tx, account)? };
                draft.audit(Some(own), "plan given", account.to_string());
                draft.change(Scope::Cluster, Change::Limits(row));
                Ok(())
            })
            .await
    }
}

fn counted(tx: &Tx<'_>, row: PlanRow) -> Result<(PlanRow, u64)> {
    let count = plans::accounts(tx, &row.name)?;
    Ok((row, count))
}

/// The plan of this name.
///
/// # Errors
/// [`Error::NoPlan`].
pub(crate) fn known(tx: &Tx<'_>, name: &str) -> Result<PlanRow> {
    plans::of(tx, name)?.ok_or_else(|| Error::NoPlan { name: name.to_owned() })
}

fn check(plan: &PlanRow) -> Result<()> {
    let name = &plan.name;
    let sized = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && name.len() <= 255 && name.trim() == name;
    if !sized || name == "." || name == ".." || name.chars().any(|letter| letter == '/' || letter.is_control()) {
        return Err(Error::BadPlan {
            what: "a plan's name has 1 to 64 letters, with no slash, no line break and no space at its ends",
        });
    }
    let numbers = [plan.space_bytes, plan.file_bytes, plan.link_bytes_per_day, plan.guest_bytes_per_s];
    if numbers.into_iter().flatten().any(|number| number > NUMBER_MAX) {
        return Err(Error::BadPlan { what: "a limit is at most 2^53 bytes; leave it out for none" });
    }
    if plan.keep_days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return Err(Error::BadPlan { what: "files are kept for 1 to 36,500 days, or without a limit" });
    }
    if plan.guest_bytes_per_s.is_some_and(|speed| speed < SPEED_LEAST) {
        return Err(Error::BadPlan { what: "guests get at least 1,024 bytes a second, or as much as there is" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PlanRow, check};

    #[test]
    fn a_plan_that_means_nothing_is_refused() {
        let named = |name: &str| PlanRow { name: name.to_owned(), ..PlanRow::default() };
        assert!(check(&named("Family 5 TB")).is_ok());
        for plan in [
            named(""),
            named(" a"),
            named("a/b"),
            named(".."),
            named(&"x".repeat(65)),
            PlanRow { space_bytes: Some(u64::MAX), ..named("a") },
            PlanRow { keep_days: Some(0), ..named("a") },
            PlanRow { guest_bytes_per_s: Some(1_023), ..named("a") },
        ] {
            assert!(check(&plan).is_err(), "{plan:?}");
        }
    }
}
