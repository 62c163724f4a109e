//! The decisions that promises rest on, asked from outside as the store asks them.

#![allow(clippy::unwrap_used)]

mod evacuate;
mod fill;
mod notices;
mod placement;
mod reclaim;
mod repair;
mod scale;
mod scrub;
mod world;
