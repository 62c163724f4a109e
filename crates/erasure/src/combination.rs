//! Weighted sums of lanes: what making parity and making lost lanes have in common.

use crate::Kernel;

/// Bytes of a lane that [`Combination::run`] finishes before it goes on: four rows of it and a piece of data fit a
/// first-level cache of 48 KiB, so that sums meet memory once.
const STRIP_BYTES: usize = 8 << 10;

/// output\[j\] = Σ weight(i, j) · input\[i\], at each byte position.
#[derive(Clone, Debug)]
pub(crate) struct Combination {
    kernel: Kernel,
    inputs: usize,
    outputs: usize,
    /// Weights by input, then output: those of one input lie together, as the kernels want them.
    weights: Box<[u8]>,
}

impl Combination {
    /// The combination whose output `j` has the weights `rows[j]`, one for each of `inputs` lanes.
    pub(crate) fn new<R: AsRef<[u8]>>(kernel: Kernel, inputs: usize, rows: &[R]) -> Self {
        assert!(inputs > 0, "a sum of no lanes");
        let weights = (0..inputs).flat_map(|i| rows.iter().map(move |row| row.as_ref()[i])).collect();
        Self { kernel, inputs, outputs: rows.len(), weights }
    }

    pub(crate) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Xors what input `i` contributes into the outputs. Bytes of them beyond `data` stay as they are.
    pub(crate) fn add(&self, i: usize, data: &[u8], outputs: &mut [&mut [u8]]) {
        self.assert_outputs(data, outputs);
        self.kernel.apply::<true>(self.weights_of(i), data, outputs, 0);
    }

    /// Overwrites the outputs by what input `i` contributes. Bytes of them beyond `data` become zero.
    pub(crate) fn set(&self, i: usize, data: &[u8], outputs: &mut [&mut [u8]]) {
        self.assert_outputs(data, outputs);
        self.kernel.apply::<false>(self.weights_of(i), data, outputs, 0);
        for output in outputs {
            output[data.len()..].fill(0);
        }
    }

    /// The outputs from all inputs. Outputs are of one length, and no input is longer; shorter ones count as extended
    /// by zeros.
    pub(crate) fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) {
        assert_eq!(inputs.len(), self.inputs, "as many inputs as were planned for");
        let bytes = outputs.first().map_or(0, |output| output.len());
        assert!(outputs.iter().all(|output| output.len() == bytes), "outputs of one length");
        for input in inputs {
            self.assert_outputs(input, outputs);
        }
        for start in (0..bytes).step_by(STRIP_BYTES) {
            let end = bytes.min(start + STRIP_BYTES);
            for (i, input) in inputs.iter().enumerate() {
                let data = &input[input.len().min(start)..input.len().min(end)];
                if i > 0 {
                    self.kernel.apply::<true>(self.weights_of(i), data, outputs, start);
                    continue;
                }
                self.kernel.apply::<false>(self.weights_of(i), data, outputs, start);
                for output in &mut *outputs {
                    output[start + data.len()..end].fill(0);
                }
            }
        }
    }

    fn weights_of(&self, i: usize) -> &[u8] {
        assert!(i < self.inputs, "input {i} of {}", self.inputs);
        &self.weights[i * self.outputs..][..self.outputs]
    }

    fn assert_outputs(&self, data: &[u8], outputs: &[&mut [u8]]) {
        assert_eq!(outputs.len(), self.outputs, "as many outputs as were planned for");
        assert!(outputs.iter().all(|output| output.len() >= data.len()), "outputs at least as long as the data");
    }
}
