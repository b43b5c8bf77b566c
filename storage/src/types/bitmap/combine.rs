//! BITOP: bitmaps combined bit by bit.

/// How bitmaps are combined. X is the first, Y are all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Bits set in all.
    And,
    /// Bits set in any.
    Or,
    /// Bits set in an odd number of them.
    Xor,
    /// Bits not set in X, which is the only one.
    Not,
    /// Bits set in X and in none of Y.
    Diff,
    /// Bits set in one of Y at least, and not in X.
    Diff1,
    /// Bits set in X and in one of Y at least.
    AndOr,
    /// Bits set in exactly one.
    One,
}

/// A block of the result, and of what is kept beside it, stays in the first-level cache while all sources pass.
const BLOCK_BYTES: usize = 4096;

/// Combines bitmaps. The result is as long as the longest; shorter ones count as filled up with zeros.
pub fn combine(operation: Operation, sources: &[&[u8]]) -> Vec<u8> {
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut result = Vec::with_capacity(len);
    let mut more = [0; BLOCK_BYTES];
    for start in (0..len).step_by(BLOCK_BYTES) {
        let end = len.min(start + BLOCK_BYTES);
        let mut parts = sources.iter().map(|source| &source[start.min(source.len())..end.min(source.len())]);
        let first = parts.next().unwrap_or(&[]);
        // The block begins as that of one source; no memory is written twice but in the cache.
        let begin = match operation {
            Operation::Diff | Operation::Diff1 | Operation::AndOr => parts.next().unwrap_or(&[]),
            Operation::Not => &[],
            _ => first,
        };
        result.extend_from_slice(begin);
        result.resize(end, 0);
        combine_block(operation, first, parts, &mut result[start..], &mut more);
    }
    result
}

/// Makes a block, which is the first source, or where that is treated unlike the others the second, that of the result.
fn combine_block<'a>(
    operation: Operation,
    first: &[u8],
    others: impl Iterator<Item = &'a [u8]>,
    block: &mut [u8],
    more: &mut [u8; BLOCK_BYTES],
) {
    match operation {
        Operation::And => {
            others.for_each(|other| {
                each(block, other, |byte, other| byte & other);
                block[other.len()..].fill(0);
            });
        }
        Operation::Or => {
            others.for_each(|other| each(block, other, |byte, other| byte | other));
        }
        Operation::Xor => {
            others.for_each(|other| each(block, other, |byte, other| byte ^ other));
        }
        Operation::Not => {
            block.fill(0xff);
            each(block, first, |_, first| !first);
        }
        Operation::Diff | Operation::Diff1 | Operation::AndOr => {
            others.for_each(|other| each(block, other, |byte, other| byte | other));
            match operation {
                Operation::Diff1 => each(block, first, |others, first| others & !first),
                Operation::Diff => {
                    each(block, first, |others, first| first & !others);
                    block[first.len()..].fill(0);
                }
                _ => {
                    each(block, first, |others, first| first & others);
                    block[first.len()..].fill(0);
                }
            }
        }
        Operation::One => {
            // `more` has the bits that were seen twice or more often.
            let more = &mut more[..block.len()];
            more.fill(0);
            for other in others {
                for ((byte, more), other) in block.iter_mut().zip(more.iter_mut()).zip(other) {
                    *more |= *byte & other;
                    *byte |= other;
                }
            }
            each(block, more, |seen, more| seen & !more);
        }
    }
}

/// Changes each byte for which there is one on the other side. The loop becomes one over machine vectors.
#[inline(always)]
fn each(block: &mut [u8], other: &[u8], change: impl Fn(u8, u8) -> u8) {
    for (byte, other) in block.iter_mut().zip(other) {
        *byte = change(*byte, *other);
    }
}
