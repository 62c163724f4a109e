//! Strays: objects at our targets that this service did not write. They are reported and left alone.
//!
//! A copied object under a well-formed name is never taken for one: a record of another life may be in it. A shard is one if
//! no record, intent or decision knows its pack.

use catalogue::{doomed, intents, packs};
use format::{
    FORMAT_MD_NAME,
    name::{parse_address_book_name, parse_envelope_name, parse_journal_name, parse_shard_name},
    snapshot::parse_snapshot_name,
};
use model::{fleet::TargetState, id::TargetId};

use crate::{Inner, error::Result};

/// Names of strays that a report spells out for a target.
const NAMED: usize = 3;

impl Inner {
    /// Lists every target that is up; what is strange there, for people.
    ///
    /// # Errors
    /// The catalogue's own trouble. Whoever does not list now is passed over.
    pub(crate) async fn strays(&self) -> Result<Option<String>> {
        let mut said = Vec::new();
        for live in self.fleet.all().into_iter().filter(|live| live.state == TargetState::Up) {
            let (Ok(driver), target) = (self.driver(live.row.id), live.row.id) else { continue };
            let (mut count, mut named, mut after) = (0, Vec::new(), None);
            while let Ok(page) = driver.list("", after.as_ref(), 500).await {
                let names: Vec<String> = page.objects.iter().map(|listed| listed.name.to_string()).collect();
                after = page.objects.last().map(|listed| listed.name.clone());
                let strays = self.catalogue.read(move |tx| among(tx, target, names)).await?;
                count += strays.len();
                named.extend(strays.into_iter().take(NAMED - named.len()));
                if !page.more {
                    break;
                }
            }
            if count > 0 {
                said.push(format!("{count} at {} ({})", live.row.address, named.join(", ")));
            }
        }
        let all = said.join("; ");
        Ok((!all.is_empty()).then(|| format!("strays: {all}; this service did not write them, and leaves them alone")))
    }
}

fn among(tx: &mut catalogue::Tx<'_>, target: TargetId, names: Vec<String>) -> catalogue::Result<Vec<String>> {
    let mut strays = Vec::new();
    for name in names {
        if is_stray(tx, target, &name)? {
            strays.push(name);
        }
    }
    Ok(strays)
}

fn is_stray(tx: &catalogue::Tx<'_>, target: TargetId, name: &str) -> catalogue::Result<bool> {
    if let Some(shard) = parse_shard_name(name) {
        let known = packs::view(tx, shard.pack)?.is_some()
            || packs::gone(tx, shard.pack)?.is_some()
            || intents::is_open(tx, shard.pack)?
            || doomed::is_doomed(tx, target, name)?;
        return Ok(!known);
    }
    let ours = name == FORMAT_MD_NAME
        || parse_journal_name(name).is_some()
        || parse_envelope_name(name).is_some()
        || parse_address_book_name(name).is_some()
        || parse_snapshot_name(name).is_some();
    Ok(!ours)
}
