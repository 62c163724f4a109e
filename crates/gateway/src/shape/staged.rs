//! Answers about staged changes: the list, and what it would do.

use serde::Serialize;
use service::{Effect, Side, StageLine, StageShown, Staged, Which};
use utoipa::ToSchema;

use super::Without;
use crate::api::{stage::StageVerb, word::Time};

/// What is staged.
#[derive(Serialize, ToSchema)]
pub struct Stage {
    /// What it is applied by: it grows with each change of the list, and of the fleet that it rests on.
    number: u64,
    changes: Vec<StageEntry>,
    /// What all of it would do; none: nothing is staged, something cannot be made, or it was not asked for.
    effect: Option<StageEffect>,
}

/// A staged change.
#[derive(Serialize, ToSchema)]
struct StageEntry {
    change: StagedShown,
    /// Whose it is; none: it was said at the machine.
    by: Option<String>,
    said: Time,
    /// Why it cannot be made as things are now: nothing is applied then.
    fault: Option<String>,
}

/// A staged change as it was said; what its verb has no use for is none.
#[derive(Serialize, ToSchema)]
struct StagedShown {
    verb: StageVerb,
    provider: Option<String>,
    server: Option<String>,
    target: Option<String>,
    label: Option<String>,
    value: Option<String>,
    by: Option<Time>,
    keep_shards: bool,
}

/// What staged changes would do.
#[derive(Serialize, ToSchema)]
struct StageEffect {
    before: StageSide,
    /// At the moment at which they are made; room and costs when all has moved.
    after: StageSide,
    firms: Vec<StageFirm>,
    /// What has to move until everything is settled: an upper bound, with what repair would do today anyway.
    moves: StageMoves,
}

/// How the fleet stands on one side.
#[derive(Serialize, ToSchema)]
struct StageSide {
    /// How many firms may go, whichever they are. None: something lacks bytes, or nothing is kept.
    margin: Option<usize>,
    /// Firms that take new shards; those that count as one are one.
    firms: usize,
    /// Providers that count as one, group by group.
    as_one: Vec<Vec<String>>,
    /// That a pack written then would get; none: nothing could be written.
    scheme: Option<String>,
    files_unreadable: u64,
    files_below_safe: u64,
    files_below_settled: u64,
    packs_below_safe: u64,
    packs_below_settled: u64,
    records_below_safe: u64,
    records_below_settled: u64,
    /// At targets that take new shards, as far as they say.
    free_bytes: u64,
    /// How many of them do not say.
    silent_targets: u64,
    /// Of storing, by currency. None: a price is not known.
    costs_month: Option<Vec<StageCost>>,
    /// Providers whose price is not known.
    unpriced: Vec<String>,
}

/// What storing costs a month in one currency.
#[derive(Serialize, ToSchema)]
struct StageCost {
    currency: Option<String>,
    month: String,
}

/// What the loss of a firm would do.
#[derive(Serialize, ToSchema)]
struct StageFirm {
    provider: String,
    before: Without,
    after: Without,
}

/// What has to move.
#[derive(Serialize, ToSchema)]
struct StageMoves {
    packs: u64,
    /// Copied objects (names, keys, journal).
    records: u64,
    read_bytes: u64,
    write_bytes: u64,
    /// Packs and copied objects that would stay below settled, for want of firms.
    stuck: u64,
}

/// What is staged, as it is sent.
pub fn stage(shown: StageShown) -> Stage {
    let entry = |line: StageLine| StageEntry {
        change: change(line.change),
        by: line.by,
        said: Time(line.said_us),
        fault: line.fault,
    };
    Stage {
        number: shown.number,
        changes: shown.changes.into_iter().map(entry).collect(),
        effect: shown.effect.map(effect),
    }
}

fn change(change: Staged) -> StagedShown {
    let none = |verb| StagedShown {
        verb,
        provider: None,
        server: None,
        target: None,
        label: None,
        value: None,
        by: None,
        keep_shards: false,
    };
    let at = |verb, which: Which| match which {
        Which::Provider(name) => StagedShown { provider: Some(name), ..none(verb) },
        Which::Target(address) => StagedShown { target: Some(address), ..none(verb) },
        Which::Server { name, provider } => StagedShown { server: Some(name), provider, ..none(verb) },
    };
    match change {
        Staged::Label { provider, label, value } => {
            StagedShown { provider: Some(provider), label: Some(label), value: Some(value), ..none(StageVerb::Label) }
        }
        Staged::Constraint { label, holds } => {
            let verb = if holds { StageVerb::Constrain } else { StageVerb::Unconstrain };
            StagedShown { label: Some(label), ..none(verb) }
        }
        Staged::Cordon { which, cordoned } => at(if cordoned { StageVerb::Cordon } else { StageVerb::Uncordon }, which),
        Staged::Evacuate { which, by_us } => StagedShown { by: Some(Time(by_us)), ..at(StageVerb::Evacuate, which) },
        Staged::Cancel { which } => at(StageVerb::Cancel, which),
        Staged::Retire { which, keeps_shards } => {
            StagedShown { keep_shards: keeps_shards, ..at(StageVerb::Retire, which) }
        }
    }
}

fn effect(effect: Effect) -> StageEffect {
    let firm = |firm: service::FirmEffect| StageFirm {
        provider: firm.name,
        before: firm.before.into(),
        after: firm.after.into(),
    };
    let moves = &effect.moves;
    StageEffect {
        moves: StageMoves {
            packs: moves.packs,
            records: moves.objects,
            read_bytes: moves.read_bytes(),
            write_bytes: moves.write_bytes(),
            stuck: moves.stuck,
        },
        before: side(effect.before),
        after: side(effect.after),
        firms: effect.firms.into_iter().map(firm).collect(),
    }
}

fn side(side: Side) -> StageSide {
    let (files, packs, records) = (side.counts.files, side.counts.packs, side.counts.records);
    let costs = side.costs.map(|costs| {
        costs.into_iter().map(|cost| StageCost { currency: cost.currency, month: cost.month.to_string() }).collect()
    });
    StageSide {
        margin: side.margin,
        firms: side.firms,
        as_one: side.groups,
        scheme: side.scheme.map(|scheme| scheme.to_string()),
        files_unreadable: files.unreadable,
        files_below_safe: files.below_safe,
        files_below_settled: files.below_settled,
        packs_below_safe: packs.below_safe,
        packs_below_settled: packs.below_settled,
        records_below_safe: records.below_safe,
        records_below_settled: records.below_settled,
        free_bytes: side.free_bytes,
        silent_targets: side.silent_targets,
        costs_month: costs,
        unpriced: side.unpriced,
    }
}
