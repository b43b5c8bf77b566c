//! What buffers take of memory.

/// Sizes below this are a multiple of [`QUANTUM_BYTES`].
const SMALL_BYTES: usize = 64;
const QUANTUM_BYTES: usize = 16;

/// What an allocator takes for so many bytes: like most, jemalloc has four sizes from one power of two to the next.
pub const fn allocated(bytes: usize) -> usize {
    if bytes <= SMALL_BYTES {
        return bytes.next_multiple_of(QUANTUM_BYTES);
    }
    let step = bytes.next_power_of_two() / 8;
    bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_sizes_lead_to_the_next_power_of_two() {
        let sizes: Vec<usize> = (1..=513).map(allocated).collect();
        let mut classes = sizes.clone();
        classes.dedup();
        assert_eq!(classes, [16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640]);
        assert!(sizes.iter().zip(1..).all(|(&size, bytes)| size >= bytes));
        assert_eq!((allocated(0), allocated(8344), allocated(33_376)), (0, 10_240, 40_960));
    }
}
