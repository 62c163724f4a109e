//! The code as its sources write it down, for the tests to compare with: long multiplication, a Vandermonde matrix
//! times the inverse of its top square, Gaussian elimination, a byte at a time. No table, no interpolation, no speed.
//!
//! Source: J. S. Plank and Y. Ding, "Note: correction to the 1997 tutorial on Reed–Solomon coding", 2003, for the
//! systematic matrix; the choice of points 0, 1, 2, … is that of Backblaze's JavaReedSolomon.

type Matrix = Vec<Vec<u8>>;

/// Product by shifting and xoring, reduced by 0x11D.
pub(crate) fn mul(a: u8, b: u8) -> u8 {
    let mut product: u16 = 0;
    for bit in (0..8).rev() {
        product <<= 1;
        if product & 0x100 != 0 {
            product ^= 0x11D;
        }
        if b >> bit & 1 != 0 {
            product ^= u16::from(a);
        }
    }
    product as u8
}

/// The systematic matrix of k + m lanes: k rows of identity, then m rows of parity coefficients.
pub(crate) fn matrix(k: u8, m: u8) -> Matrix {
    let vandermonde: Matrix = (0..k + m)
        .map(|row| (0..k).map(|power| (0..power).fold(1, |product, _| mul(product, row))).collect())
        .collect();
    let top = inverse(vandermonde[..usize::from(k)].to_vec());
    vandermonde.iter().map(|row| times(row, &top)).collect()
}

/// The lanes `want` from the lanes `have`, which are of one length. `lanes` is k + m, and large enough for both.
pub(crate) fn rebuild(k: u8, lanes: u8, have: &[(u8, &[u8])], want: &[u8]) -> Vec<Vec<u8>> {
    let matrix = matrix(k, lanes - k);
    let back = inverse(have.iter().map(|&(lane, _)| matrix[usize::from(lane)].clone()).collect());
    let make = |&lane: &u8| {
        let weights = times(&matrix[usize::from(lane)], &back);
        let byte = |at: usize| have.iter().zip(&weights).fold(0, |sum, (&(_, data), &w)| sum ^ mul(w, data[at]));
        (0..have[0].1.len()).map(byte).collect()
    };
    want.iter().map(make).collect()
}

fn times(row: &[u8], matrix: &[Vec<u8>]) -> Vec<u8> {
    (0..matrix[0].len()).map(|c| row.iter().zip(matrix).fold(0, |sum, (&a, line)| sum ^ mul(a, line[c]))).collect()
}

/// Gauss and Jordan's elimination on the matrix with an identity at its right.
fn inverse(mut rows: Matrix) -> Matrix {
    let size = rows.len();
    for (r, row) in rows.iter_mut().enumerate() {
        row.extend((0..size).map(|c| u8::from(r == c)));
    }
    for c in 0..size {
        let pivot = (c..size).find(|&r| rows[r][c] != 0).expect("any k rows of a Vandermonde matrix are independent");
        rows.swap(c, pivot);
        let scale = (1..=255).find(|&x| mul(x, rows[c][c]) == 1).expect("all but 0 have an inverse");
        rows[c] = rows[c].iter().map(|&x| mul(x, scale)).collect();
        let line = rows[c].clone();
        for (r, row) in rows.iter_mut().enumerate() {
            let factor = if r == c { 0 } else { row[c] };
            row.iter_mut().zip(&line).for_each(|(x, &y)| *x ^= mul(factor, y));
        }
    }
    rows.iter().map(|row| row[size..].to_vec()).collect()
}
