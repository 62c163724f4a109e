//! Request headers read into values, and values written as headers. Pure: bytes in, meaning out.
//!
//! A header that breaks its grammar is refused where the request would change something or depends on it, and ignored
//! where RFC 9110 says so (`Range`).

pub mod date;
pub mod digest;
pub mod etag;
pub mod percent;
pub mod range;
