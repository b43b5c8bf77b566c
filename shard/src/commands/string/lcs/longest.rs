//! The longest common subsequence by dynamic programming.
//!
//! `length(i, j)`, the length for the first `i` and `j` bytes, follows from its three neighbours. Only the length needs
//! no more than one row. Where the subsequence lies is found by walking back from the end: diagonally while the bytes
//! are equal, else towards the longer of the two neighbours (along the second string if they are alike). For that one
//! bit a cell is kept, a thirty-second of the lengths themselves.

/// Bytes that both strings have one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Where it begins in the first string.
    pub(super) first: usize,
    /// Where it begins in the second string.
    pub(super) second: usize,
    /// Its length in bytes.
    pub(super) len: usize,
}

/// A longest common subsequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Longest {
    len: usize,
    runs: Vec<Run>,
}

/// The length of the longest common subsequence.
pub(super) fn len(first: &[u8], second: &[u8]) -> usize {
    let mut row = vec![0; second.len() + 1];
    for byte in first {
        next_row(*byte, second, &mut row, |_| ());
    }
    row[second.len()] as usize
}

/// Replaces the lengths for all but the last byte of the first string by those with it. `up_is_longer` is told of every
/// place of the second string, in their order, whether the length without this byte exceeds the one without the byte there.
#[inline]
fn next_row(byte: u8, second: &[u8], row: &mut [u32], mut up_is_longer: impl FnMut(bool)) {
    let (mut diagonal, mut left) = (0, 0);
    for (other, length) in second.iter().zip(&mut row[1..]) {
        let up = *length;
        up_is_longer(up > left);
        left = if byte == *other { diagonal + 1 } else { up.max(left) };
        *length = left;
        diagonal = up;
    }
}

impl Longest {
    /// A longest common subsequence; which one, if there are several, is the same as in Redis.
    pub(super) fn find(first: &[u8], second: &[u8]) -> Longest {
        let columns = second.len();
        let mut row = vec![0; columns + 1];
        let mut ups = Vec::with_capacity((first.len() * columns).div_ceil(64) + 1);
        // The word under way stays in a register.
        let (mut word, mut bits) = (0_u64, 0);
        for byte in first {
            next_row(*byte, second, &mut row, |up| {
                word |= u64::from(up) << bits;
                bits += 1;
                if bits == u64::BITS {
                    ups.push(word);
                    (word, bits) = (0, 0);
                }
            });
        }
        ups.push(word);
        let mut runs = Vec::new();
        let (mut i, mut j) = (first.len(), columns);
        while i > 0 && j > 0 {
            let backwards = first[..i].iter().rev().zip(second[..j].iter().rev());
            let len = backwards.take_while(|(a, b)| a == b).count();
            if len > 0 {
                (i, j) = (i - len, j - len);
                runs.push(Run { first: i, second: j, len });
                continue;
            }
            let cell = (i - 1) * columns + (j - 1);
            if ups[cell / 64] >> (cell % 64) & 1 == 1 {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        Longest { len: row[columns] as usize, runs }
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where it lies in both strings, the last run first.
    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Its bytes, out of the first string.
    pub(super) fn subsequence(&self, first: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len);
        for run in self.runs.iter().rev() {
            bytes.extend_from_slice(&first[run.first..run.first + run.len]);
        }
        bytes
    }
}
