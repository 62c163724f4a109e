//! The kernels for x86-64; the only place of the product with `unsafe` code.
//!
//! Two facts make each block sound. A value of [`Gfni`] or [`Avx2`] comes only from its `detect`, so whoever holds one
//! runs on a machine with those instructions. And memory is reached only through references to arrays of exactly the
//! width of a register, by instructions that ask for no alignment.
//!
//! Source: K. M. Greenan, E. L. Miller, T. J. Schwarz, "Optimizing Galois field arithmetic for diverse processor
//! architectures", 2008, and J. S. Plank, K. M. Greenan, E. L. Miller, "Screaming fast Galois field arithmetic using
//! Intel SIMD instructions", FAST 2013, for lookups by nibbles.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_loadu_si256,
    _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_storeu_si256,
    _mm256_xor_si256, _mm512_gf2p8affine_epi64_epi8, _mm512_loadu_si512, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_storeu_si512, _mm512_xor_si512,
};

use crate::field::{BIT_MATRICES, NIBBLES};

/// Proof that the machine has AVX-512F and GFNI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gfni(());

impl Gfni {
    /// The proof, where there is one.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("gfni")).then_some(Self(()))
    }

    /// Each row becomes its coefficient times `data`, or with `ADD` has it xored in. Rows are as long as `data`.
    pub(crate) fn pass<const N: usize, const ADD: bool>(
        self,
        coefficients: [u8; N],
        data: &[u8],
        rows: [&mut [u8]; N],
    ) {
        // SAFETY: `self` exists, so `detect` found avx512f and gfni, which is all that the function asks for.
        unsafe { gfni_pass::<N, ADD>(coefficients, data, rows) }
    }
}

/// Proof that the machine has AVX2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, where there is one.
    pub(crate) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// As [`Gfni::pass`].
    pub(crate) fn pass<const N: usize, const ADD: bool>(
        self,
        coefficients: [u8; N],
        data: &[u8],
        rows: [&mut [u8]; N],
    ) {
        // SAFETY: `self` exists, so `detect` found avx2, which is all that the function asks for.
        unsafe { avx2_pass::<N, ADD>(coefficients, data, rows) }
    }
}

#[target_feature(enable = "avx512f,gfni")]
fn gfni_pass<const N: usize, const ADD: bool>(coefficients: [u8; N], data: &[u8], rows: [&mut [u8]; N]) {
    let mut matrices = [_mm512_setzero_si512(); N];
    for (matrix, coefficient) in matrices.iter_mut().zip(coefficients) {
        *matrix = _mm512_set1_epi64(BIT_MATRICES[usize::from(coefficient)].cast_signed());
    }
    let (blocks, tail) = data.as_chunks::<64>();
    let mut rows = rows.map(|row| row.as_chunks_mut::<64>());
    for (i, block) in blocks.iter().enumerate() {
        let block = load64(block);
        // By number: what a `zip` calls would not be inlined into a function with target features, every 64 bytes.
        for n in 0..N {
            gfni_block::<ADD>(matrices[n], block, &mut rows[n].0[i]);
        }
    }
    if !tail.is_empty() {
        let block = load64(&padded(tail));
        for (matrix, (_, row)) in matrices.iter().zip(&mut rows) {
            let mut out = padded(row);
            gfni_block::<ADD>(*matrix, block, &mut out);
            row.copy_from_slice(&out[..row.len()]);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,gfni")]
fn gfni_block<const ADD: bool>(matrix: __m512i, block: __m512i, out: &mut [u8; 64]) {
    let product = _mm512_gf2p8affine_epi64_epi8::<0>(block, matrix);
    store64(out, if ADD { _mm512_xor_si512(load64(out), product) } else { product });
}

#[target_feature(enable = "avx2")]
fn avx2_pass<const N: usize, const ADD: bool>(coefficients: [u8; N], data: &[u8], rows: [&mut [u8]; N]) {
    let mut tables = [[_mm256_setzero_si256(); 2]; N];
    for (table, coefficient) in tables.iter_mut().zip(coefficients) {
        let [low, high] = &NIBBLES[usize::from(coefficient)];
        *table = [_mm256_broadcastsi128_si256(load16(low)), _mm256_broadcastsi128_si256(load16(high))];
    }
    let (blocks, tail) = data.as_chunks::<32>();
    let mut rows = rows.map(|row| row.as_chunks_mut::<32>());
    for (i, block) in blocks.iter().enumerate() {
        let nibbles = split_nibbles(load32(block));
        // By number, as in `gfni_pass`.
        for n in 0..N {
            avx2_block::<ADD>(tables[n], nibbles, &mut rows[n].0[i]);
        }
    }
    if !tail.is_empty() {
        let nibbles = split_nibbles(load32(&padded(tail)));
        for (table, (_, row)) in tables.iter().zip(&mut rows) {
            let mut out = padded(row);
            avx2_block::<ADD>(*table, nibbles, &mut out);
            row.copy_from_slice(&out[..row.len()]);
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn avx2_block<const ADD: bool>(table: [__m256i; 2], nibbles: [__m256i; 2], out: &mut [u8; 32]) {
    let low = _mm256_shuffle_epi8(table[0], nibbles[0]);
    let high = _mm256_shuffle_epi8(table[1], nibbles[1]);
    let product = _mm256_xor_si256(low, high);
    store32(out, if ADD { _mm256_xor_si256(load32(out), product) } else { product });
}

/// The lower and the upper four bits of each byte.
#[inline]
#[target_feature(enable = "avx2")]
fn split_nibbles(bytes: __m256i) -> [__m256i; 2] {
    let mask = _mm256_set1_epi8(0x0F);
    [_mm256_and_si256(bytes, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask)]
}

/// The end of a lane, filled up with zeros to a register. `tail.len() <= N`.
fn padded<const N: usize>(tail: &[u8]) -> [u8; N] {
    let mut block = [0; N];
    block[..tail.len()].copy_from_slice(tail);
    block
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load64(from: &[u8; 64]) -> __m512i {
    // SAFETY: `from` is 64 initialised bytes; this load asks for no alignment.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast::<__m512i>()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store64(to: &mut [u8; 64], value: __m512i) {
    // SAFETY: `to` is 64 bytes that are ours alone; this store asks for no alignment.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast::<__m512i>(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load32(from: &[u8; 32]) -> __m256i {
    // SAFETY: `from` is 32 initialised bytes; this load asks for no alignment.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast::<__m256i>()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store32(to: &mut [u8; 32], value: __m256i) {
    // SAFETY: `to` is 32 bytes that are ours alone; this store asks for no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast::<__m256i>(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load16(from: &[u8; 16]) -> __m128i {
    // SAFETY: `from` is 16 initialised bytes; this load asks for no alignment.
    unsafe { _mm_loadu_si128(from.as_ptr().cast::<__m128i>()) }
}
