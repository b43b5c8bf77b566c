//! LZF, the compression inside RDB: literals and back references, nothing else.
//!
//! ```text
//!   000lllll                    l + 1 literal bytes follow
//!   lllooooo oooooooo           copy l + 2 bytes (l from 1 to 6) from o + 1 bytes back
//!   111ooooo llllllll oooooooo  copy l + 9 bytes from o + 1 bytes back
//! ```
//!
//! Source: the format as LibLZF defines it.

/// Longest run of literals.
const LITERALS_MAX: usize = 32;
/// Farthest back reference.
const DISTANCE_MAX: usize = 8192;
/// Longest copy.
const COPY_MAX: usize = 264;
/// Shortest copy.
const COPY_MIN: usize = 3;
/// Slots of the compressor's table of recent positions, as a power of two.
const TABLE_BITS: u32 = 14;

/// Compresses `input`, or says that the result would not be shorter than `len_max`.
pub fn compress(input: &[u8], len_max: usize) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(len_max);
    let mut recent = vec![u32::MAX; 1 << TABLE_BITS];
    let (mut at, mut literals) = (0, 0);
    while at + COPY_MIN <= input.len() {
        let slot = slot(&input[at..]);
        let candidate = std::mem::replace(&mut recent[slot], at as u32) as usize;
        let near = candidate < at && at - candidate <= DISTANCE_MAX;
        if !near || input[candidate..candidate + COPY_MIN] != input[at..at + COPY_MIN] {
            at += 1;
            continue;
        }
        let longest = COPY_MAX.min(input.len() - at);
        let same = |i: &usize| input[candidate + i] == input[at + i];
        let len = (COPY_MIN..longest).take_while(same).count() + COPY_MIN;
        put_literals(&mut output, &input[literals..at]);
        put_copy(&mut output, at - candidate, len);
        if output.len() >= len_max {
            return None;
        }
        at += len;
        literals = at;
    }
    put_literals(&mut output, &input[literals..]);
    (output.len() < len_max).then_some(output)
}

fn slot(bytes: &[u8]) -> usize {
    let three = u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8 | u32::from(bytes[2]);
    (three.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize
}

fn put_literals(output: &mut Vec<u8>, literals: &[u8]) {
    for run in literals.chunks(LITERALS_MAX) {
        output.push(run.len() as u8 - 1);
        output.extend_from_slice(run);
    }
}

fn put_copy(output: &mut Vec<u8>, distance: usize, len: usize) {
    let (offset, len) = (distance - 1, len - 2);
    let high = (offset >> 8) as u8;
    if len < 7 {
        output.push((len as u8) << 5 | high);
    } else {
        output.push(7 << 5 | high);
        output.push((len - 7) as u8);
    }
    output.push(offset as u8);
}

/// Decompresses `input`, which must make just `len` bytes. Memory grows with what was really decompressed, never with what
/// `len` claims.
pub fn decompress(input: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(len.min(input.len().saturating_mul(COPY_MAX)));
    let mut rest = input;
    while let Some((&control, after)) = rest.split_first() {
        rest = after;
        if control < 32 {
            let (run, after) = rest.split_at_checked(usize::from(control) + 1)?;
            output.extend_from_slice(run);
            rest = after;
        } else {
            let mut count = usize::from(control >> 5);
            if count == 7 {
                let (&more, after) = rest.split_first()?;
                count += usize::from(more);
                rest = after;
            }
            let (&low, after) = rest.split_first()?;
            rest = after;
            let distance = (usize::from(control & 31) << 8 | usize::from(low)) + 1;
            let from = output.len().checked_sub(distance)?;
            for i in from..from + count + 2 {
                output.push(output[i]);
            }
        }
        if output.len() > len {
            return None;
        }
    }
    (output.len() == len).then_some(output)
}
