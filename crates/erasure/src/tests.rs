//! The promises of the crate: same bytes as other implementations, any k lanes give all, ranges stand alone, parity is
//! elastic, kernels agree.
#![allow(clippy::unwrap_used)]

use proptest::{
    prelude::{any, prop_assert_eq, proptest},
    test_runner::{Config, RngSeed},
};
use reed_solomon_erasure::galois_8::ReedSolomon;

use crate::{Code, Error, Kernel, LANES_MAX, naive};

/// All that the product offers, and the two ends of what the codec allows.
const SCHEMES: [(u8, u8); 16] = [
    (4, 6),
    (5, 4),
    (7, 5),
    (5, 3),
    (8, 4),
    (7, 3),
    (4, 2),
    (9, 3),
    (12, 6),
    (10, 4),
    (4, 3),
    (4, 4),
    (2, 1),
    (1, 31),
    (31, 1),
    (16, 16),
];

/// Bytes and choices that look random and are the same in every run.
///
/// Source: S. Vigna, splitmix64 (public domain).
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    fn lanes(&mut self, count: u8, bytes: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.bytes(bytes)).collect()
    }

    /// `count` distinct lanes out of `of`, in random order.
    fn choose(&mut self, count: u8, of: u8) -> Vec<u8> {
        let mut lanes: Vec<u8> = (0..of).collect();
        for i in 0..usize::from(count) {
            let other = i + self.next() as usize % (lanes.len() - i);
            lanes.swap(i, other);
        }
        lanes.truncate(usize::from(count));
        lanes
    }
}

fn slices(lanes: &[Vec<u8>]) -> Vec<&[u8]> {
    lanes.iter().map(Vec::as_slice).collect()
}

fn slices_mut(lanes: &mut [Vec<u8>]) -> Vec<&mut [u8]> {
    lanes.iter_mut().map(Vec::as_mut_slice).collect()
}

/// Data and parity lanes, made by the crate in one go, over old bytes.
fn column(code: &Code, seeded: &mut Seeded, bytes: usize) -> Vec<Vec<u8>> {
    let mut lanes = seeded.lanes(code.k() + code.m(), bytes);
    let (data, parity) = lanes.split_at_mut(usize::from(code.k()));
    code.encode(&slices(data), &mut slices_mut(parity));
    lanes
}

fn check_rebuild(code: &Code, lanes: &[Vec<u8>], have: &[u8], want: &[u8]) {
    let pick = |numbers: &[u8]| -> Vec<Vec<u8>> { numbers.iter().map(|&n| lanes[usize::from(n)].clone()).collect() };
    let mut made = vec![vec![0xAA; lanes[0].len()]; want.len()];
    code.plan_rebuild(have, want).unwrap().run(&slices(&pick(have)), &mut slices_mut(&mut made));
    assert!(made == pick(want), "{}+{}: {want:?} from {have:?}", code.k(), code.m());
}

#[test]
fn coefficients_are_those_of_the_vandermonde_matrix() {
    for (k, m) in SCHEMES {
        let code = Code::new(k, m).unwrap();
        for (row, expected) in naive::matrix(k, m)[usize::from(k)..].iter().enumerate() {
            assert_eq!(code.parity_row(row as u8), expected, "{k}+{m}, row {row}");
        }
    }
    // Written down, so that neither the crate nor the naive version can drift: the matrix of JavaReedSolomon for 4+2.
    let code = Code::new(4, 2).unwrap();
    assert_eq!([code.parity_row(0), code.parity_row(1)], [[0x1B, 0x1C, 0x12, 0x14], [0x1C, 0x1B, 0x14, 0x12]]);
}

#[test]
fn parity_is_that_of_reed_solomon_erasure() {
    let mut seeded = Seeded(1);
    for (k, m) in SCHEMES {
        for bytes in [1, 63, 1000, 70_001] {
            let lanes = column(&Code::new(k, m).unwrap(), &mut seeded, bytes);
            let mut theirs = lanes.clone();
            theirs[usize::from(k)..].iter_mut().for_each(|lane| lane.fill(0));
            ReedSolomon::new(k.into(), m.into()).unwrap().encode(&mut theirs).unwrap();
            assert!(lanes == theirs, "{k}+{m}, {bytes} bytes");
        }
    }
}

#[test]
fn any_k_lanes_give_all_others() {
    let mut seeded = Seeded(2);
    for (k, m) in SCHEMES {
        let (code, n) = (Code::new(k, m).unwrap(), k + m);
        let lanes = column(&code, &mut seeded, 97);
        let lost_of = |have: &[u8]| -> Vec<u8> { (0..n).filter(|lane| !have.contains(lane)).collect() };
        if n <= 12 {
            for set in (0u32..1 << n).filter(|set| set.count_ones() == u32::from(k)) {
                let have: Vec<u8> = (0..n).filter(|lane| set >> lane & 1 == 1).collect();
                check_rebuild(&code, &lanes, &have, &lost_of(&have));
            }
        }
        for _ in 0..100 {
            let have = seeded.choose(k, n);
            check_rebuild(&code, &lanes, &have, &lost_of(&have));
        }
        // Also lanes that are there: their bytes come back as they are.
        let have = seeded.choose(k, n);
        check_rebuild(&code, &lanes, &have, &seeded.choose(n, n));
    }
}

#[test]
fn rebuilt_bytes_are_those_of_matrix_inversion_and_of_reed_solomon_erasure() {
    let mut seeded = Seeded(3);
    for (k, m) in SCHEMES {
        let (code, n) = (Code::new(k, m).unwrap(), k + m);
        let lanes = column(&code, &mut seeded, 40);
        for _ in 0..5 {
            let have = seeded.choose(k, n);
            let want: Vec<u8> = (0..n).filter(|lane| !have.contains(lane)).collect();
            check_rebuild(&code, &lanes, &have, &want);
            let inputs: Vec<_> = have.iter().map(|&lane| (lane, lanes[usize::from(lane)].as_slice())).collect();
            let naive = naive::rebuild(k, n, &inputs, &want);
            let mut theirs: Vec<_> = (0..n).map(|i| have.contains(&i).then(|| lanes[usize::from(i)].clone())).collect();
            ReedSolomon::new(k.into(), m.into()).unwrap().reconstruct(&mut theirs).unwrap();
            for (lane, naive) in want.into_iter().zip(naive) {
                assert_eq!(naive, lanes[usize::from(lane)], "{k}+{m}, lane {lane} from {have:?}");
                assert_eq!(theirs[usize::from(lane)], Some(naive), "{k}+{m}, lane {lane} from {have:?}");
            }
        }
    }
}

#[test]
fn parity_is_elastic() {
    let mut seeded = Seeded(4);
    for k in 1..LANES_MAX {
        let most = Code::new(k, LANES_MAX - k).unwrap();
        for m in 0..=LANES_MAX - k {
            let code = Code::new(k, m).unwrap();
            for row in 0..LANES_MAX - k {
                assert_eq!(code.parity_row(row), most.parity_row(row), "{k}+{m}, row {row}");
            }
        }
        // A pack written as k + 1 is given all other parity that there can be, from lanes of which one is parity.
        let lanes = column(&most, &mut seeded, 130);
        let few = Code::new(k, 1).unwrap();
        let have: Vec<u8> = (1..=k).collect();
        check_rebuild(&few, &lanes, &have, &(k + 1..LANES_MAX).collect::<Vec<_>>());
        // And once more from added parity alone, as far as there is enough of it.
        if LANES_MAX - k >= k {
            check_rebuild(&few, &lanes, &(LANES_MAX - k..LANES_MAX).collect::<Vec<_>>(), &(0..k).collect::<Vec<_>>());
        }
    }
}

#[test]
fn lanes_that_arrive_in_pieces_give_the_same_parity() {
    let mut seeded = Seeded(5);
    for (k, m) in SCHEMES {
        let code = Code::new(k, m).unwrap();
        let lanes = column(&code, &mut seeded, 5000);
        let (data, expected) = lanes.split_at(usize::from(k));
        let mut parity = seeded.lanes(m, 5000);
        let order = seeded.choose(k, k);
        code.set(order[0], &data[usize::from(order[0])], &mut slices_mut(&mut parity));
        for &lane in &order[1..] {
            let mut at = 0;
            for piece in data[usize::from(lane)].chunks(1 + seeded.next() as usize % 900) {
                let mut rest: Vec<_> = parity.iter_mut().map(|row| &mut row[at..]).collect();
                code.add(lane, piece, &mut rest);
                at += piece.len();
            }
        }
        assert!(parity == expected, "{k}+{m}");
    }
}

#[test]
fn short_lanes_count_as_extended_by_zeros() {
    const BYTES: usize = 20_000;
    let mut seeded = Seeded(6);
    for (k, m) in SCHEMES {
        let code = Code::new(k, m).unwrap();
        let ends: Vec<_> = (0..k).map(|_| seeded.next() as usize % (BYTES + 1)).collect();
        let short: Vec<_> = ends.into_iter().map(|bytes| seeded.bytes(bytes)).collect();
        let mut full = short.clone();
        full.iter_mut().for_each(|lane| lane.resize(BYTES, 0));
        let (mut parity, mut expected) = (seeded.lanes(m, BYTES), seeded.lanes(m, BYTES));
        code.encode(&slices(&short), &mut slices_mut(&mut parity));
        code.encode(&slices(&full), &mut slices_mut(&mut expected));
        assert!(parity == expected, "{k}+{m}: encode");

        // By hand, shortest first or not: `set` clears what `add` leaves alone.
        parity = seeded.lanes(m, BYTES);
        code.set(0, &short[0], &mut slices_mut(&mut parity));
        for lane in 1..k {
            code.add(lane, &short[usize::from(lane)], &mut slices_mut(&mut parity));
        }
        assert!(parity == expected, "{k}+{m}: set and add");

        // The last data lane is lost: made from the others, short, and the first parity.
        let have: Vec<u8> = (0..k - 1).chain([k]).collect();
        let inputs: Vec<&[u8]> = short[..usize::from(k) - 1].iter().chain([&parity[0]]).map(Vec::as_slice).collect();
        let rebuild = code.plan_rebuild(&have, &[k - 1]).unwrap();
        assert_eq!((rebuild.have(), rebuild.want()), (have.as_slice(), [k - 1].as_slice()));
        let mut made = seeded.lanes(1, BYTES);
        rebuild.run(&inputs, &mut slices_mut(&mut made));
        assert!(made[0] == full[usize::from(k) - 1], "{k}+{m}: run");
        made = seeded.lanes(1, BYTES);
        rebuild.set(0, inputs[0], &mut slices_mut(&mut made));
        (1..inputs.len()).for_each(|i| rebuild.add(i, inputs[i], &mut slices_mut(&mut made)));
        assert!(made[0] == full[usize::from(k) - 1], "{k}+{m}: set and add of a rebuild");
    }
}

#[test]
fn a_range_needs_the_same_range_of_others_only() {
    const BYTES: usize = 40_000;
    let mut seeded = Seeded(7);
    for (k, m) in SCHEMES {
        let code = Code::new(k, m).unwrap();
        let lanes = column(&code, &mut seeded, BYTES);
        for _ in 0..10 {
            let (a, b) = (seeded.next() as usize % (BYTES + 1), seeded.next() as usize % (BYTES + 1));
            let range = a.min(b)..a.max(b);
            let pieces: Vec<_> = lanes.iter().map(|lane| lane[range.clone()].to_vec()).collect();
            check_rebuild(&code, &pieces, &seeded.choose(k, k + m), &seeded.choose(m, k + m));
        }
    }
}

#[test]
fn kernels_agree_on_every_product() {
    let all: Vec<u8> = (0..=255).collect();
    for kernel in Kernel::all() {
        for a in 0..=255 {
            let mut row = [0x55; 256];
            kernel.apply::<false>(&[a], &all, &mut [&mut row], 0);
            assert!(row.iter().zip(0..=255).all(|(&out, b)| out == naive::mul(a, b)), "{}: {a}", kernel.name());
        }
    }
}

/// One random call of every kernel against the table, with whatever lengths and alignments the offsets give; bytes
/// before and behind the range must stay.
fn check_kernels<const ADD: bool>(seed: u64, rows: u8, skip: usize, at: usize, bytes: usize) {
    let mut seeded = Seeded(seed);
    let coefficients = seeded.bytes(rows.into());
    let data = seeded.bytes(skip + bytes);
    let before = seeded.lanes(rows, skip + at + bytes + 70);
    let run = |kernel: Kernel| {
        let mut lanes = before.clone();
        let mut views: Vec<_> = lanes.iter_mut().map(|lane| &mut lane[skip..]).collect();
        kernel.apply::<ADD>(&coefficients, &data[skip..], &mut views, at);
        lanes
    };
    let expected: Vec<_> = before
        .iter()
        .zip(&coefficients)
        .map(|(lane, &coefficient)| {
            let mut lane = lane.clone();
            for (out, &byte) in lane[skip + at..].iter_mut().zip(&data[skip..]) {
                *out = if ADD { *out } else { 0 } ^ naive::mul(coefficient, byte);
            }
            lane
        })
        .collect();
    for kernel in Kernel::all() {
        assert!(run(kernel) == expected, "{}: {rows} rows, {bytes} bytes at {skip} and {at}", kernel.name());
    }
}

#[test]
fn kernels_agree_at_all_lengths_around_a_register() {
    for bytes in 0..=200 {
        for rows in 0..=9 {
            check_kernels::<true>(bytes as u64, rows, bytes % 7, bytes % 3, bytes);
            check_kernels::<false>(bytes as u64, rows, bytes % 5, bytes % 2, bytes);
        }
    }
}

proptest! {
    #![proptest_config(Config {
        cases: 128,
        rng_seed: RngSeed::Fixed(0x401D_FA57),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn kernels_agree(
        seed in any::<u64>(), rows in 0u8..32, skip in 0usize..64, at in 0usize..64, bytes in 0usize..3000,
    ) {
        check_kernels::<true>(seed, rows, skip, at, bytes);
        check_kernels::<false>(seed, rows, skip, at, bytes);
    }

    #[test]
    fn whole_codes_agree_whatever_the_kernel(seed in any::<u64>(), k in 1u8..32, bytes in 0usize..20_000) {
        let mut seeded = Seeded(seed);
        let m = 1 + seeded.next() as u8 % (LANES_MAX - k);
        let have = seeded.choose(k, k + m);
        let want = seeded.choose(m, k + m);
        let results: Vec<_> = Kernel::all().into_iter().map(|kernel| {
            let code = Code::with_kernel(k, m, kernel).unwrap();
            assert_eq!(code.kernel_name(), kernel.name());
            let lanes = column(&code, &mut Seeded(seed), bytes);
            check_rebuild(&code, &lanes, &have, &want);
            lanes
        }).collect();
        for lanes in &results {
            prop_assert_eq!(lanes, &results[0]);
        }
    }
}

#[test]
fn impossible_requests_are_refused() {
    for (k, m) in [(0, 0), (0, 4), (33, 0), (16, 17), (200, 200), (255, 1)] {
        assert_eq!(Code::new(k, m).err(), Some(Error::Scheme { k, m }));
    }
    let code = Code::new(3, 2).unwrap();
    let refusal = |have: &[u8], want: &[u8]| code.plan_rebuild(have, want).err();
    assert_eq!(refusal(&[0, 1], &[2]), Some(Error::HaveCount { expected: 3, got: 2 }));
    assert_eq!(refusal(&[0, 1, 2, 3], &[4]), Some(Error::HaveCount { expected: 3, got: 4 }));
    assert_eq!(refusal(&[0, 1, 32], &[2]), Some(Error::NoSuchLane { lane: 32 }));
    assert_eq!(refusal(&[0, 1, 2], &[255]), Some(Error::NoSuchLane { lane: 255 }));
    assert_eq!(refusal(&[3, 1, 3], &[0]), Some(Error::LaneTwice { lane: 3 }));
    assert_eq!(refusal(&[4, 1, 3], &[0, 2, 31]), None);
}
