//! Counting bits with the processor's own instruction.
//!
//! The oldest x86-64 processors have none, so the compiler may not use it unasked; all since 2008 do. It is asked for at
//! run time. Others count bits of vectors in a few instructions, which the compiler finds by itself.

/// Words of a step, counted independently of each other.
const STEP_WORDS: usize = 4;

/// The number of bits set.
pub fn count_ones(bytes: &[u8]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("popcnt") {
        // SAFETY: the processor has the instruction.
        return unsafe { count_with_popcnt(bytes) };
    }
    count(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn count_with_popcnt(bytes: &[u8]) -> u64 {
    count(bytes)
}

#[inline(always)]
fn count(bytes: &[u8]) -> u64 {
    let (steps, rest) = bytes.as_chunks::<{ STEP_WORDS * 8 }>();
    let mut ones = [0; STEP_WORDS];
    for step in steps {
        for (ones, word) in ones.iter_mut().zip(step.as_chunks::<8>().0) {
            *ones += u64::from(u64::from_ne_bytes(*word).count_ones());
        }
    }
    ones.iter().sum::<u64>() + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_with_a_look_at_each_byte() {
        let bytes: Vec<u8> = (0..3_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        for len in (0..200).chain([1_000, 2_999, 3_000]) {
            let expected: u32 = bytes[..len].iter().map(|byte| byte.count_ones()).sum();
            assert_eq!((count_ones(&bytes[..len]), count(&bytes[..len])), (expected.into(), expected.into()));
        }
    }
}
