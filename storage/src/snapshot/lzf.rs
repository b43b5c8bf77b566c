//! LZF: the compression of long strings in RDB.
//!
//! ```text
//! 000lllll + l+1 bytes                        literal bytes, 1 to 32
//! lllooooo oooooooo                           copy l+2 bytes (3 to 8) from o+1 bytes back
//! 111ooooo llllllll oooooooo                  copy l+9 bytes (9 to 264) from o+1 bytes back
//! ```
//!
//! The compressor is greedy: it remembers where each three bytes were seen last, and copies as much as it can from there.
//! The longer it finds nothing, the fewer places it looks at, as LZ4 does: what cannot be compressed is soon over.
//! Its table is kept from string to string; positions count on over all strings, so that what an earlier one left behind is
//! told apart without clearing.

#[cfg(test)]
mod tests;

const LITERALS_MAX: usize = 32;
const COPY_MAX: usize = 264;
const DISTANCE_MAX: usize = 1 << 13;
/// After so many bytes without a copy, as a power of two, one place more is passed over from one look to the next, ...
const SKIP_SHIFT: usize = 7;
/// ... but no more than so many.
const SKIP_MAX: usize = 15;
const TABLE_MIN: usize = 1 << 6;
const TABLE_MAX: usize = 1 << 14;

/// No input becomes more than so many times as long when it is decompressed: three bytes for at most 264.
pub const EXPANSION_MAX: usize = COPY_MAX / 3;

/// A compressor, with its memory of positions.
#[derive(Clone, Debug, Default)]
pub struct Compressor {
    /// The position behind which each three bytes (by their hash) were seen last.
    seen: Vec<u32>,
    /// The position of the first byte of the present input. Positions up to here are of earlier ones.
    base: u32,
}

impl Compressor {
    /// A compressor that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compresses `input`; `None` if less than `saving_min` bytes would be saved.
    pub fn compress(&mut self, input: &[u8], saving_min: usize) -> Option<Vec<u8>> {
        let output_max = input.len().checked_sub(saving_min)?;
        self.prepare(input.len())?;
        let shift = u32::BITS - self.seen.len().ilog2();
        let mut output = Vec::with_capacity(output_max.min(input.len() / 2 + 16));
        let (mut at, mut literals_from) = (0, 0);
        while let Some(three) = three_at(input, at) {
            let position = self.base + at as u32 + 1;
            let before = std::mem::replace(&mut self.seen[hash(three, shift)], position);
            let distance = (position - before) as usize;
            if before <= self.base || distance > DISTANCE_MAX || three_at(input, at - distance) != Some(three) {
                at += 1 + ((at - literals_from) >> SKIP_SHIFT).min(SKIP_MAX);
                continue;
            }
            let len = common_len(&input[at - distance..], &input[at..]);
            put_literals(&mut output, &input[literals_from..at]);
            put_copy(&mut output, distance, len);
            if output.len() > output_max {
                break;
            }
            // What is inside a long copy is remembered at its end only: enough to find what goes on from there.
            for inside in (at + 1).max(at + len - 2)..at + len {
                if let Some(three) = three_at(input, inside) {
                    self.seen[hash(three, shift)] = self.base + inside as u32 + 1;
                }
            }
            at += len;
            literals_from = at;
        }
        put_literals(&mut output, &input[literals_from..]);
        self.base += input.len() as u32;
        (output.len() <= output_max).then_some(output)
    }

    /// Makes the table ready for an input of that length; `None` if the input is too long for positions.
    fn prepare(&mut self, len: usize) -> Option<()> {
        let len32 = u32::try_from(len).ok().filter(|&len| len < u32::MAX / 2)?;
        let wanted = len.next_power_of_two().clamp(TABLE_MIN, TABLE_MAX);
        if self.seen.len() < wanted || self.base.checked_add(len32).is_none_or(|end| end == u32::MAX) {
            self.seen.clear();
            self.seen.resize(wanted, 0);
            self.base = 0;
        }
        Some(())
    }
}

/// The three bytes there; none if there are not four, which are read at once.
#[inline]
fn three_at(input: &[u8], at: usize) -> Option<u32> {
    let four = input.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*four) & 0x00ff_ffff)
}

#[inline]
fn hash(three: u32, shift: u32) -> usize {
    (three.wrapping_mul(0x9e37_79b1) >> shift) as usize
}

/// How far two pieces agree, as far as a copy can reach.
fn common_len(earlier: &[u8], later: &[u8]) -> usize {
    let max = later.len().min(COPY_MAX);
    let (earlier, later) = (&earlier[..max], &later[..max]);
    let mut len = 0;
    for (left, right) in earlier.as_chunks().0.iter().zip(later.as_chunks().0) {
        let differing = u64::from_le_bytes(*left) ^ u64::from_le_bytes(*right);
        if differing != 0 {
            return len + differing.trailing_zeros() as usize / 8;
        }
        len += size_of::<u64>();
    }
    len + earlier[len..].iter().zip(&later[len..]).take_while(|(left, right)| left == right).count()
}

fn put_literals(output: &mut Vec<u8>, bytes: &[u8]) {
    for run in bytes.chunks(LITERALS_MAX) {
        output.push((run.len() - 1) as u8);
        output.extend_from_slice(run);
    }
}

fn put_copy(output: &mut Vec<u8>, distance: usize, len: usize) {
    let (distance, len) = (distance - 1, len - 2);
    let high = (distance >> 8) as u8;
    if len < 7 {
        output.push((len as u8) << 5 | high);
    } else {
        output.extend_from_slice(&[7 << 5 | high, (len - 7) as u8]);
    }
    output.push(distance as u8);
}

/// Decompresses `input` to exactly `len` bytes; `None` if it is damaged. What is allocated is bounded by the length of the
/// input, whatever `len` says.
pub fn decompress(input: &[u8], len: usize) -> Option<Vec<u8>> {
    if len > input.len().saturating_mul(EXPANSION_MAX) {
        return None;
    }
    let (mut output, mut at) = (vec![0; len], 0);
    let mut rest = input;
    while let [control, behind @ ..] = rest {
        let control = *control as usize;
        if control < LITERALS_MAX {
            let count = control + 1;
            match (behind.first_chunk::<LITERALS_MAX>(), output[at..].first_chunk_mut()) {
                // The end of the chunk is overwritten by what comes next.
                (Some(chunk), Some(place)) => *place = *chunk,
                _ => output.get_mut(at..at + count)?.copy_from_slice(behind.get(..count)?),
            }
            rest = &behind[count..];
            at += count;
        } else {
            let (extra, behind) = if control >> 5 == 7 { behind.split_first()? } else { (&0, behind) };
            let (low, behind) = behind.split_first()?;
            let copied = (control >> 5) + 2 + *extra as usize;
            let distance = ((control & 0x1f) << 8 | *low as usize) + 1;
            if distance > at || at + copied > len {
                return None;
            }
            copy_back(&mut output, at, distance, copied);
            rest = behind;
            at += copied;
        }
    }
    (at == len).then_some(output)
}

/// Copies so many bytes to `at` from `distance` bytes before. A copy that overlaps what it writes repeats it.
fn copy_back(output: &mut [u8], at: usize, distance: usize, len: usize) {
    const CHUNK: usize = 16;
    let rounded = len.next_multiple_of(CHUNK);
    if distance >= rounded && at + rounded <= output.len() {
        // The end of the last chunk is overwritten by what comes next.
        let (before, behind) = output.split_at_mut(at);
        let chunks = before[at - distance..].chunks_exact(CHUNK);
        for (place, chunk) in behind[..rounded].chunks_exact_mut(CHUNK).zip(chunks) {
            place.copy_from_slice(chunk);
        }
        return;
    }
    let mut copied = 0;
    while copied < len {
        let more = (distance + copied).min(len - copied);
        output.copy_within(at - distance..at - distance + more, at + copied);
        copied += more;
    }
}
