use super::*;

fn round_trip(parts: &Parts<'_>) {
    let mut bytes = vec![0xaa; parts.len() + 3];
    parts.write(&mut bytes);
    // SAFETY: the block was just written, and has no buffers.
    let block = unsafe { BlockRef::new(&bytes) };
    let (KeyPart::Inline(key), KeyPart::Inline(expected)) = (block.parts().key, parts.key) else {
        panic!("inline keys")
    };
    assert_eq!((key, block.key()), (expected, expected));
    assert_eq!((block.expire_at(), block.has_expiry()), (parts.expire_at, parts.expire_at.is_some()));
    assert_eq!((block.access(), block.saved()), (parts.access, parts.saved));
    assert_eq!((block.parts().len(), block.outside_bytes()), (parts.len(), 0));
    match (block.value_part(), parts.value) {
        (ValuePart::Int(number), ValuePart::Int(expected)) => assert_eq!(number, expected),
        (ValuePart::Inline { bytes, modified }, ValuePart::Inline { bytes: expected, modified: flag }) => {
            assert_eq!((bytes, modified), (expected, flag));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_written_is_read() {
    let long = vec![b'k'; VALUE_INLINE_BYTES_MAX];
    for key_len in [0, 1, LENGTH_ONE_BYTE_MAX, LENGTH_ONE_BYTE_MAX + 1, 255, 256, KEY_INLINE_BYTES_MAX] {
        for expire_at in [None, Some(0), Some((1 << 48) - 1), Some(1 << 48), Some(-1), Some(i64::MIN), Some(i64::MAX)] {
            let numbers = [0, -1, 127, 128, -129, 32_767, 32_768, i64::from(i32::MIN), 1 << 31, i64::MIN];
            let lens = [0, 1, 191, 192, 300, VALUE_INLINE_BYTES_MAX];
            let strings = lens.map(|len| ValuePart::Inline { bytes: &long[..len], modified: len % 2 == 1 });
            for value in numbers.map(ValuePart::Int).into_iter().chain(strings) {
                let key = KeyPart::Inline(&long[..key_len]);
                round_trip(&Parts { key, value, expire_at, access: 0x00ab_cdef, saved: key_len % 2 == 0 });
            }
        }
    }
}

#[test]
fn a_short_key_with_a_short_value_costs_six_bytes() {
    let value = ValuePart::Inline { bytes: &[0; 16], modified: false };
    let mut parts = Parts { key: KeyPart::Inline(&[0; 16]), value, expire_at: None, access: 0, saved: false };
    assert_eq!(parts.len(), 38);
    parts.expire_at = Some(1_700_000_000_000);
    assert_eq!(parts.len(), 44);
    parts.value = ValuePart::Int(5);
    assert_eq!(parts.len(), 28);
}
