//! However a stream of requests is cut into pieces, it means the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| net::resp::fuzz::check_splits(data));
