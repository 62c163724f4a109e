//! Kernels: the inner loop `row ^= coefficient · data`, in the ways that machines differ.
//!
//! All kernels give the same bytes. The quickest one is found at run time; a machine that has none of the special
//! instructions is served by tables.

use crate::field::NIBBLES;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Gfni};

/// A way to multiply and add that *this* machine can run: values exist only of those it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// 64 bytes at a time, multiplication as a bit matrix.
    #[cfg(target_arch = "x86_64")]
    Gfni(Gfni),
    /// 32 bytes at a time, two lookups of 16 entries in a register.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// A byte at a time, one lookup of 256 entries.
    Table,
}

impl Kernel {
    /// The quickest kernel of this machine.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(gfni) = Gfni::detect() {
                return Self(Kind::Gfni(gfni));
            }
            if let Some(avx2) = Avx2::detect() {
                return Self(Kind::Avx2(avx2));
            }
        }
        Self::table()
    }

    /// The kernel that every machine has.
    pub const fn table() -> Self {
        Self(Kind::Table)
    }

    /// All kernels of this machine, quickest first; the last is [`Kernel::table`].
    pub fn all() -> Vec<Self> {
        let mut kinds = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            kinds.extend(Gfni::detect().map(Kind::Gfni));
            kinds.extend(Avx2::detect().map(Kind::Avx2));
        }
        kinds.push(Kind::Table);
        kinds.into_iter().map(Self).collect()
    }

    /// What it is called in logs and benches.
    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Gfni(_) => "gfni-avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            Kind::Table => "table",
        }
    }

    /// `rows[j][at..][..data.len()]` becomes `coefficients[j] · data`, or with `ADD` has it xored in.
    ///
    /// `rows.len() == coefficients.len()`, and each row is `at + data.len()` bytes or longer. Up to four rows are made
    /// in one pass over the data: each byte of it is then loaded once for all of them.
    pub(crate) fn apply<const ADD: bool>(self, coefficients: &[u8], data: &[u8], rows: &mut [&mut [u8]], at: usize) {
        assert_eq!(coefficients.len(), rows.len(), "one coefficient for each row");
        let (coefficients, rows) = self.passes::<4, ADD>(coefficients, data, rows, at);
        let (coefficients, rows) = self.passes::<3, ADD>(coefficients, data, rows, at);
        let (coefficients, rows) = self.passes::<2, ADD>(coefficients, data, rows, at);
        self.passes::<1, ADD>(coefficients, data, rows, at);
    }

    /// Makes as many rows as there are whole groups of `N`, and returns what is left over.
    fn passes<'c, 'r, 'b, const N: usize, const ADD: bool>(
        self,
        coefficients: &'c [u8],
        data: &[u8],
        rows: &'r mut [&'b mut [u8]],
        at: usize,
    ) -> (&'c [u8], &'r mut [&'b mut [u8]]) {
        let (groups, coefficients_left) = coefficients.as_chunks::<N>();
        let (row_groups, rows_left) = rows.as_chunks_mut::<N>();
        for (group, rows) in groups.iter().zip(row_groups) {
            let rows = rows.each_mut().map(|row| &mut row[at..at + data.len()]);
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Kind::Gfni(gfni) => gfni.pass::<N, ADD>(*group, data, rows),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2(avx2) => avx2.pass::<N, ADD>(*group, data, rows),
                Kind::Table => table_pass::<N, ADD>(*group, data, rows),
            }
        }
        (coefficients_left, rows_left)
    }
}

/// One table of 256 products per row, made on the spot: a thousandth of the work that follows for a 64 KiB piece.
fn table_pass<const N: usize, const ADD: bool>(coefficients: [u8; N], data: &[u8], rows: [&mut [u8]; N]) {
    for (coefficient, row) in coefficients.into_iter().zip(rows) {
        let [low, high] = &NIBBLES[usize::from(coefficient)];
        let products: [u8; 256] = std::array::from_fn(|byte| low[byte & 15] ^ high[byte >> 4]);
        for (out, &byte) in row.iter_mut().zip(data) {
            let product = products[usize::from(byte)];
            *out = if ADD { *out ^ product } else { product };
        }
    }
}
