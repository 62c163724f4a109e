//! The pictures that a camera's raw file carries: TIFF of a kind, in which JPEGs lie that are to be looked at in the camera.
//!
//! What a file says of itself is only ever an index into its own bytes: nothing is set aside by a length that it states, and
//! how much is looked at has a bound for each thing that could be in a circle or without end.
//!
//! Source: TIFF 6.0 sections 2 and 22; DNG 1.6, preview images; TIFF/EP (SubIFDs); Panasonic's JpgFromRaw as in Exiv2's tables; Canon's
//! CR3 (ISO/IEC 14496-12 boxes, of which CMT1 holds a TIFF's first folder) as ExifTool names its parts.

use image::metadata::Orientation;

/// Folders of tags that are looked at.
const IFDS_MAX: usize = 64;
/// Tags of one folder.
const TAGS_MAX: u16 = 1_024;
/// Values of one tag: no file has more folders below a folder.
const VALUES_MAX: u32 = 16;
/// Segments before a JPEG says how large it is.
const SEGMENTS_MAX: usize = 256;
/// Bytes of a CR3 in which the box lies that says how the camera was held.
const CR3_HEAD_BYTES: usize = 64 << 10;
/// Starts of a JPEG that are looked at where no tag leads to a good one.
const STARTS_MAX: usize = 4_096;
/// Pixels of the longer side from which on a picture does for a screen.
const ENOUGH: u32 = 1_024;

/// What was found in a raw file.
pub struct Raw<'a> {
    /// JPEGs, the one with the most pixels first. Each may be longer than it should, never longer than the file.
    pub jpegs: Vec<&'a [u8]>,
    /// How the camera was held, which a JPEG within need not say itself.
    pub orientation: Option<Orientation>,
}

/// Looks through a file. `None`: it is none of a camera's own.
pub fn look(file: &[u8]) -> Option<Raw<'_>> {
    let mut found = Found { file, jpegs: Vec::new(), orientation: None };
    if file.starts_with(b"FUJIFILMCCD-RAW ") {
        let bytes = Bytes { file, little: false };
        found.jpeg(bytes.long(84)?, bytes.long(88)?);
    } else if file.get(4..12)? == b"ftypcrx " {
        // Its JPEGs lie among samples of tracks: no tag leads there, and looking for them finds them all.
        found.orientation = cr3_orientation(file);
    } else {
        let little = match file.get(..4)? {
            b"II*\0" | b"IIRO" | b"IIRS" | b"IIU\0" => true,
            b"MM\0*" | b"MMOR" => false,
            _ => return None,
        };
        found.walk(&Bytes { file, little });
    }
    if found.jpegs.iter().all(|(width, height, _)| (*width).max(*height) < ENOUGH) {
        // Some makers name them only in notes of their own.
        found.scan();
    }
    found.jpegs.sort_by_key(|(width, height, _)| std::cmp::Reverse(u64::from(*width) * u64::from(*height)));
    let orientation = found.orientation.and_then(|said| Orientation::from_exif(u8::try_from(said).ok()?));
    Some(Raw { jpegs: found.jpegs.into_iter().map(|(.., jpeg)| jpeg).collect(), orientation })
}

/// How the camera was held, as the first folder of a CR3's TIFF says.
fn cr3_orientation(file: &[u8]) -> Option<u32> {
    let head = file.get(..CR3_HEAD_BYTES).unwrap_or(file);
    let tiff = head.windows(4).position(|name| name == b"CMT1")? + 4;
    let mut within = Found { file: &[], jpegs: Vec::new(), orientation: None };
    let file = &file[tiff..];
    let bytes = Bytes { file, little: file.starts_with(b"II*\0") };
    within.folder(&bytes, bytes.long(4)? as usize);
    within.orientation
}

/// The file, and which end of its numbers comes first.
struct Bytes<'a> {
    file: &'a [u8],
    little: bool,
}

/// One tag of a folder.
struct Tag {
    name: u16,
    kind: u16,
    count: u32,
    /// Where its four bytes of value lie.
    at: usize,
}

impl Bytes<'_> {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.file.get(at..at.checked_add(N)?)?.try_into().ok()
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.array(at)?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.array(at)?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn tag(&self, at: usize) -> Option<Tag> {
        Some(Tag { name: self.short(at)?, kind: self.short(at + 2)?, count: self.long(at + 4)?, at: at + 8 })
    }

    /// The first few numbers of a tag; none if it is of another kind.
    fn values(&self, tag: &Tag) -> Vec<u32> {
        let width = match tag.kind {
            3 => 2,
            // The thirteenth is a long that says where a folder lies.
            4 | 13 => 4,
            _ => return Vec::new(),
        };
        let inline = u64::from(tag.count) * width <= 4;
        let start = if inline { Some(tag.at) } else { self.long(tag.at).map(|at| at as usize) };
        let Some(start) = start else { return Vec::new() };
        let number = |n: u32| {
            let at = start.checked_add(n as usize * width as usize)?;
            if width == 2 { self.short(at).map(u32::from) } else { self.long(at) }
        };
        (0..tag.count.min(VALUES_MAX)).map_while(number).collect()
    }
}

struct Found<'a> {
    file: &'a [u8],
    /// Width, height, bytes.
    jpegs: Vec<(u32, u32, &'a [u8])>,
    orientation: Option<u32>,
}

impl Found<'_> {
    /// Takes what begins at `at`, if that is a JPEG.
    fn jpeg(&mut self, at: u32, length: u32) {
        let end = u64::from(at) + u64::from(length);
        let end = usize::try_from(end).unwrap_or(usize::MAX).min(self.file.len());
        if let Some(jpeg) = self.file.get(at as usize..end)
            && let Some((width, height)) = sides(jpeg)
        {
            self.jpegs.push((width, height, jpeg));
        }
    }

    /// Goes through the folders, each once.
    fn walk(&mut self, bytes: &Bytes<'_>) {
        let mut ahead: Vec<u32> = bytes.long(4).into_iter().collect();
        let mut next = 0;
        while next < ahead.len() {
            for at in self.folder(bytes, ahead[next] as usize) {
                if at != 0 && !ahead.contains(&at) && ahead.len() < IFDS_MAX {
                    ahead.push(at);
                }
            }
            next += 1;
        }
    }

    /// Reads one folder; where others lie.
    fn folder(&mut self, bytes: &Bytes<'_>, at: usize) -> Vec<u32> {
        let Some(count) = bytes.short(at) else { return Vec::new() };
        let mut more = Vec::new();
        let (mut start, mut length, mut strip, mut strip_length, mut packing) = (None, None, None, None, None);
        for n in 0..usize::from(count.min(TAGS_MAX)) {
            let Some(tag) = bytes.tag(at + 2 + 12 * n) else { break };
            let values = bytes.values(&tag);
            let one = if tag.count == 1 { values.first().copied() } else { None };
            match tag.name {
                0x002e => self.jpeg(bytes.long(tag.at).unwrap_or_default(), tag.count),
                0x0103 => packing = one,
                0x0111 => strip = one,
                0x0112 => self.orientation = self.orientation.or(one),
                0x0117 => strip_length = one,
                0x014a => more.extend(values),
                0x0201 => start = one,
                0x0202 => length = one,
                _ => {}
            }
        }
        if let (Some(start), Some(length)) = (start, length) {
            self.jpeg(start, length);
        }
        // The sixth and seventh packing are JPEG, the old way and the new one.
        if let (Some(start), Some(length), Some(6 | 7)) = (strip, strip_length, packing) {
            self.jpeg(start, length);
        }
        more.extend(bytes.long(at + 2 + 12 * usize::from(count)));
        more
    }

    /// Looks for JPEGs wherever one could begin.
    fn scan(&mut self) {
        let starts = self.file.windows(3).enumerate().filter(|(_, three)| *three == b"\xff\xd8\xff");
        for (at, _) in starts.take(STARTS_MAX) {
            self.jpeg(u32::try_from(at).unwrap_or(u32::MAX), u32::MAX);
        }
    }
}

/// Width and height of a JPEG as it says; `None` if it is none that our decoder takes. A raw picture may be packed as a JPEG
/// without loss, which is none.
fn sides(jpeg: &[u8]) -> Option<(u32, u32)> {
    let bytes = Bytes { file: jpeg, little: false };
    if bytes.short(0)? != 0xffd8 {
        return None;
    }
    let mut at: usize = 2;
    for _ in 0..SEGMENTS_MAX {
        match bytes.short(at)? {
            0xffff => at += 1,
            0xffc0..=0xffc2 => {
                let (height, width) = (bytes.short(at + 5)?, bytes.short(at + 7)?);
                let sound = *jpeg.get(at + 4)? == 8 && width > 0 && height > 0;
                return sound.then_some((width.into(), height.into()));
            }
            0xffc4 | 0xffcc | 0xffdb..=0xfffe => at += 2 + usize::from(bytes.short(at + 2)?.max(2)),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
#[path = "raw_tests.rs"]
mod tests;
