//! What `holdfast provider` and `holdfast target` have in common: to leave a firm, one of its servers or targets, and to say
//! how far that is.

use gateway::{NewOrder, OrderWord, StageVerb, StagedChange};
use serde_json::Value;

use super::{
    fleet::{bytes, each, text},
    stage::{self, Later},
};
use crate::{
    client::batch::line,
    error::{Error, Result},
    operator::Question,
    reach::Reach,
    time,
};

/// Moves everything away by a date; nothing is deleted. A forecast says whether the date is met, and a certificate when all is
/// proven to stand without it.
#[derive(clap::Args)]
pub struct Evacuate {
    /// By when: 2026-12-01, or 2026-12-01T18:00:00Z.
    #[arg(long, value_name = "DATE", required_unless_present_any = ["pause", "resume", "cancel"])]
    by: Option<String>,
    /// Holds it.
    #[arg(long, conflicts_with_all = ["by", "resume", "cancel"])]
    pause: bool,
    /// Lets it go on.
    #[arg(long, conflicts_with_all = ["by", "cancel"])]
    resume: bool,
    /// Takes it back.
    #[arg(long, conflicts_with = "by")]
    cancel: bool,
    #[command(flatten)]
    later: Later,
    #[command(flatten)]
    reach: Reach,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Deletes what lies there and forgets it, after it was evacuated: shards leave the records, and go after the grace and within the
/// budget of all deletions.
#[derive(clap::Args)]
pub struct Retire {
    /// Forgets it, and deletes nothing there.
    #[arg(long)]
    keep_shards: bool,
    /// It will never answer again: what lay there is made anew without it. Asks for its name once more.
    #[arg(long, conflicts_with = "keep_shards")]
    lost: bool,
    /// The name once more, for --lost.
    #[arg(long, value_name = "NAME", requires = "lost")]
    confirm: Option<String>,
    #[command(flatten)]
    later: Later,
    #[command(flatten)]
    reach: Reach,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Whom an order is about.
pub enum Whom {
    /// All targets of a provider, by its name.
    Provider(String),
    /// One target, by its address.
    Target(String),
    /// All targets on a server of a provider.
    Server {
        /// What its firm calls it.
        name: String,
        /// The firm's name.
        provider: String,
    },
}

impl Whom {
    /// A provider, or one server of it.
    pub fn at(provider: String, server: Option<String>) -> Self {
        match server {
            Some(name) => Self::Server { name, provider },
            None => Self::Provider(provider),
        }
    }

    fn name(&self) -> &str {
        let (Self::Provider(name) | Self::Target(name) | Self::Server { name, .. }) = self;
        name
    }

    fn order(&self, order: OrderWord) -> NewOrder {
        let (provider, target, server) = match self {
            Self::Provider(name) => (Some(name.clone()), None, None),
            Self::Target(address) => (None, Some(address.clone()), None),
            Self::Server { name, provider } => (Some(provider.clone()), None, Some(name.clone())),
        };
        NewOrder { provider, target, server, order, by: None, keep_shards: false, confirm: None }
    }
}

/// Gives a simple order.
///
/// # Errors
/// As the service says.
pub async fn order(whom: &Whom, order: OrderWord, later: Later, reach: &Reach, json: bool) -> Result<()> {
    give(whom.order(order), later, reach, json).await
}

/// Orders an evacuation, or changes one.
///
/// # Errors
/// Refused: the date is none. As the service says.
pub async fn evacuate(whom: &Whom, args: Evacuate) -> Result<()> {
    let word = match (args.pause, args.resume, args.cancel) {
        (true, ..) => OrderWord::Pause,
        (_, true, _) => OrderWord::Resume,
        (_, _, true) => OrderWord::Cancel,
        _ => OrderWord::Evacuate,
    };
    let by = args.by.as_deref().map(date).transpose()?;
    give(NewOrder { by, ..whom.order(word) }, args.later, &args.reach, args.json).await
}

/// Orders the end of a target or provider.
///
/// # Errors
/// As the service says.
pub async fn retire(whom: &Whom, args: Retire) -> Result<()> {
    let order = if args.lost {
        NewOrder { confirm: args.confirm, ..whom.order(OrderWord::GiveUp) }
    } else {
        NewOrder { keep_shards: args.keep_shards, ..whom.order(OrderWord::Retire) }
    };
    let result = give(order, args.later, &args.reach, args.json).await;
    match result {
        Err(error) if args.lost && error.message.contains("repeat the name") => {
            Err(error.hint(format!("--confirm '{}'", whom.name())))
        }
        other => other,
    }
}

/// A day begins at midnight, UTC.
fn date(text: &str) -> Result<String> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    match time::parse_rfc3339(&whole) {
        Some(us) => Ok(time::rfc3339(us)),
        None => Err(Error::refused(format!("'{text}' is no date")).hint("write 2026-12-01, or 2026-12-01T18:00:00Z")),
    }
}

async fn give(order: NewOrder, later: Later, reach: &Reach, json: bool) -> Result<()> {
    if later.stage {
        return stage::add(vec![staged(order)?], reach, json).await;
    }
    let answer = reach.ask(Question::Order(order)).await?;
    if json {
        line(&answer.to_string());
    } else {
        each(&answer["targets"]).flat_map(target).for_each(|said| line(&said));
    }
    Ok(())
}

/// An order as a change that is staged.
fn staged(order: NewOrder) -> Result<StagedChange> {
    let verb = match order.order {
        OrderWord::Cordon => StageVerb::Cordon,
        OrderWord::Uncordon => StageVerb::Uncordon,
        OrderWord::Evacuate => StageVerb::Evacuate,
        OrderWord::Cancel => StageVerb::Cancel,
        OrderWord::Retire => StageVerb::Retire,
        OrderWord::Pause | OrderWord::Resume | OrderWord::GiveUp => {
            return Err(Error::refused("--pause, --resume and --lost are for now: they are not staged"));
        }
    };
    let NewOrder { provider, target, server, by, keep_shards, .. } = order;
    Ok(StagedChange { verb, provider, server, target, by, keep_shards, ..StagedChange::default() })
}

/// How a target stands, for people.
pub fn target(target: &Value) -> Vec<String> {
    let flag = |name: &str| target[name] == Value::Bool(true);
    let orders = match (flag("retiring"), target["evacuation"]["state"].as_str(), flag("cordoned")) {
        (true, ..) => ", being retired".to_owned(),
        (_, Some(state), _) => format!(", {state}"),
        (_, _, true) => ", cordoned".to_owned(),
        _ => String::new(),
    };
    let note = text(&target["note"]);
    let note = if note.is_empty() { note } else { format!("  ({note})") };
    let mut lines = vec![format!("{}  {}{orders}{note}", text(&target["address"]), text(&target["state"]))];
    lines.extend(evacuation(&target["evacuation"]));
    if target["evacuation"]["state"] == "evacuated" && !flag("retiring") && target["state"] != "retired" {
        lines.push("  it may be retired now".to_owned());
    }
    lines
}

/// How far an evacuation is, for people.
pub fn evacuation(order: &Value) -> Vec<String> {
    if order.is_null() {
        return Vec::new();
    }
    let when = |time: &Value| time.as_str().and_then(time::parse_rfc3339).map(time::minute).unwrap_or_default();
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    if !order["certificate"].is_null() {
        let proof = &order["certificate"];
        return vec![format!(
            "  evacuated, certified {}: {} packs read back, {} read lately and listed; {} and {} names and keys",
            when(&proof["at"]),
            number(&proof["packs_read"]),
            number(&proof["packs_listed"]),
            number(&proof["objects_read"]),
            number(&proof["objects_listed"])
        )];
    }
    let mut lines = vec![format!("  by {}: {}", when(&order["by"]), ahead(order))];
    if let Some(late_s) = order["late_s"].as_u64().filter(|late_s| *late_s > 0) {
        lines.push(format!("  the date will be missed by {}", time::span(late_s)));
        lines.extend(help(&order["help"]));
    }
    lines.extend(order["unproven"].as_str().map(|why| format!("  {why}")));
    lines
}

fn ahead(order: &Value) -> String {
    let Some(packs) = order["packs_left"].as_u64() else {
        return if order["state"] == "paused" { "held".to_owned() } else { "not looked at yet".to_owned() };
    };
    let left = order["bytes_left"].as_u64().unwrap_or(0);
    let objects = text(&order["objects_left"]);
    let eta = order["eta_s"].as_u64().map_or_else(|| "no telling yet how long".to_owned(), time::span);
    format!("{packs} packs, {objects} names and keys, {} to read, write and read back, {eta}", bytes(left))
}

fn help(help: &Value) -> Vec<String> {
    let budget_of = help["budget_of"].as_str();
    let times = |percent: u64| format!("{}.{:02} times", percent / 100, percent % 100);
    let mut lines = vec![match (help["bandwidth_percent"].as_u64(), budget_of) {
        (Some(percent), Some(firm)) => format!(
            "    the bytes a second that upkeep may move at {firm} are what holds it: {} as many would do (holdfast provider \
             budget)",
            times(percent)
        ),
        (Some(percent), None) => format!("    {} the bandwidth would do", times(percent)),
        (None, Some(firm)) => {
            format!("    the date is over; the budget of {firm} is what holds it (holdfast provider budget)")
        }
        (None, None) => "    no bandwidth would do: the date is over".to_owned(),
    }];
    if let Some(seconds) = help["rebuilding_s"].as_u64() {
        let span = time::span(seconds);
        lines.push(format!("    a part is made from the other firms at the same time: {span} if they are as fast"));
    }
    let span = time::span(help["safe_s"].as_u64().unwrap_or(0));
    lines.push(format!("    everything is safe without it, if not settled, in {span}"));
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::{date, evacuation};

    #[test]
    fn a_date_is_a_day_or_a_moment() {
        assert_eq!(date("2026-12-01").unwrap(), "2026-12-01T00:00:00Z");
        assert_eq!(date("2026-12-01T18:00:00Z").unwrap(), "2026-12-01T18:00:00Z");
        for bad in ["", "soon", "2026-13-01", "01.12.2026"] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missed_date_is_said_with_what_could_help() {
        let order = json!({
            "state": "evacuating", "by": "2026-12-01T00:00:00Z", "packs_left": 12, "objects_left": 3,
            "bytes_left": 5_000_000, "eta_s": 7_200, "late_s": 3_600, "unproven": null, "certificate": null,
            "help": { "bandwidth_percent": 205, "rebuilding_s": 3_000, "safe_s": 60 },
        });
        let said = evacuation(&order).join("\n");
        for part in ["12 packs", "missed by", "2.05 times the bandwidth", "from the other firms", "safe without it"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let mut held = order;
        held["help"]["budget_of"] = json!("dav");
        let said = evacuation(&held).join("\n");
        assert!(said.contains("may move at dav are what holds it: 2.05 times as many would do"), "{said}");
        assert!(evacuation(&serde_json::Value::Null).is_empty());
    }
}
