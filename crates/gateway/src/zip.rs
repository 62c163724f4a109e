//! A zip whose every byte is known before the first is sent: stored, not compressed, so that its length can be announced
//! and any range of it can be asked for again.
//!
//! [`Layout`] is pure: from names, sizes, times and CRC-32s, which versions carry, to where each header and file lies.
//! Sizes and offsets that do not fit 32 bits take the Zip64 form, names are UTF-8, and modification times are given twice:
//! in the two-second form of DOS, and in seconds since 1970 in extra field `UT`.
//!
//! Source: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3 to 4.5; Info-ZIP's extra field 0x5455.

use std::ops::Range;

use bytes::Bytes;

use crate::header::date;

/// What goes into a zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its path in the zip, with slashes between names; a folder's ends with one.
    pub name: String,
    /// Bytes; 0 for a folder.
    pub bytes: u64,
    /// CRC-32 (IEEE) of them.
    pub crc32: u32,
    /// Modification time, microseconds since 1970.
    pub modified_us: i64,
}

/// A run of a zip's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Headers.
    Bytes(Bytes),
    /// Bytes of an item's file.
    File {
        /// Which item.
        index: usize,
        /// Which of its bytes; never none.
        range: Range<u64>,
    },
}

/// Where everything in a zip lies.
#[derive(Clone, Debug)]
pub struct Layout {
    items: Vec<Item>,
    /// Where each item's header begins.
    starts: Vec<u64>,
    /// The central directory and its end, behind the last item.
    directory: Bytes,
    directory_at: u64,
}

const STORED: u16 = 0;
const UTF8: u16 = 1 << 11;
const VERSION: u16 = 20;
const VERSION_ZIP64: u16 = 45;
/// Made by Unix, so that what unpacks it believes the mode in the upper half of the external attributes.
const UNIX: u16 = 3 << 8;
const FILE_MODE: u32 = 0o100_644 << 16;
const FOLDER_MODE: u32 = (0o040_755 << 16) | 0x10;
const IN_ZIP64: u32 = u32::MAX;

impl Layout {
    /// Lays items out one after the other.
    pub fn new(items: Vec<Item>) -> Self {
        let mut starts = Vec::with_capacity(items.len());
        let mut directory = Vec::new();
        let mut at = 0;
        for item in &items {
            starts.push(at);
            put_central(&mut directory, item, at);
            at += local_bytes(item) + item.bytes;
        }
        let directory_bytes = directory.len() as u64;
        put_end(&mut directory, items.len() as u64, directory_bytes, at);
        Self { items, starts, directory: directory.into(), directory_at: at }
    }

    /// What is in it, in order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Its length.
    pub fn bytes(&self) -> u64 {
        self.directory_at + self.directory.len() as u64
    }

    /// The run that holds the byte at `at`, from there to its end or to `until`; `None` behind the last byte.
    pub fn piece(&self, at: u64, until: u64) -> Option<(Piece, u64)> {
        let until = until.min(self.bytes());
        if at >= until {
            return None;
        }
        if at >= self.directory_at {
            let cut = (at - self.directory_at) as usize..(until - self.directory_at) as usize;
            return Some((Piece::Bytes(self.directory.slice(cut)), until));
        }
        let index = self.starts.partition_point(|start| *start <= at) - 1;
        let (item, start) = (&self.items[index], self.starts[index]);
        let data_at = start + local_bytes(item);
        if at < data_at {
            let end = until.min(data_at);
            let header = Bytes::from(local(item));
            return Some((Piece::Bytes(header.slice((at - start) as usize..(end - start) as usize)), end));
        }
        let end = until.min(data_at + item.bytes);
        Some((Piece::File { index, range: at - data_at..end - data_at }, end))
    }
}

/// The extra fields of a local header: times, and for a large file its sizes.
fn local_extra(item: &Item) -> Vec<u8> {
    let mut extra = times(item);
    if is_large(item.bytes) {
        put16(&mut extra, 1);
        put16(&mut extra, 16);
        put64(&mut extra, item.bytes);
        put64(&mut extra, item.bytes);
    }
    extra
}

fn local_bytes(item: &Item) -> u64 {
    30 + item.name.len() as u64 + if is_large(item.bytes) { 29 } else { 9 }
}

fn local(item: &Item) -> Vec<u8> {
    let extra = local_extra(item);
    let mut header = Vec::with_capacity(local_bytes(item) as usize);
    put32(&mut header, 0x0403_4b50);
    put16(&mut header, if is_large(item.bytes) { VERSION_ZIP64 } else { VERSION });
    put_common(&mut header, item);
    put16(&mut header, extra.len() as u16);
    header.extend_from_slice(item.name.as_bytes());
    header.extend_from_slice(&extra);
    header
}

fn put_central(directory: &mut Vec<u8>, item: &Item, at: u64) {
    let mut large = Vec::new();
    if is_large(item.bytes) {
        put64(&mut large, item.bytes);
        put64(&mut large, item.bytes);
    }
    if is_large(at) {
        put64(&mut large, at);
    }
    let mut extra = times(item);
    if !large.is_empty() {
        put16(&mut extra, 1);
        put16(&mut extra, large.len() as u16);
        extra.extend_from_slice(&large);
    }
    let version = if large.is_empty() { VERSION } else { VERSION_ZIP64 };
    put32(directory, 0x0201_4b50);
    put16(directory, UNIX | version);
    put16(directory, version);
    put_common(directory, item);
    put16(directory, extra.len() as u16);
    // Comment, disk, internal attributes.
    [0, 0, 0].into_iter().for_each(|zero| put16(directory, zero));
    put32(directory, if item.name.ends_with('/') { FOLDER_MODE } else { FILE_MODE });
    put32(directory, short(at));
    directory.extend_from_slice(item.name.as_bytes());
    directory.extend_from_slice(&extra);
}

/// What both headers say, from the flags to the length of the name.
fn put_common(header: &mut Vec<u8>, item: &Item) {
    let (time, day) = dos(item.modified_us);
    put16(header, UTF8);
    put16(header, STORED);
    put16(header, time);
    put16(header, day);
    put32(header, item.crc32);
    put32(header, short(item.bytes));
    put32(header, short(item.bytes));
    put16(header, item.name.len() as u16);
}

fn put_end(directory: &mut Vec<u8>, count: u64, bytes: u64, at: u64) {
    if count >= u64::from(u16::MAX) || is_large(bytes) || is_large(at) {
        let end = at + bytes;
        put32(directory, 0x0606_4b50);
        put64(directory, 44);
        put16(directory, UNIX | VERSION_ZIP64);
        put16(directory, VERSION_ZIP64);
        put32(directory, 0);
        put32(directory, 0);
        [count, count, bytes, at].into_iter().for_each(|number| put64(directory, number));
        put32(directory, 0x0706_4b50);
        put32(directory, 0);
        put64(directory, end);
        put32(directory, 1);
    }
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    put32(directory, 0x0605_4b50);
    [0, 0, count, count].into_iter().for_each(|number| put16(directory, number));
    put32(directory, short(bytes));
    put32(directory, short(at));
    put16(directory, 0);
}

/// Extra field `UT`: the modification time in seconds since 1970, as far as 32 bits go.
fn times(item: &Item) -> Vec<u8> {
    let seconds = item.modified_us.div_euclid(1_000_000).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
    let mut extra = Vec::with_capacity(9);
    put16(&mut extra, 0x5455);
    put16(&mut extra, 5);
    extra.push(1);
    extra.extend_from_slice(&seconds.to_le_bytes());
    extra
}

/// Time and day as DOS has them, from 1980 to 2107, in UTC.
fn dos(modified_us: i64) -> (u16, u16) {
    let text = date::rfc3339(modified_us);
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u16>().ok()).unwrap_or(0);
    let year = number(0, 4);
    if year < 1980 {
        return (0, (1 << 5) | 1);
    }
    if year > 2107 {
        return ((23 << 11) | (59 << 5) | 29, (127 << 9) | (12 << 5) | 31);
    }
    (
        (number(11, 13) << 11) | (number(14, 16) << 5) | (number(17, 19) / 2),
        ((year - 1980) << 9) | (number(5, 7) << 5) | number(8, 10),
    )
}

fn is_large(number: u64) -> bool {
    number >= u64::from(IN_ZIP64)
}

/// The number, or the mark that it is in the Zip64 field.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(IN_ZIP64)
}

fn put16(bytes: &mut Vec<u8>, number: u16) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put32(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put64(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::{Item, Layout, Piece, dos};

    fn item(name: &str, bytes: u64) -> Item {
        Item { name: name.to_owned(), bytes, crc32: 0x1234_5678, modified_us: 1_326_979_261_000_000 }
    }

    /// All bytes of a range, files as zeros.
    fn read(layout: &Layout, mut at: u64, until: u64) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some((piece, next)) = layout.piece(at, until) {
            match piece {
                Piece::Bytes(bytes) => all.extend_from_slice(&bytes),
                Piece::File { range, .. } => all.resize(all.len() + (range.end - range.start) as usize, 0),
            }
            assert!(next > at);
            at = next;
        }
        all
    }

    #[test]
    fn any_range_is_the_same_bytes() {
        let layout = Layout::new(vec![item("a/", 0), item("a/ä.txt", 5), item("b", 0), item("c", 300)]);
        let whole = read(&layout, 0, u64::MAX);
        assert_eq!(whole.len() as u64, layout.bytes());
        assert!(whole.starts_with(b"PK\x03\x04") && whole[whole.len() - 22..].starts_with(b"PK\x05\x06"));
        for from in 0..whole.len() {
            for to in [from, from + 1, from + 40, whole.len()] {
                let to = to.min(whole.len());
                assert_eq!(read(&layout, from as u64, to as u64), whole[from..to], "{from}..{to}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_32_bits_is_in_zip64() {
        let layout = Layout::new(vec![item("large", 5 << 30), item("behind it", 1)]);
        let directory = read(&layout, (5 << 30) + 59 + 5 + 48 + 1, u64::MAX);
        assert!(directory.starts_with(b"PK\x01\x02"));
        let has = |wanted: &[u8]| directory.windows(wanted.len()).any(|window| window == wanted);
        assert!(has(&(5_u64 << 30).to_le_bytes()), "the size");
        assert!(has(&((5_u64 << 30) + 64).to_le_bytes()), "where the second one begins");
        assert!(has(b"PK\x06\x06") && has(b"PK\x06\x07"), "the larger end");
        let small = read(&Layout::new(vec![item("small", 1)]), 0, u64::MAX);
        assert!(!small.windows(4).any(|window| window == b"PK\x06\x06"));
        let many = Layout::new((0..70_000).map(|index| item(&index.to_string(), 0)).collect());
        assert!(many.directory.windows(4).any(|window| window == b"PK\x06\x06"));
    }

    #[test]
    fn times_of_dos() {
        // 2012-01-19T13:21:01Z
        assert_eq!(dos(1_326_979_261_000_000), ((13 << 11) | (21 << 5), (32 << 9) | (1 << 5) | 19));
        assert_eq!(dos(0), (0, 33));
        assert_eq!(dos(i64::MAX).1 >> 9, 127);
    }
}
