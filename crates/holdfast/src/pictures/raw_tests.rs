//! Raw files as cameras lay them out, and as somebody would who means harm.
#![allow(clippy::unwrap_used)]

use image::{DynamicImage, ImageFormat, RgbImage, metadata::Orientation};

use super::look;

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(width, height)).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// A folder of tags, each with one long, and where the next one lies.
fn folder(tags: &[(u16, u32)], next: u32) -> Vec<u8> {
    let mut bytes = (tags.len() as u16).to_le_bytes().to_vec();
    for (name, value) in tags {
        bytes.extend([name.to_le_bytes(), 4_u16.to_le_bytes()].concat());
        bytes.extend([1_u32.to_le_bytes(), value.to_le_bytes()].concat());
    }
    bytes.extend(next.to_le_bytes());
    bytes
}

/// Pieces one after the other behind a head of eight bytes; the first one begins there.
fn file(magic: &[u8; 4], pieces: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = [&magic[..], &8_u32.to_le_bytes()].concat();
    for (at, piece) in pieces {
        bytes.resize(*at, 0);
        bytes.extend(piece);
    }
    bytes
}

fn sides(file: &[u8]) -> Vec<(u32, u32)> {
    let jpegs = look(file).unwrap().jpegs;
    jpegs.iter().map(|jpeg| image::load_from_memory(jpeg).unwrap()).map(|it| (it.width(), it.height())).collect()
}

#[test]
fn the_largest_jpeg_is_found_wherever_the_maker_put_it() {
    let (small, large) = (jpeg(160, 120), jpeg(1_200, 800));
    let (at, length) = (4_096, large.len() as u32);
    // Canon and Sony: a thumbnail's folder after the first one. Adobe and Nikon: a folder below the first one.
    let below = folder(&[(0x0103, 7), (0x0111, at), (0x0117, length)], 0);
    let first = folder(&[(0x0112, 6), (0x014a, 512), (0x0201, 2_048), (0x0202, small.len() as u32)], 0);
    let adobe = file(b"II*\0", &[(8, first), (512, below), (2_048, small.clone()), (at as usize, large.clone())]);
    assert_eq!(sides(&adobe), [(1_200, 800), (160, 120)]);
    assert_eq!(look(&adobe).unwrap().orientation, Some(Orientation::Rotate90));

    // Panasonic: bytes of a tag.
    let mut first = folder(&[(0x002e, at)], 0);
    first[4..6].copy_from_slice(&7_u16.to_le_bytes());
    first[6..10].copy_from_slice(&length.to_le_bytes());
    assert_eq!(sides(&file(b"IIU\0", &[(8, first), (at as usize, large.clone())])), [(1_200, 800)]);

    // Olympus: in notes that only the maker reads; a small one is named.
    let first = folder(&[(0x0201, 2_048), (0x0202, small.len() as u32)], 0);
    let notes = file(b"IIRO", &[(8, first), (2_048, small), (at as usize, large.clone())]);
    assert_eq!(sides(&notes)[0], (1_200, 800));

    let mut fuji = b"FUJIFILMCCD-RAW 0201".to_vec();
    fuji.resize(84, 0);
    fuji.extend([at.to_be_bytes(), length.to_be_bytes()].concat());
    fuji.resize(at as usize, 0);
    fuji.extend(&large);
    assert_eq!(sides(&fuji), [(1_200, 800)]);
    assert!(look(&large).is_none() && look(b"II").is_none());
}

#[test]
fn the_largest_jpeg_of_a_cr3_is_found_and_the_way_the_camera_was_held() {
    let boxed = |name: &[u8; 4], inside: &[u8]| [&(inside.len() as u32 + 8).to_be_bytes(), &name[..], inside].concat();
    let tiff = file(b"II*\0", &[(8, folder(&[(0x0112, 8)], 0))]);
    let (small, large) = (jpeg(160, 120), jpeg(1_620, 1_080));
    let uuid = [&[0x85; 16][..], &boxed(b"CMT1", &tiff), &boxed(b"THMB", &[&[0; 12], &small[..]].concat())].concat();
    let parts =
        [boxed(b"ftyp", b"crx \0\0\0\x01crx isom"), boxed(b"moov", &boxed(b"uuid", &uuid)), boxed(b"mdat", &large)];
    let cr3 = parts.concat();
    assert_eq!(sides(&cr3), [(1_620, 1_080), (160, 120)]);
    assert_eq!(look(&cr3).unwrap().orientation, Some(Orientation::Rotate270));
    // Cut anywhere, it is no file of a camera's, or one with fewer pictures.
    for end in [4, 11, 12, 60, 100, cr3.len() - 1] {
        assert!(look(&cr3[..end]).is_none_or(|raw| raw.jpegs.len() <= 2), "{end}");
    }
}

#[test]
fn circles_and_lengths_that_are_not_there_end() {
    // A folder that is its own next one, and another pair that names each other.
    assert!(sides(&file(b"II*\0", &[(8, folder(&[(0x014a, 8)], 8))])).is_empty());
    let pair = [(8, folder(&[(0x014a, 512)], 512)), (512, folder(&[(0x014a, 8)], 8))];
    assert!(sides(&file(b"II*\0", &pair)).is_empty());
    // Each folder begins two bytes after the one before, and there are more of them than anybody should read.
    let stairs: Vec<u8> = (0..60_000_u32).flat_map(|n| (n as u16).to_le_bytes()).collect();
    assert!(sides(&file(b"II*\0", &[(8, stairs)])).is_empty());
    // Lengths beyond the end, of values and of a picture.
    let mut beyond = folder(&[(0x014a, 8), (0x0201, 200), (0x0202, u32::MAX)], u32::MAX);
    beyond[6..10].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(sides(&file(b"II*\0", &[(8, beyond), (200, jpeg(64, 32))])), [(64, 32), (64, 32)]);
    // Nothing but starts of pictures.
    assert!(sides(&file(b"MM\0*", &[(8, b"\xff\xd8\xff".repeat(300_000))])).is_empty());
    // A raw picture that is packed as a JPEG without loss is none.
    let mut lossless = jpeg(64, 32);
    let at = lossless.windows(2).position(|two| two == b"\xff\xc0").unwrap();
    lossless[at + 1] = 0xc3;
    let first = folder(&[(0x0103, 7), (0x0111, 200), (0x0117, lossless.len() as u32)], 0);
    assert!(sides(&file(b"II*\0", &[(8, first), (200, lossless)])).is_empty());
}

#[test]
fn every_cut_and_every_byte_that_is_another_ends() {
    let small = jpeg(64, 32);
    let first = folder(&[(0x0112, 3), (0x014a, 120), (0x0201, 300), (0x0202, small.len() as u32)], 120);
    let below = folder(&[(0x0103, 6), (0x0111, 300), (0x0117, 90)], 8);
    let whole = file(b"II*\0", &[(8, first), (120, below), (300, small)]);
    for cut in 0..whole.len() {
        drop(look(&whole[..cut]));
    }
    for at in 0..whole.len() {
        for byte in [0x00, 0x01, 0x7f, 0xff] {
            let mut other = whole.clone();
            other[at] = byte;
            drop(look(&other));
        }
    }
}
