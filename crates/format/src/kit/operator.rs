//! The operator's kit: what brings a whole service back on an empty machine.
//!
//! It holds the service identity, which opens the cluster and every managed account, and for each target its address and
//! the login that its firm gave. So it is worth everything that the service is worth, and it ages: a target or a login that
//! came later is not in it. The users' kits never hold logins.

use model::id::{ClusterId, TargetId};

use super::{Line, checked_lines, escape, one, page, unescape, value};
use crate::{
    FORMAT_VERSION,
    envelope::Identity,
    error::{Error, Result},
};

const FIRST: &str = "holdfast-operator-kit";
const TARGET: &str = "target";
const LOGIN: &str = "login";

/// What an operator's kit holds.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorKit {
    /// The cluster.
    pub cluster: ClusterId,
    /// The service identity: the secret.
    pub identity: Identity,
    /// All targets of its day.
    pub targets: Vec<OperatorTarget>,
    /// When it was made, microseconds since 1970.
    pub made_us: i64,
}

/// A target and how to log in there.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorTarget {
    /// Its id.
    pub target: TargetId,
    /// The provider's name.
    pub provider: String,
    /// Which driver speaks to it.
    pub driver: String,
    /// Where it is, as the driver reads it.
    pub address: String,
    /// Names and values that its driver wants; none for a folder.
    pub login: Vec<(String, String)>,
}

impl std::fmt::Debug for OperatorKit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OperatorKit of {} with {} targets", self.cluster, self.targets.len())
    }
}

impl std::fmt::Debug for OperatorTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OperatorTarget {} ({} at {})", self.target, self.provider, self.address)
    }
}

impl OperatorKit {
    /// The page.
    pub fn to_text(&self) -> String {
        let mut lines = vec![
            format!("{FIRST}: {FORMAT_VERSION}"),
            format!("cluster: {}", self.cluster),
            format!("made: {}", self.made_us),
            format!("identity: {}", self.identity.secret()),
        ];
        for target in &self.targets {
            let words = [&target.provider, &target.driver, &target.address].map(|word| escape(word)).join(" | ");
            lines.push(format!("{TARGET}: {} | {words}", target.target));
            for (name, value) in &target.login {
                lines.push(format!("{LOGIN}: {} | {}", escape(name), escape(value)));
            }
        }
        page(PAGE, self.made_us, lines)
    }

    /// Reads a page, as [`super::Kit::parse`] does. A login belongs to the target above it.
    ///
    /// # Errors
    /// Refused: it is no operator's kit, or one of a newer format. Damaged: a line was mistyped, is missing or doubled.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = checked_lines(text, FIRST)?;
        let mut targets: Vec<OperatorTarget> = Vec::new();
        for line in &lines {
            match (line.key.as_str(), targets.last_mut()) {
                (TARGET, _) => targets.push(target(line)?),
                (LOGIN, Some(target)) => target.login.push(login(line)?),
                (LOGIN, None) => return Err(line.damaged("a target above it".to_owned())),
                _ => {}
            }
        }
        Ok(Self {
            cluster: value(&lines, "cluster", |text| ClusterId::parse(text).ok())?,
            identity: Identity::parse(&one(&lines, "identity")?.value)?,
            targets,
            made_us: value(&lines, "made", |text| text.parse().ok())?,
        })
    }
}

fn words<const N: usize>(line: &Line, what: &str) -> Result<[String; N]> {
    let words: Option<Vec<String>> = line.value.split('|').map(|word| unescape(word.trim())).collect();
    words.and_then(|words| words.try_into().ok()).ok_or_else(|| hidden(line, what))
}

/// As `Line::damaged`, without what was written: it may be a secret.
fn hidden(line: &Line, expected: &str) -> Error {
    let got = "something else".to_owned();
    Error::KitLine { line: line.number, field: line.key.clone(), expected: expected.to_owned(), got }
}

fn target(line: &Line) -> Result<OperatorTarget> {
    let what = "id | provider | driver | address";
    let [id, provider, driver, address] = words(line, what)?;
    let target = TargetId::parse(&id).map_err(|_| hidden(line, what))?;
    Ok(OperatorTarget { target, provider, driver, address, login: Vec::new() })
}

fn login(line: &Line) -> Result<(String, String)> {
    let [name, value] = words(line, "name | value")?;
    Ok((name, value))
}

/// What people read.
const PAGE: &str = "\
HOLDFAST OPERATOR'S KIT, made on {date}

This page brings the whole service back on an empty machine: every account, name and file. Whoever holds it can read all that
the service can read, and log in at every firm. Keep it off all machines of the service and of the firms: one copy in a safe,
one with somebody who would go on in your place. Make it anew whenever a target or a login changes; `holdfast fleet` says when
it is older than the fleet.

What to do: on any machine, get the program holdfast, save this page as a file named operator-kit.txt, and run

    holdfast rebuild --data new-data --kit operator-kit.txt
    holdfast serve --data new-data

One firm may be gone meanwhile. If more cannot be reached, the command says so and asks for their names.

If you type the lines below from paper: each ends in # and a check, so that a slip is found and named. Keep upper and
lower case as they are.

";
