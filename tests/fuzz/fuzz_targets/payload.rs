//! Payloads of RESTORE out of any bytes: a value or an error, and what is a value comes back from its own payload. This is
//! the way in for listpacks, intsets, ziplists, zipmaps, quicklists and streams.

#![no_main]

use libfuzzer_sys::fuzz_target;
use storage::Limits;
use storage::snapshot::{dump, restore};

/// A version that is read, and room for a checksum, which is not looked at.
const FOOTER: [u8; 10] = [11, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fuzz_target!(|bytes: &[u8]| {
    let payload = [bytes, &FOOTER].concat();
    if let Ok(value) = restore(&payload, false, &Limits::default()) {
        assert_eq!(restore(&dump(value.as_value()), true, &Limits::default()).as_ref(), Ok(&value));
    }
});
