//! RDB files out of any bytes: they load or are refused, and what loads can be written and is the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use storage::Limits;
use storage::snapshot::file::{FileReader, Item};
use storage::snapshot::{dump, restore};

fuzz_target!(|bytes: &[u8]| {
    // Behind a header of its own, or nearly nothing would get past the first bytes.
    let file = [b"REDIS0012", bytes].concat();
    let Ok(mut reader) = FileReader::new(file.as_slice(), false) else { return };
    while let Ok(item) = reader.next_item() {
        match item {
            Item::Entry(_) => {
                let Ok(value) = reader.value(&Limits::default()) else { return };
                if let Some(value) = value {
                    assert_eq!(restore(&dump(value.as_value()), true, &Limits::default()).as_ref(), Ok(&value));
                }
            }
            Item::End => return,
            _ => {}
        }
        assert!(reader.offset() <= file.len() as u64);
    }
});
