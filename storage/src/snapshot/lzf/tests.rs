use super::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

#[test]
fn what_is_compressed_comes_back() {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut compressor = Compressor::new();
    let mut saved = 0;
    for round in 0..3_000 {
        let len = if round % 100 == 0 { rng.random_range(0..60_000) } else { rng.random_range(0..400) };
        let letters = rng.random_range(1..=256);
        let mut input: Vec<u8> = (0..len).map(|_| rng.random_range(0..letters) as u8).collect();
        for _ in 0..rng.random_range(0..4) {
            if len > 4 {
                let (from, to) = (rng.random_range(0..len), rng.random_range(0..len));
                let size = rng.random_range(0..len - from.max(to));
                input.copy_within(from..from + size, to);
            }
        }
        if let Some(compressed) = compressor.compress(&input, 4) {
            assert!(compressed.len() + 4 <= input.len());
            assert_eq!(decompress(&compressed, input.len()).as_ref(), Some(&input));
            assert_eq!(decompress(&compressed, input.len() + 1), None);
            assert_eq!(decompress(&compressed, input.len() - 1), None);
            saved += input.len() - compressed.len();
        }
    }
    assert!(saved > 100_000, "{saved}");
}

#[test]
fn repetition_is_compressed_well() {
    let input = b"abc".repeat(1_000);
    let compressed = Compressor::new().compress(&input, 4).expect("it saves a lot");
    assert!(compressed.len() < 60, "{}", compressed.len());
    assert_eq!(Compressor::new().compress(b"abcdefghijklmnopqrstuvwxyz", 4), None);
}

#[test]
fn what_cannot_be_compressed_does_not_hide_what_can_for_long() {
    let mut rng = SmallRng::seed_from_u64(3);
    let mut input: Vec<u8> = (0..4_000).map(|_| rng.random()).collect();
    input.extend(b"a text that comes again and again, ".repeat(100));
    let compressed = Compressor::new().compress(&input, 4).expect("half of it is repetition");
    assert!(compressed.len() < 4_500, "{}", compressed.len());
    assert_eq!(decompress(&compressed, input.len()), Some(input));
}

#[test]
fn damaged_input_is_refused() {
    let mut rng = SmallRng::seed_from_u64(2);
    let compressed = Compressor::new().compress(&b"hello, hello, hello!".repeat(20), 4).expect("it saves a lot");
    for _ in 0..20_000 {
        let mut damaged = compressed.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..damaged.len());
            damaged[at] = rng.random();
        }
        damaged.truncate(rng.random_range(0..=damaged.len()));
        if let Some(output) = decompress(&damaged, 400) {
            assert_eq!(output.len(), 400);
        }
    }
    assert_eq!(decompress(&[0x20, 0], 3), None);
    assert_eq!(decompress(&[0, b'a'], usize::MAX), None);
    assert_eq!(decompress(b"", 0).as_deref(), Some(&b""[..]));
}
