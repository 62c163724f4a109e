//! As much of CBOR as authenticators write, read strictly: definite lengths, shortest forms, no key twice, nothing nested
//! deep. Nothing is copied but the lists of items, whose memory the input bounds: an item takes a byte at least.
//!
//! Source: RFC 8949; CTAP 2.1 section 8, "message encoding".

/// How deep maps and arrays lie in each other at most.
const DEPTH_MAX: usize = 4;

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A whole number.
    Int(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// UTF-8.
    Text(&'a str),
    /// Items in a row.
    Array(Vec<Item<'a>>),
    /// Pairs; no key is there twice.
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// false, true or null.
    Simple(u8),
}

impl<'a> Item<'a> {
    /// What a map says under a name.
    pub fn named(&self, name: &'static str) -> Option<&Item<'a>> {
        self.under(&Item::Text(name))
    }

    /// What a map says under a number.
    pub fn numbered(&self, number: i64) -> Option<&Item<'a>> {
        self.under(&Item::Int(number))
    }

    fn under(&self, key: &Item<'a>) -> Option<&Item<'a>> {
        let Item::Map(pairs) = self else { return None };
        pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Bytes.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        if let Item::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// A number.
    pub fn int(&self) -> Option<i64> {
        if let Item::Int(number) = self { Some(*number) } else { None }
    }
}

/// Reads one item that is all there is; `None` if `bytes` is anything else.
pub fn whole(bytes: &[u8]) -> Option<Item<'_>> {
    let (item, rest) = first(bytes)?;
    rest.is_empty().then_some(item)
}

/// Reads the item that `bytes` begins with, and what comes after it.
pub fn first(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let mut rest = bytes;
    let item = take(&mut rest, DEPTH_MAX)?;
    Some((item, rest))
}

fn take<'a>(rest: &mut &'a [u8], depth: usize) -> Option<Item<'a>> {
    let (major, number) = head(rest)?;
    Some(match major {
        0 => Item::Int(i64::try_from(number).ok()?),
        1 => Item::Int(-1 - i64::try_from(number).ok()?),
        2 => Item::Bytes(run(rest, number)?),
        3 => Item::Text(std::str::from_utf8(run(rest, number)?).ok()?),
        4 => {
            let mut items = Vec::new();
            for _ in 0..number {
                items.push(take(rest, depth.checked_sub(1)?)?);
            }
            Item::Array(items)
        }
        5 => {
            let mut pairs: Vec<(Item<'a>, Item<'a>)> = Vec::new();
            for _ in 0..number {
                let key = take(rest, depth.checked_sub(1)?)?;
                // Keys are few; a map with thousands is nobody's.
                if pairs.len() >= 64 || pairs.iter().any(|(known, _)| *known == key) {
                    return None;
                }
                pairs.push((key, take(rest, depth.checked_sub(1)?)?));
            }
            Item::Map(pairs)
        }
        7 if (20..=22).contains(&number) => Item::Simple(u8::try_from(number).ok()?),
        _ => return None,
    })
}

/// An item's kind and its number, in the shortest form there is.
fn head(rest: &mut &[u8]) -> Option<(u8, u64)> {
    let first = *run(rest, 1)?.first()?;
    let (major, short) = (first >> 5, first & 31);
    let width = match short {
        0..=23 => return Some((major, u64::from(short))),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        // 31 is a length without end; 28 to 30 mean nothing.
        _ => return None,
    };
    let number = run(rest, width)?.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let least = match width {
        1 => 24,
        width => 1_u64 << (4 * width),
    };
    // A number of two bytes is 256 or more, one of four 65,536, one of eight 2^32.
    (number >= least && major != 7).then_some((major, number))
}

fn run<'a>(rest: &mut &'a [u8], count: u64) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(usize::try_from(count).ok()?)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Item, first, whole};

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    /// Source: RFC 8949, appendix A.
    #[test]
    fn vectors_of_the_rfc() {
        for (text, number) in [
            ("00", 0),
            ("17", 23),
            ("1818", 24),
            ("1903e8", 1_000),
            ("1a000f4240", 1_000_000),
            ("1b000000e8d4a51000", 1_000_000_000_000),
            ("20", -1),
            ("3903e7", -1_000),
        ] {
            assert_eq!(whole(&hex(text)), Some(Item::Int(number)), "{text}");
        }
        assert_eq!(whole(&hex("4401020304")), Some(Item::Bytes(&[1, 2, 3, 4])));
        assert_eq!(whole(&hex("6449455446")), Some(Item::Text("IETF")));
        assert_eq!(whole(&hex("83010203")), Some(Item::Array(vec![Item::Int(1), Item::Int(2), Item::Int(3)])));
        let bytes = hex("a26161016162820203");
        let map = whole(&bytes).unwrap();
        assert_eq!(map.named("a"), Some(&Item::Int(1)));
        assert_eq!(map.named("b"), Some(&Item::Array(vec![Item::Int(2), Item::Int(3)])));
        assert_eq!(first(&hex("f500")), Some((Item::Simple(21), &[0_u8][..])));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "",           // nothing
            "1817",       // 23 in two bytes
            "1900ff",     // 255 in three
            "1a0000ffff", // and in five
            "1b00000000ffffffff",
            "5f42010243030405ff", // a length without end
            "bf6161019fff",       // the same of a map
            "fb3ff0000000000000", // a fraction
            "f8ff",               // a simple value in two bytes
            "c000",               // a tag
            "a2616101616102",     // a key twice
            "8181818181",         // cut short
            "81818181818100",     // nested deep
            "5bffffffffffffffff", // longer than there is
            "9bffffffffffffffff",
            "1bffffffffffffffff", // larger than we count
            "61ff",               // no UTF-8
            "0000",               // two items
        ] {
            assert_eq!(whole(&hex(text)), None, "{text}");
        }
    }

    /// Whatever comes, it is read or refused; and what is read is written in one way only.
    #[test]
    fn any_bytes_are_read_or_refused_and_cut_ones_never_read() {
        let sound = hex("a363666d74646e6f6e656761747453746d74a068617574684461746144010203f5");
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap()
        };
        for round in 0..20_000 {
            let mut bytes = sound.clone();
            for _ in 0..=round % 3 {
                let at = next() % bytes.len();
                bytes[at] = u8::try_from(next() % 256).unwrap();
            }
            if let Some((_, rest)) = first(&bytes) {
                let read = bytes.len() - rest.len();
                assert!((0..read).all(|end| whole(&bytes[..end]).is_none()), "{bytes:02x?}");
            }
        }
        assert!(whole(&sound).is_some());
    }
}
