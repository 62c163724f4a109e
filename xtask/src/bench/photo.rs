//! A photo of twelve megapixels, made here: a real JPEG, so that whoever decodes it has the work of one.
//!
//! Baseline, 4:2:0, with chance for pixels. Its Huffman tables are as plain as the format allows: codes of one length, so a
//! code is its symbol's place in the table. Source: ITU-T T.81, annexes B (markers), F.1.2 (coding) and K (the order of blocks).

use super::pattern::Pattern;

/// Width and height: 12 megapixels, in whole units of 16 × 16.
const SIZE: (u16, u16) = (4_000, 3_008);
/// Bits of a DC difference: symbols 0 to 7, as codes of 3 bits would be all ones once, so of 4.
const DC_SYMBOLS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
/// Zeros skipped and bits of an AC value; `0x00` ends the block.
const AC_SYMBOLS: [u8; 8] = [0x00, 0x01, 0x02, 0x03, 0x11, 0x12, 0x21, 0x31];
const CODE_BITS: u32 = 4;
/// AC values of a block: as many as make about two bits a pixel, like a photo of good quality.
const VALUES: usize = 12;

/// The photo. Others differ from it in a comment alone: see [`numbered`].
pub fn photo(pattern: &Pattern) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8];
    segment(&mut bytes, 0xdb, &[&[0][..], &[8; 64]].concat());
    let (width, height) = (SIZE.0.to_be_bytes(), SIZE.1.to_be_bytes());
    let frame = [&[8][..], &height, &width, &[3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]].concat();
    segment(&mut bytes, 0xc0, &frame);
    for (class, symbols) in [(0x00, DC_SYMBOLS), (0x10, AC_SYMBOLS)] {
        let mut counts = [0; 16];
        counts[CODE_BITS as usize - 1] = symbols.len() as u8;
        segment(&mut bytes, 0xc4, &[&[class][..], &counts, &symbols].concat());
    }
    segment(&mut bytes, 0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    let mut out = Bits { bytes, held: 0, count: 0 };
    let units = u64::from(SIZE.0 / 16) * u64::from(SIZE.1 / 16);
    for unit in 0..units {
        // Four blocks of light, one of each colour.
        for part in 0..6 {
            let chance = pattern.piece(0, (unit * 6 + part) * VALUES as u64, VALUES as u64);
            block(&mut out, chance);
        }
    }
    out.finish()
}

/// The photo with a number in it: other bytes, the same picture.
pub fn numbered(photo: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = photo[..2].to_vec();
    segment(&mut bytes, 0xfe, &number.to_be_bytes());
    bytes.extend_from_slice(&photo[2..]);
    bytes
}

/// A marker and what belongs to it.
fn segment(bytes: &mut Vec<u8>, marker: u8, body: &[u8]) {
    bytes.extend_from_slice(&[0xff, marker]);
    bytes.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
    bytes.extend_from_slice(body);
}

/// One block of 8 × 8. Differences of DC go back and forth, so that light stays where it is.
fn block(out: &mut Bits, chance: &[u8]) {
    let first = u32::from(chance.first().copied().unwrap_or(0));
    let back = first & 1;
    out.code(4);
    out.put(if back == 1 { 0b1010 } else { 0b0101 }, 4);
    for byte in chance {
        let symbol = 1 + usize::from(*byte) % (AC_SYMBOLS.len() - 1);
        out.code(symbol as u32);
        let bits = u32::from(AC_SYMBOLS[symbol] & 15);
        out.put(u32::from(*byte >> 4) & ((1 << bits) - 1), bits);
    }
    out.code(0);
}

/// Bits of an entropy-coded segment.
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn code(&mut self, place: u32) {
        self.put(place, CODE_BITS);
    }

    fn put(&mut self, bits: u32, count: u32) {
        self.held = self.held << count | bits;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                // A byte of ones begins a marker, so a zero says that this is none.
                self.bytes.push(0);
            }
        }
        self.held &= (1 << self.count) - 1;
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            let rest = 8 - self.count;
            self.put((1 << rest) - 1, rest);
        }
        self.bytes.extend_from_slice(&[0xff, 0xd9]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{numbered, photo};
    use crate::bench::pattern::Pattern;

    #[test]
    fn a_photo_has_the_size_of_one_and_a_number() {
        let photo = photo(&Pattern::new());
        assert!((2_000_000..6_000_000).contains(&photo.len()), "{} bytes", photo.len());
        let (one, other) = (numbered(&photo, 1), numbered(&photo, 2));
        assert_ne!(one, other);
        assert_eq!((&one[..2], &one[one.len() - 2..]), (&[0xff, 0xd8][..], &[0xff, 0xd9][..]));
    }
}
