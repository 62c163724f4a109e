//! What an operator may ask of a service: one enum of questions, one function that answers them.
//!
//! The same questions go over the control socket ([`crate::control`]), or to a store that the command opened itself; those
//! that HTTP knows go there as well ([`crate::reach`]). Answers are the JSON of the HTTP interface.

mod leases;
mod stage;

use std::sync::Arc;

use fleet::Login;
use gateway::{
    NewOrder, ScopeWord, StagedChange,
    machine::{Change, Machine, Refusal},
    shape,
};
use model::{
    account::Role,
    id::{AccountId, KitId},
    plans::PlanRow,
    world::BoxFuture,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::{Caller, Service};

use crate::{
    assemble::Assembly,
    error::{Error, Result},
};

const DAY_S: u64 = 86_400;

/// One question, as it is written on the control socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", content = "args", rename_all = "kebab-case")]
pub enum Question {
    /// A new bearer token for an account.
    TokenCreate {
        /// The account's name.
        account: String,
        /// How much of what the account may do it opens.
        scope: ScopeWord,
        /// How long it is good, in seconds; for ever if absent.
        lifetime_s: Option<u64>,
    },
    /// A one-time code that makes an account.
    AccountInvite {
        /// Whether it may run the service.
        operator: bool,
        /// How long the code is good.
        days: u32,
    },
    /// A one-time code that sets an account's password.
    AccountReset {
        /// The account's name.
        name: String,
    },
    /// All accounts.
    AccountList,
    /// Suspends an account, or lets it go on.
    AccountSuspend {
        /// The account's name.
        name: String,
        /// Which of both.
        suspended: bool,
    },
    /// Deletes an account when its grace is over, or takes that back.
    AccountLeaves {
        /// The account's name.
        name: String,
        /// Which of both.
        leaves: bool,
    },
    /// Says how many bytes an account may keep.
    AccountQuota {
        /// The account's name.
        name: String,
        /// Plaintext bytes; `None`: as many as there is room for.
        bytes: Option<u64>,
    },
    /// Gives an account a plan.
    AccountPlan {
        /// The account's name.
        name: String,
        /// The plan's name; `None`: none.
        plan: Option<String>,
    },
    /// All plans.
    PlanList,
    /// Makes or changes a plan; what is `None` is not limited.
    PlanSet {
        /// Its name.
        name: String,
        /// Plaintext bytes of all versions together.
        space_bytes: Option<u64>,
        /// Plaintext bytes of one file.
        file_bytes: Option<u64>,
        /// Days until a file goes to the trash.
        keep_days: Option<u32>,
        /// Bytes through links in a day.
        link_bytes_per_day: Option<u64>,
        /// Bytes a second of all guests together.
        guest_bytes_per_s: Option<u64>,
    },
    /// Ends a plan.
    PlanEnd {
        /// Its name.
        name: String,
    },
    /// Takes away the second factor of somebody who lost it.
    AccountSecondOff {
        /// The account's name.
        name: String,
    },
    /// A new kit for an account; answers when its envelope is settled.
    KitMake {
        /// The account's name; the caller's own if absent.
        account: Option<String>,
        /// The public half of the kit's identity.
        recipient: String,
    },
    /// All kits of an account.
    KitList {
        /// The account's name; the caller's own if absent.
        account: Option<String>,
    },
    /// Ends a kit.
    KitRevoke {
        /// The account's name; the caller's own if absent.
        account: Option<String>,
        /// The kit's id.
        kit: String,
    },
    /// Notes that a kit was tested by its owner.
    KitTested {
        /// The account tag.
        account: String,
        /// The kit's id.
        kit: String,
    },
    /// State of providers, targets, files and jobs.
    Fleet,
    /// What would be left without some providers.
    WhatIf {
        /// Their names.
        providers: Vec<String>,
    },
    /// How the fleet stood, hour by hour.
    Trend {
        /// The first hour, as RFC 3339.
        since: String,
    },
    /// Reads what would be left without a provider.
    Drill {
        /// Its name.
        provider: String,
        /// How many packs, and copied objects; all if absent.
        sample: Option<u64>,
    },
    /// Reads and checks everything.
    Scrub,
    /// How all that the service rests on is.
    Doctor,
    /// Reads the configuration again and lets the fleet grow.
    Reload,
    /// Adds a provider, or changes its labels.
    ProviderAdd {
        /// Its name.
        name: String,
        /// Names and values; an empty value takes a label off.
        labels: Vec<(String, String)>,
    },
    /// Sets what a provider asks.
    ProviderPrice {
        /// Its name.
        name: String,
        /// Labels of prices; an empty value makes a price unknown.
        labels: Vec<(String, String)>,
    },
    /// Adds a target at a provider.
    TargetAdd {
        /// The provider's name.
        provider: String,
        /// Where it is.
        address: String,
        /// What logs in there.
        login: Secret,
    },
    /// Gives a target another login.
    TargetLogin {
        /// Where it is.
        address: String,
        /// What logs in there from now on.
        login: Secret,
    },
    /// Orders something of targets: to cordon, evacuate or retire them.
    Order(NewOrder),
    /// Which labels keep providers apart.
    ConstraintList,
    /// Makes a label a constraint, or none.
    ConstraintSet {
        /// The label.
        label: String,
        /// Which of both.
        holds: bool,
    },
    /// What is staged, and what it would do.
    StageShow,
    /// Stages changes of the fleet.
    StageAdd {
        /// The changes.
        changes: Vec<StagedChange>,
    },
    /// Makes all staged changes.
    StageApply {
        /// The number that was shown.
        number: u64,
    },
    /// Forgets what is staged.
    StageRevert,
    /// Looks at a target now.
    TargetProbe {
        /// Where it is.
        address: String,
    },
    /// The kinds of upkeep.
    JobList,
    /// Pauses a kind of upkeep, or lets it go on.
    JobPause {
        /// Its name.
        kind: String,
        /// Whether it is to wait.
        paused: bool,
    },
    /// Brings a configuration file's fleet in, once.
    FleetImport {
        /// The file, by its absolute path.
        file: std::path::PathBuf,
    },
    /// All leases.
    LeaseList,
    /// Adds a lease.
    LeaseAdd {
        /// What is said of it, as the HTTP interface takes it.
        wish: Value,
    },
    /// Changes what is known of a lease.
    LeaseSet {
        /// Its id.
        id: String,
        /// What is said of it, as the HTTP interface takes it.
        wish: Value,
    },
    /// Opens the desk of a lease.
    LeaseDesk {
        /// Its id.
        id: String,
        /// In whose files documents are kept.
        keeper: Option<String>,
    },
    /// Closes the desk of a lease.
    LeaseDeskClose {
        /// Its id.
        id: String,
    },
    /// Notices.
    NoticeList {
        /// Those alone that need a person or are in force.
        open: bool,
    },
    /// Enters a notice.
    NoticeEnter {
        /// What is said of it, as the HTTP interface takes it.
        said: Value,
    },
    /// Says what becomes of a notice.
    NoticeAct {
        /// Its id.
        id: String,
        /// `acknowledge`, `plan`, `done` or `release`.
        act: String,
    },
    /// Entries of the ledger.
    Ledger {
        /// Those behind this number.
        after: u64,
    },
    /// A signed checkpoint of the ledger.
    LedgerCheckpoint,
    /// The text of an operator's kit. Its secrets go over the control socket alone.
    OperatorKit,
}

/// Names and values of a login; not shown by accident.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub Vec<(String, String)>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Answers questions.
pub struct Operator {
    assembly: Arc<Assembly>,
    service: Service,
}

impl Operator {
    /// Over an open store.
    pub fn new(assembly: Arc<Assembly>, service: Service) -> Self {
        Self { assembly, service }
    }

    /// Answers one question.
    ///
    /// # Errors
    /// As the service says.
    pub async fn answer(&self, question: Question) -> Result<Value> {
        match question {
            Question::TokenCreate { account, scope, lifetime_s } => {
                let made = self.service.make_token(&account, scope.into(), lifetime_s).await?;
                Ok(json!(gateway::token_made(made, scope)))
            }
            Question::AccountInvite { operator, days } => {
                let role = if operator { Role::Operator } else { Role::User };
                let made = self.service.invite(&self.first().await?, role, u64::from(days) * DAY_S).await?;
                Ok(json!({ "code": made.text }))
            }
            Question::AccountReset { name } => {
                Ok(json!({ "code": self.service.reset_code(&self.first().await?, name).await?.text }))
            }
            Question::AccountList => Ok(json!(shape::people(self.service.people(&self.first().await?).await?))),
            Question::AccountSuspend { name, suspended } => {
                self.service.suspend(&self.nobody(), name, suspended).await?;
                Ok(json!({}))
            }
            Question::AccountLeaves { name, leaves } => {
                self.service.set_leaving(&self.nobody(), name, leaves).await?;
                Ok(json!({}))
            }
            Question::AccountQuota { name, bytes } => {
                self.service.set_quota(&self.nobody(), name, bytes).await?;
                Ok(json!({}))
            }
            Question::AccountPlan { name, plan } => {
                self.service.give_plan(&self.nobody(), name, plan).await?;
                Ok(json!({}))
            }
            Question::PlanList => Ok(json!(shape::plans(&self.service.plans(&self.nobody()).await?))),
            Question::PlanSet { name, space_bytes, file_bytes, keep_days, link_bytes_per_day, guest_bytes_per_s } => {
                let plan = PlanRow {
                    name,
                    space_bytes,
                    file_bytes,
                    keep_days,
                    link_bytes_per_day,
                    guest_bytes_per_s,
                    ended_us: None,
                };
                let (row, count) = self.service.set_plan(&self.nobody(), plan).await?;
                Ok(json!(shape::plan(&row, count)))
            }
            Question::PlanEnd { name } => {
                self.service.end_plan(&self.nobody(), name).await?;
                Ok(json!({}))
            }
            Question::AccountSecondOff { name } => {
                self.service.remove_second(&self.nobody(), name).await?;
                Ok(json!({}))
            }
            Question::KitMake { account, recipient } => {
                Ok(json!(shape::new_kit(self.service.add_kit(&self.caller(account).await?, recipient).await?)))
            }
            Question::KitList { account } => {
                Ok(json!(shape::kits(self.service.kits(&self.caller(account).await?).await?)))
            }
            Question::KitRevoke { account, kit } => {
                self.service.revoke_kit(&self.caller(account).await?, kit_id(&kit)?).await?;
                Ok(json!({}))
            }
            Question::KitTested { account, kit } => {
                let account =
                    AccountId::parse(&account).map_err(|error| Error::refused(format!("'{account}': {error}")))?;
                self.assembly.store.tested_kit(account, kit_id(&kit)?).await?;
                Ok(json!({}))
            }
            Question::Fleet => Ok(json!(shape::fleet(self.service.fleet().await?))),
            Question::WhatIf { providers } => {
                let report = self.service.what_if(&providers).await?;
                Ok(json!(shape::what_if(providers, report)))
            }
            Question::Trend { since } => {
                let (names, hours) = self.service.trend(crate::time::parse_rfc3339(&since)).await?;
                Ok(json!(shape::trend(&names, hours)))
            }
            Question::Doctor => Ok(json!(self.assembly.examine().await?)),
            Question::Drill { provider, sample } => {
                Ok(json!(shape::drilled(self.service.drill(&provider, sample).await?)))
            }
            Question::Scrub => Ok(json!(shape::scrub(&self.service.scrub().await?))),
            Question::Reload => Ok(json!({"opened": self.assembly.reload().await?})),
            Question::ProviderAdd { name, labels } => self.assembly.add_provider(&name, labels).await,
            Question::ProviderPrice { name, labels } => self.assembly.set_price(&name, labels).await,
            Question::TargetAdd { provider, address, login } => {
                self.assembly.add_target(&provider, &address, Login::new(login.0)).await
            }
            Question::TargetLogin { address, login } => self.assembly.set_login(&address, Login::new(login.0)).await,
            Question::Order(order) => {
                let (which, order) = order.read().map_err(Error::refused)?;
                Ok(json!(shape::ordered(self.service.order(&which, order).await?)))
            }
            Question::JobList => Ok(json!(shape::upkeep_jobs(self.service.jobs()))),
            Question::JobPause { kind, paused } => {
                Ok(json!(shape::upkeep_job(self.service.pause_job(&self.nobody(), &kind, paused).await?)))
            }
            Question::ConstraintList => Ok(json!(gateway::constraints(self.service.constraints()))),
            Question::ConstraintSet { label, holds } => {
                Ok(json!(gateway::constraints(self.service.set_constraint(&label, holds).await?)))
            }
            question @ (Question::StageShow
            | Question::StageAdd { .. }
            | Question::StageApply { .. }
            | Question::StageRevert) => self.of_stage(question).await,
            Question::TargetProbe { address } => Ok(json!(shape::target(self.service.probe_target(&address).await?))),
            Question::FleetImport { file } => Ok(json!({"opened": self.assembly.import(&file).await?})),
            question @ (Question::LeaseList
            | Question::LeaseAdd { .. }
            | Question::LeaseSet { .. }
            | Question::LeaseDesk { .. }
            | Question::LeaseDeskClose { .. }
            | Question::NoticeList { .. }
            | Question::NoticeEnter { .. }
            | Question::NoticeAct { .. }) => self.of_leases(question).await,
            Question::Ledger { after } => {
                Ok(json!(gateway::ledger_page(self.service.ledger(&self.nobody(), after).await?)))
            }
            Question::LedgerCheckpoint => {
                Ok(json!(gateway::ledger_checkpoint(self.service.checkpoint(&self.nobody()).await?)))
            }
            Question::OperatorKit => Ok(json!({"kit": self.assembly.operator_kit().await?.to_text()})),
        }
    }

    /// The operator at the machine, who invites in the name of the first account.
    async fn first(&self) -> Result<Caller> {
        let all = self.assembly.store.read(|tx| catalogue::accounts::all(tx)).await?;
        let first = all.into_iter().min_by_key(|row| (row.made_us, row.id)).ok_or(store::Error::NoAccount)?;
        Ok(Caller::at_the_machine(first.id))
    }

    /// The operator at the machine, who has no account of their own to lock out.
    fn nobody(&self) -> Caller {
        Caller::at_the_machine(AccountId::default())
    }

    /// The operator acting for an account. On a data folder nobody is "the caller": the account must be named.
    async fn caller(&self, account: Option<String>) -> Result<Caller> {
        let name = account.ok_or_else(|| Error::refused("whose kit? name the account with --account"))?;
        let found = self.assembly.store.read(move |tx| catalogue::accounts::by_name(tx, &name)).await?;
        Ok(Caller::at_the_machine(found.ok_or(store::Error::NoAccount)?.id))
    }
}

impl Machine for Operator {
    fn change(&self, change: Change) -> BoxFuture<'_, std::result::Result<Value, Refusal>> {
        let question = match change {
            Change::Provider { name, labels } => Question::ProviderAdd { name, labels },
            Change::Price { name, labels } => Question::ProviderPrice { name, labels },
            Change::Target { provider, address, login } => {
                Question::TargetAdd { provider, address, login: Secret(login) }
            }
            Change::Login { address, login } => Question::TargetLogin { address, login: Secret(login) },
        };
        Box::pin(async move {
            self.answer(question).await.map_err(|error| {
                let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                Refusal { class: error.class, message: format!("{}{hint}", error.message) }
            })
        })
    }
}

fn kit_id(text: &str) -> Result<KitId> {
    KitId::parse(text).map_err(|error| Error::refused(format!("'{text}' is not the id of a kit: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use gateway::ScopeWord;

    use super::Question;

    #[test]
    fn questions_read_back_and_strangers_are_refused() {
        for question in [
            Question::Fleet,
            Question::TokenCreate { account: "owner".to_owned(), scope: ScopeWord::Read, lifetime_s: None },
            Question::KitRevoke { account: None, kit: "0f".to_owned() },
        ] {
            let line = serde_json::to_string(&question).unwrap();
            assert_eq!(serde_json::from_str::<Question>(&line).unwrap(), question, "{line}");
        }
        assert_eq!(serde_json::from_str::<Question>(r#"{"verb":"fleet"}"#).unwrap(), Question::Fleet);
        assert!(serde_json::from_str::<Question>(r#"{"verb":"drop-all"}"#).is_err());
    }
}
