//! Lanes as they are stored.

use model::{Class, units::HASH_BLOCK_BYTES};
use proptest::prelude::{ProptestConfig, prop, prop_assert_eq, proptest};

use format::{
    HashList, LaneHasher,
    shard::{
        FOOTER_BYTES, HEADER_BYTES, decode_footer, decode_hash_list, decode_header, decode_index, encode_header,
        encode_tail, lane_range_in_shard, shard_bytes,
    },
};

use crate::samples::{locations, plain, shard_header};

pub fn hashes(lane: &[u8]) -> HashList {
    let mut hasher = LaneHasher::new();
    hasher.update(lane);
    hasher.finish()
}

pub fn whole(lane: &[u8]) -> Vec<u8> {
    let header = shard_header();
    [&encode_header(&header)[..], lane, &encode_tail(&header, &hashes(lane), &locations())].concat()
}

#[test]
fn a_whole_shard_reads_back_from_either_end() {
    for lane_bytes in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let lane = plain(lane_bytes);
        let shard = whole(&lane);
        assert_eq!(shard.len() as u64, shard_bytes(lane_bytes as u64, 2));
        assert_eq!(decode_header(&shard).unwrap(), shard_header());
        let footer = decode_footer(&shard[shard.len() - FOOTER_BYTES..]).unwrap();
        assert_eq!((footer.header, footer.lane_bytes), (shard_header(), lane_bytes as u64));
        let (hashes_at, index_at) = (footer.hashes_at as usize, footer.index_at as usize);
        let list = decode_hash_list(&shard[hashes_at..index_at], footer.lane_bytes, Some(&footer.root)).unwrap();
        let index = decode_index(&shard[index_at..index_at + footer.index_bytes as usize]).unwrap();
        assert_eq!((list.root(), index), (hashes(&lane).root(), locations()));
        let range = lane_range_in_shard(0..lane_bytes as u64);
        assert_eq!(shard[range.start as usize..range.end as usize], lane);
        for (block_index, block) in lane.chunks(HASH_BLOCK_BYTES).enumerate() {
            assert!(list.check(block_index, block));
            assert!(!list.check(block_index + 1, block));
            assert!(!list.check(block_index, &block[1..]));
        }
    }
}

#[test]
fn the_root_covers_length_and_every_hash() {
    let list = hashes(&plain(200_000));
    let footer = list.blocks.as_flattened().to_vec();
    for at in 0..footer.len() {
        let mut damaged = footer.clone();
        damaged[at] ^= 1;
        let error = decode_hash_list(&damaged, 200_000, Some(&list.root())).unwrap_err();
        assert_eq!((error.class(), error.field()), (Class::Damaged, Some("root")));
    }
    assert!(decode_hash_list(&footer, 199_999, Some(&list.root())).is_err(), "another length with as many blocks");
    assert_eq!(decode_hash_list(&footer, 100_000, None).unwrap_err().field(), Some("length"));
    assert_eq!(decode_hash_list(&footer, u64::MAX, None).unwrap_err().field(), Some("lane_bytes"));
}

#[test]
fn a_shard_of_another_size_is_refused() {
    let shard = whole(&plain(1000));
    assert_eq!(decode_header(&shard[..HEADER_BYTES - 1]).unwrap_err().field(), Some("length"));
    assert_eq!(decode_footer(&shard).unwrap_err().field(), Some("length"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn pieces_do_not_matter(
        count in 0..300_000_usize,
        pieces in prop::collection::vec(0..100_000_usize, 0..6),
    ) {
        let lane = plain(count);
        let mut hasher = LaneHasher::new();
        let mut rest = &lane[..];
        for piece in pieces.into_iter().chain([usize::MAX]) {
            let (now, after) = rest.split_at(piece.min(rest.len()));
            hasher.update(now);
            rest = after;
        }
        let expected = lane.chunks(HASH_BLOCK_BYTES).map(|block| *blake3::hash(block).as_bytes()).collect();
        prop_assert_eq!(hasher.finish(), HashList { blocks: expected, lane_bytes: count as u64 });
    }
}
