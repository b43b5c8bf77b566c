use super::*;

#[test]
fn known_values() {
    assert_eq!(crc64(0, b""), 0);
    assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
}

#[test]
fn lanes_are_as_one() {
    let bytes: Vec<u8> = (0..7 * LANE_BYTES as u32 + 5).map(|index| ((index * index) >> 5) as u8).collect();
    let byte_by_byte = bytes.iter().fold(3, |crc, &byte| TABLES[0][usize::from(crc as u8 ^ byte)] ^ (crc >> 8));
    assert_eq!(crc64(3, &bytes), byte_by_byte);
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
