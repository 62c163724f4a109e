//! What a marker permits. One answer for every driver, so that none is more trusting than the others.

mod watch;

use bytes::Bytes;

pub(crate) use watch::Watch;

use crate::target::{Error, Listed, Result};

/// Whether things may be changed at a target where `found` is the marker and `expected` the one that should be there.
pub(crate) fn permits_change(target: &str, expected: Option<&Bytes>, found: Option<&Bytes>) -> Result<()> {
    let reason = match (expected, found) {
        (Some(expected), Some(found)) if expected == found => return Ok(()),
        (None, _) => "it is open for reading only: no marker is expected there, so nothing may be changed",
        (Some(_), Some(_)) => "its marker is not the expected one: it belongs to another service or to another time",
        (Some(_), None) => {
            "its marker is missing, so it may be wiped or not mounted; it is not taken for an empty target"
        }
    };
    Err(down(target, reason))
}

/// Whether "there is no such object" may be believed. Who expects no marker reads what there is and believes it.
pub(crate) fn permits_absence(target: &str, expected: Option<&Bytes>, found: Option<&Bytes>) -> Result<()> {
    if expected.is_none() { Ok(()) } else { permits_change(target, expected, found) }
}

/// Whether a new marker may be written where `found` is and the caller believes in `present`.
pub(crate) fn permits_replacing(
    target: &str,
    present: Option<&Bytes>,
    found: Option<&Bytes>,
    empty: bool,
) -> Result<()> {
    let reason = match (present, found) {
        (Some(present), Some(found)) if present == found => return Ok(()),
        (None, None) if empty => return Ok(()),
        (None, None) => "it holds objects but no marker: whose they are must be settled by a person before it is used",
        (None, Some(_)) => "it has a marker already: it belongs to a service and is not taken over",
        (Some(_), Some(_)) => "its marker changed meanwhile: another service may be using it",
        (Some(_), None) => {
            "its marker is missing, so it may be wiped or not mounted; it is not taken for an empty target"
        }
    };
    Err(down(target, reason))
}

/// Whether a place may be given back where `found` is the marker, `ours` the one it was taken with, and `object` one that is there.
pub(crate) fn permits_leaving(
    target: &str,
    ours: &Bytes,
    found: Option<&Bytes>,
    object: Option<&Listed>,
) -> Result<()> {
    permits_change(target, Some(ours), found)?;
    match object {
        None => Ok(()),
        Some(object) => Err(down(target, &format!("it still holds {}, so its marker stays", object.name))),
    }
}

fn down(target: &str, reason: &str) -> Error {
    Error::Down { target: target.to_owned(), reason: reason.to_owned() }
}
