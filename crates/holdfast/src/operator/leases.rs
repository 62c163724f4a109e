//! Questions of leases and notices.

use model::id::{LeaseId, NoticeId};
use serde_json::{Value, json};

use super::{Operator, Question};
use crate::error::{Error, Result};

impl Operator {
    /// Answers one of them.
    pub(super) async fn of_leases(&self, question: Question) -> Result<Value> {
        let caller = self.nobody();
        match question {
            Question::LeaseList => Ok(json!(gateway::leases(self.service.leases(&caller).await?))),
            Question::LeaseAdd { wish } => {
                let (provider, wish) = gateway::lease_wish(wish).map_err(Error::refused)?;
                let id = self.service.add_lease(&caller, provider.unwrap_or_default(), wish).await?;
                Ok(json!(gateway::lease_made(id)))
            }
            Question::LeaseSet { id, wish } => {
                let (_, wish) = gateway::lease_wish(wish).map_err(Error::refused)?;
                self.service.set_lease(&caller, lease_id(&id)?, wish).await?;
                Ok(json!({}))
            }
            Question::LeaseDesk { id, keeper } => {
                let id = lease_id(&id)?;
                Ok(json!(gateway::desk_made(id, self.service.open_desk(&caller, id, keeper).await?)))
            }
            Question::LeaseDeskClose { id } => {
                self.service.close_desk(&caller, lease_id(&id)?).await?;
                Ok(json!({}))
            }
            Question::NoticeList { open } => Ok(json!(gateway::notices(self.service.notices(&caller, open).await?))),
            Question::NoticeEnter { said } => {
                let entered = gateway::notice_entered(said).map_err(Error::refused)?;
                Ok(json!({ "id": self.service.enter_notice(&caller, entered).await?.to_string() }))
            }
            Question::NoticeAct { id, act } => {
                let id = NoticeId::parse(&id).map_err(|error| Error::refused(format!("'{id}': {error}")))?;
                let act =
                    gateway::notice_act(&act).ok_or_else(|| Error::refused(format!("nobody can '{act}' a notice")))?;
                self.service.act_on_notice(&caller, id, act).await?;
                Ok(json!({}))
            }
            _ => Err(Error::refused("this is no question of leases")),
        }
    }
}

fn lease_id(text: &str) -> Result<LeaseId> {
    LeaseId::parse(text).map_err(|error| Error::refused(format!("'{text}' is not the id of a lease: {error}")))
}
