//! The one pool that every transfer draws its buffers from.
//!
//! A transfer asks for all it needs in one [`Pool::grant`] and waits holding nothing; so transfers cannot block each
//! other half-way, and memory stays bounded however many clients there are. Buffers of one size are kept for re-use:
//! touching fresh pages costs more than filling them.

use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one buffer: four frames, a quarter of a cell. Large enough that handing it to a target costs little, small
/// enough that 18 lanes with two each fit in a transfer's 16 MiB.
pub const BUFFER_BYTES: usize = 256 << 10;
/// Buffers kept when nobody uses them.
const KEPT_MAX: usize = 48;
const UNIT_BYTES: u64 = 16 << 10;

/// Grants and buffers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    units: Arc<Semaphore>,
    units_total: u64,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// The right to hold so many bytes; given back when dropped.
#[derive(Debug)]
pub struct Grant {
    permit: Option<OwnedSemaphorePermit>,
}

impl Grant {
    /// Gives back all but `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        if let Some(permit) = &mut self.permit {
            let keep = bytes.div_ceil(UNIT_BYTES) as usize;
            drop(permit.split(permit.num_permits().saturating_sub(keep)));
        }
    }
}

impl Pool {
    /// A pool of `bytes`.
    pub fn new(bytes: u64) -> Self {
        let units_total = (bytes / UNIT_BYTES).max(1);
        Self {
            units: Arc::new(Semaphore::new(units_total as usize)),
            units_total,
            kept: Arc::new(Mutex::new(Vec::new())),
        }
    }

    /// Waits, first come first served, for the right to hold `bytes` (at most the whole pool).
    pub async fn grant(&self, bytes: u64) -> Grant {
        let units = bytes.div_ceil(UNIT_BYTES).clamp(1, self.units_total) as u32;
        // The semaphore is never closed, so this cannot fail; without a permit the caller would merely be uncounted.
        Grant { permit: self.units.clone().acquire_many_owned(units).await.ok() }
    }

    /// The right to hold `bytes` more, if that leaves as much again for others: to be quicker, not to be able to.
    pub fn spare(&self, bytes: u64) -> Option<Grant> {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).ok()?;
        let permit = self.units.clone().try_acquire_many_owned(units).ok()?;
        let is_plenty = self.units.available_permits() >= units as usize;
        is_plenty.then_some(Grant { permit: Some(permit) })
    }

    /// Whether nobody holds anything: no transfer is under way.
    pub fn is_idle(&self) -> bool {
        self.units.available_permits() as u64 == self.units_total
    }

    /// A buffer with room for [`BUFFER_BYTES`]; its length and content are left over from its last use.
    pub fn buffer(&self) -> Vec<u8> {
        let kept = self.kept.lock().ok().and_then(|mut kept| kept.pop());
        kept.unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES))
    }

    /// Makes a filled buffer shareable; it comes back to the pool when the last reader is done.
    pub fn share(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { buffer, home: Arc::downgrade(&self.kept) })
    }

    /// Gives memory back that idle buffers hold.
    pub fn trim(&self) {
        if let Ok(mut kept) = self.kept.lock() {
            kept.clear();
        }
    }
}

struct Lent {
    buffer: Vec<u8>,
    home: Weak<Mutex<Vec<Vec<u8>>>>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.capacity() != BUFFER_BYTES {
            return;
        }
        if let Some(home) = self.home.upgrade()
            && let Ok(mut kept) = home.lock()
            && kept.len() < KEPT_MAX
        {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BUFFER_BYTES, Pool};

    #[tokio::test]
    async fn a_grant_waits_until_another_is_given_back() {
        let pool = Pool::new(1 << 20);
        let first = pool.grant(1 << 20).await;
        let second = pool.grant(16 << 10);
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        second.await;
    }

    #[tokio::test]
    async fn more_than_the_pool_is_granted_when_the_pool_is_free() {
        Pool::new(1 << 20).grant(1 << 30).await;
    }

    #[tokio::test]
    async fn what_is_spare_leaves_as_much_for_others_and_a_grant_shrinks() {
        let pool = Pool::new(4 << 20);
        let first = pool.spare(2 << 20);
        assert!(first.is_some());
        assert!(pool.spare(3 << 20).is_none() && pool.spare((1 << 20) + 1).is_none());
        let mut second = pool.grant(2 << 20).await;
        assert!(pool.spare(1).is_none());
        second.shrink_to(1 << 20);
        assert!(pool.spare(512 << 10).is_some());
        drop((first, second));
        assert!(pool.is_idle());
    }

    #[test]
    fn buffers_come_back() {
        let pool = Pool::new(1 << 20);
        let mut buffer = pool.buffer();
        buffer.extend_from_slice(b"x");
        let place = buffer.as_ptr();
        drop(pool.share(buffer));
        let again = pool.buffer();
        assert_eq!((again.as_ptr(), again.len(), again.capacity()), (place, 1, BUFFER_BYTES));
    }
}
