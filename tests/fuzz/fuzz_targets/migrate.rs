//! However what another server answers to a migration is cut into pieces, it means the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| shard::migrate::replies::check_splits(data));
