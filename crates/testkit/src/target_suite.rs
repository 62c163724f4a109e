//! The rules of `fleet::target`, asserted on any driver.
//!
//! A driver is plugged in by one test that calls [`run`] with a way to make fresh places. Every rule gets a place of its own,
//! and the names of all broken rules are in the panic at the end. What a driver may do otherwise is told by its
//! `abilities`, nothing else.

mod listing;
mod markers;
mod objects;

use std::sync::Arc;

use bytes::Bytes;
use fleet::{ObjectName, Target};
use model::world::BoxFuture;

/// A fresh, empty target, whose marker has just been written.
pub struct Place {
    /// The target. It expects `marker`.
    pub target: Arc<dyn Target>,
    /// The marker that was written.
    pub marker: Bytes,
    /// Makes the whole place go away, as an unmounted disk or a bucket that was removed, behind the driver's back. Called
    /// at most once; dropping it may clean up.
    pub vanish: Box<dyn FnOnce() + Send>,
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;
type Rule = (&'static str, fn(Place) -> BoxFuture<'static, Outcome>);

/// Asserts every rule on a place that `make` makes.
///
/// # Panics
/// If a rule is broken; the message names each and says what was found.
pub async fn run(make: impl AsyncFn() -> Place) {
    let rules = [markers::RULES, objects::RULES, listing::RULES].concat();
    let mut broken = Vec::new();
    for (name, rule) in &rules {
        if let Err(found) = rule(make().await).await {
            broken.push(format!("  {name}: {found}"));
        }
    }
    assert!(broken.is_empty(), "{} of {} rules are broken:\n{}", broken.len(), rules.len(), broken.join("\n"));
}

/// Fails the rule, saying what was found, unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($found:tt)+) => {
        if !$holds {
            return Err(format!($($found)+).into());
        }
    };
}

/// Fails the rule unless the result matches the pattern.
macro_rules! ensure_matches {
    ($result:expr, $pattern:pat) => {
        match $result {
            $pattern => {}
            other => {
                let wanted = stringify!($pattern);
                return Err(format!("{} gave {:?}, not {wanted}", stringify!($result), other.map(|_| "Ok")).into());
            }
        }
    };
}

use {ensure, ensure_matches};

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).expect("the suite's own names are object names")
}

/// Bytes that differ from place to place, so that a shifted read shows.
fn pattern(bytes: usize) -> Bytes {
    (0..bytes).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

async fn names(target: &dyn Target, prefix: &str) -> fleet::Result<Vec<String>> {
    let page = target.list(prefix, None, usize::MAX).await?;
    Ok(page.objects.into_iter().map(|listed| listed.name.to_string()).collect())
}
