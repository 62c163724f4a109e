//! The field GF(2⁸) and polynomials over it: where all coefficients come from.
//!
//! Bytes are polynomials over GF(2) modulo x⁸ + x⁴ + x³ + x² + 1 (0x11D), of which 2 is a generator. Addition and
//! subtraction are both xor. Tables are computed by the compiler.
//!
//! Source: J. S. Plank, "A tutorial on Reed–Solomon coding for fault-tolerance in RAID-like systems", 1997, for the
//! arithmetic; I. S. Reed and G. Solomon, "Polynomial codes over certain finite fields", 1960, for lanes as values of
//! a polynomial.

/// The modulus, x⁸ left out.
const REDUCTION: u8 = 0x1D;

/// Powers of 2, twice round, so that a sum of two logarithms needs no reduction.
const EXP: [u8; 510] = {
    let mut exp = [0; 510];
    let mut power = 1;
    let mut i = 0;
    while i < exp.len() {
        exp[i] = power;
        power = double(power);
        i += 1;
    }
    exp
};

/// Logarithms to base 2; that of 0 does not exist and is not looked up.
const LOG: [u8; 256] = {
    let mut log = [0; 256];
    let mut i = 0;
    while i < 255 {
        log[EXP[i] as usize] = i as u8;
        i += 1;
    }
    log
};

const fn double(a: u8) -> u8 {
    (a << 1) ^ (if a & 0x80 != 0 { REDUCTION } else { 0 })
}

/// The product of two field elements.
pub const fn mul(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 {
        return 0;
    }
    EXP[LOG[a as usize] as usize + LOG[b as usize] as usize]
}

/// The quotient of two field elements. Asserts that `b` is not 0.
pub const fn div(a: u8, b: u8) -> u8 {
    assert!(b != 0, "division by zero in GF(256)");
    if a == 0 {
        return 0;
    }
    EXP[LOG[a as usize] as usize + 255 - LOG[b as usize] as usize]
}

/// The weights with which the values at `points` add up to the value at `at`, one weight for each point.
///
/// For every polynomial p of degree less than `points.len()`: p(at) = Σ weight\[i\] · p(points\[i\]). The points must
/// be distinct. Lane numbers are points, so this one function yields parity rows (points 0..k), rebuilding of data and
/// rebuilding of parity.
///
/// Source: Lagrange's interpolation formula; minus is plus here.
pub fn interpolate(points: &[u8], at: u8) -> Vec<u8> {
    let weight = |&here: &u8| {
        let others = points.iter().filter(|&&other| other != here);
        let (above, below) =
            others.fold((1, 1), |(above, below), other| (mul(above, at ^ other), mul(below, here ^ other)));
        div(above, below)
    };
    points.iter().map(weight).collect()
}

/// For each coefficient its products with 0, 1, …, 15 and with 0, 16, …, 240: since multiplication distributes over
/// xor, the product with a byte is the xor of one entry of each.
pub(crate) static NIBBLES: [[[u8; 16]; 2]; 256] = {
    let mut tables = [[[0; 16]; 2]; 256];
    let mut c = 0;
    while c < 256 {
        let mut n = 0;
        while n < 16 {
            tables[c][0][n] = mul(c as u8, n as u8);
            tables[c][1][n] = mul(c as u8, (n as u8) << 4);
            n += 1;
        }
        c += 1;
    }
    tables
};

/// For each coefficient its multiplication as an 8 × 8 matrix of bits, in the order of the GF2P8AFFINEQB instruction.
///
/// Byte 7 − i of the word selects those bits of the factor whose parity is bit i of the product; bit j of it is bit i
/// of c · 2ʲ. (The sister instruction GF2P8MULB is of no use: it knows the polynomial 0x11B only.)
///
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, GF2P8AFFINEQB.
pub(crate) static BIT_MATRICES: [u64; 256] = {
    let mut matrices = [0; 256];
    let mut c = 0;
    while c < 256 {
        let mut j = 0;
        while j < 8 {
            let column = mul(c as u8, 1 << j);
            let mut i = 0;
            while i < 8 {
                matrices[c] |= ((column as u64 >> i) & 1) << (8 * (7 - i) + j);
                i += 1;
            }
            j += 1;
        }
        c += 1;
    }
    matrices
};

#[cfg(test)]
mod tests {
    use super::{div, interpolate, mul};
    use crate::naive;

    #[test]
    fn products_and_quotients_are_those_of_long_multiplication() {
        for a in 0..=255 {
            for b in 0..=255 {
                let product = naive::mul(a, b);
                assert_eq!(mul(a, b), product, "{a} * {b}");
                if b != 0 {
                    assert_eq!(div(product, b), a, "{product} / {b}");
                }
            }
        }
    }

    #[test]
    fn at_a_known_point_only_that_point_counts() {
        assert_eq!(interpolate(&[3, 9, 31], 9), [0, 1, 0]);
    }
}
