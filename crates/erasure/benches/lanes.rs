//! Speed of adding a piece of data to parity, and of making lost lanes: `cargo bench -p holdfast-erasure`.
//!
//! Prints GB/s of data read by the codec (10⁹ bytes), the best of several rounds, for each kernel of the machine.
//! *Warm* adds one piece again and again; *walking* goes through a cell of 1 MiB, as the writer does, and is held up by
//! the second-level cache as soon as that is smaller than the cells. Without `--bench`, as in a run of the tests,
//! everything is done once or twice on tiny pieces.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::time::Instant;

use erasure::{Code, Error, Kernel};

/// What the writer hands over at once.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces in a cell of 1 MiB.
const PIECES_PER_CELL: usize = 16;

fn main() -> Result<(), Error> {
    let full = std::env::args().any(|argument| argument == "--bench");
    let (piece_bytes, rounds, repeats) = if full { (PIECE_BYTES, 15, 400) } else { (100, 1, 1) };
    for kernel in Kernel::all() {
        for (k, m) in [(4, 1), (4, 2), (4, 3), (10, 4), (4, 6), (12, 6)] {
            let code = Code::with_kernel(k, m, kernel)?;
            for (cell_bytes, temper) in [(piece_bytes, "warm"), (piece_bytes * PIECES_PER_CELL, "walking")] {
                let data = vec![0x5A; cell_bytes];
                let mut cells = vec![vec![0; cell_bytes]; m.into()];
                let speed = gigabytes_per_second(cell_bytes, rounds, repeats * piece_bytes / cell_bytes + 1, || {
                    for (i, piece) in data.chunks(piece_bytes).enumerate() {
                        let mut parity: Vec<_> = cells.iter_mut().map(|cell| &mut cell[i * piece_bytes..]).collect();
                        code.add(1, piece, &mut parity);
                    }
                });
                println!("{:11} add {k:2}+{m}, {piece_bytes} B pieces, {temper}: {speed:6.1} GB/s", kernel.name());
            }
        }
        for (k, m) in [(4, 2), (10, 4), (12, 6)] {
            let have: Vec<u8> = (2..k + 2).collect();
            let rebuild = Code::with_kernel(k, m, kernel)?.plan_rebuild(&have, &[0, 1])?;
            let lanes = vec![vec![0x5A; piece_bytes]; k.into()];
            let lanes: Vec<&[u8]> = lanes.iter().map(Vec::as_slice).collect();
            let (mut lane0, mut lane1) = (vec![0; piece_bytes], vec![0; piece_bytes]);
            let bytes = piece_bytes * usize::from(k);
            let speed = gigabytes_per_second(bytes, rounds, repeats / usize::from(k) + 1, || {
                rebuild.run(&lanes, &mut [&mut lane0, &mut lane1]);
            });
            println!("{:11} rebuild two of {k:2}+{m}, {piece_bytes} B ranges: {speed:6.1} GB/s", kernel.name());
        }
    }
    Ok(())
}

fn gigabytes_per_second(bytes: usize, rounds: usize, repeats: usize, mut work: impl FnMut()) -> f64 {
    let mut round = || {
        let start = Instant::now();
        (0..repeats).for_each(|_| work());
        start.elapsed().as_secs_f64()
    };
    let best = (0..rounds).map(|_| round()).fold(f64::INFINITY, f64::min);
    (bytes * repeats) as f64 / best / 1e9
}
