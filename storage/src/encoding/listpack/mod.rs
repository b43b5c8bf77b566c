//! Listpacks: sequences of strings and integers in one piece of memory, in Redis's byte format.
//!
//! ```text
//!  0             4        6
//! ┌─────────────┬────────┬───────────┬───────────┬─────┬──────┐
//! │ total bytes │ count  │ element 0 │ element 1 │  …  │ 0xff │    total and count are little-endian; count 65535:
//! └─────────────┴────────┴───────────┴───────────┴─────┴──────┘    more than can be told, the elements must be counted
//!
//! element    ┌──────┬──────┬────────────────────────────┐
//!            │ head │ data │ length of head and data    │          the length is read from right to left
//!            └──────┴──────┴────────────────────────────┘
//!
//! head       0xxxxxxx                    integer 0..=127, no data
//!            10xxxxxx                    string of up to 63 bytes
//!            110xxxxx                    integer of 13 bits, the upper five in the head; one byte of data
//!            1110xxxx xxxxxxxx           string of up to 4,095 bytes
//!            11110000 + 4 bytes          string, its length little-endian
//!            11110001 … 11110100         integer of 2, 3, 4, 8 bytes of data, little-endian
//! length     1 to 5 bytes of 7 bits each, the upper ones first; all but the first of them have the top bit set
//! ```
//!
//! The length behind each element makes the sequence walkable backwards. A byte string that is the canonical text of an
//! `i64` is always stored as an integer, so equal elements have equal bytes; listpacks made elsewhere need not keep to
//! that, and nothing here relies on it but speed.
//!
//! Since the format is Redis's own, DUMP payloads and snapshot files hold the same bytes as the memory does.
//!
//! - [`Listpack`] is the view to read, with [`Cursor`]s (byte offsets) as places.
//! - `edit.rs` has the functions that change one in a `Vec<u8>`. They keep cursors before the place of the change valid.
//! - [`validate`] is for bytes from outside. Everything else takes well-formed bytes for granted and panics on others.

mod edit;
mod element;
mod find;
mod item;
#[cfg(test)]
mod tests;
mod unique;
mod validate;
mod view;

pub use edit::{
    append, create, insert_after, insert_before, push_back, push_back_in, push_back_int, push_back_item, push_front,
    push_front_in, remove, remove_back_in, remove_front_in, remove_range, replace, split_off, would_fit,
};
pub use element::stored_bytes;
pub(crate) use element::{Encoded, Shape};
pub use find::Needle;
pub use item::{IntBuf, Item};
pub use unique::all_differ;
pub use validate::{Malformed, validate};
pub use view::{Cursor, Iter, Listpack, Pairs};

/// The bytes of a listpack without elements.
pub const EMPTY_BYTES: usize = HEADER_BYTES + 1;

/// The largest listpack that commands may build, as in Redis: sums of lengths stay far from 32 bits.
pub const BYTES_MAX: usize = 1 << 30;

const HEADER_BYTES: usize = 6;
const COUNT_OFFSET: usize = 4;
const COUNT_UNKNOWN: u16 = u16::MAX;
const END: u8 = 0xff;
