//! How the firm goes in the middle of the work: another process wipes its folders, or it is fenced off.

use super::{
    Play, WIPE_BEGINS_MS,
    firms::{LEASEWEB, Stage},
    given::Given,
};
use crate::error::Result;

impl Play {
    /// Takes the firm away while people send; what is still held back is sent once it has begun.
    pub(super) async fn strike(&self, stage: &Stage) -> Result<()> {
        let (all, before) = (self.traffic.files.len(), self.traffic.count().files);
        let gone = match &self.given {
            Some(given) => {
                self.fence_off(given).await?;
                format!("nobody reaches {} any more", given.lost)
            }
            None => {
                self.wipe_folders(stage).await?;
                format!("nothing is left of {LEASEWEB}")
            }
        };
        let meanwhile = self.traffic.count().files - before;
        self.timeline.tell(&format!("{gone}; {meanwhile} files were acknowledged meanwhile"));
        while !self.traffic.is_through(all) {
            stage.pause(20).await;
        }
        Ok(())
    }

    async fn wipe_folders(&self, stage: &Stage) -> Result<()> {
        let servers = stage.servers_of(LEASEWEB);
        let wiping = stage.begin_wipe(LEASEWEB)?;
        self.timeline.tell(&format!("{LEASEWEB} wipes its {servers} servers: process {}", wiping.id()));
        // Some files are sent while it wipes, the rest once the first servers are gone.
        for _ in 0..WIPE_BEGINS_MS {
            if stage.servers_of(LEASEWEB) < servers {
                break;
            }
            stage.pause(1).await;
        }
        self.traffic.let_go(self.traffic.files.len());
        stage.end_wipe(LEASEWEB, wiping).await
    }

    async fn fence_off(&self, given: &Given) -> Result<()> {
        given.fence_off();
        self.timeline.tell(&format!("{} is fenced off: nothing asks it any more", given.lost));
        self.traffic.let_go(self.traffic.files.len());
        if self.wipe {
            let deleted = given.wipe().await?;
            self.timeline.tell(&format!("{deleted} objects that this play wrote at {} are deleted there", given.lost));
        }
        Ok(())
    }
}
