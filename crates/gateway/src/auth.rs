//! Who calls: the bearer token of a request, before anything else of it is looked at.
//!
//! Source: RFC 6750 section 2.1. Tokens in queries or forms are not taken: they end up in logs.

use hyper::{HeaderMap, header::AUTHORIZATION};
use service::{Caller, Service};

use crate::error::Problem;

/// The caller that the request's token stands for.
///
/// # Errors
/// 401 without exactly one bearer token, or with one that is unknown or expired.
pub async fn caller(service: &Service, headers: &HeaderMap) -> Result<Caller, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Problem::no_token()) };
    let value = value.to_str().map_err(|_| Problem::no_token())?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(service.authenticate(token.trim()).await?)
        }
        _ => Err(Problem::no_token()),
    }
}
