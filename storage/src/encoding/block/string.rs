//! Strings on their way into blocks.

use super::{VALUE_INLINE_BYTES_MAX, ValuePart};
use crate::encoding::buffer::BufferParts;
use crate::types::string::{OwnedString, StringValue};

/// The form in which a string goes into a block. A long one that is owned is moved out of `value`.
#[inline]
pub fn string_part<'v>(value: &'v mut StringValue<'_>) -> ValuePart<'v> {
    if let StringValue::Owned(OwnedString::Bytes { bytes, modified }) = value
        && bytes.len() > VALUE_INLINE_BYTES_MAX
    {
        let mut bytes = std::mem::take(bytes);
        if bytes.capacity() - bytes.len() > bytes.len() / 4 && !*modified {
            bytes.shrink_to_fit();
        }
        return ValuePart::Buffer { parts: BufferParts::new(bytes), modified: *modified };
    }
    let string = value.as_ref();
    match (string.stored_int(), string.stored_bytes()) {
        (Some(number), _) => ValuePart::Int(number),
        (None, bytes) => {
            let (bytes, modified) = (bytes.unwrap_or_default(), string.modified());
            if bytes.len() <= VALUE_INLINE_BYTES_MAX {
                ValuePart::Inline { bytes, modified }
            } else {
                ValuePart::Buffer { parts: BufferParts::new(bytes.to_vec()), modified }
            }
        }
    }
}
