use super::*;

#[test]
fn known_values() {
    assert_eq!(crc64(0, b""), 0);
    assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
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
