use super::*;

#[test]
fn integers_are_written_as_the_standard_library_does() {
    let powers = (0..19).flat_map(|exponent| [10i64.pow(exponent) - 1, 10i64.pow(exponent)]);
    for value in powers.chain([i64::MAX, i64::MIN, i64::MIN + 1]).flat_map(|value| [value, value.wrapping_neg()]) {
        let mut digits = [b'x'; INTEGER_BYTES_MAX];
        let len = format_i64(value, &mut digits);
        assert_eq!(digits[..len], *value.to_string().as_bytes());
        let mut out = b"before".to_vec();
        Reply::new(&mut out, Resp::V2).integer(value);
        assert_eq!(out, format!("before:{value}\r\n").as_bytes());
    }
}

#[test]
fn a_bulk_string_grows_the_output_once() {
    let mut out = Vec::new();
    Reply::new(&mut out, Resp::V2).bulk(&[b'x'; 1000]);
    assert!(out.starts_with(b"$1000\r\nxxx") && out.ends_with(b"x\r\n"));
    assert_eq!(out.capacity(), LINE_BYTES_MAX + 1000 + 2);
}
