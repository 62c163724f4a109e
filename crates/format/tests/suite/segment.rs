//! What sealed frames withstand.

use model::{
    Class,
    entry::SegmentRef,
    id::SegmentId,
    units::{FRAME_BYTES, FRAME_PLAIN_BYTES, TAG_BYTES, sealed_bytes},
};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use format::{
    Key, SegmentOpener, SegmentSealer,
    segment::{frames, open_whole, seal_whole, sealed_range},
};

use crate::samples::{plain, segment};

const LENGTHS: [usize; 8] = [0, 1, 65_519, 65_520, 65_521, 131_039, 131_040, 200_000];

fn key() -> Key {
    Key::from_bytes([0x33; 32])
}

pub fn sealed(plain_bytes: usize) -> (SegmentRef, Vec<u8>) {
    let segment = segment(0x77, plain_bytes as u64);
    (segment, seal_whole(&key(), segment.id, segment.salt, &plain(plain_bytes)).unwrap())
}

#[test]
fn comes_back_at_every_length() {
    for plain_bytes in LENGTHS {
        let (segment, bytes) = sealed(plain_bytes);
        assert_eq!(bytes.len() as u64, sealed_bytes(plain_bytes as u64));
        assert_eq!(open_whole(&key(), &segment, &bytes).unwrap(), plain(plain_bytes));
    }
}

#[test]
fn sealing_in_place_and_growing_give_the_same() {
    let (segment, expected) = sealed(70_000);
    let mut sealer = SegmentSealer::new(&key(), segment.id, segment.salt);
    let mut bytes = Vec::new();
    for (last, frame) in [(false, &plain(70_000)[..FRAME_PLAIN_BYTES]), (true, &plain(70_000)[FRAME_PLAIN_BYTES..])] {
        let mut frame = frame.to_vec();
        sealer.seal_frame(&mut frame, last).unwrap();
        bytes.extend_from_slice(&frame);
    }
    assert_eq!(bytes, expected);
    assert!(sealer.is_done());
    assert_eq!(sealer.frames(), 2);
}

#[test]
fn a_sealer_refuses_what_would_break_the_stream() {
    let fresh = || SegmentSealer::new(&key(), SegmentId([1; 16]), [2; 32]);
    let refused = |mut sealer: SegmentSealer, bytes: usize, last| {
        let mut frame = vec![9; bytes];
        let error = sealer.seal_in_place(&mut frame, last).unwrap_err();
        assert_eq!(error.class(), Class::Bug, "{error}");
        assert!(frame.iter().all(|byte| *byte == 9), "nothing is sealed");
    };
    refused(fresh(), FRAME_BYTES - 1, false);
    refused(fresh(), FRAME_BYTES + 1, true);
    refused(fresh(), TAG_BYTES - 1, true);
    let mut done = fresh();
    done.seal_in_place(&mut [0; 20], true).unwrap();
    refused(done, 20, true);
    let mut going = fresh();
    going.seal_in_place(&mut vec![0; FRAME_BYTES], false).unwrap();
    refused(going, TAG_BYTES, true);
}

#[test]
fn truncation_reordering_and_splicing_are_found() {
    let (segment, bytes) = sealed(3 * FRAME_PLAIN_BYTES);
    let opener = SegmentOpener::new(&key(), &segment);
    let frame = |index: usize| bytes[index * FRAME_BYTES..(index + 1) * FRAME_BYTES].to_vec();
    let opens = |opener: &SegmentOpener, at: u64, last: bool, mut frame: Vec<u8>| {
        opener.open_in_place(at, last, &mut frame).is_ok()
    };
    assert!(opens(&opener, 1, false, frame(1)), "the right frame in its place");
    assert!(!opens(&opener, 1, false, frame(0)), "another frame in its place");
    assert!(!opens(&opener, 0, false, frame(1)), "moved to the front");
    assert!(!opens(&opener, 1, true, frame(1)), "a frame passed off as the last: truncation");
    assert!(!opens(&opener, 2, false, frame(2)), "the last frame passed off as one more: extension");
    assert!(!opens(&opener, 2, true, frame(2)[..FRAME_BYTES - 1].to_vec()), "a cut tag");
    for other in [SegmentRef { id: SegmentId([0x78; 16]), ..segment }, SegmentRef { salt: [0; 32], ..segment }] {
        assert!(!opens(&SegmentOpener::new(&key(), &other), 1, false, frame(1)), "of another segment");
    }
    assert!(!opens(&SegmentOpener::new(&Key::from_bytes([0; 32]), &segment), 1, false, frame(1)), "under another key");
    let shorter = SegmentRef { plain_bytes: 2 * FRAME_PLAIN_BYTES as u64, ..segment };
    assert!(open_whole(&key(), &shorter, &bytes[..2 * FRAME_BYTES]).is_err(), "truncated at a frame's end");
}

#[test]
fn every_damaged_byte_is_found() {
    let (segment, bytes) = sealed(FRAME_PLAIN_BYTES + 100);
    for at in (0..bytes.len()).step_by(499).chain(bytes.len() - 120..bytes.len()) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        let error = open_whole(&key(), &segment, &damaged).unwrap_err();
        assert_eq!((error.class(), error.field()), (Class::Damaged, Some("frame")), "byte {at}");
    }
}

#[test]
fn a_short_file_in_two_segments_shares_no_bytes() {
    let a = seal_whole(&key(), SegmentId([1; 16]), [1; 32], &plain(4096)).unwrap();
    let b = seal_whole(&key(), SegmentId([2; 16]), [2; 32], &plain(4096)).unwrap();
    assert!(a.windows(16).all(|run| !b.windows(16).any(|other| other == run)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_range_can_be_read_alone(length in 0..LENGTHS.len(), start in 0..210_000_u64, count in 0..210_000_u64) {
        let length = LENGTHS[length];
        let (segment, bytes) = sealed(length);
        let (frame_range, sealed) = sealed_range(start..start + count, segment.plain_bytes);
        let end = (start + count).min(length as u64);
        prop_assert!(sealed.end <= bytes.len() as u64);
        prop_assert_eq!(frame_range.is_empty(), start >= end);
        let opener = SegmentOpener::new(&key(), &segment);
        let mut read = Vec::new();
        let first = frame_range.start;
        let wanted = &bytes[sealed.start as usize..sealed.end as usize];
        for (index, frame) in frame_range.zip(wanted.chunks(FRAME_BYTES)) {
            let mut frame = frame.to_vec();
            let count = opener.open_in_place(index, index + 1 == frames(segment.plain_bytes), &mut frame).unwrap();
            read.extend_from_slice(&frame[..count]);
        }
        if start < end {
            let skip = (start - first * FRAME_PLAIN_BYTES as u64) as usize;
            let got = &read[skip..skip + (end - start) as usize];
            prop_assert_eq!(got, &plain(length)[start as usize..end as usize]);
        }
    }

    #[test]
    fn file_keys_come_back_under_their_account_only(bytes in any::<[u8; 32]>(), at in 0..40_usize) {
        let (ours, other) = (crate::samples::account_key(), format::AccountKey::new(Key::from_bytes([0x12; 32])));
        let mut wrapped = ours.wrap(&Key::from_bytes(bytes));
        prop_assert_eq!(ours.unwrap(&wrapped).unwrap(), Key::from_bytes(bytes));
        prop_assert!(other.unwrap(&wrapped).is_err());
        wrapped[at] ^= 4;
        let error = ours.unwrap(&wrapped).unwrap_err();
        prop_assert_eq!(error.field(), Some("key"));
    }
}
