//! What a firm was asked for, as it would write it on a bill.
//!
//! Firms bill requests by kind, what is fetched from them by the byte, and what is sent to them seldom. Drivers that speak HTTP
//! count each request where it leaves for the server ([`Counter`]), so parts of a long object, looks at the marker and second
//! tries are in it. For the other drivers the [meter](crate::meter) counts calls. Counting is a few additions to numbers that all
//! threads share; nothing is decided by it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Kinds of requests that firms tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Writes, copies, renames, and the begin and end of an upload in parts.
    Put,
    /// One part of a long object.
    Part,
    /// Reads.
    Get,
    /// Questions about one object.
    Head,
    /// Listings.
    List,
    /// Removals. Most firms ask nothing for them.
    Delete,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 6] = [Self::Put, Self::Part, Self::Get, Self::Head, Self::List, Self::Delete];

    /// The word for reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Part => "part",
            Self::Get => "get",
            Self::Head => "head",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }

    /// The kind of a request of S3 or WebDAV; `path` with its query.
    pub(crate) fn of_http(method: &str, path: &str) -> Self {
        let asks_for = |name: &str| {
            let query = path.split_once('?').map_or("", |(_, query)| query);
            query.split('&').any(|pair| pair.split('=').next() == Some(name))
        };
        match method {
            "HEAD" => Self::Head,
            "DELETE" => Self::Delete,
            "PROPFIND" => Self::List,
            "GET" if asks_for("list-type") => Self::List,
            "GET" => Self::Get,
            "PUT" if asks_for("partNumber") => Self::Part,
            _ => Self::Put,
        }
    }
}

/// Requests and bytes, seen from the firm: what went *in* was sent to it, what came *out* was fetched from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests, in the order of [`Kind::ALL`].
    pub requests: [u64; 6],
    /// Bytes of content that were sent there.
    pub in_bytes: u64,
    /// Bytes of content that came from there.
    pub out_bytes: u64,
}

impl Traffic {
    /// Requests of one kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.requests[kind as usize]
    }

    /// Requests of all kinds.
    pub fn total(&self) -> u64 {
        self.requests.iter().sum()
    }

    /// What was added since `before`. A driver that was opened anew counts from nothing again: then all of it.
    pub fn since(&self, before: &Self) -> Self {
        let pairs = || self.numbers().into_iter().zip(before.numbers());
        if pairs().any(|(now, then)| now < then) {
            return *self;
        }
        let mut more = *self;
        more.requests.iter_mut().zip(before.requests).for_each(|(count, before)| *count -= before);
        more.in_bytes -= before.in_bytes;
        more.out_bytes -= before.out_bytes;
        more
    }

    /// Adds `more` to it.
    pub fn add(&mut self, more: &Self) {
        self.requests.iter_mut().zip(more.requests).for_each(|(count, more)| *count = count.saturating_add(more));
        self.in_bytes = self.in_bytes.saturating_add(more.in_bytes);
        self.out_bytes = self.out_bytes.saturating_add(more.out_bytes);
    }

    fn numbers(&self) -> [u64; 8] {
        let [put, part, get, head, list, delete] = self.requests;
        [put, part, get, head, list, delete, self.in_bytes, self.out_bytes]
    }
}

/// Where a driver counts. Clones are one counter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<Counts>);

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    counter: &'a Counter,
    kind: Kind,
    has_left: bool,
}

impl Asking<'_> {
    /// Nothing of it has left after all.
    pub(crate) fn never_left(&mut self) {
        self.has_left = false;
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.has_left {
            self.counter.0.requests[self.kind as usize].fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    requests: [AtomicU64; 6],
    in_bytes: AtomicU64,
    out_bytes: AtomicU64,
}

impl Counter {
    /// A request that leaves now. It is counted when this is dropped, however it ends: a count that went up and down again
    /// would look as if counting had begun anew ([`Traffic::since`]).
    pub(crate) fn asking(&self, kind: Kind) -> Asking<'_> {
        Asking { counter: self, kind, has_left: true }
    }

    /// Bytes were sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.0.in_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes came back.
    pub(crate) fn received(&self, bytes: usize) {
        self.0.out_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The counts so far.
    pub(crate) fn read(&self) -> Traffic {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic {
            requests: Kind::ALL.map(|kind| read(&self.0.requests[kind as usize])),
            in_bytes: read(&self.0.in_bytes),
            out_bytes: read(&self.0.out_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Traffic};

    #[test]
    fn requests_are_of_the_kind_that_is_billed() {
        for (method, path, kind) in [
            ("PUT", "/shards/a", Kind::Put),
            ("PUT", "/shards/a?partNumber=2&uploadId=partNumber", Kind::Part),
            ("POST", "/shards/a?uploads=", Kind::Put),
            ("POST", "/shards/a?uploadId=x", Kind::Put),
            ("GET", "/shards/list-type=2", Kind::Get),
            ("GET", "/shards?list-type=2&prefix=", Kind::List),
            ("GET", "/shards?object-lock=", Kind::Get),
            ("HEAD", "/shards/a", Kind::Head),
            ("DELETE", "/shards/a?uploadId=x", Kind::Delete),
            ("PROPFIND", "/a/", Kind::List),
            ("MOVE", "/a", Kind::Put),
            ("MKCOL", "/a/", Kind::Put),
        ] {
            assert_eq!(Kind::of_http(method, path), kind, "{method} {path}");
        }
    }

    #[test]
    fn what_was_added_is_a_difference_unless_counting_began_anew() {
        let of = |puts, out_bytes| Traffic { requests: [puts, 0, 1, 0, 0, 0], in_bytes: 0, out_bytes };
        let more = of(7, 50).since(&of(3, 20));
        assert_eq!((more.of(Kind::Put), more.of(Kind::Get), more.out_bytes, more.total()), (4, 0, 30, 4));
        assert_eq!(of(2, 500).since(&of(3, 20)), of(2, 500));
        let mut sum = of(1, 2);
        sum.add(&of(10, 20));
        assert_eq!((sum.of(Kind::Put), sum.of(Kind::Get), sum.out_bytes), (11, 2, 22));
    }
}
