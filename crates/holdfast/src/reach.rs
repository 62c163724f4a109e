//! How a command reaches the service that it asks: by `--data`, over the control socket or by opening the store itself;
//! else over HTTP, by HOLDFAST_URL and HOLDFAST_TOKEN or by the user's login.

use std::{path::PathBuf, sync::Arc};

use hyper::Method;
use serde_json::{Value, json};
use service::Service;

use crate::{
    assemble,
    client::{api::Api, http::Outgoing, login::Login, path::encode},
    control,
    data::DataFolder,
    error::{Error, Result},
    operator::{Operator, Question},
};

/// Where the question goes.
#[derive(clap::Args)]
pub struct Reach {
    /// Data folder of a service on this machine, running or not; without it HOLDFAST_URL and HOLDFAST_TOKEN, or `holdfast
    /// login`, say which service.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Reach {
    /// Asks and answers.
    ///
    /// # Errors
    /// As the service says; Refused for what HTTP does not know.
    pub async fn ask(&self, question: Question) -> Result<Value> {
        match &self.data {
            Some(path) => on_data(DataFolder::at(path)?, question).await,
            None => over_http(&Api::from_environment()?, question).await,
        }
    }
}

/// Whether a service is known: by HOLDFAST_URL and HOLDFAST_TOKEN, or by a login.
pub fn is_named() -> bool {
    Login::find().is_ok()
}

/// Asks the service that holds a data folder, or opens its store for one question.
///
/// # Errors
/// As [`Reach::ask`].
pub async fn on_data(data: DataFolder, question: Question) -> Result<Value> {
    if let Some(answer) = control::ask(data.root(), &question).await? {
        return Ok(answer);
    }
    let held = data.hold(false)?;
    let assembly = Arc::new(assemble::open(data, held, None, false).await?);
    let operator = Operator::new(Arc::clone(&assembly), Service::new(assembly.store.clone()));
    let answer = operator.answer(question).await;
    assembly.store.stop().await;
    answer
}

async fn over_http(api: &Api, question: Question) -> Result<Value> {
    let get = |path: String| async move { api.json(Method::GET, &path, None).await };
    // A token has one account; the service refuses to be asked about another one.
    let whose = |account: Option<String>| account.map_or(String::new(), |name| format!("?account={}", encode(&name)));
    match question {
        Question::Fleet => get("/api/v1/fleet".to_owned()).await,
        Question::WhatIf { providers } => {
            let names: Vec<_> = providers.iter().map(|name| format!("provider={}", encode(name))).collect();
            get(format!("/api/v1/fleet/what-if?{}", names.join("&"))).await
        }
        Question::Trend { since } => get(format!("/api/v1/fleet/trend?since={}", encode(&since))).await,
        Question::Drill { provider, sample } => {
            let body = json!({ "provider": provider, "sample": sample });
            api.json(Method::POST, "/api/v1/fleet/drills", Some(&body)).await
        }
        Question::JobList => get("/api/v1/fleet/jobs".to_owned()).await,
        Question::JobPause { kind, paused } => {
            let body = json!({ "kind": kind, "act": if paused { "pause" } else { "resume" } });
            api.json(Method::POST, "/api/v1/fleet/jobs", Some(&body)).await
        }
        Question::Scrub => api.json(Method::POST, "/api/v1/fleet/scrub?wait=true", None).await,
        Question::KitMake { account, recipient } => {
            let path = format!("/api/v1/kits{}", whose(account));
            api.json(Method::POST, &path, Some(&json!({"recipient": recipient}))).await
        }
        Question::KitList { account } => get(format!("/api/v1/kits{}", whose(account))).await,
        Question::KitRevoke { account, kit } => {
            let request = api.request(Method::DELETE, &format!("/api/v1/kits/{}{}", encode(&kit), whose(account)));
            api.send_all(request, Outgoing::empty()).await.map(|_| json!({}))
        }
        Question::KitTested { kit, .. } => {
            let request = api.request(Method::POST, &format!("/api/v1/kits/{}/tested", encode(&kit)));
            api.send_all(request, Outgoing::empty()).await.map(|_| json!({}))
        }
        Question::AccountInvite { operator, days } => {
            let body = json!({ "role": if operator { "operator" } else { "user" }, "days": days });
            api.json(Method::POST, "/api/v1/invitations", Some(&body)).await
        }
        Question::AccountReset { name } => {
            api.json(Method::POST, &format!("/api/v1/accounts/{}/reset", encode(&name)), None).await
        }
        Question::AccountList => get("/api/v1/accounts".to_owned()).await,
        Question::AccountSuspend { name, suspended } => {
            let request = api.request(Method::PATCH, &format!("/api/v1/accounts/{}", encode(&name)));
            let body = json!({ "suspended": suspended }).to_string();
            api.send_all(request, Outgoing::bytes(body.into(), None)).await.map(|_| json!({}))
        }
        Question::AccountLeaves { name, leaves } => {
            let request = api.request(Method::PATCH, &format!("/api/v1/accounts/{}", encode(&name)));
            let body = json!({ "leaves": leaves }).to_string();
            api.send_all(request, Outgoing::bytes(body.into(), None)).await.map(|_| json!({}))
        }
        Question::AccountQuota { name, bytes } => {
            let request = api.request(Method::PATCH, &format!("/api/v1/accounts/{}", encode(&name)));
            let body = json!({ "quota_bytes": bytes }).to_string();
            api.send_all(request, Outgoing::bytes(body.into(), None)).await.map(|_| json!({}))
        }
        Question::AccountPlan { name, plan } => {
            let request = api.request(Method::PATCH, &format!("/api/v1/accounts/{}", encode(&name)));
            let body = json!({ "plan": plan }).to_string();
            api.send_all(request, Outgoing::bytes(body.into(), None)).await.map(|_| json!({}))
        }
        Question::PlanList => get("/api/v1/plans".to_owned()).await,
        Question::PlanSet { name, space_bytes, file_bytes, keep_days, link_bytes_per_day, guest_bytes_per_s } => {
            let body = json!({
                "space_bytes": space_bytes,
                "file_bytes": file_bytes,
                "keep_days": keep_days,
                "link_bytes_per_day": link_bytes_per_day,
                "guest_bytes_per_s": guest_bytes_per_s,
            });
            api.json(Method::PUT, &format!("/api/v1/plans/{}", encode(&name)), Some(&body)).await
        }
        Question::PlanEnd { name } => {
            let request = api.request(Method::DELETE, &format!("/api/v1/plans/{}", encode(&name)));
            api.send_all(request, Outgoing::empty()).await.map(|_| json!({}))
        }
        Question::AccountSecondOff { name } => {
            let path = format!("/api/v1/accounts/{}/second-factor", encode(&name));
            api.send_all(api.request(Method::DELETE, &path), Outgoing::empty()).await.map(|_| json!({}))
        }
        Question::ProviderAdd { name, labels } => {
            api.json(Method::POST, "/api/v1/fleet/providers", Some(&json!({ "name": name, "labels": map(labels) })))
                .await
        }
        Question::ProviderPrice { name, labels } => {
            api.json(Method::POST, "/api/v1/fleet/prices", Some(&json!({ "provider": name, "labels": map(labels) })))
                .await
        }
        Question::TargetAdd { provider, address, login } => {
            let body = json!({ "provider": provider, "address": address, "login": map(login.0) });
            api.json(Method::POST, "/api/v1/fleet/targets", Some(&body)).await
        }
        Question::TargetLogin { address, login } => {
            let body = json!({ "address": address, "login": map(login.0) });
            api.json(Method::POST, "/api/v1/fleet/logins", Some(&body)).await
        }
        Question::LeaseList => get("/api/v1/leases".to_owned()).await,
        Question::LeaseAdd { wish } => api.json(Method::POST, "/api/v1/leases", Some(&wish)).await,
        Question::LeaseSet { id, wish } => {
            let request = api.request(Method::PATCH, &format!("/api/v1/leases/{}", encode(&id)));
            api.send_all(request, Outgoing::bytes(wish.to_string().into(), None)).await.map(|_| json!({}))
        }
        Question::LeaseDesk { id, keeper } => {
            let body = json!({ "keeper": keeper });
            api.json(Method::POST, &format!("/api/v1/leases/{}/desk", encode(&id)), Some(&body)).await
        }
        Question::LeaseDeskClose { id } => {
            let request = api.request(Method::DELETE, &format!("/api/v1/leases/{}/desk", encode(&id)));
            api.send_all(request, Outgoing::empty()).await.map(|_| json!({}))
        }
        Question::NoticeList { open } => get(format!("/api/v1/notices?open={open}")).await,
        Question::NoticeEnter { said } => api.json(Method::POST, "/api/v1/notices", Some(&said)).await,
        Question::NoticeAct { id, act } => {
            let request = api.request(Method::POST, &format!("/api/v1/notices/{}", encode(&id)));
            let body = json!({ "act": act }).to_string();
            api.send_all(request, Outgoing::bytes(body.into(), None)).await.map(|_| json!({}))
        }
        Question::Order(order) => api.json(Method::POST, "/api/v1/fleet/orders", Some(&json!(order))).await,
        Question::ConstraintList => get("/api/v1/fleet/constraints".to_owned()).await,
        Question::ConstraintSet { label, holds } => {
            let body = json!({ "label": label, "holds": holds });
            api.json(Method::POST, "/api/v1/fleet/constraints", Some(&body)).await
        }
        Question::StageShow => get("/api/v1/fleet/stage".to_owned()).await,
        Question::StageAdd { changes } => {
            api.json(Method::POST, "/api/v1/fleet/stage", Some(&json!({ "changes": changes }))).await
        }
        Question::StageApply { number } => {
            api.json(Method::POST, "/api/v1/fleet/stage/apply", Some(&json!({ "number": number }))).await
        }
        Question::StageRevert => api.json(Method::DELETE, "/api/v1/fleet/stage", None).await,
        Question::TargetProbe { address } => {
            api.json(Method::POST, "/api/v1/fleet/probes", Some(&json!({ "address": address }))).await
        }
        Question::Ledger { after } => get(format!("/api/v1/ledger?after={after}")).await,
        Question::LedgerCheckpoint => get("/api/v1/ledger/checkpoint".to_owned()).await,
        Question::TokenCreate { .. }
        | Question::Reload
        | Question::Doctor
        | Question::FleetImport { .. }
        | Question::OperatorKit => {
            Err(Error::refused("this needs --data DIR: it is done on the service's own machine"))
        }
    }
}

fn map(pairs: Vec<(String, String)>) -> Value {
    pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect::<serde_json::Map<_, _>>().into()
}
