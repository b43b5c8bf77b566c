//! Patterns out of any bytes: they are matched or not, and every text is matched by its own escaped form, behind whatever a
//! star stands for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use storage::glob::{Case, glob_match};

fuzz_target!(|bytes: &[u8]| {
    let (pattern, text) = bytes.split_at(bytes.len() / 2);
    for case in [Case::Sensitive, Case::Insensitive] {
        glob_match(pattern, text, case);
    }
    let escaped: Vec<u8> = text.iter().flat_map(|&byte| [b'\\', byte]).collect();
    assert!(glob_match(&escaped, text, Case::Sensitive));
    let before = [pattern, text].concat();
    assert!(before.is_empty() || glob_match(&[b"*", escaped.as_slice()].concat(), &before, Case::Sensitive));
});
