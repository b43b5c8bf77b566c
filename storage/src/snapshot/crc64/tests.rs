use super::*;

#[test]
fn known_values() {
    assert_eq!(crc64(0, b""), 0);
    assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
}

#[test]
fn it_is_the_remainder_of_a_division() {
    let bytes: Vec<u8> = (0..20_000_u32).map(|index| ((index * index) >> 5) as u8).collect();
    let by_bits = |crc, bytes: &[u8]| {
        bytes.iter().fold(crc, |crc, &byte| (0..8).fold(crc ^ u64::from(byte), |crc, _| times_x(crc)))
    };
    // Lengths on both sides of those at which the computation takes other ways.
    for len in [1, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 1023, 1025, 20_000] {
        for begin in [0, 1, 3] {
            let bytes = &bytes[begin.min(20_000 - len)..][..len];
            for crc in [0, 3, u64::MAX] {
                assert_eq!(crc64(crc, bytes), by_bits(crc, bytes), "{len} bytes behind {crc:x}");
            }
        }
    }
}

#[test]
fn pieces_combine() {
    let bytes: Vec<u8> = (0..5_000_u32).map(|index| ((index * index) >> 3) as u8).collect();
    for len in [0, 1, 7, 8, 9, 63, 1_000, 5_000] {
        let whole = &bytes[..len];
        for cut in [0, 1, 5, 8, 500, 4_999, 5_000] {
            let (first, second) = whole.split_at(cut.min(len));
            let combined = crc64_combine(crc64(0, first), crc64(0, second), second.len() as u64);
            assert_eq!(combined, crc64(0, whole));
            assert_eq!(crc64(crc64(0, first), second), crc64(0, whole));
        }
    }
}
