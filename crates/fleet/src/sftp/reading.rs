//! Reads of exact ranges, many pieces under way at once. Two round trips, however long the range.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;

use super::{
    folders::Look,
    incoming::WINDOW_BYTES,
    place::{Lies, Place},
    session::{Asked, Opened, Session},
    wire::{Request, Status},
};
use crate::target::{Error, ObjectName, Result};

/// A piece of a range, asked for.
struct Piece {
    at: u64,
    bytes: u32,
    asked: Asked,
}

/// Returns exactly the bytes of `range`. In memory are the range and at most [`WINDOW_BYTES`] of it a second time.
pub(super) async fn read(place: &Place, name: &ObjectName, range: Range<u64>) -> Result<Bytes> {
    let connection = place.connection().await?;
    let session = connection.names();
    let path = place.path(name.as_str());
    let look = Look::at(place, session, name.as_str());
    // Opened in the same flight; if it turns out not to be wanted, it is closed unseen.
    let opening = (range.start < range.end).then(|| session.ask(Request::open(&path)));
    let missing = async || place.check_absence(session).await.and(Err(place.missing(name)));
    let bytes = match look.found(place, session).await? {
        Lies::Object(bytes) => bytes,
        Lies::Nothing => return missing().await,
        Lies::Other(what) => return Err(place.not_an_object(name.as_str(), what)),
    };
    if range.end > bytes {
        return Err(short(place, name, &range, bytes));
    }
    let Some(opening) = opening else { return Ok(Bytes::new()) };
    match opening.opened().await {
        Ok(opened) => fetch(place, session, &opened, name, range).await,
        Err(refusal) if refusal.is(Status::NO_SUCH_FILE) => missing().await,
        Err(refusal) => Err(place.failed(session, "open", refusal).await),
    }
}

fn short(place: &Place, name: &ObjectName, range: &Range<u64>, got: u64) -> Error {
    Error::Short { target: place.address.clone(), name: name.to_string(), expected: range.end, got }
}

async fn fetch(
    place: &Place,
    session: &Session,
    opened: &Opened,
    name: &ObjectName,
    range: Range<u64>,
) -> Result<Bytes> {
    let wanted =
        usize::try_from(range.end - range.start).map_err(|_| place.nonsense("read", "a range longer than memory"))?;
    let ask = |at: u64, bytes: u32| Piece { at, bytes, asked: session.ask(Request::read(opened.handle(), at, bytes)) };
    let mut pieces: VecDeque<Piece> = VecDeque::new();
    let mut next = range.start;
    let mut read = Vec::new();
    while read.len() < wanted {
        while next < range.end && next - range.start < (read.len() + WINDOW_BYTES) as u64 {
            let bytes = u64::from(session.read_bytes).min(range.end - next) as u32;
            pieces.push_back(ask(next, bytes));
            next += u64::from(bytes);
        }
        let Some(Piece { at, bytes, asked }) = pieces.pop_front() else { break };
        let data = match asked.data().await {
            Ok(data) => data,
            Err(refusal) if refusal.is(Status::EOF) => return Err(short(place, name, &range, at)),
            Err(refusal) => return Err(place.failed(session, "read", refusal).await),
        };
        if data.is_empty() || data.len() > bytes as usize {
            return Err(place.nonsense("read", "the server answered with another number of bytes than were asked for"));
        }
        if data.len() == wanted {
            return Ok(data);
        }
        // A server may answer with less than a piece; the rest of it is asked for again, before all others.
        let rest = bytes - data.len() as u32;
        if rest > 0 {
            pieces.push_front(ask(at + data.len() as u64, rest));
        }
        if read.is_empty() {
            read.reserve_exact(wanted);
        }
        read.extend_from_slice(&data);
    }
    Ok(Bytes::from(read))
}
