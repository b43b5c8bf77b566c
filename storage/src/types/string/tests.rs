use super::*;

#[test]
fn a_string_reads_the_same_in_all_forms() {
    for text in ["", "0", "-5", "12345678901234567890", "hello", "007"] {
        let bytes = text.as_bytes();
        for value in [
            StringValue::Bytes(bytes),
            StringValue::Text(bytes),
            StringValue::Raw(bytes),
            StringValue::Owned(OwnedString::encode(bytes.to_vec())),
        ] {
            let string = value.as_ref();
            let mut scratch = [0; INTEGER_TEXT_BYTES_MAX];
            assert_eq!(string.as_bytes(&mut scratch), bytes);
            assert_eq!(
                (string.to_vec(), string.len(), string.is_empty()),
                (bytes.to_vec(), text.len(), text.is_empty())
            );
            assert_eq!(string.to_owned().into_bytes(), bytes);
            assert_eq!(string.as_int(), number::parse_i64(bytes));
            assert_eq!(string.modified(), matches!(value, StringValue::Raw(_)));
        }
    }
    assert_eq!(StringValue::Int(-7).as_ref().to_vec(), b"-7");
    assert_eq!(StringValue::from(&b"12"[..]).as_ref().stored_int(), Some(12));
}

#[test]
fn encodings_have_the_names_of_redis() {
    let name = |value: StringValue<'_>| value.as_ref().encoding().name();
    assert_eq!(name(StringValue::Bytes(b"12")), "int");
    assert_eq!(name(StringValue::Text(b"12")), "embstr");
    assert_eq!(name(StringValue::Raw(b"12")), "raw");
    assert_eq!(name(StringValue::Bytes(&[b'x'; EMBSTR_BYTES_MAX])), "embstr");
    assert_eq!(name(StringValue::Bytes(&[b'x'; EMBSTR_BYTES_MAX + 1])), "raw");
}
