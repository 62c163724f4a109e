//! What `holdfast doctor` finds: one line for each thing that a service rests on, how it is, and what to do.
//!
//! What lies in files is looked at by the command itself, so that it answers where a service cannot start; the rest is asked of the
//! running service, or of the store that the command opens.

use std::{path::Path, time::Duration};

use format::Marker;
use futures_util::{StreamExt, stream};
use model::fleet::{TargetRow, TargetState};
use serde::{Deserialize, Serialize};

use crate::{
    assemble::Assembly,
    command::serve::shell,
    error::Result,
    time::{minute, span},
};

/// For a look at one target: its own limits are shorter, but it may be tried again.
const LOOK: Duration = Duration::from_secs(30);
/// Targets looked at at once.
const AT_ONCE: usize = 16;
/// Less room than this at a target is told.
const ROOM_BYTES_MIN: u64 = 20 << 30;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, and should be seen to.
    Warn,
    /// Does not do what is promised, or soon will not.
    Bad,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub said: String,
    /// What to do about it; none where nothing needs doing.
    pub todo: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(what: &str, said: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Ok, said: said.into(), todo: None }
    }

    /// It should be seen to.
    pub fn warn(what: &str, said: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Warn, said: said.into(), todo: Some(todo.into()) }
    }

    /// It is not as it has to be.
    pub fn bad(what: &str, said: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state: State::Bad, said: said.into(), todo: Some(todo.into()) }
    }
}

impl Assembly {
    /// Looks at what only an open store can tell: clocks, targets with their logins and markers, what is kept, kits.
    ///
    /// # Errors
    /// The catalogue's own trouble.
    pub async fn examine(&self) -> Result<Vec<Finding>> {
        let report = self.store.fleet_report().await?;
        let data = format!(" --data {}", shell(self.data.root()));
        let mut found = vec![if self.store.clocks_agree() {
            Finding::ok("clocks", "wall clock and monotonic clock agree since the start")
        } else {
            let todo = "set the machine's clock (chrony or systemd-timesyncd); nothing is destroyed until they agree";
            Finding::bad("clocks", "wall clock and monotonic clock disagree", todo)
        }];
        found.extend(self.examine_targets().await?);
        found.push(kept(&report));
        for said in &report.findings {
            found.push(Finding::warn("upkeep", said.clone(), "it is tried again by itself; see the log if it stays"));
        }
        found.push(match report.kits_untested {
            0 => Finding::ok("kits", "every kit was tested, or there is none"),
            count => {
                let todo = "their owners try them: `holdfast kit test FILE`";
                Finding::warn("kits", format!("{count} kits were never tested"), todo)
            }
        });
        let todo = format!("print a new one: holdfast kit make --operator --out FILE{data}");
        found.push(match (report.operator_kit.made_us, report.operator_kit.is_current) {
            (None, _) => Finding::warn("operator's kit", "none was made since the catalogue began", todo),
            (Some(made_us), true) => {
                Finding::ok("operator's kit", format!("made {}, holds the fleet of today", minute(made_us)))
            }
            (Some(made_us), false) => {
                let said = format!("made {}; targets or logins changed since", minute(made_us));
                Finding::warn("operator's kit", said, todo)
            }
        });
        Ok(found)
    }

    /// Asks every target for its marker: that it answers, takes its login, is ours, and has room.
    async fn examine_targets(&self) -> Result<Vec<Finding>> {
        let rows = self.store.read(|tx| catalogue::fleet::targets(tx)).await?;
        let given_up = |row: &TargetRow| matches!(row.state, TargetState::Lost | TargetState::Retired);
        let looks = rows.into_iter().filter(|row| !given_up(row)).map(|row| self.examine_target(row));
        let looks: Vec<_> = looks.collect();
        Ok(stream::iter(looks).buffered(AT_ONCE).collect().await)
    }

    async fn examine_target(&self, row: TargetRow) -> Finding {
        let what = format!("target {}", row.address);
        let Some(driver) = self.store.roster().get(row.id) else {
            let todo = "it is recorded and not in the configuration: put it back, or see `holdfast fleet`";
            return Finding::bad(&what, "it is not open", todo);
        };
        let probe = match tokio::time::timeout(LOOK, driver.probe()).await {
            Ok(Ok(probe)) => probe,
            Ok(Err(error)) => {
                let todo = format!(
                    "ask the firm; if its login changed: holdfast target login {} --data {}",
                    shell(Path::new(&row.address)),
                    shell(self.data.root())
                );
                return Finding::bad(&what, error.to_string(), todo);
            }
            Err(_) => {
                let said = format!("it did not answer within {}", span(LOOK.as_secs()));
                return Finding::bad(&what, said, "ask the firm; everything goes on without it meanwhile");
            }
        };
        let Some(marker) = probe.marker.map(|bytes| Marker::decode(&bytes)) else {
            let todo = "do not make one: it may be a disk that is not mounted. If the firm wiped it, repair goes on without it";
            return Finding::bad(&what, "it answers and holds no marker", todo);
        };
        match marker {
            Ok(marker) if marker.cluster == self.store.cluster() && marker.target == row.id => {}
            Ok(_) => return Finding::bad(&what, "its marker is another's", "something else lies at this address now"),
            Err(error) => return Finding::bad(&what, format!("its marker cannot be read: {error}"), "ask the firm"),
        }
        match probe.free_bytes {
            Some(free) if free < ROOM_BYTES_MIN => {
                let said = format!("answers as ours; {} MB are free", free / 1_000_000);
                Finding::warn(&what, said, "rent more room there, or add a target: holdfast target add")
            }
            Some(free) => Finding::ok(&what, format!("answers as ours; {} GB are free", free / 1_000_000_000)),
            None => Finding::ok(&what, "answers as ours"),
        }
    }
}

fn kept(report: &store::FleetReport) -> Finding {
    let counts = format!(
        "{} files unreadable, {} below safe, {} below settled; records: {} below safe",
        report.files_unreadable, report.files_below_safe, report.files_below_settled, report.records_below_safe
    );
    if report.files_unreadable + report.files_below_safe + report.records_below_safe > 0 {
        return Finding::bad(
            "what is kept",
            counts,
            "bring back firms that are down; `holdfast fleet` says what repair does",
        );
    }
    if report.files_below_settled > 0 {
        return Finding::warn("what is kept", counts, "repair goes on by itself; see that there are firms with room");
    }
    if report.trial {
        let todo = "for more than a trial, add firms: holdfast provider add, holdfast target add";
        return Finding::warn("what is kept", "everything is settled, on one disk: it does not survive that", todo);
    }
    Finding::ok("what is kept", "everything is settled")
}
