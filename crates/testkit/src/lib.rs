//! What tests of several crates share. Imported by tests and the simulator only.
//!
//! - [`target_suite`]: the rules of `fleet::target`, asserted on any driver;
//! - [`world`]: clock, timer and chance that a test controls;
//! - [`scratch`]: a folder that goes away with the test;
//! - [`server`]: servers of other makers, started and ended by the test; [`servers`]: how each is set up;
//! - [`authenticator`]: a device that keeps passkeys;
//! - [`answerer`]: a server that says what the test tells it to; [`proxy`]: a network that is slow, cut, stalled or wrong.

pub mod answerer;
pub mod authenticator;
pub mod proxy;
pub mod scratch;
pub mod server;
pub mod servers;
pub mod target_suite;
pub mod world;
