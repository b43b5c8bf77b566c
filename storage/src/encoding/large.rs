//! Large values: collections that a block owns by holding a tagged pointer to them.
//!
//! ```text
//!  byte 0     1 … 8
//! ┌─────────┬───────────────────┐
//! │ type    │ address of a box  │
//! └─────────┴───────────────────┘
//! ```
//!
//! As with buffers ([`super::buffer`]), a block is plain bytes and may be copied when an entry moves: the value is owned by
//! the one live block that holds these bytes, or by whoever just took them out of a block that dies.

use crate::types::hash::LargeHash;
use crate::types::large::{LargeRef, LargeValue};
use crate::types::list::LargeList;
use crate::types::set::LargeSet;
use crate::types::stream::Stream;
use crate::types::zset::LargeZSet;

/// Bytes that a large value takes in a block.
pub const LARGE_PARTS_BYTES: usize = 9;

const TAG_LIST: u8 = 1;
const TAG_HASH: u8 = 2;
const TAG_SET: u8 = 3;
const TAG_SORTED_SET: u8 = 4;
const TAG_STREAM: u8 = 5;

/// A large value taken apart, as it lies in a block.
#[derive(Clone, Copy, Debug)]
pub struct LargeParts([u8; LARGE_PARTS_BYTES]);

impl LargeParts {
    /// Takes a value apart. It leaks unless [`Self::into_value`] puts it together again.
    pub fn new(value: LargeValue) -> Self {
        match value {
            LargeValue::List(list) => Self::tagged(TAG_LIST, Box::into_raw(list)),
            LargeValue::Hash(hash) => Self::tagged(TAG_HASH, Box::into_raw(hash)),
            LargeValue::Set(set) => Self::tagged(TAG_SET, Box::into_raw(set)),
            LargeValue::SortedSet(set) => Self::tagged(TAG_SORTED_SET, Box::into_raw(set)),
            LargeValue::Stream(stream) => Self::tagged(TAG_STREAM, Box::into_raw(stream)),
        }
    }

    fn tagged<T>(tag: u8, pointer: *mut T) -> Self {
        let mut parts = [tag; LARGE_PARTS_BYTES];
        parts[1..].copy_from_slice(&(pointer.expose_provenance() as u64).to_ne_bytes());
        Self(parts)
    }

    /// Reads parts from the beginning of `bytes`.
    pub fn read(bytes: &[u8]) -> Self {
        Self(*bytes.first_chunk().expect("a block that has a large value holds all its parts"))
    }

    /// The parts as bytes.
    pub const fn as_bytes(&self) -> &[u8; LARGE_PARTS_BYTES] {
        &self.0
    }

    const fn tag(&self) -> u8 {
        self.0[0]
    }

    fn pointer<T>(&self) -> *mut T {
        let address = self.0[1..].try_into().expect("an address has eight bytes");
        std::ptr::with_exposed_provenance_mut(u64::from_ne_bytes(address) as usize)
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// The parts came from [`Self::new`], the value was not taken since, and is neither changed nor taken during `'a`.
    pub unsafe fn as_ref<'a>(&self) -> LargeRef<'a> {
        match self.tag() {
            // SAFETY: the tag says what the pointer was made of, and the value is alive and not changed meanwhile.
            TAG_LIST => LargeRef::List(unsafe { &*self.pointer::<LargeList>() }),
            // SAFETY: as above.
            TAG_HASH => LargeRef::Hash(unsafe { &*self.pointer::<LargeHash>() }),
            // SAFETY: as above.
            TAG_SET => LargeRef::Set(unsafe { &*self.pointer::<LargeSet>() }),
            // SAFETY: as above.
            TAG_SORTED_SET => LargeRef::SortedSet(unsafe { &*self.pointer::<LargeZSet>() }),
            // SAFETY: as above.
            TAG_STREAM => LargeRef::Stream(unsafe { &*self.pointer::<Stream>() }),
            _ => unreachable!("a tag is one of those above"),
        }
    }

    /// The value again.
    ///
    /// # Safety
    ///
    /// The parts came from [`Self::new`], and nobody else puts the value together from a copy of them.
    pub unsafe fn into_value(self) -> LargeValue {
        match self.tag() {
            // SAFETY: the tag says what the pointer was made of, and it is used this one time.
            TAG_LIST => LargeValue::List(unsafe { Box::from_raw(self.pointer::<LargeList>()) }),
            // SAFETY: as above.
            TAG_HASH => LargeValue::Hash(unsafe { Box::from_raw(self.pointer::<LargeHash>()) }),
            // SAFETY: as above.
            TAG_SET => LargeValue::Set(unsafe { Box::from_raw(self.pointer::<LargeSet>()) }),
            // SAFETY: as above.
            TAG_SORTED_SET => LargeValue::SortedSet(unsafe { Box::from_raw(self.pointer::<LargeZSet>()) }),
            // SAFETY: as above.
            TAG_STREAM => LargeValue::Stream(unsafe { Box::from_raw(self.pointer::<Stream>()) }),
            _ => unreachable!("a tag is one of those above"),
        }
    }
}
