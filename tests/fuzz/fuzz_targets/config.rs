//! Configuration files out of any bytes: they load or are refused, and what loads survives a rewrite.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shard::config::grammar::{quoted, split_words};
use shard::config::{Config, RewriteOptions};

fuzz_target!(|text: &[u8]| {
    assert_eq!(split_words(&quoted(text)), Some(vec![text.to_vec()]));
    // Files of this machine are not to be read.
    if text.windows(7).any(|part| part.eq_ignore_ascii_case(b"include")) {
        return;
    }
    let Ok(config) = Config::parse_text(text) else {
        return;
    };
    let again = config.rewritten(text, &RewriteOptions::default());
    let loaded = Config::parse_text(&again).expect("a rewritten file loads");
    assert_eq!(loaded.get(&["*"]), config.get(&["*"]));
});
