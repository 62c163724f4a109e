//! Why something cannot be planned, and what a person can do about it.

use std::fmt;

use model::{Class, Scheme, fleet::TargetState};

use crate::{scheme::Aim, view::Topology};

/// What keeps providers from taking a new shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Shortage {
    /// Providers with a target that takes a shard now.
    pub open: usize,
    /// Providers none of whose targets is up.
    pub away: usize,
    /// Providers with targets up, but all of them cordoned or leaving.
    pub cordoned: usize,
    /// Providers with targets up and not cordoned, but without room for one shard.
    pub full: usize,
}

impl Shortage {
    /// Counts every provider of `topology` once, by its best target; lost and retired targets are nobody's.
    pub fn of(topology: &Topology, bytes: u64) -> Self {
        let mut best = std::collections::BTreeMap::new();
        for target in topology.targets() {
            let rank = match target.state {
                TargetState::Lost | TargetState::Retired => continue,
                TargetState::Down | TargetState::Suspect => 3,
                TargetState::Up if target.cordoned || target.leaving => 2,
                TargetState::Up if !target.takes(bytes) => 1,
                TargetState::Up => 0,
            };
            let known = best.entry(target.provider).or_insert(rank);
            *known = rank.min(*known);
        }
        let count = |rank: u8| best.values().filter(|known| **known == rank).count();
        Self { open: count(0), away: count(3), cordoned: count(2), full: count(1) }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open, away, cordoned, full } = self;
        write!(f, "{open} of {} providers take shards now", open + away + cordoned + full)?;
        for (count, why) in [(away, "down or suspect"), (cordoned, "cordoned or leaving"), (full, "out of room")] {
            if *count > 0 {
                write!(f, ", {count} {why}")?;
            }
        }
        Ok(())
    }
}

/// Why something cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No two providers can be used: nothing can be made safe.
    #[error(
        "nothing is safe with fewer than two providers ({shortage}); what is stored stays readable where it was; \
         bring targets of a second provider up, or add one"
    )]
    TooFewProviders {
        /// Who could take shards, and why the others cannot.
        shortage: Shortage,
    },
    /// The providers that are there have too little room, or hold too much of this pack, for any number of lanes to do.
    #[error(
        "{k} data lanes cannot be made {aim} with at most {lanes_max} lanes of {bytes} bytes ({shortage}); \
         what is stored stays as it is; add room or targets at the providers that hold least"
    )]
    Unplaceable {
        /// Data lanes.
        k: u8,
        /// What was to be reached.
        aim: Aim,
        /// The most lanes that could be used.
        lanes_max: usize,
        /// Bytes of one lane.
        bytes: u64,
        /// Who could take shards, and why the others cannot.
        shortage: Shortage,
    },
    /// So many data lanes need more than 32 lanes in all.
    #[error(
        "{k} data lanes need more than {lanes_max} lanes to be {aim} on {providers} providers; \
         choose a scheme with fewer data lanes, or add a provider",
        lanes_max = Scheme::LANES_MAX
    )]
    TooManyLanes {
        /// Data lanes.
        k: u8,
        /// What was to be reached.
        aim: Aim,
        /// Providers that are there.
        providers: usize,
    },
    /// Without the targets that are to be left too few providers would remain.
    #[error(
        "without it {left} of the two providers that there must be at least would be left: what is acknowledged has to \
         survive the loss of any one; nothing was changed; add a provider and a target there first"
    )]
    LastProviders {
        /// Providers that would be left: 0 or 1. Those with one owner are one.
        left: usize,
    },
    /// With firms grouped so, too few would be left.
    #[error(
        "{} would be one firm then, and {left} of the two that there must be at least would be left: what is acknowledged \
         has to survive the loss of any one; nothing was changed; add a firm that shares this with none of them, or \
         correct their labels",
        said(groups)
    )]
    TooFewGroups {
        /// Firms that would be left: 0 or 1.
        left: usize,
        /// Which providers would count as one, by name.
        groups: Vec<Vec<String>>,
    },
    /// The scheme does not reach its aim on so many providers.
    #[error("{scheme} is not {aim} on {providers} providers; choose one of: {offered}")]
    NotOffered {
        /// What was asked for.
        scheme: Scheme,
        /// What it should reach.
        aim: Aim,
        /// Providers that are there.
        providers: usize,
        /// What can be had, most recommended first.
        offered: String,
    },
    /// A text is not the name of a scheme.
    #[error("`{text}` is no scheme; write `default`, `4+2` or `economy 5+1`")]
    BadSchemeName {
        /// What was read.
        text: String,
    },
}

/// The names of a group, and of each other one.
fn said(groups: &[Vec<String>]) -> String {
    let one = |group: &Vec<String>| match group.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    };
    groups.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// What a reader of the error can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::TooFewProviders { shortage } | Self::Unplaceable { shortage, .. } => {
                if shortage.away > 0 {
                    Class::Retry
                } else if shortage.full > 0 || matches!(self, Self::Unplaceable { .. }) {
                    Class::Exhausted
                } else {
                    Class::Refused
                }
            }
            Self::TooManyLanes { .. }
            | Self::LastProviders { .. }
            | Self::TooFewGroups { .. }
            | Self::NotOffered { .. }
            | Self::BadSchemeName { .. } => Class::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{
        Class,
        fleet::TargetState,
        id::{ProviderId, TargetId},
    };

    use super::{Error, Shortage};
    use crate::view::{TargetView, Topology};

    #[test]
    fn says_who_is_missing_and_why() {
        let mut targets: Vec<_> = (0..5).map(|i| TargetView::up(TargetId([i; 16]), ProviderId([i; 16]))).collect();
        targets[1].state = TargetState::Down;
        targets[2].cordoned = true;
        targets[3].free_bytes = Some(9);
        targets[4].state = TargetState::Retired;
        let shortage = Shortage::of(&Topology::new(targets), 10);
        assert_eq!(shortage, Shortage { open: 1, away: 1, cordoned: 1, full: 1 });
        let error = Error::TooFewProviders { shortage };
        assert_eq!(error.class(), Class::Retry);
        assert!(
            error
                .to_string()
                .contains("1 of 4 providers take shards now, 1 down or suspect, 1 cordoned or leaving, 1 out of room")
        );
    }
}
