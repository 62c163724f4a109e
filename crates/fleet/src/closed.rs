//! A target that is known and cannot be opened, because its recorded address or login cannot be used.
//!
//! Every call says why and what to do: so one such record is a target that is *down* with a clear report, and no reason to
//! do without the others.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::target::{Abilities, DeleteTicket, Error, ObjectName, ObjectWriter, Page, Probe, Result, Target};

/// See the module.
pub struct Closed {
    address: String,
    reason: String,
}

impl Closed {
    /// A target at `address` that stays closed for this reason, which says what to do.
    pub fn new(address: String, reason: String) -> Self {
        Self { address, reason }
    }

    fn down(&self) -> Error {
        Error::Down { target: self.address.clone(), reason: self.reason.clone() }
    }
}

#[async_trait]
impl Target for Closed {
    fn address(&self) -> &str {
        &self.address
    }

    /// It promises nothing.
    fn abilities(&self) -> Abilities {
        Abilities {
            durable_rename: false,
            no_clobber: false,
            free_space: false,
            object_bytes_max: 0,
            ..Abilities::DISK
        }
    }

    async fn probe(&self) -> Result<Probe> {
        Err(self.down())
    }

    fn expect_marker(&self, _: Option<Bytes>) {}

    async fn write_marker(&self, _: Option<&Bytes>, _: Bytes) -> Result<()> {
        Err(self.down())
    }

    async fn create(&self, _: &ObjectName, _: u64) -> Result<Box<dyn ObjectWriter>> {
        Err(self.down())
    }

    async fn read(&self, _: &ObjectName, _: Range<u64>) -> Result<Bytes> {
        Err(self.down())
    }

    async fn stat(&self, _: &ObjectName) -> Result<Option<u64>> {
        Err(self.down())
    }

    async fn list(&self, _: &str, _: Option<&ObjectName>, _: usize) -> Result<Page> {
        Err(self.down())
    }

    async fn occupant(&self) -> Result<Option<String>> {
        Err(self.down())
    }

    async fn set_aside(&self, _: &ObjectName) -> Result<()> {
        Err(self.down())
    }

    async fn delete(&self, _: &DeleteTicket) -> Result<()> {
        Err(self.down())
    }

    async fn leave(&self, _: &Bytes, _: &[ObjectName]) -> Result<()> {
        Err(self.down())
    }
}
