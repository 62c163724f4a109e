//! Questions about staged changes.

use gateway::{StagedChange, shape::staged, stage_done};
use serde_json::{Value, json};

use super::{Operator, Question};
use crate::error::{Error, Result};

impl Operator {
    /// Answers one that is about what is staged.
    pub(super) async fn of_stage(&self, question: Question) -> Result<Value> {
        let (service, caller) = (&self.service, self.nobody());
        Ok(match question {
            Question::StageAdd { changes } => {
                let changes = changes.into_iter().map(StagedChange::read).collect::<std::result::Result<_, _>>();
                let shown = service.add_to_stage(&caller, changes.map_err(Error::refused)?).await?;
                json!(staged::stage(shown))
            }
            Question::StageApply { number } => json!(stage_done(service.apply_stage(&caller, number).await?)),
            Question::StageRevert => json!(stage_done(service.revert_stage(&caller).await?)),
            _ => json!(staged::stage(service.stage(&caller, true).await?)),
        })
    }
}
