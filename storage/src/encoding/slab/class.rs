//! Size classes: the block sizes that the slab serves, and how many blocks a page of each class holds.
//!
//! ```text
//! block bytes      8 ..= 128    in steps of   2
//!                132 ..= 512                  4
//!                544 ..= 1024                32
//!               1088 ..= 4096                64
//! ```
//!
//! A step of 2 costs a short key half a byte on average where a general allocator's steps of 8 and 16 cost 4 to 8. The
//! steps above keep the waste below 4 %. More classes mean more pages that are only partly filled, but a page is
//! touched from its start on, so the untouched rest of it is not resident.
//!
//! Pages of all classes that hold much have the same size, so that a page which one class returns serves the next one that asks: when
//! values change their size, memory follows without a detour through the kernel.

/// The largest block that the slab serves.
pub const BLOCK_BYTES_MAX: usize = 4096;

/// The most blocks a page can hold: a handle has 12 bits for the slot.
pub const PAGE_SLOTS_MAX: usize = 1 << 12;

/// How many classes there are.
pub const CLASSES: usize = 61 + 96 + 16 + 48;

const _: () = assert!(Class::of(BLOCK_BYTES_MAX).index() == CLASSES - 1);
const _: () = assert!(Class::of(BLOCK_BYTES_MAX).block_bytes() == BLOCK_BYTES_MAX);

/// A size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(u8);

impl Class {
    /// The smallest class whose blocks hold `bytes` bytes; these are at most [`BLOCK_BYTES_MAX`].
    #[inline]
    pub const fn of(bytes: usize) -> Self {
        debug_assert!(bytes <= BLOCK_BYTES_MAX);
        Self(match bytes {
            0..=8 => 0,
            9..=128 => bytes.div_ceil(2) - 4,
            129..=512 => 61 + (bytes - 129) / 4,
            513..=1024 => 61 + 96 + (bytes - 513) / 32,
            _ => 61 + 96 + 16 + (bytes - 1025) / 64,
        } as u8)
    }

    /// All classes, the smallest first.
    #[cfg(test)]
    pub fn all() -> impl Iterator<Item = Self> {
        (0..CLASSES as u8).map(Self)
    }

    /// Its number, below [`CLASSES`].
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The size of its blocks.
    #[inline]
    pub const fn block_bytes(self) -> usize {
        let index = self.0 as usize;
        match index {
            0..61 => 8 + index * 2,
            61..157 => 132 + (index - 61) * 4,
            157..173 => 544 + (index - 157) * 32,
            _ => 1088 + (index - 173) * 64,
        }
    }

    /// How many blocks of the class a page of this size holds.
    pub const fn slots_in(self, page_bytes: usize) -> usize {
        let slots = page_bytes / self.block_bytes();
        if slots < PAGE_SLOTS_MAX { slots } else { PAGE_SLOTS_MAX }
    }
}
